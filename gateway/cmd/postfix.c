#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "gateway/base/str.h"
#include "gateway/cmd/cmd.h"
#include "gateway/postfix/attach.h"
#include "gateway/postfix/queue.h"
#include "gateway/postfix/show.h"

#define OUTPUT_MAX ((size_t)8 * 1024 * 1024) /* bytes of what we print */

struct options {
	char *folder; /* Postfix's */
	bool dry_run;
	bool yes;
	bool json;
	bool no_reload;
	bool leave_services;
};

enum { OPT_FOLDER = 256, OPT_DRY_RUN, OPT_JSON, OPT_NO_RELOAD, OPT_LEAVE };

static const struct option long_options[] = {
	{ "config-directory", required_argument, NULL, OPT_FOLDER },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "no-reload", no_argument, NULL, OPT_NO_RELOAD },
	{ "leave-services", no_argument, NULL, OPT_LEAVE },
	{ "yes", no_argument, NULL, 'y' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* False: not understood (an exit status is in *status_out), or --help was answered. */
static bool read_options(int argc, char *argv[], struct options *options, int *status_out)
{
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "hny", long_options, NULL)) != -1) {
		switch (option) {
		case OPT_FOLDER:
			free(options->folder);
			options->folder = str_dup(optarg);
			break;
		case 'n':
		case OPT_DRY_RUN:
			options->dry_run = true;
			break;
		case OPT_JSON:
			options->json = true;
			break;
		case OPT_NO_RELOAD:
			options->no_reload = true;
			break;
		case OPT_LEAVE:
			options->leave_services = true;
			break;
		case 'y':
			options->yes = true;
			break;
		case 'h':
			*status_out = cmd_help(&cmd_postfix);
			return false;
		default:
			*status_out = cmd_usage(&cmd_postfix);
			return false;
		}
	}
	*status_out = optind == argc ? EX_OK : cmd_usage(&cmd_postfix);
	return optind == argc;
}

/* --- words --- */

static enum fail_code print_changes(const struct attach *attach, const struct options *options,
    struct fail *f)
{
	struct buf text;
	enum fail_code code;

	buf_init(&text, OUTPUT_MAX);
	if (options->json) {
		code = buf_printf(&text, "{\"config_directory\": ");
		if (code == SG_OK)
			code = str_json(&text, attach->folder);
		if (code == SG_OK)
			code = buf_printf(&text,
			    ", \"changed\": %s, \"applied\": %s, \"changes\": ",
			    attach->changed ? "true" : "false",
			    attach->changed && !options->dry_run ? "true" : "false");
		if (code == SG_OK)
			code = show_json(&attach->changes, &text);
		if (code == SG_OK)
			code = buf_append_str(&text, "}\n");
	} else {
		code = show_text(&attach->changes, &text);
	}
	if (code != SG_OK)
		code = fail_set(f, code, NULL, "cannot print the changes");
	else if (text.size > 0)
		(void)fwrite(text.data, 1, text.size, stdout);
	(void)fflush(stdout);
	buf_free(&text);
	return code;
}

static void say(const struct options *options, const char *text)
{
	if (!options->json)
		(void)printf("%s\n", text);
}

/* Next hops that no table could list. */
static void print_unlisted(const struct attach *attach, const struct options *options)
{
	for (size_t i = 0; !options->json && i < attach->routing.unlisted.count; i++)
		(void)printf("Cannot list the next hops of %s; see \"sealgate doctor\".\n",
		    attach->routing.unlisted.items[i]);
}

/* A no is EX_TEMPFAIL's brother: nothing was changed. */
static bool agreed(const struct options *options, struct fail *f, int *status_out)
{
	char answer[16];

	if (options->yes)
		return true;
	if (options->json || !isatty(STDIN_FILENO)) {
		(void)fail_set(f, SG_EUSAGE, "add -y, or --dry-run only to look",
		    "nobody is there to say yes");
		*status_out = cmd_fail("postfix", f);
		return false;
	}
	(void)printf("Change Postfix like this? [y/N] ");
	(void)fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	(void)printf("Nothing was changed.\n");
	*status_out = EX_OK;
	return false;
}

/* --- steps --- */

