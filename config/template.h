/*
 * template: the texts of mails that we write, in the languages that there are.
 *
 * Those in config/templates are built in; a file of the same name in the administrator's folder
 * (LANGUAGE/NAME) takes the place of one. UTF-8 with LF. ${name} stands for what a message brings.
 *
 *   password.txt, kept.txt  the letter that tells a password: a line "Subject: ...", an empty line,
 *                           the body; ${kept} is kept.txt, or nothing
 *   unhanded.txt            the letter that a password could not be handed over; ${reason}
 *   refused.txt             the notice that a message was refused; ${why} is a section of
 *                           words.txt, ${detail} the same in English and exactly
 *   sealed.txt              the notice how a message goes to whom
 *   outer.txt, outer.html   the mail around an encrypted PDF, in its two forms
 *   words.txt               sentences for it and for notices: sections "[name]", each
 *                           a paragraph
 *
 * A letter's ${password}, ${recipients} (a line each), ${subject}, ${date}, ${kept}. The outer
 * mail's ${sender} (name and address), ${name} (of the sender), ${recipient}, ${subject} (unless it
 * is hidden), ${organisation}, ${colour}, ${logo}, ${file}, and sections of words.txt: ${how} (one
 * by where the password comes from), ${files}, ${invitation} (if there are any), ${help} (if the
 * tenant has a help_url), ${closing} (by whether it has); ${help_url} itself. Sections may name
 * ${sender}, ${name}, ${recipient}, ${file} and ${number} (the end of a telephone number).
 *
 * Pure but for template_load and template_read.
 */
#ifndef SG_CONFIG_TEMPLATE_H
#define SG_CONFIG_TEMPLATE_H

#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define TEMPLATE_MAX ((size_t)8192)		/* bytes of one text */
#define TEMPLATE_HTML_MAX ((size_t)64 * 1024)	/* of one in HTML */
#define TEMPLATE_FILE_MAX 64			/* bytes of a PDF's name, [file] in words.txt */

#define TEMPLATE_PASSWORD "password.txt"	/* tells a sender the password of a message */
#define TEMPLATE_KEPT "kept.txt"		/* that it opens later messages as well */
#define TEMPLATE_UNHANDED "unhanded.txt"	/* tells a sender that nobody got the password */
#define TEMPLATE_REFUSED "refused.txt"	/* tells a sender that a message was refused, and why */
#define TEMPLATE_SEALED "sealed.txt"		/* tells a sender how a message goes to whom */
#define TEMPLATE_OUTER "outer.txt"
#define TEMPLATE_OUTER_HTML "outer.html"
#define TEMPLATE_WORDS "words.txt"

/* The built-in texts: made from config/templates by the Makefile, ended by a NULL name. */
struct template_built_in {
	const char *name;	/* "en/password.txt" */
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

/*
 * Takes the administrator's text of that name and language, if there is one, into conf, with which
 * it travels to programs that read no files. SG_EUSAGE as above.
 */
MUST_USE enum fail_code template_read(struct conf *conf, enum conf_language language,
    const char *name, struct fail *f);
/* The text that was read into conf, else the built-in one; lives as long as conf. */
const char *template_text(const struct conf *conf, enum conf_language language, const char *name);
/*
 * A section of words.txt as one line; the caller frees. Those that an administrator's file lacks
 * are the built-in one's. NULL: no memory.
 */
char *template_section(const struct conf *conf, enum conf_language language, const char *section);

/*
 * SG_EUSAGE: not UTF-8, too long, an unknown ${name}; a letter without Subject line, or without
 * ${password}, a notice without ${recipients}, or ${why};
 * an outer mail without ${file} and ${how}; HTML that would run or fetch something; sections that
 * there are not.
 */
MUST_USE enum fail_code template_check(const char *name, const char *text, struct fail *f);

/* Appends text, values in place; ${names} without a value are left out. SG_ENOMEM, SG_ELIMIT. */
MUST_USE enum fail_code template_fill(const char *text, const struct template_value *values,
    size_t count, struct buf *out);
/*
 * The same line by line: a line whose ${names} all stand for nothing is left out, and so is an
 * empty line behind another or at the beginning.
 */
MUST_USE enum fail_code template_fill_lines(const char *text, const struct template_value *values,
    size_t count, struct buf *out);

/* The size of a "${name}" that begins at text, 0 if there is none; the name goes out. */
size_t template_name_at(const char *text, const char **name_out, size_t *size_out);
/* The next "[section]" line at or behind text; its name goes out; NULL: no more. */
const char *template_next_section(const char *text, const char **name_out, size_t *size_out);

#endif
