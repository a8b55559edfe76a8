/*
 * document: a message as a reader sees it, apart from how it came and how it is printed.
 *
 * mime.c fills one from untrusted bytes; compose.c turns it into flow. All text is valid UTF-8
 * without control characters but newline and tab. One thread. Memory is GLib's: running out ends
 * the worker.
 */
#ifndef SG_PDFENC_DOCUMENT_H
#define SG_PDFENC_DOCUMENT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define DOCUMENT_FILES_MAX 500		/* embedded files; what is above stays in original.eml */
#define DOCUMENT_BODIES_MAX 2000	/* printed parts, nested messages' heads included */
#define DOCUMENT_NAME_MAX 200		/* bytes of a file's name; file systems take 255 */
#define DOCUMENT_FIELD_MAX 16384	/* bytes of one printed header field */

/* What stands above a message; NULL where there is none. */
struct document_head {
	char *subject;
	char *from;
	char *to;
	char *cc;
	char *date;	/* as sent, with its zone */
};

enum document_body_kind {
	DOCUMENT_TEXT,		/* plain text */
	DOCUMENT_HTML,
	DOCUMENT_NESTED,	/* a nested message begins; head is set */
	DOCUMENT_NESTED_END,
	DOCUMENT_CARD,		/* an invitation, a visiting card: lines "Label: value" */
	DOCUMENT_NOTE		/* a sentence of ours */
};

struct document_body {
	enum document_body_kind kind;
	GString *text;			/* all but NESTED */
	const char *title;		/* CARD; static */
	bool flowed;			/* RFC 3676 */
	bool delsp;
	struct document_head *head;	/* NESTED */
};

struct document_file {
	char *name;		/* no path, no control characters, unlike every other one */
	char *type;		/* "image/png", lower case */
	char *id;		/* Content-ID without its brackets, or NULL */
	GDateTime *date;	/* NULL if unknown */
	char *charset;		/* as declared for text, or NULL */
	bool read;		/* what it says stands in the message already */
	GByteArray *data;
};

struct document {
	struct document_head head;
	GPtrArray *bodies;	/* struct document_body, in printing order */
	GPtrArray *files;	/* struct document_file */
	char *language;		/* a BCP 47 tag, or NULL */
	bool truncated;		/* a maximum was met: some of it is in original.eml alone */
};

/* Without bodies and files; the caller document_frees. */
struct document *document_new(void);
/* Releases it and all it owns. */
void document_free(struct document *document);

/* Appends; the document owns the result. text may be NULL and is taken over. */
struct document_body *document_add_body(struct document *document, enum document_body_kind kind,
    GString *text);

/*
 * Takes data over; name is any UTF-8 text (NULL: made from the type), made safe and distinct
 * here. False (nothing added, data freed, truncated set) above DOCUMENT_FILES_MAX.
 */
bool document_add_file(struct document *document, const char *name, const char *type,
    GDateTime *date, GByteArray *data);

/* Whether a name is in use already; "original.eml" always is. Case is ignored. */
bool document_has_name(const struct document *document, const char *name);

#endif
