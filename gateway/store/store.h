/*
 * store: everything that the vault keeps, behind one table of functions.
 *
 * Only sealgate-vault uses it, from one thread. A backend (sqlite.c; later PostgreSQL) is the only
 * place with SQL. What is secret arrives here encrypted. Every row carries its tenant. Texts and
 * bytes handed to a callback live until it returns; a callback asks the store nothing.
 *
 * Any failure that is not the asker's fault is SG_ESYSTEM (temporary) with a hint for the
 * administrator. After one, broken() tells whether only opening the store again may help: the file
 * was removed or replaced, is damaged, or its disk fails. A full disk heals without that.
 */
#ifndef SG_GATEWAY_STORE_STORE_H
#define SG_GATEWAY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define STORE_ID_SIZE 16	/* bytes, random: row ids that stand in associated data, marks */
#define STORE_SECRET_MAX ((size_t)8192)	/* bytes of an encrypted secret */
#define STORE_DER_MAX ((size_t)64 * 1024)	/* bytes of a certificate */

/* One certificate for one address. */
struct store_cert {
	const char *address;		/* normalised */
	const char *fingerprint;	/* SHA-256 of the DER, lower-case hexadecimal */
	const char *subject;
	const char *issuer;
	const char *key;		/* "RSA 2048" */
	int64_t not_before;		/* seconds since 1970 */
	int64_t not_after;
	const char *unusable;		/* why it can never be used, or NULL */
	const unsigned char *der;	/* NULL when listed */
	size_t der_size;
};

/* An encrypted password, or an encrypted key of the vault's own. */
struct store_secret {
	const char *name;		/* address, or the key's name */
	unsigned char id[STORE_ID_SIZE];
	const unsigned char *sealed;	/* NULL when listed */
	size_t sealed_size;
	int64_t created;		/* seconds since 1970 */
	const char *origin;		/* "set", "generated" */
};

/* One that was replaced or removed; without the secret. place: 0 for one in use. */
struct store_password {
	const char *address;
	int64_t created;		/* seconds since 1970 */
	const char *origin;
	int64_t replaced;		/* 0 = in use */
	uint64_t place;
};

/* A mail of ours that Postfix does not have yet; there is a mark with the same id. */
struct store_outbox {
	const char *tenant;
	unsigned char id[STORE_ID_SIZE];
	const unsigned char *sealed;
	size_t sealed_size;
	int64_t created_ms;
	int64_t due_ms;			/* not before */
	uint32_t tries;
	bool hook;			/* for a hook, else for Postfix */
};

/* The password that goes with a mark. */
struct store_mark_password {
	const char *tenant;
	unsigned char id[STORE_ID_SIZE];	/* the mark's */
	uint8_t kind;			/* enum vault_password_kind */
	const unsigned char *sealed;
	size_t sealed_size;
};

/* Which certificates, a page at a time: at most limit behind (after_address, after_fingerprint). */
struct store_cert_query {
	const char *address;		/* NULL = all */
	const char *after_address;	/* "" = from the first on */
	const char *after_fingerprint;
	unsigned int limit;
};

struct store_mark {
	const char *tenant;
	unsigned char id[STORE_ID_SIZE];
	const char *sender;
	unsigned int ways;
	const char *source;
	const char *queue_id;
	const char *message_id;
	int64_t created_ms;
	int64_t expires_ms;
};

struct store_record {
	const char *tenant;
	int64_t time_ms;
	const char *queue_id;
	const char *message_id;
	const unsigned char *data;	/* canonical bytes */
	size_t size;
};

/* A mark that was used up for a recipient. */
struct store_mark_use {
	const char *tenant;
	unsigned char id[STORE_ID_SIZE];
	const char *recipient;
	int64_t used_ms;
};

/* The last failed try of a delivery that Postfix still has. */
struct store_waiting {
	const char *queue_id;
	const char *recipient;	/* "" = all of that queue file */
	int64_t time_ms;
	bool tls;		/* it was TLS that failed */
	const char *hop;
	const char *answer;
};

/* How many TLS sessions of one day had this result; no personal data. */
struct store_session {
	uint32_t day;		/* days since 1970, UTC */
	const char *domain;
	const char *mx;
	const char *address;
	const char *result;
	uint64_t count;
};

#define STORE_ENDING_S INT64_C(2592000)	/* 30 days, as vault.h says */

struct store_counts {
	uint64_t records;
	uint64_t certificates;
	uint64_t passwords;
	uint64_t marks;		/* not expired */
	uint64_t ending;	/* addresses whose last certificate ends within STORE_ENDING_S */
	uint32_t schema;
};

