/*
 * conf: the configuration, as the programs see it.
 *
 * The supervisor and the command line read sealgate.conf (conf_load); workers get the part for
 * their role as bytes (conf_encode, conf_decode). A loaded configuration never changes; a reload
 * makes a new one. Every key, its type, default and range stands in keys.c, once.
 */
#ifndef SG_CONFIG_CONF_H
#define SG_CONFIG_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/str.h"

/* How a message can be protected. Bits, since a tag may name several. */
enum conf_way {
	WAY_ENVELOPE = 1 << 0,	/* S/MIME CMS EnvelopedData */
	WAY_PDF = 1 << 1,	/* AES-256 encrypted PDF */
	WAY_TLS = 1 << 2	/* delivery over proven TLS only */
};
#define WAY_COUNT 3

enum conf_role {
	CONF_MILTER = 1 << 0,
	CONF_SCAN = 1 << 1,
	CONF_PDF = 1 << 2,
	CONF_VAULT = 1 << 3,
	CONF_TLS = 1 << 4,
	CONF_TRACE = 1 << 5,
	CONF_NOTIFY = 1 << 6,
	CONF_HEALTH = 1 << 7,
	CONF_ALL = 0xff
};

enum conf_action { CONF_REFUSE = 0, CONF_HOLD = 1 };
/* What happens to files that need a password to be looked into. */
enum conf_encrypted { CONF_ENCRYPTED_PASS = 0, CONF_ENCRYPTED_REFUSE, CONF_ENCRYPTED_HOLD };
enum conf_inside { CONF_INSIDE_CLEAR = 0, CONF_INSIDE_SEAL = 1 };
enum conf_subject { CONF_SUBJECT_KEEP = 0, CONF_SUBJECT_PLACEHOLDER = 1 };
/* Who looks for viruses; and how the scanner is replaced when its signatures change. */
enum conf_engine { CONF_ENGINE_LIBCLAMAV = 0, CONF_ENGINE_CLAMD = 1 };
enum conf_renewal { CONF_RENEWAL_AUTO = 0, CONF_RENEWAL_BESIDE, CONF_RENEWAL_IN_TURN };
enum conf_sandbox { CONF_SANDBOX_FULL = 0, CONF_SANDBOX_REDUCED = 1 };
enum conf_page { CONF_PAGE_A4 = 0, CONF_PAGE_LETTER = 1 };
/* For what a generated password is: one message, or its recipient from then on. */
enum conf_password_for { CONF_FOR_MESSAGE = 0, CONF_FOR_RECIPIENT = 1 };
/* Whose address a login may use as MAIL FROM: its own, or any of the tenant (Postfix checks). */
enum conf_login_owns { CONF_OWNS_ADDRESS = 0, CONF_OWNS_ANY = 1 };
enum conf_language { CONF_ENGLISH = 0, CONF_GERMAN, CONF_FRENCH, CONF_SPANISH };
#define CONF_LANGUAGES 4
enum conf_log_target { CONF_LOG_STDERR = 0, CONF_LOG_SYSLOG = 1 };

/* The least that a delivery must have: TLS if the peer offers it, or TLS always. */
enum conf_floor { CONF_FLOOR_MAY = 0, CONF_FLOOR_ENCRYPT = 1 };

/* Postfix's TLS security levels (TLS_README), for an administrator's rule. */
enum conf_level {
	CONF_LEVEL_NONE = 0,
	CONF_LEVEL_MAY,
	CONF_LEVEL_ENCRYPT,
	CONF_LEVEL_DANE,
	CONF_LEVEL_DANE_ONLY,
	CONF_LEVEL_FINGERPRINT,
	CONF_LEVEL_VERIFY,
	CONF_LEVEL_SECURE
};

/* The administrator's TLS rule for a domain or next hop: section hop "NAME" { ... }. */
struct conf_hop {
	/* lower case: "partner.example", ".partner.example" (below it), "[relay.example]:587" */
	char *name;
	enum conf_level tls;
	struct str_list match;		/* for verify and secure: names, "nexthop", ... */
	struct str_list fingerprints;	/* for fingerprint: SHA-256, hexadecimal */
	bool through;			/* proof at this relay is enough */
	int64_t until_ms;		/* since 1970: from then on it is no rule; 0 = no end */
	char *reason;			/* why there is a rule; for the record */
};

/* Where the password of a PDF comes from: words of tenant.passwords. */
#define CONF_PASSWORD_RECIPIENT "recipient"
#define CONF_PASSWORD_SENDER "sender"
#define CONF_PASSWORD_GENERATE "generate"
#define CONF_PASSWORD_HOOK "hook"
/* What else senders are told by mail: words of tenant.notices. */
#define CONF_NOTICE_REFUSED "refused"
#define CONF_NOTICE_SEALED "sealed"

