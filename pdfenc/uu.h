/*
 * uu: files that old programs wrote uuencoded into the text of a mail. Pure.
 */
#ifndef SG_PDFENC_UU_H
#define SG_PDFENC_UU_H

#include <glib.h>

/* name is borrowed during the call; data is the callee's. */
typedef void uu_file_fn(void *context, const char *name, GByteArray *data);

/*
 * Finds "begin MODE NAME" ... "end", hands each file to found, and leaves one line that names it in
 * the text instead. Anything that is not clean uuencoding stays as it is.
 */
void uu_extract(GString *text, uu_file_fn *found, void *context);

#endif
