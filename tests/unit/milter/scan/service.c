/* links: sealgate-scan */
/* Faults are made here on purpose:
 * expect-error: error out_of_service
 * expect-error: error signatures_old
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "milter/scan/engine.h"
#include "milter/scan/service.h"
#include "tests/unit/milter/scan/place.h"

struct bench {
	struct place place;
	struct options options;
	struct service *service;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct fail f;

	assert_non_null(b);
	(void)signal(SIGXFSZ, SIG_IGN);
	place_make(&b->place);
	b->options = (struct options) {
		.database_directory = b->place.database,
		.temporary_directory = b->place.temporary,
		.size_max = 100 * 1024 * 1024,
		.files_max = 10000,
		.recursion_max = 17,
		.time_max_ms = 60000,
	};
	fail_clear(&f);
	assert_int_equal(engine_start(&f), SG_OK);
	if (service_open(&b->options, &b->service, &f) != SG_OK)
		fail_msg("%s", f.what);
	assert_true(service_check(b->service));
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	service_close(b->service);
	place_remove(&b->place);
	free(b);
	return 0;
}

static enum scan_verdict verdict(struct bench *b, const struct buf *mail, char *name)
{
	struct scan_result result;

	service_scan(b->service, mail->data, mail->size, &result);
	if (name != NULL)
		(void)snprintf(name, SCAN_NAME_MAX, "%s", result.name);
	return result.verdict;
}

static enum scan_verdict verdict_on_testfile(struct bench *b, const char *file, char *name)
{
	enum scan_verdict found;
	struct buf mail;

	place_testfile(&mail, file);
	found = verdict(b, &mail, name);
	buf_free(&mail);
	return found;
}

static void must_be_clam(const char *file, enum scan_verdict given, const char *name)
{
	if (given != SCAN_INFECTED || strncmp(name, SIGDB_CLAM_NAME, strlen(SIGDB_CLAM_NAME)) != 0)
		fail_msg("%s: %d %s", file, (int)given, name);
}

/* As it is, and attached to a mail. */
static void must_be_found(const char *file, void *context)
{
	char path[512];
	char name[SCAN_NAME_MAX];
	enum scan_verdict given;
	struct buf data;

	(void)snprintf(path, sizeof(path), "%s/%s", PLACE_TESTFILES, file);
	buf_init(&data, PLACE_FILE_MAX);
	assert_int_equal(fd_read_file(path, &data, NULL), SG_OK);
	given = verdict(context, &data, name);
	buf_free(&data);
	must_be_clam(file, given, name);
	given = verdict_on_testfile(context, file, name);
	/* that one alone is as deep as the limit: inside a mail it is too deep, and says so */
	if (strcmp(file, "clam_cache_emax.tgz") == 0)
		assert_int_equal(given, SCAN_UNSCANNABLE);
	else
		must_be_clam(file, given, name);
}

static void every_test_file_of_clamav_is_found(void **state)
{
	if (place_each(PLACE_TESTFILES, must_be_found, *state) < 40)
		skip();
}

static void must_have_a_verdict(const char *name, void *context)
{
	char path[512];
	char found[SCAN_NAME_MAX];
	enum scan_verdict given;
	struct buf mail;

	(void)snprintf(path, sizeof(path), "%s/%s", PLACE_CORPUS, name);
	buf_init(&mail, PLACE_FILE_MAX);
	assert_int_equal(fd_read_file(path, &mail, NULL), SG_OK);
	given = verdict(context, &mail, found);
	if (given != SCAN_CLEAN)
		fail_msg("%s: %d %s", name, (int)given, found);
	buf_free(&mail);
}

static void no_message_of_the_corpus_is_unscannable(void **state)
{
	if (place_each(PLACE_CORPUS, must_have_a_verdict, *state) == 0)
		skip();
}

static void eicar_is_found_in_a_plain_message(void **state)
{
	char eicar[SIGDB_EICAR_SIZE + 1];
	char name[SCAN_NAME_MAX];
	struct buf mail;

	sigdb_eicar(eicar);
	place_mail(&mail, "eicar.com", eicar, SIGDB_EICAR_SIZE);
	assert_int_equal(verdict(*state, &mail, name), SCAN_INFECTED);
	assert_memory_equal(name, SIGDB_EICAR_NAME, sizeof(SIGDB_EICAR_NAME) - 1);
	buf_free(&mail);
}

