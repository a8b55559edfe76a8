/*
 * compose: a letter of the vault's outbox as a message (RFC 5322), with CRLF.
 *
 * One text part in UTF-8, 8bit; Auto-Submitted (RFC 3834). It may hold a password: the buffer
 * that it is made in wipes itself.
 */
#ifndef SG_GATEWAY_NOTIFY_COMPOSE_H
#define SG_GATEWAY_NOTIFY_COMPOSE_H

#include "config/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/vault/vault.h"

#define COMPOSE_MAX ((size_t)64 * 1024)	/* bytes of one message */

/* The texts of one language. */
struct compose_text {
	char *password;		/* template_load of TEMPLATE_PASSWORD */
	char *kept;
	char *unhanded;		/* of TEMPLATE_UNHANDED */
	char *refused;		/* of TEMPLATE_REFUSED */
	char *sealed;		/* of TEMPLATE_SEALED */
	char *notes[VAULT_NOTES];	/* sections compose_section; NULL for VAULT_NO_NOTE */
};

/* A notice of what became of a message, with nothing secret in it? */
bool compose_is_notice(const struct vault_notice *notice);
/* The section of words.txt that says a note; NULL for VAULT_NO_NOTE. */
const char *compose_section(enum vault_note note);

/* "postmaster@domain of who is told", or from; the caller frees. NULL when out of memory. */
char *compose_sender(const char *from, const char *to);

/*
 * Appends the header fields (without the empty line, so that a mark can follow) and the body apart.
 * now_ms is the Date. SG_ENOMEM, SG_ELIMIT.
 */
MUST_USE enum fail_code compose_letter(const struct compose_text *text,
    const struct vault_notice *notice, const char *sender, int64_t now_ms, struct buf *header,
    struct buf *body);

/*
 * A raw Subject in UTF-8, without control characters: encoded words (RFC 2047) of UTF-8, US-ASCII,
 * ISO-8859-1 and windows-1252 are decoded, others stay as they are. SG_ENOMEM, SG_ELIMIT.
 */
MUST_USE enum fail_code compose_subject(const char *raw, struct buf *out);

#endif
