#include "gateway/postfix/tables.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/postfix/plan.h"

/* Bytes of a table: every route three times, twice its next hop, escaped. */
#define TABLE_MAX ((size_t)64 * 1024 * 1024)

#define HEAD "# Written by \"sealgate postfix attach\", removed by \"detach\".\n"

typedef enum fail_code table_fn(const struct tables_wish *wish, struct buf *out);

/* --- routes --- */

/* text as a pattern that fits nothing else; "/" ends a pattern in Postfix's tables. */
static enum fail_code put_literal(struct buf *out, const char *text, size_t size)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < size; i++) {
		if (strchr(".[]*^$+?(){}|\\/", text[i]) != NULL)
			code = buf_append_str(out, "\\");
		if (code == SG_OK)
			code = buf_append(out, &text[i], 1);
	}
	return code;
}

/* One route. pair: "smtp", or "smtp [relay.example]:587". */
static enum fail_code put_route(struct buf *out, enum routing_kind kind, const char *pair)
{
	size_t size = strcspn(pair, " ");
	const char *nexthop = pair[size] == ' ' ? pair + size + 1 : "";
	char *transport = str_dup_n(pair, size);
	char *name = transport == NULL ? NULL : routing_name(kind, transport);
	enum fail_code code = name == NULL ? SG_ENOMEM : SG_OK;

	if (code == SG_OK)
		code = buf_printf(out, "/^X-Sealgate-Route: %s ", routing_word(kind));
	if (code == SG_OK)
		code = put_literal(out, pair, strlen(pair));
	if (code == SG_OK)
		code = buf_printf(out, "$/  FILTER %s:%s\n", name, nexthop);
	free(transport);
	free(name);
	return code;
}

/* The routes of one kind; others need not try them. */
static enum fail_code put_kind(
    struct buf *out, const struct routing *routing, enum routing_kind kind)
{
	enum fail_code code = buf_printf(out, "if /^X-Sealgate-Route: %s /\n", routing_word(kind));

	for (size_t i = 0; code == SG_OK && i < routing->transports.count; i++)
		code = put_route(out, kind, routing->transports.items[i]);
	for (size_t i = 0; code == SG_OK && i < routing->pairs.count; i++)
		code = put_route(out, kind, routing->pairs.items[i]);
	return code == SG_OK ? buf_append_str(out, "endif\n") : code;
}

static enum fail_code text_routes(const struct tables_wish *wish, struct buf *out)
{
	enum fail_code code = buf_printf(out,
	    HEAD "# milter_header_checks: what Sealgate has marked goes to the second stage,\n"
	         "# what it has routed goes by its own transports.\n"
	         "/^X-Sealgate-Mark:/  FILTER seal:[127.0.0.1]:%u\n",
	    wish->port);

	if (code == SG_OK && wish->routing != NULL && wish->routing->local)
		code = buf_append_str(
		    out, "/^X-Sealgate-Route: local$/  FILTER " PLAN_LOCAL ":\n");
	for (int kind = 0; wish->routing != NULL && code == SG_OK && kind < ROUTING_KINDS; kind++)
		code = put_kind(out, wish->routing, (enum routing_kind)kind);
	return code;
}

/*
 * What is sealed goes its way again; what is not, to the second stage, which makes the plan again.
 * A sealed message whose route is not known here keeps its route, and the backstop holds it.
 */
static enum fail_code text_requeue(const struct tables_wish *wish, struct buf *out)
{
	enum fail_code code = buf_append_str(
	    out, HEAD "# header_checks of seal-pickup: requeued mail goes its way again.\n");

	if (code == SG_OK && wish->routing != NULL)
		code = put_kind(out, wish->routing, ROUTING_SEALED);
	if (code == SG_OK && wish->routing != NULL)
		code = put_kind(out, wish->routing, ROUTING_ANY);
	return code == SG_OK ? buf_printf(out,
	                           "if !/^X-Sealgate-Route: (sealed|any) /\n"
	                           "/^X-Sealgate-(Mark|Route|Kept):/  FILTER seal:[127.0.0.1]:%u\n"
	                           "endif\n",
	                           wish->port)
	                     : code;
}

static enum fail_code text_unsealed(const struct tables_wish *wish, struct buf *out)
{
	(void)wish;
	return buf_append_str(out,
	    HEAD "# smtp_header_checks: what is still marked must not leave; it waits.\n"
	         "/^X-Sealgate-(Mark|Route):/  unsealed\n");
}

/* --- what local(8) forwards --- */

/* Recipients behind this suffix came out of local(8) and go to the second stage. */
#define SUFFIX "\\.sealgate\\.invalid"

static enum fail_code text_forwards(const struct tables_wish *wish, struct buf *out)
{
	return buf_printf(out,
	    HEAD "# transport_maps: what local(8) forwards of flagged mail comes to be sealed.\n"
	         "/" SUFFIX "$/  " PLAN_SEAL ":[127.0.0.1]:%u\n",
	    wish->port);
}

/* Keys of a whole domain alone, which Postfix tries last: aliases are expanded before. */
static enum fail_code text_encode(const struct tables_wish *wish, struct buf *out)
{
	(void)wish;
	return buf_append_str(out,
	    HEAD "# virtual_alias_maps of seal-forward, behind all others.\n"
	         "if !/" SUFFIX "$/\n"
	         "/^@(.+)$/  @$1.sealgate.invalid\n"
	         "endif\n");
}

static enum fail_code text_decode(const struct tables_wish *wish, struct buf *out)
{
	(void)wish;
	return buf_append_str(out,
	    HEAD "# smtp_generic_maps of seal: the second stage sees the recipient itself.\n"
	         "/^(.+@.+)" SUFFIX "$/  $1\n");
}

