#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

#define FACTS_POSITION "log" /* the one name there is so far */
#define FACTS_EARLIER 50u /* records of a queue id that are looked at */
#define FACTS_DAY_MS ((int64_t)24 * 3600 * 1000)
#define FACTS_WAITING_MS (30 * FACTS_DAY_MS) /* well above Postfix's queue life */
#define FACTS_SESSION_DAYS 35 /* reports are of yesterday; a month to look back */

struct fact {
	struct record record;
	uint8_t flags;
	char *result;
	char *domain;
};

static void fact_free(struct fact *fact)
{
	record_free(&fact->record);
	free(fact->result);
	free(fact->domain);
	memset(fact, 0, sizeof(*fact));
}

static enum fail_code fact_get(struct packet_reader *p, struct fact *fact, struct fail *f)
{
	const unsigned char *data = NULL;
	size_t size = 0;

	memset(fact, 0, sizeof(*fact));
	packet_get_bytes(p, &data, &size);
	packet_get_u8(p, &fact->flags);
	packet_get_str(p, &fact->result);
	packet_get_str(p, &fact->domain);
	if (p->code != SG_OK)
		return fail_set(f, p->code, NULL, "malformed packet");
	return record_decode(data, size, &fact->record, f);
}

/* --- what earlier records know about the same queue file --- */

struct fact_earlier {
	struct record *record;	/* to be filled */
	char *recipient;	/* the only one there is, so far */
	bool several;
};

static void fact_take(char **to, char **from)
{
	if ((*to)[0] != '\0' || (*from)[0] == '\0')
		return;
	free(*to);
	*to = *from;
	*from = NULL;
}

static enum fail_code fact_learn(void *context, uint64_t row, const void *data, size_t size,
    struct fail *f)
{
	struct fact_earlier *earlier = context;
	struct record record;
	enum fail_code code;

	(void)row;
	code = record_decode(data, size, &record, f);
	if (code != SG_OK)
		return code;
	if (record.stage <= 3 && earlier->recipient == NULL) {
		earlier->recipient = record.recipient;
		record.recipient = NULL;
	} else if (record.stage <= 3 && strcasecmp(record.recipient, earlier->recipient) != 0) {
		earlier->several = true;
	}
	fact_take(&earlier->record->tenant, &record.tenant);
	fact_take(&earlier->record->message_id, &record.message_id);
	fact_take(&earlier->record->sender, &record.sender);
	record_free(&record);
	return SG_OK;
}

/* Some lines name no recipient; a message with one only has no other. */
static enum fail_code fact_fill(struct store *store, struct record *record, struct fail *f)
{
	struct fact_earlier earlier = { .record = record };
	enum fail_code code;

	if (record->queue_id[0] == '\0' || (record->tenant[0] != '\0' &&
	    record->message_id[0] != '\0' && record->recipient[0] != '\0'))
		return SG_OK;
	code = store->ops->record_queue(store, record->queue_id, FACTS_EARLIER, fact_learn,
	    &earlier, f);
	if (code == SG_OK && earlier.recipient != NULL && !earlier.several)
		fact_take(&record->recipient, &earlier.recipient);
	free(earlier.recipient);
	return code;
}

/* --- one fact --- */

static enum fail_code fact_record(struct store *store, const struct record *record, struct fail *f)
{
	struct store_record row = {
		.tenant = record->tenant,
		.time_ms = record->time_ms,
		.queue_id = record->queue_id,
		.message_id = record->message_id,
	};
	enum fail_code code;
	struct buf bytes;

	buf_init(&bytes, WIRE_BODY_MAX);
	code = record_encode(record, &bytes);
	if (code != SG_OK)
		code = fail_set(f, code, NULL, "a record cannot be written down");
	row.data = bytes.data;
	row.size = bytes.size;
	if (code == SG_OK)
		code = store->ops->record_put(store, &row, f);
	buf_free(&bytes);
	return code;
}

/* An answer and whether it is the same as the one that stands there. */
struct fact_same {
	const char *answer;
	bool same;
};

static enum fail_code fact_compare(void *context, const struct store_waiting *waiting,
    struct fail *f)
{
	struct fact_same *same = context;

	(void)f;
	same->same = strcmp(waiting->answer, same->answer) == 0;
	return SG_OK;
}

static enum fail_code fact_waits(struct store *store, const struct fact *fact,
    const char *recipient, bool *known_out, struct fail *f)
{
	const struct record *record = &fact->record;
	const struct store_waiting waiting = {
		.queue_id = record->queue_id,
		.recipient = recipient,
		.time_ms = record->time_ms,
		.tls = (fact->flags & PACKET_FACT_TLS) != 0,
		.hop = record->hop,
		.answer = record->answer,
	};
	struct fact_same same = { record->answer, false };
	enum fail_code code;

	code = store->ops->waiting_get(store, record->queue_id, recipient, fact_compare, &same, f);
	if (code == SG_OK || code == SG_ENOTFOUND)
		code = store->ops->waiting_put(store, &waiting, f);
	*known_out = same.same;
	return code;
}

