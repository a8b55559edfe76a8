#include "milter/envelope.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"

#define COLLECT ((size_t)57 * 1024)	/* bytes of BER that become base64 at once; 57 a line */
/* BIO_get_new_index would run out after 128 messages; nobody looks the number up. */
#define SINK_TYPE (BIO_TYPE_SOURCE_SINK | 0x7f)
#define WRITE_STEP ((size_t)64 * 1024)

#define CACHE_PLACES ((size_t)256)	/* one for each first byte of a digest; some 10 KB each */

struct cache_place {
	unsigned char digest[SHA256_DIGEST_LENGTH];	/* of the DER */
	X509 *x509;					/* NULL: free */
};

struct envelope_cache {
	pthread_mutex_t lock;
	struct cache_place places[CACHE_PLACES];
};

/* Where OpenSSL writes: collects, encodes, appends to the spool. */
struct sink {
	struct spool *out;
	struct base64_lines lines;
	unsigned char collected[COLLECT];
	size_t size;
	unsigned char text[(COLLECT / 57 + 2) * 78];
	enum fail_code code;
	struct fail fail;
};

static enum fail_code crypto_failed(struct fail *f, const char *what)
{
	char reason[160];

	ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
	ERR_clear_error();
	return fail_set(f, SG_ECRYPTO, NULL, "%s: %s", what, reason);
}

static void sink_encode(struct sink *sink)
{
	size_t n = base64_lines_put(&sink->lines, sink->collected, sink->size, sink->text);

	sink->size = 0;
	if (sink->code == SG_OK && n > 0)
		sink->code = spool_append(sink->out, sink->text, n, &sink->fail);
}

static int sink_write(BIO *bio, const char *data, int size)
{
	struct sink *sink = BIO_get_data(bio);
	size_t left = size > 0 ? (size_t)size : 0;

	while (left > 0) {
		size_t room = COLLECT - sink->size;
		size_t taken = left < room ? left : room;

		memcpy(sink->collected + sink->size, data, taken);
		sink->size += taken;
		data += taken;
		left -= taken;
		if (sink->size == COLLECT)
			sink_encode(sink);
	}
	return sink->code == SG_OK ? size : -1;
}

static long sink_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static enum fail_code sink_finish(struct sink *sink, struct fail *f)
{
	size_t n;

	sink_encode(sink);
	n = base64_lines_end(&sink->lines, sink->text);
	if (sink->code == SG_OK && n > 0)
		sink->code = spool_append(sink->out, sink->text, n, &sink->fail);
	if (sink->code != SG_OK && f != NULL)
		*f = sink->fail;
	return sink->code;
}

static BIO *sink_bio(BIO_METHOD *method, struct sink *sink)
{
	BIO *bio;

	if (method == NULL || BIO_meth_set_write(method, sink_write) != 1 ||
	    BIO_meth_set_ctrl(method, sink_control) != 1)
		return NULL;
	bio = BIO_new(method);
	if (bio == NULL)
		return NULL;
	BIO_set_data(bio, sink);
	BIO_set_init(bio, 1);
	return bio;
}

/* ECDH: OpenSSL's default derives with SHA-1; Outlook and others know SHA-256 as well. */
static int use_sha256_derivation(CMS_RecipientInfo *info)
{
	EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx(info);

	return context != NULL && EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) > 0;
}

static X509 *parse(const struct envelope_certificate *certificate)
{
	const unsigned char *at = certificate->der;

	return certificate->size > LONG_MAX ? NULL :
	    d2i_X509(NULL, &at, (long)certificate->size);
}

struct envelope_cache *envelope_cache_new(void)
{
	struct envelope_cache *cache = calloc(1, sizeof(*cache));

	if (cache != NULL && pthread_mutex_init(&cache->lock, NULL) != 0) {
		free(cache);
		return NULL;
	}
	return cache;
}

void envelope_cache_free(struct envelope_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < CACHE_PLACES; i++)
		X509_free(cache->places[i].x509);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* The certificate at its place, or NULL; the caller frees its reference. */
static X509 *cache_get(struct envelope_cache *cache, const unsigned char *digest)
{
	struct cache_place *place = &cache->places[digest[0]];
	X509 *found = NULL;

	(void)pthread_mutex_lock(&cache->lock);
	if (place->x509 != NULL && secret_compare(place->digest, digest, SHA256_DIGEST_LENGTH) &&
	    X509_up_ref(place->x509) == 1)
		found = place->x509;
	(void)pthread_mutex_unlock(&cache->lock);
	return found;
}

