/* What hooks are told, and what they say. links: sealgate-notify */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "config/conf.h"
#include "gateway/notify/hook.h"

static void answers_mean_done_later_or_never(void **state)
{
	static const struct {
		long status;
		enum hook_end end;
	} replies[] = { { 200, HOOK_DONE }, { 204, HOOK_DONE }, { 301, HOOK_AGAIN },
		{ 400, HOOK_FAILED }, { 401, HOOK_FAILED }, { 408, HOOK_AGAIN },
		{ 410, HOOK_FAILED },
		{ 429, HOOK_AGAIN }, { 500, HOOK_AGAIN }, { 503, HOOK_AGAIN }, { 0, HOOK_AGAIN } };
	struct hook_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		hook_replied(replies[i].status, &answer);
		assert_int_equal(answer.end, replies[i].end);
	}
	hook_exited(0, &answer);
	assert_int_equal(answer.end, HOOK_DONE);
	hook_exited(75, &answer);
	assert_int_equal(answer.end, HOOK_AGAIN);
	hook_exited(1, &answer);
	assert_int_equal(answer.end, HOOK_FAILED);
	assert_non_null(strstr(answer.why, "exit status 1"));
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void the_json_has_all_and_is_valid_whatever_mail_brings(void **state)
{
	struct vault_notice notice = { .kind = VAULT_HOOK, .language = CONF_GERMAN, .keep = true,
		.count = 3, .time_ms = 1000 };
	struct buf out;
	json_t *object;

	(void)state;
	buf_init(&out, HOOK_JSON_MAX);
	notice.id[15] = 0xab;
	notice.tenant = strdup("acme");
	notice.to = strdup("ann@acme.example");
	notice.subject = strdup(" =?utf-8?Q?Gr=C3=BC=C3=9Fe_=22x=22?= \\ \x01");
	notice.phone = strdup("+4915112345678");
	assert_int_equal(secret_set(&notice.password, "ab\"c\\d", 6), SG_OK);
	assert_int_equal(str_list_add(&notice.recipients, "bob@x.example"), SG_OK);
	assert_int_equal(str_list_add(&notice.recipients, "b\xff" "b@x.example"), SG_OK);
	assert_int_equal(hook_json(&notice, &out), SG_OK);
	object = json_loadb((const char *)out.data, out.size, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_int_equal(json_integer_value(json_object_get(object, "version")), 1);
	assert_string_equal(text_at(object, "event"), "password");
	assert_string_equal(text_at(object, "id"), "000000000000000000000000000000ab");
	assert_string_equal(text_at(object, "tenant"), "acme");
	assert_string_equal(text_at(object, "phone"), "+4915112345678");
	assert_string_equal(text_at(object, "sender"), "ann@acme.example");
	assert_string_equal(text_at(object, "subject"), "Gr\xc3\xbc\xc3\x9f" "e \"x\" \\ ?");
	assert_string_equal(text_at(object, "sent"), "1970-01-01T00:00:01Z");
	assert_string_equal(text_at(object, "password"), "ab\"c\\d");
	assert_string_equal(text_at(object, "language"), "de");
	assert_true(json_is_true(json_object_get(object, "kept")));
	assert_int_equal(json_integer_value(json_object_get(object, "recipient_count")), 3);
	assert_string_equal(json_string_value(json_array_get(json_object_get(object, "recipients"),
	    1)), "b?b@x.example");
	json_decref(object);
	notice.phone[0] = '\0';
	buf_reset(&out);
	assert_int_equal(hook_json(&notice, &out), SG_OK);
	assert_non_null(strstr(buf_str(&out), "\"phone\":null"));
	vault_notice_free(&notice);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_mean_done_later_or_never),
		cmocka_unit_test(the_json_has_all_and_is_valid_whatever_mail_brings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
