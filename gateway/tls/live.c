#include "gateway/tls/live.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "gateway/base/fd.h"
#include "gateway/tls/dns.h"
#include "gateway/tls/https.h"

#define READY_MAX 64	/* sockets that are looked at in one round */

struct source_live {
	struct source source;
	struct dns *dns;
	struct https *https;
	int epoll_fd;
};

static void ask_dns(void *context, const char *name, int type, source_dns_fn *done,
    void *done_context)
{
	struct source_live *live = context;

	dns_ask(live->dns, name, type, done, done_context);
}

static void ask_https(void *context, const char *host, const char *path, source_https_fn *done,
    void *done_context)
{
	struct source_live *live = context;

	https_get(live->https, host, path, done, done_context);
}

static enum fail_code watch_dns(struct source_live *live, struct fail *f)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = dns_fd(live->dns) };

	if (epoll_ctl(live->epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot wait for the resolver");
	return SG_OK;
}

enum fail_code source_live_new(const struct conf *conf, const struct clock *clock,
    struct source_live **live_out, struct fail *f)
{
	struct source_live *live = calloc(1, sizeof *live);
	enum fail_code code;

	*live_out = NULL;
	if (live == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for lookups");
	live->source.context = live;
	live->source.dns = ask_dns;
	live->source.https = ask_https;
	live->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (live->epoll_fd < 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot wait for lookups");
	else
		code = dns_new(conf, clock, &live->dns, f);
	if (code == SG_OK)
		code = watch_dns(live, f);
	if (code == SG_OK)
		code = https_new(conf, clock, &live->source, live->epoll_fd, &live->https, f);
	if (code != SG_OK) {
		source_live_free(live);
		return code;
	}
	*live_out = live;
	return SG_OK;
}

void source_live_free(struct source_live *live)
{
	if (live == NULL)
		return;
	dns_free(live->dns);
	https_free(live->https);
	fd_close(&live->epoll_fd);
	free(live);
}

const struct source *source_live_source(const struct source_live *live)
{
	return &live->source;
}

int source_live_fd(const struct source_live *live)
{
	return live->epoll_fd;
}

size_t source_live_poll_fds(const struct source_live *live, struct pollfd *fds, size_t max)
{
	if (max == 0)
		return 0;
	fds[0].fd = live->epoll_fd;
	fds[0].events = POLLIN;
	fds[0].revents = 0;
	return 1;
}

int source_live_timeout_ms(const struct source_live *live)
{
	int dns_ms = dns_timeout_ms(live->dns);
	int https_ms = https_timeout_ms(live->https);

	if (dns_ms < 0)
		return https_ms;
	return https_ms < 0 || dns_ms < https_ms ? dns_ms : https_ms;
}

void source_live_process(struct source_live *live)
{
	struct epoll_event ready[READY_MAX];
	int count = epoll_wait(live->epoll_fd, ready, READY_MAX, 0);
	int i;

	for (i = 0; i < count; i++) {
		if (ready[i].data.fd != dns_fd(live->dns))
			https_ready(live->https, ready[i].data.fd, ready[i].events);
	}
	dns_process(live->dns);
	https_tend(live->https);
}
