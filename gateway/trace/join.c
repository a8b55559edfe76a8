#include "gateway/trace/join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/trace/reason.h"

#define JOIN_SAME_TRY_MS 1000	/* lines of one try stand together; a next try comes much later */
#define JOIN_LOG_STAGE 4	/* a record's stage: Postfix's log */

/* What a process said that belongs to the delivery it is busy with. */
struct join_process {
	uint32_t pid;			/* 0: free */
	uint64_t used;			/* for finding the longest silent one */
	bool tls_fresh;			/* the session was not counted yet */
	bool note;			/* answer and hop tell of a failure not yet told */
	const char *certificate;	/* what was wrong with that of hop */
	char tls_hop[EVENT_HOP_MAX];
	char tls[EVENT_HOP_MAX];
	char queue_id[EVENT_QUEUE_ID_MAX];	/* whose all this is; "": not known yet */
	char note_hop[EVENT_HOP_MAX];
	char note_answer[EVENT_TEXT_MAX];
	char counted_queue_id[EVENT_QUEUE_ID_MAX];	/* a session without TLS that was counted */
	char counted_hop[EVENT_HOP_MAX];
	int64_t counted_ms;
};

struct join {
	struct join_ports ports;
	uint64_t uses;
	struct join_process processes[JOIN_PROCESSES];
};

/* One fact in the making; borrowed texts. */
struct join_fact {
	const struct line *line;
	const struct event *event;
	enum record_decision decision;
	const char *hop;
	const char *tls;
	const char *answer;
	const char *reason;
	const char *result;
	bool tls_failed;
};

struct join *join_new(const struct join_ports *ports)
{
	struct join *join = calloc(1, sizeof(*join));

	if (join != NULL)
		join->ports = *ports;
	return join;
}

void join_free(struct join *join)
{
	free(join);
}

void join_batch_clear(struct join_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		record_free(&batch->facts[i].record);
	batch->count = 0;
}

static struct join_process *join_process(struct join *join, uint32_t pid)
{
	struct join_process *oldest = &join->processes[0];
	size_t i;

	for (i = 0; i < JOIN_PROCESSES; i++) {
		if (join->processes[i].pid == pid) {
			join->processes[i].used = ++join->uses;
			return &join->processes[i];
		}
		if (join->processes[i].used < oldest->used)
			oldest = &join->processes[i];
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->pid = pid;
	oldest->used = ++join->uses;
	return oldest;
}

static void join_copy(char *to, size_t room, const char *from)
{
	(void)snprintf(to, room, "%s", from);
	str_cut_utf8(to, room);
}

/* --- facts --- */

static enum fail_code join_add(struct join_batch *batch, const struct join_fact *fact,
    struct fail *f)
{
	struct vault_fact *out;
	struct record record;

