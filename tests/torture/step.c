/*
 * step: what STEP() does in the variant build/torture, and a clock that the test sets.
 *
 * The page is mapped by a constructor: later no sandbox would let it be opened. The functions of
 * libc that tell the time of day are replaced for the whole process, libraries as well.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/step.h"
#include "tests/torture/step_page.h"

static struct step_page *page;

__attribute__((constructor)) static void map_page(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("steps"));
	char *slash;
	void *map;
	int fd;

	if (n <= 0)
		return;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return;
	memcpy(slash + 1, "steps", sizeof("steps"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	map = mmap(NULL, STEP_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map != MAP_FAILED)
		page = map;
}

void step_reached(const char *name)
{
	if (page == NULL || atomic_load(&page->armed) <= 0 ||
	    strncmp(page->name, name, STEP_NAME_MAX) != 0 ||
	    atomic_fetch_sub(&page->armed, 1) != 1)
		return;
	atomic_fetch_add(&page->hits, 1);
	(void)raise(page->action == STEP_STOP ? SIGSTOP : SIGKILL);
}

static int64_t offset(clockid_t id)
{
	bool wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;

	return wall && page != NULL ? atomic_load(&page->clock_s) : 0;
}

int clock_gettime(clockid_t id, struct timespec *time_out)
{
	long status = syscall(SYS_clock_gettime, id, time_out);

	if (status == 0)
		time_out->tv_sec += offset(id);
	return (int)status;
}

time_t time(time_t *time_out)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (time_out != NULL)
		*time_out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict time_out, void *restrict zone)
{
	struct timespec now = { 0, 0 };

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	time_out->tv_sec = now.tv_sec;
	time_out->tv_usec = now.tv_nsec / 1000;
	return 0;
}
