/* What both stages do: sealing for one recipient, plans, records, failures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/outer.h"
#include "milter/session_private.h"

#define CERTIFICATE_MAX ((size_t)64 * 1024)	/* bytes of DER; real ones have below 4 KB */

void session_fail(struct session *session, enum reply_stage stage, const struct fail *f,
    struct session_outcome *outcome)
{
	struct log_line line;
	bool ours;

	reply_from_fail(stage, f, &outcome->reply);
	outcome->verdict = outcome->reply.code[0] == '5' ? SESSION_REJECT : SESSION_TEMPFAIL;
	/* a temporary failure is ours to mend: an error; a refusal is the day's work */
	ours = outcome->verdict == SESSION_TEMPFAIL;
	log_begin(&line, ours ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, session->queue_id,
	    ours ? "deferred" : "refused");
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

/* Asks the vault for those recipients that need it; answers stand at their own places. */
static enum fail_code ask_possible(struct session *session, const struct session_flag *flag,
    const struct str_list *recipients, struct vault_possible *possible, struct fail *f)
{
	const struct session_services *services = session->services;
	const char **asked = calloc(recipients->count + 1, sizeof(*asked));
	struct vault_possible *answers = calloc(recipients->count + 1, sizeof(*answers));
	size_t count = 0;
	size_t at = 0;
	enum fail_code code = SG_OK;

	if (asked == NULL || answers == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for the plan");
	for (size_t i = 0; i < recipients->count && code == SG_OK; i++)
		if (plan_needs_vault(flag->tenant, recipients->items[i]))
			asked[count++] = recipients->items[i];
	if (code == SG_OK && count > 0)
		code = services->plan(services->context, flag->tenant->name, asked, count,
		    answers, f);
	for (size_t i = 0; i < recipients->count && code == SG_OK; i++)
		if (plan_needs_vault(flag->tenant, recipients->items[i]))
			possible[i] = answers[at++];
	free(asked);
	free(answers);
	return code;
}

enum fail_code session_plan(struct session *session, const struct session_flag *flag,
    const struct str_list *recipients, struct plan *plans_out, struct fail *f)
{
	struct vault_possible *possible = calloc(recipients->count + 1, sizeof(*possible));
	enum fail_code code;

	if (possible == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the plan");
	code = ask_possible(session, flag, recipients, possible, f);
	for (size_t i = 0; i < recipients->count && code == SG_OK; i++)
		plan_make(flag->tenant, recipients->items[i], flag->ways, &possible[i],
		    &plans_out[i]);
	free(possible);
	return code;
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

static enum fail_code make_pdf(struct session *session, const struct session_flag *flag,
    const struct secret *password, struct pdfenc_result *result, struct fail *f)
{
	const struct session_services *services = session->services;
	struct pdfenc_request request;
	struct wire_wait wait = *session->wait;

	memset(&request, 0, sizeof(request));
	request.message = spool_fd(session->spool);
	request.message_size = session->size;
	request.subject = flag->subject;
	request.protection = "Encrypted PDF (AES-256)";
	request.password = password;
	wait.timeout_ms = (int)session->conf->pdf.timeout_ms;
	return services->pdf(services->context, &request, &wait, result, f);
}

static enum fail_code seal_pdf(struct session *session, const struct session_flag *flag,
    const char *recipient, struct edits *edits, char reason_out[VAULT_REASON_MAX],
    struct fail *f)
{
	const struct session_services *services = session->services;
	struct pdfenc_result result;
	struct outer_source source;
	struct secret password;
	enum fail_code code;

	memset(&result, 0, sizeof(result));
	result.pdf = -1;
	secret_init(&password);
	code = services->password(services->context, flag->tenant->name, recipient, &password, f);
	if (code == SG_ENOTFOUND)
		code = fail_set_kind(f, FAIL_TEMPORARY);
	if (code == SG_OK && password.size == 0)
		code = fail_set(f, SG_ECRYPTO, NULL, "the vault gave an empty password");
	if (code == SG_OK)
		code = make_pdf(session, flag, &password, &result, f);
	secret_free(&password);
	if (code == SG_OK) {
		make_source(session, flag, flag->tenant->subject_pdf, &source);
		code = outer_pdf(&source, result.pdf, result.pdf_size, edits, f);
		(void)snprintf(reason_out, VAULT_REASON_MAX, "%u pages, %u attachments",
		    (unsigned int)result.pages, (unsigned int)result.attachments);
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
		code = seal_pdf(session, flag, recipient, edits, reason_out, f);
	else
		code = fail_set(f, SG_ESYSTEM, NULL, "no way to seal for %s", recipient);
	SG_BUG_IF(code == SG_OK && edits->body == NULL);
	return code;
}

/* ---- records ---- */

static const char *verdict_word(enum scan_verdict verdict)
{
	switch (verdict) {
	case SCAN_CLEAN:
		return "clean";
	case SCAN_INFECTED:
		return "infected";
	case SCAN_UNSCANNABLE:
		return "unscannable";
	case SCAN_NO_VERDICT:
		break;
	}
	return "none";
}

static char *verdict_text(const struct session *session)
{
	if (!session->scanned)
		return str_dup("");
	if (session->scan.name[0] == '\0')
		return str_dup(verdict_word(session->scan.verdict));
	return str_printf("%s %s", verdict_word(session->scan.verdict), session->scan.name);
}

/* A field of a record: never longer than records allow, never NULL unless out of memory. */
static char *field(const char *text)
{
	if (text == NULL)
		text = "";
	return str_dup_n(text, strnlen(text, RECORD_TEXT_MAX));
}

static char *message_id(const struct session *session)
{
	const char *value = message_header(&session->message, "Message-ID");
	size_t size = value == NULL ? 0 : strcspn(value, "\r\n");

	size = value == NULL ? 0 : str_trim_end(value, size);
	return str_dup_n(value == NULL ? "" : value,
	    size > RECORD_TEXT_MAX ? RECORD_TEXT_MAX : size);
}

static enum fail_code fill_record(const struct session *session, const char *tenant,
    const char *flagged_by, const struct session_decision *decision, struct record *record)
{
	record->time_ms = clock_wall_ms(session->services->clock);
	record->stage = session->second_stage ? 2 : 1;
	record->decision = (uint8_t)decision->decision;
	record->way = (uint8_t)decision->way;
	record->size = session->size;
	record->tenant = field(tenant);
	record->queue_id = field(session->queue_id);
	record->message_id = message_id(session);
	record->sender = field(session->message.sender);
	record->recipient = field(decision->recipient);
	record->flagged_by = field(flagged_by);
	record->verdict = verdict_text(session);
	record->reason = field(decision->reason);
	if (record->tenant == NULL || record->queue_id == NULL || record->message_id == NULL ||
	    record->sender == NULL || record->recipient == NULL || record->flagged_by == NULL ||
	    record->verdict == NULL || record->reason == NULL)
		return SG_ENOMEM;
	return SG_OK;
}

/* The day's one line about a message. */
static void log_decision(const struct session *session, const char *tenant,
    const struct session_decision *decision, size_t count)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, session->queue_id,
	    record_decision_name(decision->decision));
	log_int(&line, "stage", session->second_stage ? 2 : 1);
	log_str(&line, "from", session->message.sender);
	log_str(&line, "to", decision->recipient);
	log_int(&line, "recipients", (int64_t)count);
	if (tenant[0] != '\0')
		log_str(&line, "tenant", tenant);
	if (decision->way != 0)
		log_str(&line, "way", conf_way_name(decision->way));
	log_int(&line, "size", (int64_t)session->size);
	if (decision->reason != NULL && decision->reason[0] != '\0')
		log_str(&line, "why", decision->reason);
	log_end(&line);
}

enum fail_code session_record(struct session *session, const char *tenant,
    const char *flagged_by, const struct session_decision *decisions, size_t count,
    struct fail *f)
{
	const struct session_services *services = session->services;
	struct record *records = calloc(count + 1, sizeof(*records));
	enum fail_code code = SG_OK;

	if (records == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for records");
	for (size_t i = 0; i < count && code == SG_OK; i++) {
		code = fill_record(session, tenant, flagged_by, &decisions[i], &records[i]);
		if (code != SG_OK)
			(void)fail_set(f, code, NULL, "no memory for records");
	}
	if (code == SG_OK && count > 0)
		code = services->record(services->context, records, count, f);
	/* refusals and deferrals were logged where the failure was, with its reason */
	if (code == SG_OK && count > 0 && decisions[0].decision != RECORD_REFUSED &&
	    decisions[0].decision != RECORD_DEFERRED)
		log_decision(session, tenant, &decisions[0], count);
	records_free(records, count);
	return code;
}

enum fail_code session_record_all(struct session *session, const char *tenant,
    const char *flagged_by, enum record_decision decision, const char *reason, struct fail *f)
{
	const struct str_list *recipients = &session->message.recipients;
	struct session_decision *decisions = calloc(recipients->count + 1, sizeof(*decisions));
	enum fail_code code;

	if (decisions == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for records");
	for (size_t i = 0; i < recipients->count; i++) {
		decisions[i].recipient = recipients->items[i];
		decisions[i].decision = decision;
		decisions[i].reason = reason;
	}
	code = session_record(session, tenant, flagged_by, decisions, recipients->count, f);
	free(decisions);
	return code;
}
