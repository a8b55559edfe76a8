/*
 * sealgate-pdf: turns one message after the other into an encrypted PDF.
 *
 * Fonts, converters and libraries are loaded first; then rights are given up and the sandbox
 * closes. The process then only accepts on the socket it was born with.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "config/conf.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "pdfenc/serve.h"
#include "pdfenc/spent.h"
#include "pdfenc/warm.h"

#define FILES_MAX 64			/* descriptors: fonts being mapped, one message, one PDF */
#define KEEP_MEMORY (64 * 1024 * 1024)	/* bytes; below it malloc never goes to the kernel */
#define CPU_PART 4			/* of pdf.timeout: what one try has in processor time */
#define ALONE_TRIES 200			/* of 10 ms */

static const char *const read_paths[] = {
	"/usr/share/fonts", "/usr/local/share/fonts", "/var/cache/fontconfig", "/etc/fonts",
	"/usr/share/fontconfig", "/usr/share/zoneinfo", "/etc/localtime", "/usr/share/icu",
	"/usr/lib/x86_64-linux-gnu/gconv", "/usr/lib/aarch64-linux-gnu/gconv", "/usr/lib/gconv",
	NULL
};

/* glibc returns every large block to the kernel at once, which makes 10 MB ten times dearer. */
static void tune_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, KEEP_MEMORY);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_MEMORY);
	(void)mallopt(M_ARENA_MAX, 1);
}

/*
 * Pango asks fontconfig in a thread that ends soon after (that is why threads are allowed later,
 * too). Landlock would not hold one that is still there: the door closes when we are alone.
 */
static enum fail_code wait_alone(struct fail *f)
{
	struct stat tasks;

	for (unsigned int i = 0; i < ALONE_TRIES; i++) {
		if (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3)
			return SG_OK;
		(void)poll(NULL, 0, 10);
	}
	return fail_set(f, SG_ESYSTEM, NULL, "a thread of a library does not end");
}

static enum fail_code close_doors(const struct conf *conf, struct fail *f)
{
	struct sandbox sandbox = { .allow = SANDBOX_FILES_READ | SANDBOX_ACCEPT |
	    SANDBOX_THREADS };	/* pango asks fontconfig from threads of its own */
	enum fail_code code;

	sandbox.read_paths = read_paths;
	sandbox.reduced = conf->sandbox == CONF_SANDBOX_REDUCED;
	code = proc_limit(conf->pdf.memory_max, FILES_MAX, 0, f);
	if (code == SG_OK)
		code = proc_drop(conf->users.pdf, f);
	if (code == SG_OK)
		code = wait_alone(f);
	if (code == SG_OK)
		code = sandbox_enter(&sandbox, f);
	return code;
}

/* SIGTERM as a descriptor: a message in work is finished first. */
static enum fail_code watch_signals(int *signals_out, struct fail *f)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	*signals_out = signalfd(-1, &set, SFD_CLOEXEC);
	if (*signals_out < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot watch signals");
	return SG_OK;
}

/* False: the supervisor is gone. *serve_out: who stood by is to serve. */
static bool still_wanted(int control, bool *serve_out)
{
	struct wire_message message;
	struct fail f;
	bool wanted;

	wire_message_init(&message, 0);
	wanted = wire_receive(control, &message, 0, &f) == SG_OK;
	if (wanted && message.type == PROC_SERVE)
		*serve_out = true;
	wire_message_free(&message);
	return wanted;
}

/*
 * Several workers wait on one listener: whoever accepts first has the request. False: another one
 * had it.
 */
static bool accept_one(struct serve *serve, int listener)
{
	struct fail f;
	int socket;

	if (wire_accept(listener, &socket, &f) != SG_OK)
		return false;
	serve_connection(serve, socket);
	fd_close(&socket);
	return true;
}

