/*
 * contentline: the lines of calendars (RFC 5545 3.1) and visiting cards (RFC 6350 3.2, vCard 2.1).
 *
 * "NAME;PARAMETER=x:value", folded over lines. Pure, for untrusted text; cost grows with the size.
 */
#ifndef SG_PDFENC_CONTENTLINE_H
#define SG_PDFENC_CONTENTLINE_H

#include <glib.h>
#include <stddef.h>

#define CONTENTLINE_LINES_MAX 5000u	/* looked at of one file */

struct contentline {
	const char *name;	/* upper case, without its group */
	const char *parameters;	/* ";TZID=Europe/Berlin", or "" */
	const char *value;	/* as written; contentline_text undoes escapes */
};

/* The line is the callee's to read only. */
typedef void contentline_fn(void *context, const struct contentline *line);

/* Calls found for each line of text, which is clean UTF-8. */
void contentline_each(const GString *text, contentline_fn *found, void *context);
/* The value of a parameter without its quotes, or NULL; the caller g_frees. */
char *contentline_parameter(const struct contentline *line, const char *name);
/* The value with "\n", "\," and quoted-printable undone; the caller g_frees. */
char *contentline_text(const struct contentline *line);
/* The same, its parts (RFC 6350 N, ADR) in order with between between those that are not empty. */
char *contentline_parts(const struct contentline *line, const char *between);

/* Appends "Label: value", further lines of value begun with a tab; nothing for an empty value. */
void contentline_put(GString *out, const char *label, const char *value);

#endif
