/*
 * oneshot: a worker for one command, where no gateway runs or it does not let us in.
 *
 * The same program, born the same way, with a private socket in a private folder; both go when the
 * command ends. By any user. One thread.
 */
#ifndef SG_GATEWAY_CMD_ONESHOT_H
#define SG_GATEWAY_CMD_ONESHOT_H

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "gateway/base/proc.h"

#define ONESHOT_WAIT_MS 180000	/* a full set of signatures takes half a minute to load */

struct oneshot {
	char *directory;
	char *socket;		/* what scan_message and pdfenc_seal take */
	struct proc_child child;
	int listener;
};

/*
 * Starts program ("sealgate-scan") with what role (enum conf_role) may know of conf, and waits
 * until it is ready. A user for workers that does not exist here becomes "nobody". On failure
 * *oneshot_out is as after oneshot_stop, which is allowed then too.
 */
MUST_USE enum fail_code oneshot_start(const char *program, const struct conf *conf,
    unsigned int role, struct oneshot *oneshot_out, struct fail *f);
/* Ends the worker, removes its folder. */
void oneshot_stop(struct oneshot *oneshot);

#endif
