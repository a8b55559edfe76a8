/*
 * qpdf: what seal needs of libqpdf, which speaks C++ only (its C interface has no attachments).
 *
 * No exception leaves it: each call returns false and fills error instead.
 */
#ifndef SG_PDFENC_QPDF_H
#define SG_PDFENC_QPDF_H

#include <stdbool.h>
#include <stddef.h>

#include "pdfenc/append.h"

#define QPDF_ERROR_MAX 256

struct qpdf_file {
	const char *name;		/* UTF-8 */
	const char *type;		/* "image/png" */
	const char *date;		/* "D:20260101120000+01'00'", or NULL */
	const char *relation;		/* AFRelationship: "Source", "Unspecified" */
	const unsigned char *data;	/* borrowed while qpdf_write runs */
	size_t size;
	bool compress;
};

struct qpdf_job {
	const unsigned char *pages;	/* a PDF */
	size_t pages_size;
	const struct qpdf_file *files;
	size_t file_count;
	const struct append_place *places;	/* attached PDFs' pages among pages */
	size_t place_count;
	const char *title;		/* UTF-8 */
	const char *language;		/* or NULL */
	const char *nonce;		/* makes the file's identifiers unguessable */
	const char *password;
	const char *owner_password;
	int out;			/* descriptor written to */
	char error[QPDF_ERROR_MAX];
};

#ifdef __cplusplus
extern "C" {
#endif
bool qpdf_write(struct qpdf_job *job);
#ifdef __cplusplus
}
#endif

#endif
