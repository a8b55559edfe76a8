/*
 * fail: what went wrong, once, in words that a person can act on.
 *
 * What can fail returns enum fail_code (0 or negative) and fills a struct fail where the cause is
 * known; callers pass both up untouched. Only milter/reply.c turns one into an SMTP reply. What
 * nobody foresaw is temporary: the sender's server keeps the mail and tries again.
 */
#ifndef SG_BASE_FAIL_H
#define SG_BASE_FAIL_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))
#define SG_PRINTF(text_at, first_at) __attribute__((format(printf, text_at, first_at)))

#define FAIL_WHAT_MAX 384	/* bytes with NUL; longer text is cut at a character */
#define FAIL_HINT_MAX 256

enum fail_code {
	SG_OK = 0,
	SG_ESYSTEM = -1,	/* the operating system said no: disk, descriptor, permission */
	SG_ENOMEM = -2,		/* no memory */
	SG_ELIMIT = -3,		/* one of our maxima would be passed */
	SG_EFORMAT = -4,	/* input is not what its format demands */
	SG_ENOTFOUND = -5,	/* what was asked for does not exist */
	SG_EDENIED = -6,	/* the asker may not have this */
	SG_EPEER = -7,		/* a worker or the vault is away, died or did not answer in time */
	SG_ECRYPTO = -8,	/* a cryptographic library refused */
	SG_EUSAGE = -9,		/* wrong command line or configuration */
	SG_EEXIST = -10,	/* is there already */
	SG_EIMPOSSIBLE = -11	/* no protection is possible for a recipient */
};

enum fail_kind {
	FAIL_TEMPORARY = 0,	/* the same again may succeed later; the default */
	FAIL_PERMANENT = 1	/* the same again will fail again */
};

struct fail {
	enum fail_code code;
	enum fail_kind kind;
	char what[FAIL_WHAT_MAX];	/* one sentence, no full stop, never a secret */
	char hint[FAIL_HINT_MAX];	/* what to do, or empty */
};

/* Makes *f say "nothing failed". */
void fail_clear(struct fail *f);

/*
 * Fills *f (f may be NULL) and returns code, so that it can stand in a return statement. hint may
 * be NULL. The kind follows from the code: ELIMIT, EFORMAT, ENOTFOUND, EDENIED, EUSAGE, EEXIST and
 * EIMPOSSIBLE are permanent, all else is temporary; fail_set_kind overrides.
 */
enum fail_code fail_set(struct fail *f, enum fail_code code, const char *hint, const char *format,
    ...) SG_PRINTF(4, 5);

/* fail_set with ": " and the text of the current errno behind it. */
enum fail_code fail_errno(struct fail *f, enum fail_code code, const char *hint,
    const char *format, ...) SG_PRINTF(4, 5);

/* Overrides the kind; returns f's code. f may be NULL, then SG_ESYSTEM. */
enum fail_code fail_set_kind(struct fail *f, enum fail_kind kind);

/* The code's name for logs and wires, such as "limit"; never NULL. */
const char *fail_name(enum fail_code code);

/* Ends the process because of our own mistake, after one line on standard error. */
_Noreturn void fail_bug(const char *file, int line, const char *condition);

/* A broken invariant of ours; stays on in production. Never for input. */
#define SG_BUG_IF(condition) \
	do { \
		if (condition) \
			fail_bug(__FILE__, __LINE__, #condition); \
	} while (0)

#endif