/* A picture file, its kind and size looked at. */
struct conf_logo {
	unsigned char *data;		/* NULL: none */
	size_t size;
	unsigned int width;		/* pixels */
	unsigned int height;
	bool jpeg;			/* else PNG */
};

/* A text of the administrator's in place of a built-in one: config/template.h. */
struct conf_text {
	char *name;			/* "de/outer.html" */
	char *text;
};

struct conf_tenant {
	char *name;
	struct str_list domains;	/* lower case, A-labels; never empty */
	struct str_list logins;		/* SASL logins; "*" stands for any characters */
	struct str_list networks;	/* "192.0.2.0/24", "2001:db8::/32", "127.0.0.1" */
	unsigned char protections[WAY_COUNT];	/* enum conf_way in order of preference, 0 = end */
	enum conf_inside inside;	/* flagged mail to own users: clear or sealed too */
	enum conf_subject subject_envelope;
	enum conf_subject subject_pdf;
	char *subject_placeholder;	/* UTF-8 */
	struct str_list passwords;	/* CONF_PASSWORD_... in order; empty: recipient */
	enum conf_password_for password_for;
	enum conf_login_owns login_owns;
	enum conf_language language;	/* of mail to senders that do not say theirs */
	struct str_list notices;		/* CONF_NOTICE_...: of what senders are told */
	char *hook_command;		/* is handed passwords; "" = none */
	char *hook_url;			/* the same by HTTPS; "" = none */
	char *hook_token_file;		/* bearer token for it; "" = none */
	int64_t hook_timeout_ms;
	char *organisation;		/* as it calls itself; "" = nothing is shown */
	char *colour;			/* "#rrggbb" */
	char *logo;			/* path of a PNG or JPEG; "" = none */
	char *help_url;			/* of a page for recipients, https; "" = none */
	struct conf_logo logo_file;	/* what was read from it: config/looks.h */
};

struct conf {
	/* where Postfix talks to us */
	char *socket;			/* "local:/path" or "inet:port@host" */
	unsigned int socket_mode;
	char *socket_group;		/* "" = leave */
	unsigned int stage_port;	/* loopback smtpd of the second stage */
	bool seal_before_queue;

	/* places */
	char *run_directory;		/* sockets between our processes */
	char *state_directory;		/* database */
	char *spool_directory;		/* bodies above the memory limit, unlinked at once */
	char *master_key_file;
	char *templates_directory;	/* "" = those built in */

	struct {
		char *milter;
		char *scan;
		char *pdf;
		char *vault;
		char *tls;
		char *trace;
		char *notify;
		char *health;
		char *hook;		/* of the commands that are handed passwords */
	} users;			/* "name" or "uid:gid"; used when started as root */

	enum conf_sandbox sandbox;
	struct {
		unsigned int level;	/* enum log_level */
		enum conf_log_target target;
	} log;

	struct {
		size_t size_max;	/* bytes of a message; larger: 552 */
		size_t header_max;	/* bytes of all header fields */
		size_t memory_max;	/* bytes of a body kept in memory */
	} message;
	struct {
		unsigned int max;	/* recipients of one flagged message */
	} recipients;

	struct {
		enum conf_engine engine;
		char *clamd;			/* "/path/to/socket" or "127.0.0.1:3310" */
		char *clamd_conf;		/* what doctor looks at; "" = nothing */
		enum conf_renewal renewal;
		unsigned int threads;
		int64_t timeout_ms;
		char *database_directory;	/* signatures */
		char *temporary_directory;	/* "" = a tmpfs of its own, else the system's */
		int64_t database_age_max_ms;	/* doctor warns above */
		size_t size_max;		/* libclamav's limits; met = unscannable */
		unsigned int files_max;
		unsigned int recursion_max;
		enum conf_action infected;
		enum conf_action unscannable;
		enum conf_encrypted encrypted;
	} scan;

	struct {
		unsigned int workers;
		int64_t timeout_ms;
		size_t memory_max;
		unsigned int pages_max;
		enum conf_page page;
		bool attach_pages;		/* attached files are shown as pages besides */
		unsigned int attach_pages_max;	/* of all attached PDFs together */
		size_t attach_size_max;		/* bytes of a file that is shown */
		unsigned int attach_megapixels_max;	/* of a picture that is shown */
		bool original;			/* original.eml is embedded */
		unsigned int messages_max;	/* of one worker's life; 0: no maximum */
	} pdf;

	struct {
		int64_t life_ms;	/* of a mark: two queue lifetimes and the hold */
	} mark;

	struct {
		struct str_list secure;		/* words in brackets that flag */
		struct str_list envelope;	/* words that flag for one way */
		struct str_list pdf;
		struct str_list tls;
		char *header;			/* "X-Sealgate" */
		struct str_list sensitivity;	/* values of Sensitivity: that flag */
	} tags;

