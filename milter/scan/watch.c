#include "milter/scan/watch.h"

#include <clamav.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gateway/base/log.h"

/*
 * Where this thread keeps its watch. libclamav's message callback gets no context outside of a scan
 * proper (the temporary directory is made before), and open(2) has none at all.
 */
static struct watch **here(void)
{
	static _Thread_local struct watch *watch;

	return &watch;
}

void watch_begin(struct watch *watch)
{
	memset(watch, 0, sizeof(*watch));
	*here() = watch;
}

void watch_end(void)
{
	*here() = NULL;
}

/* A message without the line end and the full stop behind it. */
static void keep_text(char *out, const char *text)
{
	size_t size;

	(void)snprintf(out, WATCH_TEXT_MAX, "%s", text);
	size = strlen(out);
	while (size > 0 && strchr("\r\n .", out[size - 1]) != NULL)
		out[--size] = '\0';
}

static bool wants_memory(const char *text)
{
	return strcasestr(text, "allocate memory") != NULL ||
	    strcasestr(text, "out of memory") != NULL || strcasestr(text, "no memory") != NULL;
}

static void on_message(enum cl_msg severity, const char *whole, const char *text, void *context)
{
	struct watch *watch = *here();
	struct log_line line;

	(void)whole;
	(void)context;
	if (severity < CL_MSG_WARN)
		return;
	if (watch == NULL) {
		log_begin(&line, LOG_LEVEL_NOTICE, NULL, "libclamav");
		log_str(&line, "text", text);
		log_end(&line);
		return;
	}
	if (watch->warning[0] == '\0')
		keep_text(watch->warning, text);
	if (watch->trouble[0] == '\0' && wants_memory(text))
		keep_text(watch->trouble, text);
}

void watch_start(void)
{
	cl_set_clcb_msg(on_message);
}

/* Up to the next space; words with digits or slashes are file names and addresses. */
static size_t next_word(const char *text, bool *counts_out)
{
	size_t size = strcspn(text, " ");

	*counts_out = strcspn(text, "0123456789/") >= size;
	return size;
}

/* The next word that counts, its size in *size_out; NULL at the end. */
static const char *counting_word(const char *text, size_t *size_out)
{
	bool counts = false;

	for (;;) {
		text += strspn(text, " ");
		if (*text == '\0')
			return NULL;
		*size_out = next_word(text, &counts);
		if (counts)
			return text;
		text += *size_out;
	}
}

bool watch_same_warning(const char *a, const char *b)
{
	size_t a_size = 0;
	size_t b_size = 0;

	for (;;) {
		a = counting_word(a, &a_size);
		b = counting_word(b, &b_size);
		if (a == NULL || b == NULL)
			return a == b;
		if (a_size != b_size || strncmp(a, b, a_size) != 0)
			return false;
		a += a_size;
		b += b_size;
	}
}

/* ---- the calls of libclamav that make files ---- */

/*
 * Each is the C library's function under our name, given its own by the asm label (which also
 * keeps clear of the fortified inline versions in the headers). The dynamic linker binds a
 * library's call to the program's definition first. Only failures are noted; nothing is changed.
 */

/* Causes that lie in this machine; any other (ENAMETOOLONG) comes from the content. */
static bool is_trouble(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EMFILE:
	case ENFILE:
	case EROFS:
	case EFBIG:
	case EIO:
	case ENOMEM:
	case EACCES:
	case EPERM:
	case ESTALE:
	case ENXIO:
		return true;
	default:
		return false;
	}
}

static void note(const char *call, int error, bool creates)
{
	struct watch *watch = *here();
	char *out;

	if (watch == NULL || error == EINTR || error == EEXIST)
		return;
	if (!is_trouble(error) && !(creates && error == ENOENT)) {
		if (!creates)
			return;
		out = watch->warning;
	} else {
		out = watch->trouble;
	}
	if (out[0] == '\0')
		(void)snprintf(out, WATCH_TEXT_MAX, "%s in the temporary directory: %s", call,
		    strerrordesc_np(error));
	errno = error;
}