/* *stale_out: Postfix runs and still works by the old files. */
static enum fail_code reload(const struct attach *attach, const struct options *options,
    bool *stale_out, struct fail *f)
{
	bool running;
	enum fail_code code = attach_running(attach->folder, &running, f);

	*stale_out = running && options->no_reload;
	if (code == SG_OK && running && !options->no_reload)
		code = attach_reload(attach->folder, f);
	if (code == SG_OK)
		say(options,
		    !running               ? "Done; Postfix is not running." :
		        options->no_reload ? "Done; Postfix takes notice with \"postfix reload\"." :
		                             "Done; Postfix has reloaded.");
	return code;
}

static int finish(enum fail_code code, const struct fail *f)
{
	return code == SG_OK ? EX_OK : cmd_fail("postfix", f);
}

static int run_attach(const struct options *options)
{
	struct conf *conf = NULL;
	struct attach attach;
	struct fail f;
	bool stale;
	int status = cmd_load_conf(&conf);
	enum fail_code code;

	if (status != EX_OK)
		return status;
	fail_clear(&f);
	code = attach_prepare(options->folder, ATTACH_FULL, conf, &attach, &f);
	if (code == SG_OK)
		code = print_changes(&attach, options, &f);
	if (code == SG_OK)
		print_unlisted(&attach, options);
	if (code == SG_OK && !attach.changed)
		say(options, "Already attached; nothing to change.");
	if (code != SG_OK || !attach.changed || options->dry_run || !agreed(options, &f, &status))
		goto out;
	code = attach_commit(&attach, &f);
	if (code == SG_OK)
		code = reload(&attach, options, &stale, &f);
	if (code == SG_OK)
		say(options, "Now see \"sealgate doctor\".");
out:
	if (status == EX_OK)
		status = finish(code, &f);
	attach_free(&attach);
	conf_free(conf);
	return status;
}

static enum fail_code refuse_marked(const struct queue_marked *marked, struct fail *f)
{
	struct buf ids;
	const char *text;

	buf_init(&ids, QUEUE_IDS_MAX * QUEUE_ID_MAX + 8);
	for (size_t i = 0; i < marked->count && i < QUEUE_IDS_MAX; i++) {
		if (buf_printf(&ids, " %s", marked->ids[i]) != SG_OK)
			break;
	}
	text = buf_str(&ids);
	(void)fail_set(f, SG_ESYSTEM,
	    "let it be delivered (postqueue -f), delete it (postsuper -d), "
	    "or use --leave-services now and detach again later",
	    "flagged messages in the queue wait to be sealed or for TLS: %zu:%s%s", marked->count,
	    text == NULL ? "" : text, marked->count > QUEUE_IDS_MAX ? " ..." : "");
	buf_free(&ids);
	return SG_ESYSTEM;
}

/*
 * Mail may have been marked between the look into the queue and the reload. Then the services that
 * carry it come back.
 */
static enum fail_code look_again(const struct options *options, struct fail *f)
{
	struct queue_marked marked;
	struct attach attach;
	enum fail_code code = queue_look(options->folder, &marked, f);

	if (code != SG_OK || marked.count == 0)
		return code;
	code = attach_prepare(options->folder, ATTACH_DRAIN, NULL, &attach, f);
	if (code == SG_OK)
		code = attach_commit(&attach, f);
	if (code == SG_OK)
		code = attach_reload(attach.folder, f);
	attach_free(&attach);
	return code == SG_OK ? refuse_marked(&marked, f) : code;
}

static enum fail_code detach(struct attach *attach, const struct options *options, struct fail *f)
{
	bool stale;
	enum fail_code code = attach_commit(attach, f);

	if (code == SG_OK)
		code = reload(attach, options, &stale, f);
	if (code != SG_OK || attach->goal == ATTACH_DRAIN)
		return code;
	if (stale) {
		say(options, "The tables stay until you detach again without --no-reload.");
		return SG_OK;
	}
	attach_unlock(attach);
	code = look_again(options, f);
	if (code == SG_OK)
		attach_forget(attach);
	return code;
}

static int run_detach(const struct options *options)
{
	enum attach_goal goal = options->leave_services ? ATTACH_DRAIN : ATTACH_NONE;
	struct queue_marked marked = { .count = 0 };
	struct attach attach;
	struct fail f;
	int status = EX_OK;
	enum fail_code code;

	fail_clear(&f);
	code = attach_prepare(options->folder, goal, NULL, &attach, &f);
	if (code == SG_OK && goal == ATTACH_NONE && attach.has_state)
		code = queue_look(attach.folder, &marked, &f);
	if (code == SG_OK && marked.count > 0)
		code = refuse_marked(&marked, &f);
	if (code == SG_OK)
		code = print_changes(&attach, options, &f);
	if (code == SG_OK && !attach.changed)
		say(options,
		    attach.has_state ? "Nothing to change." : "Not attached; nothing to change.");
	if (code != SG_OK || !attach.changed || options->dry_run || !agreed(options, &f, &status))
		goto out;
	code = detach(&attach, options, &f);
out:
	if (status == EX_OK)
		status = finish(code, &f);
	attach_free(&attach);
	return status;
}

