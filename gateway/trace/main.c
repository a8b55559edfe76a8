#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "config/conf.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "gateway/trace/follow.h"

/* The journal's files are mapped; that takes addresses, not memory. */
#define TRACE_MEMORY_MAX ((size_t)4 * 1024 * 1024 * 1024)	/* bytes of address space */
#define TRACE_FILES_MAX 1024u	/* the journal opens all its files */
#define TRACE_TIMEOUT_MS 10000

struct trace {
	struct conf *conf;
	char *facts;			/* path of the vault's socket */
	struct source *source;		/* NULL: trace.log is empty */
};

static enum fail_code open_source(const char *log, struct source **source_out, struct fail *f)
{
	struct stat st;

	*source_out = NULL;
	if (log[0] == '\0')
		return SG_OK;
	if (strcmp(log, "auto") == 0)
		log = stat(SOURCE_AUTO_FILE, &st) == 0 ? SOURCE_AUTO_FILE : "journal";
	if (strcmp(log, "journal") == 0)
		return source_journal(NULL, source_out, f);
	if (stat(log, &st) == 0 && S_ISDIR(st.st_mode))
		return source_journal(log, source_out, f);
	return source_file(log, source_out, f);
}

static enum fail_code enter_sandbox(const struct trace *trace, struct fail *f)
{
	const char *file_paths[] = {trace->source != NULL ? trace->source->folder : NULL,
	    trace->conf->run_directory, NULL};
	const char *journal_paths[] = {"/var/log/journal", "/run/log/journal",
	    trace->conf->run_directory, "/etc/machine-id", NULL};
	bool has_folder = file_paths[0] != NULL;
	struct sandbox sandbox = {
		.allow = SANDBOX_FILES_READ | SANDBOX_CONNECT_UNIX,
		.read_paths = has_folder ? file_paths : journal_paths,
		.reduced = trace->conf->sandbox == CONF_SANDBOX_REDUCED,
	};

	return sandbox_enter(&sandbox, f);
}

static enum fail_code start(struct proc_boot *boot, struct trace *trace, struct fail *f)
{
	enum fail_code code;

	code = conf_decode(boot->config.data, boot->config.size, &trace->conf, f);
	if (code != SG_OK)
		return code;
	log_set_level((enum log_level)trace->conf->log.level);
	/* before the door closes: a log without a year is in local time */
	tzset();
	trace->facts = conf_run_path(trace->conf, CONF_SOCKET_FACTS);
	if (trace->facts == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = proc_limit(TRACE_MEMORY_MAX, TRACE_FILES_MAX, 0, f);
	if (code == SG_OK)
		code = proc_drop(trace->conf->users.trace, f);
	if (code == SG_OK)
		code = open_source(trace->conf->trace.log, &trace->source, f);
	if (code == SG_OK)
		code = enter_sandbox(trace, f);
	if (code == SG_OK)
		code = proc_worker_ready(boot,
		    trace->source != NULL ? "follows Postfix's log" : "follows no log", f);
	return code;
}

static enum fail_code serve(const struct trace *trace, const struct proc_boot *boot,
    struct fail *f)
{
	struct pollfd end = {boot->control, POLLIN, 0};
	struct follow follow = {
		.source = trace->source,
		.ports = {trace->conf->stage_port, trace->conf->tls.fallback_port},
		.vault = {trace->facts, TRACE_TIMEOUT_MS},
		.control = boot->control,
		.counters = boot->counters,
	};

	if (trace->source != NULL)
		return follow_run(&follow, f);
	while (poll(&end, 1, -1) <= 0)
		continue;
	return SG_OK;
}

int main(int argc, char *argv[])
{
	struct trace trace = {NULL, NULL, NULL};
	struct proc_boot boot;
	int status = EX_OK;
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	log_start("sealgate-trace", LOG_LEVEL_NOTICE);
	code = proc_worker_start(argc, argv, &boot, &f);
	if (code == SG_OK)
		code = start(&boot, &trace, &f);
	if (code != SG_OK) {
		proc_worker_failed(&boot, &f);
		status = code == SG_EUSAGE ? EX_CONFIG : EX_TEMPFAIL;
	} else if (serve(&trace, &boot, &f) != SG_OK) {
		log_failure(LOG_LEVEL_ERROR, NULL, "trace-end", &f);
		status = EX_TEMPFAIL;
	}
	source_close(trace.source);
	conf_free(trace.conf);
	free(trace.facts);
	proc_boot_free(&boot);
	return status;
}
