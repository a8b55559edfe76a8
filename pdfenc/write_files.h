/*
 * write_files: the files inside a PDF (ISO 32000-2 7.11.4): their streams, specifications, names.
 */
#ifndef SG_PDFENC_WRITE_FILES_H
#define SG_PDFENC_WRITE_FILES_H

#include "pdfenc/write_file.h"

struct write_attached {
	const char *name;		/* UTF-8 */
	const char *type;		/* "image/png" */
	const char *date;		/* "D:20260101120000+01'00'", or NULL */
	const char *relation;		/* AFRelationship: "Source", "Unspecified" */
	const unsigned char *data;	/* borrowed until the PDF is written */
	size_t size;
	bool compress;
};

/* Writes count files; what the catalog says of them is appended to catalog. */
void write_files(struct write_file *file, const struct write_attached *files, size_t count,
    GString *catalog);

#endif
