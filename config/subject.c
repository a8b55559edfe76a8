#include "config/subject.h"

#include <stdlib.h>
#include <string.h>

#include "config/encoded.h"
#include "config/keys.h"
#include "gateway/base/str.h"

#define SEPARATORS " \t\r\n,;+/|&"	/* between words in one bracket */
#define RESULT_SLACK 16			/* bytes that printing may add to what was there */
#define ARGUMENTS_MAX 8u		/* in one Subject; more than one of a kind are refused */

/* Units of the argument of one "pass:" or "sms:". */
struct argument {
	bool sms;
	size_t from;
	size_t to;
};

/* The decoded Subject while it is looked at: units in [at, end) are still to be judged. */
struct walk {
	const struct conf *conf;
	struct subject_words *words;
	struct encoded encoded;
	char *bytes;		/* the decoded bytes, NUL behind them; inner NULs made spaces */
	size_t at;
	size_t end;
	bool after_reply;	/* an argument no longer counts */
	bool found;
	bool keep;		/* tags stay: arguments alone are looked for */
	struct argument *arguments;	/* room for ARGUMENTS_MAX; NULL: not wanted */
	size_t argument_count;
};

/* ---- words ---- */

static bool list_has(const struct str_list *list, const char *word, size_t size)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (strlen(list->items[i]) == size &&
		    str_equal_case_n(list->items[i], word, size))
			return true;
	}
	return false;
}

bool
subject_word(const struct conf *conf, const char *word, size_t size, struct subject_words *words)
{
	unsigned int ways = 0;

	if (list_has(&conf->tags.envelope, word, size))
		ways |= WAY_ENVELOPE;
	if (list_has(&conf->tags.pdf, word, size))
		ways |= WAY_PDF;
	if (list_has(&conf->tags.tls, word, size))
		ways |= WAY_TLS;
	if (ways == 0 && !list_has(&conf->tags.secure, word, size))
		return false;
	words->flagged = true;
	words->ways |= ways;
	return true;
}

bool subject_argument(const char *word, size_t size, size_t *size_out)
{
	static const char *const names[] = { "pass", "password", "sms" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t length = strlen(names[i]);

		if (size > length && str_equal_case_n(word, names[i], length) &&
		    (word[length] == ':' || word[length] == '=')) {
			*size_out = length;
			return true;
		}
	}
	return false;
}

bool subject_is_sms(const char *name, size_t size)
{
	return size == 3 && str_equal_case_n(name, "sms", size);
}

/* A password by SMS opens a PDF, and nothing else. */
bool subject_ask(struct subject_words *words, const char *name, size_t size, bool late)
{
	bool sms = subject_is_sms(name, size);

	words->flagged = true;
	words->ways |= sms ? (unsigned int)WAY_PDF : 0;
	words->sms = words->sms || sms;
	words->pass = words->pass || !sms;
	words->sms_late = words->sms_late || (sms && late);
	words->pass_late = words->pass_late || (!sms && late);
	return true;
}

static void set_unknown(struct subject_words *words, const char *word, size_t size)
{
	if (words->unknown[0] != '\0' || size > SUBJECT_WORD_MAX)
		return;
	memcpy(words->unknown, word, size);
	words->unknown[size] = '\0';
}

/* What stands behind "pass:" up to the end of the bracket; the texts are in walk->bytes. */
static void note_argument(struct walk *walk, bool sms, const char *from, const char *to)
{
	if (walk->arguments == NULL)
		return;
	if (walk->argument_count < ARGUMENTS_MAX)
		walk->arguments[walk->argument_count] = (struct argument){ sms,
			(size_t)(from - walk->bytes), (size_t)(to - walk->bytes) };
	walk->argument_count++;
}

/* A slip of the pen for one of the configured words: "pfd". */
static bool is_slip(const struct conf *conf, const char *word, size_t size)
{
	const struct str_list *const lists[] = { &conf->tags.secure, &conf->tags.envelope,
		&conf->tags.pdf, &conf->tags.tls };
	char copy[SUBJECT_WORD_MAX + 1];
	size_t i;

	if (size > SUBJECT_WORD_MAX)
		return false;
	memcpy(copy, word, size);
	copy[size] = '\0';
	for (i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		if (keys_nearest_of(copy, (const char *const *)lists[i]->items,
		    lists[i]->count) != NULL)
			return true;
	}
	return false;
}

