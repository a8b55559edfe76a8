/*
 * write_file: the objects of a PDF, one after the other, and the syntax of what stands in them.
 *
 * Numbers, names and strings are written here only, so that no text from outside can be read as
 * syntax. Objects are numbered from 1; a number may be used in references before its object is
 * written. Deterministic. One thread; memory is GLib's.
 */
#ifndef SG_PDFENC_WRITE_FILE_H
#define SG_PDFENC_WRITE_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define WRITE_NUMBER_MAX 32767.0	/* larger ones are cut: what readers of PDF 1.7 promise */

struct libdeflate_compressor;

struct write_file {
	GByteArray *out;
	GArray *offsets;	/* size_t, of object i + 1; 0: not written */
	struct libdeflate_compressor *compressor;	/* borrowed */
	GByteArray *packed;	/* room for compressed data */
};

/* Begins a PDF at the end of out (which must be empty); the caller write_file_ends. */
void write_file_start(struct write_file *file, GByteArray *out,
    struct libdeflate_compressor *compressor);
/* Writes the table of objects and the trailer, and releases all but out. */
void write_file_end(struct write_file *file, unsigned int root, unsigned int info);

/* The number of an object still to be written. */
unsigned int write_reserve(struct write_file *file);
/* An object with this body. */
void write_object(struct write_file *file, unsigned int number, const GString *body);
/*
 * A stream; entries stand in its dictionary, without brackets. deflate: compressed here, and
 * /Filter is written; else the bytes stay and entries say what they are.
 */
void write_stream(struct write_file *file, unsigned int number, const char *entries,
    const void *data, size_t size, bool deflate);
/* Appends data, compressed (zlib), to out. */
void write_deflate(struct libdeflate_compressor *compressor, const void *data, size_t size,
    GByteArray *out);

/* A number with at most 2 (put_fine: 5) decimals. */
void put_number(GString *out, double value);
void put_fine(GString *out, double value);
/* A whole number. */
void put_count(GString *out, unsigned int value);
/* Numbers with spaces between them and behind them. */
void put_numbers(GString *out, const double *values, unsigned int count);
/* "12 0 R" with a space before it. */
void put_reference(GString *out, unsigned int number);
/* "/Name" with all but letters and digits as #XX. */
void put_name(GString *out, const char *name);
/* "(bytes)" */
void put_bytes(GString *out, const void *data, size_t size);
/* A text string (7.9.2.2): ASCII as it is, else UTF-16 with its mark. text is UTF-8. */
void put_text(GString *out, const char *text, size_t size);
/* UTF-8 as hexadecimal digits of UTF-16, without brackets. */
void put_utf16_hex(GString *out, const char *text, size_t size);

#endif
