#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/trace/older.h"
#include "gateway/trace/place.h"
#include "gateway/trace/source.h"

#define FILE_AGAIN ((int64_t)64 * 1024)	/* bytes before the position that are read again */

/* Reading: first what was rotated away (older), one after the other, then the file itself. */
struct file {
	struct source source;	/* first */
	char *path;
	char *folder;
	int fd;			/* -1: not there, or not yet */
	struct older *older;	/* rotated ones that are to be read before; NULL: none */
	struct place place;	/* of what is read; offset: behind the last line given */
	int64_t old_until;	/* lines that end here or before are old */
	int64_t read_offset;	/* of the first byte in buffer */
	char buffer[2 * LINE_MAX_SIZE];
	size_t size;
	size_t at;
	bool skipping;		/* inside a line that is too long */
};

static struct file *file_of(struct source *source)
{
	return (struct file *)source;
}

/* Reading starts anew at offset of what place names. */
static void file_start(struct file *file, int64_t offset, int64_t old_until)
{
	file->place.offset = offset;
	file->read_offset = offset;
	file->old_until = old_until;
	file->size = 0;
	file->at = 0;
	file->skipping = false;
}

/* --- the file itself --- */

static enum fail_code file_cannot(const struct file *file, struct fail *f)
{
	return fail_errno(f, SG_ESYSTEM,
	    "users.trace must be a user of the group that may read it: usermod -g adm "
	    "sealgate-trace (add it to the group adm)",
	    "cannot read Postfix's log %s", file->path);
}

/* Opens what is at path now; nothing there is no failure. */
static enum fail_code file_open(struct file *file, struct fail *f)
{
	struct stat st;

	if (file->fd >= 0)
		return SG_OK;
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (file->fd < 0 && errno == ENOENT)
		return SG_OK;
	if (file->fd < 0)
		return file_cannot(file, f);
	if (fstat(file->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		fd_close(&file->fd);
		return fail_set(f, SG_EUSAGE, "name a file, a folder of journal files, or journal",
		    "trace.log %s is not a file", file->path);
	}
	place_clear(&file->place);
	file->place.inode = (uint64_t)st.st_ino;
	place_load(&file->place, file->fd);
	return SG_OK;
}

/* Is the file still the one that was begun? Shorter, or with another beginning: truncated. */
static bool file_is_same(struct file *file)
{
	struct stat st;

	return fstat(file->fd, &st) == 0 && st.st_size >= file->place.offset &&
	    place_fits_fd(&file->place, file->fd);
}

static void file_lost(const struct file *file)
{
	struct fail f;

	(void)fail_set(&f, SG_ENOTFOUND, "rotate to plain or gzip files in the same folder",
	    "the rest of the log that was read last is gone: what happened between is not in the "
	    "records (%s)", file->path);
	log_failure(LOG_LEVEL_ERROR, NULL, "trace-gap", &f);
}

/* Reads from a little before place on, what place knows being told already. */
static void file_goto(struct file *file, const struct place *place)
{
	int64_t from = place->offset > FILE_AGAIN ? place->offset - FILE_AGAIN : 0;

	file->place = *place;
	file_start(file, from, place->offset);
	/* most likely in the middle of a line */
	file->skipping = from > 0;
}

/*
 * The file is not the one that place tells of: what is left of that one stands in a rotated file,
 * and those that came after it are read as well. None: *found_out is false.
 */
static enum fail_code file_find_older(struct file *file, struct place place, bool *found_out,
    struct fail *f)
{
	int64_t from = place.offset > FILE_AGAIN ? place.offset - FILE_AGAIN : 0;
	enum fail_code code = older_find(file->path, &place, from, &file->older, f);

	*found_out = code == SG_OK;
	if (code == SG_OK)
		file_goto(file, &place);
	return code == SG_ENOTFOUND ? SG_OK : code;
}

/* From the beginning of what is at path now. */
static enum fail_code file_from_start(struct file *file, struct fail *f)
{
	enum fail_code code = file_open(file, f);

	if (code == SG_OK && file->fd >= 0)
		file_start(file, 0, 0);
	return code;
}

static enum fail_code file_resume(struct source *source, const char *position, struct fail *f)
{
	struct file *file = file_of(source);
	enum fail_code code;
	struct place place;
	bool found;
	struct stat st;

