/* sealgate: the command line. A file a subcommand; here is the table and main. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "config/keys.h"
#include "gateway/base/sandbox.h"
#include "gateway/cmd/cmd.h"

static const struct cmd *const commands[] = {
	&cmd_run, &cmd_config, &cmd_postfix, &cmd_doctor, &cmd_cert, &cmd_password, &cmd_trace,
	&cmd_tls, &cmd_marks, &cmd_canary, &cmd_seal, &cmd_scan,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

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

static int unknown_command(const char *name)
{
	const char *names[COMMANDS];
	const char *near;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i]->name;
	near = keys_nearest_of(name, names, COMMANDS);
	(void)fprintf(stderr, "sealgate: there is no command %s", name);
	if (near != NULL)
		(void)fprintf(stderr, "; did you mean %s?", near);
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

	cmd_use_credentials(getenv("CREDENTIALS_DIRECTORY"));
	if (at + 1 < argc && strcmp(argv[at], "-c") == 0) {
		cmd_use_conf(argv[at + 1]);
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
