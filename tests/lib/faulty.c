#include "tests/lib/faulty.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

static struct {
	bool armed;
	bool paused;
	bool on;
	bool failed;
	enum faulty_call call;
	unsigned long left;
} fault;
static long blocks;

const char *faulty_name(enum faulty_call call)
{
	static const char *const names[FAULTY_CALLS] = { "an allocation", "memfd_create", "write",
		"mmap", "lseek", "getrandom" };

	return names[call];
}

void faulty_arm(enum faulty_call call, unsigned long n, bool on)
{
	fault.armed = true;
	fault.paused = false;
	fault.failed = false;
	fault.on = on;
	fault.call = call;
	fault.left = n;
}

bool faulty_disarm(void)
{
	fault.armed = false;
	return fault.failed;
}

void faulty_pause(bool paused)
{
	fault.paused = paused;
}

long faulty_blocks(void)
{
	return blocks;
}

static bool fails(enum faulty_call call, int error)
{
	if (!fault.armed || fault.paused || call != fault.call ||
	    (fault.left == 0 && !fault.on) || (fault.left > 0 && --fault.left > 0))
		return false;
	fault.failed = true;
	errno = error;
	return true;
}

/* ---- what the linker calls instead ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
char *__real_strdup(const char *text);
int __real_vasprintf(char **text, const char *format, va_list arguments);
int __real_memfd_create(const char *name, unsigned int flags);
ssize_t __real_write(int fd, const void *data, size_t size);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
off_t __real_lseek(int fd, off_t offset, int whence);
ssize_t __real_getrandom(void *data, size_t size, unsigned int flags);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
void __wrap_free(void *block);
char *__wrap_strdup(const char *text);
int __wrap_vasprintf(char **text, const char *format, va_list arguments);
int __wrap___vasprintf_chk(char **text, int flag, const char *format, va_list arguments);
int __wrap_memfd_create(const char *name, unsigned int flags);
ssize_t __wrap_write(int fd, const void *data, size_t size);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
off_t __wrap_lseek(int fd, off_t offset, int whence);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned int flags);

static void *counted(void *block)
{
	blocks += block != NULL;
	return block;
}

void *__wrap_malloc(size_t size)
{
	return fails(FAULTY_ALLOCATE, ENOMEM) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails(FAULTY_ALLOCATE, ENOMEM) ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
	void *moved;

	if (fails(FAULTY_ALLOCATE, ENOMEM))
		return NULL;
	moved = __real_realloc(block, size);
	blocks += block == NULL && moved != NULL;
	return moved;
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
	size_t all;

	return __builtin_mul_overflow(count, size, &all) ? NULL : __wrap_realloc(block, all);
}

void __wrap_free(void *block)
{
	blocks -= block != NULL;
	__real_free(block);
}

char *__wrap_strdup(const char *text)
{
	return fails(FAULTY_ALLOCATE, ENOMEM) ? NULL : counted(__real_strdup(text));
}

int __wrap_vasprintf(char **text, const char *format, va_list arguments)
{
	int size = fails(FAULTY_ALLOCATE, ENOMEM) ? -1 :
	    __real_vasprintf(text, format, arguments);

	blocks += size >= 0;
	return size;
}

/* what it is called under _FORTIFY_SOURCE */
int __wrap___vasprintf_chk(char **text, int flag, const char *format, va_list arguments)
{
	(void)flag;
	return __wrap_vasprintf(text, format, arguments);
}

int __wrap_memfd_create(const char *name, unsigned int flags)
{
	return fails(FAULTY_MEMFD, EMFILE) ? -1 : __real_memfd_create(name, flags);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	return fails(FAULTY_WRITE, ENOSPC) ? -1 : __real_write(fd, data, size);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return fails(FAULTY_MAP, ENOMEM) ? MAP_FAILED :
	    __real_mmap(at, size, protection, flags, fd, offset);
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
	return fails(FAULTY_SEEK, EIO) ? -1 : __real_lseek(fd, offset, whence);
}

ssize_t __wrap_getrandom(void *data, size_t size, unsigned int flags)
{
	return fails(FAULTY_RANDOM, EIO) ? -1 : __real_getrandom(data, size, flags);
}
