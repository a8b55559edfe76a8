/* What a canary that came back is taken for. links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/base64.h"
#include "gateway/cmd/canary.h"

#define WORD "0123456789abcdef0123456789abcdef"

static enum canary_result judge(const char *head, const char *inner)
{
	enum canary_result result;
	struct buf message;

	buf_init(&message, CANARY_MESSAGE_MAX);
	assert_int_equal(buf_append_str(&message, head), SG_OK);
	if (inner != NULL)
		assert_int_equal(base64_encode(&message, inner, strlen(inner)), SG_OK);
	assert_int_equal(buf_append_str(&message, "\n"), SG_OK);
	result = canary_judge(&message, WORD);
	buf_free(&message);
	return result;
}

static void only_what_is_sealed_is_called_so(void **state)
{
	static const char envelope[] = "Content-Type: application/pkcs7-mime\n\n";
	static const char pdf[] = "Content-Type: application/pdf\n\n";
	struct buf nothing;

	(void)state;
	buf_init(&nothing, CANARY_MESSAGE_MAX);
	assert_int_equal(canary_judge(&nothing, WORD), CANARY_MISSING);
	assert_int_equal(judge("Subject: x\n\nThe word is " WORD ".\n", NULL), CANARY_CLEAR);
	assert_int_equal(judge("Subject: x\n\nNo word.\n", NULL), CANARY_CLEAR);
	assert_int_equal(judge(envelope, "sealed"), CANARY_SEALED);
	assert_int_equal(judge(envelope, "not sealed: " WORD), CANARY_CLEAR);
	assert_int_equal(judge(pdf, "%PDF-2.0 ... /Encrypt ..."), CANARY_SEALED);
	assert_int_equal(judge(pdf, "%PDF-2.0 ... open ..."), CANARY_CLEAR);
	assert_int_equal(judge(pdf, "%PDF-2.0 ... /Encrypt " WORD), CANARY_CLEAR);
	buf_free(&nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_sealed_is_called_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
