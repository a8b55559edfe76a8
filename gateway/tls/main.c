/* sealgate-tls: which TLS a next hop must give. Started by "sealgate run". */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "gateway/tls/server.h"

/* SIGTERM as a descriptor: the cache is saved first. */
static enum fail_code terminate_descriptor(int *fd_out, struct fail *f)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot block SIGTERM");
	*fd_out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*fd_out < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a descriptor for SIGTERM");
	return SG_OK;
}

static enum fail_code enter_sandbox(const struct conf *conf, struct fail *f)
{
	bool caches = conf->tls.cache_directory != NULL && conf->tls.cache_directory[0] != '\0';
	const char *read_paths[] = {conf->tls.ca_file, "/dev/urandom", NULL};
	const char *write_paths[] = {caches ? conf->tls.cache_directory : NULL, NULL};
	struct sandbox sandbox = {
		.allow = SANDBOX_FILES_READ | SANDBOX_FILES_WRITE | SANDBOX_ACCEPT |
		    SANDBOX_THREADS | SANDBOX_SOCKET_INET | SANDBOX_NETWORK,
		.read_paths = read_paths,
		.write_paths = write_paths,
		.reduced = conf->sandbox == CONF_SANDBOX_REDUCED,
	};

	return sandbox_enter(&sandbox, f);
}

/* Opens what needs rights or files, drops the rights, closes the door. */
static enum fail_code prepare(struct server *server, struct conf *conf, int *terminate_out,
    struct fail *f)
{
	enum fail_code code = terminate_descriptor(terminate_out, f);

	if (code == SG_OK)
		code = proc_limit(0, SERVER_FILES_MAX, 0, f);
	if (code == SG_OK)
		code = proc_drop(conf->users.tls, f);
	/* libcurl and OpenSSL load what they need now */
	if (code == SG_OK && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		code = fail_set(f, SG_ESYSTEM, NULL, "libcurl does not start");
	if (code != SG_OK) {
		conf_free(conf);
		return code;
	}
	code = server_open(server, conf, clock_system(), f);
	if (code == SG_OK)
		code = enter_sandbox(conf, f);
	return code;
}

static enum fail_code start(struct proc_boot *boot, struct server *server, int *terminate_out,
    struct fail *f)
{
	struct conf *conf = NULL;
	char text[256];
	enum fail_code code = conf_decode(boot->config.data, boot->config.size, &conf, f);

	if (code != SG_OK)
		return code;
	log_set_level((enum log_level)conf->log.level);
	(void)snprintf(text, sizeof(text), "Postfix asks at %s", conf->tls.socket);
	code = prepare(server, conf, terminate_out, f);
	if (code == SG_OK)
		code = proc_worker_ready(boot, text, f);
	return code;
}

int main(int argc, char *argv[])
{
	struct proc_boot boot;
	struct server server;
	struct fail f;
	int terminate = -1;
	int status = EX_OK;
	enum fail_code code;

	fail_clear(&f);
	memset(&server, 0, sizeof(server));
	log_start("sealgate-tls", LOG_LEVEL_NOTICE);
	code = proc_worker_start(argc, argv, &boot, &f);
	if (code == SG_OK)
		code = start(&boot, &server, &terminate, &f);
	if (code != SG_OK) {
		proc_worker_failed(&boot, &f);
		status = code == SG_EUSAGE ? EX_CONFIG : EX_TEMPFAIL;
	} else if (server_run(&server, &boot, terminate, &f) != SG_OK) {
		log_failure(LOG_LEVEL_ERROR, NULL, "tls-end", &f);
		status = EX_TEMPFAIL;
	}
	server_close(&server);
	proc_boot_free(&boot);
	fd_close(&terminate);
	/* a task may still wait for some peer's answer */
	_exit(status);
}
