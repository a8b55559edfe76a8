#include "config/conf_part.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

#define DEPTH_MAX 4		/* sections in sections; two would do */
#define WORD_SIZE 128		/* bytes of a name or title */

enum token { TOKEN_END, TOKEN_TEXT, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_IS, TOKEN_COMMA, TOKEN_BAD };

struct scanner {
	const char *file;
	const char *text;
	size_t size;
	size_t at;
	size_t start;		/* of the last token */
	int line;		/* where at stands */
	int start_line;		/* of the last token */
	enum token token;
	bool quoted;
	struct conf_items *items;
	struct conf_errors *errors;
	size_t open[DEPTH_MAX];	/* items that are open sections */
	size_t depth;
};

/* ---- tokens ---- */

static enum fail_code complain(struct scanner *s, const char *found, const char *expected)
{
	s->token = TOKEN_BAD;
	if (conf_error_add(s->errors, s->file, s->start_line, found, expected) != SG_OK)
		return SG_ENOMEM;
	return SG_EUSAGE;
}

static bool starts(const struct scanner *s, const char *what)
{
	return strncmp(s->text + s->at, what, strlen(what)) == 0;
}

static void skip_line(struct scanner *s)
{
	while (s->at < s->size && s->text[s->at] != '\n')
		s->at++;
}

static enum fail_code skip_comment(struct scanner *s)
{
	s->start_line = s->line;
	s->at += 2;
	while (s->at < s->size && !starts(s, "*/")) {
		s->line += s->text[s->at] == '\n';
		s->at++;
	}
	if (s->at >= s->size)
		return complain(s, "a comment that is never closed", "*/ at its end");
	s->at += 2;
	return SG_OK;
}

static enum fail_code skip_blanks(struct scanner *s)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK && s->at < s->size) {
		if (str_is_space(s->text[s->at])) {
			s->line += s->text[s->at] == '\n';
			s->at++;
		} else if (s->text[s->at] == '#' || starts(s, "//")) {
			skip_line(s);
		} else if (starts(s, "/*")) {
			code = skip_comment(s);
		} else {
			break;
		}
	}
	return code;
}

/* A backslash in double quotes: what libconfuse would make a number of is refused. */
static enum fail_code check_escape(struct scanner *s)
{
	char c = s->text[s->at + 1];

	if ((c >= '0' && c <= '9') || c == 'x')
		return complain(s, "a character given by its number", "the character itself");
	return SG_OK;
}

static enum fail_code read_quoted(struct scanner *s)
{
	char quote = s->text[s->at++];

	s->quoted = true;
	while (s->at < s->size && s->text[s->at] != quote) {
		if (s->text[s->at] == '\n')
			return complain(s, "a text that goes over the end of its line",
			    "a quote at the end of the text");
		if (quote == '"' && starts(s, "${"))
			return complain(s, "${, which would read the environment",
			    "the value itself, or \\$ for a dollar sign");
		if (s->text[s->at] == '\\' && s->at + 1 < s->size) {
			if (quote == '"' && check_escape(s) != SG_OK)
				return SG_EUSAGE;
			s->at++;
		}
		s->at++;
	}
	if (s->at >= s->size)
		return complain(s, "a text that is never closed", "a quote at its end");
	s->at++;
	return SG_OK;
}

static enum fail_code read_bare(struct scanner *s)
{
	size_t size = strcspn(s->text + s->at, " \t\r\n#\"'={}()+,*$");
	char next = s->text[s->at + size];

	/* libconfuse would drop these without a word */
	if (next != '\0' && strchr("\"'()+*$", next) != NULL) {
		s->start_line = s->line;
		return complain(s, "a value with special characters",
		    "the value in quotes, such as \"*@example.com\"");
	}
	if (size == 0)
		return complain(s, "a character that means nothing here", "a name or a value");
	s->at += size;
	return SG_OK;
}

static enum fail_code next(struct scanner *s)
{
	static const char marks[] = "{}=,";
	static const enum token tokens[] = { TOKEN_OPEN, TOKEN_CLOSE, TOKEN_IS, TOKEN_COMMA };
	const char *mark;
	enum fail_code code;

	code = skip_blanks(s);
	if (code != SG_OK)
		return code;
	s->start = s->at;
	s->start_line = s->line;
	s->quoted = false;
	s->token = TOKEN_END;
	if (s->at >= s->size)
		return SG_OK;
	mark = strchr(marks, s->text[s->at]);
	if (mark != NULL) {
		s->token = tokens[mark - marks];
		s->at++;
		return SG_OK;
	}
	if (starts(s, "+="))
		return complain(s, "+=", "= with the whole list");
	s->token = TOKEN_TEXT;
	if (s->text[s->at] == '"' || s->text[s->at] == '\'')
		return read_quoted(s);
	return read_bare(s);
}

/* The last token without its quotes. */
static enum fail_code token_text(struct scanner *s, char *out, size_t out_size)
{
	size_t size = s->at - s->start - (s->quoted ? 2 : 0);

	if (size >= out_size)
		return complain(s, "a name that is too long", "a shorter one");
	memcpy(out, s->text + s->start + (s->quoted ? 1 : 0), size);
	out[size] = '\0';
	return SG_OK;
}

/* ---- statements ---- */

static struct conf_item *add_item(struct scanner *s, const char *name)
{
	const struct conf_item *parent = NULL;
	struct conf_item *grown;
	struct conf_item *item;

