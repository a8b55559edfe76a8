/*
 * report: TLS reports (RFC 8460) as JSON and as mail, and who wants them. Pure.
 *
 * A report has counts, host names and addresses of mail servers; nothing about people.
 */
#ifndef SG_GATEWAY_TLS_REPORT_H
#define SG_GATEWAY_TLS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/str.h"
#include "gateway/tls/policy.h"
#include "gateway/vault/vault.h"

#define REPORT_DAY_S ((int64_t)24 * 3600)
#define REPORT_TEXT_MAX ((size_t)16 * 1024 * 1024)	/* bytes of one report */
#define REPORT_URIS_MAX 5	/* places that one domain gets its report at */

/* What one report is about; all borrowed. */
struct report {
	const char *organization;
	const char *contact;		/* address */
	const char *id;
	const char *domain;
	uint32_t day;			/* days since 1970 */
	const struct policy_published *published;
	const struct vault_session *sessions;	/* of that domain */
	size_t session_count;
};

/* Appends the JSON, one line without a line break (RFC 8460, 4). */
MUST_USE enum fail_code report_json(const struct report *report, struct buf *out);

/* Appends data as gzip (RFC 1952). */
MUST_USE enum fail_code report_gzip(const void *data, size_t size, struct buf *out);

/*
 * Appends the message that carries zipped (RFC 8460, 5.3), lines ended by CRLF. now_s: its date,
 * seconds since 1970.
 */
MUST_USE enum fail_code report_mail(const struct report *report, const char *to, int64_t now_s,
    const struct buf *zipped, struct buf *out);

/*
 * The places named by a TXT record of _smtp._tls.DOMAIN (RFC 8460, 3): "mailto:" and "https:" URIs.
 * False: it is no such record. What is no fit address or URI is left out.
 */
bool report_places(const char *record, struct str_list *uris);
/* The address in a "mailto:" URI, decoded. False: none that we write to. */
bool report_address(const char *uri, char *address, size_t room);

/* "2026-11-23" as days since 1970. SG_EFORMAT. */
MUST_USE enum fail_code report_day(const char *text, uint32_t *day_out);

#endif
