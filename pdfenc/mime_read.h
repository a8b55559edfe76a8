/*
 * mime_read: what header fields of messages and parts say; for mime.c alone.
 */
#ifndef SG_PDFENC_MIME_READ_H
#define SG_PDFENC_MIME_READ_H

#include <gmime/gmime.h>

#include "pdfenc/document.h"

/* A raw field as clean UTF-8 on one line, or NULL; the caller g_frees, as all below. */
char *mime_line(const char *raw);
/* Fills the head. */
void mime_read_head(GMimeMessage *message, struct document_head *head);
/* "text/plain"; never NULL. */
char *mime_type(GMimeObject *object);
/* As sent, or NULL. */
char *mime_file_name(GMimeObject *object);
/* When the file was changed or made, or NULL; the caller unrefs. */
GDateTime *mime_file_date(GMimeObject *object);
/* The decoded bytes of a leaf; room for them is made at once. The caller unrefs. */
GByteArray *mime_decoded(GMimePart *part);
/* All of a part as it came, header included; the caller unrefs. */
GByteArray *mime_written(GMimeObject *object);

#endif
