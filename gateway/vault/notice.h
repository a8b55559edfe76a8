/*
 * notice: letters to senders, and passwords for hooks, in the vault's outbox until sealgate-notify
 * has handed them over. Private to the vault.
 */
#ifndef SG_GATEWAY_VAULT_NOTICE_H
#define SG_GATEWAY_VAULT_NOTICE_H

#include "gateway/store/store.h"
#include "gateway/vault/letter.h"
#include "gateway/vault/server.h"

#define NOTICE_LIFE_MS ((int64_t)5 * 24 * 3600 * 1000)	/* as long as Postfix tries */

/*
 * Seals a letter into the outbox, inside a transaction: row says id, tenant and times, the letter
 * for whom it is.
 */
MUST_USE enum fail_code notice_put(struct server *server, struct store_outbox *row,
    const struct letter *letter, struct fail *f);

#endif
