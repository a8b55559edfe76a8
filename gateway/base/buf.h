/*
 * buf: bytes that grow up to a maximum given at birth, and typed reading of them.
 *
 * A buf owns its memory and wipes it when freed. buf_put_* append fixed-width big-endian numbers
 * and counted bytes; struct buf_reader takes them off again with every bound checked. Any call
 * may fail with SG_ELIMIT (the maximum) or SG_ENOMEM; the content is then as it was before.
 * No locking.
 */
#ifndef SG_BASE_BUF_H
#define SG_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/fail.h"

struct buf {
	unsigned char *data;	/* NULL while empty and never used */
	size_t size;
	size_t capacity;
	size_t max;		/* bytes; size never passes it */
};

struct buf_reader {
	const unsigned char *data;	/* borrowed; must outlive the reader */
	size_t size;
	size_t at;
};

/* An empty buffer that may grow to max bytes. Allocates nothing. */
void buf_init(struct buf *buf, size_t max);

/* Wipes and releases; the buf is empty again with the same maximum. */
void buf_free(struct buf *buf);

/* Forgets the content, keeps the memory. */
void buf_reset(struct buf *buf);

/* Makes room for size more bytes and returns where they go; buf->size does not change. */
MUST_USE enum fail_code buf_reserve(struct buf *buf, size_t size, unsigned char **room_out);

/* Copies size bytes to the end. */
MUST_USE enum fail_code buf_append(struct buf *buf, const void *data, size_t size);
/* The characters of text, without its NUL. */
MUST_USE enum fail_code buf_append_str(struct buf *buf, const char *text);
/* As printf(3). */
MUST_USE enum fail_code buf_printf(struct buf *buf, const char *format, ...) SG_PRINTF(2, 3);

/* The content as a string: a NUL is kept behind it, not counted. NULL only if out of memory. */
const char *buf_str(struct buf *buf);

/* Fixed-width numbers, big-endian. */
MUST_USE enum fail_code buf_put_u8(struct buf *buf, uint8_t value);
/* Two bytes. */
MUST_USE enum fail_code buf_put_u16(struct buf *buf, uint16_t value);
/* Four bytes. */
MUST_USE enum fail_code buf_put_u32(struct buf *buf, uint32_t value);
/* Eight bytes. */
MUST_USE enum fail_code buf_put_u64(struct buf *buf, uint64_t value);
/* A u32 count, then the bytes. */
MUST_USE enum fail_code buf_put_bytes(struct buf *buf, const void *data, size_t size);
/* The same for a text without its NUL; NULL is put as an empty one. */
MUST_USE enum fail_code buf_put_str(struct buf *buf, const char *text);

/* Starts reading at the first of size bytes, which stay the caller's. */
void buf_reader_init(struct buf_reader *reader, const void *data, size_t size);
/* All get functions: SG_EFORMAT when the bytes end too early; the reader does not move then. */
MUST_USE enum fail_code buf_get_u8(struct buf_reader *reader, uint8_t *value_out);
/* Two bytes, big-endian. */
MUST_USE enum fail_code buf_get_u16(struct buf_reader *reader, uint16_t *value_out);
/* Four bytes, big-endian. */
MUST_USE enum fail_code buf_get_u32(struct buf_reader *reader, uint32_t *value_out);
/* Eight bytes, big-endian. */
MUST_USE enum fail_code buf_get_u64(struct buf_reader *reader, uint64_t *value_out);
/* Counted bytes, borrowed from the reader's memory. */
MUST_USE enum fail_code buf_get_bytes(struct buf_reader *reader, const unsigned char **data_out,
    size_t *size_out);
/*
 * Counted bytes as a fresh string; the caller frees. SG_ELIMIT above max bytes; SG_EFORMAT when a
 * NUL stands inside.
 */
MUST_USE enum fail_code buf_get_str(struct buf_reader *reader, size_t max, char **text_out);
/* SG_EFORMAT unless all was read: trailing bytes are an error on every wire. */
MUST_USE enum fail_code buf_get_end(const struct buf_reader *reader);

#endif
