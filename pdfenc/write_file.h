/*
 * write_file: the objects of a PDF, one after the other, and the syntax of what stands in them.
 *
 * Numbers, names and strings are written here only, so that no text from outside can be read as
 * syntax. Objects are numbered from 1; a number may be used in references before its object is
 * written. One thread; memory is GLib's.
 *
 * A PDF is either plain, all in memory and the same for the same objects, or sealed: objects are
 * packed into object streams (7.5.7), all is encrypted and goes to a descriptor piece by piece.
 */
#ifndef SG_PDFENC_WRITE_FILE_H
#define SG_PDFENC_WRITE_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"

#define WRITE_NUMBER_MAX 32767.0	/* larger ones are cut: what readers of PDF 1.7 promise */
#define WRITE_GROUP_MAX 200u		/* objects of an object stream: they are read at once */

struct libdeflate_compressor;
struct write_crypt;

/* Compressors, from the best to the fastest. */
struct write_packer {
	struct libdeflate_compressor *best;
	struct libdeflate_compressor *good;
	struct libdeflate_compressor *fast;
};

/* Where an object stands. */
struct write_place {
	size_t at;		/* of the file (0: nowhere), or of its object stream's objects */
	unsigned int group;	/* number of that stream; 0: it stands alone */
};

struct write_file {
	GByteArray *out;	/* what is not yet in the descriptor */
	size_t written;		/* bytes in the descriptor */
	int fd;			/* -1: plain, all stays in out */
	struct write_crypt *crypt;	/* borrowed; NULL: plain */
	bool failed;		/* nothing may be used of it */
	GArray *places;		/* struct write_place, of object i + 1 */
	const struct write_packer *packer;	/* borrowed */
	GByteArray *packed;	/* room for compressed data */
	size_t best_left;	/* bytes that may still be compressed at their best */
	GString *objects;	/* of the object stream being filled */
	GString *index;		/* of that one */
	unsigned int group;	/* its number; 0: none begun */
	unsigned int count;	/* its objects */
};

/* Begins a plain PDF at the end of out (which must be empty); the caller write_file_ends. */
void write_file_start(struct write_file *file, GByteArray *out, const struct write_packer *packer);
/* Right after: sealed by crypt (borrowed), into fd; out is room for it. */
void write_file_seal(struct write_file *file, struct write_crypt *crypt, int fd);
/*
 * Writes the table of objects and the trailer, and releases all but out. Plain: never fails.
 * SG_ESYSTEM: the descriptor takes no more, or no random numbers; SG_ECRYPTO: libcrypto failed.
 */
MUST_USE enum fail_code write_file_end(struct write_file *file, unsigned int root,
    unsigned int info, struct fail *f);

/* The number of an object still to be written. */
unsigned int write_reserve(struct write_file *file);
/* An object with this body, which may have strings. */
void write_object(struct write_file *file, unsigned int number, const GString *body);
/* The same outside of object streams: strings by write_string alone. */
void write_object_alone(struct write_file *file, unsigned int number, const GString *body);
/*
 * A stream; entries stand in its dictionary, without brackets; strings by write_string. deflate:
 * compressed here if it shrinks, and /Filter is written; else the bytes stay and entries say what
 * they are.
 */
void write_stream(struct write_file *file, unsigned int number, const char *entries,
    const void *data, size_t size, bool deflate);
/* A string of an object that stands alone, or of a stream's dictionary: encrypted if all is. */
void write_string(struct write_file *file, GString *body, const char *text);
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
/* The bytes of such a string. */
void put_text_bytes(GString *out, const char *text, size_t size);
/* UTF-8 as hexadecimal digits of UTF-16, without brackets. */
void put_utf16_hex(GString *out, const char *text, size_t size);

#endif
