/*
 * What senders are told by mail: passwords that were generated, how a message goes to whom, and
 * that one was refused behind the front, where Postfix has no client any more to tell it to.
 *
 * Passwords are for senders who have logged in (password.c). The rest holds nothing secret, and
 * comes only where the tenant wants it (tenant.notices), to its own senders, for mail that a person
 * wrote: never about the null sender's, a list's, or a program's.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/language.h"
#include "milter/session_private.h"

#define SUBJECT_TOLD_MAX ((size_t)900)	/* bytes of a raw subject in a letter */

/* A letter; its texts are borrowed but for these. */
struct written {
	struct vault_letter letter;
	char *to;
	char *subject;
	char *message_id;
	char *detail;
	const char **recipients;	/* of a notice */
	unsigned char *notes;
};

static void written_free(struct written *written)
{
	free(written->to);
	free(written->subject);
	free(written->message_id);
	free(written->detail);
	free(written->recipients);
	free(written->notes);
	memset(written, 0, sizeof(*written));
}

/* ---- who is told ---- */

/* RFC 3834, 2, and the fields by which lists and bulk mail name themselves. */
static bool is_automatic(const struct message *message)
{
	const char *submitted = message_header(message, "Auto-Submitted");
	const char *precedence = message_header(message, "Precedence");

	if (submitted != NULL && !str_starts_case(submitted, "no"))
		return true;
	if (precedence != NULL && (str_starts_case(precedence, "bulk") ||
	    str_starts_case(precedence, "list") || str_starts_case(precedence, "junk")))
		return true;
	return message_header(message, "List-Id") != NULL ||
	    message_header(message, "List-Post") != NULL;
}

/* An address behind which there is a program or a list, by its name. */
static bool is_role(const char *address)
{
	const char *at = strrchr(address, '@');
	size_t size = at == NULL ? strlen(address) : (size_t)(at - address);

	return str_starts_case(address, "owner-") || str_starts_case(address, "mailer-daemon@") ||
	    (size > 8 && str_equal_case_n(address + size - 8, "-request", 8)) ||
	    (size > 8 && str_equal_case_n(address + size - 8, "-bounces", 8)) ||
	    (size > 6 && str_equal_case_n(address + size - 6, "-owner", 6));
}

/* Does the tenant want notices of this kind, and is the sender one who may get them? */
static bool wants(const struct session *session, const struct conf_tenant *tenant,
    const char *kind, const char *sender)
{
	struct fail f;
	char *normal = NULL;
	bool own;

	if (tenant == NULL || sender == NULL || sender[0] == '\0' ||
	    !str_list_has_case(&tenant->notices, kind) || is_automatic(&session->message))
		return false;
	fail_clear(&f);
	own = rules_address(sender, &normal, &f) == SG_OK && !is_role(normal) &&
	    conf_tenant_of_domain(session->conf, rules_domain(normal)) == tenant;
	free(normal);
	return own;
}

/* ---- what every letter says ---- */

/* Into a header field of ours: nothing but what a Message-ID is made of. */
static char *clean_id(const struct message *message)
{
	const char *value = message_header(message, "Message-ID");
	size_t size = 0;

	while (value != NULL && value[size] > ' ' && value[size] < 0x7f)
		size++;
	if (size < 3 || size >= VAULT_MESSAGE_ID_MAX || value[0] != '<' || value[size - 1] != '>')
		size = 0;
	return str_dup_n(value == NULL ? "" : value, size);
}

