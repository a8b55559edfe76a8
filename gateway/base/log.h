/*
 * log: one line an event, "event key=value ...", queue id first.
 *
 * Workers write to standard error; the supervisor leaves it there or carries it to syslog. Values
 * are escaped: nothing from mail can start a line or forge a key. Levels: error (an administrator
 * must act; carry the hint), notice (one a message), debug. A line is one write(2), so lines of
 * threads and processes do not mix.
 */
#ifndef SG_BASE_LOG_H
#define SG_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/fail.h"

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_NOTICE = 1,
	LOG_LEVEL_DEBUG = 2
};

#define LOG_LINE_MAX 2048	/* bytes; a longer line is cut and ends in "..." */

struct log_line {
	enum log_level level;
	bool wanted;		/* false: below the level, all calls do nothing */
	unsigned int size;
	char text[LOG_LINE_MAX];
};

/* Once, before threads. program is borrowed for the life of the process. */
void log_start(const char *program, enum log_level level);
void log_set_level(enum log_level level);

/* id: Postfix's queue id, or NULL where there is none. */
void log_begin(struct log_line *line, enum log_level level, const char *id, const char *event);
void log_str(struct log_line *line, const char *key, const char *value);
void log_int(struct log_line *line, const char *key, int64_t value);
void log_fail(struct log_line *line, const struct fail *f);	/* code=, what=, hint= */
void log_end(struct log_line *line);

/* One line that only carries a failure: an error if level says so. */
void log_failure(enum log_level level, const char *id, const char *event, const struct fail *f);

#endif
