/*
 * fd: descriptors and the files behind them. CLOEXEC from birth.
 */
#ifndef SG_BASE_FD_H
#define SG_BASE_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

/* Closes *fd if it is open and sets it to -1. */
void fd_close(int *fd);
/* Writes all, or fails with SG_ESYSTEM. */
MUST_USE enum fail_code fd_write_all(int fd, const void *data, size_t size, struct fail *f);
/* Reads to the end, into a buf whose maximum bounds it (SG_ELIMIT). */
MUST_USE enum fail_code fd_read_all(int fd, struct buf *out, struct fail *f);
/* A file read whole. SG_ENOTFOUND, SG_ESYSTEM, SG_ELIMIT. */
MUST_USE enum fail_code fd_read_file(const char *path, struct buf *out, struct fail *f);
/* Replaces path durably: temporary name beside it, fsync, rename, fsync of the folder. */
MUST_USE enum fail_code fd_replace_file(const char *path, const void *data, size_t size,
    mode_t mode, struct fail *f);
/*
 * Removes all below a folder that is open, and takes the descriptor over. What cannot be removed,
 * or lies deeper than 64 folders, stays. Follows no links.
 */
void fd_empty_folder(int folder);
/* An empty memfd that can be sealed. */
MUST_USE enum fail_code fd_memory(const char *name, int *fd_out, struct fail *f);
/* Forbids for ever to write, grow or shrink a memfd. */
MUST_USE enum fail_code fd_seal(int fd, struct fail *f);

/* A read-only view of a whole descriptor. Zero-initialise; an empty file maps to size 0. */
struct fd_map {
	const unsigned char *data;
	size_t size;
};

/* SG_ELIMIT above max bytes. */
MUST_USE enum fail_code fd_map(int fd, size_t max, struct fd_map *map_out, struct fail *f);
void fd_unmap(struct fd_map *map);

#endif