	fd_close(&file->fd);
	older_free(file->older);
	file->older = NULL;
	code = file_open(file, f);
	if (code != SG_OK)
		return code;
	if (!place_parse(position, &place)) {
		/* a first start */
		if (file->fd >= 0 && fstat(file->fd, &st) == 0)
			file_start(file, st.st_size, st.st_size);
		return SG_OK;
	}
	if (file->fd >= 0 && fstat(file->fd, &st) == 0 && st.st_size >= place.offset &&
	    (place.head_size >= PLACE_HEAD_MIN || (uint64_t)st.st_ino == place.inode) &&
	    place_fits_fd(&place, file->fd)) {
		place.inode = (uint64_t)st.st_ino;
		place_load(&place, file->fd);
		file_goto(file, &place);
		return SG_OK;
	}
	code = file_find_older(file, place, &found, f);
	if (code == SG_OK && !found) {
		file_lost(file);
		file_start(file, 0, 0);
	}
	return code;
}

/* Is there another file at path than the one that is read, with something in it? */
static bool file_was_renamed(const struct file *file)
{
	struct stat now;
	struct stat own;

	if (stat(file->path, &now) != 0 || now.st_size == 0 ||
	    (file->older == NULL && file->fd < 0))
		return false;
	if (file->older != NULL)
		return true;
	return file->fd >= 0 && fstat(file->fd, &own) == 0 &&
	    (now.st_ino != own.st_ino || now.st_dev != own.st_dev);
}

/* --- bytes --- */

/* *got_out bytes more in buffer; 0: the end, for now. */
static enum fail_code file_read_some(struct file *file, size_t *got_out, struct fail *f)
{
	size_t room = sizeof(file->buffer) - file->size;
	ssize_t n = 0;

	*got_out = 0;
	if (file->older != NULL)
		return older_read(file->older, file->buffer + file->size, room, got_out, f);
	if (file->fd < 0)
		return SG_OK;
	n = pread(file->fd, file->buffer + file->size, room,
	    file->read_offset + (int64_t)file->size);
	if (n < 0)
		return file_cannot(file, f);
	*got_out = (size_t)n;
	return SG_OK;
}

/* Moves what is not used to the front. */
static void file_shift(struct file *file)
{
	memmove(file->buffer, file->buffer + file->at, file->size - file->at);
	file->read_offset += (int64_t)file->at;
	file->size -= file->at;
	file->at = 0;
}

/*
 * What was read is read to its end, and path names another file. Others may have come and gone in
 * between: they stand among the rotated ones. Goes on with the next of them, or with path.
 */
static enum fail_code file_leave(struct file *file, struct fail *f)
{
	struct place place = file->place;
	struct older *newer = NULL;
	enum fail_code code;

	code = older_find(file->path, &place, 0, &newer, f);
	if (code != SG_OK && code != SG_ENOTFOUND)
		return code;
	older_free(file->older);
	file->older = NULL;
	if (newer != NULL && older_next(newer, &file->place)) {
		file->older = newer;
		file_start(file, 0, 0);
		return SG_OK;
	}
	older_free(newer);
	fd_close(&file->fd);
	place_clear(&file->place);
	return file_from_start(file, f);
}

/* The file was truncated: what was not read of it is in a copy, if anywhere. */
static enum fail_code file_truncated(struct file *file, struct fail *f)
{
	enum fail_code code;
	bool found;

	fd_close(&file->fd);
	code = file_find_older(file, file->place, &found, f);
	if (code != SG_OK || found)
		return code;
	file_lost(file);
	return file_from_start(file, f);
}

/*
 * The end of what is read: goes on with the next rotated file, or with the new file at path.
 * *more_out: there may be more. renamed_before: as it was before the end was met, since Postfix or
 * its logger writes to a renamed file until it opens the new one.
 */
static enum fail_code file_at_end(struct file *file, bool renamed_before, bool *more_out,
    struct fail *f)
{
	enum fail_code code = SG_OK;

