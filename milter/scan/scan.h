/*
 * scan: the client of sealgate-scan, which holds libclamav.
 *
 * A message is scanned whole (header fields and body, as one descriptor). There are four answers,
 * and only one of them is "clean": that all of it was looked at. Called from any thread.
 */
#ifndef SG_MILTER_SCAN_SCAN_H
#define SG_MILTER_SCAN_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "gateway/base/wire.h"

enum scan_message_type {
	SCAN_REQUEST = 1,	/* descriptor + u64 size -> verdict u8, name, engine text */
	SCAN_STATUS = 2		/* -> struct scan_status, in its order */
};

enum scan_verdict {
	SCAN_CLEAN = 0,
	SCAN_INFECTED = 1,
	SCAN_UNSCANNABLE = 2,	/* the content is the cause: limits, damage; policy decides */
	SCAN_NO_VERDICT = 3,	/* the scanner could not work: temporary failure */
	SCAN_ENCRYPTED = 4	/* no virus found, some of it needs a password, the rest may be
				 * unscannable; said only where scan.encrypted is not "pass" */
};

#define SCAN_NAME_MAX 256

struct scan_result {
	enum scan_verdict verdict;
	char name[SCAN_NAME_MAX];	/* signature, or why there is no verdict */
};

struct scan_status {
	uint64_t signatures;
	int64_t database_time;	/* seconds since 1970, of the daily file; 0 = clamd does not say */
	int64_t outdated_since;	/* seconds since 1970: newer ones wait to be loaded; 0 = none do */
	int in_service;		/* the test message was found at the last try */
	int asks_clamd;
	char version[64];
};

/*
 * Scans the size bytes behind fd (from offset 0; sealed memfd or read-only file) by the server at
 * path. A worker that dies costs one retry. Trouble of any kind is SCAN_NO_VERDICT with the reason
 * in result->name, never SCAN_CLEAN: there is no other return value to forget.
 */
void scan_message(const char *path, int fd, size_t size, const struct wire_wait *wait,
    struct scan_result *result_out);
/* The same on a connected socket, without retry. */
void scan_message_on(int socket, int fd, size_t size, const struct wire_wait *wait,
    struct scan_result *result_out);

/* The state of the server at path. SG_EPEER: nobody answers. */
MUST_USE enum fail_code scan_status(const char *path, struct scan_status *status_out,
    struct fail *f);

#endif
