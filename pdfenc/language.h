/*
 * language: which language a text in Latin letters is written in, by its small words. Pure.
 */
#ifndef SG_PDFENC_LANGUAGE_H
#define SG_PDFENC_LANGUAGE_H

#include <stddef.h>

#define LANGUAGE_COUNT 9	/* those that can be told */

/* How many small words of each language were seen. */
struct language_votes {
	unsigned int of[LANGUAGE_COUNT];
};

/* Counts the words of size bytes of UTF-8. */
void language_count(struct language_votes *votes, const char *text, size_t size);

/*
 * A BCP 47 tag, static: the one with the most votes, or NULL where fewer than two were given or two
 * languages have as many.
 */
const char *language_best(const struct language_votes *votes);

#endif
