#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "gateway/vault/server.h"

#define VAULT_MEMORY_MAX ((size_t)1024 * 1024 * 1024)	/* bytes of address space */
#define VAULT_FILES_MAX 400u	/* connections, listeners, database; a descriptor in flight */

/* SIGTERM as a descriptor: what is being committed is finished first. */
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
	const char *write_paths[] = {conf->state_directory, NULL};
	struct sandbox sandbox = {
		.allow = SANDBOX_FILES_READ | SANDBOX_FILES_WRITE | SANDBOX_ACCEPT,
		.write_paths = write_paths,
		.reduced = conf->sandbox == CONF_SANDBOX_REDUCED,
	};

	return sandbox_enter(&sandbox, f);
}

static enum fail_code start(struct proc_boot *boot, struct server *server, int *terminate_out,
    struct fail *f)
{
	struct conf *conf = NULL;
	enum fail_code code;
	int key;

	code = conf_decode(boot->config.data, boot->config.size, &conf, f);
	if (code != SG_OK)
		return code;
	log_set_level((enum log_level)conf->log.level);
	key = server_open_key(conf);
	code = terminate_descriptor(terminate_out, f);
	if (code == SG_OK)
		code = proc_limit(VAULT_MEMORY_MAX, VAULT_FILES_MAX, 0, f);
	if (code == SG_OK)
		code = proc_drop(conf->users.vault, f);
	if (code != SG_OK) {
		fd_close(&key);
		conf_free(conf);
		return code;
	}
	code = server_open(server, conf, key, clock_system(), f);
	if (code == SG_OK)
		code = enter_sandbox(server->conf, f);
	if (code == SG_OK)
		code = proc_worker_ready(boot, "database is sound", f);
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
	log_start("sealgate-vault", LOG_LEVEL_NOTICE);
	code = proc_worker_start(argc, argv, &boot, &f);
	if (code == SG_OK)
		code = start(&boot, &server, &terminate, &f);
	server.counters = boot.counters;
	if (code != SG_OK) {
		proc_worker_failed(&boot, &f);
		status = code == SG_EUSAGE ? EX_CONFIG : EX_TEMPFAIL;
	} else if (loop_run(&server, boot.control, terminate, boot.listeners,
	    boot.listener_count, &f) != SG_OK) {
		log_failure(LOG_LEVEL_ERROR, NULL, "vault-end", &f);
		status = EX_TEMPFAIL;
	}
	server_close(&server);
	proc_boot_free(&boot);
	fd_close(&terminate);
	return status;
}
