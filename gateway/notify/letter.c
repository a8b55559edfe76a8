/*
 * Letters: each becomes a message under a mark of the vault, by which the filter at Postfix knows
 * it, takes it once, and lets one with a password go only to a mailbox here or over proven TLS. It
 * leaves the outbox when Postfix has said 250. What Postfix refuses is tried again with growing
 * pauses.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/step.h"
#include "gateway/base/str.h"
#include "gateway/notify/notify.h"
#include "gateway/notify/send.h"

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

void notify_log(const struct vault_notice *notice, enum log_level level, const char *event,
    const struct fail *f)
{
	char id[2 * VAULT_NOTICE_ID + 1];
	struct log_line line;

	str_hex(notice->id, VAULT_NOTICE_ID, id);
	log_begin(&line, level, NULL, event);
	log_str(&line, "tenant", notice->tenant);
	log_str(&line, notice->kind == VAULT_HOOK ? "from" : "to", notice->to);
	log_str(&line, "notice", id);
	if (f != NULL)
		log_fail(&line, f);
	log_end(&line);
}

enum outcome { TOLD, TOLD_LATER, TOLD_NEVER };

static const char *event_of(const struct vault_notice *notice, enum outcome outcome)
{
	static const char *const names[3][3] = {
		{ "password-told", "password-not-told-yet", "password-not-told-given-up" },
		{ "failure-told", "failure-not-told-yet", "failure-not-told-given-up" },
		{ "notice-sent", "notice-not-sent-yet", "notice-given-up" },
	};

	return names[compose_is_notice(notice) ? 2 : notice->kind == VAULT_UNHANDED][outcome];
}

/*
 * Later: the vault says when. That a sender waits for a password is for an administrator to know. A
 * notice that is not wanted where the sender is said to live is not carried there again: no bounce
 * could go there either.
 */
static enum fail_code again(const struct notify *notify, const struct vault_notice *notice,
    const struct fail *why, struct fail *f)
{
	bool plain = compose_is_notice(notice);
	bool given_up = plain && why->kind == FAIL_PERMANENT;
	enum fail_code code = given_up ? vault_notice_done(&notify->vault, notice->id, f) :
	    vault_notice_again(&notify->vault, notice->id, &given_up, f);

	notify_log(notice, plain ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR, event_of(notice,
	    given_up ? TOLD_NEVER : TOLD_LATER), why);
	return code;
}

/* An earlier try of ours got through, but we died before the 250. */
static bool is_taken(const char *reply)
{
	return strstr(reply, VAULT_NOTICE_TAKEN) != NULL;
}

enum fail_code notify_letter(const struct notify *notify, const struct vault_notice *notice,
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
	STEP("letter-made");
	code = send_message(notify->conf->notify.server, at == NULL ? "localhost" : at + 1,
	    notice->to, &message, reply, &why);
	STEP("letter-handed");
	if (code == SG_OK || is_taken(reply)) {
		code = vault_notice_done(&notify->vault, notice->id, f);
		notify_log(notice, LOG_LEVEL_NOTICE, event_of(notice, TOLD), NULL);
	} else {
		code = again(notify, notice, &why, f);
	}
out:
	buf_free(&message);
	free(sender);
	return code;
}
