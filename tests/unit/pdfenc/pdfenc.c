/* links: sealgate-milter */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "pdfenc/pdfenc.h"

/* What a subverted worker may answer. */
struct answer {
	uint32_t pages;
	bool trailing;
	enum { ANSWER_SEALED, ANSWER_UNSEALED, ANSWER_EMPTY, ANSWER_PIPE, ANSWER_NONE } file;
};

static int make_file(const struct answer *answer)
{
	struct fail f;
	int pair[2];
	int fd = -1;

	if (answer->file == ANSWER_NONE)
		return -1;
	if (answer->file == ANSWER_PIPE) {
		assert_int_equal(pipe(pair), 0);
		(void)close(pair[1]);
		return pair[0];
	}
	assert_int_equal(fd_memory("test", &fd, &f), SG_OK);
	if (answer->file != ANSWER_EMPTY)
		assert_int_equal(fd_write_all(fd, "%PDF-2.0", 8, &f), SG_OK);
	if (answer->file != ANSWER_UNSEALED)
		assert_int_equal(fd_seal(fd, &f), SG_OK);
	return fd;
}

/* The worker's end, in a process of its own. */
static void serve(int socket, const struct answer *answer)
{
	struct wire_message message;
	struct wire_message reply;
	struct fail f;

	wire_message_init(&message, 0);
	wire_message_init(&reply, PDFENC_SEAL);
	if (wire_receive(socket, &message, 5000, &f) == SG_OK &&
	    buf_put_u32(&reply.body, answer->pages) == SG_OK &&
	    buf_put_u32(&reply.body, 3) == SG_OK &&
	    buf_put_u32(&reply.body, PDFENC_INVITATION) == SG_OK &&
	    (!answer->trailing || buf_put_u8(&reply.body, 0) == SG_OK)) {
		reply.fd = make_file(answer);
		if (wire_send(socket, &reply, 5000, &f) != SG_OK)
			_exit(1);
	}
	wire_message_free(&message);
	wire_message_free(&reply);
}

static void fill(struct pdfenc_request *request, struct secret *password)
{
	struct fail f;

	memset(request, 0, sizeof(*request));
	secret_init(password);
	assert_int_equal(secret_set(password, "correct horse", 13), SG_OK);
	assert_int_equal(fd_memory("message", &request->message, &f), SG_OK);
	request->password = password;
	request->message_size = 0;
}

static enum fail_code ask(const struct answer *answer, struct pdfenc_result *result)
{
	struct wire_wait wait = { 5000, NULL, NULL };
	struct pdfenc_request request;
	struct secret password;
	enum fail_code code;
	struct fail f;
	int pair[2];
	pid_t pid;

	fill(&request, &password);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		serve(pair[1], answer);
		_exit(0);
	}
	(void)close(pair[1]);
	code = pdfenc_seal_on(pair[0], &request, &wait, result, &f);
	(void)close(pair[0]);
	(void)waitpid(pid, NULL, 0);
	fd_close(&request.message);
	secret_free(&password);
	return code;
}

static void a_sealed_file_is_taken(void **state)
{
	const struct answer answer = { 2, false, ANSWER_SEALED };
	struct pdfenc_result result;

	(void)state;
	assert_int_equal(ask(&answer, &result), SG_OK);
	assert_int_equal(result.pdf_size, 8);
	assert_int_equal(result.pages, 2);
	assert_int_equal(result.attachments, 3);
	assert_int_equal(write(result.pdf, "x", 1), -1);
	fd_close(&result.pdf);
}

static void what_could_still_change_or_is_no_file_is_not_taken(void **state)
{
	static const struct answer answers[] = {
		{ 2, false, ANSWER_UNSEALED }, { 2, false, ANSWER_EMPTY },
		{ 2, false, ANSWER_PIPE }, { 2, false, ANSWER_NONE },
		{ 0, false, ANSWER_SEALED }, { 2, true, ANSWER_SEALED },
	};
	struct pdfenc_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_int_equal(ask(&answers[i], &result), SG_EPEER);
		assert_int_equal(result.pdf, -1);
	}
}

static void an_empty_password_is_never_sent(void **state)
{
	struct wire_wait wait = { 1000, NULL, NULL };
	struct pdfenc_request request;
	struct pdfenc_result result;
	struct secret password;
	struct fail f;

	(void)state;
	fill(&request, &password);
	secret_free(&password);
	assert_int_equal(pdfenc_seal("/nonexistent", &request, &wait, &result, &f), SG_EUSAGE);
	request.password = NULL;
	assert_int_equal(pdfenc_seal("/nonexistent", &request, &wait, &result, &f), SG_EUSAGE);
	fd_close(&request.message);
}

