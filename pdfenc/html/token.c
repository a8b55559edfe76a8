#include "pdfenc/html/token.h"

#include <string.h>

#include "gateway/base/str.h"

#define UNCLOSED_MAX 16	/* vain searches to the end of the text before we stop trying */

void token_start(struct token_reader *reader, const char *html, size_t size)
{
	reader->at = html;
	reader->end = html + size;
	reader->raw_name[0] = '\0';
	reader->unclosed = 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_raw(const char *name)
{
	static const char *const names[] = { "script", "style", "title", "textarea", "xmp",
		"iframe", "noembed", "noframes" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static const char *find(const char *at, const char *end, const char *what)
{
	return memmem(at, (size_t)(end - at), what, strlen(what));
}

/* The end of the raw element: "</name", any case. */
static const char *raw_end(const struct token_reader *reader)
{
	size_t size = strlen(reader->raw_name);
	const char *at = reader->at;

	while ((at = find(at, reader->end, "</")) != NULL) {
		if ((size_t)(reader->end - at) >= size + 2 &&
		    str_equal_case_n(at + 2, reader->raw_name, size))
			return at;
		at += 2;
	}
	return reader->end;
}

/* Where the tag ends: the '>' outside of quotes, or the end of all. */
static const char *tag_end(const char *at, const char *end)
{
	char quote = '\0';
	char before = '\0';

	for (; at < end; at++) {
		if (quote != '\0') {
			if (*at == quote)
				quote = '\0';
		} else if (*at == '>') {
			return at;
		} else if ((*at == '"' || *at == '\'') && before == '=') {
			quote = *at;
		}
		if (!str_is_space(*at))
			before = *at;
	}
	return NULL;
}

/* A quote that is never closed: the tag ends at the next ">". */
static const char *find_close(struct token_reader *reader, const char *name)
{
	const char *close = NULL;

	if (reader->unclosed < UNCLOSED_MAX)
		close = tag_end(name, reader->end);
	if (close != NULL)
		return close;
	close = memchr(name, '>', (size_t)(reader->end - name));
	reader->unclosed++;
	return close;
}

static void read_tag(struct token_reader *reader, struct token *token, const char *name,
    const char *close)
{
	size_t size = 0;

	token->kind = name[-1] == '/' ? TOKEN_END : TOKEN_START;
	while (name + size < close && !str_is_space(name[size]) && name[size] != '/')
		size++;
	token->attributes = name + size;
	token->attributes_size = (size_t)(close - token->attributes);
	if (size >= TOKEN_NAME_MAX)
		size = 0;
	memcpy(token->name, name, size);
	token->name[size] = '\0';
	str_lower(token->name);
	reader->at = close + 1;
	if (token->kind == TOKEN_START && is_raw(token->name))
		memcpy(reader->raw_name, token->name, sizeof(reader->raw_name));
}

/* Skips what begins with "<!" or "<?". */
static void skip_declaration(struct token_reader *reader)
{
	const char *close;

	if (reader->unclosed < UNCLOSED_MAX && reader->end - reader->at >= 4 &&
	    memcmp(reader->at, "<!--", 4) == 0) {
		close = find(reader->at + 2, reader->end, "-->");
		if (close != NULL) {
			reader->at = close + 3;
			return;
		}
		reader->unclosed++;
	}
	close = memchr(reader->at, '>', (size_t)(reader->end - reader->at));
	reader->at = close != NULL ? close + 1 : reader->end;
}

static void read_text(struct token_reader *reader, struct token *token, const char *from)
{
	const char *next = memchr(from, '<', (size_t)(reader->end - from));

	if (next == NULL)
		next = reader->end;
	token->kind = TOKEN_TEXT;
	token->text = reader->at;
	token->size = (size_t)(next - reader->at);
	reader->at = next;
}

static bool read_raw(struct token_reader *reader, struct token *token)
{
	const char *end = raw_end(reader);

	reader->raw_name[0] = '\0';
	token->kind = TOKEN_TEXT;
	token->raw = true;
	token->text = reader->at;
	token->size = (size_t)(end - reader->at);
	reader->at = end;
	return token->size > 0;
}

void token_next(struct token_reader *reader, struct token *token)
{
	memset(token, 0, sizeof(*token));
	if (reader->raw_name[0] != '\0' && read_raw(reader, token))
		return;
	token->raw = false;
	while (reader->at < reader->end) {
		size_t left = (size_t)(reader->end - reader->at);
		const char *name = reader->at + 1;
		const char *close;

		if (*reader->at != '<' || left < 2) {
			read_text(reader, token, reader->at);
			if (token->size == 0)	/* a lone "<" at the very end */
				read_text(reader, token, reader->end);
			return;
		}
		if (*name == '!' || *name == '?') {
			skip_declaration(reader);
			continue;
		}
		if (*name == '/' && left > 2)
			name++;
		close = is_letter(*name) ? find_close(reader, name) : NULL;
		if (close == NULL) {
			read_text(reader, token, reader->at + 1);
			return;
		}
		read_tag(reader, token, name, close);
		return;
	}
	token->kind = TOKEN_EOF;
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (str_is_space(*at) || *at == '/'))
		at++;
	return at;
}

/* Reads the value behind '='; returns where to go on. */
static const char *read_value(const char *at, const char *end, const char **value_out,
    size_t *size_out)
{
	const char *close;

	while (at < end && str_is_space(*at))
		at++;
	if (at < end && (*at == '"' || *at == '\'')) {
		close = memchr(at + 1, *at, (size_t)(end - at - 1));
		if (close == NULL)
			close = end;
		*value_out = at + 1;
		*size_out = (size_t)(close - at - 1);
		return close < end ? close + 1 : end;
	}
	close = at;
	while (close < end && !str_is_space(*close))
		close++;
	*value_out = at;
	*size_out = (size_t)(close - at);
	return close;
}

bool token_next_attribute(const char **text, const char *end, struct token_attribute *attribute)
{
	const char *at = skip_space(*text, end);

	attribute->name = at;
	while (at < end && !str_is_space(*at) && *at != '=' && *at != '/')
		at++;
	attribute->name_size = (size_t)(at - attribute->name);
	while (at < end && str_is_space(*at))
		at++;
	attribute->value = "";
	attribute->value_size = 0;
	if (at < end && *at == '=')
		at = read_value(at + 1, end, &attribute->value, &attribute->value_size);
	*text = at;
	return attribute->name_size > 0 || at < end;
}

bool token_is(const struct token_attribute *attribute, const char *name)
{
	return attribute->name_size == strlen(name) &&
	    str_equal_case_n(attribute->name, name, attribute->name_size);
}

bool token_attribute(const struct token *token, const char *name, const char **value_out,
    size_t *size_out)
{
	const char *at = token->attributes;
	const char *end = at + token->attributes_size;
	struct token_attribute each;

	for (unsigned int n = 0; n < TOKEN_ATTRIBUTES_MAX && token_next_attribute(&at, end, &each);
	    n++) {
		*value_out = each.value;
		*size_out = each.value_size;
		if (token_is(&each, name))
			return true;
	}
	return false;
}
