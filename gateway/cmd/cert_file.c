#include "gateway/cmd/cert_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/fd.h"

void der_list_free(struct der_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		OPENSSL_free(list->items[i].data);
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

static enum fail_code der_list_add(struct der_list *list, X509 *x509, struct fail *f)
{
	struct der *larger = realloc(list->items, (list->count + 1) * sizeof(*larger));
	struct der der = {NULL, 0};
	int size;

	if (larger == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	list->items = larger;
	size = i2d_X509(x509, &der.data);
	if (size <= 0)
		return fail_set(f, SG_ECRYPTO, NULL, "OpenSSL cannot write a certificate");
	der.size = (size_t)size;
	list->items[list->count++] = der;
	return SG_OK;
}

static enum fail_code read_pem(BIO *bio, bool several, struct der_list *list, struct fail *f)
{
	enum fail_code code = SG_OK;
	X509 *x509;

	while (code == SG_OK) {
		x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		if (x509 == NULL)
			break;
		if (!several || X509_check_ca(x509) != 1)
			code = der_list_add(list, x509, f);
		X509_free(x509);
	}
	if (code == SG_OK && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		code = fail_set(f, SG_EFORMAT, NULL, "damaged PEM");
	ERR_clear_error();
	return code;
}

static enum fail_code read_der(const struct buf *bytes, struct der_list *list, struct fail *f)
{
	const unsigned char *at = bytes->data;
	X509 *x509 = bytes->size == 0 ? NULL : d2i_X509(NULL, &at, (long)bytes->size);
	enum fail_code code;

	if (x509 == NULL || at != bytes->data + bytes->size)
		code = fail_set(f, SG_EFORMAT, "certificates in PEM or DER are expected",
		    "no certificate");
	else
		code = der_list_add(list, x509, f);
	X509_free(x509);
	ERR_clear_error();
	return code;
}

static enum fail_code parse_file(struct buf *bytes, struct der_list *list, struct fail *f)
{
	static const char begin[] = "-----BEGIN ";
	static const char begin_cert[] = "-----BEGIN CERTIFICATE";
	enum fail_code code;
	const char *first;
	BIO *bio;

	if (bytes->size == 0 || memmem(bytes->data, bytes->size, begin, sizeof(begin) - 1) == NULL)
		return read_der(bytes, list, f);
	first = memmem(bytes->data, bytes->size, begin_cert, sizeof(begin_cert) - 1);
	bio = BIO_new_mem_buf(bytes->data, (int)bytes->size);
	if (bio == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = read_pem(bio, first != NULL && memmem(first + 1,
	    (size_t)((const char *)bytes->data + bytes->size - first) - 1, begin_cert,
	    sizeof(begin_cert) - 1) != NULL, list, f);
	BIO_free(bio);
	if (code == SG_OK && list->count == 0)
		code = fail_set(f, SG_EFORMAT, "certificates in PEM or DER are expected",
		    "no certificate of a person");
	return code;
}

enum fail_code cert_file_read(const char *path, struct der_list *list, struct fail *f)
{
	struct fail inner;
	enum fail_code code;
	struct buf bytes;

	fail_clear(&inner);
	buf_init(&bytes, CERT_FILE_MAX);
	code = strcmp(path, "-") == 0 ? fd_read_all(STDIN_FILENO, &bytes, f) :
	    fd_read_file(path, &bytes, f);
	if (code == SG_OK) {
		code = parse_file(&bytes, list, &inner);
		if (code != SG_OK)
			code = fail_set(f, code, inner.hint, "%s: %s", path, inner.what);
	}
	buf_free(&bytes);
	return code;
}
