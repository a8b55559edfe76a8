/* Metrics over HTTP: GET /metrics, for Prometheus. libmicrohttpd brings its own epoll. */
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tls/server.h"

#define CONNECTIONS_MAX 16
#define TIMEOUT_S 10

struct serve_metrics {
	struct server *server;
	struct MHD_Daemon *daemon;
	struct loop_watch watch;
};

/* data is copied. */
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int status,
    void *data, size_t size, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(size, data,
	    MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size,
    void **request)
{
	struct serve_metrics *serve = context;
	enum MHD_Result result = MHD_NO;
	static const char only_get[] = "GET only\n";
	static const char elsewhere[] = "see /metrics\n";
	struct buf text;

	(void)version;
	(void)upload;
	if (*request == NULL) {
		*request = serve;	/* the head alone: more may come */
		return MHD_YES;
	}
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, (void *)(uintptr_t)only_get,
		    sizeof(only_get) - 1,
		    "text/plain");
	if (strcmp(url, "/metrics") != 0)
		return respond(connection, MHD_HTTP_NOT_FOUND, (void *)(uintptr_t)elsewhere,
		    sizeof(elsewhere) - 1, "text/plain");
	buf_init(&text, METRICS_TEXT_MAX);
	if (server_metrics(serve->server, &text) == SG_OK)
		result = respond(connection, MHD_HTTP_OK, text.data, text.size,
		    "text/plain; version=0.0.4; charset=utf-8");
	buf_free(&text);
	return result;
}

static void metrics_event(void *context, uint32_t events)
{
	struct serve_metrics *serve = context;

	(void)events;
	(void)MHD_run(serve->daemon);
}

struct serve_metrics *serve_metrics_new(struct server *server)
{
	struct serve_metrics *serve = calloc(1, sizeof(*serve));

	if (serve != NULL)
		serve->server = server;
	return serve;
}

enum fail_code serve_metrics_listen(struct serve_metrics *serve, int listener, struct fail *f)
{
	const union MHD_DaemonInfo *info;

	serve->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, serve,
	    MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned int)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned int)TIMEOUT_S, MHD_OPTION_END);
	info = serve->daemon == NULL ? NULL :
	    MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL)
		return fail_set(f, SG_ESYSTEM, NULL, "cannot serve metrics");
	serve->watch.fd = info->epoll_fd;
	serve->watch.ready = metrics_event;
	serve->watch.context = serve;
	return loop_add(serve->server->loop, &serve->watch, EPOLLIN, f);
}

void serve_metrics_tend(struct serve_metrics *serve)
{
	if (serve->daemon != NULL)
		(void)MHD_run(serve->daemon);
}

void serve_metrics_free(struct serve_metrics *serve)
{
	if (serve == NULL)
		return;
	if (serve->daemon != NULL)
		MHD_stop_daemon(serve->daemon);
	free(serve);
}
