#include "gateway/cmd/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/base/str.h"
#include "gateway/cmd/listen.h"

static enum fail_code give(const char *path, const char *user, struct fail *f)
{
	uid_t uid;
	gid_t gid;
	enum fail_code code;

	if (!proc_may_change_user() || user == NULL)
		return SG_OK;
	code = proc_user(user, &uid, &gid, f);
	if (code == SG_OK && lchown(path, uid, gid) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot give %s to %s", path, user);
	return code;
}

/* Missing parents are made too, for everybody to pass through. */
static enum fail_code make_parents(const char *path, struct fail *f)
{
	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		char *parent = str_dup_n(path, (size_t)(slash - path));
		int failed = parent == NULL ? -1 : mkdir(parent, 0755);
		int reason = errno;

		free(parent);
		errno = reason;
		if (failed != 0 && reason != EEXIST)
			return fail_errno(f, SG_ESYSTEM, "make it, or start as root",
			    "cannot make the folders above %s", path);
	}
	return SG_OK;
}

/* A folder that exists keeps its rights: an administrator may have had a reason. */
static enum fail_code make_folder(const char *path, mode_t mode, const char *user, struct fail *f)
{
	enum fail_code code = make_parents(path, f);
	struct stat st;

	if (code != SG_OK)
		return code;
	if (mkdir(path, mode) == 0) {
		if (chmod(path, mode) != 0)
			return fail_errno(f, SG_ESYSTEM, NULL, "cannot set rights of %s", path);
		return give(path, user, f);
	}
	if (errno != EEXIST || stat(path, &st) != 0)
		return fail_errno(f, SG_ESYSTEM, "make it, or start as root",
		    "cannot make the folder %s", path);
	if (!S_ISDIR(st.st_mode))
		return fail_set(f, SG_EUSAGE, "name another place", "%s is not a folder", path);
	return SG_OK;
}

static enum fail_code make_socket_folder(const char *socket, struct fail *f)
{
	const char *path = socket + strlen("local:");
	const char *slash;
	char *folder;
	enum fail_code code;

	if (!str_starts_case(socket, "local:"))
		return SG_OK;
	slash = strrchr(path, '/');
	if (slash == NULL || slash == path)
		return fail_set(f, SG_EUSAGE, "write local:/path/to/socket",
		    "socket has no folder: %s", socket);
	folder = str_dup_n(path, (size_t)(slash - path));
	if (folder == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = make_folder(folder, 0755, NULL, f);
	free(folder);
	return code;
}

enum fail_code prepare_folders(const struct conf *conf, struct fail *f)
{
	enum fail_code code = make_folder(conf->run_directory, 0755, NULL, f);

	if (code == SG_OK)
		code = make_folder(conf->state_directory, 0700, conf->users.vault, f);
	if (code == SG_OK)
		code = make_folder(conf->spool_directory, 0700, conf->users.milter, f);
	if (code == SG_OK && conf->tls.cache_directory[0] != '\0')
		code = make_folder(conf->tls.cache_directory, 0700, conf->users.tls, f);
	if (code == SG_OK)
		code = make_socket_folder(conf->socket, f);
	if (code == SG_OK)
		code = make_socket_folder(conf->tls.socket, f);
	if (code == SG_OK)
		code = make_socket_folder(conf->health.listen, f);
	return code;
}

/* systemd gives each unit a folder of its own; the configuration can name only one of them. */
enum fail_code prepare_credentials(const char *folder, struct conf *conf, struct fail *f)
{
	const char *name = strrchr(conf->master_key_file, '/');
	char *path;

	if (name == NULL || !str_starts_case(conf->master_key_file, "/run/credentials/"))
		return SG_OK;
	path = folder == NULL ? str_dup(conf->master_key_file) :
	    str_printf("%s%s", folder, name);
	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	free(conf->master_key_file);
	conf->master_key_file = path;
	/* now, and not when a gateway that stands by is needed */
	if (access(path, R_OK) != 0)
		return fail_errno(f, SG_EUSAGE,
		    "LoadCredential= in a drop-in of this unit (systemctl edit)",
		    "the master key %s is not there", path);
	return SG_OK;
}

enum fail_code prepare_lock(const struct conf *conf, int *lock_out, struct fail *f)
{
	char *path = conf_run_path(conf, "sealgate.pid");
	char *text = str_printf("%ld\n", (long)getpid());
	enum fail_code code = SG_OK;
	int fd = -1;

	*lock_out = -1;
	if (path == NULL || text == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (code == SG_OK) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0)
			code = fail_errno(f, SG_ESYSTEM, NULL, "cannot open %s", path);
		else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
			code = fail_set(f, SG_EEXIST, "stop it first, start this one "
			    "with --standby, or name another run_directory",
			    "a gateway is running already (%s is locked)", path);
		else if (ftruncate(fd, 0) != 0)
			code = fail_errno(f, SG_ESYSTEM, NULL, "cannot write %s", path);
	}
	if (code == SG_OK)
		code = fd_write_all(fd, text, strlen(text), f);
	if (code == SG_OK) {
		*lock_out = fd;
		fd = -1;
	}
	fd_close(&fd);
	free(path);
	free(text);
	return code;
}

/* ---- listening sockets ---- */

