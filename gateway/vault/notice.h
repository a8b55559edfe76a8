/*
 * notice: letters to senders in the vault's outbox, until sealgate-notify has handed them over.
 * Private to the vault.
 */
#ifndef SG_GATEWAY_VAULT_NOTICE_H
#define SG_GATEWAY_VAULT_NOTICE_H

#include "gateway/vault/crypt.h"

#define NOTICE_LIFE_MS ((int64_t)5 * 24 * 3600 * 1000)	/* as long as Postfix tries */

/* Where a letter is sealed; tenant and id are the row's. */
extern const struct crypt_place notice_place;

#endif
