/*
 * message: envelope and header fields as received. The body lies in a spool.
 *
 * Values keep their white space and folding; line ends inside are whatever the filter protocol
 * delivered (LF from Postfix). One session owns a message; no locking.
 */
#ifndef SG_MILTER_MESSAGE_H
#define SG_MILTER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/str.h"

#define MESSAGE_HEADERS_MAX 1000	/* fields; real mail has below 200 */
#define MESSAGE_RECIPIENTS_MAX 50000	/* Postfix' own limit for one transaction is 1,000 */

struct message_header {
	char *name;
	char *value;	/* what stands behind the colon, with its leading white space */
};

struct message {
	char *sender;			/* MAIL FROM without angle brackets, or "" */
	struct str_list recipients;	/* as given, without angle brackets */
	struct message_header *headers;
	size_t header_count;
	size_t header_room;
	size_t header_size;		/* bytes of all fields, with line ends */
};

/* An empty message. */
void message_init(struct message *message);
/* Frees what it holds; it is empty again. */
void message_free(struct message *message);

/* Both take "<addr>" or "addr". SG_ENOMEM, SG_ELIMIT. */
MUST_USE enum fail_code message_set_sender(struct message *message, const char *address);
MUST_USE enum fail_code message_add_recipient(struct message *message, const char *address);
/* SG_ELIMIT: too many fields, or more than max bytes of them. */
MUST_USE enum fail_code message_add_header(struct message *message, const char *name,
    const char *value, size_t max);

/* The value of the first field with that name, without leading white space; NULL if none. */
const char *message_header(const struct message *message, const char *name);
/* How many fields have that name. */
size_t message_count(const struct message *message, const char *name);
/* Which of its name the field at position is, from 1 on: the filter protocol's index. */
unsigned int message_index(const struct message *message, size_t position);

/*
 * Appends the field at position as RFC 5322 wants it: name, colon, value, every line end CRLF.
 */
MUST_USE enum fail_code message_put_header(const struct message *message, size_t position,
    struct buf *out);
/*
 * Appends a field's value with its line ends (LF, CRLF) as CRLF. It cannot start another field or
 * end the header: a line without leading white space gets some, line ends at the end go, and so do
 * empty lines. A lone CR stays what it is.
 */
MUST_USE enum fail_code message_put_crlf(const char *text, struct buf *out);

/*
 * Splits a message file (LF or CRLF) into header fields and body; *body_at_out is the offset of
 * the body. For the command line; the filter gets fields from Postfix. A first "From " line of
 * mbox is skipped. max bounds the header. SG_EFORMAT when it has no header field.
 */
MUST_USE enum fail_code message_parse(struct message *message, const char *data, size_t size,
    size_t max, size_t *body_at_out, struct fail *f);

#endif