static void an_empty_message_is_clean(void **state)
{
	struct bench *b = *state;
	struct scan_result result;

	service_scan(b->service, "", 0, &result);
	assert_int_equal(result.verdict, SCAN_CLEAN);
}

/* ---- what the machine may do to us: each ends in no verdict, and is over afterwards ---- */

/* Infected and unpacked through files: "clean" here is the worst that can happen. */
static const char *const packed[] = {
	"clam.zip", "clam.tar.gz", "clam.arj", "clam.7z", "clam.cab", "clam.exe.html",
	"clam_ISmsi_int.exe", "clam.ole.doc", "clam.pdf", "clam.tnef", "clam.mail", "clam.exe.rtf"
};

#define PACKED (sizeof(packed) / sizeof(packed[0]))

static size_t never_clean(struct bench *b, const char *where)
{
	char name[SCAN_NAME_MAX];
	size_t without = 0;

	for (size_t i = 0; i < PACKED; i++) {
		enum scan_verdict given = verdict_on_testfile(b, packed[i], name);

		/* enough may have worked to find it; all else is no verdict */
		if (given != SCAN_INFECTED && given != SCAN_NO_VERDICT)
			fail_msg("%s, %s: %d %s", where, packed[i], (int)given, name);
		without += given == SCAN_NO_VERDICT;
	}
	return without;
}

static void all_well_again(struct bench *b)
{
	for (size_t i = 0; i < PACKED; i++)
		assert_int_equal(verdict_on_testfile(b, packed[i], NULL), SCAN_INFECTED);
}

static void without_its_temporary_directory_there_is_no_verdict(void **state)
{
	struct bench *b = *state;
	char away[128];
	struct scan_status status;

	(void)snprintf(away, sizeof(away), "%s.away", b->place.temporary);
	assert_int_equal(rename(b->place.temporary, away), 0);
	assert_int_equal(never_clean(b, "removed"), PACKED);
	service_status(b->service, &status);
	assert_false(status.in_service);
	assert_int_equal(rename(away, b->place.temporary), 0);
	all_well_again(b);
	service_status(b->service, &status);
	assert_true(status.in_service);
}

static void with_a_read_only_temporary_directory_there_is_no_verdict(void **state)
{
	struct bench *b = *state;

	if (!b->place.mounts)
		skip();
	place_mount(&b->place, "size=16m");
	assert_int_equal(mount(NULL, b->place.temporary, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(never_clean(b, "read-only"), PACKED);
	place_unmount(&b->place);
	all_well_again(b);
}

static void a_full_temporary_directory_never_makes_clean(void **state)
{
	static const unsigned int sizes_kb[] = { 4, 8, 12, 16, 24, 32, 64, 128, 512, 2048 };
	struct bench *b = *state;
	char options[64];

	if (!b->place.mounts)
		skip();
	for (size_t i = 0; i < sizeof(sizes_kb) / sizeof(sizes_kb[0]); i++) {
		(void)snprintf(options, sizeof(options), "size=%uk", sizes_kb[i]);
		place_mount(&b->place, options);
		if (never_clean(b, options) == 0 && sizes_kb[i] < 64)
			fail_msg("%s: nothing failed?", options);
		place_unmount(&b->place);
	}
	all_well_again(b);
}

static void a_temporary_directory_without_inodes_never_makes_clean(void **state)
{
	struct bench *b = *state;
	char options[64];

	if (!b->place.mounts)
		skip();
	for (unsigned int inodes = 2; inodes < 20; inodes++) {
		(void)snprintf(options, sizeof(options), "size=16m,nr_inodes=%u", inodes);
		place_mount(&b->place, options);
		(void)never_clean(b, options);
		place_unmount(&b->place);
	}
	all_well_again(b);
}

/* The first descriptor that is free now. */
static unsigned int next_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)close(fd);
	return (unsigned int)fd;
}

