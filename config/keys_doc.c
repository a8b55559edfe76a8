/* The part of keys.h that writes the shipped file and the manual page. */
#include "config/keys.h"

#include <stdio.h>
#include <string.h>

#include "config/conf.h"
#include "config/value.h"

#define WIDTH 92		/* columns of the shipped file */
#define MDOC_WIDTH ((size_t)76)	/* columns of a line of the manual page */
#define SECTION_SIZE 64

static const char file_head[] =
	"# sealgate.conf: what Sealgate does. Every key has the value that it has without this\n"
	"# file; sealgate.conf(5) tells more. \"sealgate config check\" finds what is wrong.\n"
	"#\n"
	"# It works as it is: all mail is scanned for viruses. For mail to be sealed, write a\n"
	"# tenant: whose domains they are and who may flag (see the end).\n";

static const char hop_head[] =
	"\n"
	"# A rule for the TLS of a domain or next hop, before all that DNS says about it.\n";

static const char tenant_head[] =
	"\n"
	"# Whose mail is sealed when it is flagged. Only senders who prove that they are the\n"
	"# tenant's own, by their login or network, may flag; others' tags are ignored, and who\n"
	"# claims to be of the tenant without proof is refused. Take off the # and put in your\n"
	"# own.\n";

/* Text in lines of at most WIDTH columns, each behind prefix. */
static enum fail_code put_comment(const char *prefix, const char *text, struct buf *out)
{
	size_t prefix_size = strlen(prefix);
	enum fail_code code = SG_OK;

	while (code == SG_OK && *text != '\0') {
		size_t size = strlen(text);

		if (size + prefix_size > WIDTH) {
			size = WIDTH - prefix_size;
			while (size > 1 && text[size] != ' ')
				size--;
		}
		code = buf_printf(out, "%s%.*s\n", prefix, (int)size, text);
		text += size;
		text += strspn(text, " ");
	}
	return code;
}

/* "name = value", the default as the loader knows it, behind its help. */
static enum fail_code
put_setting(const struct key *key, const char *prefix, const void *base, struct buf *out)
{
	char comment[8];
	enum fail_code code;

	(void)snprintf(comment, sizeof comment, "%s# ", prefix);
	code = put_comment(comment, key->help, out);
	if (code == SG_OK)
		code = buf_printf(out, "%s%s = ", prefix, key_leaf(key));
	if (code == SG_OK)
		code = value_print(key, base, out);
	return code == SG_OK ? buf_append_str(out, "\n") : code;
}

static enum fail_code put_top(const struct conf *conf, struct buf *out)
{
	const struct key *keys;
	char open[SECTION_SIZE] = "";
	size_t count;
	size_t i;
	enum fail_code code = SG_OK;

	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count && key_part(&keys[i]) == KEY_OF_CONF; i++) {
		char section[SECTION_SIZE];
		bool same;

		SG_BUG_IF(!key_section(&keys[i], section, sizeof section));
		same = strcmp(section, open) == 0;
		if (!same && open[0] != '\0')
			code = buf_append_str(out, "}\n");
		if (code == SG_OK && (!same || section[0] == '\0'))
			code = buf_append_str(out, "\n");
		if (code == SG_OK && !same && section[0] != '\0')
			code = buf_printf(out, "%s {\n", section);
		if (code == SG_OK)
			code = put_setting(&keys[i], section[0] == '\0' ? "" : "\t", conf, out);
		memcpy(open, section, sizeof open);
	}
	if (code == SG_OK && open[0] != '\0')
		code = buf_append_str(out, "}\n");
	return code;
}

/* A section that shows each key of a part. */
struct example {
	enum key_part part;
	const char *title;
	const char *head;
	union {
		struct conf_tenant tenant;
		struct conf_hop hop;
	} base;
};

static enum fail_code fill_example(struct example *example, enum key_part part, struct fail *f)
{
	static const struct {
		const char *key;
		const char *text;
	} examples[] = { { "tenant.domains", "example.com" }, { "tenant.logins", "*@example.com" },
		{ "tenant.networks", "192.0.2.0/24" },
		{ "hop.reason", "agreed with their admin" } };
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code = SG_OK;

	memset(example, 0, sizeof *example);
	example->part = part;
	example->title = part == KEY_OF_TENANT ? "example" : "partner.example";
	example->head = part == KEY_OF_TENANT ? tenant_head : hop_head;
	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (key_part(&keys[i]) == part)
			code = value_preset(&keys[i], &example->base, f);
	}
	for (i = 0; code == SG_OK && i < sizeof examples / sizeof examples[0]; i++) {
		const struct key *key = keys_find(examples[i].key);

		if (key_part(key) == part)
			code = value_parse(key, &examples[i].text, 1, &example->base, f);
	}
	return code;
}

static void free_example(struct example *example)
{
	const struct key *keys;
	size_t count;
	size_t i;

	keys = keys_all(&count);
	for (i = 0; i < count; i++) {
		if (key_part(&keys[i]) == example->part)
			value_free(&keys[i], &example->base);
	}
}

static enum fail_code put_example(enum key_part part, struct buf *out, struct fail *f)
{
	struct example example;
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code;

