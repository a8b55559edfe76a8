/*
 * sealgate-notify: hands the vault's letters to Postfix, each once.
 *
 * The vault is asked every second. A letter becomes a message under a mark of the vault, by which
 * the filter at Postfix knows it, takes it once, and lets it go only to a mailbox here or over
 * proven TLS. It leaves the outbox when Postfix has said 250. What Postfix refuses is tried again
 * with growing pauses.
 */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>

#include "config/conf.h"
#include "config/template.h"
#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "gateway/base/str.h"
#include "gateway/notify/compose.h"
#include "gateway/notify/send.h"

#define NOTIFY_MEMORY_MAX ((size_t)1024 * 1024 * 1024)	/* bytes of address space */
#define NOTIFY_FILES_MAX 64u
#define NOTIFY_TIMEOUT_MS 20000	/* for the vault's answer */
#define NOTIFY_POLL_MS 1000	/* between two looks into the outbox; one costs 0.1 ms */

struct notify {
	struct conf *conf;
	char *path;
	struct vault vault;
	struct compose_text texts[CONF_LANGUAGES];
	int terminate;
	bool vault_away;	/* said once */
};

/* ---- one letter ---- */

static enum fail_code sign(const struct notify *notify, const struct vault_notice *notice,
    const struct buf *body, char mark_out[VAULT_MARK_MAX], struct fail *f)
{
	unsigned char digest[VAULT_DIGEST_SIZE];
	unsigned int size = 0;

	if (EVP_Digest(body->data, body->size, digest, &size, EVP_sha256(), NULL) != 1 ||
	    size != VAULT_DIGEST_SIZE)
		return fail_set(f, SG_ECRYPTO, NULL, "OpenSSL cannot digest");
	return vault_notice_sign(&notify->vault, notice->id, digest, mark_out, f);
}

static enum fail_code compose(const struct notify *notify, const struct vault_notice *notice,
    const char *sender, struct buf *message, struct fail *f)
{
	const struct compose_text *text = &notify->texts[notice->language % CONF_LANGUAGES];
	char mark[VAULT_MARK_MAX];
	enum fail_code code;
	struct buf body;

	buf_init(&body, COMPOSE_MAX);
	code = compose_letter(text, notice, sender, clock_wall_ms(clock_system()), message, &body);
	if (code != SG_OK)
		(void)fail_set(f, code, NULL, "no memory for a mail");
	if (code == SG_OK)
		code = sign(notify, notice, &body, mark, f);
	if (code == SG_OK && (buf_printf(message, "X-Sealgate-Mark: %s\r\n\r\n", mark) != SG_OK ||
	    buf_append(message, body.data, body.size) != SG_OK))
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a mail");
	buf_free(&body);
	return code;
}

static void log_letter(const struct vault_notice *notice, enum log_level level, const char *event,
    const struct fail *f)
{
	struct log_line line;

	log_begin(&line, level, NULL, event);
	log_str(&line, "tenant", notice->tenant);
	log_str(&line, "to", notice->to);
	if (f != NULL)
		log_fail(&line, f);
	log_end(&line);
}

/* Later: the vault says when. That a sender waits is for an administrator to know. */
static enum fail_code again(const struct notify *notify, const struct vault_notice *notice,
    const struct fail *why, struct fail *f)
{
	bool given_up = false;
	enum fail_code code = vault_notice_again(&notify->vault, notice->id, &given_up, f);

	log_letter(notice, LOG_LEVEL_ERROR, given_up ? "password-not-told-given-up" :
	    "password-not-told-yet", why);
	return code;
}

/* An earlier try of ours got through, but we died before the 250. */
static bool is_taken(const char *reply)
{
	return strstr(reply, VAULT_NOTICE_TAKEN) != NULL;
}

static enum fail_code deliver(const struct notify *notify, const struct vault_notice *notice,
    struct fail *f)
{
	char *sender = compose_sender(notify->conf->notify.from, notice->to);
	const char *at = sender == NULL ? NULL : strrchr(sender, '@');
	struct buf message;
	char reply[SEND_REPLY_MAX];
	enum fail_code code;
	struct fail why;

	fail_clear(&why);
	buf_init(&message, COMPOSE_MAX);
	code = sender == NULL ? fail_set(f, SG_ENOMEM, NULL, "no memory for a mail") :
	    compose(notify, notice, sender, &message, f);
	if (code != SG_OK)
		goto out;
	code = send_message(notify->conf->notify.server, at == NULL ? "localhost" : at + 1,
	    notice->to, &message, reply, &why);
	if (code == SG_OK || is_taken(reply)) {
		code = vault_notice_done(&notify->vault, notice->id, f);
		log_letter(notice, LOG_LEVEL_NOTICE, "password-told", NULL);
	} else {
		code = again(notify, notice, &why, f);
	}
out:
	buf_free(&message);
	free(sender);
	return code;
}

