/*
 * listen: stream sockets at which programs that are not ours ask. Supervisor only.
 */
#ifndef SG_GATEWAY_CMD_LISTEN_H
#define SG_GATEWAY_CMD_LISTEN_H

#include "gateway/base/fail.h"

/*
 * Listens at "local:/path" (an old socket is replaced, another program's is not; mode and group,
 * "" = as it is, are its rights) or "inet:port@host", host an address or a name of this host.
 * SG_EUSAGE, SG_ESYSTEM with what to do.
 */
MUST_USE enum fail_code listen_open(const char *where, unsigned int mode, const char *group,
    int *socket_out, struct fail *f);

#endif
