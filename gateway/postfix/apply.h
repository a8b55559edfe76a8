/*
 * apply: lets postconf(1) write a plan into main.cf and master.cf of a folder. Not atomic: meant
 * for copies of the files, which replace the real ones when all of it has worked.
 */
#ifndef SG_GATEWAY_POSTFIX_APPLY_H
#define SG_GATEWAY_POSTFIX_APPLY_H

#include "gateway/base/fail.h"
#include "gateway/postfix/plan.h"

/* SG_ESYSTEM with postconf's words; the files may then be half changed. */
MUST_USE enum fail_code apply_plan(const char *folder, const struct plan *plan, struct fail *f);

#endif
