#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "gateway/base/str.h"
#include "gateway/cmd/admin.h"

#define COMMAND "trace"

static const char *stage_name(const struct record *record)
{
	static const char *const names[] = {
		[1] = "front",
		[2] = "seal",
		[3] = "fallback",
		[4] = "delivery",
		[5] = "rule",
	};

	if (record->stage >= sizeof(names) / sizeof(names[0]) || names[record->stage] == NULL)
		return "unknown";
	return names[record->stage];
}

/* --- order --- */

struct placed {
	const struct record *record;
	size_t place;		/* in the vault's order */
};

/*
 * By second, then as recorded: Postfix's log has no finer time, and what was read from it late
 * (the program was stopped) was recorded late.
 */
static int compare(const void *a, const void *b)
{
	const struct placed *one = a;
	const struct placed *two = b;
	int64_t first = one->record->time_ms / 1000;
	int64_t second = two->record->time_ms / 1000;

	if (first != second)
		return first < second ? -1 : 1;
	return one->place < two->place ? -1 : 1;
}

static struct placed *in_order(const struct record *records, size_t count)
{
	struct placed *placed = calloc(count, sizeof(*placed));
	size_t i;

	for (i = 0; placed != NULL && i < count; i++)
		placed[i] = (struct placed){&records[i], i};
	if (placed != NULL)
		qsort(placed, count, sizeof(*placed), compare);
	return placed;
}

/* --- table --- */

/* Appends ", text", or what stands instead of the comma at the beginning. */
static enum fail_code put_part(struct buf *out, const char *before, const char *text)
{
	enum fail_code code = SG_OK;

	if (text[0] == '\0')
		return SG_OK;
	if (out->size > 0)
		code = buf_append_str(out, ", ");
	if (code == SG_OK)
		code = buf_append_str(out, before);
	return code == SG_OK ? buf_append_str(out, text) : code;
}

static enum fail_code put_decided(struct buf *out, const struct record *record)
{
	const char *way = conf_way_name(record->way);
	enum fail_code code = put_part(out, "as ", way == NULL ? "" : way);

	if (code == SG_OK)
		code = put_part(out, "flagged by ", record->flagged_by);
	if (code == SG_OK)
		code = put_part(out, "scan: ", record->verdict);
	return code == SG_OK ? put_part(out, "", record->reason) : code;
}

/* "to mx.example[192.0.2.1]:25, TLSv1.3 TLS_AES_256_GCM_SHA384 verified: 250 2.0.0 Ok" */
static enum fail_code put_delivery(struct buf *out, const struct record *record)
{
	bool sent = record->decision == RECORD_DELIVERED;
	enum fail_code code;

	if (record->reason[0] != '\0')
		code = put_part(out, "to our own ", record->reason);
	else
		code = put_part(out, sent ? "to " : "tried ", record->hop);
	if (code == SG_OK && record->reason[0] == '\0')
		code = put_part(out, "", record->tls[0] != '\0' ? record->tls :
		    sent && strchr(record->hop, '[') != NULL ? "no TLS seen" : "");
	if (code == SG_OK && record->answer[0] != '\0')
		code = buf_append_str(out, out->size > 0 ? ": " : "");
	return code == SG_OK ? buf_append_str(out, record->answer) : code;
}

static enum fail_code put_row(struct admin_table *table, const struct record *record)
{
	const char *decision = record_decision_name(record->decision);
	enum fail_code code;
	struct buf details;
	char when[32];

	buf_init(&details, (size_t)16 * RECORD_TEXT_MAX);
	admin_time(record->time_ms / 1000, true, when);
	code = record->stage == 4 ? put_delivery(&details, record) : put_decided(&details, record);
	if (record->stage == 4 && record->decision == RECORD_DELIVERED &&
	    record->reason[0] != '\0')
		decision = "handed on";
	if (code == SG_OK && buf_str(&details) == NULL)
		code = SG_ENOMEM;
	if (code == SG_OK) {
		const char *const cells[] = {when, record->queue_id, stage_name(record),
		    record->recipient[0] == '\0' ? "(all)" : record->recipient, decision,
		    buf_str(&details)};

		code = admin_table_row(table, cells);
	}
	buf_free(&details);
	return code;
}

