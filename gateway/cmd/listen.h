/*
 * listen: stream sockets at which programs that are not ours ask. Supervisor only.
 */
#ifndef SG_GATEWAY_CMD_LISTEN_H
#define SG_GATEWAY_CMD_LISTEN_H

#include <stdbool.h>

#include "gateway/base/fail.h"

/*
 * Listens at "local:/path" (an old socket is replaced, another program's is not; mode and group,
 * "" = as it is, are its rights), "inet:port@host" or "inet6:port@host", host an address or a
 * name of this host. SG_EUSAGE, SG_ESYSTEM with what to do.
 */
MUST_USE enum fail_code listen_open(const char *where, unsigned int mode, const char *group,
    int *socket_out, struct fail *f);

/*
 * Is fd, bound by another process, what listen_open(where) or wire_listen would make here? An inet
 * socket of another network namespace is not, nor one whose file is gone.
 */
bool listen_is(int fd, const char *where);

#endif
