/*
 * source: where lines come from, a file (file.c) or the journal (journal.c), and where reading goes
 * on after a restart.
 *
 * A position is opaque text that the vault keeps with the facts of all lines before it. Lines a
 * little before it are read again, as old ones: they are told to nobody, but what they say about
 * TLS may belong to the next delivery. One thread.
 */
#ifndef SG_GATEWAY_TRACE_SOURCE_H
#define SG_GATEWAY_TRACE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "gateway/trace/line.h"

#define SOURCE_AUTO_FILE "/var/log/mail.log"
#define SOURCE_POSITION_MAX 2000	/* characters with NUL; the vault takes no longer text */

enum source_got {
	SOURCE_NOTHING,		/* wait */
	SOURCE_LINE,
	SOURCE_OLD		/* a line from before the position */
};

struct source;

struct source_ops {
	void (*close)(struct source *source);
	/* Goes to position ("": a first start, from the end on). Again after a failure. */
	enum fail_code (*resume)(struct source *source, const char *position, struct fail *f);
	/* The next line; its text is borrowed until the next call. Other programs' are left out. */
	enum fail_code (*next)(struct source *source, enum source_got *got_out,
	    struct line *line_out, struct fail *f);
	/* Behind the last line that next gave. */
	enum fail_code (*position)(struct source *source, char out[SOURCE_POSITION_MAX],
	    struct fail *f);
};

struct source {
	const struct source_ops *ops;
	int wake;		/* readable when there may be more; -1: only time tells */
	bool drain;		/* what wake gives is to be read and thrown away */
	const char *folder;	/* what must stay readable in the sandbox */
};

/* A file and what it is renamed to. SG_ESYSTEM: its folder cannot be watched. */
MUST_USE enum fail_code source_file(const char *path, struct source **source_out,
    struct fail *f);
/* The system's journal, or that in folder if it is not NULL. */
MUST_USE enum fail_code source_journal(const char *folder, struct source **source_out,
    struct fail *f);
/* NULL is allowed. */
void source_close(struct source *source);

#endif
