/*
 * token: takes HTML apart, as forgivingly as mail needs it. Pure; never fails, never goes back.
 */
#ifndef SG_PDFENC_HTML_TOKEN_H
#define SG_PDFENC_HTML_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_ATTRIBUTES_MAX 64	/* of an element; more are left out */
#define TOKEN_NAME_MAX 16	/* bytes with NUL of an element's name; longer ones are unknown */

enum token_kind { TOKEN_TEXT, TOKEN_START, TOKEN_END, TOKEN_EOF };

struct token {
	enum token_kind kind;
	const char *text;		/* TEXT: still with its references; borrowed */
	size_t size;
	bool raw;			/* TEXT inside script, style and their like */
	char name[TOKEN_NAME_MAX];	/* START, END: lower case */
	const char *attributes;		/* START: all of them as they stand */
	size_t attributes_size;
};

struct token_reader {
	const char *at;
	const char *end;
	char raw_name[TOKEN_NAME_MAX];	/* inside this raw element, or "" */
	unsigned int unclosed;		/* searches that went to the end in vain */
};

/* html is borrowed as long as the reader and its tokens are used. */
void token_start(struct token_reader *reader, const char *html, size_t size);
/* The next token; comments and declarations are skipped. */
void token_next(struct token_reader *reader, struct token *token);
/* One attribute as it stands, without quotes; borrowed. */
struct token_attribute {
	const char *name;
	size_t name_size;
	const char *value;	/* with references; empty if there is none */
	size_t value_size;
};
/* The attribute at *text, which moves behind it. False: there is none any more. */
bool token_next_attribute(const char **text, const char *end, struct token_attribute *attribute);
bool token_is(const struct token_attribute *attribute, const char *name);

/*
 * The value of an attribute, with references, quotes off; false if it has none. An attribute
 * without a value has an empty one.
 */
bool token_attribute(const struct token *token, const char *name, const char **value_out,
    size_t *size_out);

#endif