/* local: the name below run_directory; others have a key of their own. */
static const struct {
	const char *name;
	const char *local;
} places[PREPARE_SOCKETS] = {
	[PREPARE_SCAN] = { "scan", CONF_SOCKET_SCAN },
	[PREPARE_PDF] = { "pdf", CONF_SOCKET_PDF },
	[PREPARE_VAULT] = { "vault", CONF_SOCKET_VAULT },
	[PREPARE_ADMIN] = { "admin", CONF_SOCKET_ADMIN },
	[PREPARE_FACTS] = { "facts", CONF_SOCKET_FACTS },
	[PREPARE_NOTICE] = { "notice", CONF_SOCKET_NOTICE },
	[PREPARE_TLS] = { "tls", CONF_SOCKET_TLS },
	[PREPARE_POLICY] = { "policy", NULL },
	[PREPARE_METRICS] = { "metrics", NULL },
	[PREPARE_HEALTH] = { "health", NULL },
	[PREPARE_FILTER] = { "filter", NULL },
};

const char *prepare_name(enum prepare_socket which)
{
	return places[which].name;
}

/* As listen_open spells it, freed by the caller. "": not wanted. NULL: no memory. */
static char *where_is(const struct conf *conf, enum prepare_socket which)
{
	switch (which) {
	case PREPARE_POLICY:
		return str_dup(conf->tls.socket);
	case PREPARE_METRICS:
		return str_dup(conf->tls.metrics);
	case PREPARE_HEALTH:
		return str_dup(conf->health.listen);
	case PREPARE_FILTER:
		return str_dup(conf->socket);
	default:
		return str_printf("local:%s/%s", conf->run_directory, places[which].local);
	}
}

/* Who may connect below run_directory. */
static const char *client_of(const struct conf *conf, enum prepare_socket which)
{
	switch (which) {
	case PREPARE_ADMIN:
		return NULL;
	case PREPARE_FACTS:
		return conf->users.trace;
	case PREPARE_NOTICE:
		return conf->users.notify;
	default:
		return conf->users.milter;
	}
}

/* Two programs tell the vault what happened: the one is the socket's user, the other its group. */
static enum fail_code give_group(const char *path, const char *user, struct fail *f)
{
	uid_t uid;
	gid_t gid;
	enum fail_code code;

	if (!proc_may_change_user())
		return SG_OK;
	code = proc_user(user, &uid, &gid, f);
	if (code == SG_OK && lchown(path, (uid_t)-1, gid) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot give %s to %s", path, user);
	return code;
}

static enum fail_code listen_for_ours(const struct conf *conf, enum prepare_socket which,
    const char *path, int *socket_out, struct fail *f)
{
	bool two = which == PREPARE_FACTS;
	enum fail_code code = wire_listen(path, two ? 0660 : 0600, socket_out, f);

	if (code == SG_OK)
		code = give(path, client_of(conf, which), f);
	if (code == SG_OK && two)
		code = give_group(path, conf->users.tls, f);
	return code;
}

static enum fail_code listen_for_others(const struct conf *conf, enum prepare_socket which,
    const char *where, int *socket_out, struct fail *f)
{
	switch (which) {
	case PREPARE_METRICS:
		return listen_open(where, 0600, "", socket_out, f);
	case PREPARE_HEALTH:
		return listen_open(where, 0666, "", socket_out, f);
	default:
		return listen_open(where, conf->socket_mode, conf->socket_group, socket_out, f);
	}
}

static enum fail_code listen_at(const struct conf *conf, enum prepare_socket which,
    int *socket_out, struct fail *f)
{
	char *where = where_is(conf, which);
	enum fail_code code = SG_OK;

	if (where == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (places[which].local != NULL)
		code = listen_for_ours(conf, which, where + strlen("local:"), socket_out, f);
	else if (where[0] != '\0')
		code = listen_for_others(conf, which, where, socket_out, f);
	free(where);
	return code;
}

void prepare_init(struct prepare_sockets *sockets)
{
	for (size_t i = 0; i < PREPARE_SOCKETS; i++)
		sockets->fds[i] = -1;
}

bool prepare_take(const struct conf *conf, const char *name, int fd,
    struct prepare_sockets *sockets)
{
	bool fits = false;

	for (unsigned int i = 0; i < PREPARE_SOCKETS; i++) {
		char *where;

		if (strcmp(places[i].name, name) != 0)
			continue;
		where = where_is(conf, (enum prepare_socket)i);
		fits = where != NULL && where[0] != '\0' && listen_is(fd, where);
		free(where);
		if (fits) {
			fd_close(&sockets->fds[i]);
			sockets->fds[i] = fd;
		}
	}
	return fits;
}

enum fail_code prepare_listen(const struct conf *conf, struct prepare_sockets *sockets,
    struct fail *f)
{
	enum fail_code code = SG_OK;

	for (unsigned int i = 0; i < PREPARE_SOCKETS && code == SG_OK; i++)
		if (sockets->fds[i] < 0)
			code = listen_at(conf, (enum prepare_socket)i, &sockets->fds[i], f);
	return code;
}

void prepare_close(struct prepare_sockets *sockets)
{
	for (size_t i = 0; i < PREPARE_SOCKETS; i++)
		fd_close(&sockets->fds[i]);
}