/* Bytes up to the next separator; at most size. */
static size_t word_size(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && strchr(SEPARATORS, text[i]) == NULL; i++)
		continue;
	return i;
}

/*
 * Whether text, from behind [ to before ], is a tag: known words only, or words of which one has
 * an argument (all behind it belongs to the argument). One slip beside a known word makes a tag
 * with an unknown word, since who writes [secure pfd] does not mean "in clear"; [secure boot] is
 * none. What the words ask for is added to the walk only if it is a tag.
 */
static bool take_tag(struct walk *walk, const char *text, size_t size)
{
	struct subject_words words = *walk->words;
	const char *slip = NULL;
	const char *argument = NULL;
	size_t argument_name = 0;
	size_t slip_size = 0;
	size_t known = 0;
	size_t at = 0;

	for (at = 0; at < size;) {
		size_t length = word_size(text + at, size - at);

		if (length > 0 && subject_argument(text + at, length, &argument_name)) {
			argument = text + at;
			(void)subject_ask(&words, argument, argument_name, walk->after_reply);
			known++;
			slip = NULL;
			break;
		}
		if (length > 0 && subject_word(walk->conf, text + at, length, &words)) {
			known++;
		} else if (length > 0 && slip == NULL && is_slip(walk->conf, text + at, length)) {
			slip = text + at;
			slip_size = length;
		} else if (length > 0) {
			return false;
		}
		at += length + (at + length < size);
	}
	if (known == 0)
		return false;
	if (slip != NULL)
		set_unknown(&words, slip, slip_size);
	if (argument != NULL)
		note_argument(walk, subject_is_sms(argument, argument_name),
		    argument + argument_name + 1, text + size);
	*walk->words = words;
	return true;
}

/* ---- places ---- */

/* Bytes of white space or of an invisible mark at text: ASCII, Latin-1, UTF-8; 0 if none. */
static size_t space_size(const char *text)
{
	static const char *const marks[] = { "\xc2\xa0", "\xe2\x80\x8b", "\xe2\x80\x8c",
		"\xe2\x80\x8d", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaf", "\xe2\x81\xa0",
		"\xe3\x80\x80", "\xef\xbb\xbf", "\xa0" };
	size_t i;

	if (str_is_space(*text))
		return 1;
	for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		if (strncmp(text, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	}
	return 0;
}

static void skip_space(struct walk *walk)
{
	size_t size;

	while (walk->at < walk->end && (size = space_size(walk->bytes + walk->at)) > 0)
		walk->at += size;
	if (walk->at > walk->end)
		walk->at = walk->end;
}

/* Whether the mark of size bytes at text begins there, and is not the rest of a character. */
static bool is_space_at(const char *text, size_t size, bool is_first)
{
	if (space_size(text) != size)
		return false;
	return *text != '\xa0' || is_first || ((unsigned char)text[-1] & 0x80) == 0;
}

static void skip_space_back(struct walk *walk)
{
	size_t size;

	do {
		for (size = 3; size > 0; size--) {
			size_t from = walk->end - size;

			if (walk->end - walk->at >= size &&
			    is_space_at(walk->bytes + from, size, from == 0))
				break;
		}
		walk->end -= size;
	} while (size > 0);
}

/*
 * Takes off the units from the bracket that opens to the one that closes, and ASCII white space on
 * the side away from the rest. (A no-break space stays: in another charset the same bytes are
 * half a letter.)
 */
static void remove_tag(struct walk *walk, size_t from, size_t to, bool at_start)
{
	while (at_start && to < walk->end && str_is_space(walk->bytes[to]))
		to++;
	while (!at_start && from > walk->at && str_is_space(walk->bytes[from - 1]))
		from--;
	while (!at_start && str_is_space(walk->bytes[to]))
		to++;
	for (; from < to && !walk->keep; from++)
		walk->encoded.units[from].removed = true;
	walk->found = true;
}

/* A tag at walk->at: taken off, with the white space behind it. */
static bool take_start_tag(struct walk *walk)
{
	const char *text = walk->bytes + walk->at;
	size_t size;
	const char *close;

	if (walk->at >= walk->end || *text != '[')
		return false;
	close = memchr(text, ']', walk->end - walk->at);
	if (close == NULL)
		return false;
	size = (size_t)(close - text) + 1;
	if (size > SUBJECT_BRACKET_MAX || !take_tag(walk, text + 1, size - 2))
		return false;
	remove_tag(walk, walk->at, walk->at + size, true);
	walk->at += size;
	return true;
}

/*
 * What mail programs put before the subject of a reply or forward: English, German, Dutch,
 * Scandinavian, French, Spanish, Portuguese, Italian, Polish, Czech, Hungarian, Turkish, Greek,
 * Russian, Chinese.
 */
static const char *const prefixes[] = { "re", "fwd", "fw", "aw", "antw", "antwort", "wg", "sv",
	"vs", "vb", "vl", "vá", "VÁ", "tr", "rv", "rép", "RÉP", "réf", "RÉF", "ref", "enc",
	"res",
	"r", "i", "rif", "odp", "pd", "betr", "doorst", "ynt", "ilt", "bls", "trs", "απ", "ΑΠ",
	"σχετ", "ΣΧΕΤ", "πρθ", "ΠΡΘ", "отв", "Отв", "HA", "automatic reply",
	"automatische antwort", "回复", "答复", "回覆", "转发", "轉寄" };

/* "[2]", "(2)", "^2" as some programs count replies; bytes. */
static size_t counter_size(const char *text)
{
	size_t digits;
	char close = *text == '[' ? ']' : *text == '(' ? ')' : '\0';

	if (*text != '[' && *text != '(' && *text != '^')
		return 0;
	digits = strspn(text + 1, "0123456789");
	if (digits == 0 || (close != '\0' && text[1 + digits] != close))
		return 0;
	return 1 + digits + (close != '\0');
}

/* "Re:", "RE[2]:", "Fwd :", with a full-width colon as well. */
static bool take_prefix(struct walk *walk)
{
	size_t i;

	for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		const char *at = walk->bytes + walk->at;

		if (!str_starts_case(at, prefixes[i]))
			continue;
		at += strlen(prefixes[i]);
		at += counter_size(at);
		while (space_size(at) > 0)
			at += space_size(at);
		if (*at == ':')
			at++;
		else if (strncmp(at, "：", strlen("：")) == 0)
			at += strlen("：");
		else
			continue;
		if (at > walk->bytes + walk->end)
			return false;
		walk->at = (size_t)(at - walk->bytes);
		walk->after_reply = true;
		return true;
	}
	return false;
}

