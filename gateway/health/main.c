/*
 * sealgate-health: metrics and health over HTTP, by libmicrohttpd.
 *
 * All that it has is the page of counters. It asks no other program, opens no file and connects
 * nowhere: whoever breaks into it through HTTP has numbers.
 */
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "gateway/health/show.h"

#define CONNECTIONS_MAX 32u
#define TIMEOUT_S 10u
#define MEMORY_MAX ((size_t)512 * 1024 * 1024)	/* bytes of address space: a thread's stack */
#define FILES_MAX 64u
#define BEAT_MS 1000
#define BEAT_WITHIN_MS 8000
#define TEXT_PLAIN "text/plain; charset=utf-8"

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int status,
    const char *type, const struct buf *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(text->size, text->data,
	    MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* The status; the text goes to out. */
static unsigned int answer_url(struct counters *counters, const char *url, const char **type_out,
    struct buf *out)
{
	int64_t now_ms = clock_mono_ms(clock_system());
	enum fail_code code = SG_OK;
	bool ready = true;

	*type_out = TEXT_PLAIN;
	if (strcmp(url, "/metrics") == 0) {
		*type_out = "text/plain; version=0.0.4; charset=utf-8";
		code = show_metrics(counters, now_ms, out);
	} else if (strcmp(url, "/readyz") == 0) {
		code = show_ready(counters, now_ms, &ready, out);
	} else if (strcmp(url, "/healthz") == 0) {
		code = buf_append_str(out, "alive\n");
	} else {
		(void)!buf_append_str(out, "see /metrics, /readyz and /healthz\n");
		return MHD_HTTP_NOT_FOUND;
	}
	if (code != SG_OK)
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	return ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size,
    void **request)
{
	struct counters *counters = context;
	const char *type = TEXT_PLAIN;
	enum MHD_Result result;
	unsigned int status;
	struct buf text;

	(void)version;
	(void)upload;
	if (*request == NULL) {
		*request = counters;	/* the head alone: more may come */
		return MHD_YES;
	}
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	buf_init(&text, SHOW_TEXT_MAX);
	if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
		status = answer_url(counters, url, &type, &text);
	} else {
		(void)!buf_append_str(&text, "GET only\n");
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	result = respond(connection, status, type, &text);
	buf_free(&text);
	return result;
}

/* Until the supervisor wants us to end, or is gone. */
static void serve(const struct proc_boot *boot)
{
	struct pollfd control = { boot->control, POLLIN, 0 };

	/* the only thing that comes is the end */
	do {
		counters_beat(boot->counters, BEAT_WITHIN_MS);
	} while (poll(&control, 1, BEAT_MS) <= 0);
}

static enum fail_code enter_sandbox(const struct conf *conf, struct fail *f)
{
	const struct sandbox sandbox = {
		.allow = SANDBOX_ACCEPT | SANDBOX_THREADS | SANDBOX_SOCKET_INET,
		.reduced = conf->sandbox == CONF_SANDBOX_REDUCED,
	};

	return sandbox_enter(&sandbox, f);
}

static enum fail_code start(const struct proc_boot *boot, struct MHD_Daemon **daemon_out,
    struct fail *f)
{
	struct conf *conf = NULL;
	enum fail_code code = conf_decode(boot->config.data, boot->config.size, &conf, f);

	if (code != SG_OK)
		return code;
	log_set_level((enum log_level)conf->log.level);
	if (boot->counters == NULL || boot->listener_count != 1)
		code = fail_set(f, SG_ESYSTEM, NULL, "there is no page of counters to show");
	if (code == SG_OK)
		code = proc_limit(MEMORY_MAX, FILES_MAX, 0, f);
	if (code == SG_OK)
		code = proc_drop(conf->users.health, f);
	if (code == SG_OK)
		code = enter_sandbox(conf, f);
	if (code == SG_OK) {
		*daemon_out = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer,
		    boot->counters, MHD_OPTION_LISTEN_SOCKET, boot->listeners[0],
		    MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		    TIMEOUT_S, MHD_OPTION_END);
		if (*daemon_out == NULL)
			code = fail_set(f, SG_ESYSTEM, NULL, "cannot serve HTTP");
	}
	if (code == SG_OK)
		code = proc_worker_ready(boot, conf->health.listen, f);
	conf_free(conf);
	return code;
}

int main(int argc, char *argv[])
{
	struct MHD_Daemon *daemon = NULL;
	struct proc_boot boot;
	int status = EX_OK;
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	log_start("sealgate-health", LOG_LEVEL_NOTICE);
	code = proc_worker_start(argc, argv, &boot, &f);
	if (code == SG_OK)
		code = start(&boot, &daemon, &f);
	if (code != SG_OK) {
		proc_worker_failed(&boot, &f);
		status = code == SG_EUSAGE ? EX_CONFIG : EX_TEMPFAIL;
	} else {
		serve(&boot);
	}
	if (daemon != NULL)
		MHD_stop_daemon(daemon);
	proc_boot_free(&boot);
	return status;
}
