#include "gateway/base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/str.h"

#define FOLDER_DEPTH_MAX 64
#define READ_STEP ((size_t)64 * 1024)

void fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

enum fail_code fd_write_all(int fd, const void *data, size_t size, struct fail *f)
{
	const unsigned char *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(f, SG_ESYSTEM, "is there space?", "cannot write");
		at += n;
		size -= (size_t)n;
	}
	return SG_OK;
}

enum fail_code fd_read_all(int fd, struct buf *out, struct fail *f)
{
	unsigned char last;

	for (;;) {
		size_t left = out->max - out->size;
		size_t step = left < READ_STEP ? left : READ_STEP;
		unsigned char *room = &last;
		ssize_t n;

		if (step > 0 && buf_reserve(out, step, &room) != SG_OK)
			return fail_set(f, SG_ENOMEM, NULL, "no memory");
		n = read(fd, room, step > 0 ? step : 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(f, SG_ESYSTEM, NULL, "cannot read");
		if (n == 0)
			return SG_OK;
		if (step == 0)
			return fail_set(f, SG_ELIMIT, NULL, "more than %zu bytes", out->max);
		out->size += (size_t)n;
	}
}

enum fail_code fd_read_file(const char *path, struct buf *out, struct fail *f)
{
	struct fail inner;
	enum fail_code code;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(f, errno == ENOENT ? SG_ENOTFOUND : SG_ESYSTEM, NULL,
		    "cannot open %s", path);
	fail_clear(&inner);
	code = fd_read_all(fd, out, &inner);
	fd_close(&fd);
	if (code != SG_OK)
		return fail_set(f, code, inner.hint, "%s: %s", path, inner.what);
	return SG_OK;
}

/* fsync of the folder that holds path, so that a rename there survives a crash. */
static enum fail_code sync_folder(const char *path, struct fail *f)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? str_dup(".") : str_dup_n(path, (size_t)(slash - path) + 1);
	enum fail_code code = SG_OK;
	int fd;

	if (folder == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot make %s durable", folder);
	fd_close(&fd);
	free(folder);
	return code;
}

static enum fail_code write_durably(const char *path, const void *data, size_t size, mode_t mode,
    struct fail *f)
{
	enum fail_code code;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return fail_errno(f, SG_ESYSTEM, "are the folder and its rights right?",
		    "cannot create %s", path);
	code = fd_write_all(fd, data, size, f);
	if (code == SG_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot write %s", path);
	fd_close(&fd);
	return code;
}

enum fail_code fd_replace_file(const char *path, const void *data, size_t size, mode_t mode,
    struct fail *f)
{
	char *temporary = str_printf("%s.%ld.new", path, (long)getpid());
	enum fail_code code;

	if (temporary == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	(void)unlink(temporary);
	code = write_durably(temporary, data, size, mode, f);
	if (code == SG_OK && rename(temporary, path) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot replace %s", path);
	if (code == SG_OK)
		code = sync_folder(path, f);
	else
		(void)unlink(temporary);
	free(temporary);
	return code;
}

static void empty_folder(int folder, int depth);

static void remove_entry(int folder, const char *name, int depth)
{
	int inner;

	if (unlinkat(folder, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
		return;
	inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inner < 0)
		return;
	empty_folder(inner, depth + 1);
	(void)unlinkat(folder, name, AT_REMOVEDIR);
}

static void empty_folder(int folder, int depth)
{
	DIR *list = depth < FOLDER_DEPTH_MAX ? fdopendir(folder) : NULL;
	const struct dirent *entry;

	if (list == NULL) {
		(void)close(folder);
		return;
	}
	while ((entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_entry(dirfd(list), entry->d_name, depth);
	(void)closedir(list);
}

void fd_empty_folder(int folder)
{
	empty_folder(folder, 0);
}

enum fail_code fd_memory(const char *name, int *fd_out, struct fail *f)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*fd_out = -1;
	if (fd < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a memory file");
	*fd_out = fd;
	return SG_OK;
}

enum fail_code fd_seal(int fd, struct fail *f)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

	if (fcntl(fd, F_ADD_SEALS, seals) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot seal a memory file");
	return SG_OK;
}

enum fail_code fd_map(int fd, size_t max, struct fd_map *map_out, struct fail *f)
{
	struct stat st;
	void *data;

	map_out->data = NULL;
	map_out->size = 0;
	if (fstat(fd, &st) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot look at a descriptor");
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return fail_set(f, SG_EFORMAT, NULL, "the descriptor is not a file");
	if ((uint64_t)st.st_size > max)
		return fail_set(f, SG_ELIMIT, NULL, "%lld bytes, more than %zu",
		    (long long)st.st_size, max);
	if (st.st_size == 0)
		return SG_OK;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot map %lld bytes",
		    (long long)st.st_size);
	map_out->data = data;
	map_out->size = (size_t)st.st_size;
	return SG_OK;
}

void fd_unmap(struct fd_map *map)
{
	union {
		const unsigned char *view;
		void *pages;
	} memory;

	memory.view = map->data;
	if (memory.pages != NULL)
		(void)munmap(memory.pages, map->size);
	map->data = NULL;
	map->size = 0;
}
