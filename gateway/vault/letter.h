/*
 * letter: what a sender or a hook is told about a message, as it lies in the outbox. Private to the
 * vault.
 *
 * In packets and in the sealed column of the outbox it has the same form (packets.h). Earlier
 * versions stored it without notes and message_id, or without all behind the recipients: then it is
 * a VAULT_LETTER.
 */
#ifndef SG_GATEWAY_VAULT_LETTER_H
#define SG_GATEWAY_VAULT_LETTER_H

#include <stdint.h>

#include "gateway/base/fail.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"
#include "gateway/vault/packets.h"

#define LETTER_MAX SECRET_MAX		/* bytes: it is opened into a secret */
#define LETTER_LISTED_MAX ((size_t)2200)	/* bytes of addresses in one */

struct letter {
	char *to;			/* the sender */
	uint8_t language;		/* enum conf_language */
	uint8_t keep;			/* the password is the only recipient's own now */
	char *subject;			/* raw */
	int64_t time_ms;
	const unsigned char *password;	/* borrowed from what was read */
	size_t password_size;		/* 0: one that tells none */
	struct str_list recipients;	/* those that fit */
	uint32_t count;			/* how many there are */
	unsigned char *notes;		/* enum vault_note of each of recipients; NULL: none */
	uint8_t kind;			/* enum vault_notice_kind */
	char *phone;			/* "" = none */
	char *reason;			/* of VAULT_UNHANDED, VAULT_REFUSED; else "" */
	char *message_id;		/* "" = none */
};

/* Takes one out of a packet; it must be freed also after an error, which the reader remembers. */
void letter_get(struct packet_reader *p, struct letter *letter);
/* One as it was stored; bytes must outlive it. SG_EFORMAT, SG_ENOMEM. */
MUST_USE enum fail_code letter_read(const struct secret *bytes, struct letter *letter,
    struct fail *f);
/* Writes it with as many recipients as fit. */
void letter_put(struct packet_writer *w, const struct letter *letter);
void letter_free(struct letter *letter);

#endif
