/*
 * Trials of mail servers: a small one in a thread, with a key made here.
 *
 * links: sealgate-tls
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "gateway/base/fd.h"
#include "gateway/tls/connect.h"

#define HOST "mx.partner.example"
#define LONG_MS 10000
#define SHORT_MS 300

enum manner { GOOD, NO_STARTTLS, REFUSES, SILENT, HANGS_UP, OLD_TLS };

struct peer {
	enum manner manner;
	int listener;
	uint16_t port;
	pthread_t thread;
	EVP_PKEY *key;
	X509 *certificate;
	char ca_file[64];
	char fingerprint[65];
	unsigned char spki[32];	/* SHA-256 of the public key: TLSA 3 1 1 */
};

/* --- the peer --- */

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
	    "DNS:" HOST ",DNS:*.other.example");
	X509_NAME *name = X509_NAME_new();

	assert_non_null(certificate);
	assert_non_null(names);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)HOST, -1, -1, 0), 1);
	assert_int_equal(X509_set_version(certificate, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
	assert_int_equal(X509_set_subject_name(certificate, name), 1);
	assert_int_equal(X509_set_issuer_name(certificate, name), 1);
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_int_equal(X509_add_ext(certificate, names, -1), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(names);
	X509_NAME_free(name);
	return certificate;
}

static void write_ca(struct peer *peer)
{
	int fd;
	FILE *file;

	(void)snprintf(peer->ca_file, sizeof(peer->ca_file), "/tmp/sealgate-connect-XXXXXX");
	fd = mkstemp(peer->ca_file);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, peer->certificate), 1);
	assert_int_equal(fclose(file), 0);
}

static void digest_key(struct peer *peer)
{
	unsigned char digest[32];
	unsigned char *der = NULL;
	int size = i2d_PUBKEY(peer->key, &der);

	assert_true(size > 0);
	assert_int_equal(EVP_Digest(der, (size_t)size, peer->spki, NULL, EVP_sha256(), NULL), 1);
	OPENSSL_free(der);
	assert_int_equal(X509_digest(peer->certificate, EVP_sha256(), digest, NULL), 1);
	str_hex(digest, sizeof(digest), peer->fingerprint);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static int hear(int fd)
{
	char line[512];

	return recv(fd, line, sizeof(line), 0) > 0;
}

static void serve_tls(const struct peer *peer, int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	char line[512];
	SSL *ssl;

	assert_int_equal(SSL_CTX_use_PrivateKey(context, peer->key), 1);
	assert_int_equal(SSL_CTX_use_certificate(context, peer->certificate), 1);
	if (peer->manner == OLD_TLS) {
		SSL_CTX_set_security_level(context, 0);
		(void)SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
		(void)SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
	}
	ssl = SSL_new(context);
	(void)SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		(void)SSL_read(ssl, line, sizeof(line));
	SSL_free(ssl);
	SSL_CTX_free(context);
}

static void talk(const struct peer *peer, int fd)
{
	if (peer->manner == SILENT) {
		(void)hear(fd);
		return;
	}
	say(fd, "220-a long\r\n220 greeting\r\n");
	if (!hear(fd))
		return;
	say(fd, peer->manner == NO_STARTTLS ? "250-peer\r\n250 PIPELINING\r\n" :
	    "250-peer\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
	if (!hear(fd) || peer->manner == NO_STARTTLS)
		return;
	say(fd, peer->manner == REFUSES ? "454 not now\r\n" : "220 go ahead\r\n");
	if (peer->manner != REFUSES && peer->manner != HANGS_UP)
		serve_tls(peer, fd);
}

static void *peer_thread(void *context)
{
	struct peer *peer = context;
	int fd = accept(peer->listener, NULL, NULL);

	if (fd >= 0) {
		talk(peer, fd);
		(void)close(fd);
	}
	return NULL;
}

static int peer_make(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct peer *peer = calloc(1, sizeof(*peer));
	socklen_t size = sizeof(to);

	assert_non_null(peer);
	(void)signal(SIGPIPE, SIG_IGN);
	peer->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert_non_null(peer->key);
	peer->certificate = make_certificate(peer->key);
	write_ca(peer);
	digest_key(peer);
	peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&to, &size), 0);
	assert_int_equal(listen(peer->listener, 4), 0);
	peer->port = ntohs(to.sin_port);
	*state = peer;
	return 0;
}

static int peer_drop(void **state)
{
	struct peer *peer = *state;

	fd_close(&peer->listener);
	(void)unlink(peer->ca_file);
	X509_free(peer->certificate);
	EVP_PKEY_free(peer->key);
	free(peer);
	return 0;
}

/* --- one trial --- */

static struct connect_target target_of(const struct peer *peer, const char *policy)
{
	return (struct connect_target){
		.host = HOST,
		.address = "127.0.0.1",
		.port = peer->port,
		.nexthop = "partner.example",
		.policy = policy,
		.ca_file = peer->ca_file,
		.timeout_ms = LONG_MS,
	};
}

static void run(struct peer *peer, enum manner manner, const struct connect_target *target,
    struct connect_result *result)
{
	peer->manner = manner;
	assert_int_equal(pthread_create(&peer->thread, NULL, peer_thread, peer), 0);
	connect_try(target, result);
	assert_int_equal(pthread_join(peer->thread, NULL), 0);
}

