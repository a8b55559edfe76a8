/* links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/vault/record.h"

static char tenant[] = "acme";
static char queue_id[] = "4Wxyz123";
static char message_id[] = "<1@example.org>";
static char sender[] = "a@acme.example";
static char recipient[] = "b@example.org";
static char subject[] = "subject";
static char clean[] = "clean";
static char reason[] = "certificate 00ff";
static char hop[] = "mx.example[192.0.2.1]:25";
static char tls[] = "TLSv1.3";
static char answer[] = "250 Ok 1";

static const struct record sample = {
	.time_ms = 0x0102030405060708,
	.tenant = tenant,
	.stage = 2,
	.queue_id = queue_id,
	.message_id = message_id,
	.sender = sender,
	.recipient = recipient,
	.decision = RECORD_SEALED,
	.way = 1,
	.flagged_by = subject,
	.verdict = clean,
	.reason = reason,
	.size = 10240,
	.hop = hop,
	.tls = tls,
	.answer = answer,
};

static void decodes_what_was_encoded(void **state)
{
	struct record back;
	struct buf bytes;
	struct fail f;

	(void)state;
	buf_init(&bytes, 65536);
	assert_int_equal(record_encode(&sample, &bytes), SG_OK);
	assert_int_equal(record_decode(bytes.data, bytes.size, &back, &f), SG_OK);
	assert_int_equal(back.time_ms, sample.time_ms);
	assert_int_equal(back.stage, 2);
	assert_int_equal(back.decision, RECORD_SEALED);
	assert_int_equal(back.way, 1);
	assert_int_equal(back.size, 10240);
	assert_string_equal(back.tenant, tenant);
	assert_string_equal(back.queue_id, queue_id);
	assert_string_equal(back.message_id, message_id);
	assert_string_equal(back.sender, sender);
	assert_string_equal(back.recipient, recipient);
	assert_string_equal(back.flagged_by, subject);
	assert_string_equal(back.verdict, clean);
	assert_string_equal(back.reason, reason);
	assert_string_equal(back.hop, hop);
	assert_string_equal(back.tls, tls);
	assert_string_equal(back.answer, answer);
	record_free(&back);
	buf_free(&bytes);
}

static void has_exactly_these_bytes_for_ever(void **state)
{
	static const unsigned char head[] = {
		2,				/* version */
		1, 2, 3, 4, 5, 6, 7, 8,		/* time */
		0, 0, 0, 4, 'a', 'c', 'm', 'e',	/* tenant */
		2,				/* stage */
		0, 0, 0, 8, '4', 'W', 'x', 'y', 'z', '1', '2', '3',
		0, 0, 0, 15, '<', '1', '@', 'e', 'x', 'a', 'm', 'p', 'l', 'e', '.', 'o', 'r', 'g',
		'>',
	};
	static const unsigned char tail[] = {0, 0, 0, 8, '2', '5', '0', ' ', 'O', 'k', ' ', '1'};
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 65536);
	assert_int_equal(record_encode(&sample, &bytes), SG_OK);
	assert_int_equal(bytes.size, 185);
	assert_memory_equal(bytes.data, head, sizeof(head));
	assert_memory_equal(bytes.data + bytes.size - sizeof(tail), tail, sizeof(tail));
	buf_free(&bytes);
}

/* A record of version 1 in bytes, as released: from the vault's first schema. */
static enum fail_code encode_first(uint8_t decision, struct buf *out)
{
	enum fail_code code = buf_put_u8(out, 1);

	if (code == SG_OK)
		code = buf_put_u64(out, 77);
	if (code == SG_OK)
		code = buf_put_str(out, tenant);
	if (code == SG_OK)
		code = buf_put_u8(out, 2);
	if (code == SG_OK)
		code = buf_put_str(out, queue_id);
	if (code == SG_OK)
		code = buf_put_str(out, message_id);
	if (code == SG_OK)
		code = buf_put_str(out, sender);
	if (code == SG_OK)
		code = buf_put_str(out, recipient);
	if (code == SG_OK)
		code = buf_put_u8(out, decision);
	if (code == SG_OK)
		code = buf_put_u8(out, 1);
	if (code == SG_OK)
		code = buf_put_str(out, subject);
	if (code == SG_OK)
		code = buf_put_str(out, clean);
	if (code == SG_OK)
		code = buf_put_str(out, reason);
	return code == SG_OK ? buf_put_u64(out, 10240) : code;
}