	*more_out = true;
	if (file->older != NULL && older_next(file->older, &file->place)) {
		file_start(file, 0, 0);
	} else if (renamed_before) {
		code = file_leave(file, f);
	} else if (file->older == NULL && file->fd < 0) {
		code = file_from_start(file, f);
		*more_out = code == SG_OK && file->fd >= 0;
	} else {
		*more_out = false;
	}
	return code;
}

/* --- lines --- */

/* A whole line in buffer, NUL-terminated in place; NULL: none. */
static char *file_take(struct file *file)
{
	char *start = file->buffer + file->at;
	char *end = memchr(start, '\n', file->size - file->at);
	bool skip = file->skipping;

	if (end == NULL) {
		if (file->size - file->at >= LINE_MAX_SIZE) {
			file->skipping = true;
			file->at = file->size;
		}
		return NULL;
	}
	*end = '\0';
	file->at = (size_t)(end - file->buffer) + 1;
	file->place.offset = file->read_offset + (int64_t)file->at;
	file->skipping = false;
	return skip ? end : start;
}

static enum fail_code file_next(struct source *source, enum source_got *got_out,
    struct line *line_out, struct fail *f)
{
	struct file *file = file_of(source);
	enum fail_code code;
	bool renamed;
	bool more;
	size_t got;
	char *text;

	*got_out = SOURCE_NOTHING;
	for (;;) {
		while ((text = file_take(file)) != NULL) {
			if (!line_parse(text, clock_wall_ms(clock_system()), line_out))
				continue;
			*got_out = file->place.offset <= file->old_until ? SOURCE_OLD :
			    SOURCE_LINE;
			return SG_OK;
		}
		file_shift(file);
		/* before each reading: a truncated file may have grown beyond the place again */
		if (file->older == NULL && file->fd >= 0 && !file_is_same(file)) {
			code = file_truncated(file, f);
			if (code != SG_OK)
				return code;
			continue;
		}
		renamed = file_was_renamed(file);
		code = file_read_some(file, &got, f);
		if (code != SG_OK)
			return code;
		if (got > 0) {
			place_learn(&file->place, file->read_offset, file->buffer,
			    file->size + got);
			file->size += got;
			continue;
		}
		code = file_at_end(file, renamed, &more, f);
		if (code != SG_OK || !more)
			return code;
	}
}

static enum fail_code file_position(struct source *source, char out[SOURCE_POSITION_MAX],
    struct fail *f)
{
	struct file *file = file_of(source);

	if (!place_print(&file->place, out, SOURCE_POSITION_MAX))
		return fail_set(f, SG_ELIMIT, NULL, "a position in the log that is too long");
	return SG_OK;
}

/* --- birth --- */

static void file_close(struct source *source)
{
	struct file *file = file_of(source);

	older_free(file->older);
	fd_close(&file->fd);
	fd_close(&file->source.wake);
	free(file->path);
	free(file->folder);
	free(file);
}

static const struct source_ops file_ops = {
	.close = file_close,
	.resume = file_resume,
	.next = file_next,
	.position = file_position,
};

static enum fail_code file_watch(struct file *file, struct fail *f)
{
	file->source.wake = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (file->source.wake < 0 || inotify_add_watch(file->source.wake, file->folder,
	    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR) < 0)
		return fail_errno(f, SG_ESYSTEM,
		    "it is trace.log in sealgate.conf; its folder must be readable",
		    "cannot watch the folder %s of Postfix's log", file->folder);
	return SG_OK;
}

enum fail_code source_file(const char *path, struct source **source_out, struct fail *f)
{
	struct file *file = calloc(1, sizeof(*file));
	const char *slash = strrchr(path, '/');
	enum fail_code code = SG_OK;

	*source_out = NULL;
	if (file == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to read the log");
	file->source.ops = &file_ops;
	file->source.wake = -1;
	file->source.drain = true;
	file->fd = -1;
	if (path[0] != '/' || slash[1] == '\0') {
		code = fail_set(f, SG_EUSAGE, "write a whole path, such as " SOURCE_AUTO_FILE,
		    "trace.log is no path of a file: %s", path);
		goto out;
	}
	file->path = str_dup(path);
	file->folder = slash == path ? str_dup("/") : str_dup_n(path, (size_t)(slash - path));
	if (file->path == NULL || file->folder == NULL) {
		code = fail_set(f, SG_ENOMEM, NULL, "no memory to read the log");
		goto out;
	}
	file->source.folder = file->folder;
	code = file_watch(file, f);
out:
	if (code == SG_OK)
		*source_out = &file->source;
	else
		file_close(&file->source);
	return code;
}