int watch_openat(int folder, const char *path, int flags, ...) __asm__("openat64");
int watch_open(const char *path, int flags, ...) __asm__("open64");
int watch_mkdir(const char *path, mode_t mode) __asm__("mkdir");
ssize_t watch_write(int fd, const void *data, size_t size) __asm__("write");
ssize_t watch_writev(int fd, const struct iovec *parts, int count) __asm__("writev");
ssize_t watch_pwrite(int fd, const void *data, size_t size, off_t at) __asm__("pwrite64");
int watch_ftruncate(int fd, off_t size) __asm__("ftruncate64");
int watch_dup(int fd) __asm__("dup");
FILE *watch_fopen(const char *path, const char *mode) __asm__("fopen64");
FILE *watch_fdopen(int fd, const char *mode) __asm__("fdopen");
int watch_fclose(FILE *file) __asm__("fclose");
DIR *watch_opendir(const char *path) __asm__("opendir");
void *watch_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
    __asm__("mmap64");

static bool has_mode(int flags)
{
	return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

static int open_noting(int folder, const char *path, int flags, mode_t mode)
{
	int fd = (int)syscall(SYS_openat, folder, path, flags, mode);

	if (fd < 0)
		note("open", errno, (flags & O_CREAT) != 0);
	return fd;
}

int watch_openat(int folder, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	va_start(arguments, flags);
	if (has_mode(flags))
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return open_noting(folder, path, flags, mode);
}

int watch_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	va_start(arguments, flags);
	if (has_mode(flags))
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return open_noting(AT_FDCWD, path, flags, mode);
}

int watch_mkdir(const char *path, mode_t mode)
{
	int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);

	if (result != 0)
		note("mkdir", errno, true);
	return result;
}

ssize_t watch_write(int fd, const void *data, size_t size)
{
	ssize_t n = syscall(SYS_write, fd, data, size);

	if (n < 0)
		note("write", errno, true);
	return n;
}

ssize_t watch_writev(int fd, const struct iovec *parts, int count)
{
	ssize_t n = syscall(SYS_writev, fd, parts, count);

	if (n < 0)
		note("write", errno, true);
	return n;
}

ssize_t watch_pwrite(int fd, const void *data, size_t size, off_t at)
{
	ssize_t n = syscall(SYS_pwrite64, fd, data, size, at);

	if (n < 0)
		note("write", errno, true);
	return n;
}

int watch_ftruncate(int fd, off_t size)
{
	int result = (int)syscall(SYS_ftruncate, fd, size);

	if (result != 0)
		note("truncate", errno, true);
	return result;
}

int watch_dup(int fd)
{
	int copy = (int)syscall(SYS_dup, fd);

	if (copy < 0)
		note("dup", errno, false);
	return copy;
}

/* The C library's own function of that name; a handful a scan, each lookup costs 0.2 us. */
static void find_real(const char *name, void *function_out, size_t size)
{
	void *found = dlsym(RTLD_NEXT, name);

	SG_BUG_IF(found == NULL || size != sizeof(found));
	memcpy(function_out, &found, size);
}

FILE *watch_fopen(const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *);
	FILE *file;

	find_real("fopen64", &real, sizeof(real));
	file = real(path, mode);
	if (file == NULL)
		note("open", errno, strpbrk(mode, "wa") != NULL);
	return file;
}

FILE *watch_fdopen(int fd, const char *mode)
{
	FILE *(*real)(int, const char *);
	FILE *file;

	find_real("fdopen", &real, sizeof(real));
	file = real(fd, mode);
	if (file == NULL)
		note("open", errno, false);
	return file;
}

/* stdio writes late and libclamav does not look: what fwrite could not write shows here. */
int watch_fclose(FILE *file)
{
	int (*real)(FILE *);
	bool failed = ferror(file) != 0;
	int result;

	find_real("fclose", &real, sizeof(real));
	result = real(file);
	if (result != 0)
		note("write", errno, true);
	else if (failed)
		note("write", EIO, true);
	return result;
}

/* Folders of unpacked parts that cannot be listed are skipped in silence. */
DIR *watch_opendir(const char *path)
{
	DIR *(*real)(const char *);
	DIR *folder;

	find_real("opendir", &real, sizeof(real));
	folder = real(path);
	if (folder == NULL)
		note("opendir", errno, false);
	return folder;
}

void *watch_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	union {
		long number;
		void *pages;
	} result;

	result.number = syscall(SYS_mmap, at, size, protection, flags, fd, offset);
	if (result.pages == MAP_FAILED)
		note("mmap", errno, false);
	return result.pages;
}
