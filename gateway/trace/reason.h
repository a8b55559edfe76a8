/*
 * reason: why Postfix could not deliver, and whether it was TLS. Pure.
 *
 * The texts are those of Postfix 3.4 to 3.10 (smtp_proto.c, smtp_connect.c, smtp_tls_policy.c,
 * tls_verify.c). A text that is not known here is none of TLS: mail then waits, it is never sent in
 * a weaker way because of it. The same for lookups that failed and for trouble of our own.
 */
#ifndef SG_GATEWAY_TRACE_REASON_H
#define SG_GATEWAY_TRACE_REASON_H

#include <stdbool.h>

struct reason {
	bool tls;		/* the peer cannot TLS, or not prove who it is */
	const char *result;	/* of TLSRPT (RFC 8460, 4.3), static; NULL: none */
};

/* Of a delivery that failed: "TLS is required, but was not offered by host mx[192.0.2.1]". */
struct reason reason_of(const char *text);

/*
 * What the line about a certificate says: "certificate verification failed for mx[192.0.2.1]:25:
 * self-signed certificate". NULL: it is no such line. *host_out: where "mx[192.0.2.1]:25" starts,
 * *size_out its length.
 */
const char *reason_of_certificate(const char *text, const char **host_out,
    unsigned int *size_out);

/* Does a line "QUEUEID: text" of smtp(8) tell of a try that failed? */
bool reason_is_failure(const char *text);

#endif
