/*
 * runner: a process that runs the commands of hooks for sealgate-notify, which may start none.
 *
 * It is forked before sealgate-notify closes its sandbox. Landlock and seccomp go on to whatever a
 * process executes, and a script that calls curl needs most of what they take away: so the process
 * that can ask the vault keeps its doors closed, and the one that can execute has nothing to ask.
 * It runs as users.hook, to whom the vault's socket is closed; it is told a tenant's number and
 * bytes for a standard input, and executes nothing but the command that the configuration had for
 * that tenant when it was forked.
 *
 * A command gets no argument, PATH and LANG alone, the JSON on descriptor 0, /dev/null on 1 and 2
 * (what it prints might be the password), no other descriptor, no core dumps, bounds on CPU time,
 * files and descriptors, and no new rights (no setuid programs). It is a session of its own, which
 * is killed when its time is over, when it has ended, and when sealgate-notify ends.
 */
#ifndef SG_GATEWAY_NOTIFY_RUNNER_H
#define SG_GATEWAY_NOTIFY_RUNNER_H

#include "config/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/notify/hook.h"

struct runner {
	int socket;		/* -1: no tenant has a command, or it is gone */
};

/*
 * Forks it if a tenant has a command; before any thread and any secret. It stops when the caller
 * ends. SG_EUSAGE: there is no such user.
 */
MUST_USE enum fail_code runner_start(const struct conf *conf, struct runner *runner,
    struct fail *f);

/*
 * Runs the command of conf's tenant at place with json on its standard input, for at most its
 * hook_timeout. SG_EPEER: the runner is gone.
 */
MUST_USE enum fail_code runner_run(struct runner *runner, const struct conf *conf, size_t place,
    const struct buf *json, struct hook_answer *answer, struct fail *f);

#endif
