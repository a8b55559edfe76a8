/*
 * sandbox: closes the door behind a worker that has loaded all it needs.
 *
 * no_new_privs, Landlock (which paths), seccomp (which calls; a forbidden one fails with EPERM).
 * Threads that exist before are not covered by seccomp and Landlock alike: call it while the
 * process has one thread (seccomp is set with TSYNC; Landlock only follows the caller's thread).
 */
#ifndef SG_BASE_SANDBOX_H
#define SG_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"

enum sandbox_allow {
	SANDBOX_FILES_READ = 1 << 0,	/* open, stat, read folders (where Landlock lets it) */
	SANDBOX_FILES_WRITE = 1 << 1,	/* create, unlink, rename, truncate, fsync */
	SANDBOX_ACCEPT = 1 << 2,	/* accept on sockets it was born with */
	SANDBOX_CONNECT_UNIX = 1 << 3,	/* socket(AF_UNIX) and connect */
	SANDBOX_THREADS = 1 << 4,	/* new threads (never processes) */
	SANDBOX_SOCKET_INET = 1 << 5,	/* options of accepted TCP connections */
	SANDBOX_CONNECT_TCP = 1 << 7,	/* TCP to one port, tcp_port */
	SANDBOX_NETWORK = 1 << 6	/* TCP and UDP to the world: for sealgate-tls alone */
};

struct sandbox {
	unsigned int allow;		/* enum sandbox_allow bits */
	const char *const *read_paths;	/* NULL-terminated, or NULL; missing ones are skipped */
	const char *const *write_paths;	/* the same; also readable */
	unsigned int tcp_port;		/* of SANDBOX_CONNECT_TCP; by Landlock, ABI 4 */
	bool reduced;			/* go on without Landlock where the kernel has none */
};

/* Landlock's ABI version in this kernel, or 0. */
int sandbox_landlock_abi(void);

/*
 * SG_ESYSTEM with a hint when the kernel has no Landlock and reduced is not set. Cannot be undone.
 */
MUST_USE enum fail_code sandbox_enter(const struct sandbox *sandbox, struct fail *f);

#endif
