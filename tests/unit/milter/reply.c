/* Failures become replies; what the outer message keeps; a configuration that is swapped.
 * links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "milter/outer.h"
#include "milter/reply.h"
#include "milter/share.h"

static const enum fail_code codes[] = { SG_ESYSTEM, SG_ENOMEM, SG_ELIMIT, SG_EFORMAT,
	SG_ENOTFOUND, SG_EDENIED, SG_EPEER, SG_ECRYPTO, SG_EUSAGE, SG_EEXIST, SG_EIMPOSSIBLE };

static void temporary_is_4xx_and_tells_nothing_of_ours(void **state)
{
	struct reply reply;
	struct fail f;

	(void)state;
	for (int stage = REPLY_INTAKE; stage <= REPLY_RECORD; stage++)
		for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
			(void)fail_set(&f, codes[i], "secret hint", "secret inside");
			(void)fail_set_kind(&f, FAIL_TEMPORARY);
			reply_from_fail((enum reply_stage)stage, &f, &reply);
			assert_int_equal(reply.code[0], '4');
			assert_int_equal(reply.status[0], '4');
			assert_null(strstr(reply.text, "secret"));
		}
}

static void code_and_status_always_agree(void **state)
{
	struct reply reply;
	struct fail f;

	(void)state;
	for (int stage = REPLY_INTAKE; stage <= REPLY_RECORD; stage++)
		for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
			(void)fail_set(&f, codes[i], NULL, "reason");
			reply_from_fail((enum reply_stage)stage, &f, &reply);
			assert_int_equal(reply.code[0], reply.status[0]);
			assert_int_equal(strlen(reply.code), 3);
			if (f.kind == FAIL_TEMPORARY)
				assert_int_equal(reply.code[0], '4');
		}
	(void)fail_set(&f, SG_EDENIED, NULL, "reason");
	reply_from_fail(REPLY_SCAN, &f, &reply);
	assert_int_equal(reply.code[0], '4');	/* no verdict is never permanent */
	reply_from_fail(REPLY_RECORD, &f, &reply);
	assert_int_equal(reply.code[0], '4');
}

static void a_reply_is_one_line(void **state)
{
	struct reply reply;

	(void)state;
	reply_set(&reply, "550", "5.7.1", "%s", "virus\r\n250 Ok\x1b\x7f");
	assert_string_equal(reply.text, "virus??250 Ok??");
	reply_set(&reply, "550", "5.7.1", "%1000s", "long");
	assert_true(strlen(reply.text) < REPLY_TEXT_MAX);
}

static void at_the_fallback_the_queue_is_told_why(void **state)
{
	struct reply reply;
	struct fail f;

	(void)state;
	(void)fail_set(&f, SG_EPEER, NULL, "no proven TLS at mx: TLS is required");
	reply_from_fail(REPLY_NO_TLS, &f, &reply);
	assert_string_equal(reply.code, "451");
	assert_string_equal(reply.status, "4.7.4");
	assert_non_null(strstr(reply.text, "TLS is required"));
	reply_from_fail(REPLY_WAIT, &f, &reply);
	assert_string_equal(reply.status, "4.4.0");
	assert_non_null(strstr(reply.text, "TLS is required"));
	(void)fail_set(&f, SG_EIMPOSSIBLE, "ask", "no TLS");
	reply_from_fail(REPLY_NO_TLS, &f, &reply);
	assert_string_equal(reply.code, "550");
	assert_string_equal(reply.status, "5.7.4");
}

static void the_outer_message_keeps_what_mail_needs_only(void **state)
{
	static const char *const kept[] = { "from", "To", "CC", "Reply-To", "Sender", "Date",
		"Message-Id", "References", "In-Reply-To", "Auto-Submitted", "List-Id",
		"Received", "Delivered-To", "Resent-From" };
	static const char *const gone[] = { "DKIM-Signature", "ARC-Seal", "X-Mailer", "Keywords",
		"Comments", "Bcc", "Content-Type", "Thread-Topic", "X-Sealgate", "Froms", "Fro" };

	(void)state;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_true(outer_keeps(kept[i]));
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		assert_false(outer_keeps(gone[i]));
}

static struct conf *fresh_conf(void)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	assert_non_null(conf);
	conf->socket = str_dup("local:/nowhere");
	assert_non_null(conf->socket);
	return conf;
}

static void a_message_keeps_the_configuration_it_began_with(void **state)
{
	struct share_item *item;
	struct share_item *later;
	const struct conf *first;
	struct share share;

	(void)state;
	assert_int_equal(share_init(&share, fresh_conf()), SG_OK);
	item = share_acquire(&share);
	first = share_conf(item);
	assert_int_equal(share_replace(&share, fresh_conf()), SG_OK);
	assert_ptr_equal(share_conf(item), first);
	assert_non_null(first->socket);		/* still there */
	later = share_acquire(&share);
	assert_ptr_not_equal(share_conf(later), first);
	share_release(&share, item);
	share_release(&share, later);
	share_release(&share, NULL);
	share_free(&share);
}

static void *use(void *context)
{
	struct share *share = context;

	for (int i = 0; i < 2000; i++) {
		struct share_item *item = share_acquire(share);

		if (share_conf(item)->socket[0] == '\0')
			return context;
		share_release(share, item);
	}
	return NULL;
}

static void threads_may_use_it_while_it_is_swapped(void **state)
{
	pthread_t threads[4];
	struct share share;
	void *result;

	(void)state;
	assert_int_equal(share_init(&share, fresh_conf()), SG_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, &share), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(share_replace(&share, fresh_conf()), SG_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	share_free(&share);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(temporary_is_4xx_and_tells_nothing_of_ours),
		cmocka_unit_test(code_and_status_always_agree),
		cmocka_unit_test(a_reply_is_one_line),
		cmocka_unit_test(at_the_fallback_the_queue_is_told_why),
		cmocka_unit_test(the_outer_message_keeps_what_mail_needs_only),
		cmocka_unit_test(a_message_keeps_the_configuration_it_began_with),
		cmocka_unit_test(threads_may_use_it_while_it_is_swapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
