/*
 * place: which log file, and how far in it. Pure but for reading a file's first bytes.
 *
 * A file is known by a hash of its first bytes: that survives renaming, copying and compressing.
 * While it has too few of them to be unlike another, its inode counts as well.
 */
#ifndef SG_GATEWAY_TRACE_PLACE_H
#define SG_GATEWAY_TRACE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_HEAD_MAX ((size_t)1024)	/* bytes that are hashed */
#define PLACE_HEAD_MIN ((size_t)40)	/* time, host and program of a line */

struct place {
	uint64_t inode;
	int64_t offset;		/* of the first byte that was not used */
	size_t head_size;	/* bytes of head; the hash is of the first min(head_size, offset) */
	uint64_t hash;		/* when parsed: of head_size bytes */
	bool known;		/* hash counts, head is not there */
	unsigned char head[PLACE_HEAD_MAX];
};

/* No file, no bytes. */
void place_clear(struct place *place);
/* The first bytes of an open file, whatever of them is there. */
void place_load(struct place *place, int fd);
/* Bytes [offset, offset + size) were read: takes those that belong to the head. */
void place_learn(struct place *place, int64_t offset, const void *data, size_t size);
/* Are these the first bytes of the file that place tells of? */
bool place_fits(const struct place *place, const void *data, size_t size);
/* The same for an open file. */
bool place_fits_fd(const struct place *place, int fd);

/* As text with NUL in room bytes; false: it does not fit. */
bool place_print(const struct place *place, char *out, size_t room);
/* False: text is no place. */
bool place_parse(const char *text, struct place *place_out);

#endif
