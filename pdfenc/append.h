/*
 * append: the pages of an attached PDF, made fit to stand among ours.
 *
 * Each page becomes one form (ISO 32000-2 8.10) that is drawn like a picture: its content,
 * resources and group, of which only known keys are kept, all the way down; besides, how its
 * annotations look. Actions, scripts, fields, files, media and layers have no key to survive under.
 * Links are told to the caller, who makes them anew. Streams are copied as they are, never
 * unpacked, but for content in pieces, within a limit. An encrypted PDF is not opened.
 *
 * What libqpdf allocates and how long it takes while it reads a PDF is bounded: operator new fails
 * above the limits. Loops and deep nesting are errors. C++ behind a C header; no exception leaves
 * it. One thread.
 */
#ifndef SG_PDFENC_APPEND_H
#define SG_PDFENC_APPEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APPEND_LINKS_MAX 500u		/* of a page */
#define APPEND_SIDE_MAX 14400.0f	/* points of a page's side: readers take no more */
#define APPEND_TOKEN_SIZE 24u		/* bytes */

struct append;

struct append_limits {
	unsigned int pages_max;	/* pages made fit; the rest is only counted */
	size_t memory_max;	/* bytes allocated in all while it is read */
	int64_t cpu_ms_max;
};

enum append_result {
	APPEND_OPENED,
	APPEND_ENCRYPTED,
	APPEND_DYNAMIC,		/* a form that only its own program draws (XFA) */
	APPEND_BROKEN,
	APPEND_LIMIT		/* above memory, time or nesting */
};

/* From 0 to 1 of the page as it is seen, from its top left corner. */
struct append_link {
	float x;
	float y;
	float width;
	float height;
	const char *uri;	/* not looked at; of the append */
};

/* Where a page goes: what stands for it in our PDF is found by its token. */
struct append_place {
	const struct append *pdf;
	unsigned int page;
};

#ifdef __cplusplus
extern "C" {
#endif

/*
 * data must outlive the result, which the caller append_frees (NULL unless APPEND_OPENED). There
 * is at least one page then.
 */
enum append_result append_open(const void *data, size_t size, const struct append_limits *limits,
    struct append **append_out);
/* Releases it. */
void append_free(struct append *append);

/* All pages of the file. */
unsigned int append_total(const struct append *append);
/* Those that can be drawn, from the first on. */
unsigned int append_count(const struct append *append);
/* Points, as it is seen (turned, in its unit). */
void append_size(const struct append *append, unsigned int page, float *width_out,
    float *height_out);
/* The page's links to addresses. */
unsigned int append_links(const struct append *append, unsigned int page);
struct append_link append_link_at(const struct append *append, unsigned int page,
    unsigned int index);

/* What the data of the picture that stands for place number says: no JPEG begins so. */
void append_token(unsigned int number, char token[APPEND_TOKEN_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
