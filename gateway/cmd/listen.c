#include "gateway/cmd/listen.h"

#include <grp.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/base/str.h"

#define LISTEN_BACKLOG 1024	/* as many as Postfix has processes, all at once */

/* ---- unix ---- */

/* A socket that nobody serves is left over from an earlier run. */
static enum fail_code clear_path(const char *path, const struct sockaddr_un *address,
    struct fail *f)
{
	struct stat st;
	bool taken;
	int s;

	if (lstat(path, &st) != 0)
		return SG_OK;
	if (!S_ISSOCK(st.st_mode))
		return fail_set(f, SG_EUSAGE, "name another path", "%s is not a socket", path);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	taken = s >= 0 && connect(s, (const struct sockaddr *)address, sizeof(*address)) == 0;
	fd_close(&s);
	if (taken)
		return fail_set(f, SG_ESYSTEM, "stop the other program first",
		    "another program listens on %s", path);
	(void)unlink(path);
	return SG_OK;
}

static enum fail_code set_rights(const char *path, unsigned int mode, const char *group,
    struct fail *f)
{
	const struct group *found;

	if (chmod(path, mode) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot set the rights of %s", path);
	if (group[0] == '\0' || !proc_may_change_user())
		return SG_OK;
	found = getgrnam(group);
	if (found == NULL)
		return fail_set(f, SG_EUSAGE, "correct socket_group", "there is no group %s",
		    group);
	if (lchown(path, (uid_t)-1, found->gr_gid) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot give %s to group %s", path,
		    group);
	return SG_OK;
}

static enum fail_code open_local(const char *path, unsigned int mode, const char *group,
    int *socket_out, struct fail *f)
{
	struct sockaddr_un address;
	enum fail_code code;

	memset(&address, 0, sizeof(address));
	address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address.sun_path))
		return fail_set(f, SG_EUSAGE, "choose a shorter path",
		    "the socket path %s is too long", path);
	memcpy(address.sun_path, path, strlen(path));
	code = clear_path(path, &address, f);
	if (code != SG_OK)
		return code;
	*socket_out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*socket_out < 0 ||
	    bind(*socket_out, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(*socket_out, LISTEN_BACKLOG) != 0)
		return fail_errno(f, SG_ESYSTEM, "does the folder exist?", "cannot listen on %s",
		    path);
	return set_rights(path, mode, group, f);
}

/* ---- inet ---- */

static enum fail_code bind_first(const struct addrinfo *found, const char *where,
    int *socket_out, struct fail *f)
{
	int yes = 1;

	*socket_out = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*socket_out < 0 ||
	    setsockopt(*socket_out, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
	    bind(*socket_out, found->ai_addr, found->ai_addrlen) != 0 ||
	    listen(*socket_out, LISTEN_BACKLOG) != 0)
		return fail_errno(f, SG_ESYSTEM, "is the port free, the address this host's?",
		    "cannot listen on %s", where);
	return SG_OK;
}

static enum fail_code open_inet(const char *where, int *socket_out, struct fail *f)
{
	const char *spelling = where + strlen("inet:");
	const char *at = strchr(spelling, '@');
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	enum fail_code code;
	char *port;

	if (at == NULL)
		return fail_set(f, SG_EUSAGE, "write inet:PORT@HOST", "%s names no host", where);
	port = str_dup_n(spelling, (size_t)(at - spelling));
	if (port == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (getaddrinfo(at + 1, port, &hints, &found) != 0)
		code = fail_set(f, SG_EUSAGE, "write an address of this host",
		    "cannot find the host of %s", where);
	else
		code = bind_first(found, where, socket_out, f);
	if (found != NULL)
		freeaddrinfo(found);
	free(port);
	return code;
}

enum fail_code listen_open(const char *where, unsigned int mode, const char *group,
    int *socket_out, struct fail *f)
{
	enum fail_code code;

	*socket_out = -1;
	if (str_starts_case(where, "local:"))
		code = open_local(where + strlen("local:"), mode, group, socket_out, f);
	else
		code = open_inet(where, socket_out, f);
	if (code != SG_OK)
		fd_close(socket_out);
	return code;
}
