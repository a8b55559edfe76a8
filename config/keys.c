#include "config/keys.h"

#include "config/conf.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SECOND UINT64_C(1000)
#define HOUR (SECOND * 3600)
#define DAY (HOUR * 24)

_Static_assert(CONF_SANDBOX_REDUCED == 1 && CONF_LOG_SYSLOG == 1 && CONF_HOLD == 1 &&
    CONF_ENCRYPTED_HOLD == 2 &&
    CONF_PAGE_LETTER == 1 &&
    CONF_ENGINE_CLAMD == 1 && CONF_RENEWAL_IN_TURN == 2 &&
    CONF_INSIDE_SEAL == 1 && CONF_SUBJECT_PLACEHOLDER == 1 &&
    CONF_FOR_RECIPIENT == 1 && CONF_OWNS_ANY == 1 && CONF_SPANISH == 3 &&
    CONF_FLOOR_ENCRYPT == 1 && CONF_LEVEL_DANE == 3 && CONF_LEVEL_SECURE == 7 &&
    LOG_LEVEL_DEBUG == 2, "choices below are in the order of their enums");

static const char *const sandboxes[] = { "full", "reduced", NULL };
static const char *const levels[] = { "error", "notice", "debug", NULL };
static const char *const targets[] = { "stderr", "syslog", NULL };
static const char *const engines[] = { "libclamav", "clamd", NULL };
static const char *const renewals[] = { "auto", "beside", "in-turn", NULL };
static const char *const actions[] = { "refuse", "hold", NULL };
static const char *const encrypted[] = { "pass", "refuse", "hold", NULL };
static const char *const pages[] = { "a4", "letter", NULL };
static const char *const insides[] = { "clear", "seal", NULL };
static const char *const floors[] = { "may", "encrypt", NULL };
static const char *const tls_levels[] = { "none", "may", "encrypt", "dane", "dane-only",
	"fingerprint", "verify", "secure", NULL };
static const char *const subjects[] = { "keep", "placeholder", NULL };
static const char *const password_fors[] = { "message", "recipient", NULL };
static const char *const owns[] = { "address", "any", NULL };
static const char *const languages[] = { "en", "de", "fr", "es", NULL };

#define AT(member) .offset = offsetof(struct conf, member)
#define TENANT_AT(member) .offset = offsetof(struct conf_tenant, member)
#define HOP_AT(member) .offset = offsetof(struct conf_hop, member)

