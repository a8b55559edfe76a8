/*
 * packets: the bodies that the vault and its client exchange, and how both read and write them.
 *
 * Private to gateway/vault. Numbers are big-endian, texts are counted; an optional text that is
 * absent is an empty one. A body is read to its end: trailing bytes are an error.
 *
 *   type              request                                  reply
 *   PLAN              tenant, u16 n, n addresses               n times u8 ways, no_envelope, no_pdf
 *   CERTIFICATE       tenant, address                          DER
 *   PASSWORD          tenant, address                          password
 *   MARK_MAKE         decision, digest, u64 life_ms            mark
 *   MARK_CHECK        mark, digest                             decision
 *   RECORD            u32 n, n records (or a descriptor that   empty
 *                     holds the same, with an empty body)
 *   RECORD_ONCE       mark, recipient, u32 n, n records        empty
 *   RECORD_TOLD       [mark], [used for], [delivered],         empty
 *                     tenant, u8 n, n letters, u32 n,
 *                     n records (or a descriptor, as RECORD)
 *   PASSWORD_TRY      tenant, password, u16 n, n addresses     empty
 *   NOTICE_NEXT       u8 for a hook                            u8 found; then id, tenant, letter
 *   NOTICE_SIGN       id, digest                               mark
 *   NOTICE_DONE       id                                       empty
 *   NOTICE_AGAIN      id                                       u8 given up
 *   NOTICE_FAILED     id, reason                               empty
 *   WAITING           queue id, recipient                      u64 time_ms, u8 tls, hop, answer
 *   FACTS             u8 has position, position, u32 n, n      empty
 *                     facts (or a descriptor, as RECORD)
 *   POSITION          empty                                    position
 *   SESSIONS          u32 day, after domain, after mx, after   u8 more, u32 n, n times domain, mx,
 *                     address, after result                    address, result, u64 count
 *   CERT_ADD          tenant, [address], DER                   certificates
 *   CERT_LIST         tenant, [address], after address,        u8 more, certificates
 *                     after fingerprint
 *   CERT_SHOW         tenant, fingerprint                      DER
 *   CERT_REMOVE       tenant, [address], [fingerprint]         u32 removed
 *   PASSWORD_SET      tenant, address, password, origin        empty
 *   PASSWORD_LIST     tenant, after address, u64 after place   u8 more, u32 n, n times address,
 *                                                              u64 created, origin,
 *                                                              u64 replaced, u64 place
 *   PASSWORD_REMOVE   tenant, address                          empty
 *   TRACE             id, u64 after                            u8 more, u64 last, u32 n, n records
 *   STATUS            empty                                    five u64, u32 schema, of
 *                                                              canaries u32, i64
 *   CANARY            u8 result                                empty
 *   MARK_KEY          empty                                    u32 kept
 *
 *   decision = tenant, sender, u8 ways, source, queue_id, message_id, u64 created_ms,
 *              u8 kind of password, password, [phone]
 *   letter = to, u8 language, u8 keep, subject, u64 time_ms, password, u32 count, u32 n, n times
 *            address (n below count where they do not fit), u8 kind, [phone], [reason],
 *            notes (n bytes or none), [message_id]
 *   fact = record, u8 flags (PACKET_FACT_...), result, domain
 *   certificates = u32 n, n times address, fingerprint, subject, issuer, key, u64 not_before,
 *                  u64 not_after, [unusable]
 */
#ifndef SG_GATEWAY_VAULT_PACKETS_H
#define SG_GATEWAY_VAULT_PACKETS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define PACKET_TEXT_MAX ((size_t)2048)	/* bytes of one text; above Postfix's address length */
#define PACKET_FILL ((size_t)96 * 1024)	/* bytes after which a packet takes no further entry */
#define PACKET_RECORDS_MAX ((size_t)16 * 1024 * 1024)	/* bytes of one message's records */
#define PACKET_DER_MAX ((size_t)64 * 1024)	/* bytes of a certificate */

/* flags of a fact */
#define PACKET_FACT_TLS 1u	/* TLS is what failed */
#define PACKET_FACT_SESSION 2u	/* result is that of a session: counts for TLSRPT */

