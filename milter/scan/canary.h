/*
 * canary: a harmless message that the scanner must find infected, or else it does not work.
 *
 * A random text, a signature for it that is bound to the start of a file, and a mail that carries
 * the text deflated in a zip, in base64: it is only found if mail, base64, zip and the temporary
 * directory all work. The text is random so that nobody outside can make mail that looks like it.
 * Pure, but for the random bytes.
 */
#ifndef SG_MILTER_SCAN_CANARY_H
#define SG_MILTER_SCAN_CANARY_H

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define CANARY_NAME "Sealgate.Canary"
#define CANARY_TEXT_SIZE 48	/* bytes; the text is twice as long, in hexadecimal */

struct canary {
	char text[2 * CANARY_TEXT_SIZE + 1];
	struct buf mail;
};

/* A new text and its mail; canary_free releases. */
MUST_USE enum fail_code canary_make(struct canary *canary, struct fail *f);
/*
 * The same with the EICAR test file, which every database of ClamAV knows: for a scanner into which
 * no signature of ours can be put.
 */
MUST_USE enum fail_code canary_make_eicar(struct canary *canary, struct fail *f);
void canary_free(struct canary *canary);
/* Appends the signature, a line of an .ndb file. */
MUST_USE enum fail_code canary_signature(const struct canary *canary, struct buf *out);

/*
 * A harmless mail with more zips in each other than any scanner may be set to open: the answer
 * shows what it says of content beyond its limits. buf_free is the caller's.
 */
MUST_USE enum fail_code canary_make_deep(struct buf *mail, struct fail *f);

#endif
