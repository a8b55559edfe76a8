/*
 * vault: the client of sealgate-vault, which alone opens the database and holds the keys.
 *
 * The milter asks on one socket (plan, certificate, password, mark, record), the command line on
 * another (certificates, passwords, trace). Every call carries the tenant. Called from any thread.
 */
#ifndef SG_GATEWAY_VAULT_VAULT_H
#define SG_GATEWAY_VAULT_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"
#include "gateway/base/wire.h"
#include "gateway/vault/record.h"

enum vault_message_type {
	/* from the milter */
	VAULT_PLAN = 1,
	VAULT_CERTIFICATE = 2,
	VAULT_PASSWORD = 3,
	VAULT_MARK_MAKE = 4,
	VAULT_MARK_CHECK = 5,
	VAULT_RECORD = 6,
	VAULT_RECORD_ONCE = 7,
	VAULT_WAITING = 8,
	VAULT_RECORD_TOLD = 9,
	VAULT_PASSWORD_TRY = 10,
	/* from sealgate-trace and sealgate-tls, on a socket of theirs */
	VAULT_FACTS = 16,
	VAULT_POSITION = 17,
	VAULT_SESSIONS = 18,
	/* from sealgate-notify, on a socket of its own */
	VAULT_NOTICE_NEXT = 24,
	VAULT_NOTICE_SIGN = 25,
	VAULT_NOTICE_DONE = 26,
	VAULT_NOTICE_AGAIN = 27,
	VAULT_NOTICE_FAILED = 28,
	/* from the command line */
	VAULT_CERT_ADD = 32,
	VAULT_CERT_LIST = 33,
	VAULT_CERT_SHOW = 34,
	VAULT_CERT_REMOVE = 35,
	VAULT_PASSWORD_SET = 36,
	VAULT_PASSWORD_LIST = 38,
	VAULT_PASSWORD_REMOVE = 39,
	VAULT_TRACE = 40,
	VAULT_STATUS = 41,
	VAULT_MARK_KEY = 42,
	VAULT_CANARY = 43
};

#define VAULT_PLAN_MAX 200	/* recipients a packet; vault_plan asks as often as needed */
#define VAULT_DIGEST_SIZE 32	/* bytes, SHA-256 */
#define VAULT_MARK_MAX 160	/* characters of a mark with NUL */
#define VAULT_REASON_MAX 160

/* The vault at one socket. */
struct vault {
	const char *path;	/* borrowed */
	int timeout_ms;
};

/* What is possible for one recipient. Reasons are for records and the administrator. */
struct vault_possible {
	unsigned int ways;			/* enum conf_way bits that can be used now */
	char no_envelope[VAULT_REASON_MAX];	/* "certificate expired 2025-01-01" */
	char no_pdf[VAULT_REASON_MAX];		/* "no password" */
};

/* For each of count addresses (normalised) one answer into possible_out[count]. */
MUST_USE enum fail_code vault_plan(const struct vault *vault, const char *tenant,
    const char *const *recipients, size_t count, struct vault_possible *possible_out,
    struct fail *f);

/* The usable certificate (DER) of a recipient: the one that is valid longest. SG_ENOTFOUND. */
MUST_USE enum fail_code vault_certificate(const struct vault *vault, const char *tenant,
    const char *recipient, struct buf *der_out, struct fail *f);
MUST_USE enum fail_code vault_password(const struct vault *vault, const char *tenant,
    const char *recipient, struct secret *password_out, struct fail *f);

/*
 * Would the vault take this password for these addresses (the sender's and recipients')? SG_EFORMAT
 * says what is wrong with it, never the password.
 */
MUST_USE enum fail_code vault_password_try(const struct vault *vault, const char *tenant,
    const struct secret *password, const char *const *addresses, size_t count, struct fail *f);

/* The password that a message brings along for those recipients that have none. */
enum vault_password_kind {
	VAULT_NO_PASSWORD = 0,
	VAULT_CHOSEN = 1,	/* by its sender */
	VAULT_GENERATED = 2,	/* and the sender may be told */
	VAULT_HOOKED = 3,	/* generated, for the tenant's hook */
	VAULT_SMS = 4		/* the same, with a number to which the hook sends it */
};
#define VAULT_PHONE_MAX 17	/* characters of a number with + and NUL (E.164) */

#define VAULT_NOTICE "notice"	/* source of a mark under which a letter with a password travels */
#define VAULT_NOTICE_PLAIN "notice-plain"	/* and of one with nothing secret in it */
/* What the filter says to one that it has taken before: the try in between died before the 250. */
#define VAULT_NOTICE_TAKEN "This notice was taken already"

