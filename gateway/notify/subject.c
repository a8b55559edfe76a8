/* The part of compose.h that makes a raw Subject readable. */
#include "config/readable.h"
#include "gateway/notify/compose.h"

#define SHOWN_MAX ((size_t)300)	/* bytes of a subject in a letter */

enum fail_code compose_subject(const char *raw, struct buf *out)
{
	return readable_text(raw, SHOWN_MAX, out);
}
