#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

/* --- record --- */

/* The second stage had delivered this before: it is told in the log, and in the record. */
static enum fail_code record_mark_reason(struct record *record, const char *before, struct buf *out)
{
	struct log_line line;
	char *reason = str_printf("%s%s", before, record->reason);
	enum fail_code code;

	if (reason == NULL)
		return SG_ENOMEM;
	reason[strnlen(reason, RECORD_TEXT_MAX)] = '\0';
	free(record->reason);
	record->reason = reason;
	code = record_encode(record, out);
	log_begin(&line, LOG_LEVEL_NOTICE, record->queue_id, "repeated");
	log_str(&line, "to", record->recipient);
	log_end(&line);
	return code;
}

static enum fail_code record_store(struct server *server, struct store_record row,
    const char *before, struct fail *f)
{
	struct record record;
	enum fail_code code;
	struct buf bytes;

	code = record_decode(row.data, row.size, &record, f);
	if (code != SG_OK)
		return code;
	buf_init(&bytes, PACKET_RECORDS_MAX);
	if (before != NULL) {
		counters_repeated(server->counters);
		code = record_mark_reason(&record, before, &bytes);
		row.data = bytes.data;
		row.size = bytes.size;
	}
	row.tenant = record.tenant;
	row.time_ms = record.time_ms;
	row.queue_id = record.queue_id;
	row.message_id = record.message_id;
	code = code != SG_OK ? fail_set(f, code, NULL, "no memory for a record") :
	    server->store->ops->record_put(server->store, &row, f);
	buf_free(&bytes);
	record_free(&record);
	return code;
}

/* Every record is sound: looked at before the first is stored, as others share the transaction. */
enum fail_code records_check(struct packet_reader p, struct fail *f)
{
	const unsigned char *data = NULL;
	struct record record;
	enum fail_code code;
	uint32_t count = 0;
	size_t size = 0;

	packet_get_u32(&p, &count);
	for (; p.code == SG_OK && count > 0; count--) {
		packet_get_bytes(&p, &data, &size);
		if (p.code != SG_OK)
			break;
		code = record_decode(data, size, &record, f);
		if (code != SG_OK)
			return code;
		record_free(&record);
	}
	return packet_get_end(&p, f);
}

/* What records_check found sound. */
enum fail_code records_store(struct server *server, struct packet_reader p, const char *before,
    struct fail *f)
{
	struct store_record row = {.size = 0};
	enum fail_code code = SG_OK;
	uint32_t count = 0;

	packet_get_u32(&p, &count);
	for (; code == SG_OK && count > 0; count--) {
		packet_get_bytes(&p, &row.data, &row.size);
		code = record_store(server, row, before, f);
	}
	return code;
}

enum fail_code server_body(const struct wire_message *request, struct buf *bytes, struct fail *f)
{
	struct stat st;

	if (request->fd < 0) {
		if (buf_append(bytes, request->body.data, request->body.size) != SG_OK)
			return fail_set(f, SG_ENOMEM, NULL, "no memory to read a packet");
		return SG_OK;
	}
	/* what other descriptors would make us wait for, only a regular file does not */
	if (request->body.size != 0 || fstat(request->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    lseek(request->fd, 0, SEEK_SET) != 0)
		return fail_set(f, SG_EFORMAT, NULL, "malformed packet");
	return fd_read_all(request->fd, bytes, f);
}

enum fail_code records_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct server *server = context;
	enum fail_code code;
	struct buf bytes;

	(void)reply;
	buf_init(&bytes, PACKET_RECORDS_MAX);
	code = server_body(request, &bytes, f);
	if (code == SG_OK)
		code = records_check(packet_read(&bytes), f);
	if (code == SG_OK)
		code = records_store(server, packet_read(&bytes), NULL, f);
	buf_free(&bytes);
	return code;
}

enum fail_code records_once_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	char *recipient = NULL;
	char *mark = NULL;
	enum fail_code code;

	(void)reply;
	packet_get_str(&p, &mark);
	packet_get_str(&p, &recipient);
	code = records_check(p, f);
	if (code == SG_OK)
		code = mark_use(server, mark, recipient, f);
	if (code == SG_OK)
		code = records_store(server, p, NULL, f);
	free(recipient);
	free(mark);
	return code;
}

/* --- trace --- */

struct trace_page {
	struct buf entries;
	uint64_t last;
	uint32_t count;
	bool full;
};

static enum fail_code trace_one(void *context, uint64_t row, const void *data, size_t size,
    struct fail *f)
{
	struct trace_page *page = context;
	struct packet_writer w = packet_write(&page->entries);

	if (page->full)
		return SG_OK;
	packet_put_bytes(&w, data, size);
	page->last = row;
	page->count++;
	page->full = page->entries.size > PACKET_FILL;
	return packet_put_end(&w, f);
}

enum fail_code trace_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct server *server = context;
	struct trace_page page = {.last = 0};
	enum fail_code code;
	uint64_t after = 0;
	char *id = NULL;

	buf_init(&page.entries, WIRE_BODY_MAX);
	packet_get_str(&p, &id);
	packet_get_u64(&p, &after);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server->store->ops->record_find(server->store, id, after, SERVER_PAGE,
		    trace_one, &page, f);
	if (code == SG_OK) {
		packet_put_u8(&w, page.full || page.count == SERVER_PAGE);
		packet_put_u64(&w, page.last);
		packet_put_u32(&w, page.count);
		if (w.code == SG_OK)
			w.code = buf_append(w.buf, page.entries.data, page.entries.size);
		code = packet_put_end(&w, f);
	}
	buf_free(&page.entries);
	free(id);
	return code;
}

/* --- status --- */

_Static_assert(STORE_ENDING_S == VAULT_ENDING_DAYS * INT64_C(86400), "the days of both");

enum fail_code status_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct server *server = context;
	const struct counters *counters = server->counters;
	struct store_counts counts;
	enum fail_code code;

	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server->store->ops->counts(server->store, clock_wall_ms(server->clock),
		    &counts, f);
	if (code != SG_OK)
		return code;
	packet_put_u64(&w, counts.records);
	packet_put_u64(&w, counts.certificates);
	packet_put_u64(&w, counts.passwords);
	packet_put_u64(&w, counts.marks);
	packet_put_u64(&w, counts.ending);
	packet_put_u32(&w, counts.schema);
	packet_put_u32(&w, counters == NULL ? 0 : counters->canary_last);
	packet_put_i64(&w, counters == NULL ? 0 : counters->canary_s);
	return packet_put_end(&w, f);
}

/* --- canary --- */

enum fail_code canary_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	enum fail_code code;
	uint8_t result = 0;

	(void)reply;
	packet_get_u8(&p, &result);
	if (p.code == SG_OK && result >= COUNTERS_CANARIES)
		p.code = SG_EFORMAT;
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		counters_canary(server->counters, result, server_now(server));
	return code;
}
