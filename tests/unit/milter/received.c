/* Received fields as Postfix writes them: its own queue id, and when.
 * links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "milter/received.h"

#define TEN ((int64_t)1795510800000)	/* Tue, 24 Nov 2026 09:00:00 +0000 */

static void expect(const char *value, const char *queue_id, int64_t time_ms)
{
	struct received received;

	received_parse(value, &received);
	assert_string_equal(received.queue_id, queue_id);
	assert_true(received.time_ms == time_ms);
}

static void what_postfix_writes_is_read(void **state)
{
	(void)state;
	expect("from c.example (c.example [192.0.2.5])\n\tby mx.example (Postfix) with ESMTP id "
	    "4XyZ0a1b2c3d\n\tfor <a@b.example>; Tue, 24 Nov 2026 10:00:00 +0100 (CET)",
	    "4XyZ0a1b2c3d", TEN);
	expect(" by mx.example (Postfix, from userid 0)\r\n\tid 0F1A2B3C4D; Tue, 24 Nov 2026 "
	    "10:00:00 +0100 (CET)", "0F1A2B3C4D", TEN);
	expect("from c (c [IPv6:2001:db8::1])\n\t(using TLSv1.3 with cipher X (256/256 bits)\n\t "
	    "key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)\n\t"
	    "(Client did not present a certificate)\n\tby mx (Postfix) with ESMTPS id 4XyZ\n\tfor "
	    "<\"a id EVIL; x\"@b>; Tue, 24 Nov 2026 09:00:00 +0000 (UTC)", "4XyZ", TEN);
}

static void what_a_client_said_is_not_taken_for_the_queue_id(void **state)
{
	(void)state;
	expect("from id (id [192.0.2.5]) by mx (Postfix) with SMTP id GOOD1; Tue, 24 Nov 2026 "
	    "09:00:00 GMT", "GOOD1", TEN);
	expect("from a id EVIL by x (a id EVIL2 [192.0.2.5]) by mx (Postfix) with SMTP id GOOD1; "
	    "Tue, 24 Nov 2026 09:00:00 +0000", "GOOD1", TEN);
	expect("from a (( id EVIL ) \\) id EVIL) by mx id GOOD1 (id EVIL); 24 Nov 2026 09:00 UT",
	    "GOOD1", TEN);
}

static void what_is_no_queue_id_is_none(void **state)
{
	(void)state;
	expect(NULL, "", 0);
	expect("", "", 0);
	expect("id", "", 0);
	expect("by mx id <4X>; now", "", 0);
	expect("by mx id 4X/../5; now", "", 0);
	expect("by mx id 0123456789012345678901234567890123456789; now", "", 0);
	expect("by mx (never closed id 4X; Tue, 24 Nov 2026 10:00:00 +0100", "", 0);
	expect("by mx id \"4X", "", 0);
	expect("by mx for <x id 4X", "", 0);
	expect("by mx (\\", "", 0);
}

static void dates_are_read_with_their_zone(void **state)
{
	static const struct {
		const char *text;
		int64_t time_ms;
	} cases[] = {
		{ "Thu, 01 Jan 1970 00:00:00 +0000", 0 },
		{ "1 Jan 1970 00:00:01 GMT", 1000 },
		{ "Tue, 14 Nov 2023 22:13:20 +0000", 1700000000000 },
		{ "Tue, 24 Nov 2026 10:00:00 +0100 (CET)", TEN },
		{ "Tue, 24 Nov 2026 03:30:00 -0530", TEN },
		{ "Tue,\r\n\t24 (day) Nov 2026 10:00:00 +0100", TEN },
		{ "Thu, 29 Feb 2024 12:00:00 +0000", 1709208000000 },
		{ "Tue, 30 Jun 2015 23:59:60 +0000", 1435708800000 },
	};
	int64_t time_ms;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(received_date(cases[i].text, &time_ms));
		assert_true(time_ms == cases[i].time_ms);
	}
}

static void impossible_dates_are_none(void **state)
{
	static const char *const texts[] = {
		"", ";", "now", "Tue,", "Tue, 24 Nov", "32 Jan 2026 10:00:00 +0000",
		"29 Feb 2026 10:00:00 +0000", "31 Apr 2026 10:00:00 +0000",
		"0 Jan 2026 10:00:00 +0000", "1 Foo 2026 10:00:00 +0000",
		"1 Jan 1969 10:00:00 +0000", "1 Jan 26 10:00:00 +0000",
		"1 Jan 99999 10:00:00 +0000", "1 Jan 2026 24:00:00 +0000",
		"1 Jan 2026 10:60:00 +0000", "1 Jan 2026 10:00:61 +0000",
		"1 Jan 2026 10:00:0 +0000", "1 Jan 2026 10-00-00 +0000",
		"1 Jan 2026 10:00:00 0100", "1 Jan 2026 10:00:00 +100",
		"1 Jan 2026 10:00:00 +2400", "1 Jan 2026 10:00:00 CET",
		"1 Jan 2026 -1:00:00 +0000", "1 Jan 2026 10:00:00 +0x00",
		"0123456789012345678901234567890123456789 Jan 2026 10:00:00 +0000",
	};
	int64_t time_ms;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (received_date(texts[i], &time_ms))
			fail_msg("taken: %s", texts[i]);
}

/* Bytes of all kinds: nothing is read behind the end, and what is found is fit for use. */
static void anything_can_be_read(void **state)
{
	static const char letters[] = "id ;()<>\"\\:,+-0123Tue Nov\r\n\t";
	struct received received;
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t size = (size_t)round % 60;
		char *text = malloc(size + 1);

		assert_non_null(text);
		for (size_t i = 0; i < size; i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		text[size] = '\0';
		received_parse(text, &received);
		assert_true(strlen(received.queue_id) < RECEIVED_ID_MAX);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_postfix_writes_is_read),
		cmocka_unit_test(what_a_client_said_is_not_taken_for_the_queue_id),
		cmocka_unit_test(what_is_no_queue_id_is_none),
		cmocka_unit_test(dates_are_read_with_their_zone),
		cmocka_unit_test(impossible_dates_are_none),
		cmocka_unit_test(anything_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
