/*
 * policy_look: looks up what is published for one next hop. Internal to the engine.
 *
 * MX -> addresses and TLSA of each host -> (without DANE) the MTA-STS record -> its file. All
 * questions of a step go out at once. Nothing is decided here about rules and floors.
 */
#ifndef SG_GATEWAY_TLS_POLICY_LOOK_H
#define SG_GATEWAY_TLS_POLICY_LOOK_H

#include "gateway/tls/cache.h"
#include "gateway/tls/dane.h"
#include "gateway/tls/hop.h"
#include "gateway/tls/policy_note.h"
#include "gateway/tls/source.h"

#define LOOK_STS_AGAIN_MS (INT64_C(24) * 3600 * 1000)	/* RFC 8461, 3.3: looked at again daily */
#define LOOK_STS_RETRY_MS (INT64_C(300) * 1000)		/* after a failed fetch; 3.3: 5 minutes */
#define LOOK_ADDRESSES_MAX 400				/* bytes of a host's addresses as text */

struct look_setting {
	const struct source *source;
	int64_t wall_ms;
	bool dane;
	bool mta_sts;
	bool everything;		/* explanation: also what the answer does not depend on */
	struct policy_notes *notes;	/* or NULL; outlives the lookup */
	/* what is known of MTA-STS from before */
	bool sts_live;
	char sts_id[STS_ID_MAX];
	int64_t sts_fetched_ms;
	int64_t sts_tried_ms;
	bool sts_failed;		/* the last fetch did */
};

/* One host that takes the mail. */
struct look_host {
	struct look *look;
	char name[DANE_NAME_MAX];
	char canonical[DANE_NAME_MAX];	/* behind CNAMEs; the name itself if there are none */
	char base[DANE_NAME_MAX];	/* where TLSA was looked for last */
	char addresses[LOOK_ADDRESSES_MAX];
	uint16_t preference;
	int waiting;
	size_t address_count;
	bool insecure;
	bool failed;
	int usable;
	int unusable;
};

struct look_result {
	struct cache_found found;	/* sts: only when fetched now */
	int64_t ttl_ms;
	bool sts_tried;			/* the file was asked for */
	bool sts_kept;			/* nothing new was learned about the trouble of before */
	const struct look_host *hosts;
	size_t host_count;
	bool mx_secure;
	unsigned int dns_failures;
	unsigned int dns_bogus;
	unsigned int sts_failures;
};

struct look;
/* result is the lookup's; what the receiver takes of it is set to NULL there. */
typedef void look_done_fn(void *context, struct look_result *result);

/*
 * Starts; done is called once, perhaps before this returns, unless it is abandoned before. The
 * lookup frees itself. *look_out is valid until done is called. SG_ENOMEM.
 */
MUST_USE enum fail_code look_start(const struct look_setting *setting, const struct hop *hop,
    look_done_fn *done, void *context, struct look **look_out);
/* done is not called any more; open questions end on their own. */
void look_abandon(struct look *look);

/* ---- between policy_look.c and policy_fetch.c ---- */

typedef void look_answer_fn(struct look *look, struct look_host *host,
    const struct source_dns *answer);

struct look {
	struct look_setting setting;
	struct hop hop;
	look_done_fn *done;
	void *context;
	struct look_host *hosts;
	size_t host_count;
	size_t hosts_left;
	size_t pending;		/* open questions, and the frames that still use the lookup */
	bool over;
	uint32_t ttl_s;
	char sts_id[STS_ID_MAX];
	char sts_host[DANE_NAME_MAX];
	struct look_result result;
};

/* Asks one DNS question; handle gets the answer. */
void look_ask(struct look *look, struct look_host *host, const char *name, int type,
    look_answer_fn *handle);
/* The end: reports. */
void look_finish(struct look *look);
/* Frees a finished lookup that nothing uses any more. */
void look_settle(struct look *look);
/* The second half: MTA-STS. */
void look_sts(struct look *look);

#endif
