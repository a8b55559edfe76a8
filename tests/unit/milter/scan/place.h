/*
 * place: what the tests of the scanner share: a small database, a temporary directory that can be
 * broken, messages around real files. One process, one thread; included by each test.
 */
#ifndef SG_TESTS_UNIT_SCAN_PLACE_H
#define SG_TESTS_UNIT_SCAN_PLACE_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/base64.h"
#include "gateway/base/buf.h"
#include "gateway/base/fd.h"
/* the generator has no library of its own */
#include "tests/lib/sigdb.c"

#define PLACE_TESTFILES "/usr/share/clamav-testfiles"
#define PLACE_CORPUS "../shared/corpus/mime4j"
#define PLACE_FILE_MAX ((size_t)16 * 1024 * 1024)

struct place {
	char root[64];
	char database[96];
	char temporary[96];
	int mounts;		/* we have a mount namespace of our own */
};

static inline void place_make(struct place *place)
{
	memset(place, 0, sizeof(*place));
	(void)snprintf(place->root, sizeof(place->root), "/tmp/sealgate-test.XXXXXX");
	assert_non_null(mkdtemp(place->root));
	(void)snprintf(place->database, sizeof(place->database), "%s/db", place->root);
	(void)snprintf(place->temporary, sizeof(place->temporary), "%s/tmp", place->root);
	assert_int_equal(mkdir(place->database, 0755), 0);
	assert_int_equal(mkdir(place->temporary, 0700), 0);
	assert_int_equal(sigdb_write(place->database, 2000, 500, 7), 0);
	place->mounts = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static inline int place_remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *where)
{
	(void)st;
	(void)type;
	if (where->level > 0)
		(void)remove(path);
	return 0;
}

static inline void place_empty(const char *path)
{
	(void)nftw(path, place_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void place_remove(struct place *place)
{
	place_empty(place->root);
	(void)rmdir(place->root);
}

/* A tmpfs on the temporary directory; options as for mount(8). */
static inline void place_mount(struct place *place, const char *options)
{
	assert_int_equal(mount("test", place->temporary, "tmpfs", 0, options), 0);
}

static inline void place_unmount(struct place *place)
{
	assert_int_equal(umount2(place->temporary, MNT_DETACH), 0);
}

/* Replaces a file of the database. */
static inline void place_write(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A mail that carries the file as a base64 attachment; buf_free is the caller's. */
static inline void place_mail(struct buf *mail, const char *name, const void *data, size_t size)
{
	struct base64_lines lines = { .rest_size = 0 };
	unsigned char *room;

	buf_init(mail, 4 * PLACE_FILE_MAX);
	assert_int_equal(buf_printf(mail, "From: a@example.com\r\nTo: b@example.org\r\n"
	    "Subject: test\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=\"limit\"\r\n\r\n"
	    "--limit\r\nContent-Type: text/plain\r\n\r\nHello.\r\n"
	    "--limit\r\nContent-Type: application/octet-stream; name=\"%s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n", name), SG_OK);
	assert_int_equal(buf_reserve(mail, (size + 57) / 57 * 78 + 78, &room), SG_OK);
	mail->size += base64_lines_put(&lines, data, size, room);
	mail->size += base64_lines_end(&lines, mail->data + mail->size);
	assert_int_equal(buf_append_str(mail, "--limit--\r\n"), SG_OK);
}

/* The same around one of clamav-testfiles. */
static inline void place_testfile(struct buf *mail, const char *name)
{
	char path[512];
	struct buf file;

	(void)snprintf(path, sizeof(path), "%s/%s", PLACE_TESTFILES, name);
	buf_init(&file, PLACE_FILE_MAX);
	assert_int_equal(fd_read_file(path, &file, NULL), SG_OK);
	place_mail(mail, name, file.data, file.size);
	buf_free(&file);
}

/* Calls each for every file of a folder; returns how many. */
static inline size_t place_each(const char *folder, void (*each)(const char *name, void *context),
    void *context)
{
	DIR *list = opendir(folder);
	const struct dirent *entry;
	size_t count = 0;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		each(entry->d_name, context);
		count++;
	}
	if (list != NULL)
		(void)closedir(list);
	return count;
}

#endif