static void without_descriptors_there_is_never_clean(void **state)
{
	struct bench *b = *state;
	struct buf mails[PACKED];
	struct rlimit before;
	struct rlimit tight;
	unsigned int first = next_descriptor();
	size_t without = 0;

	for (size_t i = 0; i < PACKED; i++)
		place_testfile(&mails[i], packed[i]);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (unsigned int more = 0; more < 12; more++) {
		tight = before;
		tight.rlim_cur = first + more;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
		for (size_t i = 0; i < PACKED; i++) {
			enum scan_verdict given = verdict(b, &mails[i], NULL);

			assert_true(given == SCAN_INFECTED || given == SCAN_NO_VERDICT);
			without += given == SCAN_NO_VERDICT;
		}
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(without >= PACKED);
	for (size_t i = 0; i < PACKED; i++)
		buf_free(&mails[i]);
	all_well_again(b);
}

static void a_bound_on_file_size_never_makes_clean(void **state)
{
	static const rlim_t sizes[] = { 0, 100, 1000, 4096, 20000, 100000, 1000000 };
	struct bench *b = *state;
	struct rlimit before;
	struct rlimit tight;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t without;

		tight = before;
		tight.rlim_cur = sizes[i];
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
		without = never_clean(b, "file size");
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		assert_true(without > 0 || sizes[i] > 100);
	}
	all_well_again(b);
}

/* What was not unpacked once must not be remembered as clean. */
static void a_failed_scan_is_not_remembered_as_clean(void **state)
{
	struct bench *b = *state;

	if (!b->place.mounts)
		skip();
	for (int round = 0; round < 3; round++) {
		place_mount(&b->place, "size=4k");
		assert_int_equal(verdict_on_testfile(b, "clam.mail", NULL), SCAN_NO_VERDICT);
		place_unmount(&b->place);
		assert_int_equal(verdict_on_testfile(b, "clam.mail", NULL), SCAN_INFECTED);
	}
}

/* ---- limits ---- */

static enum scan_verdict with_limits(struct bench *b, size_t size_max, unsigned int files_max,
    unsigned int recursion_max, const struct buf *mail, char *name)
{
	struct options options = b->options;
	struct scan_result result;
	struct service *service;

	options.size_max = size_max;
	options.files_max = files_max;
	options.recursion_max = recursion_max;
	assert_int_equal(service_open(&options, &service, NULL), SG_OK);
	assert_true(service_check(service));
	service_scan(service, mail->data, mail->size, &result);
	(void)snprintf(name, SCAN_NAME_MAX, "%s", result.name);
	service_close(service);
	return result.verdict;
}

static void a_limit_that_is_met_is_unscannable(void **state)
{
	char name[SCAN_NAME_MAX];
	char *zeros = calloc(1, 300000);
	struct buf inner;
	struct buf mail;

	assert_non_null(zeros);
	place_mail(&mail, "zeros", zeros, 300000);
	if (with_limits(*state, 200000, 10000, 17, &mail, name) != SCAN_UNSCANNABLE)
		fail_msg("%s", name);
	assert_non_null(strstr(name, "Limits.Exceeded"));
	assert_int_equal(with_limits(*state, 10000000, 10000, 17, &mail, name), SCAN_CLEAN);
	inner = mail;
	for (int depth = 0; depth < 8; depth++) {
		struct buf outer;

		place_mail(&outer, "inner.eml", inner.data, inner.size);
		buf_free(&inner);
		inner = outer;
	}
	assert_int_equal(with_limits(*state, 100000000, 10000, 5, &inner, name), SCAN_UNSCANNABLE);
	assert_int_equal(with_limits(*state, 100000000, 5, 17, &inner, name), SCAN_UNSCANNABLE);
	assert_int_equal(with_limits(*state, 100000000, 10000, 30, &inner, name), SCAN_CLEAN);
	buf_free(&inner);
	free(zeros);
}

