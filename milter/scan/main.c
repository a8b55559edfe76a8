/*
 * sealgate-scan: the virus scanner. libclamav is here and nowhere else; or it asks a clamd.
 *
 * Birth, in this order: configuration, temporary directory (it may take a mount namespace), engine,
 * bounds, user, sandbox, threads. The main thread then waits for the supervisor and the clock. It
 * never loads twice: when the database has changed it asks for another process, works on, and ends
 * when told, with what it has begun.
 */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "gateway/base/str.h"
#include "milter/scan/engine.h"
#include "milter/scan/server.h"
#include "milter/scan/service.h"
#include "milter/scan/tempdir.h"

#define CHECK_MS ((int64_t)60 * 1000)		/* between two scans of the test message */
#define BEAT_WITHIN_MS 60000	/* the test message waits behind others; signatures are looked at */
#define LOAD_NICE 10				/* loading beside one that works must not slow it */
#define KEEP_FREED (64 * 1024 * 1024)		/* bytes; else each scan maps and unmaps pages */
#define MEMORY_SPARE ((size_t)1024 * 1024 * 1024)	/* bytes, for work on small mail */
#define FILES_BASE 64u				/* descriptors, besides what scans open */
#define FILES_LEVEL 8u				/* descriptors for each level of unpacking */

struct worker {
	struct proc_boot boot;
	struct conf *conf;
	int signals;
	struct tempdir temporary;
	struct options options;
	struct service *service;
	struct server *server;
};

/* From here on SIGTERM lets it finish its work; before, it ends at once. */
static enum fail_code prepare_signals(struct worker *worker, struct fail *f)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot block signals");
	worker->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (worker->signals < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot wait for signals");
	return SG_OK;
}

static enum fail_code make_temporary(struct worker *worker, struct fail *f)
{
	const struct conf *conf = worker->conf;
	struct tempdir_wish wish = {
		.configured = conf->scan.temporary_directory,
		.visible = conf->scan.database_directory,
		.size = (uint64_t)conf->scan.size_max * (conf->scan.threads + 1),
		.room_min = conf->scan.size_max,
	};
	enum fail_code code = SG_OK;

	if (conf->scan.engine == CONF_ENGINE_CLAMD)
		return SG_OK;	/* clamd unpacks */
	if (proc_may_change_user())
		code = proc_user(conf->users.scan, &wish.uid, &wish.gid, f);
	return code != SG_OK ? code : tempdir_make(&wish, &worker->temporary, f);
}

static enum fail_code load(struct worker *worker, struct fail *f)
{
	const struct conf *conf = worker->conf;
	enum fail_code code = engine_start(f);
	bool is_root = geteuid() == 0;	/* who is not could not become nice again */

	worker->options = (struct options) {
		.database_directory = conf->scan.database_directory,
		.temporary_directory = worker->temporary.path,
		.size_max = conf->scan.size_max,
		.files_max = conf->scan.files_max,
		.recursion_max = conf->scan.recursion_max,
		.time_max_ms = conf->scan.timeout_ms,
		.encrypted = conf->scan.encrypted != CONF_ENCRYPTED_PASS,
		.clamd = conf->scan.engine == CONF_ENGINE_CLAMD ? conf->scan.clamd : NULL,
	};
	if (is_root)
		(void)setpriority(PRIO_PROCESS, 0, LOAD_NICE);
	if (code == SG_OK)
		code = service_open(&worker->options, &worker->service, f);
	if (is_root)
		(void)setpriority(PRIO_PROCESS, 0, 0);
	return code;
}

