/*
 * server: the inside of sealgate-vault: its state, and what it does for each request.
 *
 * One thread. Requests that only read, and those of the command line, are answered at once; what
 * the milter writes (records, marks) waits for the others that are there and shares their commit
 * (loop.c). Handlers are wire_handler functions with a struct server as context. The store is
 * open while a handler runs.
 *
 * Trouble with the database never ends the process: the store is closed, every request gets a
 * temporary failure that says what is wrong, and opening is tried again now and then.
 */
#ifndef SG_GATEWAY_VAULT_SERVER_H
#define SG_GATEWAY_VAULT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/counters.h"
#include "gateway/base/secret.h"
#include "gateway/base/wire.h"
#include "gateway/store/store.h"
#include "gateway/vault/crypt.h"
#include "gateway/vault/packets.h"

#define SERVER_DATABASE "vault.db"	/* in the state directory */
#define SERVER_RETRY_MS 1000		/* between two tries to open a broken store */
#define SERVER_LISTENER_MILTER 0
#define SERVER_LISTENER_ADMIN 1
#define SERVER_LISTENER_FACTS 2
#define SERVER_LISTENER_NOTICE 3
#define SERVER_PAGE 200u		/* rows of one list packet at most */

#define SERVER_MARK_KEYS_MAX 16u	/* the one in use, and those that queued mail may need */
#define SERVER_MARK_KEY_DAYS 90		/* then the key for marks changes */

#define PASSWORD_GUESSES_LOG2 34	/* above 10^10: weeks for one machine at R6's speed */

struct server {
	struct conf *conf;
	const struct clock *clock;	/* borrowed */
	char *database;			/* path */
	struct store *store;		/* NULL while it cannot be used */
	int64_t retry_ms;		/* monotonic time of the next try to open */
	struct fail trouble;		/* why store is NULL */
	dev_t state_device;		/* the state directory that the sandbox knows */
	ino_t state_inode;
	struct counters *counters;	/* borrowed; NULL: nobody counts */
	struct secret master;
	struct secret mark_keys[SERVER_MARK_KEYS_MAX];	/* the one in use first */
	size_t mark_key_count;
	int64_t mark_key_created;	/* the one in use, seconds since 1970 */
};

/* --- open.c --- */

/*
 * The master key, opened with the rights of who starts the vault: a credential of systemd's is for
 * nobody else. -1: it is not to be had, or only for the vault's own user; server_open tells.
 */
MUST_USE int server_open_key(const struct conf *conf);
/*
 * Takes conf and key (server_open_key's) over, also when it fails. Reads the master key and opens
 * the database; at the very first start makes both. SG_EUSAGE when one of them is missing and the
 * other is not: going on with a new one would turn flagged mail away for good.
 */
MUST_USE enum fail_code server_open(struct server *server, struct conf *conf, int key,
    const struct clock *clock, struct fail *f);
void server_close(struct server *server);
/* The store is there and still the one that was opened; else opens it again, or fails. */
MUST_USE enum fail_code server_ready(struct server *server, struct fail *f);
/* After a request: closes a store that says that it is broken. */
void server_settle(struct server *server);
/* The store cannot be used: it is closed, and opened again after SERVER_RETRY_MS. f says why. */
void server_fail(struct server *server, const struct fail *f);
/* True when only a new process can help: the state directory is another one now. */
bool server_lost(const struct server *server);
/* Makes the tenants of the configuration known to the store. */
MUST_USE enum fail_code server_tenants(struct server *server, struct fail *f);
/* A new configuration (taken over): its tenants. */
MUST_USE enum fail_code server_reload(struct server *server, struct conf *conf, struct fail *f);

/* --- what handlers share (open.c) --- */

/* SG_ENOTFOUND unless the configuration has this tenant; temporary for the milter. */
MUST_USE enum fail_code server_tenant(const struct server *server, const char *tenant,
    enum fail_kind kind, struct fail *f);
/* Commits if code is SG_OK, else rolls back; returns what came of it. */
MUST_USE enum fail_code server_end(struct server *server, enum fail_code code, struct fail *f);
int64_t server_now(const struct server *server);	/* seconds since 1970 */
/* The request as bytes, whether it came in the packet or in a descriptor. SG_EFORMAT. */
MUST_USE enum fail_code server_body(const struct wire_message *request, struct buf *bytes,
    struct fail *f);
/* An address from an administrator in the form in which addresses are compared. */
MUST_USE enum fail_code server_address(char **address, struct fail *f);

/* --- keys.c: what marks are signed with --- */

/* No key yet, and none any more: wiped. */
void keys_init(struct server *server);
void keys_free(struct server *server);
/* A new key into a store that has none in use. */
MUST_USE enum fail_code keys_make(struct store *store, const struct secret *master, int64_t now,
    struct fail *f);
