#include "gateway/cmd/oneshot.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define TEMPLATE "/tmp/sealgate.XXXXXX"
#define SOCKET_NAME "worker.sock"
#define SOCKET_MODE 0600
#define STOP_WAIT_MS 5000

static enum fail_code make_folder(struct oneshot *oneshot, struct fail *f)
{
	oneshot->directory = str_dup(TEMPLATE);
	if (oneshot->directory == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (mkdtemp(oneshot->directory) == NULL) {	/* mode 0700 */
		free(oneshot->directory);
		oneshot->directory = NULL;
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a folder in /tmp");
	}
	oneshot->socket = str_printf("%s/%s", oneshot->directory, SOCKET_NAME);
	if (oneshot->socket == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	return wire_listen(oneshot->socket, SOCKET_MODE, &oneshot->listener, f);
}

/* The users of an installation may not exist where somebody just tries a command. */
static void replace_user(char **user, char *nobody)
{
	uid_t uid;
	gid_t gid;

	if (proc_user(*user, &uid, &gid, NULL) != SG_OK)
		*user = nobody;
}

/* conf with changes for this place, in a shallow copy: nothing of it is freed. */
static enum fail_code encode(const struct oneshot *oneshot, const struct conf *conf,
    unsigned int role, struct buf *config, struct fail *f)
{
	struct conf here = *conf;
	char nobody[] = "65534:65534";

	replace_user(&here.users.scan, nobody);
	replace_user(&here.users.pdf, nobody);
	/* ours is removed whatever becomes of the worker; root's has a tmpfs of its own */
	if (here.scan.temporary_directory[0] == '\0' && geteuid() != 0)
		here.scan.temporary_directory = oneshot->directory;
	return conf_encode(&here, role, config, f);
}

enum fail_code oneshot_start(const char *program, const struct conf *conf, unsigned int role,
    struct oneshot *oneshot_out, struct fail *f)
{
	struct oneshot oneshot = { .child = { -1, -1 }, .listener = -1 };
	struct buf config;
	char *path = NULL;
	enum fail_code code;

	buf_init(&config, PROC_CONFIG_MAX);
	code = make_folder(&oneshot, f);
	if (code == SG_OK)
		code = proc_find(program, &path, f);
	if (code == SG_OK)
		code = encode(&oneshot, conf, role, &config, f);
	if (code == SG_OK)
		code = proc_spawn(&(struct proc_birth){ path, &oneshot.listener, 1, &config,
		    false }, &oneshot.child, f);
	/* with our own copy open, a worker that died would leave its client waiting for ever */
	fd_close(&oneshot.listener);
	if (code == SG_OK)
		code = proc_wait_ready(&oneshot.child, ONESHOT_WAIT_MS, NULL, f);
	free(path);
	buf_free(&config);
	if (code != SG_OK)
		oneshot_stop(&oneshot);
	*oneshot_out = oneshot;
	return code;
}

void oneshot_stop(struct oneshot *oneshot)
{
	int folder = -1;

	proc_stop(&oneshot->child, STOP_WAIT_MS);
	fd_close(&oneshot->listener);
	if (oneshot->directory != NULL)
		folder = open(oneshot->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder >= 0) {
		fd_empty_folder(folder);
		(void)rmdir(oneshot->directory);
	}
	free(oneshot->directory);
	free(oneshot->socket);
	oneshot->directory = NULL;
	oneshot->socket = NULL;
}
