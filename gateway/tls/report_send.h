/*
 * report_send: brings a report to where it is wanted, by HTTPS or by the host's own Postfix.
 *
 * Waits for the other side: in a job only. Opens no file and asks no resolver of its own.
 */
#ifndef SG_GATEWAY_TLS_REPORT_SEND_H
#define SG_GATEWAY_TLS_REPORT_SEND_H

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/str.h"

#define REPORT_SEND_MS 30000L	/* for one report */

/*
 * POSTs zipped to an https: URI (RFC 8460, 5.4). addresses: of its host. SG_EPEER, SG_EFORMAT.
 */
MUST_USE enum fail_code report_post(const char *uri, const struct str_list *addresses,
    const char *ca_file, const struct buf *zipped, struct fail *f);

/* Hands a message to the SMTP server at "127.0.0.1:25". SG_EPEER. */
MUST_USE enum fail_code report_submit(const char *server, const char *from, const char *to,
    const struct buf *message, struct fail *f);

/* Host of an https: URI; the caller frees. NULL: no proper URI. */
char *report_host(const char *uri);

#endif
