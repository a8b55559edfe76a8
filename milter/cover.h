/*
 * cover: what stands in the mail around an encrypted PDF, for people and for spam filters: who sent
 * the message, what to do, how to get the password. Two forms, plain text and simple HTML, in the
 * sender's language, from the texts of config/template.h. No links but the help page that the
 * tenant names, nothing that is fetched.
 *
 * What comes from the message has no control characters, and is escaped in HTML. Pure.
 */
#ifndef SG_MILTER_COVER_H
#define SG_MILTER_COVER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "config/template.h"
#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "milter/message.h"

#define COVER_MAX ((size_t)512 * 1024)	/* bytes of all parts; a logo of 100 KB has 137 of them */

/* Where the password comes from: names a section of words.txt. */
enum cover_how {
	COVER_RECIPIENT = 0,	/* the recipient's own */
	COVER_CHOSEN,		/* by the sender */
	COVER_GENERATED,	/* told to the sender */
	COVER_HOOK,		/* handed to a program of the administrator */
	COVER_SMS		/* the same, to a telephone number */
};

struct cover {
	const struct conf *conf;
	const struct conf_tenant *tenant;	/* NULL: nobody's looks */
	enum conf_language language;
	enum cover_how how;
	const char *number;		/* SMS: its last digits; NULL: said as for a hook */
	const char *recipient;		/* NULL: not told */
	bool files;			/* the PDF has attached files */
	bool invitation;
	/* set by outer.c */
	const struct message *message;
	const char *subject;		/* raw; NULL: hidden */
};

/* The sender's address as From has it, else MAIL FROM's; "" if neither is one. SG_ENOMEM. */
MUST_USE enum fail_code cover_address(const struct message *message, struct buf *out);

/*
 * Appends one MIME entity, its header fields first: multipart/alternative. id is hexadecimal and
 * makes its boundaries and Content-ID unlike all others.
 */
MUST_USE enum fail_code cover_put(const struct cover *cover, const char *id, struct buf *out,
    struct fail *f);

/* The name of the PDF, ASCII: "secure-message.pdf". */
MUST_USE enum fail_code cover_file(const struct cover *cover, char name_out[TEMPLATE_FILE_MAX],
    struct fail *f);

#endif
