/* links: sealgate-scan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "milter/scan/tempdir.h"
#include "tests/unit/milter/scan/place.h"

static struct tempdir_wish wish_in(const struct place *place, const char *configured)
{
	return (struct tempdir_wish) {
		.configured = configured,
		.visible = place->database,
		.size = 1 << 20,
		.room_min = 1,
		.uid = geteuid(),
		.gid = getegid(),
	};
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	place_make(place);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	place_remove(*state);
	free(*state);
	return 0;
}

static void in_a_configured_directory_it_is_private(void **state)
{
	struct place *place = *state;
	struct tempdir_wish wish = wish_in(place, place->temporary);
	struct tempdir dir;
	struct stat st;

	assert_int_equal(tempdir_make(&wish, &dir, NULL), SG_OK);
	assert_memory_equal(dir.path, place->temporary, strlen(place->temporary));
	assert_int_equal(stat(dir.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_true(tempdir_room(dir.path) > 0);
	tempdir_free(&dir);
	assert_int_equal(rmdir(place->temporary), 0);
	assert_int_equal(mkdir(place->temporary, 0700), 0);
}

static void a_missing_directory_is_an_error_with_a_hint(void **state)
{
	struct tempdir_wish wish = wish_in(*state, "/nonexistent");
	struct tempdir dir;
	struct fail f;

	fail_clear(&f);
	assert_int_equal(tempdir_make(&wish, &dir, &f), SG_ESYSTEM);
	assert_non_null(strstr(f.hint, "scan.temporary_directory"));
	assert_null(dir.path);
}

static void what_dead_scanners_left_is_swept_and_the_living_stay(void **state)
{
	struct place *place = *state;
	struct tempdir_wish wish = wish_in(place, place->temporary);
	char dead[160];
	struct tempdir other;
	struct tempdir mine;

	(void)snprintf(dead, sizeof(dead), "%s/" TEMPDIR_NAME "abcdef", place->temporary);
	assert_int_equal(mkdir(dead, 0700), 0);
	place_write(dead, "left", "over");
	assert_int_equal(tempdir_make(&wish, &other, NULL), SG_OK);
	assert_int_equal(tempdir_make(&wish, &mine, NULL), SG_OK);
	tempdir_sweep(&mine);
	assert_int_equal(access(dead, F_OK), -1);
	assert_int_equal(access(other.path, F_OK), 0);
	assert_int_equal(access(mine.path, F_OK), 0);
	tempdir_free(&other);
	tempdir_free(&mine);
}

static void root_gets_a_tmpfs_that_nobody_else_sees(void **state)
{
	struct place *place = *state;
	struct tempdir_wish wish = wish_in(place, "");
	struct tempdir dir;

	if (!place->mounts)
		skip();
	assert_int_equal(tempdir_make(&wish, &dir, NULL), SG_OK);
	assert_null(dir.base);
	assert_true(tempdir_room(dir.path) <= 1 << 20);
	assert_int_equal(umount2(dir.path, MNT_DETACH), 0);
	tempdir_free(&dir);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(in_a_configured_directory_it_is_private),
		CASE(a_missing_directory_is_an_error_with_a_hint),
		CASE(what_dead_scanners_left_is_swept_and_the_living_stay),
		CASE(root_gets_a_tmpfs_that_nobody_else_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
