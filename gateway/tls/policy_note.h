/*
 * policy_note: the steps of a lookup, in words, for an explanation. Internal to the engine.
 */
#ifndef SG_GATEWAY_TLS_POLICY_NOTE_H
#define SG_GATEWAY_TLS_POLICY_NOTE_H

#include "gateway/tls/policy.h"

/* Replaces *slot by a copy of text; without memory it is NULL: these are words for people. */
void policy_set_text(char **slot, const char *text);

struct policy_notes {
	struct policy_step *steps;
	size_t count;
};

/* One DNS answer. notes may be NULL everywhere here; what has no memory is left out. */
void policy_note_dns(struct policy_notes *notes, const char *name, int type,
    const struct source_dns *answer);
/* One fetched file. */
void policy_note_https(struct policy_notes *notes, const char *host, const char *path,
    const struct source_https *answer);
/* A step that asked nobody, such as a rule. */
void policy_note_step(struct policy_notes *notes, const char *question, const char *answer,
    const char *state);
/* What the last step means. */
void policy_note_meaning(struct policy_notes *notes, const char *format, ...) SG_PRINTF(2, 3);
void policy_notes_free(struct policy_notes *notes);

#endif
