/*
 * job: one message, from bytes to a sealed PDF; all of the worker but its loop.
 */
#ifndef SG_PDFENC_JOB_H
#define SG_PDFENC_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "gateway/base/secret.h"
#include "pdfenc/attachments.h"
#include "pdfenc/layout.h"
#include "pdfenc/look.h"

/*
 * Up to this size the message as it came is attached as well (original.eml). Above, base64 would
 * make it larger than all its files together; then it is only where pages or parts were left out.
 */
#define JOB_ORIGINAL_MAX ((size_t)8 * 1024 * 1024)

struct job_options {
	struct layout_engine *engine;
	const struct looks *looks;	/* NULL: no tenant has any */
	bool letter;
	unsigned int pages_max;
	bool original;			/* original.eml is attached, as JOB_ORIGINAL_MAX says */
	struct attachments_limits attachments;
};

struct job_request {
	int message;			/* descriptor, borrowed */
	size_t message_size;
	const char *subject;		/* NULL: the message's own */
	const char *protection;
	const char *tenant;		/* one of the looks, or "" */
	enum conf_language language;	/* of what we write on the pages ourselves */
	const struct secret *password;
	const struct secret *owner_password;
};

struct job_result {
	int pdf;		/* the caller closes; -1 after a failure */
	uint32_t pages;
	uint32_t attachments;	/* original.eml not counted */
	bool invitation;	/* one of them is for a calendar */
};

/*
 * The whole way. SG_EFORMAT, SG_ELIMIT, SG_EUSAGE: the message, its size or the password cannot be
 * used (permanent); all else is temporary.
 */
MUST_USE enum fail_code job_run(const struct job_options *options,
    const struct job_request *request, struct job_result *result_out, struct fail *f);

#endif