/* Readers and writers that remember the first error, so that a packet is one list of calls. */
struct packet_reader {
	struct buf_reader reader;
	enum fail_code code;
};

struct packet_writer {
	struct buf *buf;	/* borrowed */
	enum fail_code code;
};

static inline struct packet_reader packet_read(const struct buf *body)
{
	struct packet_reader p = {.code = SG_OK};

	buf_reader_init(&p.reader, body->data, body->size);
	return p;
}

static inline void packet_get_u8(struct packet_reader *p, uint8_t *value_out)
{
	if (p->code == SG_OK)
		p->code = buf_get_u8(&p->reader, value_out);
}

static inline void packet_get_u16(struct packet_reader *p, uint16_t *value_out)
{
	if (p->code == SG_OK)
		p->code = buf_get_u16(&p->reader, value_out);
}

static inline void packet_get_u32(struct packet_reader *p, uint32_t *value_out)
{
	if (p->code == SG_OK)
		p->code = buf_get_u32(&p->reader, value_out);
}

static inline void packet_get_u64(struct packet_reader *p, uint64_t *value_out)
{
	if (p->code == SG_OK)
		p->code = buf_get_u64(&p->reader, value_out);
}

static inline void packet_get_i64(struct packet_reader *p, int64_t *value_out)
{
	uint64_t value = 0;

	packet_get_u64(p, &value);
	if (p->code == SG_OK)
		*value_out = (int64_t)value;
}

static inline void packet_get_bytes(struct packet_reader *p, const unsigned char **data_out, size_t
    *size_out)
{
	if (p->code == SG_OK)
		p->code = buf_get_bytes(&p->reader, data_out, size_out);
}

/* A fresh text; the caller frees it also after an error. */
static inline void packet_get_str(struct packet_reader *p, char **text_out)
{
	if (p->code == SG_OK)
		p->code = buf_get_str(&p->reader, PACKET_TEXT_MAX, text_out);
}

/* After the last field: all was there, and nothing else. */
MUST_USE static inline enum fail_code packet_get_end(struct packet_reader *p, struct fail *f)
{
	if (p->code == SG_OK)
		p->code = buf_get_end(&p->reader);
	if (p->code == SG_OK)
		return SG_OK;
	if (p->code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to read a packet");
	return fail_set(f, SG_EFORMAT, NULL, "malformed packet");
}

static inline struct packet_writer packet_write(struct buf *body)
{
	struct packet_writer p = {.buf = body, .code = SG_OK};

	return p;
}

static inline void packet_put_u8(struct packet_writer *p, uint8_t value)
{
	if (p->code == SG_OK)
		p->code = buf_put_u8(p->buf, value);
}

static inline void packet_put_u16(struct packet_writer *p, uint16_t value)
{
	if (p->code == SG_OK)
		p->code = buf_put_u16(p->buf, value);
}

static inline void packet_put_u32(struct packet_writer *p, uint32_t value)
{
	if (p->code == SG_OK)
		p->code = buf_put_u32(p->buf, value);
}

static inline void packet_put_u64(struct packet_writer *p, uint64_t value)
{
	if (p->code == SG_OK)
		p->code = buf_put_u64(p->buf, value);
}

static inline void packet_put_i64(struct packet_writer *p, int64_t value)
{
	packet_put_u64(p, (uint64_t)value);
}

static inline void packet_put_bytes(struct packet_writer *p, const void *data, size_t size)
{
	if (p->code == SG_OK)
		p->code = buf_put_bytes(p->buf, data, size);
}

static inline void packet_put_str(struct packet_writer *p, const char *text)
{
	if (p->code == SG_OK)
		p->code = buf_put_str(p->buf, text);
}

MUST_USE static inline enum fail_code packet_put_end(const struct packet_writer *p, struct fail *f)
{
	if (p->code == SG_OK)
		return SG_OK;
	if (p->code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to write a packet");
	return fail_set(f, SG_ELIMIT, NULL, "too much for one packet to the vault");
}

#endif