/* Made by "zip -P secretpw": the engine alone knows what to do with it. */
static void encrypted_files_are_told_where_they_do_not_pass(void **state)
{
	static const unsigned char zip[] = {
		0x50, 0x4b, 0x03, 0x04, 0x0a, 0x00, 0x09, 0x00, 0x00, 0x00, 0x22, 0x3a, 0x7e, 0x5d,
		0x76, 0x3e, 0x5b, 0xb1, 0x17, 0x00, 0x00, 0x00, 0x0b, 0x00, 0x00, 0x00, 0x05, 0x00,
		0x1c, 0x00, 0x77, 0x2e, 0x74, 0x78, 0x74, 0x55, 0x54, 0x09, 0x00, 0x03, 0xf0, 0x22,
		0x0d, 0x6b, 0xf0, 0x22, 0x0d, 0x6b, 0x75, 0x78, 0x0b, 0x00, 0x01, 0x04, 0x00, 0x00,
		0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0xd3, 0xcf, 0x2a, 0x3f, 0x5b, 0x30, 0xd7,
		0xad, 0x1c, 0x60, 0x7a, 0x89, 0x53, 0x12, 0xaa, 0xd9, 0x40, 0xce, 0xda, 0x5a, 0xad,
		0xdc, 0xf5, 0x50, 0x4b, 0x07, 0x08, 0x76, 0x3e, 0x5b, 0xb1, 0x17, 0x00, 0x00, 0x00,
		0x0b, 0x00, 0x00, 0x00, 0x50, 0x4b, 0x01, 0x02, 0x1e, 0x03, 0x0a, 0x00, 0x09, 0x00,
		0x00, 0x00, 0x22, 0x3a, 0x7e, 0x5d, 0x76, 0x3e, 0x5b, 0xb1, 0x17, 0x00, 0x00, 0x00,
		0x0b, 0x00, 0x00, 0x00, 0x05, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
		0x00, 0x00, 0xa4, 0x81, 0x00, 0x00, 0x00, 0x00, 0x77, 0x2e, 0x74, 0x78, 0x74, 0x55,
		0x54, 0x05, 0x00, 0x03, 0xf0, 0x22, 0x0d, 0x6b, 0x75, 0x78, 0x0b, 0x00, 0x01, 0x04,
		0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x50, 0x4b, 0x05, 0x06, 0x00,
		0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x4b, 0x00, 0x00, 0x00, 0x66, 0x00, 0x00,
		0x00, 0x00, 0x00,
	};
	static const char second[] = "--limit\r\nContent-Type: application";
	struct bench *b = *state;
	struct options options = b->options;
	struct scan_result result;
	struct service *service;
	char name[SCAN_NAME_MAX];
	struct buf infected;
	struct buf mail;
	const char *part;

	place_mail(&mail, "e.zip", zip, sizeof(zip));
	assert_int_equal(verdict(b, &mail, name), SCAN_CLEAN);
	options.encrypted = true;
	assert_int_equal(service_open(&options, &service, NULL), SG_OK);
	assert_true(service_check(service));
	service_scan(service, mail.data, mail.size, &result);
	assert_int_equal(result.verdict, SCAN_ENCRYPTED);
	assert_non_null(strstr(result.name, "Encrypted"));
	/* a virus behind it counts more */
	place_testfile(&infected, "clam.zip");
	part = memmem(infected.data, infected.size, second, sizeof(second) - 1);
	assert_non_null(part);
	mail.size -= sizeof("--limit--\r\n") - 1;
	assert_int_equal(buf_append(&mail, part, infected.size -
	    (size_t)(part - (const char *)infected.data)), SG_OK);
	service_scan(service, mail.data, mail.size, &result);
	assert_int_equal(result.verdict, SCAN_INFECTED);
	buf_free(&infected);
	buf_free(&mail);
	service_close(service);
}

/* ---- signatures ---- */

static const char word_mail[] = "Subject: x\r\n\r\nsealgatewordtobefound\r\n";

static enum scan_verdict word_verdict(struct bench *b)
{
	struct scan_result result;

	service_scan(b->service, word_mail, sizeof(word_mail) - 1, &result);
	return result.verdict;
}

#define WORD_SIGNATURE "Sealgate.Test.Word:0:*:7365616c67617465776f7264746f6265666f756e64\n"

static int64_t outdated_since(struct bench *b)
{
	struct scan_status status;

	service_status(b->service, &status);
	return status.outdated_since;
}

static void a_new_database_is_asked_for_once_when_it_is_still(void **state)
{
	struct bench *b = *state;

	assert_false(service_look(b->service, clock_system()));
	assert_int_equal(outdated_since(b), 0);
	place_write(b->place.database, "word.ndb", WORD_SIGNATURE);
	/* it may still be written */
	assert_false(service_look(b->service, clock_system()));
	assert_true(outdated_since(b) > 0);
	place_write(b->place.database, "more.ndb", WORD_SIGNATURE);
	assert_false(service_look(b->service, clock_system()));
	assert_true(service_look(b->service, clock_system()));
	assert_false(service_look(b->service, clock_system()));
	assert_true(outdated_since(b) > 0);
	/* what is loaded stays */
	assert_int_equal(word_verdict(b), SCAN_CLEAN);
	place_write(b->place.database, "more.ndb", WORD_SIGNATURE WORD_SIGNATURE);
	assert_false(service_look(b->service, clock_system()));
	assert_true(service_look(b->service, clock_system()));
}