	if (batch == NULL)
		return SG_OK;
	SG_BUG_IF(batch->count >= JOIN_FACTS_MAX);
	record = (struct record){
		.time_ms = fact->line->time_ms,
		.tenant = str_dup(""),
		.stage = JOIN_LOG_STAGE,
		.queue_id = str_dup(fact->event->queue_id),
		.message_id = str_dup(""),
		.sender = str_dup(""),
		.recipient = str_dup(fact->event->recipient),
		.decision = (uint8_t)fact->decision,
		.flagged_by = str_dup(""),
		.verdict = str_dup(""),
		.reason = str_dup(fact->reason == NULL ? "" : fact->reason),
		.hop = str_dup(fact->hop),
		.tls = str_dup(fact->tls == NULL ? "" : fact->tls),
		.answer = str_dup(fact->answer),
	};
	if (record.tenant == NULL || record.queue_id == NULL || record.message_id == NULL ||
	    record.sender == NULL || record.recipient == NULL || record.flagged_by == NULL ||
	    record.verdict == NULL || record.reason == NULL || record.hop == NULL ||
	    record.tls == NULL || record.answer == NULL) {
		record_free(&record);
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a fact");
	}
	out = &batch->facts[batch->count++];
	*out = (struct vault_fact){
		.record = record,
		.tls_failed = fact->tls_failed,
		.result = fact->result,
		.domain = "",
	};
	return SG_OK;
}

/* --- a session, once --- */

/* The TLS of this delivery, or NULL. */
static const char *join_tls_of(const struct join_process *process, const struct event *event)
{
	if (process->tls[0] == '\0' || strcmp(process->tls_hop, event->hop) != 0)
		return NULL;
	return process->tls;
}

static bool join_count_once(struct join_process *process, const struct line *line,
    const struct event *event)
{
	bool again = strcmp(process->counted_queue_id, event->queue_id) == 0 &&
	    strcmp(process->counted_hop, event->hop) == 0 &&
	    line->time_ms - process->counted_ms <= JOIN_SAME_TRY_MS;

	join_copy(process->counted_queue_id, sizeof(process->counted_queue_id), event->queue_id);
	join_copy(process->counted_hop, sizeof(process->counted_hop), event->hop);
	process->counted_ms = line->time_ms;
	return !again;
}

/* TLSRPT's result of this delivery's session; NULL: none, or counted with another recipient. */
static const char *join_result(struct join_process *process, const struct line *line,
    const struct event *event, const char *tls, struct reason reason)
{
	const char *certificate = process->certificate;

	if (reason.result != NULL) {
		process->tls_fresh = false;
		if (!join_count_once(process, line, event))
			return NULL;
		return reason.tls && certificate != NULL ? certificate : reason.result;
	}
	if (tls != NULL) {
		if (!process->tls_fresh)
			return NULL;
		process->tls_fresh = false;
		(void)join_count_once(process, line, event);
		return "";
	}
	/* a peer that talked, in clear */
	if (event->reused || strchr(event->hop, '[') == NULL ||
	    (event->status != EVENT_SENT && strstr(event->answer, " said: ") == NULL))
		return NULL;
	return join_count_once(process, line, event) ? "starttls-not-supported" : NULL;
}

/* The next delivery of this process starts with nothing known. */
static void join_forget(struct join_process *process)
{
	process->tls[0] = '\0';
	process->queue_id[0] = '\0';
	process->tls_fresh = false;
	process->certificate = NULL;
	process->note = false;
}

/* --- events --- */

static bool join_is_port(const char *hop, unsigned int port)
{
	char end[16];
	size_t size = strlen(hop);
	int n = snprintf(end, sizeof(end), "]:%u", port);

	return port != 0 && n > 0 && size > (size_t)n &&
	    strcmp(hop + size - (size_t)n, end) == 0 &&
	    (strstr(hop, "[127.") != NULL || strstr(hop, "[::1]") != NULL);
}

/* To our own listeners: sent and bounced are told as such, what waits only if nothing else did. */
static enum fail_code join_internal(struct join_process *process, struct join_fact *fact,
    bool fallback, struct join_batch *batch, struct fail *f)
{
	fact->reason = fallback ? "fallback" : "second stage";
	if (fact->decision != RECORD_WAITING || !fallback)
		return join_add(batch, fact, f);
	/* its "try later" repeats the peer's words: what matters is the peer's failure */
	if (!process->note)
		return SG_OK;
	fact->hop = process->note_hop;
	fact->answer = process->note_answer;
	fact->reason = NULL;
	fact->tls_failed = reason_of(process->note_answer).tls;
	fact->result = reason_of(process->note_answer).result;
	return join_add(batch, fact, f);
}

static enum fail_code join_status(struct join *join, struct join_process *process,
    const struct line *line, const struct event *event, struct join_batch *batch, struct fail *f)
{
	static const enum record_decision decisions[] = {
		[EVENT_SENT] = RECORD_DELIVERED,
		[EVENT_DEFERRED] = RECORD_WAITING,
		[EVENT_BOUNCED] = RECORD_BOUNCED,
	};
	struct join_fact fact = {
		.line = line,
		.event = event,
		.decision = decisions[event->status],
		.hop = event->hop,
		.answer = event->answer,
	};
	bool fallback = join_is_port(event->hop, join->ports.fallback);
	struct reason reason = {false, NULL};
	enum fail_code code;

	if (!event->smtp)
		return join_add(batch, &fact, f);
	if (fallback || join_is_port(event->hop, join->ports.stage)) {
		code = join_internal(process, &fact, fallback, batch, f);
		join_forget(process);
		return code;
	}
	if (event->status != EVENT_SENT)
		reason = reason_of(event->answer);
	fact.tls_failed = reason.tls;
	fact.tls = join_tls_of(process, event);
	fact.result = join_result(process, line, event, fact.tls, reason);
	if (event->hop[0] == '\0' && process->note)
		fact.hop = process->note_hop;
	return join_add(batch, &fact, f);
}

static enum fail_code join_tried(struct join_process *process, const struct line *line,
    struct event *event, struct join_batch *batch, struct fail *f)
{
	struct reason reason = reason_of(event->answer);
	struct join_fact fact = {
		.line = line,
		.event = event,
		.decision = RECORD_WAITING,
		.answer = event->answer,
		.tls_failed = reason.tls,
	};
	enum fail_code code;

