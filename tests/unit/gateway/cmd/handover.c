/* What a gateway that stands by gets, and from whom. links: sealgate
 * expect-error: standby-refused
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/base/wire.h"
#include "gateway/cmd/handover.h"
#include "gateway/cmd/listen.h"

/* Two gateways with one run_directory; the first is tended by a thread. */
struct pair {
	char folder[32];
	struct conf *first_conf;
	struct conf *second_conf;
	struct prepare_sockets first;
	struct prepare_sockets second;
	struct handover handover;
	pthread_t thread;
	atomic_bool stop;
};

static void *tend(void *context)
{
	struct pair *pair = context;

	while (!pair->stop) {
		handover_tend(&pair->handover);
		(void)poll(NULL, 0, 2);
	}
	return NULL;
}

static void set(char **value, const char *text)
{
	assert_int_equal(str_set(value, text), SG_OK);
}

/* A unix socket in the folder. */
static void set_socket(char **value, const char *folder, const char *name)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "local:%s/%s", folder, name);
	set(value, text);
}

static struct conf *make_conf(const char *folder)
{
	struct conf *conf;
	struct fail f;

	assert_int_equal(conf_default(&conf, &f), SG_OK);
	set(&conf->run_directory, folder);
	set_socket(&conf->socket, folder, "milter.sock");
	set_socket(&conf->tls.socket, folder, "policy.sock");
	set(&conf->socket_group, "");
	set(&conf->users.milter, "64101:64101");
	set(&conf->users.notify, "64101:64101");
	set(&conf->users.trace, "64101:64101");
	set(&conf->users.tls, "64101:64101");
	return conf;
}

static int begin(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	struct fail f;

	assert_non_null(pair);
	(void)snprintf(pair->folder, sizeof(pair->folder), "/tmp/handover.XXXXXX");
	assert_non_null(mkdtemp(pair->folder));
	pair->first_conf = make_conf(pair->folder);
	pair->second_conf = make_conf(pair->folder);
	prepare_init(&pair->first);
	prepare_init(&pair->second);
	assert_int_equal(prepare_listen(pair->first_conf, &pair->first, &f), SG_OK);
	assert_int_equal(handover_open(pair->first_conf, &pair->first, &pair->handover, &f), SG_OK);
	assert_int_equal(pthread_create(&pair->thread, NULL, tend, pair), 0);
	*state = pair;
	return 0;
}

static void stop_tending(struct pair *pair)
{
	if (!pair->stop) {
		pair->stop = true;
		assert_int_equal(pthread_join(pair->thread, NULL), 0);
	}
}

