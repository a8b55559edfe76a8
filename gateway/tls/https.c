#include "gateway/tls/https.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "gateway/base/buf.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/tls/sts.h"

#define ADDRESSES_MAX 600	/* bytes of the list that libcurl gets */
#define CA_FILE_MAX ((size_t)16 * 1024 * 1024)
#define CONNECTIONS_MAX 200L
#define URL_MAX 512

struct fetch {
	struct https *https;
	struct fetch *next;
	struct fetch *previous;
	CURL *easy;
	struct curl_slist *resolve;
	struct buf body;
	char host[256];
	char path[128];
	char addresses[ADDRESSES_MAX];
	char error[CURL_ERROR_SIZE];
	char dns_why[200];
	int waiting;		/* DNS answers that are to come */
	bool too_large;
	bool over;		/* answered; freed with the last DNS answer */
	source_https_fn *done;
	void *context;
};

struct https {
	CURLM *multi;
	const struct clock *clock;
	const struct source *dns;
	struct buf ca;
	int epoll_fd;
	long timeout_ms;
	int64_t timer_ms;	/* monotonic; -1: none */
	struct fetch *fetches;
};

/* ---- libcurl's wishes ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct https *https = context;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	(void)socket_context;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(https->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		event.events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(https->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
		(void)epoll_ctl(https->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *context)
{
	struct https *https = context;

	(void)multi;
	https->timer_ms = wait_ms < 0 ? -1 : clock_mono_ms(https->clock) + wait_ms;
	return 0;
}

/* ---- making it ---- */

