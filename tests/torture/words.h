/*
 * words: what a message of the torture test is called, and what its clear text is found by.
 *
 * Message-ID <t.NUMBER.CLASS@inside.example>. Classes: p plain, f flagged, v infected, h flagged
 * and hostile to the PDF worker. Everything flagged has WORDS_SECRET in each line and all over its
 * attachments, everything else WORDS_PLAIN; no base64 or quoted-printable can hide all of them.
 */
#ifndef SG_TESTS_TORTURE_WORDS_H
#define SG_TESTS_TORTURE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define WORDS_SECRET "Zq7NightjarLanternMosaic4711"
#define WORDS_PLAIN "Zq7OrdinaryMatterOfTheDay815"
#define WORDS_ID "t.%lu.%c@inside.example"

static const char words_base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* FNV-1a over size bytes, from start (WORDS_HASH at first). */
#define WORDS_HASH 0xcbf29ce484222325u
static inline uint64_t words_hash(uint64_t start, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		start = (start ^ (unsigned char)data[i]) * 0x100000001b3u;
	return start;
}

/* Four characters of the three bytes at data. */
static inline void words_quad(const char *data, char out[4])
{
	unsigned int a = (unsigned char)data[0];
	unsigned int b = (unsigned char)data[1];
	unsigned int c = (unsigned char)data[2];

	out[0] = words_base64[a >> 2];
	out[1] = words_base64[(a & 3) << 4 | b >> 4];
	out[2] = words_base64[(b & 15) << 2 | c >> 6];
	out[3] = words_base64[c & 63];
}

#endif