static void take_start(struct walk *walk)
{
	do {
		skip_space(walk);
	} while (walk->at < walk->end && (take_start_tag(walk) || take_prefix(walk)));
}

/*
 * A tag that ends at walk->end: taken off with the white space before it. Brackets further left
 * are tried as well, for an argument may have a bracket in it.
 */
static bool take_end_tag(struct walk *walk)
{
	size_t open;

	if (walk->end <= walk->at || walk->bytes[walk->end - 1] != ']')
		return false;
	for (open = walk->end - 1; open-- > walk->at;) {
		const char *text = walk->bytes + open;
		size_t size = walk->end - open;

		if (size > SUBJECT_BRACKET_MAX)
			return false;
		if (*text == '[' && take_tag(walk, text + 1, size - 2)) {
			remove_tag(walk, open, walk->end, false);
			walk->end = open;
			return true;
		}
	}
	return false;
}

static void take_end(struct walk *walk)
{
	do {
		skip_space_back(walk);
	} while (take_end_tag(walk));
}

/* ---- the whole ---- */

static enum fail_code copy_bytes(struct walk *walk)
{
	size_t i;

	walk->end = walk->encoded.unit_count;
	walk->bytes = calloc(walk->end + 1, 1);
	if (walk->bytes == NULL)
		return SG_ENOMEM;
	for (i = 0; i < walk->end; i++) {
		unsigned char byte = walk->encoded.units[i].byte;

		walk->bytes[i] = byte == '\0' ? ' ' : (char)byte;
	}
	walk->bytes[walk->end] = '\0';
	return SG_OK;
}

static enum fail_code print_rest(const struct walk *walk, size_t size, char **rest_out)
{
	struct buf rest;
	enum fail_code code;

	buf_init(&rest, 2 * size + RESULT_SLACK);
	code = encoded_print(&walk->encoded, &rest);
	if (code == SG_OK) {
		*rest_out = str_dup_n(rest.data == NULL ? "" : (const char *)rest.data,
		    str_trim_end((const char *)rest.data, rest.size));
		if (*rest_out == NULL)
			code = SG_ENOMEM;
	}
	buf_free(&rest);
	return code;
}

