#include "gateway/tls/loop.h"

#include <stdlib.h>
#include <unistd.h>

#define BATCH 256	/* events taken at once */

struct loop {
	int epoll;
	int at;			/* the event being served */
	int count;
	struct epoll_event events[BATCH];
};

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	(void)close(loop->epoll);
	free(loop);
}

int loop_fd(const struct loop *loop)
{
	return loop->epoll;
}

enum fail_code loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events,
    struct fail *f)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	watch->events = events;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot watch a descriptor");
	return SG_OK;
}

void loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (watch->events == events)
		return;
	watch->events = events;
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	int i;

	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	for (i = loop->at; i < loop->count; i++)
		if (loop->events[i].data.ptr == watch)
			loop->events[i].data.ptr = NULL;
}

int loop_serve(struct loop *loop)
{
	int n = epoll_wait(loop->epoll, loop->events, BATCH, 0);

	loop->count = n;
	for (loop->at = 0; loop->at < loop->count; loop->at++) {
		struct loop_watch *watch = loop->events[loop->at].data.ptr;

		if (watch != NULL)
			watch->ready(watch->context, loop->events[loop->at].events);
	}
	loop->count = 0;
	return n;
}
