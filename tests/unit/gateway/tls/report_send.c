/*
 * Reports on their way: an HTTPS host and an SMTP server in a thread.
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
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "gateway/base/fd.h"
#include "gateway/tls/report_send.h"

#define HOST "reports.partner.example"

struct host {
	int listener;
	uint16_t port;
	pthread_t thread;
	EVP_PKEY *key;
	X509 *certificate;
	char ca_file[64];
	const char *reply;	/* HTTP status line, or SMTP's answer to the message */
	char got[8192];		/* all that was sent to it */
	size_t got_size;
};

/* --- HTTPS --- */

static void *https_thread(void *context)
{
	struct host *host = context;
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	int fd = accept(host->listener, NULL, NULL);
	char answer[256];
	SSL *ssl;
	int n;

	(void)SSL_CTX_use_PrivateKey(server, host->key);
	(void)SSL_CTX_use_certificate(server, host->certificate);
	ssl = SSL_new(server);
	(void)SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		do {
			n = SSL_read(ssl, host->got + host->got_size,
			    (int)(sizeof(host->got) - 1 - host->got_size));
			host->got_size += n > 0 ? (size_t)n : 0;
		} while (n > 0 && strstr(host->got, "zipped") == NULL);
		n = snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\nContent-Length: 0\r\n"
		    "Location: https://elsewhere.example/\r\nConnection: close\r\n\r\n",
		    host->reply);
		(void)SSL_write(ssl, answer, n);
		(void)SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(server);
	(void)close(fd);
	return NULL;
}

/* --- SMTP --- */

static void hear(struct host *host, int fd, const char *end)
{
	ssize_t n;

	do {
		n = recv(fd, host->got + host->got_size, sizeof(host->got) - 1 - host->got_size, 0);
		host->got_size += n > 0 ? (size_t)n : 0;
	} while (n > 0 && (host->got_size < strlen(end) ||
	    strcmp(host->got + host->got_size - strlen(end), end) != 0));
}

static void say(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void *smtp_thread(void *context)
{
	static const char *const replies[] = {"250 host\r\n", "250 ok\r\n", "250 ok\r\n",
		"354 go\r\n"};
	struct host *host = context;
	int fd = accept(host->listener, NULL, NULL);
	size_t i;

	say(fd, "220 host\r\n");
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		hear(host, fd, "\r\n");
		say(fd, replies[i]);
	}
	hear(host, fd, "\r\n.\r\n");
	say(fd, host->reply);
	hear(host, fd, "\r\n");
	say(fd, "221 bye\r\n");
	(void)close(fd);
	return NULL;
}

/* --- a host --- */

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" HOST);

	assert_non_null(certificate);
	assert_int_equal(X509_set_version(certificate, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
	    MBSTRING_ASC, (const unsigned char *)HOST, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)),
	    1);
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_int_equal(X509_add_ext(certificate, names, -1), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	X509_EXTENSION_free(names);
	return certificate;
}

