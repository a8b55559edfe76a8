#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/oneshot.h"
#include "milter/scan/scan.h"

#define EXIT_INFECTED 1
#define COPY_STEP ((size_t)64 * 1024)
#define OUTPUT_MAX ((size_t)4096)

struct scan_job {
	struct conf *conf;
	const char *database;	/* --database, or NULL */
	bool json;
	int message;
	size_t size;
};

static const char *const verdict_names[] = {
	[SCAN_CLEAN] = "clean",
	[SCAN_INFECTED] = "infected",
	[SCAN_UNSCANNABLE] = "unscannable",
	[SCAN_NO_VERDICT] = "no verdict",
	[SCAN_ENCRYPTED] = "encrypted",
};

/* 0, or an exit code. */
static int read_options(int argc, char *argv[], struct scan_job *job)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "database", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'j')
			job->json = true;
		else if (option == 'd')
			job->database = optarg;
		else
			return cmd_usage(&cmd_scan);
	}
	return optind < argc ? cmd_usage(&cmd_scan) : 0;
}

/* Without a file the shipped defaults will do: this is for trying, too. */
static int load_conf(struct scan_job *job)
{
	struct fail f;

	fail_clear(&f);
	if (cmd_conf_exists())
		return cmd_load_conf(&job->conf);
	if (conf_default(&job->conf, &f) != SG_OK)
		return cmd_fail("scan", &f);
	return 0;
}

/* Standard input into a sealed memfd, as the scanner wants it. */
static enum fail_code read_message(struct scan_job *job, struct fail *f)
{
	static char step[COPY_STEP];
	size_t max = job->conf->scan.size_max;
	enum fail_code code = fd_memory("sealgate-message", &job->message, f);
	ssize_t n = 1;

	while (code == SG_OK && n > 0) {
		n = read(STDIN_FILENO, step, sizeof(step));
		if (n < 0)
			return fail_errno(f, SG_ESYSTEM, NULL, "cannot read standard input");
		if ((size_t)n > max - job->size)
			return fail_set(f, SG_ELIMIT, "raise scan.size_max",
			    "the message is larger than scan.size_max, %zu bytes", max);
		code = fd_write_all(job->message, step, (size_t)n, f);
		job->size += (size_t)n;
	}
	return code != SG_OK ? code : fd_seal(job->message, f);
}

static void refuse(struct scan_result *result, enum scan_verdict verdict, const struct fail *f)
{
	char *text = str_printf("%s%s%s%s", f->what, f->hint[0] != '\0' ? " (" : "", f->hint,
	    f->hint[0] != '\0' ? ")" : "");
	size_t size = text != NULL ? strlen(text) : 0;

	if (size >= sizeof(result->name))
		size = sizeof(result->name) - 1;
	if (size > 0)
		memcpy(result->name, text, size);
	result->name[size] = '\0';
	result->verdict = verdict;
	free(text);
}

/* True if the running gateway's scanner lets us in and works. */
static bool ask_gateway(const struct scan_job *job, const struct wire_wait *wait,
    struct scan_result *result)
{
	char *path = conf_run_path(job->conf, CONF_SOCKET_SCAN);
	bool asked = false;

	/* with signatures of its own it is not the gateway's answer that is wanted */
	if (path != NULL && job->database == NULL && access(path, R_OK | W_OK) == 0) {
		scan_message(path, job->message, job->size, wait, result);
		asked = result->verdict != SCAN_NO_VERDICT;
	}
	free(path);
	return asked;
}

static void ask_oneshot(const struct scan_job *job, const struct wire_wait *wait,
    struct scan_result *result)
{
	struct conf here = *job->conf;
	/* a worker is sent absolute paths only */
	char *database = realpath(job->database != NULL ? job->database :
	    job->conf->scan.database_directory, NULL);
	struct oneshot oneshot;
	struct fail f;

	fail_clear(&f);
	here.scan.threads = 1;
	if (database == NULL) {
		(void)fail_errno(&f, SG_ENOTFOUND, NULL, "cannot find the signature folder %s",
		    job->database != NULL ? job->database : here.scan.database_directory);
		refuse(result, SCAN_NO_VERDICT, &f);
		return;
	}
	here.scan.database_directory = database;
	if (oneshot_start("sealgate-scan", &here, CONF_SCAN, &oneshot, &f) != SG_OK) {
		refuse(result, SCAN_NO_VERDICT, &f);
	} else {
		scan_message(oneshot.socket, job->message, job->size, wait, result);
		oneshot_stop(&oneshot);
	}
	free(database);
}

static void scan(struct scan_job *job, struct scan_result *result)
{
	const struct wire_wait wait = { .timeout_ms = (int)job->conf->scan.timeout_ms };
	struct fail f;

	fail_clear(&f);
	switch (read_message(job, &f)) {
	case SG_OK:
		if (!ask_gateway(job, &wait, result))
			ask_oneshot(job, &wait, result);
		break;
	case SG_ELIMIT:
		refuse(result, SCAN_UNSCANNABLE, &f);
		break;
	default:
		refuse(result, SCAN_NO_VERDICT, &f);
		break;
	}
}

static enum fail_code format(const struct scan_job *job, const struct scan_result *result,
    struct buf *out)
{
	enum fail_code code;

	if (!job->json)
		return buf_printf(out, "%s%s%s\n", verdict_names[result->verdict],
		    result->name[0] != '\0' ? " " : "", result->name);
	code = buf_append_str(out, "{\"verdict\":");
	if (code == SG_OK)
		code = str_json(out, verdict_names[result->verdict]);
	if (code == SG_OK)
		code = buf_append_str(out, ",\"name\":");
	if (code == SG_OK)
		code = str_json(out, result->name);
	return code != SG_OK ? code : buf_append_str(out, "}\n");
}

static int report(const struct scan_job *job, const struct scan_result *result)
{
	static const int codes[] = {
		[SCAN_CLEAN] = EX_OK,
		[SCAN_INFECTED] = EXIT_INFECTED,
		[SCAN_UNSCANNABLE] = EX_TEMPFAIL,
		[SCAN_NO_VERDICT] = EX_TEMPFAIL,
		[SCAN_ENCRYPTED] = EX_TEMPFAIL,
	};
	struct buf out;
	struct fail f;
	int code = codes[result->verdict];

	fail_clear(&f);
	buf_init(&out, OUTPUT_MAX);
	if (format(job, result, &out) != SG_OK)
		(void)fail_set(&f, SG_ENOMEM, NULL, "no memory");
	else
		(void)!fd_write_all(STDOUT_FILENO, out.data, out.size, &f);
	buf_free(&out);
	/* whoever asked for the word and did not get it must not go by the code alone */
	return f.code != SG_OK ? cmd_fail("scan", &f) : code;
}

static int run(int argc, char *argv[])
{
	struct scan_job job = { .message = -1 };
	struct scan_result result;
	int code;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return cmd_help(&cmd_scan);
	code = read_options(argc, argv, &job);
	if (code == 0)
		code = load_conf(&job);
	if (code == 0) {
		scan(&job, &result);
		code = report(&job, &result);
	}
	fd_close(&job.message);
	conf_free(job.conf);
	return code;
}

const struct cmd cmd_scan = {
	.name = "scan",
	.usage = "scan [--json] [--database DIR] < MESSAGE",
	.help = "scan a message for viruses: exit 0 clean, 1 infected, 75 no verdict",
	.run = run,
};