typedef enum fail_code store_cert_fn(void *context, const struct store_cert *cert,
    struct fail *f);
typedef enum fail_code store_secret_fn(void *context, const struct store_secret *secret,
    struct fail *f);
typedef enum fail_code store_password_fn(void *context, const struct store_password *password,
    struct fail *f);
typedef enum fail_code store_outbox_fn(void *context, const struct store_outbox *outbox,
    struct fail *f);
typedef enum fail_code store_mark_password_fn(void *context,
    const struct store_mark_password *password, struct fail *f);
typedef enum fail_code store_mark_fn(void *context, const struct store_mark *mark,
    struct fail *f);
typedef enum fail_code store_record_fn(void *context, uint64_t row, const void *data, size_t size,
    struct fail *f);

typedef enum fail_code store_waiting_fn(void *context, const struct store_waiting *waiting,
    struct fail *f);
typedef enum fail_code store_session_fn(void *context, const struct store_session *session,
    struct fail *f);

struct store {
	const struct store_ops *ops;
};

struct store_ops {
	void (*close)(struct store *store);
	bool (*broken)(const struct store *store);
	/* Is the database still the one that was opened? A few microseconds. */
	enum fail_code (*check)(struct store *store, struct fail *f);

	/* What is between begin and commit becomes durable with commit, all or nothing. */
	enum fail_code (*begin)(struct store *store, struct fail *f);
	enum fail_code (*commit)(struct store *store, struct fail *f);
	void (*rollback)(struct store *store);	/* nothing if none is open */

	/* Makes a tenant known; is so already: nothing. Rows but records need theirs. */
	enum fail_code (*tenant_put)(struct store *store, const char *tenant, struct fail *f);

	/*
	 * The vault's own keys for marks. put: the name must be new; it is the one in use.
	 * list: the one in use first, then those put aside. retire: puts the one in use aside until
	 * the last mark that is there now expires (now_ms if there is none). purge: deletes those
	 * put aside whose time is over.
	 */
	enum fail_code (*key_put)(struct store *store, const char *tenant,
	    const struct store_secret *key, struct fail *f);
	enum fail_code (*key_list)(struct store *store, const char *tenant,
	    store_secret_fn *each, void *context, struct fail *f);
	enum fail_code (*key_retire)(struct store *store, const char *tenant, int64_t now_ms,
	    struct fail *f);
	enum fail_code (*key_purge)(struct store *store, const char *tenant, int64_t now_ms,
	    uint32_t *removed_out, struct fail *f);

	/* Stores certificate and address; what is there already stays. */
	enum fail_code (*cert_put)(struct store *store, const char *tenant,
	    const struct store_cert *cert, struct fail *f);
	/* By address, then fingerprint. */
	enum fail_code (*cert_list)(struct store *store, const char *tenant,
	    const struct store_cert_query *query, store_cert_fn *each, void *context,
	    struct fail *f);
	enum fail_code (*cert_der)(struct store *store, const char *tenant,
	    const char *fingerprint, struct buf *der_out, struct fail *f);
	/*
	 * Takes addresses off certificates, and certificates without any address away. address or
	 * fingerprint may be NULL = any, not both. removed_out: pairs of both.
	 */
	enum fail_code (*cert_remove)(struct store *store, const char *tenant, const char *address,
	    const char *fingerprint, uint32_t *removed_out, struct fail *f);

	/* Replaces what the address had; that it had one stays in the list. */
	enum fail_code (*password_put)(struct store *store, const char *tenant,
	    const struct store_secret *password, struct fail *f);
	/* each is called once; SG_ENOTFOUND. */
	enum fail_code (*password_get)(struct store *store, const char *tenant,
	    const char *address, store_secret_fn *each, void *context, struct fail *f);
	/*
	 * By address and place, behind after, at most limit: the one in use, then those before,
	 * the oldest first.
	 */
	enum fail_code (*password_list)(struct store *store, const char *tenant,
	    const char *after, uint64_t after_place, unsigned int limit, store_password_fn *each,
	    void *context, struct fail *f);
	/* now: seconds since 1970, when it ceased to be in use. */
	enum fail_code (*password_remove)(struct store *store, const char *tenant,
	    const char *address, int64_t now, uint32_t *removed_out, struct fail *f);

	enum fail_code (*mark_put)(struct store *store, const struct store_mark *mark,
	    struct fail *f);
	/* each is called once, also for an expired one; SG_ENOTFOUND. */
	enum fail_code (*mark_get)(struct store *store, const char *tenant,
	    const unsigned char id[STORE_ID_SIZE], store_mark_fn *each, void *context,
	    struct fail *f);
	/* Deletes at most limit marks that expired before now_ms. */
	enum fail_code (*mark_purge)(struct store *store, int64_t now_ms, unsigned int limit,
	    uint32_t *removed_out, struct fail *f);