enum fail_code https_new(const struct conf *conf, const struct clock *clock,
    const struct source *dns, int epoll_fd, struct https **https_out, struct fail *f)
{
	struct https *https = calloc(1, sizeof *https);
	enum fail_code code;

	*https_out = NULL;
	if (https == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for fetching");
	https->clock = clock;
	https->dns = dns;
	https->epoll_fd = epoll_fd;
	https->timer_ms = -1;
	https->timeout_ms = (long)(conf->tls.timeout_ms / 4 * 3);
	buf_init(&https->ca, CA_FILE_MAX);
	code = fd_read_file(conf->tls.ca_file, &https->ca, f);
	if (code == SG_OK && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "libcurl cannot start");
	if (code == SG_OK) {
		https->multi = curl_multi_init();
		if (https->multi == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for fetching");
	}
	if (code != SG_OK) {
		https_free(https);
		return code;
	}
	(void)curl_multi_setopt(https->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(https->multi, CURLMOPT_SOCKETDATA, https);
	(void)curl_multi_setopt(https->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(https->multi, CURLMOPT_TIMERDATA, https);
	(void)curl_multi_setopt(https->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
	*https_out = https;
	return SG_OK;
}

/* ---- one file ---- */

static void fetch_free(struct fetch *fetch)
{
	if (fetch->waiting > 0)
		return;
	curl_easy_cleanup(fetch->easy);
	curl_slist_free_all(fetch->resolve);
	buf_free(&fetch->body);
	free(fetch);
}

/* Answers, once, and takes the fetch off the list. */
static void fetch_end(struct fetch *fetch, const struct source_https *answer)
{
	struct https *https = fetch->https;

	if (fetch->easy != NULL)
		(void)curl_multi_remove_handle(https->multi, fetch->easy);
	SG_BUG_IF((fetch->previous == NULL) != (https->fetches == fetch));
	if (fetch->previous != NULL)
		fetch->previous->next = fetch->next;
	else
		https->fetches = fetch->next;
	if (fetch->next != NULL)
		fetch->next->previous = fetch->previous;
	fetch->over = true;
	fetch->done(fetch->context, answer);
	fetch_free(fetch);
}

static void fetch_fail(struct fetch *fetch, const char *why, bool untrusted)
{
	struct source_https answer = { .why = why, .untrusted = untrusted };

	fetch_end(fetch, &answer);
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
	struct fetch *fetch = context;

	(void)one;	/* always 1 */
	if (buf_append(&fetch->body, data, size) != SG_OK) {
		fetch->too_large = true;
		return 0;
	}
	return size;
}

static bool set_text(CURL *easy, CURLoption option, const char *text)
{
	return curl_easy_setopt(easy, option, text) == CURLE_OK;
}

static bool set_number(CURL *easy, CURLoption option, long number)
{
	return curl_easy_setopt(easy, option, number) == CURLE_OK;
}

static bool set_security(CURL *easy, const struct https *https)
{
	struct curl_blob ca = { .data = https->ca.data, .len = https->ca.size,
		.flags = CURL_BLOB_NOCOPY };

	return set_text(easy, CURLOPT_PROTOCOLS_STR, "https") &&
	    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca) == CURLE_OK &&
	    set_text(easy, CURLOPT_CAPATH, NULL) &&
	    set_number(easy, CURLOPT_SSL_VERIFYPEER, 1) &&
	    set_number(easy, CURLOPT_SSL_VERIFYHOST, 2) &&
	    set_number(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	    set_number(easy, CURLOPT_FOLLOWLOCATION, 0) && set_text(easy, CURLOPT_PROXY, "") &&
	    set_text(easy, CURLOPT_NOPROXY, "*") &&
	    set_number(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
	    set_number(easy, CURLOPT_FORBID_REUSE, 1) && set_number(easy, CURLOPT_NOSIGNAL, 1);
}

static bool set_up(struct fetch *fetch, const char *url)
{
	CURL *easy = fetch->easy;
	long timeout_ms = fetch->https->timeout_ms;

	return set_security(easy, fetch->https) && set_text(easy, CURLOPT_URL, url) &&
	    set_text(easy, CURLOPT_USERAGENT, "sealgate-tls/" SG_VERSION) &&
	    curl_easy_setopt(easy, CURLOPT_RESOLVE, fetch->resolve) == CURLE_OK &&
	    set_number(easy, CURLOPT_TIMEOUT_MS, timeout_ms) &&
	    set_number(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms / 2) &&
	    set_number(easy, CURLOPT_MAXFILESIZE, (long)STS_BODY_MAX) &&
	    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch) == CURLE_OK;
}

/* Addresses are known: libcurl connects. */
static void start(struct fetch *fetch)
{
	char pinned[ADDRESSES_MAX + 300];
	char url[URL_MAX];

	(void)snprintf(pinned, sizeof pinned, "%s:443:%s", fetch->host, fetch->addresses);
	(void)snprintf(url, sizeof url, "https://%s/%s", fetch->host, fetch->path);
	fetch->resolve = curl_slist_append(NULL, pinned);
	fetch->easy = curl_easy_init();
	if (fetch->resolve == NULL || fetch->easy == NULL || !set_up(fetch, url) ||
	    curl_multi_add_handle(fetch->https->multi, fetch->easy) != CURLM_OK)
		fetch_fail(fetch, "no memory", false);
}

static void keep_address(struct fetch *fetch, const struct source_record *record)
{
	int family = record->size == 4 ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN];
	size_t at = strlen(fetch->addresses);
	const char *comma = at > 0 ? "," : "";

	if ((record->size != 4 && record->size != 16) ||
	    inet_ntop(family, record->data, text, sizeof text) == NULL ||
	    sizeof fetch->addresses - at < sizeof text + 4)
		return;
	(void)snprintf(fetch->addresses + at, sizeof fetch->addresses - at,
	    family == AF_INET ? "%s%s" : "%s[%s]", comma, text);
}

static void on_address(void *context, const struct source_dns *answer)
{
	struct fetch *fetch = context;
	size_t i;

	fetch->waiting--;
	if (fetch->over) {
		fetch_free(fetch);
		return;
	}
	for (i = 0; answer->status == SOURCE_DNS_ANSWER && i < answer->count; i++)
		keep_address(fetch, &answer->records[i]);
	if (answer->status == SOURCE_DNS_FAILED)
		(void)snprintf(fetch->dns_why, sizeof fetch->dns_why, "its address: %.160s",
		    answer->why == NULL ? "no answer" : answer->why);
	if (fetch->waiting > 0)
		return;
	if (fetch->addresses[0] != '\0')
		start(fetch);
	else
		fetch_fail(fetch, fetch->dns_why[0] != '\0' ? fetch->dns_why :
		    "it has no address", false);
}

void https_get(struct https *https, const char *host, const char *path, source_https_fn *done,
    void *context)
{
	struct source_https failed = { .why = "no memory" };
	struct fetch *fetch = calloc(1, sizeof *fetch);
	const struct source *dns = https->dns;

	if (fetch == NULL) {
		done(context, &failed);
		return;
	}
	fetch->https = https;
	fetch->done = done;
	fetch->context = context;
	buf_init(&fetch->body, STS_BODY_MAX);
	(void)snprintf(fetch->host, sizeof fetch->host, "%s", host);
	(void)snprintf(fetch->path, sizeof fetch->path, "%s", path);
	fetch->next = https->fetches;
	if (fetch->next != NULL)
		fetch->next->previous = fetch;
	https->fetches = fetch;
	fetch->waiting = 2;
	/* the host comes from the fetch, which lives until the second answer */
	dns->dns(dns->context, host, SOURCE_A, on_address, fetch);
	dns->dns(dns->context, host, SOURCE_AAAA, on_address, fetch);
}

/* ---- the loop ---- */

static bool is_untrusted(CURLcode result)
{
	return result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_ISSUER_ERROR ||
	    result == CURLE_SSL_INVALIDCERTSTATUS;
}

static void fetch_result(struct fetch *fetch, CURLcode result)
{
	struct source_https answer = { .status = 0 };
	long status = 0;
	char *type = NULL;

	if (fetch->too_large || result == CURLE_FILESIZE_EXCEEDED) {
		fetch_fail(fetch, "more than 64 KiB", false);
	} else if (result != CURLE_OK) {
		fetch_fail(fetch, fetch->error[0] != '\0' ? fetch->error :
		    curl_easy_strerror(result), is_untrusted(result));
	} else {
		(void)curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
		(void)curl_easy_getinfo(fetch->easy, CURLINFO_CONTENT_TYPE, &type);
		answer.status = (int)status;
		answer.type = type;
		answer.body = buf_str(&fetch->body);
		answer.size = fetch->body.size;
		if (answer.body == NULL)
			fetch_fail(fetch, "no memory", false);
		else
			fetch_end(fetch, &answer);
	}
}

static void give_results(struct https *https)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(https->multi, &left)) != NULL) {
		CURLcode result = message->data.result;
		char *private = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		fetch_result((struct fetch *)(void *)private, result);
	}
}

void https_ready(struct https *https, int fd, unsigned int events)
{
	int running;
	int what = 0;

	if ((events & EPOLLIN) != 0)
		what |= CURL_CSELECT_IN;
	if ((events & EPOLLOUT) != 0)
		what |= CURL_CSELECT_OUT;
	if ((events & (EPOLLERR | EPOLLHUP)) != 0)
		what |= CURL_CSELECT_ERR;
	(void)curl_multi_socket_action(https->multi, fd, what, &running);
}

int https_timeout_ms(const struct https *https)
{
	int64_t left_ms;

	if (https->timer_ms < 0)
		return -1;
	left_ms = https->timer_ms - clock_mono_ms(https->clock);
	return left_ms > 0 ? (int)left_ms : 0;
}

void https_tend(struct https *https)
{
	int running;

	if (https->timer_ms >= 0 && clock_mono_ms(https->clock) >= https->timer_ms) {
		https->timer_ms = -1;
		(void)curl_multi_socket_action(https->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	give_results(https);
}

void https_free(struct https *https)
{
	if (https == NULL)
		return;
	while (https->fetches != NULL)
		fetch_fail(https->fetches, "the service ends", false);
	if (https->multi != NULL) {
		(void)curl_multi_cleanup(https->multi);
		curl_global_cleanup();
	}
	buf_free(&https->ca);
	free(https);
}
