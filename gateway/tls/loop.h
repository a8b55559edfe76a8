/*
 * loop: descriptors that sealgate-tls waits for, each with a function (epoll). One thread.
 */
#ifndef SG_GATEWAY_TLS_LOOP_H
#define SG_GATEWAY_TLS_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "gateway/base/fail.h"

/* events: EPOLLIN and so on; EPOLLERR and EPOLLHUP come unasked. */
typedef void loop_fn(void *context, uint32_t events);

/* Lives in what it belongs to; must be removed before that is freed. */
struct loop_watch {
	int fd;
	loop_fn *ready;
	void *context;
	uint32_t events;
};

struct loop;

/* NULL: the system has no more. */
struct loop *loop_new(void);
/* Closes none of the descriptors watched. */
void loop_free(struct loop *loop);
/* Readable when a watch is ready. */
int loop_fd(const struct loop *loop);

/* fd, ready and context are filled; events says what is waited for. SG_ESYSTEM. */
MUST_USE enum fail_code loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events,
    struct fail *f);
/* Waits for something else from now on. */
void loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events);
/* Its function is not called any more, not even for what is ready already. */
void loop_remove(struct loop *loop, struct loop_watch *watch);

/* Calls the functions of what is ready now, a batch at most; returns how many. Never waits. */
int loop_serve(struct loop *loop);

#endif
