/*
 * ask: one question to the vault and its answer. Private to the client (vault.c, vault_admin.c).
 *
 * ask_start, the packet_put_* calls on w, ask_vault, the packet_get_* calls on r, ask_read,
 * ask_end (always).
 */
#ifndef SG_GATEWAY_VAULT_ASK_H
#define SG_GATEWAY_VAULT_ASK_H

#include "gateway/base/wire.h"
#include "gateway/vault/packets.h"
#include "gateway/vault/vault.h"

struct ask {
	struct wire_message request;
	struct wire_message reply;
	struct packet_writer w;
	struct packet_reader r;
};

/* An empty question of this type. */
void ask_start(struct ask *ask, enum vault_message_type type);
/*
 * The whole question is bytes, which may be more than a packet holds: then a sealed descriptor
 * carries them.
 */
MUST_USE enum fail_code ask_attach(struct ask *ask, const struct buf *bytes, struct fail *f);
/* Sends it and waits; what the vault says failed is this call's failure. */
MUST_USE enum fail_code ask_vault(struct ask *ask, const struct vault *vault, struct fail *f);
/*
 * The answer was well-formed and read to its end. SG_EPEER (temporary) if not: the vault's mistake
 * is not the message's.
 */
MUST_USE enum fail_code ask_read(struct ask *ask, struct fail *f);
/* Appends u32 count and the records. SG_ELIMIT, SG_ENOMEM. */
MUST_USE enum fail_code ask_records(const struct record *records, size_t count, struct buf *out);
/* Wipes question and answer. */
void ask_end(struct ask *ask);

#endif
