/* Buffers: maxima, numbers, counted bytes, and a random walk against a plain array.
 * links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/buf.h"

#define WALK_MAX 5000

static void the_maximum_is_never_passed(void **state)
{
	unsigned char *room;
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_int_equal(buf_append(&buf, "0123456", 7), SG_OK);
	assert_int_equal(buf_append(&buf, "0123", 4), SG_ELIMIT);
	assert_int_equal(buf_printf(&buf, "%d", 1000), SG_ELIMIT);
	assert_int_equal(buf_put_u32(&buf, 1), SG_ELIMIT);
	assert_int_equal(buf_put_bytes(&buf, "", 0), SG_ELIMIT);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX, &room), SG_ELIMIT);
	assert_int_equal(buf.size, 7);
	assert_int_equal(buf_printf(&buf, "%d", 100), SG_OK);
	assert_string_equal(buf_str(&buf), "0123456100");
	assert_int_equal(buf.size, 10);
	buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.max, 10);
}

static void an_empty_one_is_an_empty_string(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf_append(&buf, NULL, 0), SG_OK);
	assert_int_equal(buf_append(&buf, "x", 1), SG_ELIMIT);
	buf_free(&buf);
}

static void numbers_and_bytes_come_back(void **state)
{
	struct buf_reader reader;
	const unsigned char *data;
	struct buf buf;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	size_t size;
	char *text;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(buf_put_u8(&buf, 0xfe), SG_OK);
	assert_int_equal(buf_put_u16(&buf, 0xfedc), SG_OK);
	assert_int_equal(buf_put_u32(&buf, 0xfedcba98), SG_OK);
	assert_int_equal(buf_put_u64(&buf, 0xfedcba9876543210), SG_OK);
	assert_int_equal(buf_put_str(&buf, "text"), SG_OK);
	assert_int_equal(buf_put_bytes(&buf, "a\0b", 3), SG_OK);
	assert_int_equal(buf_put_str(&buf, NULL), SG_OK);
	assert_memory_equal(buf.data, "\xfe\xfe\xdc\xfe\xdc\xba\x98", 7);
	buf_reader_init(&reader, buf.data, buf.size);
	assert_int_equal(buf_get_u8(&reader, &u8), SG_OK);
	assert_int_equal(buf_get_u16(&reader, &u16), SG_OK);
	assert_int_equal(buf_get_u32(&reader, &u32), SG_OK);
	assert_int_equal(buf_get_u64(&reader, &u64), SG_OK);
	assert_int_equal(u8, 0xfe);
	assert_int_equal(u16, 0xfedc);
	assert_int_equal(u32, 0xfedcba98);
	assert_true(u64 == 0xfedcba9876543210);
	assert_int_equal(buf_get_str(&reader, 3, &text), SG_ELIMIT);
	assert_null(text);
	assert_int_equal(buf_get_str(&reader, 4, &text), SG_OK);
	assert_string_equal(text, "text");
	free(text);
	assert_int_equal(buf_get_str(&reader, 100, &text), SG_EFORMAT);
	assert_int_equal(buf_get_bytes(&reader, &data, &size), SG_OK);
	assert_int_equal(size, 3);
	assert_int_equal(buf_get_end(&reader), SG_EFORMAT);
	assert_int_equal(buf_get_bytes(&reader, &data, &size), SG_OK);
	assert_int_equal(size, 0);
	assert_int_equal(buf_get_end(&reader), SG_OK);
	assert_int_equal(buf_get_u8(&reader, &u8), SG_EFORMAT);
	buf_free(&buf);
}

static void a_count_beyond_the_end_is_refused_and_moves_nothing(void **state)
{
	static const unsigned char wire[] = { 0xff, 0xff, 0xff, 0xff, 'a' };
	struct buf_reader reader;
	const unsigned char *data;
	uint64_t u64;
	size_t size;

	(void)state;
	buf_reader_init(&reader, wire, sizeof(wire));
	assert_int_equal(buf_get_bytes(&reader, &data, &size), SG_EFORMAT);
	assert_int_equal(buf_get_u64(&reader, &u64), SG_EFORMAT);
	assert_int_equal(reader.at, 0);
}

/* Numbers that are the same in every run (Knuth's MMIX generator). */
static unsigned int next_number(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* One step of the walk: the same to the buf and to the model. */
static void step(struct buf *buf, unsigned char *model, size_t *model_size, uint32_t *seed)
{
	unsigned char bytes[300];
	size_t size = (size_t)next_number(seed) % sizeof(bytes);
	enum fail_code expected = *model_size + size > WALK_MAX ? SG_ELIMIT : SG_OK;

	if (next_number(seed) % 60 == 0) {
		buf_reset(buf);
		*model_size = 0;
		return;
	}
	if (next_number(seed) % 100 == 0) {
		buf_free(buf);
		*model_size = 0;
		return;
	}
	memset(bytes, next_number(seed) & 0xff, sizeof(bytes));
	assert_int_equal(buf_append(buf, bytes, size), expected);
	if (expected == SG_OK) {
		memcpy(model + *model_size, bytes, size);
		*model_size += size;
	}
	if (next_number(seed) % 3 == 0)
		assert_int_equal(((const unsigned char *)buf_str(buf))[buf->size], 0);
}

static void a_random_walk_agrees_with_an_array(void **state)
{
	uint32_t seed = 4711;
	static unsigned char model[WALK_MAX];
	size_t model_size = 0;
	struct buf buf;

	(void)state;
	buf_init(&buf, WALK_MAX);
	for (int i = 0; i < 20000; i++) {
		step(&buf, model, &model_size, &seed);
		assert_int_equal(buf.size, model_size);
		if (model_size > 0)
			assert_memory_equal(buf.data, model, model_size);
	}
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_maximum_is_never_passed),
		cmocka_unit_test(an_empty_one_is_an_empty_string),
		cmocka_unit_test(numbers_and_bytes_come_back),
		cmocka_unit_test(a_count_beyond_the_end_is_refused_and_moves_nothing),
		cmocka_unit_test(a_random_walk_agrees_with_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
