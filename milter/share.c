#include "milter/share.h"

#include <stdlib.h>

struct share_item {
	struct conf *conf;
	unsigned int users;	/* under the lock; the share itself is one */
};

static struct share_item *new_item(struct conf *conf)
{
	struct share_item *item = malloc(sizeof(*item));

	if (item == NULL) {
		conf_free(conf);
		return NULL;
	}
	item->conf = conf;
	item->users = 1;
	return item;
}

enum fail_code share_init(struct share *share, struct conf *conf)
{
	share->current = new_item(conf);
	if (share->current == NULL)
		return SG_ENOMEM;
	if (pthread_mutex_init(&share->lock, NULL) != 0) {
		conf_free(conf);
		free(share->current);
		share->current = NULL;
		return SG_ENOMEM;
	}
	return SG_OK;
}

enum fail_code share_replace(struct share *share, struct conf *conf)
{
	struct share_item *item = new_item(conf);
	struct share_item *old;

	if (item == NULL)
		return SG_ENOMEM;
	(void)pthread_mutex_lock(&share->lock);
	old = share->current;
	share->current = item;
	(void)pthread_mutex_unlock(&share->lock);
	share_release(share, old);
	return SG_OK;
}

struct share_item *share_acquire(struct share *share)
{
	struct share_item *item;

	(void)pthread_mutex_lock(&share->lock);
	item = share->current;
	item->users++;
	(void)pthread_mutex_unlock(&share->lock);
	return item;
}

const struct conf *share_conf(const struct share_item *item)
{
	return item->conf;
}

void share_release(struct share *share, struct share_item *item)
{
	bool last;

	if (item == NULL)
		return;
	(void)pthread_mutex_lock(&share->lock);
	SG_BUG_IF(item->users == 0);
	item->users--;
	last = item->users == 0;
	(void)pthread_mutex_unlock(&share->lock);
	if (!last)
		return;
	conf_free(item->conf);
	free(item);
}

void share_free(struct share *share)
{
	share_release(share, share->current);
	share->current = NULL;
	(void)pthread_mutex_destroy(&share->lock);
}
