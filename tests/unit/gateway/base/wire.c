/* The wire: hostile packets, descriptors, timeouts, failures told to the other side.
 * links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/wire.h"

struct pair {
	int ours;
	int theirs;
};

static int setup(void **state)
{
	static struct pair pair;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	pair.ours = ends[0];
	pair.theirs = ends[1];
	*state = &pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	(void)close(pair->ours);
	if (pair->theirs >= 0)
		(void)close(pair->theirs);
	return 0;
}

static int open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count;
}

/* Raw bytes with count descriptors, as a subverted worker may send them. */
static void send_raw(int socket, const void *data, size_t size, int count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * 8)];
	} control;
	struct iovec part = { NULL, size };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };
	unsigned char copy[256];
	int fds[8];

	assert_true(size <= sizeof(copy) && count <= 8);
	memcpy(copy, data, size);
	part.iov_base = copy;
	memset(&control, 0, sizeof(control));
	if (count > 0) {
		packet.msg_control = control.bytes;
		packet.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
		for (int i = 0; i < count; i++)
			fds[i] = STDIN_FILENO;
		memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * (size_t)count);
	}
	assert_int_equal(sendmsg(socket, &packet, MSG_NOSIGNAL), size);
}

static enum fail_code receive(int socket, struct wire_message *message)
{
	struct fail f;

	return wire_receive(socket, message, 200, &f);
}

static void a_message_arrives_with_its_descriptor(void **state)
{
	struct pair *pair = *state;
	struct wire_message sent;
	struct wire_message got;
	struct fail f;

	wire_message_init(&sent, 7);
	wire_message_init(&got, 0);
	sent.request = 0xabcdef01;
	sent.fd = dup(STDIN_FILENO);
	assert_int_equal(buf_put_str(&sent.body, "body"), SG_OK);
	assert_int_equal(wire_send(pair->theirs, &sent, 0, &f), SG_OK);
	assert_int_equal(receive(pair->ours, &got), SG_OK);
	assert_int_equal(got.type, 7);
	assert_int_equal(got.request, 0xabcdef01);
	assert_int_equal(got.body.size, 8);
	assert_true(got.fd >= 0);
	assert_true((fcntl(got.fd, F_GETFD) & FD_CLOEXEC) != 0);
	wire_message_free(&sent);
	wire_message_free(&got);
}

static void the_largest_body_fits(void **state)
{
	struct pair *pair = *state;
	struct wire_message sent;
	struct wire_message got;
	unsigned char *room;
	struct fail f;

	wire_message_init(&sent, 1);
	wire_message_init(&got, 0);
	assert_int_equal(buf_reserve(&sent.body, WIRE_BODY_MAX, &room), SG_OK);
	memset(room, 'x', WIRE_BODY_MAX);
	sent.body.size = WIRE_BODY_MAX;
	assert_int_equal(buf_append(&sent.body, "x", 1), SG_ELIMIT);
	assert_int_equal(wire_send(pair->theirs, &sent, 0, &f), SG_OK);
	assert_int_equal(receive(pair->ours, &got), SG_OK);
	assert_int_equal(got.body.size, WIRE_BODY_MAX);
	wire_message_free(&sent);
	wire_message_free(&got);
}

static void packets_that_are_not_ours_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} packets[] = {
		{ "x", 1 },
		{ "\1\0\0\7\0\0\0\0\0\0\0", 11 },			/* too short */
		{ "\2\0\0\7\0\0\0\0\0\0\0\0", 12 },		/* version */
		{ "\1\1\0\7\0\0\0\0\0\0\0\0", 12 },		/* reserved byte */
		{ "\1\0\0\7\0\0\0\0\0\0\0\1", 12 },		/* says more */
		{ "\1\0\0\7\0\0\0\0\0\0\0\1xy", 14 },		/* says less */
		{ "\1\0\0\7\0\0\0\0\377\377\377\377xy", 14 },
	};
	struct pair *pair = *state;
	struct wire_message got;

	wire_message_init(&got, 0);
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		send_raw(pair->theirs, packets[i].bytes, packets[i].size, 0);
		assert_int_equal(receive(pair->ours, &got), SG_EFORMAT);
		assert_int_equal(got.body.size, 0);
		assert_int_equal(got.fd, -1);
	}
	wire_message_free(&got);
}

