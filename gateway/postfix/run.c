#include "gateway/postfix/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define READ_STEP ((size_t)16 * 1024)
#define STATUS_NO_PROGRAM 127

struct streams {
	int null;
	int out_read;
	int out_write;
	int error; /* a memory file: it never blocks the program */
};

static void streams_close(struct streams *s)
{
	fd_close(&s->null);
	fd_close(&s->out_read);
	fd_close(&s->out_write);
	fd_close(&s->error);
}

static enum fail_code streams_open(struct streams *s, struct fail *f)
{
	int ends[2];

	s->out_read = -1;
	s->out_write = -1;
	s->error = -1;
	s->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->null < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot open /dev/null");
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a pipe");
	s->out_read = ends[0];
	s->out_write = ends[1];
	return fd_memory("stderr", &s->error, f);
}

static _Noreturn void child(const char *const argv[], const struct streams *s)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
		NULL
	};
	union {
		const char *const *ours;
		char *const *execs; /* exec promises not to write */
	} args, env;

	args.ours = argv;
	env.ours = environment;
	if (dup2(s->null, 0) == 0 && dup2(s->out_write, 1) == 1 && dup2(s->error, 2) == 2)
		(void)execvpe(argv[0], args.execs, env.execs);
	_exit(STATUS_NO_PROGRAM);
}

static enum fail_code pump(int fd, run_sink_fn *sink, void *context, struct fail *f)
{
	char data[READ_STEP];

	for (;;) {
		ssize_t n = read(fd, data, sizeof(data));
		enum fail_code code;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(f, SG_ESYSTEM, NULL, "cannot read a program's output");
		if (n == 0)
			return SG_OK;
		code = sink(context, data, (size_t)n, f);
		if (code != SG_OK)
			return code;
	}
}

/* The last line that is not empty: "fatal: ..." stands behind the warnings. */
static void last_line(int fd, char *line, size_t size)
{
	char tail[RUN_ERROR_MAX];
	off_t end = lseek(fd, 0, SEEK_END);
	off_t start = end > (off_t)sizeof(tail) - 1 ? end - (off_t)sizeof(tail) + 1 : 0;
	ssize_t n = end > 0 ? pread(fd, tail, sizeof(tail) - 1, start) : 0;
	size_t length;
	size_t from;

	line[0] = '\0';
	if (n <= 0)
		return;
	length = str_trim_end(tail, (size_t)n);
	from = length;
	while (from > 0 && tail[from - 1] != '\n')
		from--;
	length -= from;
	if (length >= size)
		length = size - 1;
	memcpy(line, tail + from, length);
	line[length] = '\0';
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

enum fail_code run_stream(const char *const argv[], run_sink_fn *sink, void *context,
    struct run_end *end_out, struct fail *f)
{
	struct streams s;
	enum fail_code code = streams_open(&s, f);
	pid_t pid;

	end_out->status = 0;
	end_out->error[0] = '\0';
	if (code != SG_OK)
		goto out;
	pid = fork();
	if (pid < 0) {
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot fork");
		goto out;
	}
	if (pid == 0)
		child(argv, &s);
	fd_close(&s.out_write);
	code = pump(s.out_read, sink, context, f);
	fd_close(&s.out_read);
	end_out->status = wait_for(pid);
	last_line(s.error, end_out->error, sizeof(end_out->error));
	if (code == SG_OK && end_out->status == STATUS_NO_PROGRAM)
		code = fail_set(f, SG_ENOTFOUND, "is Postfix installed?", "cannot run %s", argv[0]);
out:
	streams_close(&s);
	return code;
}

static enum fail_code to_buf(void *context, const char *data, size_t size, struct fail *f)
{
	struct buf *out = context;
	enum fail_code code = out == NULL ? SG_OK : buf_append(out, data, size);

	if (code != SG_OK)
		return fail_set(f, code, NULL, "a program printed more than %zu bytes", out->max);
	return SG_OK;
}

enum fail_code run_read(const char *const argv[], struct buf *out, struct fail *f)
{
	struct run_end end;
	enum fail_code code = run_stream(argv, to_buf, out, &end, f);

	if (code == SG_OK && end.status != 0)
		return fail_set(f, SG_ESYSTEM, NULL, "%s ended with status %d: %s", argv[0],
		    end.status, end.error);
	return code;
}
