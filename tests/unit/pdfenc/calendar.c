/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "pdfenc/calendar.h"

#define EVENT(lines) "BEGIN:VCALENDAR\nBEGIN:VEVENT\n" lines "END:VEVENT\nEND:VCALENDAR\n"

/* The card, to be freed; title may be NULL. */
static char *card_of(const char *ics, const char **title)
{
	GString *text = g_string_new(ics);
	GString *card = g_string_new(NULL);
	const char *found;
	bool shown = calendar_to_card(text, card, &found);

	g_string_free(text, TRUE);
	if (title != NULL)
		*title = found;
	return g_string_free(card, !shown);
}

static void check(const char *ics, const char *expected)
{
	char *card = card_of(ics, NULL);

	assert_non_null(card);
	assert_non_null(strstr(card, expected));
	g_free(card);
}

static void times_keep_the_zone_they_were_written_in(void **state)
{
	(void)state;
	check(EVENT("DTSTART;TZID=Europe/Berlin:20261201T093000\n"
	    "DTEND;TZID=Europe/Berlin:20261201T110000\n"),
	    "When: Tuesday, 1 December 2026, 09:30 to 11:00 (Europe/Berlin)\n");
	check(EVENT("DTSTART:20261201T093000Z\nDURATION:PT90M\n"),
	    "When: Tuesday, 1 December 2026, 09:30 to 11:00 (UTC)\n");
	check(EVENT("DTSTART:20261201T230000Z\nDTEND:20261202T010000Z\n"),
	    "23:00 to Wednesday, 2 December 2026, 01:00 (UTC)\n");
}

static void the_last_of_whole_days_is_the_one_before_the_end(void **state)
{
	(void)state;
	check(EVENT("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261202\n"),
	    "When: Tuesday, 1 December 2026\n");
	check(EVENT("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261204\n"),
	    "When: Tuesday, 1 December 2026 to Thursday, 3 December 2026\n");
}

static void lines_are_unfolded_and_escapes_undone(void **state)
{
	(void)state;
	check(EVENT("SUMMARY:A long\n  na\n me\\, with\\; signs\nLOCATION:one\\ntwo\n"),
	    "What: A long name, with; signs\nWhere: one\n\ttwo\n");
}

static void people_have_names_and_answers(void **state)
{
	(void)state;
	check(EVENT("ORGANIZER;CN=\"A; B\":mailto:a@example.org\n"
	    "ATTENDEE;PARTSTAT=ACCEPTED;CN=C:mailto:c@example.org\n"
	    "ATTENDEE:mailto:d@example.org\n"),
	    "Organizer: A; B <a@example.org>\nWho: C <c@example.org> (accepted), d@example.org\n");
}

static void the_method_is_the_title(void **state)
{
	const char *title;

	(void)state;
	g_free(card_of("BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n",
	    &title));
	assert_string_equal(title, "Invitation");
	g_free(card_of("BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n",
	    &title));
	assert_string_equal(title, "Cancelled");
}

static void alarms_are_not_the_event(void **state)
{
	char *card = card_of(EVENT("SUMMARY:x\nBEGIN:VALARM\nDESCRIPTION:hidden\nEND:VALARM\n"),
	    NULL);

	(void)state;
	assert_null(strstr(card, "hidden"));
	g_free(card);
}

static void what_has_no_event_is_no_card(void **state)
{
	(void)state;
	assert_null(card_of("BEGIN:VCALENDAR\nEND:VCALENDAR\n", NULL));
	assert_null(card_of("", NULL));
	assert_null(card_of("no calendar", NULL));
}

/* A random walk: pieces in any order never crash. */
static void any_mixture_of_lines_is_read(void **state)
{
	static const char *const pieces[] = { "BEGIN:VEVENT\n", "END:VEVENT\n", "BEGIN:VALARM\n",
		"END:VALARM\n", "DTSTART:99999999T999999Z\n", "DTSTART;TZID=:20260101T\n", " fold",
		"DTEND;VALUE=DATE:00000000\n", "DURATION:P99999999999W\n", "SUMMARY:\\\n",
		"ATTENDEE;CN=\"x:mailto:y\n", "RRULE:FREQ=DAILY\n", "RRULE:FREQ=WEEKLY;\n", ":\n",
		";;=:\n", "\n", "ORGANIZER;CN=:\n" };
	uint32_t seed = 4711;

	(void)state;
	for (unsigned int n = 0; n < 3000; n++) {
		GString *text = g_string_new("BEGIN:VCALENDAR\n");

		for (unsigned int i = 0; i < 12; i++) {
			seed = seed * 1664525u + 1013904223u;
			g_string_append(text, pieces[(seed >> 16) % G_N_ELEMENTS(pieces)]);
		}
		g_free(card_of(text->str, NULL));
		g_string_free(text, TRUE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_keep_the_zone_they_were_written_in),
		cmocka_unit_test(the_last_of_whole_days_is_the_one_before_the_end),
		cmocka_unit_test(lines_are_unfolded_and_escapes_undone),
		cmocka_unit_test(people_have_names_and_answers),
		cmocka_unit_test(the_method_is_the_title),
		cmocka_unit_test(alarms_are_not_the_event),
		cmocka_unit_test(what_has_no_event_is_no_card),
		cmocka_unit_test(any_mixture_of_lines_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