static void too_many_descriptors_are_refused_and_none_leaks(void **state)
{
	struct pair *pair = *state;
	struct wire_message got;
	int before;

	wire_message_init(&got, 0);
	before = open_descriptors();
	for (int count = 2; count <= 8; count++) {
		send_raw(pair->theirs, "\1\0\0\7\0\0\0\0\0\0\0\0", 12, count);
		assert_int_equal(receive(pair->ours, &got), SG_EFORMAT);
		assert_int_equal(got.fd, -1);
	}
	/* a bad packet with one */
	send_raw(pair->theirs, "junk", 4, 1);
	assert_int_equal(receive(pair->ours, &got), SG_EFORMAT);
	assert_int_equal(open_descriptors(), before);
	wire_message_free(&got);
}

static void a_packet_above_the_maximum_is_refused(void **state)
{
	struct pair *pair = *state;
	size_t size = WIRE_BODY_MAX + 13;
	char *data = calloc(1, size);
	struct wire_message got;

	assert_non_null(data);
	wire_message_init(&got, 0);
	data[0] = 1;
	if (send(pair->theirs, data, size, MSG_NOSIGNAL) == (ssize_t)size)
		assert_int_equal(receive(pair->ours, &got), SG_EFORMAT);
	wire_message_free(&got);
	free(data);
}

static void silence_and_a_closed_peer_are_temporary(void **state)
{
	struct pair *pair = *state;
	struct wire_message got;
	struct fail f;

	wire_message_init(&got, 0);
	assert_int_equal(wire_receive(pair->ours, &got, 20, &f), SG_EPEER);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	(void)close(pair->theirs);
	pair->theirs = -1;
	assert_int_equal(wire_receive(pair->ours, &got, -1, &f), SG_EPEER);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_int_equal(wire_send(pair->ours, &got, 0, &f), SG_EPEER);
	wire_message_free(&got);
}

static void a_peer_that_does_not_read_is_given_up(void **state)
{
	struct pair *pair = *state;
	struct wire_message sent;
	enum fail_code code = SG_OK;
	unsigned char *room;
	struct fail f;

	wire_message_init(&sent, 1);
	assert_int_equal(buf_reserve(&sent.body, 60000, &room), SG_OK);
	memset(room, 0, 60000);
	sent.body.size = 60000;
	for (int i = 0; i < 1000 && code == SG_OK; i++)
		code = wire_send(pair->ours, &sent, 10, &f);
	assert_int_equal(code, SG_EPEER);
	wire_message_free(&sent);
}

/* What the other side answers is put into the socket before it is asked. */
static enum fail_code ask(struct pair *pair, const struct wire_message *answer, struct fail *f)
{
	struct wire_wait wait = { 200, NULL, NULL };
	struct wire_message request;
	struct wire_message reply;
	enum fail_code code;

	wire_message_init(&request, 5);
	wire_message_init(&reply, 0);
	request.request = 9;
	assert_int_equal(wire_send(pair->theirs, answer, 0, f), SG_OK);
	fail_clear(f);
	code = wire_call_on(pair->ours, &request, &wait, &reply, f);
	wire_message_free(&request);
	wire_message_free(&reply);
	return code;
}

static void a_failure_is_told_word_for_word(void **state)
{
	struct pair *pair = *state;
	struct wire_message answer;
	struct fail told;
	struct fail f;

	wire_message_init(&answer, 5);
	answer.request = 9;
	(void)fail_set(&told, SG_EDENIED, "do this", "that was wrong");
	(void)fail_set_kind(&told, FAIL_TEMPORARY);
	wire_put_fail(&answer, &told);
	assert_int_equal(ask(pair, &answer, &f), SG_EDENIED);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_string_equal(f.what, "that was wrong");
	assert_string_equal(f.hint, "do this");
	wire_message_free(&answer);
}