static enum fail_code put_pair(struct admin_table *table, const char *label, const char *text)
{
	const char *const cells[] = {label, text};

	return admin_table_row(table, cells);
}

/* What all records of the message share. */
static enum fail_code put_message(struct buf *out, const struct record *record)
{
	struct admin_table table = {.columns = 2};
	enum fail_code code;
	char size[32];

	(void)snprintf(size, sizeof(size), "%llu bytes", (unsigned long long)record->size);
	code = put_pair(&table, "message id:",
	    record->message_id[0] == '\0' ? "(unknown)" : record->message_id);
	if (code == SG_OK)
		code = put_pair(&table, "sender:",
		    record->sender[0] == '\0' ? "<>" : record->sender);
	if (code == SG_OK)
		code = put_pair(&table, "tenant:",
		    record->tenant[0] == '\0' ? "(none: from outside)" : record->tenant);
	if (code == SG_OK && record->size > 0)
		code = put_pair(&table, "size:", size);
	if (code == SG_OK)
		code = admin_table_put(&table, out);
	admin_table_free(&table);
	return code == SG_OK ? buf_append_str(out, "\n") : code;
}

/* --- what still waits --- */

static bool same_delivery(const struct record *one, const struct record *two)
{
	return strcmp(one->queue_id, two->queue_id) == 0 &&
	    (one->recipient[0] == '\0' || two->recipient[0] == '\0' ||
	    strcmp(one->recipient, two->recipient) == 0);
}

/* Nothing after placed[at] says more about its delivery. */
static bool is_last(const struct placed *placed, size_t count, size_t at)
{
	size_t i;

	for (i = at + 1; i < count; i++)
		if (placed[i].record->stage == 4 &&
		    same_delivery(placed[i].record, placed[at].record))
			return false;
	return true;
}

/* The first failure of the delivery: since when it waits. */
static int64_t waits_since(const struct placed *placed, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (placed[i].record->decision == RECORD_WAITING &&
		    same_delivery(placed[i].record, placed[at].record))
			return placed[i].record->time_ms;
	return placed[at].record->time_ms;
}

static enum fail_code put_waiting(const struct placed *placed, size_t count, struct buf *out)
{
	struct admin_table table = {.columns = 1};
	enum fail_code code = SG_OK;
	const struct record *record;
	const char *cells[1];
	char since[32];
	char *text;
	size_t i;

	for (i = 0; code == SG_OK && i < count; i++) {
		record = placed[i].record;
		if (record->decision != RECORD_WAITING || !is_last(placed, count, i))
			continue;
		admin_time(waits_since(placed, i) / 1000, true, since);
		text = str_printf("waits for %s since %s; last reason: %s",
		    record->recipient[0] == '\0' ? "all recipients" : record->recipient, since,
		    record->answer);
		cells[0] = text;
		code = text == NULL ? SG_ENOMEM : admin_table_row(&table, cells);
		free(text);
	}
	if (code == SG_OK && table.cells.count > 0)
		code = buf_append_str(out, "\n");
	if (code == SG_OK)
		code = admin_table_put(&table, out);
	admin_table_free(&table);
	return code;
}

/* The message's own lines come from the record that knows most: the first decision. */
static const struct record *head_of(const struct placed *placed, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (placed[i].record->stage <= 3)
			return placed[i].record;
	return placed[0].record;
}

static enum fail_code put_table(const struct placed *placed, size_t count, struct buf *out)
{
	static const char *const heading[] = {"TIME", "QUEUE ID", "STAGE", "RECIPIENT", "DECISION",
	    "DETAILS"};
	struct admin_table table = {.columns = sizeof(heading) / sizeof(heading[0])};
	enum fail_code code = put_message(out, head_of(placed, count));
	size_t i;

