/* The part of keys.h that looks for keys in the table. */
#include "config/keys.h"

#include <string.h>

#include "gateway/base/str.h"

#define NEAREST_WORD_MAX 64	/* bytes; no key is longer */

enum key_part key_part(const struct key *key)
{
	if (strncmp(key->name, KEYS_TENANT, strlen(KEYS_TENANT)) == 0)
		return KEY_OF_TENANT;
	if (strncmp(key->name, KEYS_HOP, strlen(KEYS_HOP)) == 0)
		return KEY_OF_HOP;
	return KEY_OF_CONF;
}

const char *key_part_section(enum key_part part)
{
	static const char *const sections[KEY_PARTS] = { NULL, "hop", "tenant" };

	return sections[part];
}

enum key_part key_part_of_section(const char *section)
{
	if (strcmp(section, key_part_section(KEY_OF_HOP)) == 0)
		return KEY_OF_HOP;
	if (strcmp(section, key_part_section(KEY_OF_TENANT)) == 0)
		return KEY_OF_TENANT;
	return KEY_OF_CONF;
}

bool key_is_list(const struct key *key)
{
	return key->type >= KEY_WORDS;
}

const struct key *keys_find(const char *name)
{
	size_t count;
	const struct key *table = keys_all(&count);
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

const char *key_leaf(const struct key *key)
{
	const char *dot = strchr(key->name, '.');

	return dot == NULL ? key->name : dot + 1;
}

bool key_section(const struct key *key, char *section, size_t size)
{
	size_t length = (size_t)(key_leaf(key) - key->name);

	if (length > 0)
		length--;	/* the dot */
	if (length + 1 > size)
		return false;
	memcpy(section, key->name, length);
	section[length] = '\0';
	return true;
}

/* Edits (Levenshtein) that turn a into b, ASCII case ignored; both below NEAREST_WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NEAREST_WORD_MAX + 1];
	size_t b_size = strlen(b);
	size_t i;
	size_t j;

	for (j = 0; j <= b_size; j++)
		row[j] = j;
	for (i = 1; a[i - 1] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (j = 1; j <= b_size; j++) {
			size_t change = corner +
			    (str_lower_char(a[i - 1]) != str_lower_char(b[j - 1]));
			size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			corner = row[j];
			row[j] = change < step ? change : step;
		}
	}
	return row[b_size];
}

/* Whether candidate is nearer to word than *best; a third of the letters may differ. */
static bool nearer(const char *word, const char *candidate, size_t *best)
{
	size_t edits;

	if (strlen(word) > NEAREST_WORD_MAX || strlen(candidate) > NEAREST_WORD_MAX)
		return false;
	edits = distance(word, candidate);
	if (edits >= *best || edits > 1 + strlen(candidate) / 3)
		return false;
	*best = edits;
	return true;
}

const char *keys_nearest_of(const char *word, const char *const *words, size_t count)
{
	const char *found = NULL;
	size_t best = SIZE_MAX;
	size_t i;

	for (i = 0; i < count; i++) {
		if (nearer(word, words[i], &best))
			found = words[i];
	}
	return found;
}

/*
 * A key in the wrong section ("threads" at the top, "pdf.threads") is found by its last part: it
 * counts as one edit more than a misspelling.
 */
const char *keys_nearest(const char *name)
{
	size_t count;
	const struct key *table = keys_all(&count);
	const char *dot = strrchr(name, '.');
	const char *leaf = dot == NULL ? name : dot + 1;
	const char *found = NULL;
	size_t best = SIZE_MAX;
	size_t i;

	for (i = 0; i < count; i++) {
		if (nearer(name, table[i].name, &best))
			found = table[i].name;
	}
	for (i = 0; found == NULL && i < count; i++) {
		if (nearer(leaf, key_leaf(&table[i]), &best))
			found = table[i].name;
	}
	return found;
}
