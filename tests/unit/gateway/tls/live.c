/* The real source: libunbound against an unbound of our own with a signed answer chain cut off at a
 * trust anchor, libcurl against an HTTPS server of our own, all on loopback.
 * links: sealgate-tls */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/conf.h"
#include "gateway/base/str.h"
#include "gateway/tls/live.h"

#define HOST_ADDRESS "127.77.5.1"	/* port 443 there is ours: no other test uses it */
#define RESPONSE_MAX (80 * 1024)

extern char **environ;

/* All that the tests share. */
struct world {
	char folder[64];
	unsigned int port;
	pid_t unbound;
	struct conf *conf;
	struct source_live *live;
	/* the HTTPS server */
	SSL_CTX *tls;
	int listener;
	pthread_t thread;
	const char *response;		/* static, or the large one */
	size_t response_size;
	X509 *good;
	X509 *other;
	EVP_PKEY *key;
};

static struct world world;

/* ---- a resolver ---- */

static unsigned int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

static FILE *create(const char *name, char path[128])
{
	FILE *file;

	(void)snprintf(path, 128, "%s/%s", world.folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	return file;
}

static void start_unbound(void)
{
	char path[128];
	char *arguments[] = { (char[]){ "unbound" }, (char[]){ "-d" }, (char[]){ "-c" }, path,
		NULL };
	FILE *file = create("unbound.conf", path);

	world.port = free_port();
	(void)fprintf(file, "server:\n interface: 127.0.0.1@%u\n port: %u\n chroot: \"\"\n"
	    " username: \"\"\n directory: \"%s\"\n pidfile: \"\"\n use-syslog: no\n"
	    " logfile: \"/dev/null\"\n do-daemonize: no\n module-config: \"iterator\"\n"
	    " do-not-query-localhost: no\n local-zone: \".\" static\n"
	    " local-data: \"partner.test. 60 IN MX 10 mx1.partner.test.\"\n"
	    " local-data: \"mx1.partner.test. 60 IN A 192.0.2.1\"\n"
	    " local-data: \"mx1.partner.test. 60 IN AAAA 2001:db8::1\"\n"
	    " local-data: '_mta-sts.partner.test. 60 IN TXT \"v=STSv1; id=1\"'\n"
	    " local-data: \"_25._tcp.mx1.partner.test. 60 IN TYPE52 \\# 4 03010100\"\n"
	    " local-data: \"alias.test. 60 IN CNAME mx1.partner.test.\"\n"
	    " local-data: \"mta-sts.partner.test. 60 IN A " HOST_ADDRESS "\"\n"
	    " local-data: \"mta-sts.other.test. 60 IN A " HOST_ADDRESS "\"\n"
	    " local-data: \"mta-sts.deaf.test. 60 IN A 127.77.5.2\"\n"
	    "remote-control:\n control-enable: no\n", world.port, world.port, world.folder);
	(void)fclose(file);
	assert_int_equal(posix_spawnp(&world.unbound, "unbound", NULL, NULL, arguments, environ),
	    0);
}

/* ---- a web server ---- */

static X509 *make_certificate(const char *host)
{
	char san[128];
	X509 *certificate = X509_new();
	X509_NAME *name;
	X509_EXTENSION *extension;

	(void)snprintf(san, sizeof san, "DNS:%s", host);
	assert_non_null(certificate);
	name = X509_get_subject_name(certificate);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)host, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(certificate, name), 1);
	assert_int_equal(X509_set_version(certificate, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
	assert_int_equal(X509_set_pubkey(certificate, world.key), 1);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(certificate, world.key, EVP_sha256()) > 0);
	return certificate;
}

static void serve_one(int fd)
{
	SSL *tls = SSL_new(world.tls);
	char request[4096];

	if (tls != NULL && SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1 &&
	    SSL_read(tls, request, sizeof request) > 0) {
		(void)SSL_write(tls, world.response, (int)world.response_size);
		(void)SSL_shutdown(tls);
	}
	SSL_free(tls);
	ERR_clear_error();
	(void)close(fd);
}

