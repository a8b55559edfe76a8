#include "gateway/tls/tls.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/fd.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)	/* bytes of an answer in a descriptor */
#define COUNT_WAIT_MS 200			/* metrics are not worth more */

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory for a question about TLS");
}

/* Temporary, whatever it is: the service's mistake is not the message's. */
static enum fail_code not_ours(struct fail *f)
{
	return fail_set(f, SG_EPEER, NULL, "the TLS policy service gave no proper answer");
}

/* --- proof --- */

static enum fail_code put_hops(struct buf *body, const struct tls_hop *hops, size_t count)
{
	enum fail_code code = buf_put_u16(body, (uint16_t)count);
	size_t i;

	for (i = 0; i < count && code == SG_OK; i++) {
		code = buf_put_str(body, hops[i].name);
		if (code == SG_OK)
			code = buf_put_u8(body, hops[i].relayed);
	}
	return code;
}

static enum fail_code get_proof(struct buf_reader *r, struct tls_proof *proof)
{
	const unsigned char *how;
	enum fail_code code;
	uint8_t answer;
	size_t size;

	code = buf_get_u8(r, &answer);
	if (code == SG_OK)
		code = buf_get_bytes(r, &how, &size);
	if (code != SG_OK)
		return code;
	if (answer > TLS_NO_MAIL)
		return SG_EFORMAT;
	if (size >= sizeof(proof->how))
		size = sizeof(proof->how) - 1;
	proof->answer = (enum tls_answer)answer;
	memcpy(proof->how, how, size);
	proof->how[size] = '\0';
	return SG_OK;
}

static enum fail_code prove_some(const struct tls *tls, const struct tls_hop *hops, size_t count,
    struct tls_proof *proofs, struct fail *f)
{
	const struct wire_wait wait = {.timeout_ms = tls->timeout_ms};
	struct wire_message request;
	struct wire_message reply;
	enum fail_code code;
	struct buf_reader r;
	size_t i;

	wire_message_init(&request, TLS_PROOF);
	wire_message_init(&reply, 0);
	code = put_hops(&request.body, hops, count);
	if (code != SG_OK)
		code = no_memory(f);
	else
		code = wire_call(tls->path, &request, &wait, &reply, f);
	if (code == SG_OK) {
		buf_reader_init(&r, reply.body.data, reply.body.size);
		for (i = 0; i < count && code == SG_OK; i++)
			code = get_proof(&r, &proofs[i]);
		if (code != SG_OK || buf_get_end(&r) != SG_OK)
			code = not_ours(f);
	}
	wire_message_free(&request);
	wire_message_free(&reply);
	if (code != SG_OK && f != NULL)
		f->kind = FAIL_TEMPORARY;
	return code;
}

enum fail_code tls_proof(const struct tls *tls, const struct tls_hop *hops, size_t count,
    struct tls_proof *proofs_out, struct fail *f)
{
	enum fail_code code = SG_OK;
	size_t at;
	size_t n;

	memset(proofs_out, 0, count * sizeof(*proofs_out));
	for (at = 0; at < count && code == SG_OK; at += n) {
		n = count - at < TLS_HOPS_MAX ? count - at : TLS_HOPS_MAX;
		code = prove_some(tls, hops + at, n, proofs_out + at, f);
	}
	/* half an answer is none */
	if (code != SG_OK)
		memset(proofs_out, 0, count * sizeof(*proofs_out));
	return code;
}

/* --- events --- */

void tls_count(const struct tls *tls, enum tls_event event)
{
	const struct wire_wait wait = {.timeout_ms = COUNT_WAIT_MS};
	struct wire_message request;
	struct wire_message reply;

	wire_message_init(&request, TLS_EVENT);
	wire_message_init(&reply, 0);
	if (buf_put_u8(&request.body, (uint8_t)event) == SG_OK &&
	    wire_call(tls->path, &request, &wait, &reply, NULL) == SG_OK)
		wire_message_free(&reply);
	wire_message_free(&request);
}

/* --- texts --- */

/* Sends request and appends the text that comes back in a descriptor. */
static enum fail_code ask_text(const struct tls *tls, const struct wire_message *request,
    struct buf *text_out, struct fail *f)
{
	const struct wire_wait wait = {.timeout_ms = tls->timeout_ms};
	struct wire_message reply;
	struct fd_map map = {NULL, 0};
	enum fail_code code;

	wire_message_init(&reply, 0);
	code = wire_call(tls->path, request, &wait, &reply, f);
	if (code == SG_OK && reply.fd < 0)
		code = not_ours(f);
	if (code == SG_OK) {
		code = fd_map(reply.fd, TEXT_MAX, &map, f);
		if (code == SG_OK && buf_append(text_out, map.data, map.size) != SG_OK)
			code = no_memory(f);
		fd_unmap(&map);
	}
	wire_message_free(&reply);
	return code;
}

enum fail_code tls_check(const struct tls *tls, const char *hop, bool connect, bool json,
    struct buf *text_out, struct fail *f)
{
	struct wire_message request;
	enum fail_code code;

	wire_message_init(&request, TLS_CHECK);
	if (buf_put_u8(&request.body, connect) == SG_OK &&
	    buf_put_u8(&request.body, json) == SG_OK && buf_put_str(&request.body, hop) == SG_OK)
		code = ask_text(tls, &request, text_out, f);
	else
		code = no_memory(f);
	wire_message_free(&request);
	return code;
}

enum fail_code tls_status(const struct tls *tls, struct buf *text_out, struct fail *f)
{
	struct wire_message request;
	enum fail_code code;

	wire_message_init(&request, TLS_STATUS);
	code = ask_text(tls, &request, text_out, f);
	wire_message_free(&request);
	return code;
}

enum fail_code tls_report(const struct tls *tls, const char *day, bool send,
    struct buf *lines_out, struct fail *f)
{
	struct wire_message request;
	enum fail_code code;

	wire_message_init(&request, TLS_REPORT);
	if (buf_put_str(&request.body, day) == SG_OK && buf_put_u8(&request.body, send) == SG_OK)
		code = ask_text(tls, &request, lines_out, f);
	else
		code = no_memory(f);
	wire_message_free(&request);
	return code;
}
