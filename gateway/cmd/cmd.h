/*
 * cmd: the subcommands of sealgate(1). A file each; this table of functions is all they share.
 *
 * A command gets the arguments from its own name on (argv[0] = "cert"), writes results to standard
 * output only when all is ready, errors as one line to standard error, and returns an exit code of
 * sysexits.h (0; 64 usage; 65 bad data; 69 no gateway; 73/74 files; 75 try again; 77 rights; 78
 * configuration).
 */
#ifndef SG_GATEWAY_CMD_CMD_H
#define SG_GATEWAY_CMD_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "config/conf.h"
#include "gateway/base/fail.h"

#define CMD_CONF_DEFAULT "/etc/sealgate/sealgate.conf"

struct cmd {
	const char *name;	/* "cert" */
	const char *usage;	/* one or more lines, without the leading "sealgate " */
	const char *help;	/* one line */
	int (*run)(int argc, char *argv[]);
};

/* For main alone, once: -c FILE. path is borrowed for the life of the process. */
void cmd_use_conf(const char *path);
/* The same for the folder of the unit's credentials (systemd.exec(5)); NULL: there is none. */
void cmd_use_credentials(const char *folder);
const char *cmd_credentials(void);
/* What came before the command's name: -c FILE, or CMD_CONF_DEFAULT. */
const char *cmd_conf_path(void);
/* True if -c was given or the default file exists. */
bool cmd_conf_exists(void);

/* Loads the configuration; prints every error to standard error. Returns 0 or EX_CONFIG. */
int cmd_load_conf(struct conf **conf_out);
/* Prints "sealgate CMD: what (hint)" and returns the exit code that fits f. */
int cmd_fail(const char *command, const struct fail *f);
/* Prints the usage of a command to standard error; returns EX_USAGE. */
int cmd_usage(const struct cmd *cmd);
/* For --help: to standard output, 0. */
int cmd_help(const struct cmd *cmd);

extern const struct cmd cmd_run;
extern const struct cmd cmd_seal;
extern const struct cmd cmd_scan;
extern const struct cmd cmd_cert;
extern const struct cmd cmd_password;
extern const struct cmd cmd_marks;
extern const struct cmd cmd_trace;
extern const struct cmd cmd_tls;
extern const struct cmd cmd_config;
extern const struct cmd cmd_postfix;
extern const struct cmd cmd_doctor;
extern const struct cmd cmd_canary;

#endif
