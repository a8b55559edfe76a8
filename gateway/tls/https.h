/*
 * https: fetches MTA-STS policies by libcurl, many at once, never waiting (RFC 8461, 3.3).
 *
 * https alone, the certificate must be valid for the host, TLS 1.2 and up, no redirects, no proxy,
 * no cache, no cookies, nothing of the environment, 64 KiB, time-outs. Names are resolved by dns.h.
 */
#ifndef SG_GATEWAY_TLS_HTTPS_H
#define SG_GATEWAY_TLS_HTTPS_H

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fail.h"
#include "gateway/tls/source.h"

struct https;

/*
 * Reads conf's tls.ca_file now. epoll_fd: gets libcurl's sockets, borrowed. dns: how names are
 * resolved; context and function are borrowed. SG_EUSAGE, SG_ENOMEM.
 */
MUST_USE enum fail_code https_new(const struct conf *conf, const struct clock *clock,
    const struct source *dns, int epoll_fd, struct https **https_out, struct fail *f);
/* Open questions are answered as failed; call it after dns_free. */
void https_free(struct https *https);

/* As struct source's https. */
void https_get(struct https *https, const char *host, const char *path, source_https_fn *done,
    void *context);

/* fd is one of libcurl's in the epoll, ready with these events (EPOLLIN ...). */
void https_ready(struct https *https, int fd, unsigned int events);
/* Milliseconds until https_tend must be called, or -1. */
int https_timeout_ms(const struct https *https);
/* Time has passed, or sockets were ready: gives the answers that are there. */
void https_tend(struct https *https);

#endif
