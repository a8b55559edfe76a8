/*
 * edits: what is to be changed in a message, complete, before the first change is sent.
 *
 * A list in the order of application (deletions of one name from the last to the first, since the
 * filter protocol counts again after each), a new body, a new envelope sender. The filter sends
 * them to Postfix; the command line applies them to a file. One session owns it.
 */
#ifndef SG_MILTER_EDITS_H
#define SG_MILTER_EDITS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "milter/message.h"
#include "milter/spool.h"

enum edit_kind {
	EDIT_ADD,	/* at the end of the header */
	EDIT_CHANGE,	/* the index-th field of that name gets value */
	EDIT_DELETE	/* the index-th field of that name goes */
};

struct edit {
	enum edit_kind kind;
	char *name;
	unsigned int index;	/* from 1 on; 0 for EDIT_ADD */
	char *value;		/* with its leading space; LF and white space inside, never a line
				 * that could be another field; NULL for EDIT_DELETE */
};

struct edits {
	struct edit *items;
	size_t count;
	char *sender_arguments;	/* ESMTP arguments for the unchanged sender, or NULL */
	struct spool *body;	/* finished; NULL = the body stays */
};

/* No edits. */
void edits_init(struct edits *edits);
/* Frees all, the new body too; empty again. */
void edits_free(struct edits *edits);

/* A new field; value with its leading space. */
MUST_USE enum fail_code edits_add(struct edits *edits, const char *name, const char *value);
/* A new value for the index-th field of that name. */
MUST_USE enum fail_code edits_change(struct edits *edits, const char *name, unsigned int index,
    const char *value);
/* All fields of that name in message. */
MUST_USE enum fail_code edits_delete_all(struct edits *edits, const struct message *message,
    const char *name);
/* Changes the first field of that name and deletes the others, or adds it. */
MUST_USE enum fail_code edits_set(struct edits *edits, const struct message *message,
    const char *name, const char *value);

#endif