	enum fail_code (*record_put)(struct store *store, const struct store_record *record,
	    struct fail *f);
	/*
	 * Records whose queue id or Message-ID (as stored) is id, oldest first, behind row after,
	 * at most limit.
	 */
	enum fail_code (*record_find)(struct store *store, const char *id, uint64_t after,
	    unsigned int limit, store_record_fn *each, void *context, struct fail *f);

	/* *fresh_out: it was not used before. The mark must be there; the note goes with it. */
	enum fail_code (*mark_use_put)(struct store *store, const struct store_mark_use *use,
	    bool *fresh_out, struct fail *f);
	/* Records with exactly this queue id, newest first. */
	enum fail_code (*record_queue)(struct store *store, const char *queue_id,
	    unsigned int limit, store_record_fn *each, void *context, struct fail *f);

	/* Replaces what stood there for this queue id and recipient. */
	enum fail_code (*waiting_put)(struct store *store, const struct store_waiting *waiting,
	    struct fail *f);
	/* each is called once; SG_ENOTFOUND. */
	enum fail_code (*waiting_get)(struct store *store, const char *queue_id,
	    const char *recipient, store_waiting_fn *each, void *context, struct fail *f);
	/* Nothing there is no failure. */
	enum fail_code (*waiting_remove)(struct store *store, const char *queue_id,
	    const char *recipient, struct fail *f);
	/* Adds its count to what is there. */
	enum fail_code (*session_add)(struct store *store, const struct store_session *session,
	    struct fail *f);
	/* Those of after's day behind after, by domain, mx, address, result. */
	enum fail_code (*session_list)(struct store *store, const struct store_session *after,
	    unsigned int limit, store_session_fn *each, void *context, struct fail *f);
	/* A named text, replaced; *text_out is "" if there is none, freed by the caller. */
	enum fail_code (*position_put)(struct store *store, const char *name, const char *text,
	    struct fail *f);
	enum fail_code (*position_get)(struct store *store, const char *name, char **text_out,
	    struct fail *f);
	/* Deletes what is older. */
	enum fail_code (*fact_purge)(struct store *store, int64_t waiting_before_ms,
	    uint32_t session_before_day, struct fail *f);

	/* The mark must be there; both go with it. */
	enum fail_code (*mark_password_put)(struct store *store,
	    const struct store_mark_password *password, struct fail *f);
	/* each is called once; SG_ENOTFOUND. */
	enum fail_code (*mark_password_get)(struct store *store, const char *tenant,
	    const unsigned char id[STORE_ID_SIZE], store_mark_password_fn *each, void *context,
	    struct fail *f);
	/* Notes that the mark's password was told for this recipient; *fresh_out: not before. */
	enum fail_code (*told_put)(struct store *store, const struct store_mark_use *told,
	    bool *fresh_out, struct fail *f);
	/* Takes back what mark_use_put noted about all recipients. */
	enum fail_code (*mark_use_remove)(struct store *store, const char *tenant,
	    const unsigned char id[STORE_ID_SIZE], struct fail *f);

	enum fail_code (*outbox_put)(struct store *store, const struct store_outbox *outbox,
	    struct fail *f);
	/* The first that is due, of those for hooks or the others; each is called at most once. */
	enum fail_code (*outbox_next)(struct store *store, bool hook, int64_t now_ms,
	    store_outbox_fn *each, void *context, struct fail *f);
	/* each is called once; SG_ENOTFOUND. */
	enum fail_code (*outbox_get)(struct store *store, const unsigned char id[STORE_ID_SIZE],
	    store_outbox_fn *each, void *context, struct fail *f);
	/* One try more, and the time of the next. */
	enum fail_code (*outbox_again)(struct store *store, const unsigned char id[STORE_ID_SIZE],
	    int64_t due_ms, struct fail *f);
	/* Nothing there is no failure. */
	enum fail_code (*outbox_remove)(struct store *store,
	    const unsigned char id[STORE_ID_SIZE], struct fail *f);

	enum fail_code (*counts)(struct store *store, int64_t now_ms,
	    struct store_counts *counts_out, struct fail *f);
};

/*
 * Opens the SQLite database at path, or makes it (0600) if create is set and there is none; checks
 * that it is sound, brings its schema up to date. It stays locked: no other process can use it.
 * SG_ENOTFOUND: there is none.
 */
MUST_USE enum fail_code store_sqlite_open(const char *path, bool create, struct store **store_out,
    struct fail *f);

/* store->ops->close; NULL is allowed. */
void store_close(struct store *store);

#endif