static void a_database_that_came_back_is_not_asked_for(void **state)
{
	struct bench *b = *state;
	char path[128];
	char away[128];

	(void)snprintf(path, sizeof(path), "%s/named.ndb", b->place.database);
	(void)snprintf(away, sizeof(away), "%s/named.ndb.away", b->place.database);
	assert_int_equal(rename(path, away), 0);
	assert_false(service_look(b->service, clock_system()));
	assert_true(outdated_since(b) > 0);
	assert_int_equal(rename(away, path), 0);
	assert_false(service_look(b->service, clock_system()));
	assert_false(service_look(b->service, clock_system()));
	assert_int_equal(outdated_since(b), 0);
}

static void other_files_in_the_folder_do_not_count(void **state)
{
	struct bench *b = *state;

	place_write(b->place.database, "freshclam.dat", "x");
	assert_false(service_look(b->service, clock_system()));
	assert_false(service_look(b->service, clock_system()));
	assert_int_equal(outdated_since(b), 0);
}

static void it_does_not_give_way_to_broken_files(void **state)
{
	struct bench *b = *state;
	struct fail f;

	fail_clear(&f);
	assert_int_equal(service_give_way(b->service, &f), SG_OK);
	place_write(b->place.database, "broken.ndb", "this is no signature\n");
	assert_int_equal(service_give_way(b->service, &f), SG_EFORMAT);
	assert_non_null(strstr(f.what, "broken.ndb"));
	assert_true(f.hint[0] != '\0');
	place_write(b->place.database, "broken.ndb", WORD_SIGNATURE);
	place_write(b->place.database, "daily.cvd", "ClamAV-VDB:half of a file");
	fail_clear(&f);
	assert_int_not_equal(service_give_way(b->service, &f), SG_OK);
	assert_non_null(strstr(f.what, "daily.cvd"));
	place_empty(b->place.database);
	assert_int_equal(service_give_way(b->service, &f), SG_ENOTFOUND);
	/* meanwhile it works */
	assert_int_equal(verdict_on_testfile(b, "clam.zip", NULL), SCAN_INFECTED);
}

static int64_t set_time(void *context)
{
	return *(const int64_t *)context;
}

static void old_signatures_are_told_of_once_a_day(void **state)
{
	const int64_t day_ms = INT64_C(86400000);
	struct bench *b = *state;
	int64_t now_ms = clock_wall_ms(clock_system());
	struct clock clock = { set_time, set_time, &now_ms };

	assert_false(service_tell_age(b->service, &clock, 7 * day_ms));
	now_ms += 8 * day_ms;
	assert_true(service_tell_age(b->service, &clock, 7 * day_ms));
	now_ms += day_ms / 2;
	assert_false(service_tell_age(b->service, &clock, 7 * day_ms));
	now_ms += day_ms;
	assert_true(service_tell_age(b->service, &clock, 7 * day_ms));
	assert_false(service_tell_age(b->service, &clock, 30 * day_ms));
}

static void a_missing_database_is_an_error_with_a_hint(void **state)
{
	struct bench *b = *state;
	struct options options = b->options;
	struct service *service;
	struct fail f;

	options.database_directory = "/nonexistent";
	fail_clear(&f);
	assert_int_equal(service_open(&options, &service, &f), SG_ENOTFOUND);
	assert_null(service);
	assert_non_null(strstr(f.hint, "freshclam"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* expect-error: out_of_service */
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_test_file_of_clamav_is_found),
		CASE(no_message_of_the_corpus_is_unscannable),
		CASE(eicar_is_found_in_a_plain_message),
		CASE(an_empty_message_is_clean),
		CASE(without_its_temporary_directory_there_is_no_verdict),
		CASE(with_a_read_only_temporary_directory_there_is_no_verdict),
		CASE(a_full_temporary_directory_never_makes_clean),
		CASE(a_temporary_directory_without_inodes_never_makes_clean),
		CASE(without_descriptors_there_is_never_clean),
		CASE(a_bound_on_file_size_never_makes_clean),
		CASE(a_failed_scan_is_not_remembered_as_clean),
		CASE(a_limit_that_is_met_is_unscannable),
		CASE(encrypted_files_are_told_where_they_do_not_pass),
		CASE(a_new_database_is_asked_for_once_when_it_is_still),
		CASE(a_database_that_came_back_is_not_asked_for),
		CASE(other_files_in_the_folder_do_not_count),
		CASE(it_does_not_give_way_to_broken_files),
		CASE(old_signatures_are_told_of_once_a_day),
		CASE(a_missing_database_is_an_error_with_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