	code = fill_example(&example, part, f);
	if (code == SG_OK)
		code = buf_append_str(out, example.head);
	if (code == SG_OK)
		code = buf_printf(out, "#%s \"%s\" {\n", key_part_section(part), example.title);
	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (key_part(&keys[i]) == part)
			code = put_setting(&keys[i], "#\t", &example.base, out);
	}
	if (code == SG_OK)
		code = buf_append_str(out, "#}\n");
	free_example(&example);
	return code;
}

enum fail_code keys_file(struct buf *out, struct fail *f)
{
	struct conf *conf = NULL;
	enum fail_code code;

	code = conf_default(&conf, f);
	if (code != SG_OK)
		return code;
	code = buf_append_str(out, file_head);
	if (code == SG_OK)
		code = put_top(conf, out);
	if (code == SG_OK)
		code = put_example(KEY_OF_HOP, out, f);
	if (code == SG_OK)
		code = put_example(KEY_OF_TENANT, out, f);
	conf_free(conf);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for the configuration file");
	return SG_OK;
}

/* ---- sealgate.conf(5) ---- */

/* The size of the next line of text: a sentence, or as many words of it as fit. */
static size_t mdoc_line(const char *text)
{
	const char *stop = strstr(text, ". ");
	size_t size = stop == NULL ? strlen(text) : (size_t)(stop - text) + 1;

	if (size <= MDOC_WIDTH)
		return size;
	size = MDOC_WIDTH;
	while (size > 1 && text[size] != ' ')
		size--;
	return size;
}

/* Text as mdoc's body: each sentence on a new line, quotes and backslashes escaped. */
static enum fail_code put_mdoc(const char *text, struct buf *out)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK && *text != '\0') {
		const char *end = text + mdoc_line(text);

		for (; code == SG_OK && text < end; text++) {
			if (*text == '\\')
				code = buf_append_str(out, "\\e");
			else if (*text == '"')
				code = buf_append_str(out, "\\(dq");
			else
				code = buf_append(out, text, 1);
		}
		if (code == SG_OK)
			code = buf_append_str(out, "\n");
		text += strspn(text, " ");
	}
	return code;
}

static enum fail_code put_default(const struct key *key, const void *base, struct buf *out)
{
	struct buf value;
	enum fail_code code;

	if (key->preset == NULL)
		return buf_append_str(out, "There is no default.\n");
	buf_init(&value, VALUE_TEXT_MAX);
	code = value_print(key, base, &value);
	if (code == SG_OK)
		code = buf_append_str(out, "The default is\n.Ql ");
	if (code == SG_OK)
		code = put_mdoc(buf_str(&value), out);
	if (code == SG_OK) {
		out->size--;	/* the line's end: the full stop belongs to the macro */
		code = buf_append_str(out, " .\n");
	}
	buf_free(&value);
	return code;
}

static enum fail_code put_entry(const struct key *key, const void *base, struct buf *out)
{
	struct buf expected;
	enum fail_code code;

	buf_init(&expected, VALUE_TEXT_MAX);
	code = value_expected(key, &expected);
	if (code == SG_OK)
		code = buf_printf(out, ".It Ic %s\n", key->name);
	if (code == SG_OK)
		code = put_mdoc(key->help, out);
	if (code == SG_OK)
		code = buf_append_str(out, "Value: ");
	if (code == SG_OK)
		code = put_mdoc(buf_str(&expected), out);
	if (code == SG_OK) {
		out->size--;	/* the sentence ends here, not the line */
		code = buf_append_str(out, ".\n");
	}
	if (code == SG_OK)
		code = put_default(key, base, out);
	buf_free(&expected);
	return code;
}

static enum fail_code put_entries(enum key_part part, const void *base, struct buf *out)
{
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code;

	code = buf_append_str(out, ".Bl -tag -width Ds\n");
	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (key_part(&keys[i]) == part)
			code = put_entry(&keys[i], base, out);
	}
	return code == SG_OK ? buf_append_str(out, ".El\n") : code;
}

/* The chapter of a part whose sections have titles; keys without a default show none. */
static enum fail_code put_chapter(enum key_part part, const char *heading, struct buf *out,
    struct fail *f)
{
	struct example example;
	enum fail_code code;

	code = fill_example(&example, part, f);
	if (part == KEY_OF_TENANT) {
		value_free(keys_find("tenant.logins"), &example.base);
		value_free(keys_find("tenant.networks"), &example.base);
	}
	if (code == SG_OK)
		code = buf_printf(out, ".Sh %s\n", heading);
	if (code == SG_OK)
		code = put_entries(part, &example.base, out);
	free_example(&example);
	return code;
}

enum fail_code keys_manual(struct buf *out, struct fail *f)
{
	struct conf *conf = NULL;
	enum fail_code code;

	code = conf_default(&conf, f);
	if (code == SG_OK)
		code = buf_append_str(out, ".Sh KEYS\n");
	if (code == SG_OK)
		code = put_entries(KEY_OF_CONF, conf, out);
	if (code == SG_OK)
		code = put_chapter(KEY_OF_HOP, "KEYS OF A HOP", out, f);
	if (code == SG_OK)
		code = put_chapter(KEY_OF_TENANT, "KEYS OF A TENANT", out, f);
	conf_free(conf);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for the manual page");
	return SG_OK;
}
