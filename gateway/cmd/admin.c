#include "gateway/cmd/admin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/fd.h"

/* --- options --- */

static const struct option options_known[] = {
	{"tenant", required_argument, NULL, ADMIN_TENANT},
	{"address", required_argument, NULL, ADMIN_ADDRESS},
	{"password-file", required_argument, NULL, ADMIN_PASSWORD_FILE},
	{"json", no_argument, NULL, ADMIN_JSON},
	{"pem", no_argument, NULL, ADMIN_PEM},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* False if the option is unknown or not allowed here. */
static bool options_take(struct admin_options *options, int option, unsigned int allowed)
{
	if (option == 'h') {
		options->help = true;
		return true;
	}
	if (option == '?' || option == ':' || ((unsigned int)option & allowed) == 0)
		return false;
	if (option == ADMIN_TENANT)
		options->tenant = optarg;
	else if (option == ADMIN_ADDRESS)
		options->address = optarg;
	else if (option == ADMIN_PASSWORD_FILE)
		options->password_file = optarg;
	else if (option == ADMIN_JSON)
		options->json = true;
	else if (option == ADMIN_PEM)
		options->pem = true;
	return true;
}

int admin_parse(const struct cmd *cmd, int argc, char *argv[], unsigned int allowed,
    struct admin_options *options_out, int *first_out)
{
	int option;
	int at;

	memset(options_out, 0, sizeof(*options_out));
	optind = 0;	/* GNU: start anew */
	opterr = 0;
	for (;;) {
		at = optind < 1 ? 1 : optind;
		option = getopt_long(argc, argv, ":h", options_known, NULL);
		if (option == -1)
			break;
		if (options_take(options_out, option, allowed))
			continue;
		(void)fprintf(stderr, "sealgate %s %s: %s %s\n", cmd->name, argv[0],
		    option == ':' ? "an argument is missing after" : "unknown option",
		    at < argc ? argv[at] : "");
		return cmd_usage(cmd);
	}
	*first_out = optind;
	return 0;
}

int admin_dispatch(const struct cmd *cmd, const struct admin_action *actions, size_t count,
    int argc, char *argv[])
{
	size_t i;

	if (argc < 2)
		return cmd_usage(cmd);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return cmd_help(cmd);
	for (i = 0; i < count; i++)
		if (strcmp(argv[1], actions[i].name) == 0)
			return actions[i].run(argc - 1, argv + 1);
	(void)fprintf(stderr, "sealgate %s: there is no action %s\n", cmd->name, argv[1]);
	return cmd_usage(cmd);
}

/* --- the vault --- */

int admin_open(struct admin *admin, const char *command)
{
	struct fail f;
	int status;

	memset(admin, 0, sizeof(*admin));
	status = cmd_load_conf(&admin->conf);
	if (status != 0)
		return status;
	admin->path = conf_run_path(admin->conf, CONF_SOCKET_ADMIN);
	if (admin->path == NULL) {
		(void)fail_set(&f, SG_ENOMEM, NULL, "no memory");
		admin_close(admin);
		return cmd_fail(command, &f);
	}
	admin->vault.path = admin->path;
	admin->vault.timeout_ms = ADMIN_TIMEOUT_MS;
	return 0;
}

void admin_close(struct admin *admin)
{
	conf_free(admin->conf);
	free(admin->path);
	memset(admin, 0, sizeof(*admin));
}

int admin_tenant(const struct admin *admin, const char *command, const char *given,
    const char **tenant_out)
{
	struct fail f;

	*tenant_out = NULL;
	if (given != NULL && conf_tenant_named(admin->conf, given) != NULL)
		*tenant_out = given;
	else if (given == NULL && admin->conf->tenant_count == 1)
		*tenant_out = admin->conf->tenants[0].name;
	if (*tenant_out != NULL)
		return 0;
	if (given != NULL)
		(void)fail_set(&f, SG_EUSAGE, "tenants stand in sealgate.conf",
		    "there is no tenant %s", given);
	else if (admin->conf->tenant_count == 0)
		(void)fail_set(&f, SG_EUSAGE, "write one into sealgate.conf",
		    "no tenant is configured");
	else
		(void)fail_set(&f, SG_EUSAGE, "name one with --tenant",
		    "there are %zu tenants", admin->conf->tenant_count);
	return cmd_fail(command, &f);
}

/* --- output --- */

void admin_time(int64_t seconds, bool local, char out[32])
{
	time_t when = (time_t)seconds;
	struct tm tm;
	bool known = local ? localtime_r(&when, &tm) != NULL : gmtime_r(&when, &tm) != NULL;

	if (!known || strftime(out, 32, local ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%SZ",
	    &tm) == 0)
		(void)snprintf(out, 32, "?");
}

int admin_print(const char *command, struct buf *out)
{
	struct fail f;

	fail_clear(&f);
	if (fd_write_all(STDOUT_FILENO, out->data, out->size, &f) == SG_OK)
		return 0;
	(void)cmd_fail(command, &f);
	return EX_IOERR;
}

static bool is_control(const char *text, size_t size)
{
	unsigned char first = (unsigned char)text[0];

	if (size == 1)
		return first < 0x20 || first == 0x7f;
	/* C1 controls: some terminals obey them */
	return size == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0;
}

/* The text as it may be shown, in a fresh string, and its width in characters. */
static char *shown(const char *text, size_t *width_out)
{
	size_t left = strlen(text);
	char *out = malloc(left + 1);
	size_t at = 0;
	size_t size;

	*width_out = 0;
	for (; out != NULL && left > 0; text += size, left -= size) {
		size = str_utf8_char(text, left);
		if (size == 0 || is_control(text, size)) {
			size = size == 0 ? 1 : size;
			out[at++] = '?';
		} else {
			memcpy(out + at, text, size);
			at += size;
		}
		(*width_out)++;
	}
	if (out != NULL)
		out[at] = '\0';
	return out;
}

static size_t width_of(const char *text)
{
	size_t left = strlen(text);
	size_t width = 0;
	size_t size;

	for (; left > 0; text += size, left -= size, width++) {
		size = str_utf8_char(text, left);
		size = size == 0 ? 1 : size;
	}
	return width;
}

enum fail_code admin_table_row(struct admin_table *table, const char *const *cells)
{
	enum fail_code code = SG_OK;
	size_t width;
	char *text;
	size_t i;

	for (i = 0; code == SG_OK && i < table->columns; i++) {
		text = shown(cells[i] == NULL ? "" : cells[i], &width);
		code = text == NULL ? SG_ENOMEM : str_list_add(&table->cells, text);
		free(text);
	}
	return code;
}

enum fail_code admin_table_put(const struct admin_table *table, struct buf *out)
{
	size_t widths[ADMIN_COLUMNS_MAX] = {0};
	enum fail_code code = SG_OK;
	const char *cell;
	size_t column;
	size_t width;
	size_t i;

	SG_BUG_IF(table->columns > ADMIN_COLUMNS_MAX);
	for (i = 0; i < table->cells.count; i++) {
		width = width_of(table->cells.items[i]);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (i = 0; code == SG_OK && i < table->cells.count; i++) {
		cell = table->cells.items[i];
		column = i % table->columns;
		if (column + 1 == table->columns)
			code = buf_printf(out, "%s\n", cell);
		else
			code = buf_printf(out, "%s%*s", cell,
			    (int)(widths[column] - width_of(cell)) + 2, "");
	}
	return code;
}

void admin_table_free(struct admin_table *table)
{
	str_list_free(&table->cells);
}

static enum fail_code json_name(struct buf *out, bool first, const char *name)
{
	return buf_printf(out, "%s\"%s\": ", first ? "{" : ", ", name);
}

enum fail_code admin_json_str(struct buf *out, bool first, const char *name, const char *value)
{
	enum fail_code code = json_name(out, first, name);

	if (code != SG_OK)
		return code;
	return value == NULL ? buf_append_str(out, "null") : str_json(out, value);
}

enum fail_code admin_json_int(struct buf *out, bool first, const char *name, int64_t value)
{
	enum fail_code code = json_name(out, first, name);

	return code != SG_OK ? code : buf_printf(out, "%" PRId64, value);
}
