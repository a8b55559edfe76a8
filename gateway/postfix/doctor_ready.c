/* The check "workers": what sealgate-health says at /readyz. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/postfix/doctor_checks.h"

#define ANSWER_MAX ((size_t)8 * 1024) /* bytes: a line for each worker, and HTTP's fields */
#define PIECE 1024			/* bytes read at once */
#define ANSWER_S 10			/* it has nothing else to do: seconds */
#define HINT "see the lines worker-ended and deferred in the log; a scanner loads for a minute"

/* HTTP/1.0: its answer ends with the connection. */
static enum fail_code ask(const char *where, struct buf *answer, struct fail *f)
{
	static const char request[] = "GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n";
	const struct timeval wait = { .tv_sec = ANSWER_S };
	char piece[PIECE];
	ssize_t n = 1;
	int fd;
	enum fail_code code = doctor_connect(where, &fd, f);

	if (code == SG_OK &&
	    (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1))
		code = fail_errno(f, SG_EPEER, HINT, "cannot ask %s", where);
	while (code == SG_OK && n > 0) {
		n = recv(fd, piece, sizeof(piece), 0);
		if (n < 0)
			code = fail_errno(f, SG_EPEER, HINT, "no answer from %s", where);
		else if (buf_append(answer, piece, (size_t)n) != SG_OK)
			code = fail_set(f, SG_ELIMIT, HINT, "too long an answer from %s", where);
	}
	fd_close(&fd);
	return code;
}

/* A finding for each line of the body: a worker, and what is wrong with it. */
static void tell_lines(struct doctor *doctor, char *body)
{
	char *rest = body;
	const char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] != '\0')
			doctor_bad(doctor, HINT, "%s", line);
	}
}

static void tell(struct doctor *doctor, const char *where, const char *answer)
{
	const char *status = strchr(answer, ' ');
	const char *body = strstr(answer, "\r\n\r\n");
	char *lines = body == NULL ? NULL : str_dup(body + 4);

	if (status != NULL && strncmp(status, " 200 ", 5) == 0)
		doctor_ok(doctor, "every worker is there and goes on");
	else if (lines != NULL && status != NULL && strncmp(status, " 503 ", 5) == 0)
		tell_lines(doctor, lines);
	else
		doctor_bad(doctor, "let health.listen be the gateway's alone",
		    "%s does not answer as sealgate-health does", where);
	free(lines);
}

void check_workers(struct doctor *doctor)
{
	const char *where = doctor->conf->health.listen;
	struct buf answer;
	struct fail f;

	if (where[0] == '\0') {
		doctor_ok(doctor, "not asked: health.listen is empty");
		return;
	}
	fail_clear(&f);
	buf_init(&answer, ANSWER_MAX);
	if (ask(where, &answer, &f) == SG_OK)
		tell(doctor, where, buf_str(&answer) == NULL ? "" : buf_str(&answer));
	else
		doctor_failure(doctor, DOCTOR_FAIL, &f);
	buf_free(&answer);
}