static void a_lying_answer_is_a_temporary_failure(void **state)
{
	struct pair *pair = *state;
	struct wire_message answer;
	struct fail f;

	wire_message_init(&answer, 6);		/* another type */
	answer.request = 9;
	assert_int_equal(ask(pair, &answer, &f), SG_EPEER);
	answer.type = 5;
	answer.request = 8;			/* another request */
	assert_int_equal(ask(pair, &answer, &f), SG_EPEER);
	answer.request = 9;
	answer.type = WIRE_FAILURE;		/* a failure that says nothing */
	assert_int_equal(ask(pair, &answer, &f), SG_EPEER);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_int_equal(buf_put_u32(&answer.body, 0), SG_OK);	/* "failed with success" */
	assert_int_equal(buf_put_u8(&answer.body, 0), SG_OK);
	assert_int_equal(buf_put_str(&answer.body, ""), SG_OK);
	assert_int_equal(buf_put_str(&answer.body, ""), SG_OK);
	assert_int_equal(ask(pair, &answer, &f), SG_EPEER);
	wire_message_free(&answer);
}

static enum fail_code answer_one(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	(void)context;
	(void)request;
	(void)f;
	return buf_put_u8(&reply->body, 1);
}

static void a_server_answers_only_what_its_table_allows(void **state)
{
	static const struct wire_handler table[] = { { 5, 1u << 1, answer_one } };
	struct pair *pair = *state;
	struct wire_message request;
	struct wire_message reply;
	struct fail f;

	wire_message_init(&request, 5);
	wire_message_init(&reply, 0);
	assert_int_equal(wire_dispatch(table, 1, 1, NULL, pair->theirs, &request, &f), SG_OK);
	assert_int_equal(receive(pair->ours, &reply), SG_OK);
	assert_int_equal(reply.type, 5);
	assert_int_equal(wire_dispatch(table, 1, 0, NULL, pair->theirs, &request, &f), SG_EDENIED);
	assert_int_equal(receive(pair->ours, &reply), SG_OK);
	assert_int_equal(reply.type, WIRE_FAILURE);
	request.type = 6;
	assert_int_equal(wire_dispatch(table, 1, 1, NULL, pair->theirs, &request, &f), SG_EFORMAT);
	assert_int_equal(receive(pair->ours, &reply), SG_OK);
	assert_int_equal(reply.type, WIRE_FAILURE);
	wire_message_free(&request);
	wire_message_free(&reply);
}

static void nobody_at_the_path_is_temporary(void **state)
{
	struct wire_wait wait = { 100, NULL, NULL };
	struct wire_message request;
	struct wire_message reply;
	struct fail f;

	(void)state;
	wire_message_init(&request, 5);
	wire_message_init(&reply, 0);
	assert_int_equal(wire_call("/tmp/sealgate-no-such-socket", &request, &wait, &reply, &f),
	    SG_EPEER);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	wire_message_free(&request);
	wire_message_free(&reply);
}

static enum fail_code count_call(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	int *calls = context;

	(void)request;
	(void)reply;
	(void)f;
	(*calls)++;
	return SG_OK;
}

static void a_server_does_nothing_for_an_asker_who_left(void **state)
{
	static const struct wire_handler table[] = { { 5, 1u << 1, count_call } };
	struct pair *pair = *state;
	struct wire_message request;
	struct fail f;
	int calls = 0;

	wire_message_init(&request, 5);
	assert_int_equal(wire_dispatch(table, 1, 1, &calls, pair->theirs, &request, &f), SG_OK);
	assert_int_equal(calls, 1);
	(void)close(pair->ours);
	pair->ours = -1;
	assert_int_equal(wire_dispatch(table, 1, 1, &calls, pair->theirs, &request, &f), SG_EPEER);
	assert_int_equal(calls, 1);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(a_message_arrives_with_its_descriptor),
		WITH_PAIR(the_largest_body_fits),
		WITH_PAIR(packets_that_are_not_ours_are_refused),
		WITH_PAIR(too_many_descriptors_are_refused_and_none_leaks),
		WITH_PAIR(a_packet_above_the_maximum_is_refused),
		WITH_PAIR(silence_and_a_closed_peer_are_temporary),
		WITH_PAIR(a_peer_that_does_not_read_is_given_up),
		WITH_PAIR(a_failure_is_told_word_for_word),
		WITH_PAIR(a_lying_answer_is_a_temporary_failure),
		WITH_PAIR(a_server_answers_only_what_its_table_allows),
		WITH_PAIR(a_server_does_nothing_for_an_asker_who_left),
		cmocka_unit_test(nobody_at_the_path_is_temporary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
