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

static enum fail_code local_address(const char *path, struct sockaddr_un *address, struct fail *f)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return fail_set(f, SG_EUSAGE, "choose a shorter path",
		    "the socket path %s is too long", path);
	memcpy(address->sun_path, path, strlen(path));
	return SG_OK;
}

static enum fail_code open_local(const char *path, unsigned int mode, const char *group,
    int *socket_out, struct fail *f)
{
	struct sockaddr_un address;
	enum fail_code code = local_address(path, &address, f);

	if (code == SG_OK)
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

/* "inet:PORT@HOST" or "inet6:PORT@HOST"; *found_out is freed by freeaddrinfo. */
static enum fail_code look_up(const char *where, struct addrinfo **found_out, struct fail *f)
{
	const char *spelling = strchr(where, ':');
	const char *at = strchr(where, '@');
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_family = str_starts_case(where, "inet6:") ? AF_INET6 : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	enum fail_code code = SG_OK;
	char *port;

	*found_out = NULL;
	if (spelling == NULL || at == NULL)
		return fail_set(f, SG_EUSAGE, "write inet:PORT@HOST", "%s names no host", where);
	port = str_dup_n(spelling + 1, (size_t)(at - spelling - 1));
	if (port == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (getaddrinfo(at + 1, port, &hints, found_out) != 0)
		code = fail_set(f, SG_EUSAGE, "write an address of this host",
		    "cannot find the host of %s", where);
	free(port);
	return code;
}

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
	struct addrinfo *found;
	enum fail_code code = look_up(where, &found, f);

	if (code == SG_OK)
		code = bind_first(found, where, socket_out, f);
	if (found != NULL)
		freeaddrinfo(found);
	return code;
}

/* ---- one that is there already ---- */

/* Of another container's network a socket is of no use here. 0: the kernel does not say. */
static uint64_t network_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

static bool in_our_network(int fd)
{
	int ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool same = ours < 0 || network_of(fd) == network_of(ours);

	fd_close(&ours);
	return same;
}

static bool is_inet(int fd, const void *address, socklen_t size, const char *where)
{
	struct addrinfo *found;
	struct fail f;
	bool same;

	if (look_up(where, &found, &f) != SG_OK)
		return false;
	same = found->ai_addrlen == size && memcmp(found->ai_addr, address, size) == 0 &&
	    in_our_network(fd);
	freeaddrinfo(found);
	return same;
}

bool listen_is(int fd, const char *where)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_un local;
	} address;
	struct sockaddr_un wanted;
	struct stat st;
	socklen_t size = sizeof(address);
	struct fail f;

	memset(&address, 0, sizeof(address));
	if (getsockname(fd, (struct sockaddr *)&address.any, &size) != 0)
		return false;
	if (!str_starts_case(where, "local:"))
		return is_inet(fd, &address, size, where);
	return address.any.ss_family == AF_UNIX && lstat(address.local.sun_path, &st) == 0 &&
	    local_address(where + strlen("local:"), &wanted, &f) == SG_OK &&
	    strcmp(address.local.sun_path, wanted.sun_path) == 0;
}

/* ---- both ---- */

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
