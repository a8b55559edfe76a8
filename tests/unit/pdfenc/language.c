/* links: sealgate-pdf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pdfenc/language.h"

static const char *guess(const char *text)
{
	struct language_votes votes = { { 0 } };

	language_count(&votes, text, strlen(text));
	return language_best(&votes);
}

static void small_words_tell_the_language(void **state)
{
	(void)state;
	assert_string_equal(guess("Please find the invoice for your order."), "en");
	assert_string_equal(guess("Liebe Frau Keller, wir danken für die Bestellung"), "de");
	assert_string_equal(guess("Merci pour votre commande, vous trouverez les détails"), "fr");
	assert_string_equal(guess("Gracias por su pedido, los detalles y el precio"), "es");
	assert_string_equal(guess("Het pakket is niet bezorgd, wij zijn morgen terug"), "nl");
	assert_string_equal(guess("Tack för att du handlar, det är inte långt"), "sv");
}

static void little_or_mixed_text_tells_nothing(void **state)
{
	char words[200];

	(void)state;
	assert_null(guess(""));
	assert_null(guess("Kalender"));
	assert_null(guess("the und the und"));
	memset(words, 'a', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	assert_null(guess(words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_words_tell_the_language),
		cmocka_unit_test(little_or_mixed_text_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
