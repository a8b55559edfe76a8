#include "gateway/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/str.h"

#define LOG_VALUE_MAX ((size_t)512)	/* bytes of one value; the rest is cut */

/* The one thing of ours that may be global: where lines go and from which level on. */
static const char *log_program = "sealgate";
static _Atomic int log_level = LOG_LEVEL_NOTICE;

void log_start(const char *program, enum log_level level)
{
	log_program = program;
	log_set_level(level);
}

void log_set_level(enum log_level level)
{
	atomic_store(&log_level, (int)level);
}

static void put(struct log_line *line, const char *data, size_t size)
{
	size_t room = LOG_LINE_MAX - 4 - line->size;	/* "..." and the line end fit always */

	if (size >= room) {	/* exactly full counts as cut: log_end relies on the dots */
		size = room;
		if (size > 0)
			memcpy(line->text + line->size, data, size);
		memcpy(line->text + LOG_LINE_MAX - 4, "...", 3);
		line->size = LOG_LINE_MAX - 4;
		return;
	}
	memcpy(line->text + line->size, data, size);
	line->size += (unsigned int)size;
}

static void put_text(struct log_line *line, const char *text)
{
	put(line, text, strlen(text));
}

void log_begin(struct log_line *line, enum log_level level, const char *id, const char *event)
{
	static const char *const names[] = { "error", "notice", "debug" };

	line->level = level;
	line->size = 0;
	line->wanted = (int)level <= atomic_load(&log_level);
	if (!line->wanted)
		return;
	put_text(line, log_program);
	put_text(line, ": ");
	if (id != NULL && id[0] != '\0') {
		/* Postfix's own form: QUEUEID: event ... */
		put(line, id, strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz"));
		put_text(line, ": ");
	}
	put_text(line, names[level]);
	put_text(line, " ");
	put_text(line, event);
}

/* Printable ASCII and valid UTF-8 stand as they are; quotes, backslashes and the rest escaped. */
static size_t put_escaped(struct log_line *line, const char *text, size_t size)
{
	unsigned char c = (unsigned char)text[0];
	size_t length = str_utf8_char(text, size);
	char escaped[8];

	if (c == '"' || c == '\\') {
		(void)snprintf(escaped, sizeof(escaped), "\\%c", c);
		put_text(line, escaped);
		return 1;
	}
	/* C1 controls (U+0080 to U+009F) can move a terminal's cursor */
	if (length == 0 || c < 0x20 || c == 0x7f ||
	    (length == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0)) {
		(void)snprintf(escaped, sizeof(escaped), "\\x%02x", c);
		put_text(line, escaped);
		return 1;
	}
	put(line, text, length);
	return length;
}

static bool needs_quotes(const char *value)
{
	return value[0] == '\0' || strpbrk(value, " =\"\\\t") != NULL;
}

void log_str(struct log_line *line, const char *key, const char *value)
{
	const char *text = value != NULL ? value : "";
	size_t size = strlen(text);
	bool quotes = needs_quotes(text);

	if (!line->wanted)
		return;
	put_text(line, " ");
	put_text(line, key);
	put_text(line, quotes ? "=\"" : "=");
	if (size > LOG_VALUE_MAX)
		size = LOG_VALUE_MAX;
	while (size > 0) {
		size_t used = put_escaped(line, text, size);

		text += used;
		size -= used;
	}
	if (quotes)
		put_text(line, "\"");
}

void log_int(struct log_line *line, const char *key, int64_t value)
{
	char text[32];

	if (!line->wanted)
		return;
	(void)snprintf(text, sizeof(text), "=%lld", (long long)value);
	put_text(line, " ");
	put_text(line, key);
	put_text(line, text);
}

void log_fail(struct log_line *line, const struct fail *f)
{
	log_str(line, "code", fail_name(f->code));
	log_str(line, "what", f->what);
	if (f->hint[0] != '\0')
		log_str(line, "hint", f->hint);
}

void log_end(struct log_line *line)
{
	ssize_t n;

	if (!line->wanted)
		return;
	if (line->size == LOG_LINE_MAX - 4)
		line->size += 3;
	line->text[line->size++] = '\n';
	do
		n = write(STDERR_FILENO, line->text, line->size);
	while (n < 0 && errno == EINTR);
}

void log_failure(enum log_level level, const char *id, const char *event, const struct fail *f)
{
	struct log_line line;

	log_begin(&line, level, id, event);
	log_fail(&line, f);
	log_end(&line);
}
