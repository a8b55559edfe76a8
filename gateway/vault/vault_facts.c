#include <stdlib.h>
#include <string.h>

#include "gateway/vault/ask.h"
#include "gateway/vault/vault.h"

#define SESSIONS_MAX ((size_t)1000 * 1000) /* of one day; far above any gateway's */

/* --- facts --- */

static void put_fact(struct packet_writer *w, const struct vault_fact *fact)
{
	struct buf one;

	buf_init(&one, WIRE_BODY_MAX);
	if (w->code == SG_OK)
		w->code = record_encode(&fact->record, &one);
	packet_put_bytes(w, one.data, one.size);
	packet_put_u8(w, (uint8_t)((fact->tls_failed ? PACKET_FACT_TLS : 0u) |
	    (fact->result != NULL ? PACKET_FACT_SESSION : 0u)));
	packet_put_str(w, fact->result);
	packet_put_str(w, fact->domain);
	buf_free(&one);
}

enum fail_code vault_facts(const struct vault *vault, const struct vault_fact *facts,
    size_t count, const char *position, struct fail *f)
{
	struct packet_writer w;
	enum fail_code code;
	struct buf bytes;
	struct ask ask;
	size_t i;

	buf_init(&bytes, PACKET_RECORDS_MAX);
	w = packet_write(&bytes);
	ask_start(&ask, VAULT_FACTS);
	packet_put_u8(&w, position != NULL);
	packet_put_str(&w, position);
	packet_put_u32(&w, (uint32_t)count);
	for (i = 0; i < count; i++)
		put_fact(&w, &facts[i]);
	code = packet_put_end(&w, f);
	if (code == SG_OK)
		code = ask_attach(&ask, &bytes, f);
	if (code == SG_OK)
		code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	buf_free(&bytes);
	return code;
}

enum fail_code vault_position(const struct vault *vault, char **position_out, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	*position_out = NULL;
	ask_start(&ask, VAULT_POSITION);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_str(&ask.r, position_out);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	if (code != SG_OK) {
		free(*position_out);
		*position_out = NULL;
	}
	return code;
}

/* --- sessions --- */

void vault_sessions_free(struct vault_session *sessions, size_t count)
{
	size_t i;

	for (i = 0; sessions != NULL && i < count; i++) {
		free(sessions[i].domain);
		free(sessions[i].mx);
		free(sessions[i].address);
		free(sessions[i].result);
	}
	free(sessions);
}

/* One more, behind what is there. */
static void get_session(struct packet_reader *r, struct vault_session **sessions, size_t *count)
{
	struct vault_session session = { NULL };
	struct vault_session *larger;

	packet_get_str(r, &session.domain);
	packet_get_str(r, &session.mx);
	packet_get_str(r, &session.address);
	packet_get_str(r, &session.result);
	packet_get_u64(r, &session.count);
	if (r->code == SG_OK && *count >= SESSIONS_MAX)
		r->code = SG_EFORMAT;
	larger = r->code == SG_OK ? realloc(*sessions, (*count + 1) * sizeof(session)) : NULL;
	if (r->code == SG_OK && larger == NULL)
		r->code = SG_ENOMEM;
	if (r->code != SG_OK) {
		free(session.domain);
		free(session.mx);
		free(session.address);
		free(session.result);
		return;
	}
	*sessions = larger;
	larger[(*count)++] = session;
}

static enum fail_code session_page(const struct vault *vault, uint32_t day,
    struct vault_session **sessions, size_t *count, uint8_t *more_out, struct fail *f)
{
	const struct vault_session *last = *count > 0 ? &(*sessions)[*count - 1] : NULL;
	enum fail_code code;
	uint32_t got = 0;
	struct ask ask;

	*more_out = 0;
	ask_start(&ask, VAULT_SESSIONS);
	packet_put_u32(&ask.w, day);
	packet_put_str(&ask.w, last == NULL ? "" : last->domain);
	packet_put_str(&ask.w, last == NULL ? "" : last->mx);
	packet_put_str(&ask.w, last == NULL ? "" : last->address);
	packet_put_str(&ask.w, last == NULL ? "" : last->result);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u8(&ask.r, more_out);
		packet_get_u32(&ask.r, &got);
		for (; ask.r.code == SG_OK && got > 0; got--)
			get_session(&ask.r, sessions, count);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	return code;
}

enum fail_code vault_sessions(const struct vault *vault, uint32_t day,
    struct vault_session **sessions_out, size_t *count_out, struct fail *f)
{
	enum fail_code code = SG_OK;
	size_t before;
	uint8_t more;

	*sessions_out = NULL;
	*count_out = 0;
	/* a page of nothing is the last one, whatever it says */
	do {
		before = *count_out;
		code = session_page(vault, day, sessions_out, count_out, &more, f);
	} while (code == SG_OK && more != 0 && *count_out > before);
	if (code != SG_OK) {
		vault_sessions_free(*sessions_out, *count_out);
		*sessions_out = NULL;
		*count_out = 0;
	}
	return code;
}
