/*
 * prepare: the places that the gateway needs before its workers start. Supervisor only.
 */
#ifndef SG_GATEWAY_CMD_PREPARE_H
#define SG_GATEWAY_CMD_PREPARE_H

#include <stdbool.h>

#include "config/conf.h"
#include "gateway/base/fail.h"

/* The listening sockets of the workers. */
enum prepare_socket {
	PREPARE_SCAN,
	PREPARE_PDF,
	PREPARE_VAULT,
	PREPARE_ADMIN,
	PREPARE_FACTS,		/* vault: what sealgate-trace and sealgate-tls tell */
	PREPARE_NOTICE,		/* vault: sealgate-notify asks */
	PREPARE_TLS,
	PREPARE_POLICY,		/* sealgate-tls: Postfix asks */
	PREPARE_METRICS,	/* sealgate-tls: Prometheus asks; may be unwanted */
	PREPARE_HEALTH,		/* sealgate-health: the same */
	PREPARE_FILTER,		/* Postfix */
	PREPARE_SOCKETS
};

struct prepare_sockets {
	int fds[PREPARE_SOCKETS];	/* -1: closed */
};

/* Where a socket is known by name: to another gateway, to systemd. */
const char *prepare_name(enum prepare_socket which);

/*
 * Makes the folders (run, state, spool, cache, those of Postfix's sockets) where they are
 * missing and gives them to their users when root. SG_ESYSTEM, SG_EUSAGE with what to do.
 */
MUST_USE enum fail_code prepare_folders(const struct conf *conf, struct fail *f);

/*
 * A master key below /run/credentials is that in folder (of the unit; NULL), whichever folder the
 * configuration names: two gateways have one configuration. SG_EUSAGE: the unit has none.
 */
MUST_USE enum fail_code prepare_credentials(const char *folder, struct conf *conf, struct fail *f);

/*
 * Takes the lock that says "one gateway"; *lock_out stays open until the end. SG_EEXIST: another
 * has it.
 */
MUST_USE enum fail_code prepare_lock(const struct conf *conf, int *lock_out, struct fail *f);

/* All closed. */
void prepare_init(struct prepare_sockets *sockets);
/*
 * Takes a listening socket over that another process opened under that name, in place of one that
 * is open, if it is where the configuration has it; else fd stays the caller's: false.
 */
bool prepare_take(const struct conf *conf, const char *name, int fd,
    struct prepare_sockets *sockets);
/*
 * Opens those that are closed: below run_directory each for its clients, and those for others.
 * What was opened stays open if one fails.
 */
MUST_USE enum fail_code prepare_listen(const struct conf *conf, struct prepare_sockets *sockets,
    struct fail *f);
void prepare_close(struct prepare_sockets *sockets);

#endif