static void *serve(void *unused)
{
	int fd;

	(void)unused;
	while ((fd = accept4(world.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		serve_one(fd);
	return NULL;
}

static void start_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(443) };
	int on = 1;

	assert_int_equal(inet_pton(AF_INET, HOST_ADDRESS, &address.sin_addr), 1);
	world.tls = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_PrivateKey(world.tls, world.key), 1);
	world.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(world.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	assert_int_equal(bind(world.listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(world.listener, 10), 0);
	assert_int_equal(pthread_create(&world.thread, NULL, serve, NULL), 0);
}

static void respond(X509 *certificate, const char *response)
{
	/* ours first: the key and the certificate must fit */
	assert_int_equal(SSL_CTX_use_certificate(world.tls, certificate), 1);
	world.response = response;
	world.response_size = strlen(response);
}

/* ---- asking ---- */

struct asked {
	bool answered;
	struct source_dns dns;
	unsigned char first[512];
	char canonical[256];
	struct source_https https;
	char body[1024];
	char why[256];
};

static void on_dns(void *context, const struct source_dns *answer)
{
	struct asked *asked = context;

	assert_false(asked->answered);
	asked->answered = true;
	asked->dns = *answer;
	if (answer->why != NULL)
		(void)snprintf(asked->why, sizeof asked->why, "%s", answer->why);
	if (answer->count > 0 && answer->records[0].size <= sizeof asked->first)
		memcpy(asked->first, answer->records[0].data, answer->records[0].size);
	if (answer->canonical != NULL)
		(void)snprintf(asked->canonical, sizeof asked->canonical, "%s", answer->canonical);
}

static void on_https(void *context, const struct source_https *answer)
{
	struct asked *asked = context;

	assert_false(asked->answered);
	asked->answered = true;
	asked->https = *answer;
	if (answer->body != NULL)
		(void)snprintf(asked->body, sizeof asked->body, "%s", answer->body);
	if (answer->why != NULL)
		(void)snprintf(asked->why, sizeof asked->why, "%s", answer->why);
}

static void wait_for(const struct asked *asked)
{
	struct pollfd ready;

	for (int round = 0; round < 2000 && !asked->answered; round++) {
		int wait_ms = source_live_timeout_ms(world.live);

		assert_int_equal(source_live_poll_fds(world.live, &ready, 1), 1);
		(void)poll(&ready, 1, wait_ms < 0 || wait_ms > 100 ? 100 : wait_ms);
		source_live_process(world.live);
	}
	assert_true(asked->answered);
}

static void ask_dns(struct asked *asked, const char *name, int type)
{
	const struct source *source = source_live_source(world.live);

	memset(asked, 0, sizeof *asked);
	source->dns(source->context, name, type, on_dns, asked);
	wait_for(asked);
}

static void ask_https(struct asked *asked, const char *host)
{
	const struct source *source = source_live_source(world.live);

	memset(asked, 0, sizeof *asked);
	source->https(source->context, host, ".well-known/mta-sts.txt", on_https, asked);
	wait_for(asked);
}

/* ---- set-up ---- */

static void make_conf(void)
{
	char path[128];
	char resolver[64];
	FILE *file = create("ca.pem", path);

	assert_int_equal(PEM_write_X509(file, world.good), 1);
	(void)fclose(file);
	assert_int_equal(conf_default(&world.conf, NULL), SG_OK);
	assert_int_equal(str_set(&world.conf->tls.ca_file, path), SG_OK);
	(void)snprintf(resolver, sizeof resolver, "127.0.0.1@%u", world.port);
	assert_int_equal(str_list_add(&world.conf->tls.resolvers, resolver), SG_OK);
	/* an anchor that nothing fits: all below it is bogus, all else unsigned */
	file = create("anchor", path);
	(void)fprintf(file, "bogus.test. IN DS 12345 13 2 "
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
	(void)fclose(file);
	assert_int_equal(str_set(&world.conf->tls.trust_anchor, path), SG_OK);
	world.conf->tls.timeout_ms = 8000;
}

static int set_up(void **state)
{
	struct asked asked;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(world.folder, sizeof world.folder, "/tmp/sealgate-live.XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	world.key = EVP_EC_gen("P-256");
	assert_non_null(world.key);
	world.good = make_certificate("mta-sts.partner.test");
	world.other = make_certificate("mta-sts.partner.test");
	start_unbound();
	start_server();
	make_conf();
	assert_int_equal(source_live_new(world.conf, clock_system(), &world.live, NULL), SG_OK);
	for (int tries = 0; tries < 100; tries++) {
		ask_dns(&asked, "mx1.partner.test", SOURCE_A);
		if (asked.dns.status == SOURCE_DNS_ANSWER)
			return 0;
		(void)usleep(100000);
	}
	return -1;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "unbound.conf", "ca.pem", "anchor" };
	char path[128];

	(void)state;
	source_live_free(world.live);
	conf_free(world.conf);
	(void)kill(world.unbound, SIGTERM);
	(void)waitpid(world.unbound, NULL, 0);
	(void)shutdown(world.listener, SHUT_RDWR);
	(void)pthread_join(world.thread, NULL);
	(void)close(world.listener);
	SSL_CTX_free(world.tls);
	X509_free(world.good);
	X509_free(world.other);
	EVP_PKEY_free(world.key);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", world.folder, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(world.folder);
	return 0;
}

/* ---- DNS ---- */

static void answers_come_in_wire_form(void **state)
{
	struct asked asked;

	(void)state;
	ask_dns(&asked, "partner.test", SOURCE_MX);
	assert_int_equal(asked.dns.status, SOURCE_DNS_ANSWER);
	assert_int_equal(asked.dns.count, 1);
	assert_memory_equal(asked.first, "\0\12\3mx1\7partner\4test", 20);
	assert_false(asked.dns.secure);
	assert_in_range(asked.dns.ttl_s, 1, 60);
	assert_null(asked.dns.canonical);
	ask_dns(&asked, "mx1.partner.test", SOURCE_AAAA);
	assert_memory_equal(asked.first, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	ask_dns(&asked, "_25._tcp.mx1.partner.test", SOURCE_TLSA);
	assert_memory_equal(asked.first, "\3\1\1\0", 4);
}

static void names_that_do_not_exist_are_told_from_no_data(void **state)
{
	struct asked asked;

	(void)state;
	ask_dns(&asked, "nobody.partner.test", SOURCE_A);
	assert_int_equal(asked.dns.status, SOURCE_DNS_NXDOMAIN);
	ask_dns(&asked, "mx1.partner.test", SOURCE_MX);
	assert_int_equal(asked.dns.status, SOURCE_DNS_NODATA);
}

static void aliases_show_where_they_lead(void **state)
{
	struct asked asked;

	(void)state;
	ask_dns(&asked, "alias.test", SOURCE_CNAME);
	assert_int_equal(asked.dns.status, SOURCE_DNS_ANSWER);
	assert_memory_equal(asked.first, "\3mx1\7partner\4test", 18);
}

static void what_does_not_validate_is_bogus_and_failed(void **state)
{
	struct asked asked;

	(void)state;
	ask_dns(&asked, "x.bogus.test", SOURCE_A);
	assert_int_equal(asked.dns.status, SOURCE_DNS_FAILED);
	assert_false(asked.dns.secure);
	assert_int_equal(asked.dns.count, 0);
}

static void a_missing_anchor_or_resolver_is_told(void **state)
{
	struct conf *conf = NULL;
	struct source_live *live = NULL;
	struct fail f;

	(void)state;
	assert_int_equal(conf_default(&conf, NULL), SG_OK);
	assert_int_equal(str_set(&conf->tls.trust_anchor, "/nonexistent/key"), SG_OK);
	assert_int_equal(source_live_new(conf, clock_system(), &live, &f), SG_EUSAGE);
	assert_non_null(strstr(f.what, "/nonexistent/key"));
	assert_null(live);
	assert_int_equal(str_list_add(&conf->tls.resolvers, "no address"), SG_OK);
	assert_int_equal(source_live_new(conf, clock_system(), &live, &f), SG_EUSAGE);
	conf_free(conf);
}

static void open_questions_are_answered_at_the_end(void **state)
{
	struct source_live *live = NULL;
	const struct source *source;
	struct asked dns;
	struct asked https;

	(void)state;
	memset(&dns, 0, sizeof dns);
	memset(&https, 0, sizeof https);
	assert_int_equal(source_live_new(world.conf, clock_system(), &live, NULL), SG_OK);
	source = source_live_source(live);
	source->dns(source->context, "partner.test", SOURCE_MX, on_dns, &dns);
	source->https(source->context, "mta-sts.partner.test", "x", on_https, &https);
	source_live_free(live);
	assert_true(dns.answered);
	assert_int_equal(dns.dns.status, SOURCE_DNS_FAILED);
	assert_true(https.answered);
	assert_int_equal(https.https.status, 0);
}

/* ---- HTTPS (RFC 8461, 3.3) ---- */

static void a_file_is_fetched(void **state)
{
	struct asked asked;

	(void)state;
	respond(world.good, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n"
	    "Connection: close\r\n\r\nversion: STSv1");
	ask_https(&asked, "mta-sts.partner.test");
	assert_string_equal(asked.why, "");
	assert_int_equal(asked.https.status, 200);
	assert_string_equal(asked.body, "version: STSv1");
}

static void a_certificate_of_nobody_is_refused(void **state)
{
	struct asked asked;

	(void)state;
	respond(world.other, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	ask_https(&asked, "mta-sts.partner.test");
	assert_int_equal(asked.https.status, 0);
	assert_true(asked.https.untrusted);
}

static void a_certificate_of_another_host_is_refused(void **state)
{
	struct asked asked;

	(void)state;
	respond(world.good, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	ask_https(&asked, "mta-sts.other.test");
	assert_int_equal(asked.https.status, 0);
	assert_true(asked.https.untrusted);
}

static void redirects_are_not_followed(void **state)
{
	struct asked asked;

	(void)state;
	respond(world.good, "HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.partner.test/other\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n");
	ask_https(&asked, "mta-sts.partner.test");
	assert_int_equal(asked.https.status, 301);
}

static void a_file_above_64_kib_is_refused(void **state)
{
	static char response[RESPONSE_MAX];
	struct asked asked;
	int head = snprintf(response, sizeof response,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Connection: close\r\n\r\n");

	(void)state;
	memset(response + head, 'a', sizeof response - (size_t)head - 1);
	respond(world.good, response);
	ask_https(&asked, "mta-sts.partner.test");
	assert_int_equal(asked.https.status, 0);
	assert_non_null(strstr(asked.why, "64 KiB"));
}

static void hosts_that_are_not_there_fail(void **state)
{
	struct asked asked;

	(void)state;
	ask_https(&asked, "mta-sts.deaf.test");
	assert_int_equal(asked.https.status, 0);
	assert_false(asked.https.untrusted);
	ask_https(&asked, "mta-sts.nobody.test");
	assert_int_equal(asked.https.status, 0);
	assert_non_null(strstr(asked.why, "no address"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_in_wire_form),
		cmocka_unit_test(names_that_do_not_exist_are_told_from_no_data),
		cmocka_unit_test(aliases_show_where_they_lead),
		cmocka_unit_test(what_does_not_validate_is_bogus_and_failed),
		cmocka_unit_test(a_missing_anchor_or_resolver_is_told),
		cmocka_unit_test(open_questions_are_answered_at_the_end),
		cmocka_unit_test(a_file_is_fetched),
		cmocka_unit_test(a_certificate_of_nobody_is_refused),
		cmocka_unit_test(a_certificate_of_another_host_is_refused),
		cmocka_unit_test(redirects_are_not_followed),
		cmocka_unit_test(a_file_above_64_kib_is_refused),
		cmocka_unit_test(hosts_that_are_not_there_fail),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
