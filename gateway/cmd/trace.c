#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "gateway/cmd/admin.h"

#define COMMAND "trace"

static const char *stage_name(const struct record *record)
{
	return record->stage == 1 ? "front" : "seal";
}

/* --- table --- */

static enum fail_code table_record(struct admin_table *table, const struct record *record)
{
	char when[32];
	const char *way = conf_way_name(record->way);
	const char *const cells[] = {when, stage_name(record), record->recipient,
	    record_decision_name(record->decision), way, record->flagged_by, record->verdict,
	    record->reason};

	admin_time(record->time_ms / 1000, true, when);
	return admin_table_row(table, cells);
}

static enum fail_code put_text(struct buf *out, const char *label, const char *text)
{
	struct admin_table line = {.columns = 2};
	const char *const cells[] = {label, text};
	enum fail_code code = admin_table_row(&line, cells);

	if (code == SG_OK)
		code = admin_table_put(&line, out);
	admin_table_free(&line);
	return code;
}

/* A message's own lines, when its queue id is another than the record's before it. */
static enum fail_code put_message(struct buf *out, const struct record *record, bool first)
{
	char size[32];
	enum fail_code code = first ? SG_OK : buf_append_str(out, "\n");

	(void)snprintf(size, sizeof(size), "%llu bytes", (unsigned long long)record->size);
	if (code == SG_OK)
		code = put_text(out, "queue id:  ", record->queue_id);
	if (code == SG_OK)
		code = put_text(out, "message id:", record->message_id);
	if (code == SG_OK)
		code = put_text(out, "sender:    ",
		    record->sender[0] == '\0' ? "<>" : record->sender);
	if (code == SG_OK)
		code = put_text(out, "tenant:    ",
		    record->tenant[0] == '\0' ? "(none: from outside)" : record->tenant);
	if (code == SG_OK)
		code = put_text(out, "size:      ", size);
	return code;
}

/* The records of one message, from *at on. */
static enum fail_code put_group(const struct record *records, size_t count, size_t *at,
    struct buf *out)
{
	static const char *const heading[] = {"TIME", "STAGE", "RECIPIENT", "DECISION", "WAY",
	    "FLAGGED BY", "VERDICT", "REASON"};
	struct admin_table table = {.columns = sizeof(heading) / sizeof(heading[0])};
	const struct record *head = &records[*at];
	enum fail_code code;

	code = put_message(out, head, *at == 0);
	if (code == SG_OK)
		code = admin_table_row(&table, heading);
	for (; code == SG_OK && *at < count; (*at)++) {
		if (strcmp(records[*at].queue_id, head->queue_id) != 0)
			break;
		code = table_record(&table, &records[*at]);
	}
	if (code == SG_OK)
		code = admin_table_put(&table, out);
	admin_table_free(&table);
	return code;
}

static enum fail_code put_table(const struct record *records, size_t count, struct buf *out)
{
	enum fail_code code = SG_OK;
	size_t at = 0;

	while (code == SG_OK && at < count)
		code = put_group(records, count, &at, out);
	return code;
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
	};
	enum fail_code code = admin_json_int(out, true, "time_ms", record->time_ms);
	size_t i;

	for (i = 0; code == SG_OK && i < sizeof(members) / sizeof(members[0]); i++)
		code = admin_json_str(out, false, members[i].name, members[i].value);
	if (code == SG_OK)
		code = admin_json_int(out, false, "size", (int64_t)record->size);
	return code == SG_OK ? buf_append_str(out, "}") : code;
}

static enum fail_code put_json(const struct record *records, size_t count, struct buf *out)
{
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; code == SG_OK && i < count; i++) {
		code = buf_append_str(out, i == 0 ? "[" : ",\n ");
		if (code == SG_OK)
			code = json_record(&records[i], out);
	}
	return code == SG_OK ? buf_append_str(out, "]\n") : code;
}

/* --- run --- */

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
	else if (code == SG_OK && (json ? put_json(records, count, &out) :
	    put_table(records, count, &out)) != SG_OK)
		code = fail_set(&f, SG_ENOMEM, NULL, "no memory for the records");
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
	.help = "what was decided for each recipient of a message, and why",
	.run = trace_run,
};
