#include "pdfenc/language.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define WORD_MAX 12	/* bytes; the words below are shorter */

/* The most frequent ones that are not also frequent in a neighbour; a space around each. */
static const struct {
	const char *tag;
	const char *words;
} languages[LANGUAGE_COUNT] = {
	{ "en", " the and of to is you your for with this are have our please be " },
	{ "de", " der und die das ist nicht wir sie ich mit von für zu ein eine auf " },
	{ "fr", " le les des est et vous nous pour dans une votre avec sur pas du je au " },
	{ "es", " el los las y para usted una su con por del que está gracias muy más " },
	{ "it", " il gli che di per una è non sono con della del grazie anche questo ci " },
	{ "nl", " het een van en voor niet wij zijn met op naar uw dat aan ook graag " },
	{ "pt", " o os não para uma você com da do em obrigado mais são seu por às " },
	{ "pl", " nie jest się na z do w dla proszę oraz że jak o to od już " },
	{ "sv", " och att det är som för inte på med ett vi av till jag har din " },
};

static void count_word(struct language_votes *votes, const char *word, size_t size)
{
	char spaced[WORD_MAX + 3];

	(void)g_snprintf(spaced, sizeof(spaced), " %.*s ", (int)size, word);
	for (unsigned int i = 0; i < LANGUAGE_COUNT; i++)
		if (strstr(languages[i].words, spaced) != NULL)
			votes->of[i]++;
}

void language_count(struct language_votes *votes, const char *text, size_t size)
{
	const char *end = text + size;
	char word[WORD_MAX + 1];
	size_t length = 0;	/* above WORD_MAX: none of ours */

	for (const char *p = text; p <= end; p = p < end ? g_utf8_next_char(p) : p + 1) {
		gunichar c = p < end ? g_utf8_get_char(p) : ' ';
		char lower[6];
		size_t bytes;

		if (g_unichar_isalpha(c)) {
			bytes = (size_t)g_unichar_to_utf8(g_unichar_tolower(c), lower);
			if (length + bytes <= WORD_MAX)
				memcpy(word + length, lower, bytes);
			length += bytes;
			continue;
		}
		if (length > 0 && length <= WORD_MAX)
			count_word(votes, word, length);
		length = 0;
	}
}

const char *language_best(const struct language_votes *votes)
{
	unsigned int best = 0;
	bool alone = true;

	for (unsigned int i = 1; i < LANGUAGE_COUNT; i++) {
		if (votes->of[i] == votes->of[best])
			alone = false;
		if (votes->of[i] > votes->of[best]) {
			best = i;
			alone = true;
		}
	}
	return alone && votes->of[best] >= 2 ? languages[best].tag : NULL;
}