static void a_password_that_is_too_long_is_refused(void **state)
{
	struct wire_wait wait = { 1000, NULL, NULL };
	struct pdfenc_request request;
	struct pdfenc_result result;
	char text[PDFENC_PASSWORD_MAX + 1];
	struct secret password;
	struct fail f;

	(void)state;
	fill(&request, &password);
	memset(text, 'x', sizeof(text));
	assert_int_equal(secret_set(&password, text, sizeof(text)), SG_OK);
	assert_int_equal(pdfenc_seal("/nonexistent", &request, &wait, &result, &f), SG_ELIMIT);
	secret_free(&password);
	fd_close(&request.message);
}

/* How one worker ends with a message. */
enum ending { DIES, SPENT, ANSWERS };

static void say_spent(int socket)
{
	const struct fail spent = { SG_ELIMIT, FAIL_TEMPORARY, "it takes too much", "" };
	unsigned char packet[512];
	struct wire_message message;
	struct fail f;
	size_t size = wire_fail_packet(&spent, packet, sizeof(packet));

	wire_message_init(&message, 0);
	if (size == 0 || wire_receive(socket, &message, 5000, &f) != SG_OK ||
	    send(socket, packet, size, MSG_NOSIGNAL) != (ssize_t)size)
		_exit(1);
	wire_message_free(&message);
}

/* Takes two connections, each as it is said. */
static void end_twice(int listener, const enum ending endings[2])
{
	const struct answer good = { 1, false, ANSWER_SEALED };
	struct fail f;
	int socket;

	for (unsigned int i = 0; i < 2; i++) {
		if (wire_accept(listener, &socket, &f) != SG_OK)
			return;
		if (endings[i] == ANSWERS)
			serve(socket, &good);
		else if (endings[i] == SPENT)
			say_spent(socket);
		fd_close(&socket);
	}
}

/* Asks workers that end so. */
static enum fail_code ask_two(enum ending first, enum ending second, struct fail *f)
{
	const enum ending endings[2] = { first, second };
	char folder[] = "/tmp/test_pdfenc.XXXXXX";
	struct wire_wait wait = { 5000, NULL, NULL };
	struct pdfenc_request request;
	struct pdfenc_result result;
	struct secret password;
	enum fail_code code;
	char *path;
	int listener;
	pid_t pid;

	assert_non_null(mkdtemp(folder));
	path = str_printf("%s/s", folder);
	assert_int_equal(wire_listen(path, 0600, &listener, f), SG_OK);
	pid = fork();
	if (pid == 0) {
		end_twice(listener, endings);
		_exit(0);
	}
	fill(&request, &password);
	code = pdfenc_seal(path, &request, &wait, &result, f);
	fd_close(&result.pdf);
	(void)waitpid(pid, NULL, 0);
	fd_close(&listener);
	fd_close(&request.message);
	secret_free(&password);
	(void)unlink(path);
	(void)rmdir(folder);
	free(path);
	return code;
}

static void a_worker_that_dies_costs_one_retry(void **state)
{
	struct fail f;

	(void)state;
	assert_int_equal(ask_two(DIES, ANSWERS, &f), SG_OK);
	assert_int_equal(ask_two(DIES, DIES, &f), SG_EPEER);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
}

/* Else the message would come back for days and do the same. */
static void what_takes_too_much_twice_is_refused_for_good(void **state)
{
	struct fail f;

	(void)state;
	assert_int_equal(ask_two(SPENT, ANSWERS, &f), SG_OK);
	assert_int_equal(ask_two(SPENT, SPENT, &f), SG_ELIMIT);
	assert_int_equal(f.kind, FAIL_PERMANENT);
	assert_string_equal(f.what, "it takes too much");
	/* somebody else may have killed one of the two */
	assert_int_equal(ask_two(SPENT, DIES, &f), SG_EPEER);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_int_equal(ask_two(DIES, SPENT, &f), SG_ELIMIT);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sealed_file_is_taken),
		cmocka_unit_test(what_could_still_change_or_is_no_file_is_not_taken),
		cmocka_unit_test(an_empty_password_is_never_sent),
		cmocka_unit_test(a_password_that_is_too_long_is_refused),
		cmocka_unit_test(a_worker_that_dies_costs_one_retry),
		cmocka_unit_test(what_takes_too_much_twice_is_refused_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
