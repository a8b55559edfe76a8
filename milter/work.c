/* What all stages do: sealing for one recipient, failures and their words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/phrase.h"
#include "gateway/base/step.h"
#include "gateway/base/str.h"
#include "milter/cover.h"
#include "milter/language.h"
#include "milter/outer.h"
#include "milter/session_private.h"

#define CERTIFICATE_MAX ((size_t)64 * 1024)	/* bytes of DER; real ones have below 4 KB */

void session_fail(struct session *session, enum reply_stage stage, const struct fail *f,
    struct session_outcome *outcome)
{
	struct log_line line;
	bool waits = stage == REPLY_WAIT || stage == REPLY_NO_TLS;
	bool ours;

	reply_from_fail(stage, f, &outcome->reply);
	outcome->verdict = outcome->reply.code[0] == '5' ? SESSION_REJECT : SESSION_TEMPFAIL;
	counters_refused(session->services->counters, stage, outcome->verdict == SESSION_REJECT);
	/* a temporary failure is ours to mend: an error; a refusal is the day's work */
	ours = outcome->verdict == SESSION_TEMPFAIL && !waits;
	log_begin(&line, ours ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, session->queue_id,
	    ours ? "deferred" : outcome->verdict == SESSION_TEMPFAIL ? "waits" : "refused");
	log_str(&line, "from", session->message.sender);
	log_int(&line, "recipients", (int64_t)session->message.recipients.count);
	log_fail(&line, f);
	log_end(&line);
}

enum fail_code session_recipients(struct session *session, struct str_list *normal_out,
    struct fail *f)
{
	const struct str_list *given = &session->message.recipients;
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < given->count && code == SG_OK; i++) {
		char *normal = NULL;

		code = rules_address(given->items[i], &normal, f);
		if (code == SG_OK && str_list_add(normal_out, normal) != SG_OK)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for recipients");
		free(normal);
	}
	return code;
}

/* The words for what was tried in vain, by the bits of enum conf_way. */
static const char *missing_words(unsigned int tried)
{
	static const char *const words[1 << WAY_COUNT] = {
		[WAY_ENVELOPE] = "there is no usable certificate",
		[WAY_PDF] = "there is no password",
		[WAY_ENVELOPE | WAY_PDF] = "there is no usable certificate or password",
		[WAY_TLS] = "TLS is not proven for its mail server, so that TLS alone is no "
		    "protection",
		[WAY_TLS | WAY_ENVELOPE] = "there is no usable certificate, and TLS is not proven "
		    "for its mail server",
		[WAY_TLS | WAY_PDF] = "there is no password, and TLS is not proven for its mail "
		    "server",
		[WAY_TLS | WAY_ENVELOPE | WAY_PDF] = "there is no usable certificate or password, "
		    "and TLS is not proven for its mail server",
	};
	const char *found = words[tried % (1u << WAY_COUNT)];

	return found != NULL ? found : "its tenant has none";
}

enum fail_code session_impossible(const struct session *session, const char *recipient,
    const struct plan *plan, struct fail *f)
{
	bool tls_alone = (plan->tried & (WAY_ENVELOPE | WAY_PDF)) == 0;
	struct log_line line;

	/* what exactly was missing is for the administrator */
	log_begin(&line, LOG_LEVEL_NOTICE, session->queue_id, "impossible");
	log_str(&line, "to", recipient);
	log_str(&line, "why", plan->why);
	log_end(&line);
	return fail_set(f, SG_EIMPOSSIBLE, tls_alone ?
	    "Ask for another protection, such as [secure], or ask your mail administrator" :
	    "Ask your mail administrator to add one, or send the message without the tag",
	    "No protection is possible for %s: %s. The message was %s",
	    recipient, missing_words(plan->tried), session->stage == STAGE_FRONT ?
	    "sent to nobody" : "not sent to it");
}

/* ---- sealing ---- */

static void make_source(const struct session *session, const struct session_flag *flag,
    enum conf_subject subject, struct outer_source *source)
{
	memset(source, 0, sizeof(*source));
	source->message = &session->message;
	source->body = session_body_data(session, &source->body_size);
	source->subject = flag->subject;
	source->placeholder = subject == CONF_SUBJECT_PLACEHOLDER ?
	    flag->tenant->subject_placeholder : NULL;
	source->cache = session->services->cache;
	source->spool_directory = session->conf->spool_directory;
	source->memory_max = session->conf->message.memory_max;
}

static enum fail_code seal_envelope(struct session *session, const struct session_flag *flag,
    const char *recipient, struct edits *edits, char reason_out[VAULT_REASON_MAX],
    struct fail *f)
{
	const struct session_services *services = session->services;
	struct envelope_certificate certificate;
	struct outer_source source;
	char fingerprint[65];
	struct buf der;
	enum fail_code code;

	buf_init(&der, CERTIFICATE_MAX);
	code = services->certificate(services->context, flag->tenant->name, recipient, &der, f);
	/* it was there when the plan was made: gone since is a reason to ask again */
	if (code == SG_ENOTFOUND)
		code = fail_set_kind(f, FAIL_TEMPORARY);
	if (code == SG_OK) {
		certificate.der = der.data;
		certificate.size = der.size;
		envelope_fingerprint(&certificate, fingerprint);
		(void)snprintf(reason_out, VAULT_REASON_MAX, "certificate %s", fingerprint);
		make_source(session, flag, flag->tenant->subject_envelope, &source);
		code = outer_envelope(&source, &certificate, 1, edits, f);
	}
	buf_free(&der);
	return code;
}