/* *known_out: the record would say what the last one said. */
static enum fail_code fact_state(struct store *store, const struct fact *fact, bool *known_out,
    struct fail *f)
{
	const struct record *record = &fact->record;
	enum fail_code code = SG_OK;
	char *recipient;

	*known_out = false;
	if (record->queue_id[0] == '\0')
		return SG_OK;
	recipient = str_dup(record->recipient);
	if (recipient == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for an address");
	str_lower(recipient);
	if (record->decision == RECORD_WAITING) {
		code = fact_waits(store, fact, recipient, known_out, f);
	} else if (record->decision == RECORD_DELIVERED || record->decision == RECORD_BOUNCED) {
		code = store->ops->waiting_remove(store, record->queue_id, recipient, f);
		if (code == SG_OK)
			code = store->ops->waiting_remove(store, record->queue_id, "", f);
	}
	free(recipient);
	return code;
}

/* "mx1.partner.example[192.0.2.1]:25" taken apart; "" where there is none. */
static void fact_hop(char *hop, const char **mx_out, const char **address_out)
{
	char *open = strchr(hop, '[');
	char *shut = open == NULL ? NULL : strchr(open, ']');

	*mx_out = hop;
	*address_out = "";
	if (shut == NULL)
		return;
	*shut = '\0';
	*open = '\0';
	*address_out = open + 1;
}

/* A report about the delivery of a report would go on for ever. */
static bool fact_of_report(const struct fact *fact)
{
	return str_starts_case(fact->record.message_id, "<" RECORD_REPORT_ID);
}

static enum fail_code fact_session(struct store *store, struct fact *fact, struct fail *f)
{
	struct store_session session = {
		.day = (uint32_t)(fact->record.time_ms / FACTS_DAY_MS),
		.domain = fact->domain,
		.result = fact->result,
		.count = 1,
	};
	const char *at = strrchr(fact->record.recipient, '@');
	enum fail_code code;
	char *domain;
	char *hop;

	if ((fact->flags & PACKET_FACT_SESSION) == 0 || fact_of_report(fact))
		return SG_OK;
	if (fact->domain[0] == '\0' && at == NULL)
		return SG_OK;
	domain = str_dup(fact->domain[0] != '\0' ? fact->domain : at + 1);
	hop = str_dup(fact->record.hop);
	if (domain != NULL && hop != NULL) {
		str_lower(domain);
		session.domain = domain;
		fact_hop(hop, &session.mx, &session.address);
		code = store->ops->session_add(store, &session, f);
	} else {
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a session");
	}
	free(domain);
	free(hop);
	return code;
}

static enum fail_code fact_store(struct store *store, struct fact *fact, struct fail *f)
{
	bool known = false;
	enum fail_code code;

	code = fact_fill(store, &fact->record, f);
	if (code == SG_OK)
		code = fact_state(store, fact, &known, f);
	if (code == SG_OK && !known)
		code = fact_record(store, &fact->record, f);
	if (code == SG_OK)
		code = fact_session(store, fact, f);
	return code;
}

/* --- facts --- */

static enum fail_code facts_store(struct store *store, const struct buf *bytes, struct fail *f)
{
	struct packet_reader p = packet_read(bytes);
	enum fail_code code = SG_OK;
	uint8_t has_position = 0;
	char *position = NULL;
	struct fact fact;
	uint32_t count = 0;

	packet_get_u8(&p, &has_position);
	packet_get_str(&p, &position);
	packet_get_u32(&p, &count);
	for (; code == SG_OK && p.code == SG_OK && count > 0; count--) {
		code = fact_get(&p, &fact, f);
		if (code == SG_OK)
			code = fact_store(store, &fact, f);
		fact_free(&fact);
	}
	if (code == SG_OK)
		code = packet_get_end(&p, f);
	if (code == SG_OK && has_position != 0)
		code = store->ops->position_put(store, FACTS_POSITION, position, f);
	free(position);
	return code;
}

enum fail_code facts_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct server *server = context;
	struct store *store = server->store;
	enum fail_code code;
	struct buf bytes;

	(void)reply;
	buf_init(&bytes, PACKET_RECORDS_MAX);
	code = server_body(request, &bytes, f);
	if (code == SG_OK)
		code = store->ops->begin(store, f);
	if (code == SG_OK)
		code = server_end(server, facts_store(store, &bytes, f), f);
	buf_free(&bytes);
	return code;
}

enum fail_code position_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct server *server = context;
	char *position = NULL;
	enum fail_code code;

	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server->store->ops->position_get(server->store, FACTS_POSITION, &position,
		    f);
	if (code == SG_OK) {
		packet_put_str(&w, position);
		code = packet_put_end(&w, f);
	}
	free(position);
	return code;
}

