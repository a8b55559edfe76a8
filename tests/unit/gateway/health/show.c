/* Counters as text, and whether the gateway is ready. links: sealgate-health */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/health/show.h"
#include "gateway/vault/record.h"

struct bench {
	struct counters *counters;
	int fd;
	struct buf text;
};

static void worker(struct counters *counters, uint32_t place, const char *name, int32_t pid)
{
	struct counters_worker *worker = &counters->workers[place];

	(void)snprintf(worker->name, sizeof(worker->name), "%s", name);
	worker->pid = pid;
	worker->ready = 1;
	if (counters->worker_count <= place)
		counters->worker_count = place + 1;
}

static int bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct fail f;

	assert_non_null(b);
	buf_init(&b->text, SHOW_TEXT_MAX);
	assert_int_equal(counters_make(&b->counters, &b->fd, &f), SG_OK);
	worker(b->counters, 0, "sealgate-vault", 10);
	worker(b->counters, 1, "sealgate-pdf", 11);
	worker(b->counters, 2, "sealgate-pdf", 12);
	b->counters->running = 1;
	*state = b;
	return 0;
}

static int bench_drop(void **state)
{
	struct bench *b = *state;

	fd_close(&b->fd);
	buf_free(&b->text);
	free(b);
	return 0;
}

static const char *metrics(struct bench *b, int64_t now_ms)
{
	buf_reset(&b->text);
	assert_int_equal(show_metrics(b->counters, now_ms, &b->text), SG_OK);
	return buf_str(&b->text);
}

static const char *ready(struct bench *b, int64_t now_ms, bool expected)
{
	bool got = !expected;

	buf_reset(&b->text);
	assert_int_equal(show_ready(b->counters, now_ms, &got, &b->text), SG_OK);
	assert_int_equal(got, expected);
	return buf_str(&b->text);
}

static void who_is_gone_loads_or_hangs_is_named(void **state)
{
	struct bench *b = *state;

	assert_string_equal(ready(b, 5000, true), "ready\n");
	b->counters->workers[1].pid = 0;
	assert_string_equal(ready(b, 5000, false), "pdf is not there\n");
	b->counters->workers[1].pid = 13;
	b->counters->workers[1].ready = 0;
	b->counters->workers[0].deadline_ms = 4999;
	assert_string_equal(ready(b, 5000, false), "vault does not go on\npdf loads\n");
	assert_non_null(strstr(metrics(b, 5000), "sealgate_workers{worker=\"pdf\"} 2\n"));
	assert_non_null(strstr(buf_str(&b->text), "sealgate_workers_well{worker=\"pdf\"} 1\n"));
	assert_non_null(strstr(buf_str(&b->text), "sealgate_workers_well{worker=\"vault\"} 0\n"));
	assert_non_null(strstr(buf_str(&b->text), "sealgate_ready 0\n"));
	b->counters->running = 0;
	assert_non_null(strstr(ready(b, 5000, false), "the gateway is starting\n"));
}

static void a_worker_that_beats_is_well_until_it_is_late(void **state)
{
	struct bench *b = *state;
	int64_t now = clock_mono_ms(clock_system());

	worker(b->counters, 0, "sealgate-vault", (int32_t)getpid());
	counters_beat(b->counters, 5000);
	assert_string_equal(ready(b, now + 4000, true), "ready\n");
	assert_string_equal(ready(b, now + 9000, false), "vault does not go on\n");
	/* others are not touched, and nobody counts without a page */
	assert_int_equal(b->counters->workers[1].deadline_ms, 0);
	counters_beat(NULL, 5000);
	counters_decided(NULL, 1, 1);
	assert_int_equal(counters_begin(NULL, COUNTERS_SCAN), 0);
}

static void what_is_counted_is_shown(void **state)
{
	struct bench *b = *state;
	int64_t began;

	counters_decided(b->counters, 2, RECORD_SEALED);
	counters_decided(b->counters, 2, RECORD_SEALED);
	counters_decided(b->counters, COUNTERS_STAGES, RECORD_SEALED);
	counters_refused(b->counters, 1, true);
	counters_refused(b->counters, 99, true);
	counters_committed(b->counters, false);
	counters_repeated(b->counters);
	began = counters_begin(b->counters, COUNTERS_PDF);
	assert_non_null(strstr(metrics(b, 0), "sealgate_step_running{step=\"pdf\"} 1\n"));
	/* a busy machine has 24 ms for these lines */
	counters_end(b->counters, COUNTERS_PDF, began - 26000);
	(void)metrics(b, 0);
	assert_non_null(strstr(buf_str(&b->text),
	    "sealgate_recipients_total{stage=\"seal\",decision=\"sealed\"} 2\n"));
	assert_non_null(strstr(buf_str(&b->text),
	    "sealgate_refused_total{reason=\"scan\",kind=\"permanent\"} 1\n"));
	assert_non_null(strstr(buf_str(&b->text), "\nsealgate_record_commits_total 1\n"));
	assert_non_null(strstr(buf_str(&b->text), "\nsealgate_repeated_total 1\n"));
	assert_non_null(strstr(buf_str(&b->text),
	    "sealgate_step_seconds_bucket{step=\"pdf\",le=\"0.025\"} 0\n"
	    "sealgate_step_seconds_bucket{step=\"pdf\",le=\"0.05\"} 1\n"));
	assert_non_null(strstr(buf_str(&b->text),
	    "sealgate_step_seconds_bucket{step=\"pdf\",le=\"+Inf\"} 1\n"
	    "sealgate_step_seconds_sum{step=\"pdf\"} 0.0"));
	assert_non_null(strstr(buf_str(&b->text), "sealgate_step_running{step=\"pdf\"} 0\n"));
}

static void nonsense_in_the_page_stays_text(void **state)
{
	struct bench *b = *state;

	memset(b->counters, 0xff, sizeof(*b->counters));
	(void)metrics(b, 0);
	assert_non_null(strstr(buf_str(&b->text), "sealgate_workers{worker=\"\"} 72\n"));
	(void)ready(b, 5000, false);
}

static void only_a_page_of_ours_is_mapped(void **state)
{
	struct bench *b = *state;
	struct counters *again = counters_map(b->fd);
	int zero = 0;

	assert_non_null(again);
	counters_repeated(again);
	assert_int_equal(b->counters->repeated, 1);
	assert_null(counters_map(-1));
	assert_null(counters_map(zero));
	/* nobody makes it smaller under the others */
	assert_int_equal(ftruncate(b->fd, 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_gone_loads_or_hangs_is_named),
		TEST(a_worker_that_beats_is_well_until_it_is_late),
		TEST(what_is_counted_is_shown),
		TEST(nonsense_in_the_page_stays_text),
		TEST(only_a_page_of_ours_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
