/*
 * supervise: the gateway's workers, started, watched, started again, stopped in order.
 *
 * One thread. The listening sockets are the supervisor's: while a worker is away, requests wait
 * in them.
 */
#ifndef SG_GATEWAY_CMD_SUPERVISE_H
#define SG_GATEWAY_CMD_SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "gateway/cmd/prepare.h"

struct supervise;

/* sockets is borrowed until supervise_free. */
MUST_USE enum fail_code supervise_new(const struct conf *conf,
    const struct prepare_sockets *sockets, struct supervise **supervise_out, struct fail *f);
/* Stops all workers: the filter first, so that nothing new comes in, the vault last. */
void supervise_free(struct supervise *supervise);

/* Starts all and waits until each is ready. The first that cannot start is the failure. */
MUST_USE enum fail_code supervise_start(struct supervise *supervise, struct fail *f);

/* Reaps what ended and starts it again, not more often than its pause allows. */
void supervise_tend(struct supervise *supervise);

/* Milliseconds until supervise_tend has something to do, or -1. */
int supervise_wait_ms(const struct supervise *supervise);

/*
 * A new configuration: the filter gets it without a pause; the other workers are replaced one
 * after another if their part changed, the new one ready before the old one ends where two can
 * live side by side.
 */
MUST_USE enum fail_code supervise_reload(struct supervise *supervise, const struct conf *conf,
    struct fail *f);

#endif