/* Bytes of address space now, with the engine loaded; 0 if it cannot be told. */
static size_t address_space(void)
{
	struct buf text;
	uint64_t pages = 0;
	size_t digits;
	char *number = NULL;

	buf_init(&text, 4096);
	if (fd_read_file("/proc/self/statm", &text, NULL) == SG_OK && buf_str(&text) != NULL) {
		digits = strspn(buf_str(&text), "0123456789");
		number = str_dup_n(buf_str(&text), digits);
	}
	if (number == NULL || str_parse_u64(number, 1, SIZE_MAX / 4096 / 8, &pages) != SG_OK)
		pages = 0;
	free(number);
	buf_free(&text);
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Room for a look at new files, each by itself; and for each scan. */
static enum fail_code bound(const struct worker *worker, struct fail *f)
{
	const struct conf *conf = worker->conf;
	size_t loaded = address_space();
	unsigned int files = FILES_BASE + (conf->scan.threads + 1) * FILES_LEVEL *
	    (conf->scan.recursion_max + 1);
	size_t scans;
	size_t memory = 0;

	if (loaded == 0 ||
	    !str_mul_size(conf->scan.size_max, 4 * (conf->scan.threads + 1), &scans) ||
	    !str_add_size(2 * loaded + MEMORY_SPARE, scans, &memory))
		memory = 0;
	return proc_limit(memory, files, 0, f);
}

static enum fail_code close_door(const struct worker *worker, struct fail *f)
{
	const char *read_paths[] = { worker->conf->scan.database_directory, NULL };
	const char *write_paths[] = { worker->temporary.path, NULL };
	struct sandbox sandbox = {
		.allow = SANDBOX_ACCEPT | SANDBOX_THREADS,
		.reduced = worker->conf->sandbox == CONF_SANDBOX_REDUCED,
	};
	unsigned int port;

	if (service_asks_clamd(worker->service, &port)) {
		/* one socket instead of files */
		sandbox.allow |= port != 0 ? SANDBOX_CONNECT_TCP : SANDBOX_CONNECT_UNIX;
		sandbox.tcp_port = port;
	} else {
		sandbox.allow |= SANDBOX_FILES_READ | SANDBOX_FILES_WRITE;
		sandbox.read_paths = read_paths;
		sandbox.write_paths = write_paths;
	}
	return sandbox_enter(&sandbox, f);
}

static char *describe(const struct worker *worker, const struct scan_status *status)
{
	if (status->asks_clamd != 0)
		return str_printf("%s at %s%s", status->version[0] != '\0' ? status->version :
		    "clamd", worker->conf->scan.clamd, status->in_service ? "" :
		    ", OUT OF SERVICE");
	return str_printf("%s, %llu signatures, temporary directory %s%s%s", status->version,
	    (unsigned long long)status->signatures, worker->temporary.path,
	    worker->temporary.base == NULL ? " (tmpfs of its own)" : "",
	    status->in_service ? "" : ", OUT OF SERVICE");
}

static enum fail_code say_ready(const struct worker *worker, struct fail *f)
{
	struct scan_status status;
	enum fail_code code;
	char *text;

	service_status(worker->service, &status);
	text = describe(worker, &status);
	if (text == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = status.in_service ? proc_worker_ready(&worker->boot, text, f) :
	    proc_worker_unwell(&worker->boot, text, f);
	free(text);
	return code;
}

/* From here on requests are taken. */
static enum fail_code serve(struct worker *worker, struct fail *f)
{
	return server_start(worker->boot.listeners[0], worker->conf->scan.threads,
	    worker->conf->scan.size_max, worker->service, &worker->server, f);
}

/* Everything up to "ready". */
static enum fail_code prepare(struct worker *worker, struct fail *f)
{
	enum fail_code code = conf_decode(worker->boot.config.data, worker->boot.config.size,
	    &worker->conf, f);

	if (code != SG_OK)
		return code;
	log_set_level((enum log_level)worker->conf->log.level);
	if (worker->boot.listener_count != 1)
		return fail_set(f, SG_EUSAGE, NULL, "the scanner needs one listening socket");
	/* a file too large is an error of write(2), not our end */
	(void)signal(SIGXFSZ, SIG_IGN);
	/* root mounts a tmpfs first; who may not needs no rights but the scanner's own */
	code = geteuid() == 0 ? SG_OK : proc_drop(worker->conf->users.scan, f);
	if (code == SG_OK)
		code = make_temporary(worker, f);
	if (code == SG_OK)
		code = load(worker, f);
	if (code == SG_OK)
		code = prepare_signals(worker, f);
	if (code == SG_OK)
		code = bound(worker, f);
	if (code == SG_OK)
		code = proc_drop(worker->conf->users.scan, f);
	if (code != SG_OK)
		return code;
	if (worker->temporary.base != NULL)
		tempdir_sweep(&worker->temporary);
	code = close_door(worker, f);
	if (code != SG_OK)
		return code;
	/* from behind the closed door, as every scan will be; a miss is told, not fatal */
	(void)service_check(worker->service);
	if (!worker->boot.stands_by)
		code = serve(worker, f);
	return code != SG_OK ? code : say_ready(worker, f);
}

/* Who stood by serves. False: it cannot. */
static bool begin(struct worker *worker)
{
	struct fail f;

	fail_clear(&f);
	if (worker->server != NULL || serve(worker, &f) == SG_OK)
		return true;
	log_failure(LOG_LEVEL_ERROR, NULL, "worker", &f);
	return false;
}

/* False: it may end, the next one will load what is there. */
static bool stays(struct worker *worker)
{
	struct fail f;

	fail_clear(&f);
	if (service_give_way(worker->service, &f) == SG_OK)
		return false;
	log_failure(LOG_LEVEL_ERROR, NULL, "old_signatures_stay", &f);
	return true;
}

static void look(struct worker *worker)
{
	if (service_look(worker->service, clock_system()))
		proc_worker_outdated(&worker->boot);
}

/* False when the supervisor is gone, wants us to end, or talks nonsense. */
static bool obey(struct worker *worker)
{
	struct wire_message message;
	bool go_on = false;

	wire_message_init(&message, 0);
	if (wire_receive(worker->boot.control, &message, 0, NULL) == SG_OK) {
		if (message.type == PROC_RELOAD)
			look(worker);
		go_on = message.type == PROC_RELOAD ||
		    (message.type == PROC_SERVE && begin(worker)) ||
		    (message.type == PROC_GIVE_WAY && stays(worker));
	}
	wire_message_free(&message);
	return go_on;
}

/* Of when the signatures are: for sealgate-health, and into the log where they are too old. */
static void show(const struct worker *worker)
{
	struct scan_status status;

	(void)service_tell_age(worker->service, clock_system(),
	    worker->conf->scan.database_age_max_ms);
	if (worker->boot.counters == NULL)
		return;
	service_status(worker->service, &status);
	counters_signatures(worker->boot.counters, status.database_time);
}

static void loop(struct worker *worker)
{
	struct pollfd ready[] = {
		{ worker->boot.control, POLLIN, 0 },
		{ worker->signals, POLLIN, 0 },
	};
	int64_t check_ms = clock_mono_ms(clock_system()) + CHECK_MS;

	show(worker);
	for (;;) {
		int n;

		counters_beat(worker->boot.counters, BEAT_WITHIN_MS);
		n = poll(ready, 2, SERVICE_LOOK_MS);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0 && ready[1].revents != 0)
			return;
		if (n > 0 && ready[0].revents != 0 && !obey(worker))
			return;
		if (n == 0)
			look(worker);
		if (clock_mono_ms(clock_system()) >= check_ms) {
			(void)service_check(worker->service);
			show(worker);
			check_ms = clock_mono_ms(clock_system()) + CHECK_MS;
		}
	}
}

static void release(struct worker *worker)
{
	server_stop(worker->server);
	service_close(worker->service);
	tempdir_free(&worker->temporary);
	fd_close(&worker->signals);
	conf_free(worker->conf);
	proc_boot_free(&worker->boot);
}

int main(int argc, char *argv[])
{
	struct worker worker = { .signals = -1, .temporary = { .lock = -1 } };
	enum fail_code code;
	struct fail f;

	/* glibc's own thresholds move with use and make large buffers dear */
	(void)mallopt(M_MMAP_THRESHOLD, KEEP_FREED);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_FREED);
	log_start("sealgate-scan", LOG_LEVEL_NOTICE);
	fail_clear(&f);
	code = proc_worker_start(argc, argv, &worker.boot, &f);
	if (code == SG_OK)
		code = prepare(&worker, &f);
	if (code == SG_OK)
		loop(&worker);
	else
		proc_worker_failed(&worker.boot, &f);
	release(&worker);
	return code == SG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
