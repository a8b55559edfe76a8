#include "milter/door.h"

#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define PLACES 64	/* descriptors among which libmilter's is: it is one of the first */

static int option_of(int fd, int option)
{
	socklen_t size = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/* libmilter closes a connection whose family is not that of the socket which it opened. */
static char *spell(int family, const char *folder)
{
	if (family == AF_UNIX)
		return str_printf("local:%s/filter-%ld.sock", folder, (long)getpid());
	return str_dup(family == AF_INET6 ? "inet6:0@::1" : "inet:0@127.0.0.1");
}

/* The one other descriptor that listens; -1. */
static int find_place(int listener)
{
	for (int fd = 0; fd < PLACES; fd++)
		if (fd != listener && option_of(fd, SO_ACCEPTCONN) == 1)
			return fd;
	return -1;
}

/* An address that the kernel chooses, of letters that nobody is told. */
static enum fail_code build_wall(int *wall_out, struct fail *f)
{
	const struct sockaddr_un nameless = { .sun_family = AF_UNIX };

	*wall_out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*wall_out < 0 || bind(*wall_out, (const struct sockaddr *)&nameless,
	    sizeof(nameless.sun_family)) != 0 || listen(*wall_out, 1) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a socket");
	return SG_OK;
}

static enum fail_code open_any(const char *spelling, struct fail *f)
{
	char *text = str_dup(spelling);	/* libmilter's prototype; it only reads */
	enum fail_code code = SG_OK;

	if (text == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (smfi_setconn(text) != MI_SUCCESS || smfi_opensocket(false) != MI_SUCCESS)
		code = fail_errno(f, SG_ESYSTEM, "can sockets be made in run_directory?",
		    "libmilter cannot listen on %s", text);
	if (str_starts_case(text, "local:"))
		(void)unlink(text + strlen("local:"));
	free(text);
	return code;
}

enum fail_code door_open(struct door *door, int listener, const char *folder, struct fail *f)
{
	char *spelling = spell(option_of(listener, SO_DOMAIN), folder);
	enum fail_code code = SG_OK;

	*door = (struct door){ -1, -1 };
	if (spelling == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (code == SG_OK)
		code = open_any(spelling, f);
	free(spelling);
	if (code == SG_OK) {
		door->place = find_place(listener);
		if (door->place < 0 || dup3(listener, door->place, O_CLOEXEC) < 0)
			code = fail_errno(f, SG_ESYSTEM, NULL, "cannot give libmilter a socket");
	}
	/* it must not be kept open by us when the door is shut */
	fd_close(&listener);
	return code == SG_OK ? build_wall(&door->wall, f) : code;
}

void door_shut(const struct door *door)
{
	if (door->place >= 0 && door->wall >= 0)
		(void)dup3(door->wall, door->place, O_CLOEXEC);
}
