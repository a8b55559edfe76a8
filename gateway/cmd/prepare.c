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

static enum fail_code make_socket_folder(const char *socket, const char *user, struct fail *f)
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
	code = make_folder(folder, 0755, user, f);
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
		code = make_socket_folder(conf->socket, conf->users.milter, f);
	if (code == SG_OK)
		code = make_socket_folder(conf->tls.socket, NULL, f);
	if (code == SG_OK)
		code = make_socket_folder(conf->health.listen, NULL, f);
	return code;
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
			code = fail_set(f, SG_EEXIST, "stop it first, or name another "
			    "run_directory", "a gateway is running already (%s is locked)",
			    path);
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

/* A socket that only user may connect to. */
static enum fail_code listen_for(const struct conf *conf, const char *name, const char *user,
    int *socket_out, struct fail *f)
{
	char *path = conf_run_path(conf, name);
	enum fail_code code;

	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = wire_listen(path, 0600, socket_out, f);
	if (code == SG_OK)
		code = give(path, user, f);
	free(path);
	return code;
}

/* Two programs tell the vault what happened: the one is the socket's user, the other its group. */
static enum fail_code listen_facts(const struct conf *conf, int *socket_out, struct fail *f)
{
	char *path = conf_run_path(conf, CONF_SOCKET_FACTS);
	enum fail_code code;
	uid_t uid;
	gid_t gid;

	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = wire_listen(path, 0660, socket_out, f);
	if (code == SG_OK)
		code = give(path, conf->users.trace, f);
	if (code == SG_OK && proc_may_change_user()) {
		code = proc_user(conf->users.tls, &uid, &gid, f);
		if (code == SG_OK && lchown(path, (uid_t)-1, gid) != 0)
			code = fail_errno(f, SG_ESYSTEM, NULL, "cannot give %s to %s", path,
			    conf->users.tls);
	}
	free(path);
	return code;
}

static enum fail_code listen_tls(const struct conf *conf, struct prepare_sockets *sockets,
    struct fail *f)
{
	enum fail_code code = listen_for(conf, CONF_SOCKET_TLS, conf->users.milter, &sockets->tls,
	    f);

	if (code == SG_OK)
		code = listen_open(conf->tls.socket, conf->socket_mode, conf->socket_group,
		    &sockets->policy, f);
	if (code == SG_OK && conf->tls.metrics[0] != '\0')
		code = listen_open(conf->tls.metrics, 0600, "", &sockets->metrics, f);
	return code;
}

enum fail_code prepare_listen(const struct conf *conf, struct prepare_sockets *sockets,
    struct fail *f)
{
	enum fail_code code;

	*sockets = (struct prepare_sockets){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	code = listen_for(conf, CONF_SOCKET_SCAN, conf->users.milter, &sockets->scan, f);
	if (code == SG_OK)
		code = listen_for(conf, CONF_SOCKET_PDF, conf->users.milter, &sockets->pdf, f);
	if (code == SG_OK)
		code = listen_for(conf, CONF_SOCKET_VAULT, conf->users.milter, &sockets->vault,
		    f);
	if (code == SG_OK)
		code = listen_for(conf, CONF_SOCKET_ADMIN, NULL, &sockets->admin, f);
	if (code == SG_OK)
		code = listen_facts(conf, &sockets->facts, f);
	if (code == SG_OK)
		code = listen_for(conf, CONF_SOCKET_NOTICE, conf->users.notify,
		    &sockets->notice, f);
	if (code == SG_OK)
		code = listen_tls(conf, sockets, f);
	if (code == SG_OK && conf->health.listen[0] != '\0')
		code = listen_open(conf->health.listen, 0666, "", &sockets->health, f);
	if (code != SG_OK)
		prepare_close(sockets);
	return code;
}

void prepare_close(struct prepare_sockets *sockets)
{
	fd_close(&sockets->scan);
	fd_close(&sockets->pdf);
	fd_close(&sockets->vault);
	fd_close(&sockets->admin);
	fd_close(&sockets->facts);
	fd_close(&sockets->notice);
	fd_close(&sockets->tls);
	fd_close(&sockets->policy);
	fd_close(&sockets->metrics);
	fd_close(&sockets->health);
}