/* --- status --- */

static const char *state_word(const struct attach *attach)
{
	if (!attach->has_state)
		return "not attached";
	if (attach->state.draining)
		return "draining";
	return attach->changed ? "attached, changed since" : "attached";
}

static enum fail_code print_status(const struct attach *attach, const struct options *options,
    const struct queue_marked *marked, struct fail *f)
{
	const char *milter = attach->has_state ? attach->state.milter : "";
	struct buf json;
	enum fail_code code;

	if (!options->json) {
		(void)printf("%s: %s\n", attach->folder, state_word(attach));
		if (attach->has_state)
			(void)
			    printf("milter %s, second stage on 127.0.0.1:%u, %zu flagged messages "
			           "in the queue\n",
			        milter, attach->state.port, marked->count);
		return SG_OK;
	}
	buf_init(&json, OUTPUT_MAX);
	code = buf_append_str(&json, "{\"config_directory\": ");
	if (code == SG_OK)
		code = str_json(&json, attach->folder);
	if (code == SG_OK)
		code = buf_printf(&json, ", \"state\": \"%s\", \"milter\": ", state_word(attach));
	if (code == SG_OK)
		code = str_json(&json, milter);
	if (code == SG_OK)
		code = buf_printf(&json, ", \"stage_port\": %u, \"marked\": %zu}\n",
		    attach->state.port, marked->count);
	if (code == SG_OK)
		(void)fwrite(json.data, 1, json.size, stdout);
	else
		code = fail_set(f, code, NULL, "cannot print the state");
	buf_free(&json);
	return code;
}

/* What an attach with the earlier one's values would still change tells whether all is in place. */
static int run_status(const struct options *options)
{
	struct queue_marked marked = { .count = 0 };
	struct attach attach;
	struct fail f;
	enum fail_code code;
	bool attached;

	fail_clear(&f);
	code = attach_prepare(options->folder, ATTACH_NONE, NULL, &attach, &f);
	if (code == SG_OK && attach.has_state && !attach.state.draining) {
		attach_free(&attach);
		code = attach_prepare(options->folder, ATTACH_FULL, NULL, &attach, &f);
	}
	if (code == SG_OK && attach.has_state)
		code = queue_look(attach.folder, &marked, &f);
	if (code == SG_OK)
		code = print_status(&attach, options, &marked, &f);
	attached = attach.has_state && !attach.state.draining && !attach.changed;
	attach_free(&attach);
	if (code != SG_OK)
		return cmd_fail("postfix", &f);
	return attached ? EX_OK : 1;
}

/* --- the command --- */

static const struct {
	const char *name;
	int (*run)(const struct options *options);
} actions[] = { { "attach", run_attach }, { "detach", run_detach }, { "status", run_status } };

static int run_action(const char *name, struct options *options)
{
	struct fail f;

	fail_clear(&f);
	if (options->folder == NULL && postconf_default_folder(&options->folder, &f) != SG_OK)
		return cmd_fail("postfix", &f);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].run(options);
	}
	return cmd_usage(&cmd_postfix);
}

static int run(int argc, char *argv[])
{
	struct options options = { NULL, false, false, false, false, false };
	int status;

	if (argc < 2)
		return cmd_usage(&cmd_postfix);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return cmd_help(&cmd_postfix);
	if (read_options(argc - 1, argv + 1, &options, &status))
		status = run_action(argv[1], &options);
	free(options.folder);
	return status;
}

const struct cmd cmd_postfix = {
	.name = "postfix",
	.usage =
	    "postfix attach [-n | --dry-run] [-y | --yes] [--json] [--no-reload]"
	    " [--config-directory DIR]\n"
	    "postfix detach [-n | --dry-run] [-y | --yes] [--json] [--no-reload]"
	    " [--leave-services] [--config-directory DIR]\n"
	    "postfix status [--json] [--config-directory DIR]",
	.help = "put Sealgate into a Postfix, take it out, tell whether it is in",
	.run = run,
};