/* --- the tables by name --- */

static const struct {
	const char *name;
	table_fn *text;
} tables[] = { { "routes", text_routes }, { "requeue", text_requeue },
	{ "unsealed", text_unsealed }, { "forwards", text_forwards }, { "encode", text_encode },
	{ "decode", text_decode } };
#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

static enum fail_code text_strip(enum routing_kind kind, const char *transport, struct buf *out)
{
	enum fail_code code = buf_printf(out,
	    HEAD "# smtp_header_checks: the route by which this transport was chosen stays here.\n"
	         "/^X-Sealgate-Route: %s ",
	    routing_word(kind));

	if (code == SG_OK)
		code = put_literal(out, transport, strlen(transport));
	return code == SG_OK ? buf_append_str(out, "( |$)/  IGNORE\n") : code;
}

/* The text of the buffer as the caller's own, or NULL. */
static char *take_text(struct buf *text, enum fail_code code)
{
	char *copy = code == SG_OK ? str_dup(buf_str(text)) : NULL;

	buf_free(text);
	return copy;
}

/* Is this our transport's table? */
static bool is_strip(const char *name, enum routing_kind kind, const char *transport)
{
	char *ours = routing_name(kind, transport);
	bool is = ours != NULL && strncmp(name, TABLES_STRIP, strlen(TABLES_STRIP)) == 0 &&
	    strcmp(name + strlen(TABLES_STRIP), ours) == 0;

	free(ours);
	return is;
}

static enum fail_code text_strip_named(
    const char *name, const struct routing *routing, struct buf *out)
{
	for (size_t i = 0; routing != NULL && i < routing->transports.count; i++) {
		const char *transport = routing->transports.items[i];

		for (int kind = 0; kind < ROUTING_KINDS; kind++) {
			if (is_strip(name, (enum routing_kind)kind, transport))
				return text_strip((enum routing_kind)kind, transport, out);
		}
	}
	return SG_ENOTFOUND;
}

char *tables_text(const char *name, const struct tables_wish *wish)
{
	struct buf text;

	buf_init(&text, TABLE_MAX);
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (strcmp(tables[i].name, name) == 0)
			return take_text(&text, tables[i].text(wish, &text));
	}
	return take_text(&text, text_strip_named(name, wish->routing, &text));
}

/* --- all of them --- */

static enum fail_code add_strip(
    struct str_list *names, enum routing_kind kind, const char *transport)
{
	char *ours = routing_name(kind, transport);
	char *name = ours == NULL ? NULL : str_printf(TABLES_STRIP "%s", ours);
	enum fail_code code = name == NULL ? SG_ENOMEM : str_list_add(names, name);

	free(ours);
	free(name);
	return code;
}

static enum fail_code all_names(const struct tables_wish *wish, struct str_list *names)
{
	enum fail_code code = SG_OK;
	size_t count = wish->routing == NULL ? 0 : wish->routing->transports.count;

	memset(names, 0, sizeof(*names));
	for (size_t i = 0; code == SG_OK && i < TABLE_COUNT; i++)
		code = str_list_add(names, tables[i].name);
	for (size_t i = 0; code == SG_OK && i < count * ROUTING_KINDS; i++)
		code = add_strip(names, (enum routing_kind)(i % ROUTING_KINDS),
		    wish->routing->transports.items[i / ROUTING_KINDS]);
	if (code != SG_OK)
		str_list_free(names);
	return code;
}

static bool is_current(const char *folder, const char *name, const struct tables_wish *wish)
{
	char *path = str_printf("%s/%s", folder, name);
	char *wanted = tables_text(name, wish);
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

bool tables_current(const char *folder, const struct tables_wish *wish)
{
	struct str_list names;
	bool current = all_names(wish, &names) == SG_OK;

	for (size_t i = 0; current && i < names.count; i++)
		current = is_current(folder, names.items[i], wish);
	str_list_free(&names);
	return current;
}

static enum fail_code write_table(
    const char *folder, const char *name, const struct tables_wish *wish, struct fail *f)
{
	char *path = str_printf("%s/%s", folder, name);
	char *text = tables_text(name, wish);
	enum fail_code code;

	if (path == NULL || text == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	else
		code = fd_replace_file(path, text, strlen(text), 0644, f);
	free(path);
	free(text);
	return code;
}

enum fail_code tables_write(const char *folder, const struct tables_wish *wish, struct fail *f)
{
	struct str_list names;
	enum fail_code code;

	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		return fail_errno(f, SG_ESYSTEM, "run it as root", "cannot make %s", folder);
	/* the caller's umask may be narrow; Postfix's daemons open tables before they drop rights,
	 * but "postmap -q" and people look into them, too */
	if (chmod(folder, 0755) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot set the rights of %s", folder);
	if (all_names(wish, &names) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = SG_OK;
	for (size_t i = 0; code == SG_OK && i < names.count; i++)
		code = write_table(folder, names.items[i], wish, f);
	str_list_free(&names);
	return code;
}

static void remove_file(const char *folder, const char *name)
{
	char *path = str_printf("%s/%s", folder, name);

	if (path != NULL)
		(void)unlink(path);
	free(path);
}

/* Which transports there were is not known any more. */
static void remove_strips(const char *folder)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (strncmp(entry->d_name, TABLES_STRIP, strlen(TABLES_STRIP)) == 0)
			remove_file(folder, entry->d_name);
	}
	if (directory != NULL)
		(void)closedir(directory);
}

void tables_remove(const char *folder)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		remove_file(folder, tables[i].name);
	remove_strips(folder);
	remove_file(folder, "state");
	(void)rmdir(folder);
}
