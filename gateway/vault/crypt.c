#include "gateway/vault/crypt.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "gateway/vault/packets.h"

#define CRYPT_VERSION 1
#define CRYPT_NONCE_SIZE 12
#define CRYPT_TAG_SIZE 16
#define CRYPT_PLACE_MAX ((size_t)4096)

static enum fail_code crypt_failed(struct fail *f, const char *doing)
{
	ERR_clear_error();
	return fail_set(f, SG_ECRYPTO, NULL, "OpenSSL cannot %s", doing);
}

static enum fail_code crypt_associated(const struct crypt_place *place, struct buf *out,
    struct fail *f)
{
	struct packet_writer p = packet_write(out);

	packet_put_str(&p, place->tenant);
	packet_put_str(&p, place->table);
	packet_put_bytes(&p, place->id, CRYPT_ID_SIZE);
	packet_put_str(&p, place->column);
	return packet_put_end(&p, f);
}

enum fail_code crypt_seal(const struct secret *master, const struct crypt_place *place,
    const void *data, size_t size, struct buf *out, struct fail *f)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned char *room = NULL;
	unsigned char *nonce = NULL;
	unsigned char *tag = NULL;
	enum fail_code code;
	struct buf place_bytes;
	int n = 0;

	SG_BUG_IF(master->size != CRYPT_KEY_SIZE || size > SECRET_MAX);
	buf_init(&place_bytes, CRYPT_PLACE_MAX);
	code = crypt_associated(place, &place_bytes, f);
	if (code != SG_OK)
		goto out;
	if (context == NULL || buf_reserve(out, size + CRYPT_OVERHEAD, &room) != SG_OK) {
		code = fail_set(f, SG_ENOMEM, NULL, "no memory to seal a secret");
		goto out;
	}
	room[0] = CRYPT_VERSION;
	nonce = room + 1;
	tag = nonce + CRYPT_NONCE_SIZE;
	code = secret_random_bytes(nonce, CRYPT_NONCE_SIZE);
	if (code != SG_OK)
		(void)fail_set(f, code, NULL, "no random bytes");
	else if (EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, master->data, nonce) != 1 ||
	    EVP_EncryptUpdate(context, NULL, &n, place_bytes.data, (int)place_bytes.size) != 1 ||
	    EVP_EncryptUpdate(context, tag + CRYPT_TAG_SIZE, &n, data, (int)size) != 1 ||
	    EVP_EncryptFinal_ex(context, tag + CRYPT_TAG_SIZE + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, CRYPT_TAG_SIZE, tag) != 1)
		code = crypt_failed(f, "seal a secret");
	else
		out->size += size + CRYPT_OVERHEAD;
out:
	EVP_CIPHER_CTX_free(context);
	buf_free(&place_bytes);
	return code;
}

/* data holds the ciphertext and is decrypted where it stands. */
static bool crypt_decrypt(EVP_CIPHER_CTX *context, const struct secret *master,
    const struct buf *place, const unsigned char *nonce, struct secret *data)
{
	unsigned char tag[CRYPT_TAG_SIZE];
	unsigned char rest[16];
	size_t i;
	int n = 0;

	for (i = 0; i < CRYPT_TAG_SIZE; i++)
		tag[i] = nonce[CRYPT_NONCE_SIZE + i];
	return EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, master->data, nonce) == 1 &&
	    EVP_DecryptUpdate(context, NULL, &n, place->data, (int)place->size) == 1 &&
	    EVP_DecryptUpdate(context, data->data, &n, data->data, (int)data->size) == 1 &&
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, CRYPT_TAG_SIZE, tag) == 1 &&
	    EVP_DecryptFinal_ex(context, rest, &n) == 1;
}

enum fail_code crypt_open(const struct secret *master, const struct crypt_place *place,
    const void *sealed, size_t size, struct secret *data_out, struct fail *f)
{
	const unsigned char *bytes = sealed;
	EVP_CIPHER_CTX *context = NULL;
	enum fail_code code;
	struct buf place_bytes;

	SG_BUG_IF(master->size != CRYPT_KEY_SIZE);
	if (size <= CRYPT_OVERHEAD || bytes[0] != CRYPT_VERSION)
		return fail_set(f, SG_ECRYPTO, "restore vault.db from a backup",
		    "a stored secret is damaged");
	buf_init(&place_bytes, CRYPT_PLACE_MAX);
	code = crypt_associated(place, &place_bytes, f);
	if (code != SG_OK)
		goto out;
	context = EVP_CIPHER_CTX_new();
	code = secret_set(data_out, bytes + CRYPT_OVERHEAD, size - CRYPT_OVERHEAD);
	if (context == NULL || code != SG_OK) {
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a secret");
	} else if (!crypt_decrypt(context, master, &place_bytes, bytes + 1, data_out)) {
		ERR_clear_error();
		code = fail_set(f, SG_ECRYPTO,
		    "does the master key file belong to this database?",
		    "a stored secret cannot be decrypted");
	}
out:
	if (code != SG_OK)
		secret_free(data_out);
	EVP_CIPHER_CTX_free(context);
	buf_free(&place_bytes);
	return code;
}

enum fail_code crypt_mac(const struct secret *key, const void *data, size_t size,
    unsigned char mac_out[CRYPT_DIGEST_SIZE], struct fail *f)
{
	unsigned int n = 0;

	if (HMAC(EVP_sha256(), key->data, (int)key->size, data, size, mac_out, &n) == NULL ||
	    n != CRYPT_DIGEST_SIZE)
		return crypt_failed(f, "make a MAC");
	return SG_OK;
}

enum fail_code crypt_digest(const void *data, size_t size,
    unsigned char digest_out[CRYPT_DIGEST_SIZE], struct fail *f)
{
	unsigned int n = 0;

	if (EVP_Digest(data, size, digest_out, &n, EVP_sha256(), NULL) != 1 ||
	    n != CRYPT_DIGEST_SIZE)
		return crypt_failed(f, "digest");
	return SG_OK;
}
