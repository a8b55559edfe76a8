#include "config/address.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

#define ADDRESS_TEXT_MAX 128	/* bytes of an IP address as written, with "IPv6:" and "/bits" */

static enum fail_code not_a_domain(struct fail *f)
{
	return fail_set(f, SG_EFORMAT, "write a domain such as example.com", "this is no domain");
}

/* Letters, digits, hyphen and (seen in real names) underscore, in labels of 1 to 63. */
static bool is_plain_domain(const char *text)
{
	size_t label = 0;
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		char c = text[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
		if (++label > ADDRESS_LABEL_MAX)
			return false;
	}
	return label > 0 && i <= ADDRESS_DOMAIN_MAX;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]": kept, since mail to it exists; no one's domain. */
static bool is_literal(const char *text)
{
	size_t size = strlen(text);

	return size > 2 && text[0] == '[' && text[size - 1] == ']' &&
	    strspn(text + 1, "0123456789abcdefipv.:") == size - 2;
}

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

/* Replaces *domain, which is UTF-8, by its A-labels. */
static enum fail_code to_a_labels(char **domain, struct fail *f)
{
	char *ascii = NULL;
	enum fail_code code = SG_OK;

	if (idn2_to_ascii_8z(*domain, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return not_a_domain(f);
	free(*domain);
	*domain = str_dup(ascii);
	if (*domain == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a domain");
	idn2_free(ascii);
	return code;
}

enum fail_code address_domain(const char *text, size_t size, char **domain_out, struct fail *f)
{
	char *domain;
	enum fail_code code = SG_OK;

	*domain_out = NULL;
	if (size > 0 && text[size - 1] == '.')
		size--;
	if (size == 0 || size > 4 * ADDRESS_DOMAIN_MAX || memchr(text, '\0', size) != NULL)
		return not_a_domain(f);
	domain = str_dup_n(text, size);
	if (domain == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a domain");
	if (!is_ascii(domain))
		code = to_a_labels(&domain, f);
	if (code == SG_OK) {
		str_lower(domain);
		/* the mapping may have made "@" or "/" of a look-alike: looked at only now */
		if (!is_plain_domain(domain) && !is_literal(domain))
			code = not_a_domain(f);
	}
	if (code != SG_OK) {
		free(domain);
		return code;
	}
	*domain_out = domain;
	return SG_OK;
}

/* An address in 16 bytes, IPv4 as ::ffff:a.b.c.d, so that both kinds compare alike. */
struct ip {
	unsigned char bytes[16];
	bool is_v4;
};

static bool parse_ip(const char *text, struct ip *ip_out)
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (str_starts_case(text, "IPv6:"))
		text += 5;
	if (inet_pton(AF_INET, text, ip_out->bytes + 12) == 1)
		memcpy(ip_out->bytes, mapped, sizeof mapped);
	else if (inet_pton(AF_INET6, text, ip_out->bytes) != 1)
		return false;
	ip_out->is_v4 = memcmp(ip_out->bytes, mapped, sizeof mapped) == 0;
	return true;
}

static bool bit_of(const struct ip *ip, unsigned int bit)
{
	return (ip->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

/* The address and the number of leading bits (of 128) of "address" or "address/bits". */
static bool parse_network(const char *text, struct ip *ip_out, unsigned int *bits_out)
{
	char copy[ADDRESS_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);
	uint64_t bits = 128;
	bool dotted;

	if (size >= sizeof copy)
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (!parse_ip(copy, ip_out))
		return false;
	dotted = strchr(copy, ':') == NULL;
	if (slash != NULL && str_parse_u64(slash + 1, 0, dotted ? 32 : 128, &bits) != SG_OK)
		return false;
	if (slash != NULL && dotted)
		bits += 96;
	*bits_out = (unsigned int)bits;
	return true;
}

bool address_in_network(const char *address, const char *network)
{
	struct ip ip;
	struct ip net;
	unsigned int bits;
	unsigned int i;

	if (!parse_ip(address, &ip) || !parse_network(network, &net, &bits))
		return false;
	/* "::/0" means all of IPv6, not IPv4 as well */
	if (ip.is_v4 != net.is_v4)
		return false;
	for (i = 0; i < bits; i++) {
		if (bit_of(&ip, i) != bit_of(&net, i))
			return false;
	}
	return true;
}

enum fail_code address_check_network(const char *network, struct fail *f)
{
	struct ip net;
	unsigned int bits;
	unsigned int i;

	if (!parse_network(network, &net, &bits)) {
		return fail_set(f, SG_EFORMAT,
		    "an address, or a network such as 192.0.2.0/24 or 2001:db8::/32",
		    "\"%s\" is no network", network);
	}
	for (i = bits; i < 128; i++) {
		if (bit_of(&net, i)) {
			return fail_set(f, SG_EFORMAT,
			    "the first address of the network before the slash",
			    "\"%s\" has address bits behind its prefix", network);
		}
	}
	return SG_OK;
}

bool address_like(const char *text, const char *pattern)
{
	const char *star = NULL;	/* the last star met */
	const char *retry = NULL;	/* where text stood then */

	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (str_lower_char(*pattern) == str_lower_char(*text)) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
