/*
 * tool: small things that the torture test's script cannot do itself.
 *
 *   tool arm FILE NAME COUNT kill|stop   the COUNT-th passing of step NAME; NAME "" disarms
 *   tool clock FILE SECONDS              moves the clock of the programs
 *   tool hits FILE                       prints how often an armed step acted so far
 *   tool lock DATABASE SECONDS           holds an exclusive transaction
 *   tool idle SOCKET COUNT SECONDS       holds connections that say nothing
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/torture/step_page.h"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct step_page *open_page(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	void *map;

	if (fd < 0 || ftruncate(fd, (off_t)STEP_PAGE_SIZE) != 0 || fchmod(fd, 0666) != 0)
		die(path);
	map = mmap(NULL, STEP_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die(path);
	(void)close(fd);
	return map;
}

static int arm(char *argv[])
{
	struct step_page *page = open_page(argv[0]);

	atomic_store(&page->armed, 0);
	(void)snprintf(page->name, sizeof(page->name), "step:%s", argv[1]);
	page->action = strcmp(argv[3], "stop") == 0 ? STEP_STOP : STEP_KILL;
	if (argv[1][0] != '\0')
		atomic_store(&page->armed, (int32_t)strtol(argv[2], NULL, 10));
	return 0;
}

/* The journal says how others see it: BEGIN EXCLUSIVE locks out writers in any mode. */
static int lock(char *argv[])
{
	sqlite3 *database = NULL;

	if (sqlite3_open_v2(argv[0], &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(database, 5000) != SQLITE_OK ||
	    sqlite3_exec(database, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK) {
		(void)fprintf(stderr, "tool: %s\n", sqlite3_errmsg(database));
		(void)sqlite3_close(database);
		return 1;
	}
	(void)sleep((unsigned int)strtoul(argv[1], NULL, 10));
	(void)sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
	return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}

static int idle(char *argv[])
{
	struct rlimit files = { 4096, 4096 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	long count = strtol(argv[1], NULL, 10);
	long held = 0;

	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", argv[0]);
	for (long i = 0; i < count; i++) {
		int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		/* a full backlog must not hold us up for ever */
		if (s >= 0 && setsockopt(s, SOL_SOCKET, SO_SNDTIMEO,
		    &(struct timeval){ 2, 0 }, sizeof(struct timeval)) == 0 &&
		    connect(s, (const struct sockaddr *)&to, sizeof(to)) == 0)
			held++;
	}
	printf("%ld\n", held);
	(void)fflush(stdout);
	(void)sleep((unsigned int)strtoul(argv[2], NULL, 10));
	return held == count ? 0 : 1;
}

int main(int argc, char *argv[])
{
	if (argc == 6 && strcmp(argv[1], "arm") == 0)
		return arm(argv + 2);
	if (argc == 4 && strcmp(argv[1], "clock") == 0) {
		atomic_store(&open_page(argv[2])->clock_s, strtoll(argv[3], NULL, 10));
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "hits") == 0) {
		printf("%d\n", atomic_load(&open_page(argv[2])->hits));
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "lock") == 0)
		return lock(argv + 2);
	if (argc == 5 && strcmp(argv[1], "idle") == 0)
		return idle(argv + 2);
	(void)fprintf(stderr, "usage: see the head of tests/torture/tool.c\n");
	return 64;
}
