/*
 * proc: how every process of ours is born, and what its parent does.
 *
 * The parent forks and executes "sealgate-ROLE" with nothing but a control socket (PROC_CONTROL_FD)
 * and listening sockets behind it. It then sends the part of the configuration that this role may
 * know; the worker loads what needs files, drops its rights, enters its sandbox, says ready, and
 * loops. Workers never read the configuration file.
 *
 * The parent's side is used by the supervisor and, for one message, by "sealgate seal" and "scan".
 */
#ifndef SG_BASE_PROC_H
#define SG_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/counters.h"
#include "gateway/base/fail.h"
#include "gateway/base/wire.h"

#define PROC_CONTROL_FD 3
#define PROC_LISTENER_FD 4	/* the first of them */
#define PROC_LISTENERS_MAX 5
#define PROC_CONFIG_MAX ((size_t)16 * 1024 * 1024)	/* bytes of encoded configuration */

enum proc_message {
	PROC_CONFIG = 1,	/* parent -> worker: descriptor with the encoded configuration */
	PROC_READY = 2,		/* worker -> parent: body = one line for the log */
	PROC_RELOAD = 3,	/* parent -> worker: look now whether what you loaded has changed */
	PROC_OUTDATED = 4,	/* worker -> parent: it has; another should load it */
	PROC_GIVE_WAY = 5,	/* parent -> worker: no room for two: end if new files are sound */
	PROC_UNWELL = 6,	/* worker -> parent: as PROC_READY, but cannot do its work yet */
	PROC_SERVE = 7		/* parent -> worker: who stood by serves from here on */
};

struct proc_boot {
	int control;				/* PROC_CONTROL_FD */
	int listeners[PROC_LISTENERS_MAX];
	size_t listener_count;
	struct counters *counters;		/* the gateway's; NULL: nobody counts */
	bool stands_by;				/* it is ready, but serves only after PROC_SERVE */
	struct buf config;			/* what conf_decode takes */
};

/*
 * Worker, first thing in main: checks that it was started by us, core dumps off, SIGPIPE ignored,
 * waits for the configuration.
 */
MUST_USE enum fail_code proc_worker_start(int argc, char *const argv[], struct proc_boot *boot,
    struct fail *f);
void proc_boot_free(struct proc_boot *boot);

/* A bound on memory (bytes of address space), descriptors and CPU seconds; 0 = leave as it is. */
MUST_USE enum fail_code proc_limit(size_t memory_max, unsigned int files_max,
    unsigned int cpu_seconds_max, struct fail *f);

/*
 * May this process become somebody else and give files away? Root may, and who has CAP_SETUID,
 * CAP_SETGID and CAP_CHOWN, as the supervisor does under systemd.
 */
bool proc_may_change_user(void);
/*
 * Who may: becomes user ("name", or "uid:gid" in numbers), with no further groups, without
 * capabilities. Else nothing. SG_EUSAGE if there is no such user.
 */
MUST_USE enum fail_code proc_drop(const char *user, struct fail *f);
/* The ids behind user, in proc_drop's spelling. */
MUST_USE enum fail_code proc_user(const char *user, uid_t *uid_out, gid_t *gid_out,
    struct fail *f);

/* Worker: all is loaded and closed; text goes to the parent's log. */
MUST_USE enum fail_code proc_worker_ready(const struct proc_boot *boot, const char *text,
    struct fail *f);
/* The same for a worker that cannot do its work at the moment, and goes on trying. */
MUST_USE enum fail_code proc_worker_unwell(const struct proc_boot *boot, const char *text,
    struct fail *f);
/* Worker: what it loaded has changed (PROC_OUTDATED). A parent that does not care does not read. */
void proc_worker_outdated(const struct proc_boot *boot);
/* Worker: tells the parent why it cannot start. */
void proc_worker_failed(const struct proc_boot *boot, const struct fail *f);

struct proc_child {
	pid_t pid;
	int control;		/* -1 when not running */
};

/* How a worker is born; all is borrowed for the call. */
struct proc_birth {
	const char *program;		/* a path */
	const int *listeners;		/* the page of counters (counters.h) may be the last */
	size_t listener_count;
	const struct buf *config;	/* what conf_encode made for its role */
	bool stands_by;
};

/* Parent: starts it and sends the configuration. Returns without waiting for ready. */
MUST_USE enum fail_code proc_spawn(const struct proc_birth *birth, struct proc_child *child_out,
    struct fail *f);
/* What a worker says. */
enum proc_news {
	PROC_NEWS_NONE,		/* nothing at the moment */
	PROC_NEWS_READY,
	PROC_NEWS_UNWELL,
	PROC_NEWS_OUTDATED,
	PROC_NEWS_FAILED,	/* it cannot start */
	PROC_NEWS_GONE		/* it closed the connection, or talks nonsense; control is -1 */
};
/*
 * Parent: the next news, without waiting. *text_out: its line, when ready or unwell; freed by the
 * caller, else NULL. f: why, when failed.
 */
enum proc_news proc_hear(struct proc_child *child, char **text_out, struct fail *f);
/* Parent: sends it a message without body. A worker that is gone or does not read: SG_EPEER. */
MUST_USE enum fail_code proc_tell(const struct proc_child *child, enum proc_message what,
    struct fail *f);
/* Parent: sends a running worker another configuration (PROC_CONFIG). */
MUST_USE enum fail_code proc_configure(const struct proc_child *child, const struct buf *config,
    struct fail *f);
/*
 * Parent: waits for PROC_READY, PROC_UNWELL or the worker's failure;
 * text_out (NULL allowed) is freed by the caller.
 */
MUST_USE enum fail_code proc_wait_ready(struct proc_child *child, int wait_ms, char **text_out,
    struct fail *f);
/* Parent: SIGTERM, then after wait_ms SIGKILL; reaps; closes control. */
void proc_stop(struct proc_child *child, int wait_ms);
/* The same without SIGTERM, for one that ends by itself when control is closed. */
void proc_leave(struct proc_child *child, int wait_ms);

/*
 * The path of a program of ours ("sealgate-scan"): beside the running one, or in
 * ../libexec/sealgate from there. The caller frees. SG_ENOTFOUND.
 */
MUST_USE enum fail_code proc_find(const char *name, char **path_out, struct fail *f);

#endif
