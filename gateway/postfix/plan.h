/*
 * plan: what attaching changes in main.cf and master.cf. Pure: a picture of the files in, a list
 * of changes out. Why each setting is needed stands in docs/attach.md.
 */
#ifndef SG_GATEWAY_POSTFIX_PLAN_H
#define SG_GATEWAY_POSTFIX_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "gateway/postfix/postconf.h"
#include "gateway/postfix/routing.h"

#define PLAN_CHANGES_MAX 8192 /* bounds the record file that a damaged disk may give us */

/* Our services, and the transport's name in FILTER. */
#define PLAN_SEAL "seal"
#define PLAN_SEAL_CLEANUP "seal-cleanup"
#define PLAN_SEAL_PICKUP "seal-pickup"
#define PLAN_LOCAL "sealed-local" /* local(8) for inside copies of flagged mail */
#define PLAN_FORWARD "seal-forward" /* cleanup(8) for what that one forwards */
#define PLAN_REWRITE "seal-rewrite" /* its trivial-rewrite(8), which calls it by its name */
#define PLAN_DAEMON "SEALGATE" /* milter_macro_daemon_name of the second stage */
#define PLAN_FALLBACK_DAEMON "SEALGATE-FALLBACK" /* the same of the fallback */
#define PLAN_MACRO "sealgate_routes" /* milter_macro_defaults: what the filter may route */
#define PLAN_BEHIND "sealgate_milters" /* main.cf: milters of the second stage behind Sealgate */
#define PLAN_CHECKS "sealgate_header_checks" /* main.cf: header_checks for what pickup brings */
#define PLAN_SMTP_CHECKS "sealgate_smtp_header_checks" /* main.cf: the same of SMTP clients */
#define PLAN_ALIASES "sealgate_virtual_alias_maps" /* main.cf: yours, for PLAN_FORWARD */
#define PLAN_TRANSPORTS "sealgate_transport_maps" /* main.cf: yours, for PLAN_REWRITE */

/*
 * One value. In main.cf service is NULL; in master.cf it is "smtp/inet", and name is NULL for the
 * service itself, whose value is its line without options. A NULL value: is not there.
 */
struct plan_change {
	char *service;
	char *name;
	char *old;
	char *new;
	char *ours; /* the element that we put before a list that may change later, or NULL */
};

/* The same, borrowed. */
struct plan_text {
	const char *service;
	const char *name;
	const char *old;
	const char *new;
	const char *ours;
};

struct plan {
	struct plan_change *changes;
	size_t count;
};

struct plan_wish {
	const char *milter; /* as Postfix spells it: "unix:/run/sealgate/milter.sock" */
	unsigned int port; /* of the second stage, on 127.0.0.1 */
	const char *folder; /* where our tables are */
	bool front; /* false: only what carries marked mail that is still in the queue */
	unsigned int fallback_port; /* of what comes back from our transports, on 127.0.0.1 */
	const char *policy; /* "socketmap:unix:/path", without a table; NULL: no TLS part */
	const char *ca_file; /* trusted certificates, or NULL */
	const struct routing *routing; /* for the TLS part */
};

/*
 * Postfix's spelling of "local:/path" or "inet:port@host". A socket below the queue directory is
 * named relative to it: that holds in and out of a chroot, since Postfix's programs work there.
 * SG_EUSAGE with a hint when a chrooted program could not reach it. The caller frees.
 */
MUST_USE enum fail_code plan_milter(const struct postconf *conf, const char *socket,
    char **milter_out, struct fail *f);

/*
 * The same for the policy service: "socketmap:unix:/path", "socketmap:inet:host:port". The path
 * stays whole: our clients are not jailed, and others ask through proxymap(8). The caller frees.
 */
MUST_USE enum fail_code plan_policy(const char *socket, char **policy_out, struct fail *f);

/*
 * All that has to change in base, which has nothing of ours. SG_EEXIST: a name or the port is
 * taken; SG_EUSAGE: this Postfix cannot be attached. plan_free releases.
 */
MUST_USE enum fail_code plan_make(const struct postconf *base, const struct plan_wish *wish,
    struct plan *out, struct fail *f);

/*
 * Takes applied (what an earlier attach did) out of now, where others have changed more. Values
 * that are no longer what we wrote stay, but for our elements of lists. in_main, in_master: which
 * files to look at.
 */
MUST_USE enum fail_code plan_revert(const struct postconf *now, const struct plan *applied,
    bool in_main, bool in_master, struct plan *out, struct fail *f);

/* What makes from into to. */
MUST_USE enum fail_code plan_diff(const struct postconf *from, const struct postconf *to,
    struct plan *out, struct fail *f);

/* Appends one; texts are copied. */
MUST_USE enum fail_code plan_put(struct plan *plan, const struct plan_text *change, struct fail *f);
void plan_free(struct plan *plan);

/* A service's line without options: "seal unix - - n - 10 smtp". NULL = no memory. */
char *plan_line(const struct postconf_service *service);
/* "127.0.0.1:10026/inet"; the caller frees. NULL = no memory. */
char *plan_stage_key(unsigned int port);
/* Does this value take its milters from main.cf's lists, which carry us? */
bool plan_refers(const char *milters);
/* Is this program of Postfix's what the service runs? */
bool plan_runs(const struct postconf_service *service, const char *program);

#endif