static const struct key table[] = {
	/* where Postfix talks to us */
	{ .name = "socket", .type = KEY_SOCKET, AT(socket), .roles = CONF_MILTER,
	    .preset = "local:/run/sealgate/milter/milter.sock",
	    .help = "Where Postfix talks to the filter. local:PATH is a unix socket; "
	    "inet:PORT@HOST costs about 50 ms a message." },
	{ .name = "socket_mode", .type = KEY_OCTAL, AT(socket_mode), .roles = CONF_MILTER,
	    .min = 0600, .max = 0777, .preset = "0660",
	    .help = "Rights of the unix socket." },
	{ .name = "socket_group", .type = KEY_NAME, AT(socket_group), .roles = CONF_MILTER,
	    .preset = "postfix", .may_be_empty = true,
	    .help = "Group of the unix socket; Postfix must be in it. Empty leaves the group "
	    "as it is." },
	{ .name = "stage_port", .type = KEY_NUMBER, AT(stage_port),
	    .roles = CONF_MILTER | CONF_TRACE,
	    .min = 1, .max = 65535, .preset = "10225",
	    .help = "Loopback port of the second stage, where Postfix brings each final "
	    "recipient." },
	{ .name = "seal_before_queue", .type = KEY_BOOL, AT(seal_before_queue),
	    .roles = CONF_MILTER, .preset = "yes",
	    .help = "Seal a message to one outside recipient before Postfix queues it. no "
	    "sends all flagged mail through the second stage, for those whose always_bcc "
	    "archive must get a copy of its own." },
	/* places */
	{ .name = "run_directory", .type = KEY_PATH, AT(run_directory),
	    .roles = CONF_MILTER | CONF_TLS | CONF_TRACE | CONF_NOTIFY,
	    .preset = "/run/sealgate",
	    .help = "Folder of the sockets between the programs. It is made at start." },
	{ .name = "state_directory", .type = KEY_PATH, AT(state_directory), .roles = CONF_VAULT,
	    .preset = "/var/lib/sealgate", .is_folder = true,
	    .help = "Folder of the database." },
	{ .name = "spool_directory", .type = KEY_PATH, AT(spool_directory),
	    .roles = CONF_MILTER, .preset = "/var/spool/sealgate", .is_folder = true,
	    .help = "Folder for bodies above message.memory_max. A file there has no name, so "
	    "nothing stays behind." },
	{ .name = "master_key_file", .type = KEY_PATH, AT(master_key_file), .roles = CONF_VAULT,
	    .preset = "/var/lib/sealgate/master.key",
	    .help = "File of the key under which the vault encrypts passwords. It is made at "
	    "the first start; keep a copy of it apart from that of the database." },
	{ .name = "templates_directory", .type = KEY_PATH, AT(templates_directory),
	    .roles = CONF_NOTIFY, .preset = "", .may_be_empty = true, .is_folder = true,
	    .help = "Folder with texts of your own: LANGUAGE/outer.txt, outer.html and words.txt "
	    "for the mail around PDFs, password.txt and others for mail to senders. Empty, or no "
	    "such file: those built in." },
	/* users */
	{ .name = "users.milter", .type = KEY_NAME, AT(users.milter), .roles = CONF_MILTER,
	    .preset = "sealgate-milter",
	    .help = "User of the filter: a name, or UID:GID. All nine count only when started "
	    "as root." },
	{ .name = "users.scan", .type = KEY_NAME, AT(users.scan), .roles = CONF_SCAN,
	    .preset = "sealgate-scan", .help = "User of the virus scanner." },
	{ .name = "users.pdf", .type = KEY_NAME, AT(users.pdf), .roles = CONF_PDF,
	    .preset = "sealgate-pdf", .help = "User of the PDF workers." },
	{ .name = "users.vault", .type = KEY_NAME, AT(users.vault), .roles = CONF_VAULT,
	    .preset = "sealgate-vault",
	    .help = "User of the vault; owns state_directory and master_key_file." },
	{ .name = "users.tls", .type = KEY_NAME, AT(users.tls), .roles = CONF_TLS,
	    .preset = "sealgate-tls", .help = "User of the TLS policy service." },
	{ .name = "users.trace", .type = KEY_NAME, AT(users.trace), .roles = CONF_TRACE,
	    .preset = "sealgate-trace",
	    .help = "User of the program that reads Postfix's log; its group must be able to read "
	    "that (adm on Debian)." },
	{ .name = "users.notify", .type = KEY_NAME, AT(users.notify), .roles = CONF_NOTIFY,
	    .preset = "sealgate-notify",
	    .help = "User of the program that tells passwords to senders." },
	{ .name = "users.health", .type = KEY_NAME, AT(users.health), .roles = CONF_HEALTH,
	    .preset = "sealgate-health",
	    .help = "User of the program that shows metrics. It is needed only where health.listen "
	    "says where." },
	{ .name = "users.hook", .type = KEY_NAME, AT(users.hook), .roles = CONF_NOTIFY,
	    .preset = "sealgate-hook",
	    .help = "User of the commands that are handed passwords (tenant.hook_command). It is "
	    "needed only where there are some, and should own nothing else." },
	{ .name = "sandbox", .type = KEY_CHOICE, AT(sandbox), .roles = CONF_ALL,
	    .choices = sandboxes, .preset = "full",
	    .help = "full refuses to start where the kernel has no Landlock; reduced starts "
	    "without it." },
	/* log */
	{ .name = "log.level", .type = KEY_CHOICE, AT(log.level), .roles = CONF_ALL,
	    .choices = levels, .preset = "notice",
	    .help = "error: an administrator must act; notice: one line a message as well; "
	    "debug: more." },
	{ .name = "log.target", .type = KEY_CHOICE, AT(log.target), .roles = CONF_ALL,
	    .choices = targets, .preset = "stderr",
	    .help = "stderr (the journal, under systemd) or syslog, facility mail." },
	/* message */
	{ .name = "message.size_max", .type = KEY_SIZE, AT(message.size_max),
	    .roles = CONF_MILTER | CONF_SCAN | CONF_PDF, .min = 65536, .max = 2 * GIB - MIB,
	    .preset = "100M", .help = "Largest message; a larger one is refused." },
	{ .name = "message.header_max", .type = KEY_SIZE, AT(message.header_max),
	    .roles = CONF_MILTER | CONF_PDF, .min = 16 * KIB, .max = 16 * MIB,
	    .preset = "256K",
	    .help = "Largest sum of the header fields; above it the message is refused." },
	{ .name = "message.memory_max", .type = KEY_SIZE, AT(message.memory_max),
	    .roles = CONF_MILTER, .min = 0, .max = 64 * MIB, .preset = "1M",
	    .help = "A body up to this size stays in memory, a larger one goes to "
	    "spool_directory." },
	{ .name = "recipients.max", .type = KEY_NUMBER, AT(recipients.max),
	    .roles = CONF_MILTER, .min = 1, .max = 100000, .preset = "1000",
	    .help = "Most recipients of a flagged message; above it the message is refused." },
	/* scan */
	{ .name = "scan.engine", .type = KEY_CHOICE, AT(scan.engine), .roles = CONF_SCAN,
	    .choices = engines, .preset = "libclamav",
	    .help = "Who looks for viruses: libclamav inside the scanner, or a clamd that runs "
	    "already. Of clamd less is known: read docs/scanner.md." },
	{ .name = "scan.clamd", .type = KEY_TEXT, AT(scan.clamd), .roles = CONF_SCAN,
	    .min = 1, .max = 107, .preset = "/run/clamav/clamd.ctl",
	    .help = "Where clamd listens: the path of its socket, or ADDRESS:PORT. Only for "
	    "scan.engine = clamd." },
	{ .name = "scan.clamd_conf", .type = KEY_PATH, AT(scan.clamd_conf), .roles = CONF_SCAN,
	    .preset = "/etc/clamav/clamd.conf", .may_be_empty = true,
	    .help = "The configuration of clamd, at which sealgate doctor looks. Empty: it "
	    "cannot be read here." },
	{ .name = "scan.renewal", .type = KEY_CHOICE, AT(scan.renewal), .roles = CONF_SCAN,
	    .choices = renewals, .preset = "auto",
	    .help = "How new signatures are loaded: by a second scanner beside the first, which "
	    "takes as much memory again and makes no pause; in-turn, while mail waits; auto: "
	    "beside if there is memory for it." },
	{ .name = "scan.threads", .type = KEY_NUMBER, AT(scan.threads), .roles = CONF_SCAN,
	    .min = 1, .max = 256, .preset = "2",
	    .help = "Messages scanned at once. More than there are cores gains nothing." },
	{ .name = "scan.timeout", .type = KEY_DURATION, AT(scan.timeout_ms),
	    .roles = CONF_SCAN | CONF_MILTER, .min = SECOND, .max = HOUR, .preset = "120s",
	    .help = "Time for one message; after it there is no verdict and the sender's "
	    "server tries again." },
	{ .name = "scan.database_directory", .type = KEY_PATH, AT(scan.database_directory),
	    .roles = CONF_SCAN, .preset = "/var/lib/clamav", .is_folder = true,
	    .help = "Folder of ClamAV's signatures, kept fresh by freshclam." },
	{ .name = "scan.temporary_directory", .type = KEY_PATH, AT(scan.temporary_directory),
	    .roles = CONF_SCAN, .preset = "", .may_be_empty = true, .is_folder = true,
	    .help = "Folder in which the scanner unpacks. Empty: a tmpfs of its own where it "
	    "may mount one, else the system's." },
	{ .name = "scan.database_age_max", .type = KEY_DURATION, AT(scan.database_age_max_ms),
	    .roles = CONF_SCAN, .min = HOUR, .max = 365 * DAY, .preset = "7d",
	    .help = "The log and sealgate doctor complain when the signatures are older." },
	{ .name = "scan.size_max", .type = KEY_SIZE, AT(scan.size_max), .roles = CONF_SCAN,
	    .min = MIB, .max = 2 * GIB - MIB, .preset = "400M",
	    .help = "Most bytes that are unpacked of one message; more is unscannable, never "
	    "clean." },
	{ .name = "scan.files_max", .type = KEY_NUMBER, AT(scan.files_max), .roles = CONF_SCAN,
	    .min = 1, .max = 1000000, .preset = "10000",
	    .help = "Most files that are unpacked of one message; more is unscannable." },
	{ .name = "scan.recursion_max", .type = KEY_NUMBER, AT(scan.recursion_max),
	    .roles = CONF_SCAN, .min = 1, .max = 100, .preset = "17",
	    .help = "Most archives within archives; more is unscannable." },
	{ .name = "scan.infected", .type = KEY_CHOICE, AT(scan.infected), .roles = CONF_MILTER,
	    .choices = actions, .preset = "refuse",
	    .help = "What happens to infected mail: refused, or kept in Postfix's hold queue. "
	    "Flagged mail is always refused." },
	{ .name = "scan.unscannable", .type = KEY_CHOICE, AT(scan.unscannable),
	    .roles = CONF_MILTER, .choices = actions, .preset = "refuse",
	    .help = "What happens to mail that the scanner cannot look into. Flagged mail is "
	    "always refused." },
	{ .name = "scan.encrypted", .type = KEY_CHOICE, AT(scan.encrypted),
	    .roles = CONF_SCAN | CONF_MILTER, .choices = encrypted, .preset = "pass",
	    .help = "What happens to mail with archives and documents that need a password: it "
	    "passes as far as the rest of it is clean, is refused, or kept in the hold queue "
	    "(flagged mail is refused)." },
	/* pdf */
	{ .name = "pdf.workers", .type = KEY_NUMBER, AT(pdf.workers), .roles = CONF_PDF,
	    .min = 1, .max = 64, .preset = "2", .help = "PDF worker processes." },
	{ .name = "pdf.messages_max", .type = KEY_NUMBER, AT(pdf.messages_max),
	    .roles = CONF_PDF, .min = 0, .max = 10000000, .preset = "2000",
	    .help = "Messages after which a PDF worker ends and a fresh one takes its place, since "
	    "libraries may keep memory of damaged input. 0: never." },
	{ .name = "pdf.timeout", .type = KEY_DURATION, AT(pdf.timeout_ms),
	    .roles = CONF_PDF | CONF_MILTER, .min = SECOND, .max = HOUR, .preset = "120s",
	    .help = "Time for one PDF; after it the sender's server tries again. A message that "
	    "takes a quarter of it as processor time, twice, is refused." },
	{ .name = "pdf.memory_max", .type = KEY_SIZE, AT(pdf.memory_max), .roles = CONF_PDF,
	    .min = 128 * MIB, .max = 64 * GIB, .preset = "1G",
	    .help = "Most memory of one PDF worker. A message that needs more, twice, is "
	    "refused." },
	{ .name = "pdf.pages_max", .type = KEY_NUMBER, AT(pdf.pages_max), .roles = CONF_PDF,
	    .min = 1, .max = 100000, .preset = "2000",
	    .help = "Most pages of one PDF. A longer message ends with a note that "
	    "the rest is in the original inside." },
	{ .name = "pdf.page", .type = KEY_CHOICE, AT(pdf.page), .roles = CONF_PDF,
	    .choices = pages, .preset = "a4", .help = "Size of a page." },
	{ .name = "pdf.attach_pages", .type = KEY_BOOL, AT(pdf.attach_pages), .roles = CONF_PDF,
	    .preset = "yes",
	    .help = "Show attached PDFs, pictures, texts and tables as pages behind the message, "
	    "since many readers hide attached files. All files are attached in any case." },
	{ .name = "pdf.attach_pages_max", .type = KEY_NUMBER, AT(pdf.attach_pages_max),
	    .roles = CONF_PDF, .min = 1, .max = 5000, .preset = "300",
	    .help = "Most pages that are shown of all attached PDFs together." },
	{ .name = "pdf.attach_size_max", .type = KEY_SIZE, AT(pdf.attach_size_max),
	    .roles = CONF_PDF, .min = 65536, .max = 100 * MIB, .preset = "8M",
	    .help = "Largest attached file that is shown as pages, which makes the PDF larger by "
	    "its size." },
	{ .name = "pdf.attach_megapixels_max", .type = KEY_NUMBER,
	    AT(pdf.attach_megapixels_max), .roles = CONF_PDF, .min = 1, .max = 200,
	    .preset = "50", .help = "Largest picture that is shown, in millions of pixels." },
	{ .name = "pdf.original", .type = KEY_BOOL, AT(pdf.original), .roles = CONF_PDF,
	    .preset = "yes",
	    .help = "Attach the message as it came (original.eml) up to 8 MB. Where pages or "
	    "parts had to be left out it is always there." },
	{ .name = "mark.life", .type = KEY_DURATION, AT(mark.life_ms),
	    .roles = CONF_MILTER | CONF_VAULT, .min = DAY, .max = 90 * DAY, .preset = "21d",
	    .help = "How long a flagged message may wait in Postfix's queue: at least two "
	    "queue lifetimes and the time in hold." },
	/* tls */
	{ .name = "tls.socket", .type = KEY_SOCKET, AT(tls.socket), .roles = CONF_TLS,
	    .preset = "local:/run/sealgate/tls/policy.sock",
	    .help = "Where Postfix asks which TLS a next hop must have (socketmap)." },
	{ .name = "tls.floor", .type = KEY_CHOICE, AT(tls.floor), .roles = CONF_TLS,
	    .choices = floors, .preset = "may",
	    .help = "The least for all mail where a domain publishes nothing: TLS if the peer "
	    "offers it, or TLS always." },
	{ .name = "tls.sealed", .type = KEY_CHOICE, AT(tls.sealed),
	    .roles = CONF_TLS | CONF_MILTER, .choices = floors, .preset = "encrypt",
	    .help = "The same for mail that Sealgate has sealed. may loosens it: the content is "
	    "sealed all the same." },
	{ .name = "tls.tell", .type = KEY_DURATION, AT(tls.tell_ms), .roles = CONF_MILTER,
	    .min = SECOND, .max = 30 * DAY, .preset = "1h",
	    .help = "Sealed mail for a peer without TLS goes back to its sender after this time." },
	{ .name = "tls.wait", .type = KEY_DURATION, AT(tls.wait_ms), .roles = CONF_MILTER,
	    .min = SECOND, .max = 30 * DAY, .preset = "15m",
	    .help = "Mail that may leave over proven TLS alone becomes a PDF (or an envelope) when "
	    "TLS could not be had for this time." },
	{ .name = "tls.fallback_port", .type = KEY_NUMBER, AT(tls.fallback_port),
	    .roles = CONF_TLS | CONF_MILTER | CONF_TRACE, .min = 1, .max = 65535, .preset = "10226",
	    .help = "Loopback port to which Postfix brings back what TLS could not carry." },
	{ .name = "tls.dane", .type = KEY_BOOL, AT(tls.dane), .roles = CONF_TLS, .preset = "yes",
	    .help = "Honour DANE (RFC 7672)." },
	{ .name = "tls.mta_sts", .type = KEY_BOOL, AT(tls.mta_sts), .roles = CONF_TLS,
	    .preset = "yes", .help = "Honour MTA-STS (RFC 8461)." },
	{ .name = "tls.resolvers", .type = KEY_NAMES, AT(tls.resolvers), .roles = CONF_TLS,
	    .preset = "", .may_be_empty = true,
	    .help = "DNS servers that are asked, ADDRESS or ADDRESS@PORT. Empty: those of "
	    "/etc/resolv.conf. Answers are validated here in any case." },
	{ .name = "tls.trust_anchor", .type = KEY_PATH, AT(tls.trust_anchor), .roles = CONF_TLS,
	    .preset = "/usr/share/dns/root.key",
	    .help = "File with the key of the DNS root, for DNSSEC." },
	{ .name = "tls.ca_file", .type = KEY_PATH, AT(tls.ca_file), .roles = CONF_TLS,
	    .preset = "/etc/ssl/certs/ca-certificates.crt",
	    .help = "Certificates that are trusted for MTA-STS and for the levels verify and "
	    "secure." },
	{ .name = "tls.cache_directory", .type = KEY_PATH, AT(tls.cache_directory),
	    .roles = CONF_TLS, .preset = "/var/cache/sealgate", .may_be_empty = true,
	    .help = "Folder where policies are kept over a restart. Empty: they are not." },
	{ .name = "tls.cache_max", .type = KEY_NUMBER, AT(tls.cache_max), .roles = CONF_TLS,
	    .min = 100, .max = 10000000, .preset = "100000",
	    .help = "Most domains whose policies are kept." },
	{ .name = "tls.timeout", .type = KEY_DURATION, AT(tls.timeout_ms),
	    .roles = CONF_TLS | CONF_MILTER, .min = SECOND, .max = 60 * SECOND, .preset = "15s",
	    .help = "Time for all lookups of one policy; after it the mail waits." },
	{ .name = "tls.metrics", .type = KEY_SOCKET, AT(tls.metrics), .roles = CONF_TLS,
	    .preset = "", .may_be_empty = true,
	    .help = "Where Prometheus finds metrics, such as inet:9325@127.0.0.1. Empty: "
	    "nowhere." },
	{ .name = "tls.report", .type = KEY_BOOL, AT(tls.report), .roles = CONF_TLS,
	    .preset = "no",
	    .help = "Send daily reports to domains that ask for them (TLSRPT, RFC 8460)." },
	{ .name = "tls.report_from", .type = KEY_TEXT, AT(tls.report_from), .roles = CONF_TLS,
	    .preset = "", .may_be_empty = true, .min = 3, .max = 254,
	    .help = "Address from which reports come and to which questions about them go." },
	{ .name = "tls.report_organization", .type = KEY_TEXT, AT(tls.report_organization),
	    .roles = CONF_TLS, .preset = "", .may_be_empty = true, .min = 1, .max = 200,
	    .help = "Who reports." },
	{ .name = "tls.report_server", .type = KEY_TEXT, AT(tls.report_server),
	    .roles = CONF_TLS, .preset = "127.0.0.1:25", .min = 3, .max = 200,
	    .help = "SMTP server that takes reports which go by mail: this host's Postfix." },
	/* trace */
	{ .name = "trace.log", .type = KEY_TEXT, AT(trace.log), .roles = CONF_TRACE,
	    .preset = "auto", .may_be_empty = true, .min = 1, .max = 4000,
	    .help = "Postfix's log: a path, journal, or auto (/var/log/mail.log if it is there, "
	    "else the journal). It tells how each message was delivered. Empty: it is not read." },
	/* notify */
	{ .name = "notify.server", .type = KEY_TEXT, AT(notify.server), .roles = CONF_NOTIFY,
	    .preset = "127.0.0.1:25", .min = 3, .max = 200,
	    .help = "SMTP server that takes mail to our senders: this host's Postfix, which must "
	    "ask the filter." },
	{ .name = "notify.from", .type = KEY_TEXT, AT(notify.from), .roles = CONF_NOTIFY,
	    .preset = "", .may_be_empty = true, .min = 3, .max = 254,
	    .help = "Address from which that mail is. Empty: postmaster of the domain of who is "
	    "told." },
	{ .name = "notify.ca_file", .type = KEY_PATH, AT(notify.ca_file), .roles = CONF_NOTIFY,
	    .preset = "/etc/ssl/certs/ca-certificates.crt",
	    .help = "Certificates that are trusted for tenant.hook_url." },
	/* health */
	{ .name = "health.listen", .type = KEY_SOCKET, AT(health.listen), .roles = CONF_HEALTH,
	    .preset = "", .may_be_empty = true,
	    .help = "Where /metrics (Prometheus), /healthz and /readyz are, such as "
	    "inet:9324@127.0.0.1. Whoever reaches it can read them. Empty: nowhere." },
	{ .name = "canary.from", .type = KEY_TEXT, AT(canary.from), .roles = CONF_HEALTH,
	    .preset = "", .may_be_empty = true, .min = 3, .max = 254,
	    .help = "Address of an own sender, from which sealgate canary sends its message." },
	{ .name = "canary.to", .type = KEY_TEXT, AT(canary.to), .roles = CONF_HEALTH,
	    .preset = "", .may_be_empty = true, .min = 3, .max = 254,
	    .help = "Where to: an address in no domain of a tenant, whose transport in Postfix is "
	    "smtp:[127.0.0.1]:PORT with canary.port." },
	{ .name = "canary.port", .type = KEY_NUMBER, AT(canary.port), .roles = CONF_HEALTH,
	    .min = 1, .max = 65535, .preset = "10227",
	    .help = "Loopback port at which sealgate canary waits for it." },
	{ .name = "canary.wait", .type = KEY_DURATION, AT(canary.wait_ms), .roles = CONF_HEALTH,
	    .min = SECOND, .max = HOUR, .preset = "60s",
	    .help = "How long it waits; then the canary is missing." },
	/* tags */
	{ .name = "tags.secure", .type = KEY_WORDS, AT(tags.secure), .roles = CONF_MILTER,
	    .preset = "secure, encrypt, confidential",
	    .help = "Words in brackets at the start or end of a subject that flag a message." },
	{ .name = "tags.envelope", .type = KEY_WORDS, AT(tags.envelope), .roles = CONF_MILTER,
	    .preset = "envelope", .help = "Words that flag it for the envelope (S/MIME) alone." },
	{ .name = "tags.pdf", .type = KEY_WORDS, AT(tags.pdf), .roles = CONF_MILTER,
	    .preset = "pdf", .help = "Words that flag it for the encrypted PDF alone." },
	{ .name = "tags.tls", .type = KEY_WORDS, AT(tags.tls), .roles = CONF_MILTER,
	    .preset = "tls",
	    .help = "Words that flag it for delivery over proven TLS alone." },
	{ .name = "tags.header", .type = KEY_FIELD, AT(tags.header), .roles = CONF_MILTER,
	    .preset = "X-Sealgate",
	    .help = "Header field that flags a message by the same words." },
	{ .name = "tags.sensitivity", .type = KEY_WORDS, AT(tags.sensitivity),
	    .roles = CONF_MILTER, .preset = "company-confidential, private",
	    .help = "Values of the Sensitivity field that flag a message. May be empty.",
	    .may_be_empty = true },
	/* a TLS rule */
	{ .name = "hop.tls", .type = KEY_CHOICE, HOP_AT(tls), .roles = CONF_TLS,
	    .choices = tls_levels, .preset = "encrypt",
	    .help = "Postfix's TLS security level. dane-only, fingerprint, verify and secure "
	    "prove who the peer is." },
	{ .name = "hop.match", .type = KEY_NAMES, HOP_AT(match), .roles = CONF_TLS,
	    .preset = "", .may_be_empty = true,
	    .help = "Names of which the peer's certificate must have one, for verify and secure; "
	    "nexthop, dot-nexthop and hostname have Postfix's meaning." },
	{ .name = "hop.fingerprints", .type = KEY_NAMES, HOP_AT(fingerprints), .roles = CONF_TLS,
	    .preset = "", .may_be_empty = true,
	    .help = "SHA-256 fingerprints of certificates or public keys, for fingerprint." },
	{ .name = "hop.through", .type = KEY_BOOL, HOP_AT(through), .roles = CONF_TLS,
	    .preset = "no",
	    .help = "For a relay: proven TLS to it is enough for mail that it carries on." },
	{ .name = "hop.until", .type = KEY_DATE, HOP_AT(until_ms), .roles = CONF_TLS,
	    .preset = "", .may_be_empty = true,
	    .help = "Last day of the rule (UTC). Empty: it has no end." },
	{ .name = "hop.reason", .type = KEY_TEXT, HOP_AT(reason), .roles = CONF_TLS,
	    .min = 1, .max = 200,
	    .help = "Why there is such a rule; it goes into the record." },
	/* a tenant */
	{ .name = "tenant.domains", .type = KEY_DOMAINS, TENANT_AT(domains),
	    .roles = CONF_MILTER,
	    .help = "The tenant's mail domains. At least one; a domain belongs to one tenant." },
	{ .name = "tenant.logins", .type = KEY_LOGINS, TENANT_AT(logins), .roles = CONF_MILTER,
	    .preset = "", .may_be_empty = true,
	    .help = "SASL logins of the tenant's senders; * stands for any characters, as in "
	    "*@example.com." },
	{ .name = "tenant.networks", .type = KEY_NETWORKS, TENANT_AT(networks),
	    .roles = CONF_MILTER, .preset = "", .may_be_empty = true,
	    .help = "Networks of the tenant's senders. Loopback counts only if it is listed." },
	{ .name = "tenant.protections", .type = KEY_WAYS, TENANT_AT(protections),
	    .roles = CONF_MILTER, .preset = "envelope, pdf",
	    .help = "Protections in order of preference: each recipient gets the first that is "
	    "possible." },
	{ .name = "tenant.inside", .type = KEY_CHOICE, TENANT_AT(inside), .roles = CONF_MILTER,
	    .choices = insides, .preset = "clear",
	    .help = "Flagged mail to the tenant's own users: clear, or sealed as well." },
	{ .name = "tenant.subject_envelope", .type = KEY_CHOICE, TENANT_AT(subject_envelope),
	    .roles = CONF_MILTER, .choices = subjects, .preset = "keep",
	    .help = "Subject outside an envelope: the sender's, or subject_placeholder." },
	{ .name = "tenant.subject_pdf", .type = KEY_CHOICE, TENANT_AT(subject_pdf),
	    .roles = CONF_MILTER, .choices = subjects, .preset = "placeholder",
	    .help = "Subject outside a PDF: the sender's, or subject_placeholder." },
	{ .name = "tenant.subject_placeholder", .type = KEY_TEXT,
	    TENANT_AT(subject_placeholder), .roles = CONF_MILTER, .min = 1, .max = 200,
	    .preset = "Protected message",
	    .help = "The Subject that stands for the sender's own." },
	{ .name = "tenant.passwords", .type = KEY_WORDS, TENANT_AT(passwords),
	    .roles = CONF_MILTER, .preset = "recipient, sender, generate",
	    .help = "Where the password of a PDF comes from, in order: recipient, its own in the "
	    "vault; sender, written as [secure pass:WORD] into the subject; generate, made here "
	    "and told to a sender who has logged in; hook, made here and handed to hook_command "
	    "or hook_url." },
	{ .name = "tenant.password_for", .type = KEY_CHOICE, TENANT_AT(password_for),
	    .roles = CONF_MILTER, .choices = password_fors, .preset = "message",
	    .help = "For what a generated password is: message, the same for all recipients of "
	    "that one; recipient, kept as the recipient's own from then on." },
	{ .name = "tenant.login_owns", .type = KEY_CHOICE, TENANT_AT(login_owns),
	    .roles = CONF_MILTER, .choices = owns, .preset = "address",
	    .help = "Who is told a generated password. address: a sender whose login is the "
	    "address in MAIL FROM, or its part before the @. any: every login, since Postfix "
	    "checks the address (reject_sender_login_mismatch)." },
	{ .name = "tenant.language", .type = KEY_CHOICE, TENANT_AT(language),
	    .roles = CONF_MILTER, .choices = languages, .preset = "en",
	    .help = "Language of our own words, to senders and around PDFs, for messages that do "
	    "not say theirs." },
	{ .name = "tenant.notices", .type = KEY_WORDS, TENANT_AT(notices),
	    .roles = CONF_MILTER, .preset = "refused", .may_be_empty = true,
	    .help = "What senders are told by a mail in their language: refused, for whom a "
	    "message was refused after it had been accepted, and why; sealed, how it goes to "
	    "whom. Empty: neither." },
	{ .name = "tenant.hook_command", .type = KEY_PATH, TENANT_AT(hook_command),
	    .roles = CONF_MILTER | CONF_NOTIFY, .preset = "", .may_be_empty = true,
	    .help = "Program that is handed passwords as JSON on its standard input, such as one "
	    "that sends an SMS to the number in [sms:+4915112345678]. It runs as users.hook, "
	    "without arguments. Exit status 0: done; 75: again later; others: failed." },
	{ .name = "tenant.hook_url", .type = KEY_TEXT, TENANT_AT(hook_url),
	    .roles = CONF_MILTER | CONF_NOTIFY, .preset = "", .may_be_empty = true,
	    .min = 8, .max = 2000,
	    .help = "Address to which the same JSON is sent by POST, in place of a program. "
	    "https:// alone, but to this host. 2xx: done; 408, 429, 5xx: again later; other "
	    "4xx: failed." },
	{ .name = "tenant.hook_token_file", .type = KEY_PATH, TENANT_AT(hook_token_file),
	    .roles = CONF_NOTIFY, .preset = "", .may_be_empty = true,
	    .help = "File with a token that hook_url gets as Authorization: Bearer. It is read at "
	    "start, as root where that is possible." },
	{ .name = "tenant.hook_timeout", .type = KEY_DURATION, TENANT_AT(hook_timeout_ms),
	    .roles = CONF_NOTIFY, .min = SECOND, .max = 300 * SECOND, .preset = "30s",
	    .help = "Time for one try. After it the program is killed, and the password is handed "
	    "over again later." },
	{ .name = "tenant.organisation", .type = KEY_TEXT, TENANT_AT(organisation),
	    .roles = CONF_MILTER | CONF_PDF, .preset = "", .may_be_empty = true, .min = 1,
	    .max = 100,
	    .help = "The tenant's name, as it stands on the first page of PDFs and in the mail "
	    "around them. Empty: nothing stands there." },
	{ .name = "tenant.colour", .type = KEY_TEXT, TENANT_AT(colour),
	    .roles = CONF_MILTER | CONF_PDF, .preset = "#2f5d78", .min = 7, .max = 7,
	    .help = "Colour of the line above both, as #rrggbb in quotes." },
	{ .name = "tenant.logo", .type = KEY_PATH, TENANT_AT(logo), .roles = CONF_MILTER,
	    .preset = "", .may_be_empty = true,
	    .help = "PNG or JPEG file with the tenant's logo, at most 100 KB and 2000 pixels a "
	    "side; it needs organisation as its text. Empty: none." },
	{ .name = "tenant.help_url", .type = KEY_TEXT, TENANT_AT(help_url), .roles = CONF_MILTER,
	    .preset = "", .may_be_empty = true, .min = 12, .max = 200,
	    .help = "Address (https://) of a page of yours that tells recipients how to open PDFs; "
	    "docs/recipients.md is one to begin with. It is the only link in the mail around "
	    "PDFs. Empty: that mail has none." },
};

const struct key *keys_all(size_t *count_out)
{
	*count_out = sizeof table / sizeof table[0];
	return table;
}