	/* the line names no port, or no host at all: the session's line does */
	if (process->tls_hop[0] != '\0' && process->tls[0] != '\0' &&
	    (event->hop[0] == '\0' ||
	    strncmp(process->tls_hop, event->hop, strlen(event->hop)) == 0)) {
		join_copy(event->hop, sizeof(event->hop), process->tls_hop);
		fact.tls = process->tls;
	}
	fact.hop = event->hop;
	fact.result = join_result(process, line, event, fact.tls, reason);
	code = join_add(batch, &fact, f);
	join_forget(process);
	return code;
}

static void join_note(struct join_process *process, const struct event *event)
{
	join_forget(process);
	join_copy(process->note_hop, sizeof(process->note_hop), event->hop);
	join_copy(process->note_answer, sizeof(process->note_answer), event->answer);
	process->note = true;
}

static void join_session(struct join_process *process, const struct event *event)
{
	/* the certificate's line comes before the session's */
	if (strcmp(process->tls_hop, event->hop) != 0)
		process->certificate = NULL;
	join_copy(process->tls_hop, sizeof(process->tls_hop), event->hop);
	join_copy(process->tls, sizeof(process->tls), event->tls);
	process->tls_fresh = true;
	process->note = false;
}

/* What was said before belongs to another delivery, once a queue id has taken it. */
static void join_bind(struct join_process *process, const struct event *event)
{
	if (process->queue_id[0] != '\0' && strcmp(process->queue_id, event->queue_id) != 0)
		join_forget(process);
	join_copy(process->queue_id, sizeof(process->queue_id), event->queue_id);
}

static void join_of_process(struct join_process *process, const struct event *event)
{
	/* a new host, of the same delivery or the next one */
	if (process->queue_id[0] != '\0')
		join_forget(process);
	if (event->kind == EVENT_TLS) {
		join_session(process, event);
	} else if (event->kind == EVENT_NOTE) {
		join_note(process, event);
	} else {
		join_forget(process);
		join_copy(process->tls_hop, sizeof(process->tls_hop), event->hop);
		process->certificate = event->result;
	}
}

enum fail_code join_line(struct join *join, const struct line *line, struct join_batch *batch,
    struct fail *f)
{
	struct join_process *process;
	struct event event;

	event_parse(line, &event);
	if (event.kind == EVENT_NONE)
		return SG_OK;
	process = join_process(join, line->pid);
	if (event.queue_id[0] == '\0') {
		join_of_process(process, &event);
		return SG_OK;
	}
	join_bind(process, &event);
	if (event.kind == EVENT_STATUS)
		return join_status(join, process, line, &event, batch, f);
	if (event.kind == EVENT_TRIED)
		return join_tried(process, line, &event, batch, f);
	return join_add(batch, &(struct join_fact){
		.line = line,
		.event = &event,
		.decision = RECORD_BOUNCED,
		.hop = "",
		.answer = event.answer,
	}, f);
}
