/* Our own words on the pages, in four languages.
 * links: sealgate-pdf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pdfenc/wording.h"

static void what_has_no_translation_stays(void **state)
{
	(void)state;
	wording_use(CONF_GERMAN);
	assert_string_equal(wording("no such words"), "no such words");
	wording_use(CONF_ENGLISH);
	assert_string_equal(wording("From"), "From");
}

static void each_language_has_its_words(void **state)
{
	static const char *const wanted[CONF_LANGUAGES] = { "Date", "Datum", "Date", "Fecha" };

	(void)state;
	for (unsigned int i = 0; i < CONF_LANGUAGES; i++) {
		wording_use((enum conf_language)i);
		assert_string_equal(wording("Date"), wanted[i]);
	}
}

static void dates_are_written_as_people_do(void **state)
{
	static const char *const wanted[CONF_LANGUAGES] = {
		"Monday, 30 November 2026, 10:15 (UTC+01:00)",
		"Montag, 30. November 2026, 10:15 (UTC+01:00)",
		"lundi 30 novembre 2026, 10:15 (UTC+01:00)",
		"lunes, 30 de noviembre de 2026, 10:15 (UTC+01:00)",
	};
	GTimeZone *zone = g_time_zone_new_offset(3600);
	GDateTime *date = g_date_time_new(zone, 2026, 11, 30, 10, 15, 0);

	(void)state;
	for (unsigned int i = 0; i < CONF_LANGUAGES; i++) {
		char *text;

		wording_use((enum conf_language)i);
		text = wording_date(date);
		assert_string_equal(text, wanted[i]);
		g_free(text);
	}
	g_date_time_unref(date);
	g_time_zone_unref(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_no_translation_stays),
		cmocka_unit_test(each_language_has_its_words),
		cmocka_unit_test(dates_are_written_as_people_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
