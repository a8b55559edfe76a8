/*
 * serve: the worker's side of the wire: PDFENC_SEAL in, a sealed PDF out.
 */
#ifndef SG_PDFENC_SERVE_H
#define SG_PDFENC_SERVE_H

#include "gateway/base/fail.h"
#include "gateway/base/wire.h"
#include "pdfenc/job.h"

struct serve {
	struct job_options options;
	struct looks *looks;	/* that of the options, owned */
	int64_t cpu_ms_max;	/* of one message; past it the process ends (pdfenc/spent.h) */
	int socket;		/* who waits for the answer, while there is one; else -1 */
};

/* A wire_handler function; context is a struct serve. Nothing on the wire is trusted. */
MUST_USE enum fail_code serve_seal(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f);

/* One connection, one request. Failures are answered there; the caller closes socket. */
void serve_connection(struct serve *serve, int socket);

#endif
