#include "gateway/tls/hop.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

#define NAME_INPUT_MAX ((size_t)1024)	/* bytes; a domain in UTF-8 is shorter */

static void copy_text(char *out, size_t room, const char *text, size_t size)
{
	if (size >= room)
		size = room - 1;
	memcpy(out, text, size);
	out[size] = '\0';
	str_lower(out);
}

/* A number or a name of a service that SMTP is spoken on; 0: neither. */
static uint16_t parse_port(const char *text)
{
	uint64_t number;

	if (str_parse_u64(text, 1, UINT16_MAX, &number) == SG_OK)
		return (uint16_t)number;
	if (str_equal_case(text, "smtp"))
		return HOP_PORT;
	if (str_equal_case(text, "submission"))
		return 587;
	if (str_equal_case(text, "submissions") || str_equal_case(text, "smtps"))
		return 465;
	return 0;
}

static bool is_plain(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		char c = text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
		    c != '.')
			return false;
	}
	return size > 0 && size <= ADDRESS_DOMAIN_MAX && text[0] != '.' && text[size - 1] != '.' &&
	    memmem(text, size, "..", 2) == NULL;
}

/* An address, or nothing that a resolver knows: kept as it is. */
static bool is_address(const char *name)
{
	unsigned char address[16];

	if (str_starts_case(name, "ipv6:"))
		return true;
	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static void take_name(struct hop *hop, const char *text, size_t size)
{
	char *domain = NULL;

	copy_text(hop->name, sizeof hop->name, text, size);
	if (is_address(hop->name)) {
		hop->literal = true;
	} else if (!is_plain(text, size)) {
		if (address_domain(text, size, &domain, NULL) == SG_OK)
			copy_text(hop->name, sizeof hop->name, domain, strlen(domain));
		else
			hop->literal = true;
		free(domain);
	}
}

static void make_key(struct hop *hop)
{
	const char *open = hop->direct || hop->literal ? "[" : "";
	const char *close = hop->direct || hop->literal ? "]" : "";

	if (hop->port == HOP_PORT)
		(void)snprintf(hop->key, sizeof hop->key, "%s%s%s", open, hop->name, close);
	else
		(void)snprintf(hop->key, sizeof hop->key, "%s%s%s:%u", open, hop->name, close,
		    (unsigned int)hop->port);
}

/* text behind the brackets or the name: nothing, or ":PORT". */
static bool take_port(struct hop *hop, const char *text)
{
	if (text[0] == '\0')
		return true;
	if (text[0] != ':')
		return false;
	hop->port = parse_port(text + 1);
	return hop->port != 0;
}

static bool take_brackets(struct hop *hop, const char *text)
{
	const char *end = strchr(text, ']');

	if (end == NULL || end == text + 1 || !take_port(hop, end + 1))
		return false;
	hop->direct = true;
	take_name(hop, text + 1, (size_t)(end - text - 1));
	return true;
}

static bool take_domain(struct hop *hop, const char *text)
{
	size_t size = strcspn(text, ":");

	if (size == 0 || strchr(text + size, ']') != NULL)
		return false;
	/* an IPv6 address without brackets has several */
	if (text[size] == ':' && strchr(text + size + 1, ':') != NULL)
		return false;
	if (!take_port(hop, text + size))
		return false;
	take_name(hop, text, size);
	return true;
}

static bool take(struct hop *hop, const char *text)
{
	if (strlen(text) > NAME_INPUT_MAX || str_starts_case(text, "unix:"))
		return false;
	if (str_starts_case(text, "inet:"))
		text += 5;
	if (text[0] == '.') {
		hop->parent = true;
		copy_text(hop->name, sizeof hop->name, text, strlen(text));
		return true;
	}
	return text[0] == '[' ? take_brackets(hop, text) : take_domain(hop, text);
}

void hop_parse(const char *text, struct hop *hop_out)
{
	struct hop *hop = hop_out;

	hop->port = HOP_PORT;
	hop->direct = false;
	hop->literal = false;
	hop->parent = false;
	copy_text(hop->text, sizeof hop->text, text, strlen(text));
	if (!take(hop, text)) {
		hop->literal = true;
		hop->port = HOP_PORT;
		copy_text(hop->name, sizeof hop->name, text, strlen(text));
	}
	make_key(hop);
}
