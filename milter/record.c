/* What becomes durable about a message before Postfix is told yes. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/session_private.h"

static const char *verdict_word(enum scan_verdict verdict)
{
	switch (verdict) {
	case SCAN_CLEAN:
		return "clean";
	case SCAN_INFECTED:
		return "infected";
	case SCAN_UNSCANNABLE:
		return "unscannable";
	case SCAN_ENCRYPTED:
		return "encrypted";
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
	record->stage = (uint8_t)session->stage;
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
	log_int(&line, "stage", (int64_t)session->stage);
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

/* Who is told about in the records, and what becomes durable with them. */
struct scope {
	const char *tenant;
	const char *flagged_by;
	const char *used;		/* a mark that is used up, or NULL */
	const struct vault_told *told;	/* letters and more, or NULL */
};

static enum fail_code store(struct session *session, const struct scope *scope,
    const struct record *records, size_t count, struct fail *f)
{
	const struct session_services *services = session->services;

	if (count == 0)
		return SG_OK;
	if (scope->told != NULL)
		return services->record_told(services->context, scope->told, records, count, f);
	if (scope->used == NULL)
		return services->record(services->context, records, count, f);
	return services->record_once(services->context, scope->used, records[0].recipient,
	    records, count, f);
}

static enum fail_code record_all(struct session *session, const struct scope *scope,
    const struct session_decision *decisions, size_t count, struct fail *f)
{
	struct record *records = calloc(count + 1, sizeof(*records));
	enum fail_code code = SG_OK;

	if (records == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for records");
	for (size_t i = 0; i < count && code == SG_OK; i++) {
		code = fill_record(session, scope->tenant, scope->flagged_by, &decisions[i],
		    &records[i]);
		if (code != SG_OK)
			(void)fail_set(f, code, NULL, "no memory for records");
	}
	if (code == SG_OK)
		code = store(session, scope, records, count, f);
	for (size_t i = 0; i < count && code == SG_OK; i++)
		counters_decided(session->services->counters, session->stage,
		    decisions[i].decision);
	/* refusals and deferrals were logged where the failure was, with its reason */
	if (code == SG_OK && count > 0 && decisions[0].decision != RECORD_REFUSED &&
	    decisions[0].decision != RECORD_DEFERRED)
		log_decision(session, scope->tenant, &decisions[0], count);
	records_free(records, count);
	return code;
}

enum fail_code session_record(struct session *session, const char *tenant,
    const char *flagged_by, const struct session_decision *decisions, size_t count,
    struct fail *f)
{
	const struct scope scope = { tenant, flagged_by, NULL, NULL };

	return record_all(session, &scope, decisions, count, f);
}

enum fail_code session_record_used(struct session *session, const struct session_flag *flag,
    const char *mark, const struct session_decision *decision, struct fail *f)
{
	const struct scope scope = { flag->tenant->name, flag->source, mark, NULL };

	return record_all(session, &scope, decision, 1, f);
}

enum fail_code session_record_told(struct session *session, const struct session_flag *flag,
    const struct session_decision *decisions, size_t count, const struct vault_told *told,
    struct fail *f)
{
	bool more = told->letter != NULL || told->notice != NULL || told->used_for != NULL ||
	    told->delivered != NULL;
	const struct scope scope = { flag->tenant->name, flag->source != NULL ? flag->source : "",
	    NULL, more ? told : NULL };

	return record_all(session, &scope, decisions, count, f);
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

void session_record_refused(struct session *session, const char *tenant, const char *flagged_by,
    const char *recipient, const char *reason)
{
	const struct session_decision decision = { .recipient = recipient,
		.decision = RECORD_REFUSED, .reason = reason };
	struct fail lost;

	fail_clear(&lost);
	if (session_record(session, tenant, flagged_by, &decision, 1, &lost) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, session->queue_id, "no-record", &lost);
}
