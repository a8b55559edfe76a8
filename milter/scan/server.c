#include "milter/scan/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/step.h"
#include "gateway/base/wire.h"

#define REQUEST_WAIT_MS 5000	/* a client sends right after it connected */
#define PAUSE_MS 100		/* when accepting fails: descriptors may come back */
#define STOP_STEP_MS 5
#define STACK_SIZE ((size_t)8 * 1024 * 1024)	/* bytes; libclamav's recursion is deep */

/* One thread's. */
struct seat {
	struct server *server;
	pthread_t thread;
	atomic_bool waits;	/* in accept(2): there it may be interrupted */
};

struct server {
	int listener;
	size_t size_max;
	struct service *service;
	atomic_bool stop;
	atomic_uint running;
	unsigned int count;
	struct seat seats[SERVER_THREADS_MAX];
};

/* Nobody may change the bytes while they are looked at: a sealed memfd, or read-only to us. */
static enum fail_code check_descriptor(int fd, uint64_t size, struct fail *f)
{
	const int needed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int flags = fcntl(fd, F_GETFL);
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (fd < 0 || flags < 0 || fstat(fd, &st) != 0)
		return fail_set(f, SG_EFORMAT, NULL, "no descriptor came with the request");
	if (!S_ISREG(st.st_mode) || (flags & O_PATH) != 0)
		return fail_set(f, SG_EFORMAT, NULL, "the descriptor is not a file");
	if ((seals < 0 || (seals & needed) != needed) && (flags & O_ACCMODE) != O_RDONLY)
		return fail_set(f, SG_EDENIED, NULL,
		    "the descriptor is neither sealed nor read-only");
	if (st.st_size < 0 || (uint64_t)st.st_size != size)
		return fail_set(f, SG_EFORMAT, NULL, "the file has %lld bytes, %llu were announced",
		    (long long)st.st_size, (unsigned long long)size);
	return SG_OK;
}

