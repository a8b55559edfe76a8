/*
 * kept: listening sockets that systemd keeps while the gateway is started again, so that whoever
 * connects meanwhile waits instead of being refused (sd_pid_notify_with_fds(3), FDSTORE). Without
 * systemd, or FileDescriptorStoreMax=, nothing happens.
 */
#ifndef SG_GATEWAY_CMD_KEPT_H
#define SG_GATEWAY_CMD_KEPT_H

#include "config/conf.h"
#include "gateway/cmd/prepare.h"

/* Takes back what the run before gave, where it fits conf. Once, before anything else is opened. */
void kept_take(const struct conf *conf, struct prepare_sockets *sockets);
/* Gives those at which other programs ask, in place of what systemd had. */
void kept_give(const struct prepare_sockets *sockets);

#endif
