/*
 * queue: is there mail in Postfix's queue that cannot leave without Sealgate's services?
 */
#ifndef SG_GATEWAY_POSTFIX_QUEUE_H
#define SG_GATEWAY_POSTFIX_QUEUE_H

#include <stddef.h>

#include "gateway/base/fail.h"

#define QUEUE_IDS_MAX 10 /* named to the administrator; all are counted */
#define QUEUE_ID_MAX 64 /* characters with NUL; Postfix's long ids have below 20 */

struct queue_marked {
	size_t looked_at; /* messages */
	size_t count; /* marked ones */
	char ids[QUEUE_IDS_MAX][QUEUE_ID_MAX];
};

/*
 * Looks at every message in the queue, by postqueue and postcat; needs root. Marked is what has
 * one of our header fields or a transport of ours as its filter: it waits to be sealed, or for the
 * TLS that it must have. A message that leaves meanwhile is none.
 */
MUST_USE enum fail_code queue_look(const char *folder, struct queue_marked *out, struct fail *f);

/* Does a line that "postcat -eh" prints say that the message is marked? Pure. */
int queue_line_is_marked(const char *line);

#endif
