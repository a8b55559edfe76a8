/*
 * spool: the bytes of one message, kept until the session decides.
 *
 * Bytes go in once, in order, and come out as a file descriptor that a worker may map. The first
 * memory_max bytes stay in a memfd; a longer one moves to a file that has no name any more. After
 * spool_finish nobody can change the bytes: the memfd is sealed, the file is only open for
 * reading. Nothing here looks at the content. One session owns a spool; no locking.
 */
#ifndef SG_MILTER_SPOOL_H
#define SG_MILTER_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "gateway/base/fd.h"

struct spool;

/*
 * directory: where longer ones go, borrowed; NULL keeps all in memory. size_max in bytes.
 */
MUST_USE enum fail_code spool_new(const char *directory, size_t memory_max, size_t size_max,
    struct spool **spool_out, struct fail *f);
void spool_free(struct spool *spool);

/*
 * Appends size bytes. SG_ELIMIT: would pass size_max (permanent); SG_ESYSTEM: no space
 * (temporary). After a failure the spool can only be freed.
 */
MUST_USE enum fail_code spool_append(struct spool *spool, const void *data, size_t size,
    struct fail *f);

/* No more bytes; from here on it can be read. */
MUST_USE enum fail_code spool_finish(struct spool *spool, struct fail *f);

/* Bytes appended so far. */
size_t spool_size(const struct spool *spool);
/* The read-only descriptor; stays the spool's. Only after spool_finish. */
int spool_fd(const struct spool *spool);
/* The content; valid until spool_free. Only after spool_finish. */
MUST_USE enum fail_code spool_map(struct spool *spool, const unsigned char **data_out,
    size_t *size_out, struct fail *f);

#endif