	if (code == SG_OK)
		code = admin_table_row(&table, heading);
	for (i = 0; code == SG_OK && i < count; i++)
		code = put_row(&table, placed[i].record);
	if (code == SG_OK)
		code = admin_table_put(&table, out);
	admin_table_free(&table);
	return code == SG_OK ? put_waiting(placed, count, out) : code;
}

/* --- JSON --- */

static enum fail_code json_record(const struct record *record, struct buf *out)
{
	const struct {
		const char *name;
		const char *value;
	} members[] = {
		{"tenant", record->tenant},
		{"stage", stage_name(record)},
		{"queue_id", record->queue_id},
		{"message_id", record->message_id},
		{"sender", record->sender},
		{"recipient", record->recipient},
		{"decision", record_decision_name(record->decision)},
		{"way", conf_way_name(record->way)},
		{"flagged_by", record->flagged_by},
		{"verdict", record->verdict},
		{"reason", record->reason},
		{"hop", record->hop},
		{"tls", record->tls},
		{"answer", record->answer},
	};
	enum fail_code code = admin_json_int(out, true, "time_ms", record->time_ms);
	size_t i;

	for (i = 0; code == SG_OK && i < sizeof(members) / sizeof(members[0]); i++)
		code = admin_json_str(out, false, members[i].name, members[i].value);
	if (code == SG_OK)
		code = admin_json_int(out, false, "size", (int64_t)record->size);
	return code == SG_OK ? buf_append_str(out, "}") : code;
}

static enum fail_code put_json(const struct placed *placed, size_t count, struct buf *out)
{
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; code == SG_OK && i < count; i++) {
		code = buf_append_str(out, i == 0 ? "[" : ",\n ");
		if (code == SG_OK)
			code = json_record(placed[i].record, out);
	}
	return code == SG_OK ? buf_append_str(out, "]\n") : code;
}

/* --- run --- */

static enum fail_code put_records(const struct record *records, size_t count, bool json,
    struct buf *out, struct fail *f)
{
	struct placed *placed = in_order(records, count);
	enum fail_code code = placed == NULL ? SG_ENOMEM :
	    json ? put_json(placed, count, out) : put_table(placed, count, out);

	free(placed);
	if (code == SG_OK)
		return SG_OK;
	return fail_set(f, SG_ENOMEM, NULL, "no memory for the records");
}

static int trace(const struct admin *admin, const char *id, bool json)
{
	struct record *records = NULL;
	enum fail_code code;
	size_t count = 0;
	struct buf out;
	struct fail f;
	int status;

	fail_clear(&f);
	buf_init(&out, ADMIN_OUTPUT_MAX);
	code = vault_trace(&admin->vault, id, &records, &count, &f);
	if (code == SG_OK && count == 0)
		code = fail_set(&f, SG_ENOTFOUND, "is it Postfix's queue id, or the Message-ID?",
		    "there is no record of %s", id);
	else if (code == SG_OK)
		code = put_records(records, count, json, &out, &f);
	status = code == SG_OK ? admin_print(COMMAND, &out) : cmd_fail(COMMAND, &f);
	records_free(records, count);
	buf_free(&out);
	return status;
}

static int trace_run(int argc, char *argv[])
{
	struct admin_options options;
	struct admin admin;
	int first;
	int status;

	status = admin_parse(&cmd_trace, argc, argv, ADMIN_JSON, &options, &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_trace);
	if (argc - first != 1)
		return cmd_usage(&cmd_trace);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	status = trace(&admin, argv[first], options.json);
	admin_close(&admin);
	return status;
}

const struct cmd cmd_trace = {
	.name = COMMAND,
	.usage = "trace [--json] ID",
	.help = "the whole way of a message: what was decided and why, and each delivery",
	.run = trace_run,
};