/* The decision that a mark stands for; the second stage gets it back. */
struct vault_decision {
	char *tenant;
	char *sender;		/* MAIL FROM at the front */
	unsigned int ways;	/* asked for by tag, 0 = the tenant's order */
	char *source;		/* what flagged it */
	char *queue_id;		/* at the front */
	char *message_id;
	int64_t created_ms;
	enum vault_password_kind password_kind;
	struct secret password;	/* of the message; empty: none */
	char *phone;		/* with VAULT_SMS; else NULL or "" */
};
void vault_decision_free(struct vault_decision *decision);

/*
 * Stores the decision durably and returns the header value that stands for it: version, tenant, id
 * (128 random bits) and an HMAC-SHA-256 over them and the body digest.
 */
MUST_USE enum fail_code vault_mark_make(const struct vault *vault,
    const struct vault_decision *decision, const unsigned char digest[VAULT_DIGEST_SIZE],
    int64_t life_ms, char mark_out[VAULT_MARK_MAX], struct fail *f);

/*
 * SG_EDENIED (permanent): not ours, altered, another body, unknown, or expired. Trouble of ours is
 * temporary.
 */
MUST_USE enum fail_code vault_mark_check(const struct vault *vault, const char *mark,
    const unsigned char digest[VAULT_DIGEST_SIZE], struct vault_decision *decision_out,
    struct fail *f);

/* Makes the records durable (one commit for all that wait). They are one message's. */
MUST_USE enum fail_code vault_record(const struct vault *vault, const struct record *records,
    size_t count, struct fail *f);

/*
 * The same, and in the same commit the note that this mark was used up for this recipient (the
 * fallback of plan tls takes a message once). SG_EDENIED: it was already.
 */
MUST_USE enum fail_code vault_record_once(const struct vault *vault, const char *mark,
    const char *recipient, const struct record *records, size_t count, struct fail *f);

enum vault_notice_kind {
	VAULT_LETTER = 0,	/* tells the sender a password */
	VAULT_HOOK = 1,		/* hands it to the tenant's hook */
	VAULT_UNHANDED = 2,	/* tells the sender that the hook did not get it */
	VAULT_REFUSED = 3,	/* tells the sender that a message was refused after all */
	VAULT_SEALED = 4	/* tells the sender how it goes to whom */
};

/* How a message goes to a recipient, or why it does not; numbers stand in the outbox. */
enum vault_note {
	VAULT_NO_NOTE = 0,
	VAULT_AS_ENVELOPE,
	VAULT_AS_RECIPIENT,	/* PDF; from here on whose password */
	VAULT_AS_CHOSEN,
	VAULT_AS_GENERATED,
	VAULT_AS_HOOK,
	VAULT_AS_SMS,
	VAULT_AS_TLS,
	VAULT_AS_INSIDE,
	VAULT_NO_PROTECTION,	/* neither certificate nor password */
	VAULT_NO_TLS,
	VAULT_NO_MAIL,		/* the domain takes none */
	VAULT_NO_ROOM,		/* too large to be sealed */
	VAULT_NO_WAY		/* cannot be sealed for another reason */
};
#define VAULT_NOTES 14
#define VAULT_MESSAGE_ID_MAX 250	/* bytes of one in a notice */

/* What a sender is to be told: the password of PDFs for recipients, or what became of them. */
struct vault_letter {
	enum vault_notice_kind kind;	/* but VAULT_UNHANDED */
	const char *to;			/* the sender, normalised */
	unsigned int language;		/* enum conf_language */
	bool keep;			/* it becomes the own password of the only recipient */
	const char *subject;		/* raw, without tags */
	int64_t time_ms;
	const struct secret *password;	/* NULL: VAULT_REFUSED, VAULT_SEALED */
	const char *const *recipients;
	const unsigned char *notes;	/* enum vault_note of each; NULL with a password */
	size_t count;
	const char *phone;		/* to which the hook sends it; "" = none */
	const char *detail;		/* of VAULT_REFUSED: why, in English; NULL = none */
	const char *message_id;		/* of the message; NULL = none */
};

struct vault_told {
	const char *tenant;
	const char *mark;		/* a recipient is told about once for it; or NULL */
	const char *used_for;		/* the mark is used up for it; or NULL */
	/*
	 * The second stage delivers the mark to this recipient; or NULL. If it did before, the
	 * reasons in the records begin with "repeated: ", and the vault says so in the log.
	 */
	const char *delivered;
	const struct vault_letter *letter;	/* with a password; or NULL */
	const struct vault_letter *notice;	/* of the other kinds; or NULL */
};

