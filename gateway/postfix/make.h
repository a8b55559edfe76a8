/*
 * make: what the makers of a plan share. Private to make.c (order, what is in the way),
 * make_front.c (what is there already), make_stage.c (the second stage and its surroundings),
 * make_local.c (what local(8) forwards) and make_sealed.c (transports for TLS).
 */
#ifndef SG_GATEWAY_POSTFIX_MAKE_H
#define SG_GATEWAY_POSTFIX_MAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "gateway/postfix/plan.h"
#include "gateway/postfix/postconf.h"

/* What a plan is made from; texts that several steps need. */
struct making {
	const struct postconf *base;
	const struct plan_wish *wish;
	struct plan *plan;
	bool tls; /* the wish has what the TLS part needs */
	char *entry; /* "{ unix:..., default_action=tempfail }" */
	char *compact; /* the same without white space */
	char *routes; /* "regexp:S/routes" */
	char *requeue;
	char *unsealed; /* the backstop's table */
	char *decode; /* "regexp:S/decode" */
	char *stage; /* key of the second stage */
	char *fallback; /* key of the fallback */
	char *behind; /* the milters that stand behind us in the second stage */
};

struct make_setting {
	const char *name;
	const char *value;
};

#define MAKE_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* SG_ENOMEM with its words. */
enum fail_code make_no_memory(struct fail *f);

/* One value; see struct plan_change. */
MUST_USE enum fail_code make_put(struct making *m, const char *service, const char *name,
    const char *old, const char *new, struct fail *f);
/* New options of a service of ours, or of main.cf when service is NULL. */
MUST_USE enum fail_code make_put_settings(struct making *m, const char *service,
    const struct make_setting *settings, size_t count, struct fail *f);
/* A list with our element first. */
MUST_USE enum fail_code make_put_list(struct making *m, const char *service, const char *name,
    const char *old, const char *ours, struct fail *f);
/* The same with our element last: what the administrator wrote is asked first. */
MUST_USE enum fail_code make_put_last(struct making *m, const char *service, const char *name,
    const char *old, const char *ours, struct fail *f);
/* An option that overrides one of main.cf's lists gets our element as well. */
MUST_USE enum fail_code make_put_override(struct making *m, const struct postconf_service *service,
    const char *name, const char *ours, struct fail *f);
/* Our milter into a list of main.cf (service NULL) or into a service's own one. */
MUST_USE enum fail_code make_put_milters(
    struct making *m, const struct postconf_service *service, const char *name, struct fail *f);

/* --- make_front.c --- */

/* Gathers every milter of the front into m->behind: who signs there must sign what leaves. */
MUST_USE enum fail_code make_behind(struct making *m, struct fail *f);
/* The settings of main.cf that bring mail to Sealgate and hold it back. */
MUST_USE enum fail_code make_main(struct making *m, struct fail *f);
/* What a service that is there already needs. */
MUST_USE enum fail_code make_existing(
    struct making *m, const struct postconf_service *service, struct fail *f);

/* --- make_stage.c --- */

/* The services of the second stage, and the fallback with m->tls. */
MUST_USE enum fail_code make_stages(struct making *m, struct fail *f);

/* --- make_local.c --- */

/*
 * The way back to the second stage for what local(8) forwards of inside copies. Nothing where
 * master.cf has no local(8). SG_EUSAGE: services that it needs are missing.
 */
MUST_USE enum fail_code make_local(struct making *m, struct fail *f);

/* --- make_sealed.c --- */

/* The settings in main.cf that stand under a transport's name, once more under another. */
MUST_USE enum fail_code make_limits(
    struct making *m, const char *transport, const char *name, struct fail *f);
/* The options of service that key, a service of ours, does not have from the plan. */
MUST_USE enum fail_code make_options(struct making *m, const struct postconf_service *service,
    const char *key, struct fail *f);

/* TLS settings of main.cf. */
MUST_USE enum fail_code make_tls_main(struct making *m, struct fail *f);
/* Our three transports for each that runs smtp(8). */
MUST_USE enum fail_code make_sealed(struct making *m, struct fail *f);
/* SG_EEXIST: master.cf has a service with the name of one of our transports. */
MUST_USE enum fail_code make_sealed_free(const struct making *m, struct fail *f);

#endif
