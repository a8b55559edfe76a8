/* links: sealgate */
/* Faults are made here on purpose:
 * expect-error: error old_signatures_stay
 */
/* The client against the real worker, and against servers that die or talk nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/proc.h"
#include "gateway/base/str.h"
#include "milter/scan/scan.h"
#include "tests/unit/milter/scan/place.h"

#define WAIT_MS 60000		/* a busy machine loads slowly */
#define RELOAD_STEPS 1600
#define SIZE_LIMIT ((size_t)64 * 1024 * 1024)

static const struct wire_wait wait_long = { .timeout_ms = WAIT_MS };

/* ---- a real worker ---- */

struct worker {
	struct place place;
	char socket[96];
	int listener;
	struct proc_child child;
};

static char *worker_path(void)
{
	const char *build = getenv("SG_BUILD");
	char *path = str_printf("%s/sealgate-scan", build != NULL ? build : "build/release");

	assert_non_null(path);
	return path;
}

static void start(struct worker *w)
{
	struct conf *conf;
	struct conf here;
	struct buf config;
	struct fail f;
	char nobody[] = "65534:65534";
	char *path = worker_path();

	fail_clear(&f);
	buf_init(&config, PROC_CONFIG_MAX);
	assert_int_equal(conf_default(&conf, &f), SG_OK);
	here = *conf;
	here.users.scan = nobody;
	here.scan.database_directory = w->place.database;
	here.scan.threads = 2;
	here.scan.size_max = SIZE_LIMIT;
	here.sandbox = CONF_SANDBOX_REDUCED;
	assert_int_equal(conf_encode(&here, CONF_SCAN, &config, &f), SG_OK);
	if (proc_spawn(&(struct proc_birth){ path, &w->listener, 1, &config, false },
	    &w->child, &f) != SG_OK ||
	    proc_wait_ready(&w->child, WAIT_MS, NULL, &f) != SG_OK)
		fail_msg("%s (%s)", f.what, f.hint);
	conf_free(conf);
	buf_free(&config);
	free(path);
}

