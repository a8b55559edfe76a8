/* links: sealgate-scan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "milter/scan/database.h"
#include "tests/unit/milter/scan/place.h"

static struct place place;

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

static void put(const char *name, int64_t time_s)
{
	struct timespec times[2] = { { .tv_sec = time_s }, { .tv_sec = time_s } };
	char path[160];

	place_write(place.database, name, "x");
	(void)snprintf(path, sizeof(path), "%s/%s", place.database, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void the_newest_file_says_how_old_signatures_are(void **state)
{
	(void)state;
	place_empty(place.database);
	assert_int_equal(database_newest(place.database), 0);
	put("a.ndb", 1000);
	put("b.hdb", 3000);
	put("freshclam.dat", 9000);
	assert_int_equal(database_newest(place.database), 3000);
	assert_int_equal(database_newest("/nonexistent"), 0);
}

/* Sets by others do not hide that the daily ones stay away. */
static void the_daily_file_counts_more_than_newer_ones(void **state)
{
	(void)state;
	put("others.ndb", 9000);
	put("daily.cld", 2000);
	assert_int_equal(database_newest(place.database), 2000);
	put("daily.cvd", 2500);
	assert_int_equal(database_newest(place.database), 2500);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_newest_file_says_how_old_signatures_are),
		CASE(the_daily_file_counts_more_than_newer_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