static enum fail_code write_letter(const struct session *session, const struct session_flag *flag,
    const char *sender, struct written *out, struct fail *f)
{
	const char *subject = flag->subject != NULL ? flag->subject :
	    message_header(&session->message, "Subject");
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	code = rules_address(sender, &out->to, f);
	if (code != SG_OK)
		return code;
	if (subject == NULL)
		subject = "";
	out->subject = str_dup_n(subject, strnlen(subject, SUBJECT_TOLD_MAX));
	out->message_id = clean_id(&session->message);
	if (out->subject == NULL || out->message_id == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a letter");
	out->letter.to = out->to;
	out->letter.language = language_of_message(&session->message, flag->tenant->language);
	out->letter.subject = out->subject;
	out->letter.message_id = out->message_id;
	out->letter.time_ms = clock_wall_ms(session->services->clock);
	out->letter.phone = "";
	return SG_OK;
}

static enum fail_code write_password(const struct session *session,
    const struct session_flag *flag, const struct session_telling *telling,
    struct written *out, struct fail *f)
{
	enum fail_code code = write_letter(session, flag, telling->sender, out, f);
	bool hook = session->password_kind == VAULT_SMS || session->password_kind == VAULT_HOOKED;

	out->letter.kind = hook ? VAULT_HOOK : VAULT_LETTER;
	out->letter.keep = flag->tenant->password_for == CONF_FOR_RECIPIENT &&
	    session->password_kind != VAULT_SMS;
	out->letter.phone = session->phone;
	out->letter.password = &session->password;
	out->letter.recipients = telling->recipients;
	out->letter.count = telling->count;
	return code;
}

/* ---- notices ---- */

/* What the mail outside hides does not go into one by its side. */
static bool hides_subject(const struct conf_tenant *tenant)
{
	return tenant->subject_pdf == CONF_SUBJECT_PLACEHOLDER ||
	    tenant->subject_envelope == CONF_SUBJECT_PLACEHOLDER;
}

/* Those of the decisions that have a note; count is 0 if none has. */
static enum fail_code write_notice(const struct session *session, const struct session_flag *flag,
    const char *sender, const struct session_decision *decisions, size_t count,
    struct written *out, struct fail *f)
{
	enum fail_code code = write_letter(session, flag, sender, out, f);

	if (code != SG_OK)
		return code;
	if (hides_subject(flag->tenant))
		out->letter.subject = "";
	out->recipients = calloc(count + 1, sizeof(*out->recipients));
	out->notes = calloc(count + 1, 1);
	if (out->recipients == NULL || out->notes == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a notice");
	for (size_t i = 0; i < count; i++) {
		if (decisions[i].note == VAULT_NO_NOTE)
			continue;
		out->recipients[out->letter.count] = decisions[i].recipient;
		out->notes[out->letter.count++] = (unsigned char)decisions[i].note;
	}
	out->letter.recipients = out->recipients;
	out->letter.notes = out->notes;
	return SG_OK;
}

enum vault_note session_note(const struct session *session, const struct plan *plan)
{
	if (plan->kind == PLAN_INSIDE)
		return VAULT_AS_INSIDE;
	if (plan->kind == PLAN_ROUTED)
		return VAULT_AS_TLS;
	if (plan->kind != PLAN_SEAL)
		return VAULT_NO_NOTE;	/* the second stage knows, and tells */
	if (plan->way == WAY_ENVELOPE)
		return VAULT_AS_ENVELOPE;
	if (plan->password == PLAN_PASSWORD_CHOSEN)
		return VAULT_AS_CHOSEN;
	if (plan->password == PLAN_PASSWORD_OWN)
		return VAULT_AS_RECIPIENT;
	return session->password_kind == VAULT_SMS ? VAULT_AS_SMS :
	    session->password_kind == VAULT_HOOKED ? VAULT_AS_HOOK : VAULT_AS_GENERATED;
}

enum vault_note session_lacking(const struct plan *plan)
{
	return (plan->tried & (WAY_ENVELOPE | WAY_PDF)) == 0 ? VAULT_NO_TLS : VAULT_NO_PROTECTION;
}

/* ---- records with letters ---- */

size_t session_find_told(const struct session *session, const struct session_flag *flag,
    const struct str_list *recipients, const struct plan *plans, const char **told_out)
{
	size_t count = 0;

	/* what a recipient keeps is made at the second stage; a number is for the message */
	if (session->password_kind != VAULT_SMS &&
	    flag->tenant->password_for != CONF_FOR_MESSAGE)
		return 0;
	for (size_t i = 0; i < recipients->count; i++)
		if (plans[i].kind == PLAN_SEAL && plans[i].way == WAY_PDF &&
		    plans[i].password == PLAN_PASSWORD_GENERATED)
			told_out[count++] = recipients->items[i];
	return count;
}

enum fail_code session_record_telling(struct session *session, const struct session_flag *flag,
    const struct session_decision *decisions, size_t count,
    const struct session_telling *telling, struct fail *f)
{
	struct vault_told told = { .tenant = flag->tenant->name, .mark = telling->mark,
		.used_for = telling->used_for, .delivered = telling->delivered };
	enum fail_code code = SG_OK;
	struct written password;
	struct written notice;

	memset(&password, 0, sizeof(password));
	memset(&notice, 0, sizeof(notice));
	if (telling->count > 0) {
		code = write_password(session, flag, telling, &password, f);
		told.letter = &password.letter;
	}
	if (code == SG_OK && wants(session, flag->tenant, CONF_NOTICE_SEALED, telling->sender)) {
		code = write_notice(session, flag, telling->sender, decisions, count, &notice, f);
		notice.letter.kind = VAULT_SEALED;
		told.notice = notice.letter.count > 0 ? &notice.letter : NULL;
	}
	if (code == SG_OK)
		code = session_record_told(session, flag, decisions, count, &told, f);
	written_free(&password);
	written_free(&notice);
	return code;
}

/* ---- refusals ---- */

static enum fail_code record_refusal(struct session *session,
    const struct session_refusal *refusal, struct fail *f)
{
	const struct session_decision decision = { .recipient = refusal->recipient,
		.decision = RECORD_REFUSED, .reason = refusal->why, .note = refusal->note };
	struct vault_told told = { .tenant = refusal->flag->tenant->name, .mark = refusal->mark };
	struct written notice;
	enum fail_code code = write_notice(session, refusal->flag, refusal->sender, &decision, 1,
	    &notice, f);

	if (code == SG_OK) {
		notice.detail = str_dup_n(refusal->why, strnlen(refusal->why,
		    VAULT_REASON_MAX - 1));
		if (notice.detail == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for a notice");
	}
	if (code == SG_OK) {
		str_cut_utf8(notice.detail, VAULT_REASON_MAX);
		notice.letter.kind = VAULT_REFUSED;
		notice.letter.detail = notice.detail;
		if (refusal->sent_ms != 0)
			notice.letter.time_ms = refusal->sent_ms;
		told.notice = &notice.letter;
		code = session_record_told(session, refusal->flag, &decision, 1, &told, f);
	}
	written_free(&notice);
	return code;
}

void session_refuse(struct session *session, const struct session_refusal *refusal)
{
	const struct conf_tenant *tenant = refusal->flag->tenant;
	const char *source = refusal->flag->source;
	struct fail lost;

	fail_clear(&lost);
	if (!wants(session, tenant, CONF_NOTICE_REFUSED, refusal->sender))
		session_record_refused(session, tenant != NULL ? tenant->name : "",
		    source != NULL ? source : "", refusal->recipient, refusal->why);
	else if (record_refusal(session, refusal, &lost) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, session->queue_id, "no-record", &lost);
}

void session_refuse_marked(struct session *session, const struct marked *marked,
    enum vault_note note, const char *why)
{
	const struct session_refusal refusal = { .flag = &marked->flag,
		.sender = marked->decision.sender, .mark = marked->mark,
		.recipient = marked->recipients.items[0], .why = why, .note = note,
		.sent_ms = marked->decision.created_ms };

	session_refuse(session, &refusal);
}