	grown = reallocarray(s->items->items, s->items->count + 1, sizeof *grown);
	if (grown == NULL)
		return NULL;
	s->items->items = grown;
	item = &grown[s->items->count];
	memset(item, 0, sizeof *item);
	if (s->depth > 0)
		parent = &grown[s->open[s->depth - 1]];
	item->name = parent == NULL ? str_dup(name) : str_printf("%s.%s", parent->name, name);
	if (item->name == NULL)
		return NULL;
	s->items->count++;
	if (parent != NULL && parent->title != NULL) {
		item->title = str_dup(parent->title);
		if (item->title == NULL)
			return NULL;
	}
	item->from = s->start;
	item->line = s->start_line;
	return item;
}

/* Behind "NAME =". */
static enum fail_code read_value(struct scanner *s, struct conf_item *item)
{
	bool want_text = true;
	enum fail_code code;

	code = next(s);
	if (code != SG_OK)
		return code;
	if (s->token == TOKEN_TEXT)
		return SG_OK;
	if (s->token != TOKEN_OPEN)
		return complain(s, "no value after =", "a value, or a list in braces");
	item->braced = true;
	for (;;) {
		code = next(s);
		if (code != SG_OK)
			return code;
		if (s->token == TOKEN_CLOSE)
			return SG_OK;
		if (s->token == TOKEN_END)
			return complain(s, "a list that is never closed", "} at its end");
		if (s->token != (want_text ? TOKEN_TEXT : TOKEN_COMMA))
			return complain(s, "a list that is not understood",
			    "values with commas between, such as { a, b }");
		want_text = !want_text;
	}
}

static enum fail_code open_section(struct scanner *s, struct conf_item *item)
{
	char title[WORD_SIZE];
	enum fail_code code;

	item->section = true;
	if (s->token == TOKEN_TEXT) {
		code = token_text(s, title, sizeof title);
		if (code != SG_OK)
			return code;
		item->titled = true;
		free(item->title);
		item->title = str_dup(title);
		if (item->title == NULL)
			return SG_ENOMEM;
		code = next(s);
		if (code != SG_OK)
			return code;
	}
	if (s->token != TOKEN_OPEN)
		return complain(s, "a name that neither = nor { follows",
		    "NAME = VALUE, or SECTION { ... }");
	if (s->depth >= DEPTH_MAX)
		return complain(s, "sections within sections", "} before the next section");
	s->open[s->depth++] = (size_t)(item - s->items->items);
	return SG_OK;
}

/* A dot in a written name is no section: "scan.threads = 2" must not pass for scan { threads }. */
static void mask_dots(char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '.' || *name == '|')
			*name = '?';
	}
}

static enum fail_code read_statement(struct scanner *s)
{
	char name[WORD_SIZE];
	struct conf_item *item;
	enum fail_code code;

	code = token_text(s, name, sizeof name);
	if (code != SG_OK)
		return code;
	mask_dots(name);
	item = add_item(s, name);
	if (item == NULL)
		return SG_ENOMEM;
	code = next(s);
	if (code != SG_OK)
		return code;
	if (s->token != TOKEN_IS)
		return open_section(s, item);
	code = read_value(s, item);
	item->to = s->at;
	return code;
}

static enum fail_code close_section(struct scanner *s)
{
	if (s->depth == 0)
		return complain(s, "} without a section", "nothing here");
	s->items->items[s->open[--s->depth]].to = s->at;
	return SG_OK;
}

static enum fail_code read_all(struct scanner *s)
{
	enum fail_code code;

	for (;;) {
		code = next(s);
		if (code == SG_OK && s->token == TOKEN_END && s->depth > 0) {
			s->start_line = s->items->items[s->open[s->depth - 1]].line;
			return complain(s, "a section that is never closed", "} at its end");
		}
		if (code != SG_OK || s->token == TOKEN_END)
			return code;
		if (s->token == TOKEN_TEXT)
			code = read_statement(s);
		else if (s->token == TOKEN_CLOSE)
			code = close_section(s);
		else
			code = complain(s, "no name before = { or ,",
			    "NAME = VALUE, or SECTION { ... }");
		if (code != SG_OK)
			return code;
	}
}

enum fail_code conf_scan(const char *file, const char *text, size_t size, struct conf_items *items,
    struct conf_errors *errors, struct fail *f)
{
	struct scanner s = { .file = file, .text = text, .size = size, .line = 1,
		.items = items, .errors = errors };
	enum fail_code code;

	if (memchr(text, '\0', size) != NULL) {
		s.start_line = 0;
		code = complain(&s, "a NUL byte", "text alone");
	} else {
		code = read_all(&s);
	}
	if (code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the configuration");
	return code;
}

void conf_items_free(struct conf_items *items)
{
	size_t i;

	for (i = 0; i < items->count; i++) {
		free(items->items[i].name);
		free(items->items[i].title);
	}
	free(items->items);
	memset(items, 0, sizeof *items);
}

int conf_items_line(const struct conf_items *items, const char *name, const char *title)
{
	size_t i;

	for (i = 0; i < items->count; i++) {
		const struct conf_item *item = &items->items[i];
		bool same = title == NULL ? item->title == NULL :
		    item->title != NULL && strcmp(item->title, title) == 0;

		if (same && strcmp(item->name, name) == 0)
			return item->line;
	}
	return 0;
}
