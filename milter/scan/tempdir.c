#include "milter/scan/tempdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/str.h"

#define SYSTEM_DIRECTORY "/tmp"
#define INODES_MIN 64		/* fewer free ones count as no room */

uint64_t tempdir_room(const char *path)
{
	struct statvfs st;

	if (path == NULL || statvfs(path, &st) != 0 || (st.f_files > 0 && st.f_favail < INODES_MIN))
		return 0;
	return (uint64_t)st.f_bavail * st.f_frsize;
}

/* ---- a tmpfs of our own ---- */

/* True if a mount on top of mount_point would hide path. */
static bool would_hide(const char *mount_point, const char *path)
{
	char real[PATH_MAX];
	size_t size = strlen(mount_point);

	if (realpath(path, real) == NULL)
		return false;
	return strncmp(real, mount_point, size) == 0 && (real[size] == '/' || real[size] == '\0');
}

/* A folder that every system has, that is not ours to fill, and that nobody here needs. */
static const char *find_mount_point(const char *visible)
{
	static const char *const candidates[] = { "/mnt", "/media", "/srv", "/opt", NULL };
	struct stat st;

	for (size_t i = 0; candidates[i] != NULL; i++)
		if (lstat(candidates[i], &st) == 0 && S_ISDIR(st.st_mode) &&
		    !would_hide(candidates[i], visible))
			return candidates[i];
	return NULL;
}

/* Half of the memory at most, like the kernel's own default. */
static uint64_t bounded_by_memory(uint64_t size)
{
	struct sysinfo info;
	uint64_t half;

	if (sysinfo(&info) != 0)
		return size;
	half = (uint64_t)info.totalram * info.mem_unit / 2;
	return size < half ? size : half;
}

/* False where it is not possible; nothing is changed then that matters to a worker. */
static bool mount_own(const struct tempdir_wish *wish, struct tempdir *dir)
{
	const char *point = find_mount_point(wish->visible);
	char options[128];

	if (geteuid() != 0 || point == NULL)
		return false;
	dir->path = str_dup(point);
	if (dir->path == NULL || unshare(CLONE_NEWNS) != 0)
		goto no;
	(void)snprintf(options, sizeof(options), "mode=0700,uid=%u,gid=%u,size=%llu",
	    (unsigned int)wish->uid, (unsigned int)wish->gid,
	    (unsigned long long)bounded_by_memory(wish->size));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("sealgate-scan", point, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) != 0)
		goto no;
	return true;
no:
	free(dir->path);
	dir->path = NULL;
	return false;
}

/* ---- a directory among others ---- */

static enum fail_code make_in(const char *base, const struct tempdir_wish *wish,
    struct tempdir *dir, struct fail *f)
{
	dir->base = str_dup(base);
	dir->path = str_printf("%s/" TEMPDIR_NAME "XXXXXX", base);
	if (dir->base == NULL || dir->path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (mkdtemp(dir->path) == NULL) {
		free(dir->path);
		dir->path = NULL;
		return fail_errno(f, SG_ESYSTEM,
		    "set scan.temporary_directory to a folder that exists and may be written",
		    "cannot make a temporary directory in %s", base);
	}
	dir->lock = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->lock < 0 || flock(dir->lock, LOCK_EX | LOCK_NB) != 0 ||
	    (proc_may_change_user() && fchown(dir->lock, wish->uid, wish->gid) != 0))
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot prepare %s", dir->path);
	return SG_OK;
}

/* A failure where we chose the place; where an administrator did, a line in the log. */
static enum fail_code check_room(const struct tempdir_wish *wish, const struct tempdir *dir,
    struct fail *f)
{
	uint64_t room = tempdir_room(dir->path);
	struct fail scarce;

	if (room >= wish->room_min)
		return SG_OK;
	fail_clear(&scarce);
	(void)fail_set(&scarce, SG_ESYSTEM, "free some space, or set scan.temporary_directory",
	    "the scanner's temporary directory %s has %llu MB free; one message may need %llu MB",
	    dir->path, (unsigned long long)(room >> 20),
	    (unsigned long long)(wish->room_min >> 20));
	if (wish->configured[0] != '\0') {
		log_failure(LOG_LEVEL_NOTICE, NULL, "little_room", &scarce);
		return SG_OK;
	}
	if (f != NULL)
		*f = scarce;
	return SG_ESYSTEM;
}

enum fail_code tempdir_make(const struct tempdir_wish *wish, struct tempdir *dir_out,
    struct fail *f)
{
	const char *base = wish->configured[0] != '\0' ? wish->configured : SYSTEM_DIRECTORY;
	enum fail_code code;

	memset(dir_out, 0, sizeof(*dir_out));
	dir_out->lock = -1;
	if (wish->configured[0] == '\0' && mount_own(wish, dir_out))
		return SG_OK;
	code = make_in(base, wish, dir_out, f);
	if (code == SG_OK)
		code = check_room(wish, dir_out, f);
	if (code != SG_OK)
		tempdir_free(dir_out);
	return code;
}

/* ---- sweeping ---- */

/* A living scanner holds the lock of its own. */
static void sweep_one(int base, const char *name)
{
	struct stat st;
	int folder = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder < 0)
		return;
	if (fstat(folder, &st) != 0 || st.st_uid != geteuid() ||
	    flock(folder, LOCK_EX | LOCK_NB) != 0) {
		(void)close(folder);
		return;
	}
	fd_empty_folder(folder);
	(void)unlinkat(base, name, AT_REMOVEDIR);
}

void tempdir_sweep(const struct tempdir *dir)
{
	DIR *list = dir->base != NULL ? opendir(dir->base) : NULL;
	const struct dirent *entry;

	if (list == NULL)
		return;
	while ((entry = readdir(list)) != NULL)
		if (strncmp(entry->d_name, TEMPDIR_NAME, sizeof(TEMPDIR_NAME) - 1) == 0)
			sweep_one(dirfd(list), entry->d_name);
	(void)closedir(list);
}

void tempdir_free(struct tempdir *dir)
{
	if (dir->base != NULL && dir->path != NULL && dir->lock >= 0) {
		fd_empty_folder(dir->lock);
		dir->lock = -1;
		(void)rmdir(dir->path);
	}
	fd_close(&dir->lock);
	free(dir->base);
	free(dir->path);
	dir->base = NULL;
	dir->path = NULL;
}