static enum fail_code put_result(struct wire_message *reply, const struct scan_result *result,
    struct fail *f)
{
	if (buf_put_u8(&reply->body, (uint8_t)result->verdict) != SG_OK ||
	    buf_put_str(&reply->body, result->name) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	return SG_OK;
}

static void too_large(const struct server *server, struct scan_result *result)
{
	result->verdict = SCAN_UNSCANNABLE;
	(void)snprintf(result->name, sizeof(result->name), "larger than scan.size_max, %zu bytes",
	    server->size_max);
}

static enum fail_code handle_scan(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct server *server = context;
	struct scan_result result;
	struct buf_reader reader;
	struct fd_map map;
	enum fail_code code;
	uint64_t size;

	buf_reader_init(&reader, request->body.data, request->body.size);
	if (buf_get_u64(&reader, &size) != SG_OK || buf_get_end(&reader) != SG_OK)
		return fail_set(f, SG_EFORMAT, NULL, "the scan request cannot be read");
	code = check_descriptor(request->fd, size, f);
	if (code != SG_OK)
		return code;
	if (size > server->size_max) {
		too_large(server, &result);
		return put_result(reply, &result, f);
	}
	code = fd_map(request->fd, server->size_max, &map, f);
	if (code != SG_OK)
		return code;
	STEP("scan-asked");
	service_scan(server->service, map.data, map.size, &result);
	STEP("scan-done");
	fd_unmap(&map);
	return put_result(reply, &result, f);
}

static enum fail_code handle_status(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct server *server = context;
	struct scan_status status;

	if (request->body.size != 0)
		return fail_set(f, SG_EFORMAT, NULL, "the status request cannot be read");
	service_status(server->service, &status);
	if (buf_put_u64(&reply->body, status.signatures) != SG_OK ||
	    buf_put_u64(&reply->body, (uint64_t)status.database_time) != SG_OK ||
	    buf_put_u64(&reply->body, (uint64_t)status.outdated_since) != SG_OK ||
	    buf_put_u8(&reply->body, status.in_service != 0) != SG_OK ||
	    buf_put_u8(&reply->body, status.asks_clamd != 0) != SG_OK ||
	    buf_put_str(&reply->body, status.version) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	return SG_OK;
}

static const struct wire_handler handlers[] = {
	{ SCAN_REQUEST, 1u << 0, handle_scan },
	{ SCAN_STATUS, 1u << 0, handle_status },
};

static void serve(struct server *server, int socket)
{
	struct wire_message request;
	struct fail f;

	fail_clear(&f);
	wire_message_init(&request, 0);
	if (wire_receive(socket, &request, REQUEST_WAIT_MS, &f) != SG_OK ||
	    wire_dispatch(handlers, sizeof(handlers) / sizeof(handlers[0]), 0, server, socket,
	    &request, &f) != SG_OK)
		log_failure(LOG_LEVEL_DEBUG, NULL, "request_dropped", &f);
	wire_message_free(&request);
}

/* The next connection. A signal in the middle of a scan would be an error to libclamav. */
static enum fail_code next(struct seat *seat, int *socket_out, struct fail *f)
{
	enum fail_code code;

	atomic_store(&seat->waits, true);
	code = atomic_load(&seat->server->stop) ? SG_EPEER :
	    wire_accept(seat->server->listener, socket_out, f);
	atomic_store(&seat->waits, false);
	return code;
}

static void *run(void *context)
{
	struct seat *seat = context;
	struct server *server = seat->server;
	struct fail f;
	int socket;

	fail_clear(&f);
	while (!atomic_load(&server->stop)) {
		switch (next(seat, &socket, &f)) {
		case SG_OK:
			serve(server, socket);
			fd_close(&socket);
			break;
		case SG_EPEER:	/* interrupted: look whether to stop */
			break;
		default:
			log_failure(LOG_LEVEL_ERROR, NULL, "accept_failed", &f);
			(void)poll(NULL, 0, PAUSE_MS);
			break;
		}
	}
	atomic_fetch_sub(&server->running, 1);
	return NULL;
}

/* Only there to interrupt accept(2). */
static void on_wake(int number)
{
	(void)number;
}

static enum fail_code prepare_wake(struct fail *f)
{
	struct sigaction action = { .sa_handler = on_wake };

	if (sigaction(SIGUSR1, &action, NULL) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot set a signal handler");
	return SG_OK;
}

static enum fail_code start_threads(struct server *server, unsigned int threads, struct fail *f)
{
	pthread_attr_t attributes;
	int error;

	error = pthread_attr_init(&attributes);
	if (error == 0)
		error = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	while (error == 0 && server->count < threads) {
		struct seat *seat = &server->seats[server->count];

		seat->server = server;
		atomic_fetch_add(&server->running, 1);
		error = pthread_create(&seat->thread, &attributes, run, seat);
		if (error == 0)
			server->count++;
		else
			atomic_fetch_sub(&server->running, 1);
	}
	(void)pthread_attr_destroy(&attributes);
	errno = error;
	return error == 0 ? SG_OK : fail_errno(f, SG_ESYSTEM, NULL, "cannot start a thread");
}

enum fail_code server_start(int listener, unsigned int threads, size_t size_max,
    struct service *service, struct server **server_out, struct fail *f)
{
	struct server *server = calloc(1, sizeof(*server));
	enum fail_code code;

	*server_out = NULL;
	if (server == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	server->listener = listener;
	server->size_max = size_max;
	server->service = service;
	code = prepare_wake(f);
	if (code == SG_OK)
		code = start_threads(server,
		    threads < SERVER_THREADS_MAX ? threads : SERVER_THREADS_MAX, f);
	if (code == SG_OK)
		*server_out = server;
	else
		server_stop(server);
	return code;
}

void server_stop(struct server *server)
{
	if (server == NULL)
		return;
	atomic_store(&server->stop, true);
	/* it may come just before accept(2) blocks: so again until all are through */
	while (atomic_load(&server->running) > 0) {
		for (unsigned int i = 0; i < server->count; i++)
			if (atomic_load(&server->seats[i].waits))
				(void)pthread_kill(server->seats[i].thread, SIGUSR1);
		(void)poll(NULL, 0, STOP_STEP_MS);
	}
	for (unsigned int i = 0; i < server->count; i++)
		(void)pthread_join(server->seats[i].thread, NULL);
	free(server);
}
