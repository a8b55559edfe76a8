#include "gateway/tls/connect.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/tls/connect_smtp.h"

struct trial {
	const struct connect_target *target;
	struct connect_result *result;
	SSL_CTX *context;
	SSL *ssl;
	int socket;
	int64_t end_ms;
};

const char *connect_attribute(const char *policy, const char *name, size_t *size_out)
{
	size_t size = strlen(name);
	const char *at = policy;

	while ((at = strchr(at, ' ')) != NULL) {
		at++;
		if (strncmp(at, name, size) != 0 || at[size] != '=')
			continue;
		at += size + 1;
		*size_out = strcspn(at, " ");
		return at;
	}
	return NULL;
}

static bool level_is(const struct connect_target *target, const char *level)
{
	size_t size = strcspn(target->policy, " ");

	return size == strlen(level) && strncmp(target->policy, level, size) == 0;
}

static bool level_is_dane(const struct connect_target *target)
{
	return level_is(target, "dane-only") || level_is(target, "dane");
}

static void say(struct connect_result *result, enum connect_check check, const char *format, ...)
    SG_PRINTF(3, 4);
static void say(struct connect_result *result, enum connect_check check, const char *format, ...)
{
	va_list arguments;

	result->check = check;
	va_start(arguments, format);
	(void)vsnprintf(result->how, sizeof(result->how), format, arguments);
	va_end(arguments);
}

/* --- what the peer showed --- */

static void tell_name(const X509_NAME *name, char *text, size_t room)
{
	BIO *memory = BIO_new(BIO_s_mem());
	int n = 0;

	if (memory != NULL && X509_NAME_print_ex(memory, name, 0,
	    XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_read(memory, text, (int)room - 1);
	text[n > 0 ? n : 0] = '\0';
	str_cut_utf8(text, room);
	BIO_free(memory);
}

static void tell_names(X509 *certificate, struct str_list *names)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(all) && names->count < CONNECT_NAMES_MAX; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
		char *text;

		if (name->type != GEN_DNS)
			continue;
		text = str_dup_n((const char *)ASN1_STRING_get0_data(name->d.dNSName),
		    (size_t)ASN1_STRING_length(name->d.dNSName));
		if (text == NULL || str_list_add(names, text) != SG_OK)
			i = INT32_MAX - 1;
		free(text);
	}
	GENERAL_NAMES_free(all);
}

static void tell_certificate(X509 *certificate, struct connect_result *result)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	struct tm date;

	tell_name(X509_get_subject_name(certificate), result->subject, sizeof(result->subject));
	tell_name(X509_get_issuer_name(certificate), result->issuer, sizeof(result->issuer));
	tell_names(certificate, &result->names);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &date) == 1)
		(void)strftime(result->not_after, sizeof(result->not_after), "%Y-%m-%dT%H:%M:%SZ",
		    &date);
	if (X509_digest(certificate, EVP_sha256(), digest, &size) == 1 && size == 32)
		str_hex(digest, size, result->fingerprint);
}

/* --- checks --- */

static void check_dane(struct trial *trial, long verified)
{
	struct connect_result *result = trial->result;
	uint8_t usage = 0;
	uint8_t selector = 0;
	uint8_t matching = 0;
	int depth;

	if (trial->target->tlsa_count == 0) {
		say(result, CONNECT_FAILED, "DANE: there is no usable TLSA record");
		return;
	}
	depth = SSL_get0_dane_authority(trial->ssl, NULL, NULL);
	if (verified != X509_V_OK || depth < 0) {
		say(result, CONNECT_FAILED, "DANE: no TLSA record matches: %s",
		    X509_verify_cert_error_string(verified));
		return;
	}
	(void)SSL_get0_dane_tlsa(trial->ssl, &usage, &selector, &matching, NULL, NULL);
	say(result, CONNECT_PASSED, "DANE: TLSA %u %u %u matches at depth %d", usage, selector,
	    matching, depth);
}