static int host_make(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct host *host = calloc(1, sizeof(*host));
	socklen_t size = sizeof(to);
	FILE *file;

	assert_non_null(host);
	(void)signal(SIGPIPE, SIG_IGN);
	host->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	host->certificate = make_certificate(host->key);
	(void)snprintf(host->ca_file, sizeof(host->ca_file), "/tmp/sealgate-report-XXXXXX");
	file = fdopen(mkstemp(host->ca_file), "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, host->certificate), 1);
	assert_int_equal(fclose(file), 0);
	host->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(host->listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(host->listener, (struct sockaddr *)&to, &size), 0);
	assert_int_equal(listen(host->listener, 4), 0);
	host->port = ntohs(to.sin_port);
	*state = host;
	return 0;
}

static int host_drop(void **state)
{
	struct host *host = *state;

	fd_close(&host->listener);
	(void)unlink(host->ca_file);
	X509_free(host->certificate);
	EVP_PKEY_free(host->key);
	free(host);
	return 0;
}

/* --- what is sent --- */

static enum fail_code post(struct host *host, const char *name, const char *ca_file,
    const char *reply, struct fail *f)
{
	struct str_list addresses = {NULL, 0};
	struct buf zipped;
	enum fail_code code;
	char uri[128];

	fail_clear(f);
	buf_init(&zipped, 100);
	host->reply = reply;
	assert_int_equal(str_list_add(&addresses, "127.0.0.1"), SG_OK);
	assert_int_equal(buf_append_str(&zipped, "zipped"), SG_OK);
	(void)snprintf(uri, sizeof(uri), "https://%s:%u/v1/tlsrpt", name, host->port);
	assert_int_equal(pthread_create(&host->thread, NULL, https_thread, host), 0);
	code = report_post(uri, &addresses, ca_file, &zipped, f);
	assert_int_equal(pthread_join(host->thread, NULL), 0);
	str_list_free(&addresses);
	buf_free(&zipped);
	return code;
}

static void a_report_is_posted_as_the_rfc_says(void **state)
{
	struct host *host = *state;
	struct fail f;

	if (post(host, HOST, host->ca_file, "201 Created", &f) != SG_OK)
		fail_msg("%s", f.what);
	assert_non_null(strstr(host->got, "POST /v1/tlsrpt HTTP/1.1\r\n"));
	assert_non_null(strstr(host->got, "Content-Type: application/tlsrpt+gzip\r\n"));
	assert_non_null(strstr(host->got, "\r\n\r\nzipped"));
}

static void a_refusal_or_another_place_is_a_failure(void **state)
{
	struct fail f;

	assert_int_equal(post(*state, HOST, ((struct host *)*state)->ca_file, "503 Busy", &f),
	    SG_EPEER);
	assert_non_null(strstr(f.what, "503"));
	assert_int_equal(post(*state, HOST, ((struct host *)*state)->ca_file, "302 Found", &f),
	    SG_EPEER);
}

static void another_hosts_certificate_gets_no_report(void **state)
{
	struct host *host = *state;
	struct fail f;

	assert_int_equal(post(host, "other.partner.example", host->ca_file, "201 Created", &f),
	    SG_EPEER);
	assert_int_equal(host->got_size, 0);
}

static enum fail_code submit(struct host *host, const char *reply, struct fail *f)
{
	struct buf message;
	enum fail_code code;
	char server[32];

	fail_clear(f);
	host->reply = reply;
	buf_init(&message, 1000);
	assert_int_equal(buf_append_str(&message, "Subject: x\r\n\r\n.dot\r\n"), SG_OK);
	(void)snprintf(server, sizeof(server), "127.0.0.1:%u", host->port);
	assert_int_equal(pthread_create(&host->thread, NULL, smtp_thread, host), 0);
	code = report_submit(server, "tls@own.example", "reports@partner.example", &message, f);
	assert_int_equal(pthread_join(host->thread, NULL), 0);
	buf_free(&message);
	return code;
}

static void a_report_goes_to_postfix_as_mail(void **state)
{
	struct host *host = *state;
	struct fail f;

	if (submit(host, "250 queued\r\n", &f) != SG_OK)
		fail_msg("%s", f.what);
	assert_non_null(strstr(host->got, "EHLO own.example\r\n"));
	assert_non_null(strstr(host->got, "MAIL FROM:<tls@own.example>"));
	assert_non_null(strstr(host->got, "RCPT TO:<reports@partner.example>\r\n"));
	assert_non_null(strstr(host->got, "\r\n\r\n..dot\r\n.\r\n"));
}

static void mail_that_postfix_refuses_is_a_failure(void **state)
{
	struct fail f;

	assert_int_equal(submit(*state, "451 not now\r\n", &f), SG_EPEER);
}

static void the_host_of_a_place_is_found(void **state)
{
	char *host = report_host("https://Reports.Example:8443/a?b#c");

	(void)state;
	assert_non_null(host);
	assert_int_equal(strcasecmp(host, "reports.example"), 0);
	free(host);
	assert_null(report_host("https:///"));
	assert_null(report_host("nonsense"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_make, host_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_report_is_posted_as_the_rfc_says),
		TEST(a_refusal_or_another_place_is_a_failure),
		TEST(another_hosts_certificate_gets_no_report),
		TEST(a_report_goes_to_postfix_as_mail),
		TEST(mail_that_postfix_refuses_is_a_failure),
		cmocka_unit_test(the_host_of_a_place_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