/* For the record: whose password. */
static const char *password_words(const struct session *session, const struct plan *plan)
{
	if (plan->password == PLAN_PASSWORD_CHOSEN)
		return ", password chosen by the sender";
	if (plan->password != PLAN_PASSWORD_GENERATED)
		return "";
	return session->password_kind == VAULT_SMS ? ", password generated for a number" :
	    session->password_kind == VAULT_HOOKED ? ", password generated for the hook" :
	    ", password generated";
}

static enum cover_how how_of(const struct session *session, const struct plan *plan)
{
	if (plan->password == PLAN_PASSWORD_CHOSEN)
		return COVER_CHOSEN;
	if (plan->password != PLAN_PASSWORD_GENERATED)
		return COVER_RECIPIENT;
	return session->password_kind == VAULT_SMS ? COVER_SMS :
	    session->password_kind == VAULT_HOOKED ? COVER_HOOK : COVER_GENERATED;
}

/* What the mail around the PDF says. */
static void make_cover(const struct session *session, const struct session_flag *flag,
    const char *recipient, const struct plan *plan, const struct pdfenc_result *result,
    struct cover *cover)
{
	memset(cover, 0, sizeof(*cover));
	cover->conf = session->conf;
	cover->tenant = flag->tenant;
	cover->language = language_of_message(&session->message, flag->tenant->language);
	cover->how = how_of(session, plan);
	/* its end alone: the mail may come to others as well */
	if (cover->how == COVER_SMS && strlen(session->phone) > 2)
		cover->number = session->phone + strlen(session->phone) - 2;
	cover->recipient = recipient;
	cover->files = result->attachments > 0;
	cover->invitation = (result->flags & PDFENC_INVITATION) != 0;
}

static enum fail_code make_pdf(struct session *session, const struct session_flag *flag,
    const char *recipient, const struct secret *password, struct pdfenc_result *result,
    struct fail *f)
{
	const struct session_services *services = session->services;
	struct pdfenc_request request;
	struct wire_wait wait = *session->wait;
	struct fail why;
	enum fail_code code;

	fail_clear(&why);
	memset(&request, 0, sizeof(request));
	request.message = spool_fd(session->spool);
	request.message_size = session->size;
	request.subject = flag->subject;
	request.language = (unsigned char)language_of_message(&session->message,
	    flag->tenant->language);
	request.tenant = flag->tenant->name;
	request.password = password;
	wait.timeout_ms = (int)session->conf->pdf.timeout_ms;
	code = services->pdf(services->context, &request, &wait, result, &why);
	if (code == SG_OK)
		return SG_OK;
	/* the message is the cause: its sender hears of it, and what else can be done */
	if (why.kind == FAIL_PERMANENT)
		(void)fail_set(f, why.code, "Ask the recipient for a certificate, or send it in "
		    "parts", "The message cannot be made a PDF for %s: %s", recipient, why.what);
	else
		*f = why;
	return code;
}

/* The password that the plan says, in *own where it is the recipient's. */
static enum fail_code find_password(struct session *session, const struct session_flag *flag,
    const char *recipient, const struct plan *plan, struct secret *own, struct fail *f)
{
	const struct session_services *services = session->services;
	enum fail_code code;

	if (plan->password == PLAN_PASSWORD_OWN) {
		code = services->password(services->context, flag->tenant->name, recipient, own,
		    f);
		return code == SG_ENOTFOUND ? fail_set_kind(f, FAIL_TEMPORARY) : code;
	}
	/* what a recipient keeps is of no other: not that of the message */
	if (plan->password == PLAN_PASSWORD_GENERATED && session->password_kind != VAULT_SMS &&
	    flag->tenant->password_for == CONF_FOR_RECIPIENT)
		return phrase_make(&session->password, f);
	return SG_OK;
}

static enum fail_code seal_pdf(struct session *session, const struct session_flag *flag,
    const char *recipient, const struct plan *plan, struct edits *edits,
    char reason_out[VAULT_REASON_MAX], struct fail *f)
{
	struct pdfenc_result result;
	struct outer_source source;
	struct cover cover;
	const struct secret *password = &session->password;
	struct secret own;
	enum fail_code code;

	memset(&result, 0, sizeof(result));
	result.pdf = -1;
	secret_init(&own);
	code = find_password(session, flag, recipient, plan, &own, f);
	if (plan->password == PLAN_PASSWORD_OWN)
		password = &own;
	if (code == SG_OK && password->size == 0)
		code = fail_set(f, SG_ECRYPTO, NULL, "the vault gave an empty password");
	if (code == SG_OK)
		code = make_pdf(session, flag, recipient, password, &result, f);
	secret_free(&own);
	if (code == SG_OK) {
		make_source(session, flag, flag->tenant->subject_pdf, &source);
		make_cover(session, flag, recipient, plan, &result, &cover);
		source.cover = &cover;
		code = outer_pdf(&source, result.pdf, result.pdf_size, edits, f);
		(void)snprintf(reason_out, VAULT_REASON_MAX, "%u pages, %u attachments%s",
		    (unsigned int)result.pages, (unsigned int)result.attachments,
		    password_words(session, plan));
	}
	fd_close(&result.pdf);
	return code;
}

enum fail_code session_seal(struct session *session, const struct session_flag *flag,
    const char *recipient, const struct plan *plan, struct edits *edits,
    char reason_out[VAULT_REASON_MAX], struct fail *f)
{
	enum fail_code code;

	reason_out[0] = '\0';
	if (plan->way == WAY_ENVELOPE)
		code = seal_envelope(session, flag, recipient, edits, reason_out, f);
	else if (plan->way == WAY_PDF)
		code = seal_pdf(session, flag, recipient, plan, edits, reason_out, f);
	else
		code = fail_set(f, SG_ESYSTEM, NULL, "no way to seal for %s", recipient);
	SG_BUG_IF(code == SG_OK && edits->body == NULL);
	STEP("sealed");
	return code;
}