/* One of Postfix's match patterns: a name, ".parent", "nexthop", "dot-nexthop", "hostname". */
static bool name_matches(const struct connect_target *target, X509 *certificate, const char *word)
{
	char parent[CONNECT_TEXT_MAX];

	if (strcmp(word, "nexthop") == 0)
		word = target->nexthop;
	else if (strcmp(word, "hostname") == 0)
		word = target->host;
	else if (strcmp(word, "dot-nexthop") == 0) {
		(void)snprintf(parent, sizeof(parent), ".%s", target->nexthop);
		word = parent;
	}
	return X509_check_host(certificate, word, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
	    NULL) == 1;
}

/* The word at *at up to a separator, into word; false at the end. */
static bool next_word(const char **at, const char *end, const char *separators, char *word,
    size_t room)
{
	size_t size;

	while (*at < end && strchr(separators, **at) != NULL)
		(*at)++;
	size = strcspn(*at, separators);
	if (size > (size_t)(end - *at))
		size = (size_t)(end - *at);
	if (size == 0 || size >= room)
		return false;
	memcpy(word, *at, size);
	word[size] = '\0';
	*at += size;
	return true;
}

static void check_names(struct trial *trial, X509 *certificate, long verified)
{
	const char *usual = level_is(trial->target, "verify") ? "hostname" : "nexthop:dot-nexthop";
	size_t size = strlen(usual);
	const char *match = connect_attribute(trial->target->policy, "match", &size);
	const char *at = match != NULL ? match : usual;
	const char *end = at + size;
	char word[CONNECT_TEXT_MAX];

	if (verified != X509_V_OK) {
		say(trial->result, CONNECT_FAILED, "certificate: %s",
		    X509_verify_cert_error_string(verified));
		return;
	}
	while (next_word(&at, end, ":", word, sizeof(word))) {
		if (!name_matches(trial->target, certificate, word))
			continue;
		say(trial->result, CONNECT_PASSED, "certificate is valid for %.180s", word);
		return;
	}
	say(trial->result, CONNECT_FAILED, "certificate is valid, but has none of the names %.*s",
	    size < 180 ? (int)size : 180, match != NULL ? match : usual);
}

/* Hexadecimal with or without colons, any case. */
static bool hex_equal(const char *given, const char *hex)
{
	for (; *given != '\0'; given++) {
		if (*given == ':')
			continue;
		if (str_lower_char(*given) != *hex)
			return false;
		hex++;
	}
	return *hex == '\0';
}

static void check_fingerprint(struct trial *trial, X509 *certificate)
{
	size_t size = 0;
	const char *at = connect_attribute(trial->target->policy, "match", &size);
	const char *end = at == NULL ? NULL : at + size;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_size = 0;
	char key[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned char *spki = NULL;
	char word[CONNECT_TEXT_MAX];
	int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);

	if (spki_size > 0 && EVP_Digest(spki, (size_t)spki_size, digest, &digest_size,
	    EVP_sha256(), NULL) == 1)
		str_hex(digest, digest_size, key);
	OPENSSL_free(spki);
	while (at != NULL && next_word(&at, end, "|", word, sizeof(word))) {
		if (!hex_equal(word, trial->result->fingerprint) && !hex_equal(word, key))
			continue;
		say(trial->result, CONNECT_PASSED, "fingerprint matches");
		return;
	}
	say(trial->result, CONNECT_FAILED, "fingerprint is none of those in the rule");
}

static void check_peer(struct trial *trial, X509 *certificate)
{
	const struct connect_target *target = trial->target;
	long verified = SSL_get_verify_result(trial->ssl);
	bool dane = level_is_dane(target) && target->tlsa_count > 0;

	trial->result->trusted = !dane && verified == X509_V_OK;
	if (level_is_dane(target))
		check_dane(trial, verified);
	else if (level_is(target, "secure") || level_is(target, "verify"))
		check_names(trial, certificate, verified);
	else if (level_is(target, "fingerprint"))
		check_fingerprint(trial, certificate);
	else
		say(trial->result, CONNECT_NOT_DEMANDED, "no proof is demanded; certificate: %s",
		    verified == X509_V_OK ? "issued by a known authority" :
		    X509_verify_cert_error_string(verified));
}

/* --- handshake --- */

