#include "milter/mark.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

void mark_digest(const void *body, size_t size, unsigned char digest_out[VAULT_DIGEST_SIZE])
{
	(void)SHA256(body, size, digest_out);
}

/* Folding: line ends go, runs of white space become one space. */
static void unfold(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (!str_is_space(*from))
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

enum fail_code mark_find(const struct message *message, const char *name, char **value_out,
    struct fail *f)
{
	const char *value = message_header(message, name);

	*value_out = NULL;
	if (value == NULL)
		return fail_set(f, SG_ENOTFOUND, NULL, "the message has no %s", name);
	if (message_count(message, name) > 1)
		return fail_set(f, SG_EDENIED, NULL, "the message has several %s", name);
	*value_out = str_dup(value);
	if (*value_out == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	unfold(*value_out);
	return SG_OK;
}

enum fail_code mark_list(const struct message *message, const char *name,
    struct str_list *values, struct fail *f)
{
	for (size_t i = 0; i < message->header_count; i++) {
		enum fail_code code;
		char *value;

		if (!str_equal_case(message->headers[i].name, name))
			continue;
		if (values->count >= MARKS_MAX)
			return fail_set(f, SG_ELIMIT, "Send the message without them",
			    "The message has more than %d marks of a gateway", MARKS_MAX);
		value = str_dup(message->headers[i].value);
		if (value != NULL)
			unfold(value);
		code = value == NULL ? SG_ENOMEM : str_list_add(values, value);
		free(value);
		if (code != SG_OK)
			return fail_set(f, SG_ENOMEM, NULL, "no memory");
	}
	return SG_OK;
}
