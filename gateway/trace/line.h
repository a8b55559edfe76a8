/*
 * line: one line of Postfix's log taken apart: when, who, what. Pure.
 *
 * The formats of maillog_file (postlogd) and rsyslog's traditional one, "Nov 24 19:41:13 gate
 * postfix/smtp[9316]: text", which has no year: it is the last such time that the clock allows; and
 * rsyslog's RFC 3339 one, "2026-11-24T19:41:13.123456+01:00 gate ...".
 */
#ifndef SG_GATEWAY_TRACE_LINE_H
#define SG_GATEWAY_TRACE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_MAX_SIZE ((size_t)8192)	/* bytes; Postfix's own are below 2,048 and a prefix */
#define LINE_PROGRAM_MAX 128

struct line {
	int64_t time_ms;		/* since 1970 */
	char program[LINE_PROGRAM_MAX];	/* "postfix/smtp", "postfix-out/sealed-tls/smtp" */
	uint32_t pid;
	const char *text;		/* borrowed from what was parsed */
};

/* False: no line of a program "NAME/SERVICE[PID]". now_ms gives the year. */
bool line_parse(const char *bytes, int64_t now_ms, struct line *line_out);

#endif
