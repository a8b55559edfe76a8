#include "config/rules.h"

#include <stdlib.h>
#include <string.h>

#include "config/lookalike.h"
#include "config/subject.h"
#include "gateway/base/str.h"

/* What has been found so far. */
struct match {
	const struct conf *conf;
	struct subject_words words;
	struct rules_flag *flag;
};

/* The first source in the order subject, header, sensitivity is named. */
static void note_source(struct match *match, const char *source)
{
	static const char *const order[] = { "subject", "header", "sensitivity" };
	size_t i;

	for (i = 0; i < sizeof order / sizeof order[0]; i++) {
		if (match->flag->source == order[i])
			return;
		if (strcmp(order[i], source) == 0) {
			match->flag->source = order[i];
			return;
		}
	}
}

/* What only looks like a tag flags as well, by a word that nobody knows. */
static enum fail_code match_lookalike(struct match *match, const char *value, struct fail *f)
{
	bool found;
	enum fail_code code = lookalike_match(match->conf, value, &found, f);

	if (code != SG_OK || !found)
		return code;
	match->words.flagged = true;
	note_source(match, "subject");
	if (match->words.unknown[0] == '\0')
		memcpy(match->words.unknown, LOOKALIKE_WORD, sizeof(LOOKALIKE_WORD));
	return SG_OK;
}

static enum fail_code match_subject(struct match *match, const char *value, struct fail *f)
{
	char *rest = NULL;
	enum fail_code code;

	code = subject_match(match->conf, value, &match->words, &rest, f);
	if (code == SG_OK)
		code = match_lookalike(match, rest != NULL ? rest : value, f);
	if (code != SG_OK || rest == NULL) {
		free(rest);
		return code;
	}
	note_source(match, "subject");
	if (match->flag->subject == NULL)
		match->flag->subject = rest;
	else
		free(rest);
	return SG_OK;
}

/* "pass:" in our header; whose argument was taken out before (rules_take_arguments). */
static bool match_argument(struct match *match, const char *word, size_t size)
{
	size_t name = 0;

	return subject_argument(word, size, &name) &&
	    subject_ask(&match->words, word, name, false);
}

/* Whatever stands there flags; what means nothing is told, up to where an argument begins. */
static void match_word(struct match *match, const char *word, size_t size)
{
	size_t name = strcspn(word, ":=");
	size_t i;

	if (subject_word(match->conf, word, size, &match->words) ||
	    match_argument(match, word, size) || match->words.unknown[0] != '\0')
		return;
	if (name < size)
		size = name;
	if (size == 0 || size > SUBJECT_WORD_MAX)
		size = size == 0 ? 0 : SUBJECT_WORD_MAX;
	for (i = 0; i < size; i++) {
		bool plain = word[i] > ' ' && word[i] < 0x7f;

		match->words.unknown[i] = plain ? word[i] : '?';
	}
	match->words.unknown[size] = '\0';
	if (size == 0)
		memcpy(match->words.unknown, "?", 2);
}

static void match_header(struct match *match, const char *value)
{
	size_t found = 0;

	match->words.flagged = true;
	note_source(match, "header");
	while (*value != '\0') {
		size_t size = strcspn(value, " \t\r\n,;");

		if (size > 0) {
			match_word(match, value, size);
			found++;
		}
		value += size + (value[size] != '\0');
	}
	if (found == 0)
		match_word(match, "", 0);
}

static void match_sensitivity(struct match *match, const char *value)
{
	const struct str_list *list = &match->conf->tags.sensitivity;
	size_t size;
	size_t i;

	while (str_is_space(*value) || *value == '"')
		value++;
	size = strcspn(value, " \t\r\n\"(;");
	for (i = 0; i < list->count; i++) {
		if (strlen(list->items[i]) == size &&
		    str_equal_case_n(list->items[i], value, size)) {
			match->words.flagged = true;
			note_source(match, "sensitivity");
		}
	}
}

static enum fail_code
match_all(struct match *match, const struct rules_header *headers, size_t count, struct fail *f)
{
	size_t i;
	enum fail_code code = SG_OK;

	for (i = 0; code == SG_OK && i < count; i++) {
		if (str_equal_case(headers[i].name, "Subject"))
			code = match_subject(match, headers[i].value, f);
		else if (str_equal_case(headers[i].name, match->conf->tags.header))
			match_header(match, headers[i].value);
		else if (str_equal_case(headers[i].name, "Sensitivity"))
			match_sensitivity(match, headers[i].value);
	}
	return code;
}

enum fail_code
rules_match(const struct conf *conf, const struct rules_header *headers, size_t count,
    struct rules_flag *flag_out, struct fail *f)
{
	struct match match = { .conf = conf, .flag = flag_out };
	enum fail_code code;

	memset(flag_out, 0, sizeof *flag_out);
	code = match_all(&match, headers, count, f);
	if (code == SG_OK && match.words.unknown[0] != '\0') {
		flag_out->unknown = str_dup(match.words.unknown);
		if (flag_out->unknown == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for the rules");
	}
	if (code != SG_OK) {
		rules_flag_free(flag_out);
		return code;
	}
	flag_out->flagged = match.words.flagged;
	flag_out->ways = match.words.ways;
	flag_out->pass = match.words.pass;
	flag_out->pass_late = match.words.pass_late;
	flag_out->sms = match.words.sms;
	flag_out->sms_late = match.words.sms_late;
	return SG_OK;
}

void rules_flag_free(struct rules_flag *flag)
{
	free(flag->subject);
	free(flag->unknown);
	memset(flag, 0, sizeof *flag);
}

void rules_arguments_free(struct rules_arguments *arguments)
{
	secret_free(&arguments->password);
	memset(arguments, 0, sizeof *arguments);
}

/* The first word of our header that has an argument; the size of its name. NULL: there is none. */
static const char *header_argument(const char *value, size_t *name_out)
{
	const char *word = value;

	while (*word != '\0') {
		size_t size = strcspn(word, " \t\r\n,;");

		if (subject_argument(word, size, name_out))
			return word;
		word += size + (word[size] != '\0');
	}
	return NULL;
}

/* All behind the colon is the argument, as in a bracket. */
static enum fail_code take_from_header(const char *value, struct rules_arguments *arguments,
    char **clean_out)
{
	size_t name = 0;
	const char *word = header_argument(value, &name);
	const char *argument;

	if (word == NULL)
		return SG_OK;
	argument = word + name + 1;
	*clean_out = str_dup_n(value, (size_t)(argument - value));
	if (*clean_out == NULL)
		return SG_ENOMEM;
	return subject_keep(arguments, subject_is_sms(word, name), argument, strlen(argument));
}

enum fail_code rules_take_arguments(const struct conf *conf, const struct rules_header *header,
    struct rules_arguments *arguments, char **clean_out, struct fail *f)
{
	*clean_out = NULL;
	if (str_equal_case(header->name, "Subject"))
		return subject_take_arguments(conf, header->value, arguments, clean_out, f);
	if (str_equal_case(header->name, conf->tags.header) &&
	    take_from_header(header->value, arguments, clean_out) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a header field");
	return SG_OK;
}