static void cache_put(struct envelope_cache *cache, const unsigned char *digest, X509 *x509)
{
	struct cache_place *place = &cache->places[digest[0]];
	X509 *old;

	if (X509_up_ref(x509) != 1)
		return;
	(void)pthread_mutex_lock(&cache->lock);
	old = place->x509;
	place->x509 = x509;
	memcpy(place->digest, digest, SHA256_DIGEST_LENGTH);
	(void)pthread_mutex_unlock(&cache->lock);
	X509_free(old);
}

/* NULL if it cannot be read. The caller frees its reference. */
static X509 *find_certificate(struct envelope_cache *cache,
    const struct envelope_certificate *certificate)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	X509 *x509;

	if (cache == NULL)
		return parse(certificate);
	(void)SHA256(certificate->der, certificate->size, digest);
	x509 = cache_get(cache, digest);
	if (x509 != NULL)
		return x509;
	x509 = parse(certificate);
	if (x509 != NULL)
		cache_put(cache, digest, x509);
	return x509;
}

static enum fail_code add_recipient(CMS_ContentInfo *cms, X509 *x509, struct fail *f)
{
	CMS_RecipientInfo *info = NULL;
	enum fail_code code = SG_OK;

	if (x509 == NULL) {
		ERR_clear_error();
		return fail_set(f, SG_EFORMAT, "add the certificate anew",
		    "a recipient's certificate cannot be read");
	}
	info = CMS_add1_recipient_cert(cms, x509, CMS_KEY_PARAM);
	if (info == NULL) {
		ERR_clear_error();
		code = fail_set(f, SG_EFORMAT, "RSA and EC keys can be used",
		    "a recipient's certificate has a key that cannot be used");
	} else if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_AGREE &&
	    !use_sha256_derivation(info)) {
		code = crypto_failed(f, "cannot set the key derivation");
	}
	return code;
}

static int write_step(BIO *to, const void *data, size_t size)
{
	const unsigned char *at = data;

	while (size > 0) {
		size_t step = size < WRITE_STEP ? size : WRITE_STEP;

		if (BIO_write(to, at, (int)step) != (int)step)
			return 0;
		at += step;
		size -= step;
	}
	return 1;
}

/* Drives the content through OpenSSL's chain of BIOs into the sink. */
static enum fail_code stream_content(CMS_ContentInfo *cms, const struct envelope_entity *entity,
    BIO *out, struct fail *f)
{
	BIO *chain = BIO_new_CMS(out, cms);
	enum fail_code code = SG_OK;

	if (chain == NULL)
		return crypto_failed(f, "cannot start the envelope");
	if (!write_step(chain, entity->header, entity->header_size) ||
	    !write_step(chain, entity->body, entity->body_size) || BIO_flush(chain) != 1)
		code = crypto_failed(f, "cannot write the envelope");
	while (chain != NULL && chain != out) {
		BIO *next = BIO_pop(chain);

		(void)BIO_free(chain);
		chain = next;
	}
	return code;
}

static enum fail_code seal_into(CMS_ContentInfo *cms, const struct envelope_entity *entity,
    struct sink *sink, struct fail *f)
{
	BIO_METHOD *method = BIO_meth_new(SINK_TYPE, "sealgate spool");
	BIO *out = sink_bio(method, sink);
	enum fail_code code;

	code = out == NULL ? crypto_failed(f, "no memory for the envelope") :
	    stream_content(cms, entity, out, f);
	if (code == SG_OK || sink->code != SG_OK)
		code = sink_finish(sink, f);
	(void)BIO_free(out);
	BIO_meth_free(method);
	return code;
}

enum fail_code envelope_seal(struct envelope_cache *cache,
    const struct envelope_certificate *certificates, size_t count,
    const struct envelope_entity *entity, struct spool *out, struct fail *f)
{
	const unsigned int flags = CMS_BINARY | CMS_STREAM | CMS_PARTIAL;
	struct sink *sink = calloc(1, sizeof(*sink));
	CMS_ContentInfo *cms = NULL;
	enum fail_code code = SG_OK;

	SG_BUG_IF(count == 0 || count > ENVELOPE_CERTIFICATES_MAX);
	ERR_clear_error();
	if (sink == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for an envelope");
	sink->out = out;
	cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), flags);
	if (cms == NULL)
		code = crypto_failed(f, "cannot start the envelope");
	for (size_t i = 0; i < count && code == SG_OK; i++) {
		X509 *x509 = find_certificate(cache, &certificates[i]);

		code = add_recipient(cms, x509, f);
		X509_free(x509);
	}
	if (code == SG_OK)
		code = seal_into(cms, entity, sink, f);
	CMS_ContentInfo_free(cms);
	free(sink);
	return code;
}

void envelope_fingerprint(const struct envelope_certificate *certificate, char out[65])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	(void)SHA256(certificate->der, certificate->size, digest);
	str_hex(digest, sizeof(digest), out);
}
