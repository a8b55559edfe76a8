/*
 * attach: puts Sealgate into a Postfix and takes it out again.
 *
 * Every change is computed on copies of main.cf and master.cf from which an earlier attach has
 * been taken out: the old files byte for byte when nobody has touched them since, else with
 * only our own values reverted. So a second attach finds nothing to do, one after a change of the
 * configuration updates, and either repairs an attach that was interrupted. The files are replaced
 * whole: first the record of what was there (state.h), then master.cf (of which Postfix takes
 * notice when it reloads), then main.cf.
 */
#ifndef SG_GATEWAY_POSTFIX_ATTACH_H
#define SG_GATEWAY_POSTFIX_ATTACH_H

#include <stdbool.h>

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "gateway/postfix/plan.h"
#include "gateway/postfix/routing.h"
#include "gateway/postfix/state.h"

#define ATTACH_FOLDER "sealgate" /* beside main.cf: our tables and the record */

enum attach_goal {
	ATTACH_FULL, /* attached */
	ATTACH_DRAIN, /* only the services that carry marked mail */
	ATTACH_NONE /* detached */
};

/* A file of Postfix's on the way. */
struct attach_file {
	char *path; /* behind symbolic links */
	char *now;
	char *base; /* without us */
	char *after;
};

struct attach {
	enum attach_goal goal;
	char *folder; /* of main.cf, absolute */
	char *tables; /* folder/sealgate */
	int lock;
	bool has_state;
	struct state state; /* of the earlier attach */
	struct attach_file main;
	struct attach_file master;
	char *milter; /* what is put into smtpd_milters; NULL for ATTACH_NONE */
	unsigned int port;
	unsigned int fallback_port;
	char *policy; /* socketmap of the policy service; "": an attach from before there was one */
	char *ca_file; /* "" for none */
	struct routing routing; /* what Postfix can choose; empty for ATTACH_NONE */
	struct plan plan; /* all that is ours in after */
	struct plan changes; /* what differs between now and after */
	bool stale; /* the tables are not what they should be */
	bool changed; /* anything at all to write, tables and record included */
};

/*
 * Computes everything and writes nothing in Postfix's folder. conf: our configuration; NULL takes
 * what the earlier attach had of it. SG_ENOTFOUND: no Postfix there; SG_EPEER: another command has
 * worked there for 15 s; SG_EUSAGE, SG_EEXIST: cannot be, the hint says what to do. attach_free
 * releases, also after a failure.
 */
MUST_USE enum fail_code attach_prepare(const char *folder, enum attach_goal goal,
    const struct conf *conf, struct attach *out, struct fail *f);

/*
 * Writes what was prepared. SG_EPEER: somebody changed the files meanwhile, nothing was written.
 * After ATTACH_NONE the tables and the record stay until attach_forget: running processes of
 * Postfix still name them.
 */
MUST_USE enum fail_code attach_commit(const struct attach *attach, struct fail *f);
void attach_forget(const struct attach *attach);
/* Lets another attach or detach work on this folder; attach_free does it, too. */
void attach_unlock(struct attach *attach);
void attach_free(struct attach *attach);

/* Is a Postfix running on this folder? */
MUST_USE enum fail_code attach_running(const char *folder, bool *running_out, struct fail *f);
MUST_USE enum fail_code attach_reload(const char *folder, struct fail *f);

#endif
