/*
 * kill_at_body: preloaded into the filter, ends it with SIGKILL while it replaces a body.
 *
 * libmilter sends each packet as one writev of length, command and data. The packet whose number
 * among those that replace the body (command "b") is KILL_AT_BODY does not go out: the process
 * dies instead. 1 is before the first byte of the new body.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define COMMAND_AT 4		/* behind the length */
#define REPLACE_BODY 'b'	/* SMFIR_REPLBODY */

typedef ssize_t writev_fn(int fd, const struct iovec *parts, int count);

static _Atomic int packets;

static int kill_at(void)
{
	const char *text = getenv("KILL_AT_BODY");

	return text == NULL ? 0 : (int)strtol(text, NULL, 10);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	union {
		void *symbol;
		writev_fn *call;
	} real = { dlsym(RTLD_NEXT, "writev") };

	if (count > 0 && parts[0].iov_len > COMMAND_AT &&
	    ((const char *)parts[0].iov_base)[COMMAND_AT] == REPLACE_BODY &&
	    atomic_fetch_add(&packets, 1) + 1 == kill_at())
		(void)raise(SIGKILL);
	return real.call(fd, parts, count);
}