enum fail_code
subject_match(const struct conf *conf, const char *value, struct subject_words *words,
    char **rest_out, struct fail *f)
{
	struct walk walk = { .conf = conf, .words = words };
	size_t size = strlen(value);
	enum fail_code code;

	*rest_out = NULL;
	if (size > SUBJECT_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "the subject is too long");
	code = encoded_parse(value, &walk.encoded);
	if (code == SG_OK)
		code = copy_bytes(&walk);
	if (code == SG_OK) {
		take_start(&walk);
		take_end(&walk);
	}
	if (code == SG_OK && walk.found)
		code = print_rest(&walk, size, rest_out);
	free(walk.bytes);
	encoded_free(&walk.encoded);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for the subject");
	return SG_OK;
}

/* ---- arguments ---- */

/* What is too long for a number is cut, and then too long for phone_parse all the same. */
static void set_number(const char *text, size_t size, char out[RULES_NUMBER_MAX])
{
	size_t at = 0;
	size_t i;

	for (i = 0; i < size && at < RULES_NUMBER_MAX - 1; i++) {
		if (text[i] != '\r' && text[i] != '\n')
			out[at++] = text[i];
	}
	/* a number that fits has no more signs than this many, so the rest is not missed */
	if (i < size)
		out[at - 1] = '?';
	out[at] = '\0';
}

static enum fail_code set_password(const char *text, size_t size, struct secret *password)
{
	size_t at = 0;
	size_t i;

	if (secret_set(password, text, size) != SG_OK)
		return SG_ENOMEM;
	for (i = 0; i < size; i++) {
		if (text[i] != '\r' && text[i] != '\n')
			password->data[at++] = (unsigned char)text[i];
	}
	password->size = at;
	return SG_OK;
}

enum fail_code
subject_keep(struct rules_arguments *arguments, bool sms, const char *text, size_t size)
{
	while (size > 0 && str_is_space(*text)) {
		text++;
		size--;
	}
	size = str_trim_end(text, size);
	if (sms) {
		arguments->numbers++;
		set_number(text, size, arguments->number);
		return SG_OK;
	}
	arguments->passwords++;
	return set_password(text, size, &arguments->password);
}

static enum fail_code take_arguments(struct walk *walk, struct rules_arguments *arguments)
{
	enum fail_code code = SG_OK;
	size_t at;
	size_t i;

	for (i = 0; code == SG_OK && i < walk->argument_count && i < ARGUMENTS_MAX; i++) {
		const struct argument *argument = &walk->arguments[i];

		code = subject_keep(arguments, argument->sms, walk->bytes + argument->from,
		    argument->to - argument->from);
		for (at = argument->from; at < argument->to; at++)
			walk->encoded.units[at].removed = true;
	}
	/* those that are not looked at are too many in any case */
	if (i < walk->argument_count)
		arguments->passwords += (unsigned int)(walk->argument_count - i);
	return code;
}

/* What was decoded has the password in it. */
static void wipe(struct walk *walk)
{
	if (walk->bytes != NULL)
		secret_wipe(walk->bytes, walk->encoded.unit_count);
	if (walk->encoded.units != NULL)
		secret_wipe(walk->encoded.units,
		    walk->encoded.unit_count * sizeof *walk->encoded.units);
}

enum fail_code
subject_take_arguments(const struct conf *conf, const char *value,
    struct rules_arguments *arguments, char **clean_out, struct fail *f)
{
	struct argument places[ARGUMENTS_MAX];
	struct subject_words words = { 0 };
	struct walk walk = { .conf = conf, .words = &words, .keep = true, .arguments = places };
	size_t size = strlen(value);
	enum fail_code code;

	*clean_out = NULL;
	if (size > SUBJECT_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "the subject is too long");
	code = encoded_parse(value, &walk.encoded);
	if (code == SG_OK)
		code = copy_bytes(&walk);
	if (code == SG_OK) {
		take_start(&walk);
		take_end(&walk);
	}
	if (code == SG_OK && walk.argument_count > 0)
		code = take_arguments(&walk, arguments);
	if (code == SG_OK && walk.argument_count > 0)
		code = print_rest(&walk, size, clean_out);
	wipe(&walk);
	free(walk.bytes);
	encoded_free(&walk.encoded);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for the subject");
	return SG_OK;
}
