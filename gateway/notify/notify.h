/*
 * notify: what the files of sealgate-notify share: main.c (start, loop), letter.c (mail to senders)
 * and hand.c (passwords for hooks). For these alone.
 */
#ifndef SG_GATEWAY_NOTIFY_NOTIFY_H
#define SG_GATEWAY_NOTIFY_NOTIFY_H

#include "config/conf.h"
#include "gateway/base/log.h"
#include "gateway/base/secret.h"
#include "gateway/notify/compose.h"
#include "gateway/notify/runner.h"
#include "gateway/vault/vault.h"

struct notify {
	struct conf *conf;
	char *path;			/* of the vault's socket */
	struct vault vault;
	struct compose_text texts[CONF_LANGUAGES];
	struct secret *tokens;		/* one a tenant of conf; empty: none */
	struct runner runner;
	int terminate;
	bool vault_away;		/* said once */
	struct counters *counters;	/* NULL: nobody counts */
};

/*
 * Makes a message of a letter and hands it to Postfix. A failure is the vault's: what Postfix does
 * not take is logged, and comes again.
 */
MUST_USE enum fail_code notify_letter(const struct notify *notify,
    const struct vault_notice *notice, struct fail *f);

/* Reads the tokens of hooks; before rights are dropped, since such a file may be root's. */
MUST_USE enum fail_code notify_tokens(struct notify *notify, struct fail *f);
/*
 * Hands a password to the tenant's hook, once. A failure is the vault's, or the runner is gone
 * (runner.socket is -1 then): what the hook does not take comes again, or its sender hears.
 */
MUST_USE enum fail_code notify_hand(struct notify *notify, const struct vault_notice *notice,
    struct fail *f);

/* One line about it. */
void notify_log(const struct vault_notice *notice, enum log_level level, const char *event,
    const struct fail *f);

#endif
