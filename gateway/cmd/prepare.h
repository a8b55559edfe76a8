/*
 * prepare: the places that the gateway needs before its workers start. Supervisor only.
 */
#ifndef SG_GATEWAY_CMD_PREPARE_H
#define SG_GATEWAY_CMD_PREPARE_H

#include "config/conf.h"
#include "gateway/base/fail.h"

/* The listening sockets of the workers; -1 when closed. */
struct prepare_sockets {
	int scan;
	int pdf;
	int vault;
	int admin;
	int facts;		/* vault: what sealgate-trace and sealgate-tls tell */
	int notice;		/* vault: sealgate-notify asks */
	int tls;
	int policy;		/* sealgate-tls: Postfix asks */
	int metrics;		/* sealgate-tls: Prometheus asks; -1 if not wanted */
	int health;		/* sealgate-health: Prometheus and others ask; -1 if not wanted */
};

/*
 * Makes the folders (run, state, spool, cache, those of Postfix's sockets) where they are
 * missing and gives them to their users when root. SG_ESYSTEM, SG_EUSAGE with what to do.
 */
MUST_USE enum fail_code prepare_folders(const struct conf *conf, struct fail *f);

/* Takes the lock that says "one gateway"; *lock_out stays open until the end. SG_EEXIST. */
MUST_USE enum fail_code prepare_lock(const struct conf *conf, int *lock_out, struct fail *f);

/* Opens all listening sockets: below run_directory each for its clients, and those for others. */
MUST_USE enum fail_code prepare_listen(const struct conf *conf, struct prepare_sockets *sockets,
    struct fail *f);
void prepare_close(struct prepare_sockets *sockets);

#endif
