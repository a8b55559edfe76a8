/*
 * share: the configuration in use, swapped as one pointer with a count.
 *
 * A message keeps the one it began with. Any thread.
 */
#ifndef SG_MILTER_SHARE_H
#define SG_MILTER_SHARE_H

#include <pthread.h>

#include "config/conf.h"
#include "gateway/base/fail.h"

struct share_item;	/* one configuration and how many use it */

struct share {
	pthread_mutex_t lock;
	struct share_item *current;
};

/* Takes conf over, also when it fails. */
MUST_USE enum fail_code share_init(struct share *share, struct conf *conf);
/* From now on new messages get conf (taken over, also when it fails). */
MUST_USE enum fail_code share_replace(struct share *share, struct conf *conf);
/* The configuration of now; give it back with share_release. */
struct share_item *share_acquire(struct share *share);
const struct conf *share_conf(const struct share_item *item);
/* NULL is allowed. */
void share_release(struct share *share, struct share_item *item);
void share_free(struct share *share);

#endif
