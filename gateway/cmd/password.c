#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/phrase.h"
#include "gateway/base/secret.h"
#include "gateway/cmd/admin.h"

#define COMMAND "password"

/* --- reading one --- */

/* One line from the terminal; Ctrl-C arrives as a character, so that echo is always put back. */
static enum fail_code read_line(int tty, struct secret *line, struct fail *f)
{
	unsigned char text[256];
	enum fail_code code = SG_OK;
	size_t size = 0;
	ssize_t n;

	for (;;) {
		n = read(tty, text + size, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || text[size] == '\n')
			break;
		if (text[size] == 3)
			code = fail_set(f, SG_EUSAGE, NULL, "given up");
		else if (++size == sizeof(text))
			code = fail_set(f, SG_ELIMIT, NULL, "a password is shorter than that");
		if (code != SG_OK)
			break;
	}
	if (code == SG_OK && size > 0 && secret_set(line, text, size) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	else if (code == SG_OK && size == 0)
		code = fail_set(f, SG_EUSAGE, NULL, "an empty password protects nothing");
	secret_wipe(text, sizeof(text));
	return code;
}

static enum fail_code ask(int tty, const char *prompt, struct secret *line, struct fail *f)
{
	enum fail_code code = fd_write_all(tty, prompt, strlen(prompt), f);

	if (code == SG_OK)
		code = read_line(tty, line, f);
	if (write(tty, "\n", 1) < 0 && code == SG_OK)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot write to the terminal");
	return code;
}

static enum fail_code ask_twice(int tty, struct secret *password, struct fail *f)
{
	struct termios before;
	struct termios silent;
	struct secret again;
	enum fail_code code;

	secret_init(&again);
	if (tcgetattr(tty, &before) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot silence the terminal");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	if (tcsetattr(tty, TCSAFLUSH, &silent) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot silence the terminal");
	code = ask(tty, "Password: ", password, f);
	if (code == SG_OK)
		code = ask(tty, "Once more: ", &again, f);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	if (code == SG_OK && !secret_equal(password, again.data, again.size))
		code = fail_set(f, SG_EUSAGE, "try again", "the two are not the same");
	secret_free(&again);
	return code;
}

static enum fail_code read_password(const char *path, struct secret *password, struct fail *f)
{
	enum fail_code code;
	int fd;

	if (path == NULL && !isatty(STDIN_FILENO))
		return secret_read(password, STDIN_FILENO, f);
	fd = open(path == NULL ? "/dev/tty" : path,
	    (path == NULL ? O_RDWR | O_NOCTTY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot open %s",
		    path == NULL ? "/dev/tty" : path);
	code = path == NULL ? ask_twice(fd, password, f) : secret_read(password, fd, f);
	fd_close(&fd);
	return code;
}

/* --- set, generate --- */

/* Shown this once: nothing of ours can show it again. */
static int print_password(const char *address, const struct secret *password, bool json)
{
	enum fail_code code = SG_OK;
	struct buf out;
	struct fail f;
	int status;

	buf_init(&out, SECRET_MAX);
	if (json)
		code = admin_json_str(&out, true, "address", address);
	if (json && code == SG_OK)
		code = buf_append_str(&out, ", \"password\": \"");
	if (code == SG_OK)
		code = buf_append(&out, password->data, password->size);
	if (code == SG_OK)
		code = buf_append_str(&out, json ? "\"}\n" : "\n");
	if (code == SG_OK) {
		status = admin_print(COMMAND, &out);
	} else {
		(void)fail_set(&f, code, NULL, "no memory");
		status = cmd_fail(COMMAND, &f);
	}
	buf_free(&out);
	return status;
}

static int store_password(const struct admin *admin, const struct admin_options *options,
    const char *address, bool generated)
{
	const char *tenant = NULL;
	struct secret password;
	enum fail_code code;
	struct fail f;
	int status;

	status = admin_tenant(admin, COMMAND, options->tenant, &tenant);
	if (status != 0)
		return status;
	fail_clear(&f);
	secret_init(&password);
	code = generated ? phrase_make(&password, &f) :
	    read_password(options->password_file, &password, &f);
	if (code == SG_OK && password.size == 0)
		code = fail_set(&f, SG_EUSAGE, NULL, "an empty password protects nothing");
	if (code == SG_OK)
		code = vault_password_set(&admin->vault, tenant, address, &password,
		    generated ? "generated" : "set", &f);
	if (code != SG_OK)
		status = cmd_fail(COMMAND, &f);
	else if (generated)
		status = print_password(address, &password, options->json);
	secret_free(&password);
	return status;
}

static int set_or_generate(int argc, char *argv[], bool generated)
{
	struct admin_options options;
	struct admin admin;
	int first;
	int status;

	status = admin_parse(&cmd_password, argc, argv,
	    ADMIN_TENANT | (generated ? ADMIN_JSON : ADMIN_PASSWORD_FILE), &options, &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_password);
	if (argc - first != 1)
		return cmd_usage(&cmd_password);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	status = store_password(&admin, &options, argv[first], generated);
	admin_close(&admin);
	return status;
}

static int password_set(int argc, char *argv[])
{
	return set_or_generate(argc, argv, false);
}

static int password_generate(int argc, char *argv[])
{
	return set_or_generate(argc, argv, true);
}

/* --- list --- */

struct listing {
	bool json;
	struct buf out;
	struct admin_table table;
	size_t count;
};

static enum fail_code listing_add(struct listing *listing, const char *tenant,
    const struct vault_password_entry *entry)
{
	char when[32];
	char replaced[32] = "";
	const char *const cells[] = {tenant, entry->address, when, entry->origin, replaced};
	enum fail_code code;

	admin_time(entry->created, !listing->json, when);
	if (entry->replaced != 0)
		admin_time(entry->replaced, !listing->json, replaced);
	listing->count++;
	if (!listing->json)
		return admin_table_row(&listing->table, cells);
	code = buf_append_str(&listing->out, listing->count == 1 ? "[" : ",\n ");
	if (code == SG_OK)
		code = admin_json_str(&listing->out, true, "tenant", tenant);
	if (code == SG_OK)
		code = admin_json_str(&listing->out, false, "address", entry->address);
	if (code == SG_OK)
		code = admin_json_str(&listing->out, false, "created", when);
	if (code == SG_OK)
		code = admin_json_str(&listing->out, false, "origin", entry->origin);
	if (code == SG_OK && entry->replaced != 0)
		code = admin_json_str(&listing->out, false, "replaced", replaced);
	return code == SG_OK ? buf_append_str(&listing->out, "}") : code;
}

static enum fail_code list_tenant(const struct admin *admin, const char *tenant,
    struct listing *listing, struct fail *f)
{
	struct vault_password_entry *entries = NULL;
	enum fail_code code;
	size_t count = 0;
	size_t i;

