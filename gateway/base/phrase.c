#include "gateway/base/phrase.h"

#define CHARACTERS 16
#define GROUP 4

_Static_assert(PHRASE_SIZE == CHARACTERS + CHARACTERS / GROUP - 1, "a dash between the groups");

/*
 * No two of these look alike in any common font, lower and upper case of one shape included: 41
 * signs, 16 of them are 85 bits.
 */
static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789ADEFHLMNRT";
#define ALPHABET_SIZE (sizeof(alphabet) - 1)

static enum fail_code random_sign(char *sign_out)
{
	/* bytes above the last whole multiple would favour the first signs */
	unsigned char limit = (unsigned char)(256 / ALPHABET_SIZE * ALPHABET_SIZE);
	unsigned char byte;
	enum fail_code code;

	do
		code = secret_random_bytes(&byte, 1);
	while (code == SG_OK && byte >= limit);
	if (code == SG_OK)
		*sign_out = alphabet[byte % ALPHABET_SIZE];
	return code;
}

enum fail_code phrase_make(struct secret *phrase, struct fail *f)
{
	char text[PHRASE_SIZE];
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; code == SG_OK && i < PHRASE_SIZE; i++) {
		if (i % (GROUP + 1) == GROUP)
			text[i] = '-';
		else
			code = random_sign(&text[i]);
	}
	if (code == SG_OK)
		code = secret_set(phrase, text, sizeof(text));
	secret_wipe(text, sizeof(text));
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no random bytes for a password");
	return SG_OK;
}
