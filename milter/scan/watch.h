/*
 * watch: notices everything that went wrong inside libclamav during one scan.
 *
 * libclamav returns "clean" when it could not unpack, and often does not even log it: a mail part
 * that did not fit into a full temporary directory is dropped without a word (tried with 1.4.6).
 * So two things are watched for the thread that scans:
 *  - libclamav's messages of severity warning and above (cl_set_clcb_msg), and
 *  - the calls by which libclamav makes files and folders: this program defines open64, mkdir,
 *    write, fclose and the like itself, so that the library's calls come here first; a call that
 *    fails for want of space, descriptors, rights or memory is noted. See watch.c.
 *
 * A watch belongs to the thread that began it.
 */
#ifndef SG_MILTER_SCAN_WATCH_H
#define SG_MILTER_SCAN_WATCH_H

#include <stdbool.h>

#define WATCH_TEXT_MAX 200	/* bytes with NUL */

struct watch {
	char warning[WATCH_TEXT_MAX];	/* libclamav's first message, "" if none */
	char trouble[WATCH_TEXT_MAX];	/* the first call that failed: a cause of this machine */
};

/* Once, before the first engine: takes libclamav's messages. */
void watch_start(void);

/* From here to watch_end all that this thread meets goes into *watch, which is cleared. */
void watch_begin(struct watch *watch);
void watch_end(void);

/* Two warnings with the same cause; names of temporary files, which are random, do not count. */
bool watch_same_warning(const char *a, const char *b);

#endif
