/*
 * template: the texts of our own mails, in the languages that there are.
 *
 * A text is a line "Subject: ...", an empty line, and the body, in UTF-8. ${password},
 * ${recipients} (a line each), ${subject}, ${date} and ${kept} stand for what a message brings;
 * ${kept} is the text kept.txt, or nothing. Those in config/templates are built in; a file
 * LANGUAGE/NAME.txt in the folder of the administrator takes the place of one. Pure but for
 * template_load.
 */
#ifndef SG_CONFIG_TEMPLATE_H
#define SG_CONFIG_TEMPLATE_H

#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define TEMPLATE_MAX ((size_t)8192)	/* bytes of one text */
#define TEMPLATE_PASSWORD "password"	/* tells a sender the password of a message */
#define TEMPLATE_KEPT "kept"		/* that it opens later messages as well */

/* The built-in texts: made from config/templates by the Makefile, ended by a NULL name. */
struct template_built_in {
	const char *name;	/* "en/password" */
	const char *text;
};
extern const struct template_built_in template_built_ins[];

/* What stands for ${name}. */
struct template_value {
	const char *name;
	const char *text;
	size_t size;
};

/* "en", "de", "fr", "es". */
const char *template_language(enum conf_language language);

/*
 * The text of that name and language: the folder's (may be "") if it is there, else the built-in
 * one; the caller frees. SG_EUSAGE: a file that template_check refuses, or cannot be read.
 */
MUST_USE enum fail_code template_load(const char *folder, enum conf_language language,
    const char *name, char **text_out, struct fail *f);

/* SG_EUSAGE: not UTF-8, too long, an unknown ${name}, no Subject line or no ${password}. */
MUST_USE enum fail_code template_check(const char *name, const char *text, struct fail *f);

/* Appends text, values in place; ${names} without a value are left out. SG_ENOMEM, SG_ELIMIT. */
MUST_USE enum fail_code template_fill(const char *text, const struct template_value *values,
    size_t count, struct buf *out);

#endif
