/* Which of our languages a sender reads. links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "milter/language.h"

static void check(const char *value, int expected)
{
	enum conf_language language = CONF_ENGLISH;
	bool found = language_choose(value, &language);

	if (found != (expected >= 0) || (found && (int)language != expected))
		fail_msg("\"%s\": %d, language %u", value, found, language);
}

static void the_one_liked_best_is_taken(void **state)
{
	(void)state;
	check("de", CONF_GERMAN);
	check("de-AT, en;q=0.5", CONF_GERMAN);
	check("en;q=0.5, fr-CA;q=0.8", CONF_FRENCH);
	check("it, es_MX", CONF_SPANISH);
	check(" EN-us ", CONF_ENGLISH);
	check("de;q=0, es;q=0.001", CONF_SPANISH);
	check("de;q=0", -1);
	check("it, nl", -1);
	check("den, est, e", -1);
	check("", -1);
	check(",,;q=1", -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_liked_best_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
