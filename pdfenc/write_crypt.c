#include "pdfenc/write_crypt.h"

#include <openssl/evp.h>

#include "gateway/base/secret.h"
#include "pdfenc/write_file.h"

struct write_crypt {
	struct secret key;
	EVP_CIPHER_CTX *context;
	struct qpdf_keys keys;	/* without the key itself */
};

enum fail_code write_crypt_new(const struct qpdf_keys *keys, struct write_crypt **crypt_out,
    struct fail *f)
{
	struct write_crypt *crypt = g_new0(struct write_crypt, 1);
	enum fail_code code;

	*crypt_out = NULL;
	secret_init(&crypt->key);
	crypt->keys = *keys;
	secret_wipe(crypt->keys.key, sizeof(crypt->keys.key));
	crypt->context = EVP_CIPHER_CTX_new();
	code = secret_set(&crypt->key, keys->key, sizeof(keys->key));
	if (code != SG_OK)
		code = fail_set(f, code, NULL, "cannot keep a key in memory");
	else if (crypt->context == NULL || EVP_EncryptInit_ex(crypt->context, EVP_aes_256_cbc(),
	    NULL, NULL, NULL) != 1)
		code = fail_set(f, SG_ECRYPTO, NULL, "libcrypto has no AES-256");
	if (code != SG_OK)
		write_crypt_free(crypt);
	else
		*crypt_out = crypt;
	return code;
}

void write_crypt_free(struct write_crypt *crypt)
{
	if (crypt == NULL)
		return;
	EVP_CIPHER_CTX_free(crypt->context);
	secret_free(&crypt->key);
	g_free(crypt);
}

size_t write_crypt_size(size_t size)
{
	return WRITE_CRYPT_BLOCK + (size / WRITE_CRYPT_BLOCK + 1) * WRITE_CRYPT_BLOCK;
}

gboolean write_crypt_begin(struct write_crypt *crypt, GByteArray *out)
{
	unsigned char start[WRITE_CRYPT_BLOCK];

	if (secret_random_bytes(start, sizeof(start)) != SG_OK ||
	    EVP_EncryptInit_ex(crypt->context, NULL, NULL, crypt->key.data, start) != 1)
		return FALSE;
	g_byte_array_append(out, start, sizeof(start));
	return TRUE;
}

gboolean write_crypt_put(struct write_crypt *crypt, const void *data, size_t size, GByteArray *out)
{
	unsigned int before = out->len;
	int done = 0;

	if (size > INT_MAX / 2)
		return FALSE;
	g_byte_array_set_size(out, before + (unsigned int)size + WRITE_CRYPT_BLOCK);
	if (EVP_EncryptUpdate(crypt->context, out->data + before, &done, data, (int)size) != 1)
		return FALSE;
	g_byte_array_set_size(out, before + (unsigned int)done);
	return TRUE;
}

gboolean write_crypt_end(struct write_crypt *crypt, GByteArray *out)
{
	unsigned int before = out->len;
	int done = 0;

	g_byte_array_set_size(out, before + WRITE_CRYPT_BLOCK);
	if (EVP_EncryptFinal_ex(crypt->context, out->data + before, &done) != 1)
		return FALSE;
	g_byte_array_set_size(out, before + (unsigned int)done);
	return TRUE;
}

void write_crypt_dictionary(const struct write_crypt *crypt, GString *out)
{
	const struct qpdf_keys *keys = &crypt->keys;

	g_string_append(out, "<</Filter/Standard/V 5/R 6/Length 256/P -4/StmF/StdCF/StrF/StdCF"
	    "/CF<</StdCF<</AuthEvent/DocOpen/CFM/AESV3/Length 32>>>>/O");
	put_bytes(out, keys->o, sizeof(keys->o));
	g_string_append(out, "/OE");
	put_bytes(out, keys->oe, sizeof(keys->oe));
	g_string_append(out, "/U");
	put_bytes(out, keys->u, sizeof(keys->u));
	g_string_append(out, "/UE");
	put_bytes(out, keys->ue, sizeof(keys->ue));
	g_string_append(out, "/Perms");
	put_bytes(out, keys->perms, sizeof(keys->perms));
	g_string_append(out, ">>");
}