	struct {
		char *socket;			/* Postfix asks; as socket above */
		enum conf_floor floor;		/* of all mail */
		enum conf_floor sealed;		/* of sealed mail */
		int64_t tell_ms;		/* then the sender hears of a peer without TLS */
		int64_t wait_ms;		/* then plan tls falls back to pdf */
		unsigned int fallback_port;	/* loopback smtpd for that */
		bool dane;
		bool mta_sts;
		struct str_list resolvers;	/* "192.0.2.53", "::1@5353"; empty: the host's */
		char *trust_anchor;		/* file; DNSSEC root key */
		char *ca_file;			/* trusted for MTA-STS and "secure" */
		char *cache_directory;		/* "" = none */
		unsigned int cache_max;		/* domains */
		int64_t timeout_ms;		/* of all lookups for a policy */
		char *metrics;			/* "inet:port@host", "" = none */
		bool report;			/* TLSRPT, RFC 8460 */
		char *report_from;		/* address: sender and contact */
		char *report_organization;
		char *report_server;		/* "127.0.0.1:25", Postfix */
	} tls;
	struct {
		char *log;			/* "auto", "journal", a path, "" = none */
	} trace;
	struct {
		char *server;			/* "127.0.0.1:25", Postfix */
		char *from;			/* address, "" = postmaster of the domain told */
		char *ca_file;			/* trusted for tenant.hook_url */
	} notify;

	struct {
		char *listen;			/* metrics and health over HTTP; "" = nowhere */
	} health;
	struct {
		char *from;			/* of an own sender; "" = there is no canary */
		char *to;			/* outside; Postfix brings it to port */
		unsigned int port;		/* loopback */
		int64_t wait_ms;
	} canary;

	struct conf_hop *hops;
	size_t hop_count;
	struct conf_tenant *tenants;
	size_t tenant_count;
	struct conf_text *texts;
	size_t text_count;
};

/* One thing that is wrong in a file. */
struct conf_error {
	char *file;
	int line;		/* 0 = the file as a whole */
	char *found;		/* what is wrong, what stands there */
	char *expected;		/* what to write instead */
};

struct conf_errors {
	struct conf_error *items;
	size_t count;
};

/*
 * Reads and checks path. All errors are collected into *errors, not only the first. On any error
 * returns SG_EUSAGE (f says how many) and *conf_out is NULL. check_paths: also demand that the
 * folders and files named exist, and read texts and logos, so that programs get them.
 */
MUST_USE enum fail_code conf_load(const char *path, bool check_paths, struct conf **conf_out,
    struct conf_errors *errors, struct fail *f);
void conf_errors_free(struct conf_errors *errors);

/* The shipped defaults alone, with no tenant: what the command line uses without a file. */
MUST_USE enum fail_code conf_default(struct conf **conf_out, struct fail *f);
void conf_free(struct conf *conf);

/* Copies an administrator's text, of one name once. SG_ENOMEM. */
MUST_USE enum fail_code conf_add_text(struct conf *conf, const char *name, const char *text);

/* Appends the keys that roles (enum conf_role bits) may know. */
MUST_USE enum fail_code conf_encode(const struct conf *conf, unsigned int roles, struct buf *out,
    struct fail *f);
/* The other side; keys that were not sent have their defaults. */
MUST_USE enum fail_code conf_decode(const void *data, size_t size, struct conf **conf_out,
    struct fail *f);

/* "envelope", "pdf", "tls"; NULL for none. */
const char *conf_way_name(unsigned int way);

/* run_directory + "/" + name; the caller frees. NULL = no memory. */
char *conf_run_path(const struct conf *conf, const char *name);
#define CONF_SOCKET_SCAN "scan.sock"
#define CONF_SOCKET_PDF "pdf.sock"
#define CONF_SOCKET_VAULT "vault.sock"		/* the milter asks here */
#define CONF_SOCKET_ADMIN "admin.sock"		/* the command line asks here */
#define CONF_SOCKET_FACTS "facts.sock"		/* trace and tls tell the vault */
#define CONF_SOCKET_TLS "tls.sock"		/* milter and command line ask tls */
#define CONF_SOCKET_NOTICE "notice.sock"	/* sealgate-notify asks the vault here */

/* The tenant that has this domain (lower case, A-labels), or NULL. */
const struct conf_tenant *conf_tenant_of_domain(const struct conf *conf, const char *domain);
/* The tenant with this name, or NULL. */
const struct conf_tenant *conf_tenant_named(const struct conf *conf, const char *name);

/* The rule whose name is exactly this, lower case, or NULL. */
const struct conf_hop *conf_hop_named(const struct conf *conf, const char *name);
/* "dane-only"; Postfix's name of a level. */
const char *conf_level_name(enum conf_level level);

#endif
