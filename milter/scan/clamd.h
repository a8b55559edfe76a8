/*
 * clamd: asks a clamd that somebody runs, instead of an engine of our own.
 *
 * clamd(8), command INSTREAM, one connection a message. Nothing of it is trusted to be "clean" but
 * the one exact answer after all of the message was sent; whatever else comes, or does not, is no
 * verdict. That alone is not enough, since a clamd can be set to skip content without a word: see
 * clamd_probe. Any thread may scan.
 */
#ifndef SG_MILTER_SCAN_CLAMD_H
#define SG_MILTER_SCAN_CLAMD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "milter/scan/engine.h"

#define CLAMD_REPLY_MAX ((size_t)1024)	/* bytes; a signature's name is far shorter */

struct clamd;

/*
 * where: "/path/of/socket" or "127.0.0.1:3310", "[::1]:3310"; all of one scan may take time_max_ms.
 * Does not connect. SG_EUSAGE: cannot be read.
 */
MUST_USE enum fail_code clamd_open(const char *where, int64_t time_max_ms,
    struct clamd **clamd_out, struct fail *f);
void clamd_close(struct clamd *clamd);	/* NULL is allowed */
/* The TCP port that it connects to, 0 for a unix socket. */
uint16_t clamd_port(const struct clamd *clamd);

/* Scans size bytes. */
void clamd_scan(const struct clamd *clamd, const void *data, size_t size,
    struct engine_answer *answer_out);

/*
 * True if a harmless message beyond every limit is said to be that (AlertExceedsMax). For that it
 * must have unpacked a mail and many archives. Else why, and what to do, in *answer_out.
 */
bool clamd_tells_limits(const struct clamd *clamd, struct engine_answer *answer_out);
/* The same, and EICAR packed in a mail is found: it has signatures. */
bool clamd_probe(const struct clamd *clamd, struct engine_answer *answer_out);

/*
 * What it says of itself, "" if nothing; database_time_out: of its daily signatures, seconds since
 * 1970, 0 if it does not say.
 */
void clamd_version(const struct clamd *clamd, char *text_out, size_t text_size,
    int64_t *database_time_out);

/* What the size bytes of an answer mean; whole: all of the message was sent. Pure. */
void clamd_understand(const char *reply, size_t size, bool whole,
    struct engine_answer *answer_out);

#endif