/* Runs it and expects this result of the check. */
static void expect(struct peer *peer, enum manner manner, const struct connect_target *target,
    enum connect_check check)
{
	struct connect_result result;

	run(peer, manner, target, &result);
	if (result.check != check)
		fail_msg("%s: %d, %s", target->policy, result.check, result.how);
	assert_int_not_equal(result.how[0], '\0');
	connect_result_free(&result);
}

static void what_the_peer_shows_is_told(void **state)
{
	struct peer *peer = *state;
	struct connect_target target = target_of(peer, "may");
	struct connect_result result;

	run(peer, GOOD, &target, &result);
	assert_true(result.connected);
	assert_true(result.starttls);
	assert_true(result.secured);
	assert_true(result.trusted);
	assert_string_equal(result.version, "TLSv1.3");
	assert_non_null(strstr(result.subject, HOST));
	assert_int_equal(result.names.count, 2);
	assert_string_equal(result.names.items[0], HOST);
	assert_string_equal(result.fingerprint, peer->fingerprint);
	assert_int_equal(strlen(result.not_after), 20);
	assert_int_equal(result.check, CONNECT_NOT_DEMANDED);
	connect_result_free(&result);
}

static void dane_passes_with_the_key_and_only_with_it(void **state)
{
	struct peer *peer = *state;
	struct connect_target target = target_of(peer, "dane-only");
	struct connect_tlsa tlsa = {3, 1, 1, peer->spki, 32};

	target.ca_file = "";
	expect(peer, GOOD, &target, CONNECT_FAILED);
	target.tlsa = &tlsa;
	target.tlsa_count = 1;
	expect(peer, GOOD, &target, CONNECT_PASSED);
	/* names do not count with DANE-EE */
	target.host = "elsewhere.example";
	expect(peer, GOOD, &target, CONNECT_PASSED);
	peer->spki[0] ^= 1;
	expect(peer, GOOD, &target, CONNECT_FAILED);
}

static void secure_demands_authority_and_name(void **state)
{
	struct peer *peer = *state;
	struct connect_target target;

	target = target_of(peer, "secure match=mx.partner.example servername=hostname");
	expect(peer, GOOD, &target, CONNECT_PASSED);
	target = target_of(peer, "secure match=a.example:.partner.example");
	expect(peer, GOOD, &target, CONNECT_PASSED);
	target = target_of(peer, "secure match=a.example:b.example");
	expect(peer, GOOD, &target, CONNECT_FAILED);
	/* nexthop:dot-nexthop is what Postfix means without match */
	target = target_of(peer, "secure");
	expect(peer, GOOD, &target, CONNECT_PASSED);
	target = target_of(peer, "verify");
	expect(peer, GOOD, &target, CONNECT_PASSED);
	target = target_of(peer, "secure match=mx.partner.example");
	target.ca_file = "";
	expect(peer, GOOD, &target, CONNECT_FAILED);
}

static void a_fingerprint_is_the_certificates_or_the_keys(void **state)
{
	struct peer *peer = *state;
	char policy[256];
	char key[65];
	struct connect_target target = target_of(peer, policy);

	(void)snprintf(policy, sizeof(policy), "fingerprint match=00:11|%s", peer->fingerprint);
	expect(peer, GOOD, &target, CONNECT_PASSED);
	str_hex(peer->spki, 32, key);
	(void)snprintf(policy, sizeof(policy), "fingerprint match=%s", key);
	expect(peer, GOOD, &target, CONNECT_PASSED);
	(void)snprintf(policy, sizeof(policy), "fingerprint match=00:11");
	expect(peer, GOOD, &target, CONNECT_FAILED);
}

static void a_peer_without_tls_is_fit_for_may_alone(void **state)
{
	struct peer *peer = *state;
	struct connect_target target = target_of(peer, "may");

	expect(peer, NO_STARTTLS, &target, CONNECT_NOT_DEMANDED);
	target.policy = "encrypt";
	expect(peer, NO_STARTTLS, &target, CONNECT_FAILED);
	expect(peer, REFUSES, &target, CONNECT_FAILED);
	expect(peer, HANGS_UP, &target, CONNECT_FAILED);
	expect(peer, OLD_TLS, &target, CONNECT_FAILED);
}

static void a_silent_peer_costs_its_time_and_no_more(void **state)
{
	struct peer *peer = *state;
	struct connect_target target = target_of(peer, "encrypt");

	target.timeout_ms = SHORT_MS;
	expect(peer, SILENT, &target, CONNECT_FAILED);
}

static void nobody_there_is_told(void **state)
{
	struct peer *peer = *state;
	struct connect_target target = target_of(peer, "encrypt");
	struct connect_result result;

	fd_close(&peer->listener);
	connect_try(&target, &result);
	assert_false(result.connected);
	assert_int_equal(result.check, CONNECT_FAILED);
	connect_result_free(&result);
	target.address = "not an address";
	connect_try(&target, &result);
	assert_int_equal(result.check, CONNECT_FAILED);
	connect_result_free(&result);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, peer_make, peer_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_peer_shows_is_told),
		TEST(dane_passes_with_the_key_and_only_with_it),
		TEST(secure_demands_authority_and_name),
		TEST(a_fingerprint_is_the_certificates_or_the_keys),
		TEST(a_peer_without_tls_is_fit_for_may_alone),
		TEST(a_silent_peer_costs_its_time_and_no_more),
		TEST(nobody_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
