/*
 * post: JSON to a hook by HTTPS, with libcurl.
 */
#ifndef SG_GATEWAY_NOTIFY_POST_H
#define SG_GATEWAY_NOTIFY_POST_H

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/secret.h"
#include "gateway/notify/hook.h"

struct post {
	const char *url;		/* what hook_check_url lets through */
	const char *ca_file;
	const struct secret *token;	/* Authorization: Bearer; empty: none */
	int64_t timeout_ms;		/* of all of it */
};

/*
 * One POST of json. TLS 1.2 or later, certificate and name of the host checked; no redirection is
 * followed, no proxy asked, nothing that the server says is kept but its status. What fails on the
 * way there is HOOK_AGAIN. Blocks.
 */
void post_json(const struct post *post, const struct buf *json, struct hook_answer *answer);

#endif
