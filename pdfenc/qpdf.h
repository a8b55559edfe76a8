/*
 * qpdf: what seal needs of libqpdf, which speaks C++ only: the keys of an encrypted PDF, and the
 * pages of other PDFs among ours.
 *
 * No exception leaves it: each call returns false and fills error instead.
 */
#ifndef SG_PDFENC_QPDF_H
#define SG_PDFENC_QPDF_H

#include <stdbool.h>
#include <stddef.h>

#include "pdfenc/append.h"

#define QPDF_ERROR_MAX 256

/* Of one PDF, by its passwords (ISO 32000-2 7.6.4.4, revision 6). */
struct qpdf_keys {
	unsigned char key[32];		/* of the file: wipe it */
	unsigned char o[48];
	unsigned char u[48];
	unsigned char oe[32];
	unsigned char ue[32];
	unsigned char perms[16];
};

struct qpdf_job {
	const unsigned char *pages;	/* a PDF with all but the pages of others */
	size_t pages_size;
	const struct append_place *places;	/* attached PDFs' pages among pages */
	size_t place_count;
	const char *password;
	const char *owner_password;
	int out;			/* descriptor written to */
	char error[QPDF_ERROR_MAX];
};

#ifdef __cplusplus
extern "C" {
#endif
/* A random key for a file that these passwords open; all is permitted. */
bool qpdf_make_keys(const char *password, const char *owner_password, struct qpdf_keys *keys_out,
    char error[QPDF_ERROR_MAX]);
/* Puts the places' pages in and encrypts. */
bool qpdf_write(struct qpdf_job *job);
#ifdef __cplusplus
}
#endif

#endif
