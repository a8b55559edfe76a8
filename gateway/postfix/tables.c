#include "gateway/postfix/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define TABLE_MAX ((size_t)64 * 1024) /* bytes read back; ours are below 1 KB */

struct table {
	const char *name;
	const char *comment;
	const char *pattern;
	bool route; /* to the second stage; else the backstop */
};

static const struct table tables[] = {
	{ "routes", "milter_header_checks: what Sealgate has marked goes to the second stage.",
	    "/^X-Sealgate-Mark:/", true },
	{ "requeue", "header_checks of seal-pickup: requeued mail goes there again.",
	    "/^X-Sealgate-(Mark|Route|Kept):/", true },
	{ "unsealed", "smtp_header_checks: what is still marked must not leave; it waits.",
	    "/^X-Sealgate-(Mark|Route):/", false },
};
#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

static char *text_of(const struct table *table, unsigned int port)
{
	const char *head = "# Written by \"sealgate postfix attach\", removed by \"detach\".";

	if (table->route)
		return str_printf("%s\n# %s\n%s  FILTER seal:[127.0.0.1]:%u\n", head,
		    table->comment, table->pattern, port);
	return str_printf("%s\n# %s\n%s  unsealed\n", head, table->comment, table->pattern);
}

char *tables_text(const char *name, unsigned int port)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (strcmp(tables[i].name, name) == 0)
			return text_of(&tables[i], port);
	}
	return NULL;
}

static bool is_current(const char *folder, const struct table *table, unsigned int port)
{
	char *path = str_printf("%s/%s", folder, table->name);
	char *wanted = text_of(table, port);
	struct buf found;
	bool current;

	buf_init(&found, TABLE_MAX);
	current = path != NULL && wanted != NULL && fd_read_file(path, &found, NULL) == SG_OK &&
	    found.size == strlen(wanted) && memcmp(found.data, wanted, found.size) == 0;
	buf_free(&found);
	free(path);
	free(wanted);
	return current;
}

bool tables_current(const char *folder, unsigned int port)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (!is_current(folder, &tables[i], port))
			return false;
	}
	return true;
}

static enum fail_code write_table(const char *folder, const struct table *table, unsigned int port,
    struct fail *f)
{
	char *path = str_printf("%s/%s", folder, table->name);
	char *text = text_of(table, port);
	enum fail_code code;

	if (path == NULL || text == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	else
		code = fd_replace_file(path, text, strlen(text), 0644, f);
	free(path);
	free(text);
	return code;
}

enum fail_code tables_write(const char *folder, unsigned int port, struct fail *f)
{
	enum fail_code code = SG_OK;

	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		return fail_errno(f, SG_ESYSTEM, "run it as root", "cannot make %s", folder);
	/* the caller's umask may be narrow; Postfix's daemons open tables before they drop rights,
	 * but "postmap -q" and people look into them, too */
	if (chmod(folder, 0755) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot set the rights of %s", folder);
	for (size_t i = 0; code == SG_OK && i < TABLE_COUNT; i++)
		code = write_table(folder, &tables[i], port, f);
	return code;
}

static void remove_file(const char *folder, const char *name)
{
	char *path = str_printf("%s/%s", folder, name);

	if (path != NULL)
		(void)unlink(path);
	free(path);
}

void tables_remove(const char *folder)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		remove_file(folder, tables[i].name);
	remove_file(folder, "state");
	(void)rmdir(folder);
}