/* All of them from the store, in place of those read before. SG_ESYSTEM: there is none. */
MUST_USE enum fail_code keys_read(struct server *server, struct fail *f);
/*
 * Housekeeping: a key that is SERVER_MARK_KEY_DAYS old is replaced; those that no mark needs any
 * more are deleted. Marks made before stay good. Trouble is logged, and the keys stay as they are.
 */
void keys_tend(struct server *server);

/* --- handlers --- */

typedef enum fail_code server_handler(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f);

/* One for each type in vault.h; its request and reply stand in packets.h. */
server_handler plan_handle;			/* plan.c */
server_handler plan_certificate_handle;
server_handler cert_add_handle;		/* certs.c */
server_handler cert_list_handle;
server_handler cert_show_handle;
server_handler cert_remove_handle;
server_handler password_handle;		/* password.c */
server_handler password_try_handle;
server_handler password_set_handle;
server_handler password_list_handle;
server_handler password_remove_handle;
server_handler mark_make_handle;		/* mark.c; inside a transaction */
server_handler mark_check_handle;
server_handler records_handle;			/* records.c; inside a transaction */
server_handler records_once_handle;
server_handler told_handle;			/* told.c; inside a transaction */
server_handler notice_next_handle;		/* notice.c */
server_handler notice_sign_handle;
server_handler notice_done_handle;
server_handler notice_again_handle;
server_handler notice_failed_handle;
server_handler trace_handle;
server_handler status_handle;
server_handler canary_handle;
server_handler keys_change_handle;		/* keys.c */
server_handler facts_handle;			/* facts.c */
server_handler position_handle;
server_handler waiting_handle;
server_handler sessions_handle;

/*
 * Notes, inside a transaction, that the mark was used up for this recipient. SG_EDENIED: not ours,
 * unknown, expired, or used before.
 */
MUST_USE enum fail_code mark_use(struct server *server, const char *text, char *recipient,
    struct fail *f);
/* Every record of u32 n, n records is sound, and nothing is behind them (records.c). */
MUST_USE enum fail_code records_check(struct packet_reader p, struct fail *f);
/* What records_check found sound; before: put before each reason, NULL = nothing. */
MUST_USE enum fail_code records_store(struct server *server, struct packet_reader p,
    const char *before, struct fail *f);

/* Signs what stands for a mark, and prints both into a reply (mark.c). */
MUST_USE enum fail_code mark_sign(const struct server *server, const char *tenant,
    const unsigned char id[STORE_ID_SIZE], const unsigned char *digest,
    unsigned char mac_out[CRYPT_DIGEST_SIZE],
    struct fail *f);
/* "v=1; t=TENANT; i=ID; h=MAC" into the reply. SG_ELIMIT. */
MUST_USE enum fail_code mark_print(const char *tenant, const unsigned char *id,
    const unsigned char *mac, struct wire_message *reply, struct fail *f);
/* The tenant and id that a mark names; false if it is none. Nothing is checked. */
bool mark_id(const char *text, char *tenant_out, size_t tenant_size,
    unsigned char id_out[STORE_ID_SIZE]);
/* Deletes marks that expired; false when there was trouble or nothing left to do. */
bool mark_purge(struct server *server);
/* Deletes what nobody asks for any more: old waiting deliveries and counts of sessions. */
void facts_purge(struct server *server);

/*
 * Is a password fit to protect a PDF, which can be attacked offline for ever? Printable ASCII, no
 * space at its ends, 10 to 32 bytes, not digits only below 20, five different characters, no run
 * such as "abcdefghij", none of the addresses (at least one) nor another, and at least
 * PASSWORD_GUESSES_LOG2 by zxcvbn's estimate. SG_EFORMAT says what is wrong, never the password.
 */
MUST_USE enum fail_code password_check(const unsigned char *password, size_t size,
    const char *const *addresses, size_t count, struct fail *f);
/* Stores it as the address's own, within a transaction; what it had stays in the list. */
MUST_USE enum fail_code password_keep(struct server *server, const char *tenant,
    const char *address, const unsigned char *password, size_t size, const char *origin,
    struct fail *f);

/* --- loop.c --- */

struct loop;

/*
 * Serves until the parent closes control or terminate (a signalfd, or -1) is readable. Listeners
 * are borrowed.
 */
MUST_USE enum fail_code loop_run(struct server *server, int control, int terminate,
    const int *listeners, size_t listener_count, struct fail *f);

/* All of them, with who may ask (loop.c). */
const struct wire_handler *server_handlers(size_t *count_out);

#endif