static int set_up(void **state)
{
	struct worker *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	place_make(&w->place);
	/* the worker is nobody when it looks for new signatures */
	assert_int_equal(chmod(w->place.root, 0755), 0);
	(void)snprintf(w->socket, sizeof(w->socket), "%s/scan.sock", w->place.root);
	assert_int_equal(wire_listen(w->socket, 0600, &w->listener, NULL), SG_OK);
	start(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct worker *w = *state;

	proc_stop(&w->child, WAIT_MS);
	fd_close(&w->listener);
	place_remove(&w->place);
	free(w);
	return 0;
}

static int memory_of(const void *data, size_t size)
{
	int fd;

	assert_int_equal(fd_memory("message", &fd, NULL), SG_OK);
	assert_int_equal(fd_write_all(fd, data, size, NULL), SG_OK);
	return fd;
}

static int sealed(const void *data, size_t size)
{
	int fd = memory_of(data, size);

	assert_int_equal(fd_seal(fd, NULL), SG_OK);
	return fd;
}

static enum scan_verdict scan_file(const struct worker *w, const char *file,
    struct scan_result *result)
{
	struct buf mail;
	int fd;

	place_testfile(&mail, file);
	fd = sealed(mail.data, mail.size);
	scan_message(w->socket, fd, mail.size, &wait_long, result);
	fd_close(&fd);
	buf_free(&mail);
	return result->verdict;
}

static const char clean[] = "Subject: x\r\n\r\nsealgatewordtobefound\r\n";
#define CLEAN_SIZE (sizeof(clean) - 1)
#define WORD_SIGNATURE "Sealgate.Test.Word:0:*:7365616c67617465776f7264746f6265666f756e64\n"

static enum scan_verdict scan_clean(const struct worker *w)
{
	struct scan_result result;
	int fd = sealed(clean, CLEAN_SIZE);

	scan_message(w->socket, fd, CLEAN_SIZE, &wait_long, &result);
	fd_close(&fd);
	return result.verdict;
}

static void the_worker_tells_clean_from_infected(void **state)
{
	struct scan_result result;

	assert_int_equal(scan_clean(*state), SCAN_CLEAN);
	assert_int_equal(scan_file(*state, "clam.zip", &result), SCAN_INFECTED);
	assert_memory_equal(result.name, SIGDB_CLAM_NAME, sizeof(SIGDB_CLAM_NAME) - 1);
	assert_int_equal(scan_file(*state, "clam.tar.gz", &result), SCAN_INFECTED);
}

static void find_in_worker(const char *file, void *context)
{
	struct scan_result result;

	/* too deep inside a mail */
	if (strcmp(file, "clam_cache_emax.tgz") == 0)
		return;
	if (scan_file(context, file, &result) != SCAN_INFECTED)
		fail_msg("%s: %d %s", file, (int)result.verdict, result.name);
}

/* The sandbox must not be in the way of any unpacker. */
static void every_test_file_is_found_behind_the_sandbox(void **state)
{
	if (place_each(PLACE_TESTFILES, find_in_worker, *state) < 40)
		skip();
}

static void the_worker_tells_its_state(void **state)
{
	struct worker *w = *state;
	struct scan_status status;

	assert_int_equal(scan_status(w->socket, &status, NULL), SG_OK);
	assert_true(status.signatures > 2000);
	assert_true(status.in_service);
	assert_true(status.database_time > 1000000000);
	assert_memory_equal(status.version, "libclamav ", 10);
}

static void a_descriptor_that_others_can_change_is_not_scanned(void **state)
{
	struct worker *w = *state;
	struct scan_result result;
	int fd = memory_of(clean, CLEAN_SIZE);

	scan_message(w->socket, fd, CLEAN_SIZE, &wait_long, &result);
	assert_int_equal(result.verdict, SCAN_NO_VERDICT);
	assert_non_null(strstr(result.name, "sealed"));
	fd_close(&fd);
}

static void a_wrong_size_is_not_scanned(void **state)
{
	struct worker *w = *state;
	struct scan_result result;
	int fd = sealed(clean, CLEAN_SIZE);

	scan_message(w->socket, fd, CLEAN_SIZE - 1, &wait_long, &result);
	assert_int_equal(result.verdict, SCAN_NO_VERDICT);
	scan_message(w->socket, fd, CLEAN_SIZE + 1, &wait_long, &result);
	assert_int_equal(result.verdict, SCAN_NO_VERDICT);
	fd_close(&fd);
}

static void no_file_is_not_scanned(void **state)
{
	struct worker *w = *state;
	struct scan_result result;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	scan_message(w->socket, ends[0], 0, &wait_long, &result);
	assert_int_equal(result.verdict, SCAN_NO_VERDICT);
	scan_message(w->socket, -1, 0, &wait_long, &result);
	assert_int_equal(result.verdict, SCAN_NO_VERDICT);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void a_read_only_file_is_scanned(void **state)
{
	struct worker *w = *state;
	struct scan_result result;
	char path[128];
	int fd;

	place_write(w->place.root, "message", clean);
	(void)snprintf(path, sizeof(path), "%s/message", w->place.root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	scan_message(w->socket, fd, CLEAN_SIZE, &wait_long, &result);
	assert_int_equal(result.verdict, SCAN_CLEAN);
	fd_close(&fd);
}

static void a_message_above_the_limit_is_unscannable(void **state)
{
	struct worker *w = *state;
	struct scan_result result;
	int fd = memory_of("", 0);

	assert_int_equal(ftruncate(fd, (off_t)SIZE_LIMIT + 1), 0);
	assert_int_equal(fd_seal(fd, NULL), SG_OK);
	scan_message(w->socket, fd, SIZE_LIMIT + 1, &wait_long, &result);
	assert_int_equal(result.verdict, SCAN_UNSCANNABLE);
	fd_close(&fd);
}

static void say(struct worker *w, uint16_t type)
{
	struct wire_message message;

	wire_message_init(&message, type);
	assert_int_equal(wire_send(w->child.control, &message, WAIT_MS, NULL), SG_OK);
	wire_message_free(&message);
}

/* Scans one after the other while the workers change; the longest is told, none may fail. */
struct stream {
	struct worker *w;
	atomic_bool stop;
	unsigned int scans;
	unsigned int failed;
	int64_t longest_ms;
};

static void *stream(void *context)
{
	struct stream *s = context;

	while (!atomic_load(&s->stop)) {
		int64_t start = clock_mono_ms(clock_system());
		int64_t took;

		s->failed += scan_clean(s->w) == SCAN_NO_VERDICT;
		took = clock_mono_ms(clock_system()) - start;
		if (took > s->longest_ms)
			s->longest_ms = took;
		s->scans++;
	}
	return NULL;
}

/* Asks for another process, which takes over the socket; nothing is lost on the way. */
static void a_second_worker_takes_over_with_new_signatures(void **state)
{
	struct worker *w = *state;
	struct stream s = { .w = w };
	pthread_t thread;
	struct proc_child old;
	enum proc_news news = PROC_NEWS_NONE;
	char *text;
	int step = 0;

	assert_int_equal(scan_clean(w), SCAN_CLEAN);
	/* large enough that loading takes its time */
	assert_int_equal(sigdb_write(w->place.database, 200000, 40000, 8), 0);
	place_write(w->place.database, "word.ndb", WORD_SIGNATURE);
	say(w, PROC_RELOAD);
	while ((news = proc_hear(&w->child, &text, NULL)) == PROC_NEWS_NONE &&
	    step++ < RELOAD_STEPS)
		(void)poll(NULL, 0, 25);
	assert_int_equal(news, PROC_NEWS_OUTDATED);
	assert_int_equal(scan_clean(w), SCAN_CLEAN);
	assert_int_equal(pthread_create(&thread, NULL, stream, &s), 0);
	old = w->child;
	start(w);
	proc_stop(&old, WAIT_MS);
	(void)poll(NULL, 0, 200);
	atomic_store(&s.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("# %u scans while another took over, the longest %lld ms\n", s.scans,
	    (long long)s.longest_ms);
	assert_int_equal(s.failed, 0);
	assert_true(s.scans > 0);
	assert_int_equal(scan_clean(w), SCAN_INFECTED);
}

static void told_to_give_way_it_ends_only_for_sound_files(void **state)
{
	struct worker *w = *state;
	int status = -1;

	place_write(w->place.database, "broken.ndb", "this is no signature\n");
	say(w, PROC_GIVE_WAY);
	assert_int_equal(scan_clean(w), SCAN_CLEAN);
	(void)poll(NULL, 0, 1000);
	assert_int_equal(waitpid(w->child.pid, &status, WNOHANG), 0);
	place_write(w->place.database, "broken.ndb", WORD_SIGNATURE);
	say(w, PROC_GIVE_WAY);
	assert_int_equal(waitpid(w->child.pid, &status, 0), w->child.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	w->child.pid = -1;
}

/* The supervisor keeps the socket: what waits there is served by the next worker. */
static void requests_outlive_a_worker(void **state)
{
	struct worker *w = *state;
	struct scan_result result;

	proc_stop(&w->child, 0);
	start(w);
	assert_int_equal(scan_file(w, "clam.zip", &result), SCAN_INFECTED);
}

static void it_ends_when_its_supervisor_is_gone(void **state)
{
	struct worker *w = *state;
	int status = -1;

	fd_close(&w->child.control);
	assert_int_equal(waitpid(w->child.pid, &status, 0), w->child.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	w->child.pid = -1;
}

/* ---- servers that misbehave ---- */

struct liar {
	char folder[64];
	char path[96];
	int listener;
	pthread_t thread;
	atomic_uint served;
	unsigned int dies;		/* so many connections are closed without an answer */
	const unsigned char *body;	/* of the answer */
	size_t body_size;
	uint16_t type;
};

static void lie(struct liar *liar, int socket)
{
	struct wire_message request;
	struct wire_message reply;

	wire_message_init(&request, 0);
	wire_message_init(&reply, liar->type);
	if (wire_receive(socket, &request, WAIT_MS, NULL) == SG_OK &&
	    atomic_fetch_add(&liar->served, 1) >= liar->dies) {
		reply.request = request.request;
		if (buf_append(&reply.body, liar->body, liar->body_size) == SG_OK)
			(void)!wire_send(socket, &reply, WAIT_MS, NULL);
	}
	wire_message_free(&request);
	wire_message_free(&reply);
}

static void *liar_run(void *context)
{
	struct liar *liar = context;
	int socket;

	while (wire_accept(liar->listener, &socket, NULL) == SG_OK) {
		lie(liar, socket);
		fd_close(&socket);
	}
	return NULL;
}

static struct scan_result ask_liar(struct liar *liar, unsigned int dies, const void *body,
    size_t size)
{
	struct scan_result result = { .verdict = SCAN_CLEAN };
	int fd = sealed(clean, CLEAN_SIZE);

	(void)snprintf(liar->folder, sizeof(liar->folder), "/tmp/sealgate-test.XXXXXX");
	assert_non_null(mkdtemp(liar->folder));
	(void)snprintf(liar->path, sizeof(liar->path), "%s/sock", liar->folder);
	liar->dies = dies;
	liar->body = body;
	liar->body_size = size;
	atomic_store(&liar->served, 0);
	assert_int_equal(wire_listen(liar->path, 0600, &liar->listener, NULL), SG_OK);
	assert_int_equal(pthread_create(&liar->thread, NULL, liar_run, liar), 0);
	scan_message(liar->path, fd, CLEAN_SIZE, &wait_long, &result);
	(void)shutdown(liar->listener, SHUT_RDWR);
	(void)pthread_join(liar->thread, NULL);
	fd_close(&liar->listener);
	fd_close(&fd);
	(void)unlink(liar->path);
	(void)rmdir(liar->folder);
	return result;
}

static const unsigned char says_clean[] = { 0, 0, 0, 0, 0 };
static const unsigned char says_infected[] = { 1, 0, 0, 0, 1, 'X' };

static void a_worker_that_dies_costs_one_retry(void **state)
{
	struct liar liar = { .type = SCAN_REQUEST };
	struct scan_result result;

	(void)state;
	result = ask_liar(&liar, 1, says_infected, sizeof(says_infected));
	assert_int_equal(result.verdict, SCAN_INFECTED);
	assert_string_equal(result.name, "X");
	assert_int_equal(atomic_load(&liar.served), 2);
}

static void a_message_that_kills_two_workers_has_no_verdict(void **state)
{
	struct liar liar = { .type = SCAN_REQUEST };
	struct scan_result result;

	(void)state;
	result = ask_liar(&liar, 100, says_clean, sizeof(says_clean));
	assert_int_equal(result.verdict, SCAN_NO_VERDICT);
	assert_int_equal(atomic_load(&liar.served), 2);
	assert_true(result.name[0] != '\0');
}

static void an_answer_that_is_not_as_agreed_is_no_verdict(void **state)
{
	static const unsigned char unknown[] = { 5, 0, 0, 0, 0 };
	static const unsigned char trailing[] = { 0, 0, 0, 0, 0, 0 };
	static const unsigned char cut[] = { 0, 0, 0, 0, 9, 'a' };
	unsigned char too_long[5 + SCAN_NAME_MAX] = { 0, 0, 0, SCAN_NAME_MAX >> 8,
		SCAN_NAME_MAX & 0xff };
	struct liar liar = { .type = SCAN_REQUEST };
	struct liar other = { .type = SCAN_STATUS };

	(void)state;
	assert_int_equal(ask_liar(&liar, 0, unknown, sizeof(unknown)).verdict, SCAN_NO_VERDICT);
	assert_int_equal(ask_liar(&liar, 0, trailing, sizeof(trailing)).verdict, SCAN_NO_VERDICT);
	assert_int_equal(ask_liar(&liar, 0, cut, sizeof(cut)).verdict, SCAN_NO_VERDICT);
	assert_int_equal(ask_liar(&liar, 0, too_long, sizeof(too_long)).verdict, SCAN_NO_VERDICT);
	assert_int_equal(ask_liar(&liar, 0, "", 0).verdict, SCAN_NO_VERDICT);
	assert_int_equal(ask_liar(&other, 0, says_clean, sizeof(says_clean)).verdict,
	    SCAN_NO_VERDICT);
	assert_int_equal(ask_liar(&liar, 0, says_clean, sizeof(says_clean)).verdict, SCAN_CLEAN);
}

static void without_a_server_there_is_no_verdict(void **state)
{
	struct scan_result result = { .verdict = SCAN_CLEAN };
	struct scan_status status;
	int fd = sealed(clean, CLEAN_SIZE);

	(void)state;
	scan_message("/nonexistent/scan.sock", fd, CLEAN_SIZE, &wait_long, &result);
	assert_int_equal(result.verdict, SCAN_NO_VERDICT);
	assert_int_equal(scan_status("/nonexistent/scan.sock", &status, NULL), SG_EPEER);
	fd_close(&fd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_worker_tells_clean_from_infected),
		CASE(every_test_file_is_found_behind_the_sandbox),
		CASE(the_worker_tells_its_state),
		CASE(a_descriptor_that_others_can_change_is_not_scanned),
		CASE(a_wrong_size_is_not_scanned),
		CASE(no_file_is_not_scanned),
		CASE(a_read_only_file_is_scanned),
		CASE(a_message_above_the_limit_is_unscannable),
		CASE(a_second_worker_takes_over_with_new_signatures),
		CASE(told_to_give_way_it_ends_only_for_sound_files),
		CASE(requests_outlive_a_worker),
		CASE(it_ends_when_its_supervisor_is_gone),
		cmocka_unit_test(a_worker_that_dies_costs_one_retry),
		cmocka_unit_test(a_message_that_kills_two_workers_has_no_verdict),
		cmocka_unit_test(an_answer_that_is_not_as_agreed_is_no_verdict),
		cmocka_unit_test(without_a_server_there_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
