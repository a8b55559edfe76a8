/*
 * server: the threads that take requests from the listening socket, which is the one queue.
 *
 * Each accepts one connection, serves its one request, closes it. A connection that is not served
 * yet stays with the socket, which the supervisor owns: it outlives us.
 */
#ifndef SG_MILTER_SCAN_SERVER_H
#define SG_MILTER_SCAN_SERVER_H

#include <stddef.h>

#include "gateway/base/fail.h"
#include "milter/scan/service.h"

#define SERVER_THREADS_MAX 256u	/* as scan.threads; more than cores give nothing */

struct server;

/* Starts the threads. size_max: bytes of a message. Everything is borrowed until server_stop. */
MUST_USE enum fail_code server_start(int listener, unsigned int threads, size_t size_max,
    struct service *service, struct server **server_out, struct fail *f);
/* Lets every thread finish its request, then frees. NULL is allowed. */
void server_stop(struct server *server);

#endif
