/*
 * sts: MTA-STS, RFC 8461: the TXT record and the policy file, parsed strictly, and their use as
 * Postfix's policy text. Input is hostile. Pure.
 */
#ifndef SG_GATEWAY_TLS_STS_H
#define SG_GATEWAY_TLS_STS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/tls/source.h"

#define STS_ID_MAX 33			/* bytes with NUL; RFC 8461, 3.1 */
#define STS_AGE_MAX_S UINT32_C(31557600)	/* a year; longer ones are cut to it (3.2) */
#define STS_BODY_MAX ((size_t)64 * 1024)	/* bytes; 3.3 */
#define STS_MX_MAX ((size_t)200)	/* patterns; more is no policy of a domain */

enum sts_mode {
	STS_MODE_NONE = 0,
	STS_MODE_TESTING = 1,
	STS_MODE_ENFORCE = 2
};

struct sts_policy {
	enum sts_mode mode;
	uint32_t max_age_s;
	char *lines;	/* the known fields, "key: value", LF between them */
	char *mxs;	/* patterns, lower case, "mx.example", "*.example", LF between them */
};

/*
 * The id of a domain's _mta-sts record. SG_ENOTFOUND: no record that begins with "v=STSv1;".
 * SG_EFORMAT: more than one, or its syntax is wrong: no policy is available then (3.1).
 */
MUST_USE enum fail_code sts_txt(const struct source_dns *answer, char id_out[STS_ID_MAX],
    struct fail *f);

/* "text/plain", parameters allowed (3.2). NULL is not. */
bool sts_is_plain(const char *content_type);

/*
 * The policy file. SG_EFORMAT with the line in words; SG_ENOMEM. Free with sts_policy_free; nothing
 * to free after a failure.
 */
MUST_USE enum fail_code sts_parse(const char *body, size_t size, struct sts_policy *policy_out,
    struct fail *f);
void sts_policy_free(struct sts_policy *policy);

/* "*.example" fits exactly one label before it (4.1). host: lower case. */
bool sts_match(const struct sts_policy *policy, const char *host);

/*
 * "secure match=mx.example:.example servername=hostname". Postfix's ".example" also fits deeper
 * names; certificates are checked against it. Patterns that have no room are left out (stricter).
 */
void sts_text(const struct sts_policy *policy, char *out, size_t room);

/*
 * What Postfix 3.10 takes behind a policy for its reports: policy_type, policy_domain, policy_ttl,
 * mx_host_pattern, { policy_string = ... } (smtp_tls_policy.c of Postfix 3.10; TLSRPT_README). Left
 * out whole if it has no room.
 */
void sts_report(const struct sts_policy *policy, const char *domain, char *out, size_t room);

#endif
