/* sealgate-milter: the filter that Postfix talks to. Started by "sealgate run". */
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "milter/milter.h"
#include "milter/services.h"
#include "milter/share.h"

#define FILES_MAX 8192		/* descriptors: two or three for each of Postfix' connections */
#define BEAT_MS 1000			/* how often it shows that it goes on */
#define BEAT_WITHIN_MS 8000
#define MEMORY_KEPT (64 * 1024 * 1024)	/* bytes that malloc keeps instead of giving back */

struct program {
	struct proc_boot boot;
	struct door door;
	struct milter_traffic traffic;
	struct milter_program running;
	struct share share;
	struct services services;
};

/* glibc's thresholds make large messages six to fifteen times dearer in OpenSSL. */
static void tune_malloc(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MEMORY_KEPT);
	(void)mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT);
}

static void take_config(struct program *program, struct wire_message *message)
{
	struct conf *conf = NULL;
	struct fd_map map;
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	code = fd_map(message->fd, PROC_CONFIG_MAX, &map, &f);
	if (code == SG_OK) {
		code = conf_decode(map.data, map.size, &conf, &f);
		fd_unmap(&map);
	}
	if (code == SG_OK) {
		log_set_level((enum log_level)conf->log.level);
		code = share_replace(&program->share, conf);
	}
	if (code != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "reload", &f);
}

/* Waits for one, and shows meanwhile that the process goes on. False: the supervisor is gone. */
static bool next_message(const struct program *program, struct wire_message *message)
{
	struct pollfd control = { program->boot.control, POLLIN, 0 };
	struct fail f;

	do {
		counters_beat(program->boot.counters, BEAT_WITHIN_MS);
	} while (poll(&control, 1, BEAT_MS) <= 0);
	return wire_receive(program->boot.control, message, -1, &f) == SG_OK;
}

/* Listens to the supervisor. When it goes, so do we, with what is under way finished. */
static void *watch_control(void *context)
{
	struct program *program = context;
	struct wire_message message;

	wire_message_init(&message, 0);
	while (next_message(program, &message))
		if (message.type == PROC_CONFIG && message.fd >= 0)
			take_config(program, &message);
	wire_message_free(&message);
	milter_drain(&program->running, &program->door);
	_exit(EX_OK);
}

static enum fail_code start_watching(struct program *program, struct fail *f)
{
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int failed;

	/* signals are for libmilter's own thread */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&thread, NULL, watch_control, program);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0)
		return fail_set(f, SG_ESYSTEM, NULL, "cannot start a thread");
	(void)pthread_detach(thread);
	return SG_OK;
}

static enum fail_code enter_sandbox(const struct conf *conf, struct fail *f)
{
	const char *write_paths[] = { conf->spool_directory, NULL };
	struct sandbox sandbox = {
		.allow = SANDBOX_FILES_READ | SANDBOX_FILES_WRITE | SANDBOX_ACCEPT |
		    SANDBOX_CONNECT_UNIX | SANDBOX_THREADS | SANDBOX_SOCKET_INET,
		.read_paths = NULL,
		.write_paths = write_paths,
		.reduced = conf->sandbox == CONF_SANDBOX_REDUCED,
	};

	return sandbox_enter(&sandbox, f);
}

/* Opens what needs rights, drops them, closes the door. */
static enum fail_code prepare(struct program *program, const struct conf *conf, struct fail *f)
{
	enum fail_code code = milter_open(program->boot.listeners[0], conf->run_directory,
	    &program->door, f);

	if (code == SG_OK)
		code = services_init(&program->services, conf, program->boot.counters, f);
	if (code == SG_OK)
		code = proc_limit(0, FILES_MAX, 0, f);
	if (code == SG_OK)
		code = proc_drop(conf->users.milter, f);
	if (code == SG_OK && access(conf->spool_directory, W_OK | X_OK) != 0)
		code = fail_errno(f, SG_EUSAGE, "make it and give it to the user of the milter",
		    "cannot write in spool_directory %s", conf->spool_directory);
	if (code == SG_OK)
		code = enter_sandbox(conf, f);
	return code;
}

static enum fail_code start(struct program *program, struct fail *f)
{
	struct conf *conf = NULL;
	char text[256];
	enum fail_code code = conf_decode(program->boot.config.data, program->boot.config.size,
	    &conf, f);

	if (code != SG_OK)
		return code;
	if (program->boot.listener_count != 1) {
		conf_free(conf);
		return fail_set(f, SG_EUSAGE, NULL, "the filter needs one listening socket");
	}
	log_start("sealgate-milter", (enum log_level)conf->log.level);
	(void)snprintf(text, sizeof(text), "listens on %s", conf->socket);
	code = prepare(program, conf, f);
	if (code != SG_OK) {
		conf_free(conf);
		return code;
	}
	code = share_init(&program->share, conf);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory");
	code = start_watching(program, f);
	if (code == SG_OK)
		code = proc_worker_ready(&program->boot, text, f);
	return code;
}

int main(int argc, char *argv[])
{
	static struct program program;	/* threads use it until the process ends */
	struct fail f;
	enum fail_code code;

	program.running = (struct milter_program){ &program.share, &program.services,
	    &program.traffic };
	tune_malloc();
	fail_clear(&f);
	code = proc_worker_start(argc, argv, &program.boot, &f);
	if (code == SG_OK)
		code = start(&program, &f);
	if (code != SG_OK) {
		proc_worker_failed(&program.boot, &f);
		return code == SG_EUSAGE ? EX_USAGE : EX_UNAVAILABLE;
	}
	code = milter_run(&program.running, &f);
	if (code != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "end", &f);
	/* threads may still be within a message: Postfix keeps it */
	_exit(code == SG_OK ? EX_OK : EX_SOFTWARE);
}
