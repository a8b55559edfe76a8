#include "gateway/vault/record.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/vault/packets.h"

#define RECORD_WAYS 0x07u	/* every bit of enum conf_way; base knows no configuration */

const char *record_decision_name(unsigned int decision)
{
	static const char *const names[] = {
		[RECORD_PASSED] = "passed",
		[RECORD_SEALED] = "sealed",
		[RECORD_MARKED] = "marked",
		[RECORD_INSIDE] = "inside",
		[RECORD_REFUSED] = "refused",
		[RECORD_DEFERRED] = "deferred",
		[RECORD_HELD] = "held",
		[RECORD_ROUTED] = "routed",
		[RECORD_DELIVERED] = "delivered",
		[RECORD_WAITING] = "waiting",
		[RECORD_BOUNCED] = "bounced",
		[RECORD_RULE] = "rule",
	};

	if (decision >= sizeof(names) / sizeof(names[0]) || names[decision] == NULL)
		return "unknown";
	return names[decision];
}

static bool record_in_range(const struct record *record, unsigned int version)
{
	unsigned int decision_max = version == 1 ? RECORD_HELD : RECORD_RULE;
	unsigned int stage_max = version == 1 ? 2 : 5;

	return record->decision >= RECORD_PASSED && record->decision <= decision_max &&
	    record->stage >= 1 && record->stage <= stage_max && (record->way & ~RECORD_WAYS) == 0;
}

static void record_put_text(struct packet_writer *p, const char *text)
{
	if (text != NULL && strlen(text) > RECORD_TEXT_MAX && p->code == SG_OK)
		p->code = SG_ELIMIT;
	packet_put_str(p, text);
}

enum fail_code record_encode(const struct record *record, struct buf *out)
{
	size_t before = out->size;
	struct packet_writer p = packet_write(out);

	if (!record_in_range(record, RECORD_VERSION))
		return SG_EFORMAT;
	packet_put_u8(&p, RECORD_VERSION);
	packet_put_i64(&p, record->time_ms);
	record_put_text(&p, record->tenant);
	packet_put_u8(&p, record->stage);
	record_put_text(&p, record->queue_id);
	record_put_text(&p, record->message_id);
	record_put_text(&p, record->sender);
	record_put_text(&p, record->recipient);
	packet_put_u8(&p, record->decision);
	packet_put_u8(&p, record->way);
	record_put_text(&p, record->flagged_by);
	record_put_text(&p, record->verdict);
	record_put_text(&p, record->reason);
	packet_put_u64(&p, record->size);
	record_put_text(&p, record->hop);
	record_put_text(&p, record->tls);
	record_put_text(&p, record->answer);
	if (p.code != SG_OK)
		out->size = before;
	return p.code;
}

static void record_get_text(struct packet_reader *p, char **text_out)
{
	if (p->code == SG_OK)
		p->code = buf_get_str(&p->reader, RECORD_TEXT_MAX, text_out);
}

static void record_no_text(struct packet_reader *p, char **text_out)
{
	if (p->code != SG_OK)
		return;
	*text_out = calloc(1, 1);
	if (*text_out == NULL)
		p->code = SG_ENOMEM;
}

/* Version 1 knew no deliveries. */
static void record_get_delivery(struct packet_reader *p, unsigned int version,
    struct record *record)
{
	void (*get)(struct packet_reader *, char **) = version == 1 ? record_no_text :
	    record_get_text;

	get(p, &record->hop);
	get(p, &record->tls);
	get(p, &record->answer);
}

enum fail_code record_decode(const void *data, size_t size, struct record *record_out, struct fail
    *f)
{
	uint8_t version = 0;
	struct record record;
	struct packet_reader p = {.code = SG_OK};

	memset(&record, 0, sizeof(record));
	memset(record_out, 0, sizeof(*record_out));
	buf_reader_init(&p.reader, data, size);
	packet_get_u8(&p, &version);
	if (p.code == SG_OK && (version < 1 || version > RECORD_VERSION))
		return fail_set(f, SG_EFORMAT, NULL, "record of unknown version %u", version);
	packet_get_i64(&p, &record.time_ms);
	record_get_text(&p, &record.tenant);
	packet_get_u8(&p, &record.stage);
	record_get_text(&p, &record.queue_id);
	record_get_text(&p, &record.message_id);
	record_get_text(&p, &record.sender);
	record_get_text(&p, &record.recipient);
	packet_get_u8(&p, &record.decision);
	packet_get_u8(&p, &record.way);
	record_get_text(&p, &record.flagged_by);
	record_get_text(&p, &record.verdict);
	record_get_text(&p, &record.reason);
	packet_get_u64(&p, &record.size);
	record_get_delivery(&p, version, &record);
	if (packet_get_end(&p, f) != SG_OK) {
		record_free(&record);
		return p.code == SG_ENOMEM ? SG_ENOMEM : SG_EFORMAT;
	}
	if (!record_in_range(&record, version)) {
		record_free(&record);
		return fail_set(f, SG_EFORMAT, NULL, "record with a value out of range");
	}
	*record_out = record;
	return SG_OK;
}

void record_free(struct record *record)
{
	if (record == NULL)
		return;
	free(record->tenant);
	free(record->queue_id);
	free(record->message_id);
	free(record->sender);
	free(record->recipient);
	free(record->flagged_by);
	free(record->verdict);
	free(record->reason);
	free(record->hop);
	free(record->tls);
	free(record->answer);
	memset(record, 0, sizeof(*record));
}

void records_free(struct record *records, size_t count)
{
	size_t i;

	for (i = 0; records != NULL && i < count; i++)
		record_free(&records[i]);
	free(records);
}