/* Ends with SG_OK after messages_max messages (0: never): the supervisor starts a fresh worker. */
static enum fail_code loop(struct serve *serve, const struct proc_boot *boot, int signals,
    unsigned int messages_max, struct fail *f)
{
	bool serves = !boot->stands_by;
	struct pollfd watched[3] = {
		{ -1, POLLIN, 0 },
		{ boot->control, POLLIN, 0 },
		{ signals, POLLIN, 0 },
	};

	for (unsigned int messages = 0; messages_max == 0 || messages < messages_max;) {
		watched[0].fd = serves ? boot->listeners[0] : -1;
		if (poll(watched, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail_errno(f, SG_ESYSTEM, NULL, "cannot wait for requests");
		}
		if (watched[2].revents != 0)
			return SG_OK;
		if (watched[1].revents != 0 && !still_wanted(boot->control, &serves))
			return SG_OK;
		if ((watched[0].revents & POLLIN) != 0)
			messages += accept_one(serve, boot->listeners[0]) ? 1 : 0;
		else if (watched[0].revents != 0)
			return fail_set(f, SG_ESYSTEM, NULL, "the listening socket is broken");
	}
	return SG_OK;
}

static enum fail_code work(struct proc_boot *boot, struct conf **conf, struct serve *serve,
    struct fail *f)
{
	int signals = -1;
	enum fail_code code;

	code = conf_decode(boot->config.data, boot->config.size, conf, f);
	if (code != SG_OK)
		return code;
	log_set_level((*conf)->log.level);
	if (boot->listener_count != 1)
		return fail_set(f, SG_EUSAGE, NULL, "one listening socket is needed, not %zu",
		    boot->listener_count);
	serve->options.letter = (*conf)->pdf.page == CONF_PAGE_LETTER;
	serve->options.pages_max = (*conf)->pdf.pages_max;
	serve->options.original = (*conf)->pdf.original;
	serve->options.attachments.pages = (*conf)->pdf.attach_pages;
	serve->options.attachments.pages_max = (*conf)->pdf.attach_pages_max;
	serve->options.attachments.size_max = (*conf)->pdf.attach_size_max;
	serve->options.attachments.pixels_max =
	    (size_t)(*conf)->pdf.attach_megapixels_max * 1000000;
	/* so that a second try on another worker fits into what the filter waits */
	serve->cpu_ms_max = (*conf)->pdf.timeout_ms / CPU_PART;
	code = warm_engine(&serve->options.engine, f);
	if (code == SG_OK)
		code = watch_signals(&signals, f);
	if (code == SG_OK && fcntl(boot->listeners[0], F_SETFL, O_RDWR | O_NONBLOCK) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot set up the listening socket");
	if (code == SG_OK)
		code = spent_watch(f);
	if (code == SG_OK)
		code = close_doors(*conf, f);
	if (code == SG_OK)
		serve->options.looks = serve->looks = looks_new(*conf);
	if (code == SG_OK)
		code = proc_worker_ready(boot, "fonts loaded", f);
	if (code == SG_OK)
		code = loop(serve, boot, signals, (*conf)->pdf.messages_max, f);
	fd_close(&signals);
	return code;
}

int main(int argc, char *argv[])
{
	struct serve serve = { .cpu_ms_max = 0, .socket = -1 };
	struct conf *conf = NULL;
	struct proc_boot boot;
	enum fail_code code;
	struct fail f;

	log_start("sealgate-pdf", LOG_LEVEL_NOTICE);
	tune_memory();
	fail_clear(&f);
	code = proc_worker_start(argc, argv, &boot, &f);
	if (code != SG_OK) {
		(void)fprintf(stderr, "sealgate-pdf: %s (%s)\n", f.what, f.hint);
		return EXIT_FAILURE;
	}
	code = work(&boot, &conf, &serve, &f);
	if (code != SG_OK) {
		log_failure(LOG_LEVEL_ERROR, NULL, "worker", &f);
		proc_worker_failed(&boot, &f);
	}
	looks_free(serve.looks);
	layout_engine_free(serve.options.engine);
	conf_free(conf);
	proc_boot_free(&boot);
	return code == SG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
