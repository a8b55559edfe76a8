/*
 * dane: MX and TLSA records in wire form, and which of them can be used (RFC 7672). Pure.
 */
#ifndef SG_GATEWAY_TLS_DANE_H
#define SG_GATEWAY_TLS_DANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/tls/source.h"

#define DANE_NAME_MAX 256	/* bytes of a name with NUL */
#define DANE_MX_MAX ((size_t)40)	/* the best exchanges of a domain; more are not looked at */

struct dane_mx {
	char name[DANE_NAME_MAX];	/* lower case, no final dot; "" is the root */
	uint16_t preference;
};

/*
 * A name in wire form, not compressed. False: malformed, or a label that is no part of a host name
 * (dots, control characters). *used_out: bytes taken; may be NULL.
 */
bool dane_name(const unsigned char *data, size_t size, char name_out[DANE_NAME_MAX],
    size_t *used_out);

/*
 * The exchanges of an MX answer, best first, at most DANE_MX_MAX; malformed ones are left out.
 * *null_out: the domain takes no mail (RFC 7505: one record, the root).
 */
size_t dane_mxs(const struct source_dns *answer, struct dane_mx mxs_out[DANE_MX_MAX],
    bool *null_out);

/*
 * RFC 7672, 3.1: DANE-TA(2) and DANE-EE(3); selector 0 or 1; matching type 0, 1, 2 with data of the
 * right size. PKIX-TA(0) and PKIX-EE(1) are unusable for SMTP (3.1.3).
 */
bool dane_usable(const struct source_record *record);

/* Appends "3 1 1 0123..."; malformed records as hexadecimal. */
MUST_USE enum fail_code dane_text(const struct source_record *record, struct buf *out);

#endif