/*
 * Records as vault_record does; in the same commit the letters, for sealgate-notify to hand over.
 * SG_EDENIED: the mark was used up. SG_EEXIST (temporary): the letter says keep, and the recipient
 * has got an own password meanwhile.
 */
MUST_USE enum fail_code vault_record_told(const struct vault *vault,
    const struct vault_told *told, const struct record *records, size_t count, struct fail *f);

/* What Postfix's log said last about a delivery that waits. */
struct vault_waiting {
	int64_t time_ms;		/* of the last failed try; 0: nothing is known */
	bool tls;			/* TLS failed: not offered, broken, not proven */
	char hop[VAULT_REASON_MAX];
	char answer[VAULT_REASON_MAX];
};
/* queue_id: in the queue from which the peer was tried. Nothing known is no failure. */
MUST_USE enum fail_code vault_waiting(const struct vault *vault, const char *queue_id,
    const char *recipient, struct vault_waiting *waiting_out, struct fail *f);

/* --- sealgate-trace and sealgate-tls (CONF_SOCKET_FACTS) --- */

/* One thing that Postfix's log or a TLS rule says. */
struct vault_fact {
	struct record record;	/* the vault fills an empty message_id, tenant, sender */
	bool tls_failed;	/* RECORD_WAITING, RECORD_BOUNCED: the reason was one of TLS */
	const char *result;	/* of TLSRPT (RFC 8460, 4.3); "" success; NULL: no session */
	const char *domain;	/* of the recipient; for TLSRPT */
};
/*
 * Durable all together, with the place in the log behind them (opaque text, may be NULL): after a
 * crash nothing is lost or told twice. RECORD_WAITING with the reason that stood last is not
 * recorded again, only its time is kept.
 */
MUST_USE enum fail_code vault_facts(const struct vault *vault, const struct vault_fact *facts,
    size_t count, const char *position, struct fail *f);
/* The last position; "" at first. The caller frees. */
MUST_USE enum fail_code vault_position(const struct vault *vault, char **position_out,
    struct fail *f);

/* Sessions of one UTC day, for TLSRPT; no personal data. */
struct vault_session {
	char *domain;
	char *mx;		/* host name, "" if none */
	char *address;		/* the peer's */
	char *result;		/* "" success, else RFC 8460 4.3 */
	uint64_t count;
};
/* day: days since 1970. vault_sessions_free releases. */
MUST_USE enum fail_code vault_sessions(const struct vault *vault, uint32_t day,
    struct vault_session **sessions_out, size_t *count_out, struct fail *f);
void vault_sessions_free(struct vault_session *sessions, size_t count);

/* --- sealgate-notify --- */

#define VAULT_NOTICE_ID 16	/* bytes */

/* What the outbox has, as it is read. */
struct vault_notice {
	enum vault_notice_kind kind;
	unsigned char id[VAULT_NOTICE_ID];
	char *tenant;
	char *to;
	unsigned int language;
	bool keep;
	char *subject;
	int64_t time_ms;
	struct secret password;
	struct str_list recipients;	/* the first ones */
	unsigned char *notes;		/* enum vault_note of each; NULL: there are none */
	uint32_t count;			/* how many there are */
	char *phone;			/* of VAULT_HOOK; "" = none */
	char *reason;			/* of VAULT_UNHANDED, VAULT_REFUSED */
	char *message_id;		/* of the message it is about; "" = not known */
};

/*
 * The first that is due, of those for hooks or of letters; *found_out false: there is none.
 * vault_notice_free releases.
 */
MUST_USE enum fail_code vault_notice_next(const struct vault *vault, bool hook,
    struct vault_notice *notice_out, bool *found_out, struct fail *f);
void vault_notice_free(struct vault_notice *notice);
/* The mark under which a mail with this body goes to Postfix. */
MUST_USE enum fail_code vault_notice_sign(const struct vault *vault,
    const unsigned char id[VAULT_NOTICE_ID], const unsigned char digest[VAULT_DIGEST_SIZE],
    char mark_out[VAULT_MARK_MAX], struct fail *f);
/* Postfix or the hook has it: it is gone for good. */
MUST_USE enum fail_code vault_notice_done(const struct vault *vault,
    const unsigned char id[VAULT_NOTICE_ID], struct fail *f);
/*
 * Postfix or the hook does not have it: again later. *given_up_out: it was too old and is gone; one
 * for a hook has become a VAULT_UNHANDED letter.
 */
