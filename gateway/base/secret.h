/*
 * secret: bytes that must not be printed, swapped, dumped or copied about.
 *
 * Locked pages without core dump, wiped on free. There is no accessor that yields a C string to
 * print; data is not NUL terminated. One owner.
 */
#ifndef SG_BASE_SECRET_H
#define SG_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"

#define SECRET_MAX ((size_t)4096)	/* bytes: one page; keys and passwords are far below */

struct secret {
	unsigned char *data;	/* NULL when empty */
	size_t size;
	size_t mapped;		/* bytes mapped */
};

/* Empty; maps nothing yet. */
void secret_init(struct secret *secret);
/* Replaces the content by a copy of data. SG_ELIMIT above SECRET_MAX. */
MUST_USE enum fail_code secret_set(struct secret *secret, const void *data, size_t size);
/* Replaces the content by size random bytes from the kernel. */
MUST_USE enum fail_code secret_random(struct secret *secret, size_t size);
/* Moves the content; from is empty afterwards. */
void secret_move(struct secret *to, struct secret *from);
/* Wipes and releases. */
void secret_free(struct secret *secret);
/* Constant time for equal sizes. */
bool secret_equal(const struct secret *a, const void *b, size_t b_size);
bool secret_compare(const void *a, const void *b, size_t size);	/* true = equal, constant time */
/* Overwrites memory in a way that the compiler keeps. */
void secret_wipe(void *data, size_t size);
/* Random bytes from the kernel; SG_ESYSTEM if it has none. */
MUST_USE enum fail_code secret_random_bytes(void *data, size_t size);
/*
 * Reads a secret from an open descriptor to its end; one trailing newline (LF or CRLF) is taken
 * off. SG_ELIMIT above SECRET_MAX.
 */
MUST_USE enum fail_code secret_read(struct secret *secret, int fd, struct fail *f);

#endif
