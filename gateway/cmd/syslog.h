/*
 * syslog: the one place that talks to it; all programs write lines to their standard error.
 */
#ifndef SG_GATEWAY_CMD_SYSLOG_H
#define SG_GATEWAY_CMD_SYSLOG_H

#include <pthread.h>

#include "gateway/base/fail.h"

struct syslog_carrier {
	int pipe;		/* the reading end; -1: nothing is carried */
	int terminal;		/* the standard error of before */
	pthread_t thread;	/* reads pipe */
};

/*
 * From here on what is written to standard error, by workers too, goes to syslog. Signals must be
 * blocked: the thread inherits that. The carrier must not move until syslog_close.
 */
MUST_USE enum fail_code syslog_open(struct syslog_carrier *carrier, struct fail *f);
/* When all workers have ended: standard error is what it was. Nothing if it was not opened. */
void syslog_close(struct syslog_carrier *carrier);

#endif