/* --- waiting --- */

static enum fail_code waiting_newer(void *context, const struct store_waiting *waiting,
    struct fail *f)
{
	struct vault_waiting *newest = context;

	(void)f;
	if (waiting->time_ms < newest->time_ms)
		return SG_OK;
	newest->time_ms = waiting->time_ms;
	newest->tls = waiting->tls;
	(void)snprintf(newest->hop, sizeof(newest->hop), "%s", waiting->hop);
	(void)snprintf(newest->answer, sizeof(newest->answer), "%s", waiting->answer);
	str_cut_utf8(newest->hop, sizeof(newest->hop));
	str_cut_utf8(newest->answer, sizeof(newest->answer));
	return SG_OK;
}

static enum fail_code waiting_find(struct store *store, const char *queue_id, char *recipient,
    struct vault_waiting *newest, struct fail *f)
{
	enum fail_code code;

	str_lower(recipient);
	memset(newest, 0, sizeof(*newest));
	/* a failure before any recipient was named is that of all */
	code = store->ops->waiting_get(store, queue_id, "", waiting_newer, newest, f);
	if (code == SG_OK || code == SG_ENOTFOUND)
		code = store->ops->waiting_get(store, queue_id, recipient, waiting_newer, newest,
		    f);
	return code == SG_ENOTFOUND ? SG_OK : code;
}

enum fail_code waiting_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct server *server = context;
	struct vault_waiting newest;
	char *recipient = NULL;
	char *queue_id = NULL;
	enum fail_code code;

	packet_get_str(&p, &queue_id);
	packet_get_str(&p, &recipient);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = waiting_find(server->store, queue_id, recipient, &newest, f);
	if (code == SG_OK) {
		packet_put_i64(&w, newest.time_ms);
		packet_put_u8(&w, newest.tls);
		packet_put_str(&w, newest.hop);
		packet_put_str(&w, newest.answer);
		code = packet_put_end(&w, f);
	}
	free(recipient);
	free(queue_id);
	return code;
}

/* --- sessions --- */

struct session_page {
	struct buf entries;
	uint32_t count;
	bool full;
};

static enum fail_code session_one(void *context, const struct store_session *session,
    struct fail *f)
{
	struct session_page *page = context;
	struct packet_writer w = packet_write(&page->entries);

	if (page->full)
		return SG_OK;
	packet_put_str(&w, session->domain);
	packet_put_str(&w, session->mx);
	packet_put_str(&w, session->address);
	packet_put_str(&w, session->result);
	packet_put_u64(&w, session->count);
	page->count++;
	page->full = page->entries.size > PACKET_FILL;
	return packet_put_end(&w, f);
}

static enum fail_code session_list(struct store *store, const struct store_session *after,
    struct packet_writer *w, struct fail *f)
{
	struct session_page page = { .count = 0 };
	enum fail_code code;

	buf_init(&page.entries, WIRE_BODY_MAX);
	code = store->ops->session_list(store, after, SERVER_PAGE, session_one, &page, f);
	if (code == SG_OK) {
		packet_put_u8(w, page.full || page.count == SERVER_PAGE);
		packet_put_u32(w, page.count);
		if (w->code == SG_OK)
			w->code = buf_append(w->buf, page.entries.data, page.entries.size);
		code = packet_put_end(w, f);
	}
	buf_free(&page.entries);
	return code;
}

enum fail_code sessions_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct server *server = context;
	struct store_session after;
	char *texts[4] = { NULL, NULL, NULL, NULL };
	enum fail_code code;
	uint32_t day = 0;
	size_t i;

	packet_get_u32(&p, &day);
	for (i = 0; i < 4; i++)
		packet_get_str(&p, &texts[i]);
	code = packet_get_end(&p, f);
	if (code == SG_OK) {
		after = (struct store_session){ day, texts[0], texts[1], texts[2], texts[3], 0 };
		code = session_list(server->store, &after, &w, f);
	}
	for (i = 0; i < 4; i++)
		free(texts[i]);
	return code;
}

/* --- age --- */

void facts_purge(struct server *server)
{
	int64_t now_ms = clock_wall_ms(server->clock);
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	if (server_ready(server, &f) != SG_OK || now_ms < FACTS_SESSION_DAYS * FACTS_DAY_MS)
		return;
	code = server->store->ops->begin(server->store, &f);
	if (code == SG_OK)
		code = server_end(server, server->store->ops->fact_purge(server->store,
		    now_ms - FACTS_WAITING_MS,
		    (uint32_t)(now_ms / FACTS_DAY_MS - FACTS_SESSION_DAYS), &f), &f);
	if (code != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "facts-purge", &f);
	server_settle(server);
}
