/* What the subcommands share; sealgate.c has main and the table. */
#include "gateway/cmd/cmd.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* What main read before the command; written once, there. NULL: CMD_CONF_DEFAULT. */
static const char *conf_path;
static const char *credentials;

void cmd_use_conf(const char *path)
{
	conf_path = path;
}

void cmd_use_credentials(const char *folder)
{
	credentials = folder;
}

const char *cmd_credentials(void)
{
	return credentials;
}

const char *cmd_conf_path(void)
{
	return conf_path != NULL ? conf_path : CMD_CONF_DEFAULT;
}

bool cmd_conf_exists(void)
{
	return conf_path != NULL || access(CMD_CONF_DEFAULT, F_OK) == 0;
}

static void print_conf_error(const struct conf_error *error)
{
	(void)fprintf(stderr, "%s:", error->file != NULL ? error->file : cmd_conf_path());
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
	if (conf_load(cmd_conf_path(), false, conf_out, &errors, &f) == SG_OK) {
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
