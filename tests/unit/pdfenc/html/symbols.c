/* Bullets of Word are what people saw there.
 * links: sealgate-pdf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pdfenc/html/symbols.h"

static void expect(enum symbols symbols, const char *text, const char *wanted)
{
	GString *out = g_string_new(NULL);

	symbols_translate(symbols, text, out);
	assert_string_equal(out->str, wanted);
	g_string_free(out, TRUE);
}

static void only_fonts_of_signs_are_translated(void **state)
{
	(void)state;
	assert_int_equal(symbols_of("Wingdings"), SYMBOLS_WINGDINGS);
	assert_int_equal(symbols_of(" 'wingdings', serif"), SYMBOLS_WINGDINGS);
	assert_int_equal(symbols_of("Symbol"), SYMBOLS_SYMBOL);
	assert_int_equal(symbols_of("Wingdings 2"), SYMBOLS_NONE);
	assert_int_equal(symbols_of("Arial, Wingdings"), SYMBOLS_NONE);
	assert_int_equal(symbols_of(""), SYMBOLS_NONE);
}

static void bullets_and_ticks_are_what_they_were(void **state)
{
	(void)state;
	expect(SYMBOLS_WINGDINGS, "\302\247 \303\274J", "\342\226\252 \342\234\223\342\230\272");
	expect(SYMBOLS_WINGDINGS, "\357\202\247", "\342\226\252");
	expect(SYMBOLS_SYMBOL, "\302\267", "\342\200\242");
	expect(SYMBOLS_SYMBOL, "plain \346\226\207", "plain \346\226\207");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_fonts_of_signs_are_translated),
		cmocka_unit_test(bullets_and_ticks_are_what_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
