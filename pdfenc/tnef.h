/*
 * tnef: winmail.dat (MS-OXTNEF), as Exchange sends it, unpacked by libytnef.
 */
#ifndef SG_PDFENC_TNEF_H
#define SG_PDFENC_TNEF_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define TNEF_SIZE_MAX ((size_t)64 * 1024 * 1024)	/* bytes */
#define TNEF_FILES_MAX 200u

enum tnef_kind {
	TNEF_FILE,
	TNEF_TEXT,		/* the message as plain text */
	TNEF_HTML,
	TNEF_RTF
};

/* Something found in it; name and type may be NULL; data is the callee's. */
typedef void tnef_fn(void *context, enum tnef_kind kind, const char *name, const char *type,
    GByteArray *data);

/* Hands the message (HTML, else text, else RTF) and each file to found. False: unreadable. */
bool tnef_unpack(const void *data, size_t size, tnef_fn *found, void *context);

#endif