	code = vault_password_list(&admin->vault, tenant, &entries, &count, f);
	for (i = 0; code == SG_OK && i < count; i++)
		if (listing_add(listing, tenant, &entries[i]) != SG_OK)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for the list");
	vault_passwords_free(entries, count);
	return code;
}

static enum fail_code list_print(struct listing *listing, struct fail *f)
{
	enum fail_code code;

	if (listing->json)
		code = buf_append_str(&listing->out, listing->count == 0 ? "[]\n" : "]\n");
	else
		code = admin_table_put(&listing->table, &listing->out);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for the list");
	return SG_OK;
}

static int list_all(const struct admin *admin, const char *given, struct listing *listing)
{
	static const char *const heading[] = {"TENANT", "ADDRESS", "CREATED", "ORIGIN",
		"REPLACED"};
	const char *tenant = given;
	enum fail_code code = SG_OK;
	int status = 0;
	struct fail f;
	size_t i;

	fail_clear(&f);
	listing->table.columns = sizeof(heading) / sizeof(heading[0]);
	if (given != NULL)
		status = admin_tenant(admin, COMMAND, given, &tenant);
	if (status != 0)
		return status;
	if (!listing->json && admin_table_row(&listing->table, heading) != SG_OK)
		code = fail_set(&f, SG_ENOMEM, NULL, "no memory for the list");
	for (i = 0; code == SG_OK && i < admin->conf->tenant_count; i++)
		if (given == NULL || strcmp(given, admin->conf->tenants[i].name) == 0)
			code = list_tenant(admin, admin->conf->tenants[i].name, listing, &f);
	if (code == SG_OK)
		code = list_print(listing, &f);
	return code == SG_OK ? admin_print(COMMAND, &listing->out) : cmd_fail(COMMAND, &f);
}

static int password_list(int argc, char *argv[])
{
	struct admin_options options;
	struct listing listing;
	struct admin admin;
	int first;
	int status;

	status = admin_parse(&cmd_password, argc, argv, ADMIN_TENANT | ADMIN_JSON, &options,
	    &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_password);
	if (argc != first)
		return cmd_usage(&cmd_password);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	memset(&listing, 0, sizeof(listing));
	listing.json = options.json;
	buf_init(&listing.out, ADMIN_OUTPUT_MAX);
	status = list_all(&admin, options.tenant, &listing);
	buf_free(&listing.out);
	admin_table_free(&listing.table);
	admin_close(&admin);
	return status;
}

/* --- remove --- */

static int password_remove(int argc, char *argv[])
{
	struct admin_options options;
	const char *tenant = NULL;
	struct admin admin;
	struct fail f;
	int first;
	int status;

	status = admin_parse(&cmd_password, argc, argv, ADMIN_TENANT, &options, &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_password);
	if (argc - first != 1)
		return cmd_usage(&cmd_password);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	fail_clear(&f);
	status = admin_tenant(&admin, COMMAND, options.tenant, &tenant);
	if (status == 0 && vault_password_remove(&admin.vault, tenant, argv[first], &f) != SG_OK)
		status = cmd_fail(COMMAND, &f);
	admin_close(&admin);
	return status;
}

static int password_run(int argc, char *argv[])
{
	static const struct admin_action actions[] = {
		{"set", password_set},
		{"generate", password_generate},
		{"list", password_list},
		{"remove", password_remove},
	};

	return admin_dispatch(&cmd_password, actions, sizeof(actions) / sizeof(actions[0]), argc,
	    argv);
}

const struct cmd cmd_password = {
	.name = COMMAND,
	.usage = "password set [--tenant T] [--password-file F] ADDRESS\n"
	    "password generate [--tenant T] [--json] ADDRESS\n"
	    "password list [--tenant T] [--json]\n"
	    "password remove [--tenant T] ADDRESS",
	.help = "passwords of recipients, for PDFs",
	.run = password_run,
};
