/*
 * connect: tries a mail server as Postfix would: EHLO, STARTTLS, handshake, certificate.
 *
 * For "sealgate tls check --connect". Waits for the peer, so it runs in a thread of its own; it
 * shares nothing. No mail is sent. What the peer says is not trusted: lines and times are bounded.
 */
#ifndef SG_GATEWAY_TLS_CONNECT_H
#define SG_GATEWAY_TLS_CONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/str.h"

#define CONNECT_TEXT_MAX 256	/* bytes of one text with NUL */
#define CONNECT_NAMES_MAX 20	/* of a certificate, that are told */

/* A TLSA record that can be used. */
struct connect_tlsa {
	uint8_t usage;
	uint8_t selector;
	uint8_t matching;
	unsigned char *data;
	size_t size;
};

struct connect_target {
	const char *host;		/* name of the mail server; all borrowed */
	const char *address;		/* of it, in numbers */
	uint16_t port;
	const char *nexthop;		/* domain that the mail is for */
	const char *policy;		/* Postfix's policy: "secure match=mx.example"; "" = may */
	const struct connect_tlsa *tlsa;
	size_t tlsa_count;
	const char *ca_file;
	int timeout_ms;			/* for all of it */
};

enum connect_check {
	CONNECT_NOT_DEMANDED = 0,	/* the policy asks for no proof; the rest is as it asks */
	CONNECT_PASSED,
	CONNECT_FAILED			/* Postfix would not deliver here under this policy */
};

struct connect_result {
	bool connected;
	bool starttls;			/* offered */
	bool secured;			/* the handshake ended well */
	char version[32];		/* "TLSv1.3" */
	char cipher[64];
	char subject[CONNECT_TEXT_MAX];
	char issuer[CONNECT_TEXT_MAX];
	struct str_list names;		/* DNS names in the certificate */
	char not_after[32];		/* "2026-12-31T23:59:59Z" */
	char fingerprint[65];		/* SHA-256 */
	bool trusted;			/* its chain ends at an authority of ca_file */
	enum connect_check check;
	char how[CONNECT_TEXT_MAX];	/* one line: what the check found, or what failed */
};

/* Always fills *result_out; connect_result_free releases what is in it. */
void connect_try(const struct connect_target *target, struct connect_result *result_out);
void connect_result_free(struct connect_result *result);

/*
 * The value of attribute name in a policy ("match" in "secure match=a:b"), borrowed from policy;
 * its size in *size_out. NULL if it is not there.
 */
const char *connect_attribute(const char *policy, const char *name, size_t *size_out);

#endif
