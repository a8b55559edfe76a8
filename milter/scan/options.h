/*
 * options: how libclamav is set, in one place; the benchmark's "libclamav alone" uses it too.
 */
#ifndef SG_MILTER_SCAN_OPTIONS_H
#define SG_MILTER_SCAN_OPTIONS_H

#include <clamav.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"

struct options {
	const char *database_directory;
	const char *temporary_directory;
	const char *clamd;	/* where clamd listens; NULL: libclamav in this process */
	size_t size_max;	/* bytes of a file, unpacked or not, and of all of a scan */
	unsigned int files_max;
	unsigned int recursion_max;
	int64_t time_max_ms;		/* for one scan */
	bool encrypted;			/* tell of archives and documents that need a password */
};

/*
 * What to look into. encrypted as above: where encrypted files pass nothing is said of them, since
 * one alert is all that libclamav tells, and of two the one of a limit must not be lost.
 */
void options_scan(bool encrypted, struct cl_scan_options *scan_out);

/*
 * Sets limits, temporary directory and cache of a fresh engine, before cl_load.
 *
 * libclamav's cache of clean content stays off: it also remembers as clean what could not be
 * unpacked (temporary directory full), and would call the retried message clean an hour later.
 */
MUST_USE enum fail_code options_engine(struct cl_engine *engine, const struct options *options,
    struct fail *f);

#endif
