/* sealgate: the command line. A file a subcommand; here is the table and what they share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "gateway/base/sandbox.h"
#include "gateway/base/str.h"
#include "gateway/cmd/cmd.h"

static const struct cmd *const commands[] = {
	&cmd_run, &cmd_config, &cmd_postfix, &cmd_doctor, &cmd_cert, &cmd_password, &cmd_trace,
	&cmd_seal, &cmd_scan,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* What main read before the command; written once, there. */
static const char *conf_path = CMD_CONF_DEFAULT;
static bool conf_given;

const char *cmd_conf_path(void)
{
	return conf_path;
}

bool cmd_conf_exists(void)
{
	return conf_given || access(CMD_CONF_DEFAULT, F_OK) == 0;
}

static void print_conf_error(const struct conf_error *error)
{
	(void)fprintf(stderr, "%s:", error->file != NULL ? error->file : conf_path);
	if (error->line > 0)
		(void)fprintf(stderr, "%d:", error->line);
	(void)fprintf(stderr, " %s", error->found);
	if (error->expected != NULL && error->expected[0] != '\0')
		(void)fprintf(stderr, "; expected %s", error->expected);
	(void)fputc('\n', stderr);
}

int cmd_load_conf(struct conf **conf_out)
{
	struct conf_errors errors = { NULL, 0 };
	struct fail f;

	fail_clear(&f);
	if (conf_load(conf_path, false, conf_out, &errors, &f) == SG_OK) {
		conf_errors_free(&errors);
		return 0;
	}
	for (size_t i = 0; i < errors.count; i++)
		print_conf_error(&errors.items[i]);
	if (errors.count == 0)
		(void)fprintf(stderr, "sealgate: %s%s%s%s\n", f.what, f.hint[0] ? " (" : "",
		    f.hint, f.hint[0] ? ")" : "");
	conf_errors_free(&errors);
	return EX_CONFIG;
}

static int exit_code(const struct fail *f)
{
	switch (f->code) {
	case SG_OK:
		return EX_OK;
	case SG_EUSAGE:
		return EX_USAGE;
	case SG_EFORMAT:
	case SG_ELIMIT:
	case SG_EEXIST:
	case SG_EIMPOSSIBLE:
		return EX_DATAERR;
	case SG_ENOTFOUND:
		return EX_NOINPUT;
	case SG_EDENIED:
		return EX_NOPERM;
	case SG_EPEER:
		return EX_UNAVAILABLE;
	case SG_ESYSTEM:
		return EX_OSERR;
	case SG_ENOMEM:
	case SG_ECRYPTO:
		break;
	}
	return EX_TEMPFAIL;
}

int cmd_fail(const char *command, const struct fail *f)
{
	(void)fprintf(stderr, "sealgate %s: %s%s%s%s\n", command, f->what, f->hint[0] ? " (" : "",
	    f->hint, f->hint[0] ? ")" : "");
	return exit_code(f);
}

/* The usage lines, each with the program's name in front. */
static void print_usage(const struct cmd *cmd, FILE *to)
{
	const char *line = cmd->usage;

	for (bool first = true; *line != '\0'; first = false) {
		size_t size = strcspn(line, "\n");

		(void)fprintf(to, "%s sealgate %.*s\n", first ? "usage:" : "      ", (int)size,
		    line);
		line += size;
		if (*line == '\n')
			line++;
	}
}

int cmd_usage(const struct cmd *cmd)
{
	print_usage(cmd, stderr);
	return EX_USAGE;
}

int cmd_help(const struct cmd *cmd)
{
	(void)printf("sealgate %s: %s\n", cmd->name, cmd->help);
	print_usage(cmd, stdout);
	(void)printf("More: man sealgate-%s\n", cmd->name);
	return 0;
}

static const struct cmd *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print_commands(FILE *to)
{
	(void)fputs("usage: sealgate [-c FILE] COMMAND [ARGUMENTS]\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->help);
	(void)fprintf(to, "\n  -c FILE    the configuration, else %s\n"
	    "  COMMAND --help tells more; so does man sealgate\n", CMD_CONF_DEFAULT);
}

/* How many leading characters two names share: enough to guess a slip of the finger. */
static size_t common_start(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

static int unknown_command(const char *name)
{
	const struct cmd *nearest = NULL;
	size_t best = 0;

	for (size_t i = 0; i < COMMANDS; i++) {
		size_t n = common_start(commands[i]->name, name);

		if (n > best) {
			best = n;
			nearest = commands[i];
		}
	}
	(void)fprintf(stderr, "sealgate: there is no command %s", name);
	if (nearest != NULL)
		(void)fprintf(stderr, "; did you mean %s?", nearest->name);
	(void)fputs(" (sealgate --help lists all)\n", stderr);
	return EX_USAGE;
}

static int help_on(int argc, char *argv[])
{
	const struct cmd *cmd;

	if (argc < 2) {
		print_commands(stdout);
		return 0;
	}
	cmd = find_command(argv[1]);
	return cmd != NULL ? cmd_help(cmd) : unknown_command(argv[1]);
}

/* With what a bug report needs, and scripts that choose between sandbox = full and reduced. */
static int print_version(void)
{
	int abi = sandbox_landlock_abi();

	(void)puts("sealgate " SG_VERSION);
	if (abi > 0)
		(void)printf("Landlock: ABI %d\n", abi);
	else
		(void)puts("Landlock: not in this kernel (sandbox = reduced is needed)");
	return 0;
}

static int run_named(int argc, char *argv[])
{
	const struct cmd *cmd;

	if (strcmp(argv[0], "help") == 0)
		return help_on(argc, argv);
	cmd = find_command(argv[0]);
	return cmd != NULL ? cmd->run(argc, argv) : unknown_command(argv[0]);
}

int main(int argc, char *argv[])
{
	int at = 1;

	if (at + 1 < argc && strcmp(argv[at], "-c") == 0) {
		conf_path = argv[at + 1];
		conf_given = true;
		at += 2;
	}
	if (at < argc && (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "version") == 0))
		return print_version();
	if (at < argc && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
		print_commands(stdout);
		return 0;
	}
	if (at >= argc || argv[at][0] == '-') {
		print_commands(stderr);
		return EX_USAGE;
	}
	return run_named(argc - at, argv + at);
}
