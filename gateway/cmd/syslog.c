#include "gateway/cmd/syslog.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"

static void forward_line(const char *line)
{
	int level = strstr(line, ": error ") != NULL ? LOG_ERR :
	    strstr(line, ": debug ") != NULL ? LOG_DEBUG : LOG_NOTICE;

	syslog(level, "%s", line);
}

/* Sends the whole lines of size bytes in text; what is left is moved to the front. */
static size_t forward_lines(char *text, size_t size)
{
	size_t at = 0;
	char *end;

	while ((end = memchr(text + at, '\n', size - at)) != NULL) {
		*end = '\0';
		forward_line(text + at);
		at = (size_t)(end - text) + 1;
	}
	memmove(text, text + at, size - at);
	return size - at;
}

/*
 * A thread of its own: the supervisor writes lines itself, and with a full pipe nobody would read
 * while it does.
 */
static void *forward_log(void *context)
{
	const struct syslog_carrier *carrier = context;
	char text[4 * LOG_LINE_MAX];
	size_t size = 0;
	ssize_t n;

	while ((n = read(carrier->pipe, text + size, sizeof(text) - 1 - size)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		size = forward_lines(text, size + (n > 0 ? (size_t)n : 0));
		if (size == sizeof(text) - 1) {
			text[size] = '\0';
			forward_line(text);
			size = 0;
		}
	}
	return NULL;
}

enum fail_code syslog_open(struct syslog_carrier *carrier, struct fail *f)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a pipe for the log");
	openlog("sealgate", LOG_PID | LOG_NDELAY, LOG_MAIL);
	carrier->pipe = ends[0];
	if (pthread_create(&carrier->thread, NULL, forward_log, carrier) != 0 ||
	    (carrier->terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) < 0 ||
	    dup2(ends[1], STDERR_FILENO) < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot carry the log to syslog");
	(void)close(ends[1]);
	return SG_OK;
}

/* The last writer goes, the thread reads the end. */
void syslog_close(struct syslog_carrier *carrier)
{
	if (carrier->terminal < 0)
		return;
	(void)dup2(carrier->terminal, STDERR_FILENO);
	fd_close(&carrier->terminal);
	(void)pthread_join(carrier->thread, NULL);
	fd_close(&carrier->pipe);
}
