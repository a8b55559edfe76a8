#include "gateway/trace/reason.h"

#include <stddef.h>
#include <string.h>

struct reason reason_of(const char *text)
{
	static const struct {
		const char *part;
		struct reason reason;
	} table[] = {
		{"TLS is required, but was not offered by host ", {true, "starttls-not-supported"}},
		{" refused to start TLS: ", {true, "starttls-not-supported"}},
		{"Cannot start TLS: handshake failure", {true, "validation-failure"}},
		{"Server certificate not verified", {true, "certificate-not-trusted"}},
		{"Server certificate not trusted", {true, "certificate-not-trusted"}},
		{"no TLSA records found", {true, "dane-required"}},
		{"non DNSSEC destination", {true, "dane-required"}},
		{"TLSA records unusable", {true, "tlsa-invalid"}},
		/* the lookup failed, which proves nothing about the peer */
		{"TLSA lookup error for ", {false, "dnssec-invalid"}},
	};
	const struct reason none = {false, NULL};
	const char *said = strstr(text, " said: ");
	const char *found;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		found = strstr(text, table[i].part);
		/* a peer may say what it likes: that is no word of Postfix's */
		if (found != NULL && (said == NULL || found < said))
			return table[i].reason;
	}
	return none;
}

const char *reason_of_certificate(const char *text, const char **host_out,
    unsigned int *size_out)
{
	static const char start[] = "certificate verification failed for ";
	static const char *const table[][2] = {
		{"self-signed certificate", "certificate-not-trusted"},
		{"untrusted issuer ", "certificate-not-trusted"},
		{"certificate has expired", "certificate-expired"},
		{"certificate not yet valid", "certificate-expired"},
		{"hostname mismatch", "certificate-host-mismatch"},
	};
	const char *host = strstr(text, start);
	const char *what;
	size_t i;

	/* "server certificate verification failed ..." */
	if (host == NULL || host - text > 7)
		return NULL;
	host += sizeof(start) - 1;
	what = strstr(host, ": ");
	if (what == NULL)
		return NULL;
	*host_out = host;
	*size_out = (unsigned int)(what - host);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strstr(what, table[i][0]) != NULL)
			return table[i][1];
	return "validation-failure";
}

bool reason_is_failure(const char *text)
{
	static const char *const starts[] = {
		"host ", "TLS is required", "Cannot start TLS", "Server certificate not ",
		"lost connection with ", "conversation with ", "connect to ", "TLSA lookup error ",
		"no TLSA records found", "TLSA records unusable", "non DNSSEC destination",
		"SASL authentication failed", "client TLS configuration problem",
		"Temporary lookup error",
	};
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}
