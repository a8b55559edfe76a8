/*
 * message: mail for the benchmark, no two alike in any decoded part.
 *
 * libclamav remembers content that it found clean, so equal messages would measure its cache. Up to
 * MESSAGE_TEXT_MAX bytes a message is plain text; a larger one is a short text and an attachment of
 * random bytes in base64. The same seed gives the same message. Pure.
 */
#ifndef SG_TESTS_BENCH_MESSAGE_H
#define SG_TESTS_BENCH_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_TEXT_MAX ((size_t)32 * 1024)	/* bytes */
#define MESSAGE_ROOM ((size_t)4096)		/* bytes that a message may be larger than asked */

struct message_spec {
	size_t size;		/* bytes, about */
	uint64_t seed;
	const char *from;
	const char *to;
	const char *subject;
};

/*
 * Writes a whole message with CRLF line ends into out, which has room for spec->size + MESSAGE_ROOM
 * bytes. No line begins with a dot. Returns its size.
 */
size_t message_write(const struct message_spec *spec, char *out);

#endif
