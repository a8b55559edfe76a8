/*
 * phrase: passwords made here: at least 80 bits, in groups, without signs that look alike.
 */
#ifndef SG_BASE_PHRASE_H
#define SG_BASE_PHRASE_H

#include "gateway/base/fail.h"
#include "gateway/base/secret.h"

#define PHRASE_SIZE ((size_t)19)	/* characters, with the dashes between the groups */

/* A fresh one into phrase, which the caller has initialised: "abcd-EFGH-2345-klmn", 85 bits. */
MUST_USE enum fail_code phrase_make(struct secret *phrase, struct fail *f);

#endif
