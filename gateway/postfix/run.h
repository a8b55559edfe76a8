/*
 * run: starts a program of Postfix's and listens to it. No shell, a fixed environment (PATH,
 * LC_ALL=C), standard input from /dev/null. Programs that never end are not expected here.
 */
#ifndef SG_GATEWAY_POSTFIX_RUN_H
#define SG_GATEWAY_POSTFIX_RUN_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define RUN_OUTPUT_MAX ((size_t)4 * 1024 * 1024) /* bytes; "postconf" alone prints 60 KB */
#define RUN_ERROR_MAX 320 /* bytes kept of what the program said last on standard error */

struct run_end {
	int status; /* exit status; 128 + signal when killed */
	char error[RUN_ERROR_MAX]; /* the last line on standard error, or empty */
};

/* Gets each piece of standard output as it comes; a failure ends the program. */
typedef enum fail_code run_sink_fn(void *context, const char *data, size_t size, struct fail *f);

/*
 * Runs argv (argv[0] is looked up in the system's folders) to its end. Any exit status is a
 * success here. SG_ENOTFOUND: there is no such program; SG_ESYSTEM.
 */
MUST_USE enum fail_code run_stream(const char *const argv[], run_sink_fn *sink, void *context,
    struct run_end *end_out, struct fail *f);

/* Appends standard output to out (or NULL). Any exit status but 0: SG_ESYSTEM, in its words. */
MUST_USE enum fail_code run_read(const char *const argv[], struct buf *out, struct fail *f);

#endif