static void reads_records_of_the_first_version(void **state)
{
	struct record back;
	struct buf bytes;
	struct fail f;

	(void)state;
	buf_init(&bytes, 65536);
	assert_int_equal(encode_first(RECORD_SEALED, &bytes), SG_OK);
	assert_int_equal(record_decode(bytes.data, bytes.size, &back, &f), SG_OK);
	assert_int_equal(back.time_ms, 77);
	assert_string_equal(back.reason, reason);
	assert_string_equal(back.hop, "");
	assert_string_equal(back.tls, "");
	assert_string_equal(back.answer, "");
	record_free(&back);
	buf_reset(&bytes);
	assert_int_equal(encode_first(RECORD_ROUTED, &bytes), SG_OK);
	assert_int_equal(record_decode(bytes.data, bytes.size, &back, &f), SG_EFORMAT);
	buf_free(&bytes);
}

static void refuses_every_cut_and_every_extra_byte(void **state)
{
	struct record back;
	struct buf bytes;
	struct fail f;
	size_t size;

	(void)state;
	buf_init(&bytes, 65536);
	assert_int_equal(record_encode(&sample, &bytes), SG_OK);
	for (size = 0; size < bytes.size; size++)
		assert_int_equal(record_decode(bytes.data, size, &back, &f), SG_EFORMAT);
	assert_int_equal(buf_put_u8(&bytes, 0), SG_OK);
	assert_int_equal(record_decode(bytes.data, bytes.size, &back, &f), SG_EFORMAT);
	buf_free(&bytes);
}

static void refuses_values_out_of_range(void **state)
{
	struct record wrong = sample;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 65536);
	wrong.decision = 0;
	assert_int_equal(record_encode(&wrong, &bytes), SG_EFORMAT);
	wrong = sample;
	wrong.stage = 6;
	assert_int_equal(record_encode(&wrong, &bytes), SG_EFORMAT);
	wrong = sample;
	wrong.way = 8;
	assert_int_equal(record_encode(&wrong, &bytes), SG_EFORMAT);
	assert_int_equal(bytes.size, 0);
	buf_free(&bytes);
}

static void refuses_a_text_that_is_too_long(void **state)
{
	char *text = malloc(RECORD_TEXT_MAX + 2);
	struct record wrong = sample;
	struct buf bytes;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', RECORD_TEXT_MAX + 1);
	text[RECORD_TEXT_MAX + 1] = '\0';
	buf_init(&bytes, 65536);
	wrong.reason = text;
	assert_int_equal(record_encode(&wrong, &bytes), SG_ELIMIT);
	assert_int_equal(bytes.size, 0);
	text[RECORD_TEXT_MAX] = '\0';
	assert_int_equal(record_encode(&wrong, &bytes), SG_OK);
	buf_free(&bytes);
	free(text);
}

static void names_every_decision(void **state)
{
	unsigned int i;

	(void)state;
	for (i = RECORD_PASSED; i <= RECORD_RULE; i++)
		assert_string_not_equal(record_decision_name(i), "unknown");
	assert_string_equal(record_decision_name(0), "unknown");
	assert_string_equal(record_decision_name(255), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_was_encoded),
		cmocka_unit_test(has_exactly_these_bytes_for_ever),
		cmocka_unit_test(reads_records_of_the_first_version),
		cmocka_unit_test(names_every_decision),
		cmocka_unit_test(refuses_every_cut_and_every_extra_byte),
		cmocka_unit_test(refuses_values_out_of_range),
		cmocka_unit_test(refuses_a_text_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