static int end(void **state)
{
	struct pair *pair = *state;

	stop_tending(pair);
	handover_close(&pair->handover);
	prepare_close(&pair->first);
	prepare_close(&pair->second);
	conf_free(pair->first_conf);
	conf_free(pair->second_conf);
	fd_empty_folder(open(pair->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	(void)rmdir(pair->folder);
	free(pair);
	return 0;
}

static int join(struct pair *pair, struct fail *f)
{
	int link;

	return handover_join(pair->second_conf, &pair->second, &link, f) == SG_OK ? link : -1;
}

static enum handover_news hear(int *link)
{
	struct pollfd wait = { *link, POLLIN, 0 };

	(void)poll(&wait, 1, 5000);
	return handover_hear(link);
}

/* Whoever connects is in the one queue that both have. */
static void the_sockets_are_the_same(void **state)
{
	struct pair *pair = *state;
	struct pollfd knock;
	struct fail f;
	char path[64];
	int client;
	int link = join(pair, &f);

	assert_true(link >= 0);
	for (unsigned int i = 0; i < PREPARE_SOCKETS; i++)
		assert_int_equal(pair->first.fds[i] >= 0, pair->second.fds[i] >= 0);
	prepare_close(&pair->first);
	(void)snprintf(path, sizeof(path), "%s/" CONF_SOCKET_VAULT, pair->folder);
	assert_int_equal(wire_connect(path, 1000, &client, &f), SG_OK);
	knock = (struct pollfd){ pair->second.fds[PREPARE_VAULT], POLLIN, 0 };
	assert_int_equal(poll(&knock, 1, 1000), 1);
	fd_close(&client);
	fd_close(&link);
}

static void what_the_configuration_has_elsewhere_is_not_taken(void **state)
{
	struct pair *pair = *state;
	struct fail f;
	int link;

	set_socket(&pair->second_conf->tls.socket, pair->folder, "other.sock");
	link = join(pair, &f);
	assert_true(link >= 0);
	assert_int_equal(pair->second.fds[PREPARE_POLICY], -1);
	assert_true(pair->second.fds[PREPARE_FILTER] >= 0);
	/* and is opened when it is needed */
	assert_int_equal(prepare_listen(pair->second_conf, &pair->second, &f), SG_OK);
	assert_true(pair->second.fds[PREPARE_POLICY] >= 0);
	fd_close(&link);
}

static void it_hears_of_a_reload_and_of_the_end(void **state)
{
	struct pair *pair = *state;
	struct fail f;
	int link = join(pair, &f);

	assert_true(link >= 0);
	assert_int_equal(handover_hear(&link), HANDOVER_NONE);
	stop_tending(pair);
	handover_reloaded(&pair->handover);
	assert_int_equal(hear(&link), HANDOVER_RELOADED);
	handover_close(&pair->handover);
	assert_int_equal(hear(&link), HANDOVER_GONE);
	assert_int_equal(link, -1);
	assert_int_equal(join(pair, &f), -1);
	assert_int_equal(f.code, SG_EPEER);
}

static void not_more_than_a_few_stand_by(void **state)
{
	struct pair *pair = *state;
	int links[HANDOVER_MAX];
	struct fail f;

	for (size_t i = 0; i < HANDOVER_MAX; i++) {
		links[i] = join(pair, &f);
		assert_true(links[i] >= 0);
	}
	assert_int_equal(join(pair, &f), -1);
	for (size_t i = 0; i < HANDOVER_MAX; i++)
		fd_close(&links[i]);
}

/* A file that another program removed: nobody could connect. */
static void a_socket_without_its_file_is_not_taken(void **state)
{
	struct pair *pair = *state;
	struct fail f;
	int link;

	assert_true(listen_is(pair->first.fds[PREPARE_FILTER], pair->first_conf->socket));
	assert_int_equal(unlink(pair->first_conf->socket + strlen("local:")), 0);
	link = join(pair, &f);
	assert_true(link >= 0);
	assert_int_equal(pair->second.fds[PREPARE_FILTER], -1);
	fd_close(&link);
}

static void ports_are_told_apart(void **state)
{
	struct sockaddr_in bound;
	socklen_t size = sizeof(bound);
	char here[64];
	char beside[64];
	struct fail f;
	int fd;

	(void)state;
	assert_int_equal(listen_open("inet:0@127.0.0.1", 0, "", &fd, &f), SG_OK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
	(void)snprintf(here, sizeof(here), "inet:%u@127.0.0.1", ntohs(bound.sin_port));
	(void)snprintf(beside, sizeof(beside), "inet:%u@127.0.0.2", ntohs(bound.sin_port));
	assert_true(listen_is(fd, here));
	assert_false(listen_is(fd, beside));
	assert_false(listen_is(fd, "inet:1@127.0.0.1"));
	assert_false(listen_is(fd, "local:/run/none.sock"));
	fd_close(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_sockets_are_the_same, begin, end),
		cmocka_unit_test_setup_teardown(what_the_configuration_has_elsewhere_is_not_taken,
		    begin, end),
		cmocka_unit_test_setup_teardown(it_hears_of_a_reload_and_of_the_end, begin, end),
		cmocka_unit_test_setup_teardown(not_more_than_a_few_stand_by, begin, end),
		cmocka_unit_test_setup_teardown(a_socket_without_its_file_is_not_taken, begin, end),
		cmocka_unit_test(ports_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