static bool add_tlsa(struct trial *trial)
{
	const struct connect_target *target = trial->target;
	size_t i;

	if (SSL_CTX_dane_enable(trial->context) != 1 ||
	    SSL_dane_enable(trial->ssl, target->host) != 1)
		return false;
	/* RFC 7672, 3.1.1: names do not count with DANE-EE; with DANE-TA the hop's counts, too */
	(void)SSL_dane_set_flags(trial->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	(void)SSL_add1_host(trial->ssl, target->nexthop);
	SSL_set_hostflags(trial->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (i = 0; i < target->tlsa_count; i++)
		(void)SSL_dane_tlsa_add(trial->ssl, target->tlsa[i].usage, target->tlsa[i].selector,
		    target->tlsa[i].matching, target->tlsa[i].data, target->tlsa[i].size);
	return true;
}

static bool prepare(struct trial *trial)
{
	const struct connect_target *target = trial->target;

	trial->context = SSL_CTX_new(TLS_client_method());
	if (trial->context == NULL)
		return false;
	/* what the shipped transports demand: TLS 1.2 and up */
	(void)SSL_CTX_set_min_proto_version(trial->context, TLS1_2_VERSION);
	if (target->ca_file != NULL && target->ca_file[0] != '\0')
		(void)SSL_CTX_load_verify_locations(trial->context, target->ca_file, NULL);
	SSL_CTX_set_verify(trial->context, SSL_VERIFY_NONE, NULL);
	trial->ssl = SSL_new(trial->context);
	if (trial->ssl == NULL || SSL_set_fd(trial->ssl, trial->socket) != 1)
		return false;
	(void)SSL_set_tlsext_host_name(trial->ssl, target->host);
	return !level_is_dane(target) || target->tlsa_count == 0 || add_tlsa(trial);
}

static bool handshake(struct trial *trial)
{
	unsigned long reason;
	short events = 0;
	int n;

	for (;;) {
		ERR_clear_error();
		n = SSL_connect(trial->ssl);
		if (n == 1)
			return true;
		n = SSL_get_error(trial->ssl, n);
		events = n == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		if (n != SSL_ERROR_WANT_READ && n != SSL_ERROR_WANT_WRITE)
			break;
		if (!connect_wait(trial->socket, events, trial->end_ms)) {
			say(trial->result, CONNECT_FAILED, "TLS: no answer in time");
			return false;
		}
	}
	reason = ERR_peek_error();
	say(trial->result, CONNECT_FAILED, "TLS: %s",
	    ERR_reason_error_string(reason) != NULL ? ERR_reason_error_string(reason) :
	    "the peer closed the connection");
	return false;
}

static void look_at_peer(struct trial *trial)
{
	static const char quit[] = "QUIT\r\n";
	struct connect_result *result = trial->result;
	X509 *certificate = SSL_get1_peer_certificate(trial->ssl);

	result->secured = true;
	(void)snprintf(result->version, sizeof(result->version), "%s", SSL_get_version(trial->ssl));
	(void)snprintf(result->cipher, sizeof(result->cipher), "%s", SSL_get_cipher(trial->ssl));
	if (certificate == NULL) {
		say(result, CONNECT_FAILED, "TLS: the peer shows no certificate");
	} else {
		tell_certificate(certificate, result);
		check_peer(trial, certificate);
	}
	X509_free(certificate);
	(void)SSL_write(trial->ssl, quit, sizeof(quit) - 1);
	(void)SSL_shutdown(trial->ssl);
}

void connect_try(const struct connect_target *target, struct connect_result *result_out)
{
	struct trial trial = {.target = target, .result = result_out};

	memset(result_out, 0, sizeof(*result_out));
	trial.end_ms = clock_mono_ms(clock_system()) + target->timeout_ms;
	trial.socket = connect_smtp(target, trial.end_ms, result_out);
	if (trial.socket >= 0) {
		if (!prepare(&trial))
			say(result_out, CONNECT_FAILED, "TLS: OpenSSL does not start");
		else if (handshake(&trial))
			look_at_peer(&trial);
	} else if (result_out->connected && !result_out->starttls &&
	    (target->policy[0] == '\0' || level_is(target, "may") || level_is(target, "none"))) {
		result_out->check = CONNECT_NOT_DEMANDED;
	} else {
		result_out->check = CONNECT_FAILED;
	}
	SSL_free(trial.ssl);
	SSL_CTX_free(trial.context);
	fd_close(&trial.socket);
}

void connect_result_free(struct connect_result *result)
{
	str_list_free(&result->names);
}