MUST_USE enum fail_code vault_notice_again(const struct vault *vault,
    const unsigned char id[VAULT_NOTICE_ID], bool *given_up_out, struct fail *f);
/* The hook does not want it: it becomes a VAULT_UNHANDED letter with this reason. */
MUST_USE enum fail_code vault_notice_failed(const struct vault *vault,
    const unsigned char id[VAULT_NOTICE_ID], const char *reason, struct fail *f);

/* --- the command line --- */

struct vault_cert {
	char *address;
	char fingerprint[65];	/* SHA-256 of the DER, hexadecimal */
	char *subject;
	char *issuer;
	char *key;		/* "RSA 2048", "EC prime256v1" */
	int64_t not_before;	/* seconds since 1970 */
	int64_t not_after;
	char *unusable;		/* reason, or NULL when it can be used */
};

/* DER in. address NULL: those in the certificate (subjectAltName, emailAddress). */
MUST_USE enum fail_code vault_cert_add(const struct vault *vault, const char *tenant,
    const char *address, const void *der, size_t der_size, struct vault_cert **added_out,
    size_t *count_out, struct fail *f);
/* address NULL = all. */
MUST_USE enum fail_code vault_cert_list(const struct vault *vault, const char *tenant,
    const char *address, struct vault_cert **certs_out, size_t *count_out, struct fail *f);
MUST_USE enum fail_code vault_cert_show(const struct vault *vault, const char *tenant,
    const char *fingerprint, struct buf *der_out, struct fail *f);
MUST_USE enum fail_code vault_cert_remove(const struct vault *vault, const char *tenant,
    const char *address, const char *fingerprint, uint32_t *removed_out, struct fail *f);
void vault_certs_free(struct vault_cert *certs, size_t count);

struct vault_password_entry {
	char *address;
	int64_t created;	/* seconds since 1970 */
	char *origin;		/* "set", "generated" */
	int64_t replaced;	/* seconds since 1970; 0 = in use */
	uint64_t place;		/* the order within an address */
};

/* SG_EFORMAT: not fit to protect a PDF. origin: "set" or "generated". Replaces what was there. */
MUST_USE enum fail_code vault_password_set(const struct vault *vault, const char *tenant,
    const char *address, const struct secret *password, const char *origin, struct fail *f);
/*
 * Who has one, and after it those that it replaced, whose files it does not open; never the
 * password. vault_passwords_free releases.
 */
MUST_USE enum fail_code vault_password_list(const struct vault *vault, const char *tenant,
    struct vault_password_entry **entries_out, size_t *count_out, struct fail *f);
/* SG_ENOTFOUND if the address has none. */
MUST_USE enum fail_code vault_password_remove(const struct vault *vault, const char *tenant,
    const char *address, struct fail *f);
/* The array and its texts. */
void vault_passwords_free(struct vault_password_entry *entries, size_t count);

/* All records with this queue id or Message-ID (with or without angle brackets), oldest first. */
MUST_USE enum fail_code vault_trace(const struct vault *vault, const char *id,
    struct record **records_out, size_t *count_out, struct fail *f);

#define VAULT_ENDING_DAYS 30	/* who is asked for a new certificate needs some time */

/* How the last canary came back: 1 more than gateway/cmd/canary.h counts. */
enum vault_flown {
	VAULT_NONE_FLEW = 0,
	VAULT_FLEW_SEALED = 1,
	VAULT_FLEW_CLEAR = 2,
	VAULT_FLEW_MISSING = 3
};

struct vault_status {
	uint64_t records;
	uint64_t certificates;
	uint64_t passwords;
	uint64_t marks;		/* living ones: flagged mail that may still be in Postfix's queue */
	uint64_t ending;	/* addresses whose last certificate ends within VAULT_ENDING_DAYS */
	uint32_t schema;
	uint32_t canary_last;	/* since the gateway was started: enum vault_flown */
	int64_t canary_s;	/* since 1970: when one came back sealed; 0: none */
};
/* What became of a canary (gateway/cmd/canary.h: sealed, clear, missing), for the metrics. */
MUST_USE enum fail_code vault_canary(const struct vault *vault, unsigned int result,
    struct fail *f);

/* Counts, for the command line. */
MUST_USE enum fail_code vault_status(const struct vault *vault, struct vault_status *status_out,
    struct fail *f);

/*
 * A new key for marks, as it is made every 90 days anyway. Those before it are kept as long as
 * mail marked with them may be queued: *kept_out of them. SG_ELIMIT: too many of these.
 */
MUST_USE enum fail_code vault_mark_key(const struct vault *vault, uint32_t *kept_out,
    struct fail *f);

#endif
