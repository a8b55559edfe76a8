/*
 * connect_smtp: the clear part of a trial: connection, greeting, EHLO, STARTTLS.
 */
#ifndef SG_GATEWAY_TLS_CONNECT_SMTP_H
#define SG_GATEWAY_TLS_CONNECT_SMTP_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/tls/connect.h"

/*
 * Connects and speaks up to the reply to STARTTLS. Returns the socket (not blocking), or -1 with
 * result's how filled; connected and starttls are set as far as it came.
 */
int connect_smtp(const struct connect_target *target, int64_t end_ms,
    struct connect_result *result);
/* Waits for events until end_ms (monotonic); false: the time is over. */
bool connect_wait(int socket, short events, int64_t end_ms);

#endif
