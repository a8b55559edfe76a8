#include "gateway/trace/older.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"

struct older_file {
	char *path;
	struct timespec changed;
	uint64_t inode;
	bool fits;
	size_t head_size;
	unsigned char head[PLACE_HEAD_MAX];
};

struct older {
	struct older_file *files;	/* in order of time; the first is the one looked for */
	size_t count;
	size_t at;
	gzFile gz;		/* of files[at] */
};

/* --- one file --- */

static gzFile older_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	gzFile gz = fd < 0 ? NULL : gzdopen(fd, "rb");

	if (gz == NULL)
		fd_close(&fd);
	return gz;
}

/* False: not a file that can be read. */
static bool older_look(const char *path, const struct place *place, struct older_file *file)
{
	struct stat st;
	gzFile gz;
	int n;

	memset(file, 0, sizeof(*file));
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	gz = older_open(path);
	if (gz == NULL)
		return false;
	n = gzread(gz, file->head, sizeof(file->head));
	(void)gzclose(gz);
	if (n <= 0)
		return false;
	file->head_size = (size_t)n;
	file->inode = (uint64_t)st.st_ino;
	file->changed = st.st_mtim;
	file->fits = place_fits(place, file->head, file->head_size) &&
	    (place->head_size >= PLACE_HEAD_MIN || file->inode == place->inode);
	file->path = str_dup(path);
	return file->path != NULL;
}

/* "NAME.1", "NAME-20261124": what follows the name is a number or a date. */
static bool older_is_name(const char *entry, const char *name)
{
	size_t size = strlen(name);

	return strncmp(entry, name, size) == 0 && (entry[size] == '.' || entry[size] == '-') &&
	    entry[size + 1] >= '0' && entry[size + 1] <= '9';
}

static void older_warn(const char *path)
{
	static const char *const suffixes[] = {".xz", ".zst", ".bz2"};
	size_t size = strlen(path);
	struct fail f;
	size_t i;

	for (i = 0; i < 3; i++) {
		if (size < 4 || strcmp(path + size - strlen(suffixes[i]), suffixes[i]) != 0)
			continue;
		(void)fail_set(&f, SG_EFORMAT, "let logrotate compress it with gzip, or later",
		    "the rotated log %s cannot be read: what it tells is not in the records",
		    path);
		log_failure(LOG_LEVEL_ERROR, NULL, "trace-gap", &f);
	}
}

/* --- all of them --- */

static enum fail_code older_add(struct older *older, struct older_file *file, struct fail *f)
{
	struct older_file *larger;
	size_t i;

	/* the same one twice, while it is being compressed */
	for (i = 0; i < older->count; i++)
		if (older->files[i].head_size == file->head_size &&
		    memcmp(older->files[i].head, file->head, file->head_size) == 0) {
			free(file->path);
			return SG_OK;
		}
	larger = realloc(older->files, (older->count + 1) * sizeof(*file));
	if (larger == NULL || older->count >= OLDER_FILES_MAX) {
		free(file->path);
		if (larger != NULL)
			older->files = larger;
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the rotated logs");
	}
	older->files = larger;
	larger[older->count++] = *file;
	return SG_OK;
}

static enum fail_code older_list(struct older *older, const char *folder, const char *name,
    const struct place *place, struct fail *f)
{
	enum fail_code code = SG_OK;
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct older_file file;
	char *path;

	if (dir == NULL)
		return fail_errno(f, SG_ESYSTEM, "users.trace must be able to read it",
		    "cannot read the folder %s", folder);
	while (code == SG_OK && (entry = readdir(dir)) != NULL) {
		if (!older_is_name(entry->d_name, name))
			continue;
		path = str_printf("%s/%s", folder, entry->d_name);
		if (path == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for the rotated logs");
		else if (older_look(path, place, &file))
			code = older_add(older, &file, f);
		free(path);
	}
	(void)closedir(dir);
	return code;
}

static int older_compare(const void *a, const void *b)
{
	const struct timespec *one = &((const struct older_file *)a)->changed;
	const struct timespec *two = &((const struct older_file *)b)->changed;

	if (one->tv_sec != two->tv_sec)
		return one->tv_sec < two->tv_sec ? -1 : 1;
	return one->tv_nsec == two->tv_nsec ? 0 : one->tv_nsec < two->tv_nsec ? -1 : 1;
}

/* Drops those that came before the one looked for. */
static bool older_choose(struct older *older, struct place *place, int64_t from)
{
	size_t found = older->count;
	size_t i;

	qsort(older->files, older->count, sizeof(*older->files), older_compare);
	for (i = 0; i < older->count; i++)
		if (older->files[i].fits && (found == older->count ||
		    older->files[i].inode == place->inode))
			found = i;
	if (found == older->count)
		return false;
	older->at = found;
	for (i = found + 1; i < older->count; i++)
		older_warn(older->files[i].path);
	older->gz = older_open(older->files[found].path);
	if (older->gz == NULL || gzseek(older->gz, (z_off_t)from, SEEK_SET) < 0)
		return false;
	place->known = false;
	place->inode = older->files[found].inode;
	place->head_size = older->files[found].head_size;
	memcpy(place->head, older->files[found].head, place->head_size);
	return true;
}

enum fail_code older_find(const char *path, struct place *place, int64_t from,
    struct older **older_out, struct fail *f)
{
	const char *slash = strrchr(path, '/');
	struct older *older = calloc(1, sizeof(*older));
	char *folder = str_dup_n(path, (size_t)(slash - path) + 1);
	enum fail_code code = SG_OK;

	*older_out = NULL;
	if (older == NULL || folder == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for the rotated logs");
	if (code == SG_OK)
		code = older_list(older, folder, slash + 1, place, f);
	if (code == SG_OK && (older->count == 0 || !older_choose(older, place, from)))
		code = fail_set(f, SG_ENOTFOUND, NULL, "no rotated log begins like the one read");
	free(folder);
	if (code != SG_OK)
		older_free(older);
	else
		*older_out = older;
	return code;
}

void older_free(struct older *older)
{
	size_t i;

	if (older == NULL)
		return;
	if (older->gz != NULL)
		(void)gzclose(older->gz);
	for (i = 0; i < older->count; i++)
		free(older->files[i].path);
	free(older->files);
	free(older);
}

enum fail_code older_read(struct older *older, void *out, size_t room, size_t *got_out,
    struct fail *f)
{
	int n;

	*got_out = 0;
	/* a plain file may have grown since its end was met */
	gzclearerr(older->gz);
	n = gzread(older->gz, out, (unsigned int)room);
	if (n < 0)
		return fail_set(f, SG_ESYSTEM, "is it still being compressed? It is read again",
		    "cannot read the rotated log %s", older->files[older->at].path);
	*got_out = (size_t)n;
	return SG_OK;
}

bool older_next(struct older *older, struct place *place_out)
{
	gzFile gz = NULL;

	while (gz == NULL && older->at + 1 < older->count)
		gz = older_open(older->files[++older->at].path);
	if (gz == NULL)
		return false;
	(void)gzclose(older->gz);
	older->gz = gz;
	place_clear(place_out);
	place_out->inode = older->files[older->at].inode;
	return true;
}
