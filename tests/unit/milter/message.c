/* Messages: fields as received, files taken apart, line ends; edits of them.
 * links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "milter/edits.h"
#include "milter/mark.h"
#include "milter/message.h"

#define MAX ((size_t)10000)

static struct message parse(const char *text, enum fail_code expected, size_t *body_at_out)
{
	struct message message;
	struct fail f;

	message_init(&message);
	assert_int_equal(message_parse(&message, text, strlen(text), MAX, body_at_out, &f),
	    expected);
	return message;
}

static void a_file_comes_apart(void **state)
{
	static const char text[] = "From MAILER Mon\nFrom: a@x\nSubject:  two\n\tlines\r\n"
	    "X-Old : colon\nX-Empty:\n\nBody: 1\n";
	size_t at;
	struct message message = parse(text, SG_OK, &at);

	(void)state;
	assert_int_equal(message.header_count, 4);
	assert_string_equal(message.headers[1].name, "Subject");
	assert_string_equal(message.headers[1].value, "  two\n\tlines");
	assert_string_equal(message.headers[2].name, "X-Old");
	assert_string_equal(message.headers[3].value, "");
	assert_string_equal(text + at, "Body: 1\n");
	assert_string_equal(message_header(&message, "SUBJECT"), "two\n\tlines");
	assert_null(message_header(&message, "Subj"));
	message_free(&message);
}

static void a_body_without_an_empty_line_is_found(void **state)
{
	static const char text[] = "From: a@x\nthis is no field\n";
	size_t at;
	struct message message = parse(text, SG_OK, &at);

	(void)state;
	assert_int_equal(message.header_count, 1);
	assert_string_equal(text + at, "this is no field\n");
	message_free(&message);
}

static void what_is_no_mail_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "\n", "\nBody\n", "no field\n", ": x\n", "From x\n" };
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct message message = parse(texts[i], SG_EFORMAT, &at);

		assert_int_equal(at, 0);
		message_free(&message);
	}
}

static void a_value_cannot_start_a_field_or_end_the_header(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" }, { "a", "a" }, { "a\n b", "a\r\n b" },
		{ "a\r\n\tb", "a\r\n\tb" }, { "a\nX: b", "a\r\n\tX: b" },
		{ "a\rb", "a\rb" }, { "\r\n\r\n", "" }, { "a\n\n", "a" },
		{ "a\n\nX: b", "a\r\n\tX: b" }, { "a\r\n\r\n b", "a\r\n b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		buf_init(&out, 100);
		assert_int_equal(message_put_crlf(cases[i][0], &out), SG_OK);
		assert_string_equal(buf_str(&out), cases[i][1]);
		buf_free(&out);
	}
}

static void headers_are_bounded_in_number_and_size(void **state)
{
	struct message message;
	int i = 0;

	(void)state;
	message_init(&message);
	assert_int_equal(message_add_header(&message, "N", "value", 5), SG_ELIMIT);
	while (message_add_header(&message, "N", "v", SIZE_MAX) == SG_OK)
		i++;
	assert_true(i >= MESSAGE_HEADERS_MAX && i < 2 * MESSAGE_HEADERS_MAX);
	message_free(&message);
	message_init(&message);
	for (i = 0; message_add_header(&message, "N", "v", 50) == SG_OK; i++)
		;
	assert_int_equal(i, 10);	/* five bytes each, with colon and line end */
	message_free(&message);
}

static void addresses_lose_their_brackets_only(void **state)
{
	struct message message;

	(void)state;
	message_init(&message);
	assert_int_equal(message_set_sender(&message, "<>"), SG_OK);
	assert_string_equal(message.sender, "");
	assert_int_equal(message_set_sender(&message, "<a@x>"), SG_OK);
	assert_string_equal(message.sender, "a@x");
	assert_int_equal(message_add_recipient(&message, "b@x"), SG_OK);
	assert_int_equal(message_add_recipient(&message, "<\"c d\"@x>"), SG_OK);
	assert_string_equal(message.recipients.items[0], "b@x");
	assert_string_equal(message.recipients.items[1], "\"c d\"@x");
	message_free(&message);
}

static void deletions_go_from_the_last_to_the_first(void **state)
{
	size_t at;
	struct message message = parse("A: 1\nB: 1\na: 2\nA: 3\n\n", SG_OK, &at);
	struct edits edits;

	(void)state;
	edits_init(&edits);
	assert_int_equal(edits_delete_all(&edits, &message, "A"), SG_OK);
	assert_int_equal(edits.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(edits.items[i].index, 3 - i);
	edits_free(&edits);
	assert_int_equal(edits_set(&edits, &message, "A", " new"), SG_OK);
	assert_int_equal(edits.count, 3);
	assert_int_equal(edits.items[2].kind, EDIT_CHANGE);
	assert_int_equal(edits.items[2].index, 1);
	assert_int_equal(edits_set(&edits, &message, "C", " new"), SG_OK);
	assert_int_equal(edits.items[3].kind, EDIT_ADD);
	assert_int_equal(edits.items[3].index, 0);
	edits_free(&edits);
	assert_int_equal(edits.count, 0);
	message_free(&message);
}

static void an_edit_cannot_start_a_field_or_end_the_header(void **state)
{
	static const struct {
		const char *value;
		const char *expected;
	} cases[] = {
		{ " a", " a" }, { " a\n b", " a\n b" }, { " a\r\n\tb", " a\n\tb" },
		{ " a\nBcc: x", " a\n\tBcc: x" }, { " a\r\nBcc: x", " a\n\tBcc: x" },
		{ " a\n\nbody", " a\n\tbody" }, { " a\n", " a" }, { " a\r\n\r\n", " a" },
		{ " a\r\rb", " a\r\rb" }, { "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct edits edits;

		edits_init(&edits);
		assert_int_equal(edits_add(&edits, "X", cases[i].value), SG_OK);
		assert_string_equal(edits.items[0].value, cases[i].expected);
		edits_free(&edits);
	}
}

static void a_mark_is_found_only_when_it_is_alone(void **state)
{
	size_t at;
	struct message one = parse("X-Sealgate-Mark:  a\n\tb  \n\n", SG_OK, &at);
	struct message two = parse("X-Sealgate-Mark: a\nx-sealgate-mark: a\n\n", SG_OK, &at);
	struct message none = parse("X-Sealgate-Marks: a\n\n", SG_OK, &at);
	struct fail f;
	char *value;

	(void)state;
	assert_int_equal(mark_find(&one, MARK_HEADER, &value, &f), SG_OK);
	assert_string_equal(value, "a b");
	free(value);
	assert_int_equal(mark_find(&two, MARK_HEADER, &value, &f), SG_EDENIED);
	assert_null(value);
	assert_int_equal(mark_find(&none, MARK_HEADER, &value, &f), SG_ENOTFOUND);
	message_free(&one);
	message_free(&two);
	message_free(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_comes_apart),
		cmocka_unit_test(a_body_without_an_empty_line_is_found),
		cmocka_unit_test(what_is_no_mail_is_refused),
		cmocka_unit_test(a_value_cannot_start_a_field_or_end_the_header),
		cmocka_unit_test(headers_are_bounded_in_number_and_size),
		cmocka_unit_test(addresses_lose_their_brackets_only),
		cmocka_unit_test(deletions_go_from_the_last_to_the_first),
		cmocka_unit_test(an_edit_cannot_start_a_field_or_end_the_header),
		cmocka_unit_test(a_mark_is_found_only_when_it_is_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
