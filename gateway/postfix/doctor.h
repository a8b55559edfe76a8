/*
 * doctor: looks at a gateway and its Postfix and says what is wrong and how to mend it.
 *
 * A table of checks; each adds findings to the report. A check never repairs and never guesses:
 * what it could not look at is a warning at least. Command line only, best as root.
 */
#ifndef SG_GATEWAY_POSTFIX_DOCTOR_H
#define SG_GATEWAY_POSTFIX_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fail.h"
#include "gateway/postfix/postconf.h"

#define DOCTOR_FINDINGS_MAX 4096 /* services times checks of any sane master.cf */

enum doctor_result {
	DOCTOR_OK = 0,
	DOCTOR_WARN = 1, /* works, but somebody should know */
	DOCTOR_FAIL = 2 /* does not work, or is not safe */
};

struct doctor_finding {
	const char *check; /* name in the table; static */
	enum doctor_result result;
	char *what;
	char *hint; /* what to do, or NULL */
};

struct doctor {
	const struct conf *conf;
	const char *folder; /* Postfix's; borrowed */
	const struct clock *clock;
	struct postconf postfix; /* expanded picture; empty without Postfix */
	bool has_postfix;
	bool gateway_only; /* set before doctor_run: Postfix is elsewhere */
	char *milter; /* our milter as Postfix spells it, or NULL */
	const char *check; /* the one that runs */
	struct doctor_finding *findings;
	size_t count;
	bool incomplete; /* no memory for a finding: never healthy */
};

struct doctor_check {
	const char *name;
	const char *looks_at; /* for people: one line of the manual page */
	bool needs_postfix;
	void (*run)(struct doctor *doctor);
};

/* The table; *count_out checks. Static. */
const struct doctor_check *doctor_checks(size_t *count_out);

/* conf and folder are borrowed and must outlive the doctor. */
void doctor_init(struct doctor *doctor, const struct conf *conf, const char *folder,
    const struct clock *clock);
void doctor_free(struct doctor *doctor);

/* Runs every check of the table; with gateway_only, those that do not look at Postfix. */
void doctor_run(struct doctor *doctor);
/* Runs one by its name, on the picture that is there. For tests. SG_ENOTFOUND. */
MUST_USE enum fail_code doctor_run_one(struct doctor *doctor, const char *name);

/* True unless something failed or the report is incomplete. */
bool doctor_healthy(const struct doctor *doctor);

/* The report for people and for programs. */
MUST_USE enum fail_code doctor_text(const struct doctor *doctor, struct buf *out);
MUST_USE enum fail_code doctor_json(const struct doctor *doctor, struct buf *out);

/* --- for the checks --- */

/* A finding of the check that runs: all is well. */
void doctor_ok(struct doctor *doctor, const char *format, ...) SG_PRINTF(2, 3);
/* Works, but somebody should know. hint: what to do, or NULL. */
void doctor_warn(struct doctor *doctor, const char *hint, const char *format, ...) SG_PRINTF(3, 4);
/* The same for a failure. */
void doctor_bad(struct doctor *doctor, const char *hint, const char *format, ...) SG_PRINTF(3, 4);
/* A finding out of a failure. */
void doctor_failure(struct doctor *doctor, enum doctor_result result, const struct fail *f);

#endif