/* ---- the loop ---- */

/* All that are due. A vault that is away is said once, and asked again. */
static void look(struct notify *notify)
{
	struct vault_notice notice;
	bool found = true;
	enum fail_code code;
	struct fail f;

	do {
		fail_clear(&f);
		code = vault_notice_next(&notify->vault, &notice, &found, &f);
		if (code == SG_OK && found)
			code = deliver(notify, &notice, &f);
		vault_notice_free(&notice);
	} while (code == SG_OK && found);
	if (code != SG_OK && !notify->vault_away)
		log_failure(LOG_LEVEL_NOTICE, NULL, "notify-waits", &f);
	notify->vault_away = code != SG_OK;
}

static void serve(struct notify *notify, int control)
{
	struct pollfd ends[2] = {{control, POLLIN, 0}, {notify->terminate, POLLIN, 0}};

	for (;;) {
		int n = poll(ends, 2, NOTIFY_POLL_MS);

		/* the only thing that comes is the end */
		if (n > 0 && (ends[0].revents != 0 || ends[1].revents != 0))
			return;
		if (n == 0)
			look(notify);
	}
}

/* ---- start ---- */

static enum fail_code load_texts(struct notify *notify, struct fail *f)
{
	const char *folder = notify->conf->templates_directory;
	enum fail_code code = SG_OK;

	for (unsigned int i = 0; code == SG_OK && i < CONF_LANGUAGES; i++) {
		code = template_load(folder, (enum conf_language)i, TEMPLATE_PASSWORD,
		    &notify->texts[i].password, f);
		if (code == SG_OK)
			code = template_load(folder, (enum conf_language)i, TEMPLATE_KEPT,
			    &notify->texts[i].kept, f);
	}
	return code;
}

/* A letter under way is finished first. */
static enum fail_code terminate_descriptor(int *fd_out, struct fail *f)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot block SIGTERM");
	*fd_out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*fd_out < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a descriptor for SIGTERM");
	return SG_OK;
}

static enum fail_code enter_sandbox(const struct notify *notify, struct fail *f)
{
	const char *read_paths[] = {notify->conf->run_directory, "/etc/hosts", "/etc/resolv.conf",
	    "/etc/nsswitch.conf", NULL};
	struct sandbox sandbox = {
		.allow = SANDBOX_FILES_READ | SANDBOX_CONNECT_UNIX | SANDBOX_NETWORK |
		    SANDBOX_THREADS,
		.read_paths = read_paths,
		.reduced = notify->conf->sandbox == CONF_SANDBOX_REDUCED,
	};

	return sandbox_enter(&sandbox, f);
}

static enum fail_code start(struct proc_boot *boot, struct notify *notify, struct fail *f)
{
	enum fail_code code;

	code = conf_decode(boot->config.data, boot->config.size, &notify->conf, f);
	if (code != SG_OK)
		return code;
	log_set_level((enum log_level)notify->conf->log.level);
	notify->path = conf_run_path(notify->conf, CONF_SOCKET_NOTICE);
	if (notify->path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	notify->vault = (struct vault){notify->path, NOTIFY_TIMEOUT_MS};
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fail_set(f, SG_ENOMEM, NULL, "libcurl cannot start");
	code = terminate_descriptor(&notify->terminate, f);
	if (code == SG_OK)
		code = proc_limit(NOTIFY_MEMORY_MAX, NOTIFY_FILES_MAX, 0, f);
	if (code == SG_OK)
		code = proc_drop(notify->conf->users.notify, f);
	if (code == SG_OK)
		code = load_texts(notify, f);
	if (code == SG_OK)
		code = enter_sandbox(notify, f);
	if (code == SG_OK)
		code = proc_worker_ready(boot, "hands letters to Postfix", f);
	return code;
}

int main(int argc, char *argv[])
{
	struct notify notify = {.terminate = -1};
	struct proc_boot boot;
	int status = EX_OK;
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	log_start("sealgate-notify", LOG_LEVEL_NOTICE);
	code = proc_worker_start(argc, argv, &boot, &f);
	if (code == SG_OK)
		code = start(&boot, &notify, &f);
	if (code != SG_OK) {
		proc_worker_failed(&boot, &f);
		status = code == SG_EUSAGE ? EX_CONFIG : EX_TEMPFAIL;
	} else {
		serve(&notify, boot.control);
	}
	for (unsigned int i = 0; i < CONF_LANGUAGES; i++) {
		free(notify.texts[i].password);
		free(notify.texts[i].kept);
	}
	conf_free(notify.conf);
	free(notify.path);
	proc_boot_free(&boot);
	fd_close(&notify.terminate);
	return status;
}
