/*
 * admin: what the commands that talk to the vault share: the vault of the configured gateway, the
 * tenant meant, and output as a table or as JSON.
 *
 * Nothing reaches standard output before all of it is ready. Cells of a table come from mail too:
 * control characters in them are shown as "?", so that none reaches the terminal.
 */
#ifndef SG_GATEWAY_CMD_ADMIN_H
#define SG_GATEWAY_CMD_ADMIN_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/str.h"
#include "gateway/cmd/cmd.h"
#include "gateway/vault/vault.h"

#define ADMIN_OUTPUT_MAX ((size_t)256 * 1024 * 1024)	/* bytes */
#define ADMIN_TIMEOUT_MS 30000
#define ADMIN_COLUMNS_MAX 8

/* The options that these commands know; each allows some of them. */
struct admin_options {
	const char *tenant;		/* all borrowed from argv; NULL if not given */
	const char *address;
	const char *password_file;
	bool json;
	bool pem;
	bool help;
};

enum admin_option {
	ADMIN_TENANT = 1 << 0,
	ADMIN_ADDRESS = 1 << 1,
	ADMIN_PASSWORD_FILE = 1 << 2,
	ADMIN_JSON = 1 << 3,
	ADMIN_PEM = 1 << 4
};

/*
 * Reads options of argv (argv[0] is the action's name); allowed: enum admin_option bits; --help is
 * always. *first_out is the first argument that is no option. Returns 0 or EX_USAGE after a line
 * on standard error.
 */
int admin_parse(const struct cmd *cmd, int argc, char *argv[], unsigned int allowed,
    struct admin_options *options_out, int *first_out);

/* One action of a command ("add"), called with argv from its own name on. */
struct admin_action {
	const char *name;
	int (*run)(int argc, char *argv[]);
};

/* Finds argv[1] among the actions and runs it; --help; usage if there is no such action. */
int admin_dispatch(const struct cmd *cmd, const struct admin_action *actions, size_t count,
    int argc, char *argv[]);

struct admin {
	struct conf *conf;
	char *path;
	struct vault vault;
};

/* Loads the configuration. Returns 0 or an exit code after a line on standard error. */
int admin_open(struct admin *admin, const char *command);
void admin_close(struct admin *admin);
/*
 * The tenant named by --tenant, or the only one there is. Returns 0 or an exit code after a line
 * on standard error. *tenant_out is borrowed.
 */
int admin_tenant(const struct admin *admin, const char *command, const char *given,
    const char **tenant_out);

/* "2026-11-24T16:00:00Z" into out; local: "2026-11-24 17:00:00". */
void admin_time(int64_t seconds, bool local, char out[32]);

/* Writes the bytes to standard output; returns 0 or EX_IOERR. */
int admin_print(const char *command, struct buf *out);

/* --- table --- */

struct admin_table {
	size_t columns;
	struct str_list cells;
};

/* One row of columns cells; NULL is an empty one. SG_ENOMEM. */
MUST_USE enum fail_code admin_table_row(struct admin_table *table, const char *const *cells);
/* Appends it, columns aligned; the first row is the heading. */
MUST_USE enum fail_code admin_table_put(const struct admin_table *table, struct buf *out);
void admin_table_free(struct admin_table *table);

/* --- JSON: one member of an object --- */

/* Puts ", " (or "{" when first), then "name": "value" or null. */
MUST_USE enum fail_code admin_json_str(struct buf *out, bool first, const char *name,
    const char *value);
MUST_USE enum fail_code admin_json_int(struct buf *out, bool first, const char *name,
    int64_t value);

#endif
