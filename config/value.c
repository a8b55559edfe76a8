#include "config/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/address.h"
#include "config/conf.h"
#include "gateway/base/str.h"

#define NAME_SIZE_MAX 64	/* bytes of a user, group, tag word, field name */
#define HOST_SIZE_MAX 255	/* bytes of a host's name; a fingerprint with colons has 95 */
#define SOCKET_PATH_MAX 107	/* bytes: struct sockaddr_un, without the NUL */
#define EXPECTED_MAX ((size_t)1024)

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory for the configuration");
}

/* ---- what is expected ---- */

static enum fail_code expected_choice(const struct key *key, struct buf *out)
{
	size_t i;
	enum fail_code code = SG_OK;

	for (i = 0; code == SG_OK && key->choices[i] != NULL; i++) {
		const char *between = i == 0 ? "" : key->choices[i + 1] == NULL ? " or " : ", ";

		code = buf_printf(out, "%s%s", between, key->choices[i]);
	}
	return code;
}

/* "a size from 64K to 100M", the ends written as the file would have them. */
static enum fail_code expected_range(const struct key *key, const char *what, struct buf *out)
{
	struct key end = *key;
	uint64_t min = key->min;
	uint64_t max = key->max;
	enum fail_code code;

	end.offset = 0;
	code = buf_printf(out, "%s from ", what);
	if (code == SG_OK)
		code = value_print(&end, &min, out);
	if (code == SG_OK)
		code = buf_append_str(out, " to ");
	if (code == SG_OK)
		code = value_print(&end, &max, out);
	return code;
}

enum fail_code value_expected(const struct key *key, struct buf *out)
{
	switch (key->type) {
	case KEY_TEXT:
		return buf_printf(out, "a text in UTF-8 of %" PRIu64 " to %" PRIu64 " bytes in one "
		    "line", key->min, key->max);
	case KEY_NAME:
		return buf_append_str(out, "a name, or UID:GID in numbers");
	case KEY_PATH:
		return buf_append_str(out, "a path that begins with /");
	case KEY_SOCKET:
		return buf_append_str(out, "local:/PATH or inet:PORT@HOST");
	case KEY_FIELD:
		return buf_append_str(out, "the name of a header field, such as X-Sealgate");
	case KEY_NUMBER:
		return expected_range(key, "a number", out);
	case KEY_OCTAL:
		return expected_range(key, "rights in octal", out);
	case KEY_SIZE:
		return expected_range(key, "a size (bytes, or with K, M, G)", out);
	case KEY_DURATION:
		return expected_range(key, "a duration (with ms, s, m, h, d)", out);
	case KEY_DATE:
		return buf_append_str(out, "a day, such as 2027-01-31");
	case KEY_BOOL:
		return buf_append_str(out, "yes or no");
	case KEY_CHOICE:
		return expected_choice(key, out);
	case KEY_WORDS:
		return buf_append_str(out, "a list of words of letters, digits, - _ and .");
	case KEY_DOMAINS:
		return buf_append_str(out, "a list of domains, such as { example.com }");
	case KEY_LOGINS:
		return buf_append_str(out, "a list of logins, such as { \"*@example.com\" }");
	case KEY_NETWORKS:
		return buf_append_str(out,
		    "a list of networks, such as { 192.0.2.0/24, 2001:db8::/32 }");
	case KEY_NAMES:
		return buf_append_str(out,
		    "a list of names of letters, digits, . : @ * - and _");
	case KEY_WAYS:
		return buf_append_str(out, "envelope, pdf and tls, in order of preference");
	}
	return SG_OK;
}

/* The failure of a value: what was found, and what the key expects. */
static enum fail_code refuse(const struct key *key, const char *text, struct fail *f)
{
	struct buf expected;
	const char *hint;

	buf_init(&expected, EXPECTED_MAX);
	hint = value_expected(key, &expected) == SG_OK ? buf_str(&expected) : NULL;
	(void)fail_set(f, SG_EUSAGE, hint, "%s = \"%s\"", key->name, text);
	buf_free(&expected);
	return SG_EUSAGE;
}

/* ---- one value ---- */

static bool is_one_of(char c, const char *more)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr(more, c) != NULL);
}

static bool is_spelled(const char *text, const char *more, size_t max)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (!is_one_of(text[i], more))
			return false;
	}
	return i > 0 && i <= max;
}

static bool is_word(const char *text, const char *more)
{
	return is_spelled(text, more, NAME_SIZE_MAX);
}

/* UTF-8 without control characters. */
static bool is_text(const char *text, size_t min, size_t max)
{
	size_t size = strlen(text);
	size_t at = 0;

	while (at < size) {
		size_t step = str_utf8_char(text + at, size - at);

		if (step == 0 || (unsigned char)text[at] < 0x20 || text[at] == 0x7f)
			return false;
		at += step;
	}
	return size >= min && size <= max;
}

static bool is_path(const char *text, size_t max)
{
	const char *at;

	if (text[0] != '/' || !is_text(text, 1, max))
		return false;
	for (at = strstr(text, "/.."); at != NULL; at = strstr(at + 1, "/..")) {
		if (at[3] == '\0' || at[3] == '/')
			return false;
	}
	return true;
}

static bool is_name(const char *text)
{
	const char *colon = strchr(text, ':');

	if (colon != NULL) {
		size_t digits = strspn(text, "0123456789");
		size_t rest = strspn(colon + 1, "0123456789");

		return digits > 0 && text + digits == colon && rest > 0 &&
		    colon[1 + rest] == '\0' && strlen(text) <= NAME_SIZE_MAX;
	}
	return is_word(text, "._-") && text[0] != '-';
}

static bool is_socket(const char *text)
{
	char port[8];
	const char *at;
	uint64_t number;
	size_t size;

	if (strncmp(text, "local:", 6) == 0)
		return is_path(text + 6, SOCKET_PATH_MAX);
	if (strncmp(text, "inet:", 5) != 0 && strncmp(text, "inet6:", 6) != 0)
		return false;
	text = strchr(text, ':') + 1;
	at = strchr(text, '@');
	size = at == NULL ? sizeof port : (size_t)(at - text);
	if (size >= sizeof port || !is_word(at + 1, ".:-"))
		return false;
	memcpy(port, text, size);
	port[size] = '\0';
	return str_parse_u64(port, 1, 65535, &number) == SG_OK;
}

/* A field that already means something in every message, or one that is ours, cannot flag. */
static bool is_field(const char *text)
{
	static const char *const taken[] = { "Subject", "Sensitivity", "From", "To", "Cc", "Bcc",
		"Date", "Message-ID", "Received", "Content-Type", "MIME-Version" };
	size_t i;

	for (i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		if (str_equal_case(text, taken[i]))
			return false;
	}
	return is_word(text, "-_") && !str_starts_case(text, "X-Sealgate-");
}

static bool is_good_text(const struct key *key, const char *text)
{
	if (text[0] == '\0')
		return key->may_be_empty;
	switch (key->type) {
	case KEY_TEXT:
		return is_text(text, (size_t)key->min, (size_t)key->max);
	case KEY_NAME:
		return is_name(text);
	case KEY_PATH:
		return is_path(text, VALUE_TEXT_MAX - 1);
	case KEY_SOCKET:
		return is_socket(text);
	case KEY_FIELD:
		return is_field(text);
	default:
		return false;
	}
}

static enum fail_code
parse_text(const struct key *key, const char *text, char **slot, struct fail *f)
{
	if (!is_good_text(key, text))
		return refuse(key, text, f);
	return str_set(slot, text) == SG_OK ? SG_OK : no_memory(f);
}

static bool parse_octal(const char *text, uint64_t *value_out)
{
	size_t i;

	*value_out = 0;
	for (i = 0; text[i] >= '0' && text[i] <= '7' && i < 6; i++)
		*value_out = *value_out * 8 + (uint64_t)(text[i] - '0');
	return i > 0 && text[i] == '\0';
}

/* "2027-01-31": the first moment after that day in UTC. "" is no date. */
static bool parse_date(const char *text, uint64_t *value_out)
{
	struct tm day = { .tm_mday = 0 };
	struct tm found;
	time_t seconds;
	char *end;

	*value_out = 0;
	if (text[0] == '\0')
		return true;
	end = strptime(text, "%Y-%m-%d", &day);
	if (end == NULL || *end != '\0' || strlen(text) != strlen("2027-01-31"))
		return false;
	found = day;
	seconds = timegm(&found);
	/* timegm makes March of the 31st of February */
	if (seconds < 0 || found.tm_mday != day.tm_mday)
		return false;
	*value_out = ((uint64_t)seconds + 86400) * 1000;
	return true;
}

static bool parse_bool(const char *text, uint64_t *value_out)
{
	static const char *const yes[] = { "yes", "true", "on" };
	static const char *const no[] = { "no", "false", "off" };
	size_t i;

	for (i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		*value_out = str_equal_case(text, yes[i]);
		if (*value_out != 0 || str_equal_case(text, no[i]))
			return true;
	}
	return false;
}

static bool parse_choice(const struct key *key, const char *text, uint64_t *value_out)
{
	for (*value_out = 0; key->choices[*value_out] != NULL; (*value_out)++) {
		if (str_equal_case(text, key->choices[*value_out]))
			return true;
	}
	return false;
}

/* All that is kept as a number. */
static bool parse_number(const struct key *key, const char *text, uint64_t *value_out)
{
	int64_t duration = 0;

	switch (key->type) {
	case KEY_NUMBER:
		return str_parse_u64(text, key->min, key->max, value_out) == SG_OK;
	case KEY_OCTAL:
		if (!parse_octal(text, value_out))
			return false;
		break;
	case KEY_SIZE:
		if (str_parse_size(text, value_out) != SG_OK)
			return false;
		break;
	case KEY_DURATION:
		if (str_parse_duration(text, &duration) != SG_OK || duration < 0)
			return false;
		*value_out = (uint64_t)duration;
		break;
	case KEY_DATE:
		return parse_date(text, value_out);
	case KEY_BOOL:
		return parse_bool(text, value_out);
	case KEY_CHOICE:
		return parse_choice(key, text, value_out);
	default:
		return false;
	}
	return *value_out >= key->min && *value_out <= key->max;
}

/* ---- lists ---- */

/* It says more than refuse would. */
static enum fail_code check_network(const struct key *key, const char *text, struct fail *f)
{
	struct fail why;

	fail_clear(&why);
	if (address_check_network(text, &why) == SG_OK)
		return SG_OK;
	return fail_set(f, SG_EUSAGE, why.hint, "%s: %s", key->name, why.what);
}

/* One member in its normal spelling; the caller frees. */
static enum fail_code
parse_member(const struct key *key, const char *text, char **member_out, struct fail *f)
{
	enum fail_code code;

	if (key->type == KEY_DOMAINS) {
		code = address_domain(text, strlen(text), member_out, f);
		if (code == SG_EFORMAT || (code == SG_OK && (*member_out)[0] == '['))
			return refuse(key, text, f);
		return code;
	}
	if (key->type == KEY_NETWORKS && check_network(key, text, f) != SG_OK)
		return SG_EUSAGE;
	if (key->type == KEY_LOGINS && !is_text(text, 1, VALUE_TEXT_MAX - 1))
		return refuse(key, text, f);
	if (key->type == KEY_WORDS && !is_word(text, "._-"))
		return refuse(key, text, f);
	if (key->type == KEY_NAMES && !is_spelled(text, "._-:@*", HOST_SIZE_MAX))
		return refuse(key, text, f);
	*member_out = str_dup(text);
	if (*member_out == NULL)
		return no_memory(f);
	if (key->type == KEY_WORDS)
		str_lower(*member_out);
	return SG_OK;
}

static enum fail_code
add_member(const struct key *key, const char *text, struct str_list *list, struct fail *f)
{
	char *member = NULL;
	enum fail_code code;

	code = parse_member(key, text, &member, f);
	if (code == SG_OK && str_list_has_case(list, member)) {
		code = fail_set(f, SG_EUSAGE, "each value once", "%s has \"%s\" twice", key->name,
		    text);
	}
	if (code == SG_OK && str_list_add(list, member) != SG_OK)
		code = no_memory(f);
	free(member);
	return code;
}

static enum fail_code
parse_list(const struct key *key, const char *const *texts, size_t count, struct str_list *slot,
    struct fail *f)
{
	struct str_list list = { 0 };
	size_t i;
	enum fail_code code = SG_OK;

	for (i = 0; code == SG_OK && i < count; i++)
		code = add_member(key, texts[i], &list, f);
	if (code != SG_OK) {
		str_list_free(&list);
		return code == SG_EFORMAT ? SG_EUSAGE : code;
	}
	str_list_free(slot);
	*slot = list;
	return SG_OK;
}

static unsigned int way_named(const char *text)
{
	for (unsigned int way = 1; way < 1u << WAY_COUNT; way <<= 1) {
		if (str_equal_case(text, conf_way_name(way)))
			return way;
	}
	return 0;
}

static enum fail_code
parse_ways(const struct key *key, const char *const *texts, size_t count, unsigned char *slot,
    struct fail *f)
{
	unsigned char ways[WAY_COUNT] = { 0 };
	unsigned int seen = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		unsigned int way;

		way = way_named(texts[i]);
		if (way == 0 || (seen & way) != 0 || i >= WAY_COUNT)
			return refuse(key, texts[i], f);
		seen |= way;
		ways[i] = (unsigned char)way;
	}
	memcpy(slot, ways, sizeof ways);
	return SG_OK;
}

/* ---- all kinds ---- */

static enum fail_code
parse_lists(const struct key *key, const char *const *texts, size_t count, unsigned char *slot,
    struct fail *f)
{
	if (count == 0 && !key->may_be_empty)
		return refuse(key, "", f);
	if (count > VALUE_LIST_MAX) {
		return fail_set(f, SG_EUSAGE, "fewer members", "%s has more than %zu members",
		    key->name, VALUE_LIST_MAX);
	}
	if (key->type == KEY_WAYS)
		return parse_ways(key, texts, count, slot, f);
	return parse_list(key, texts, count, (struct str_list *)(void *)slot, f);
}

enum fail_code
value_parse(const struct key *key, const char *const *texts, size_t count, void *base,
    struct fail *f)
{
	unsigned char *slot = (unsigned char *)base + key->offset;
	uint64_t number = 0;

	if (key_is_list(key))
		return parse_lists(key, texts, count, slot, f);
	if (count != 1)
		return refuse(key, "", f);
	if (key->type <= KEY_FIELD)
		return parse_text(key, texts[0], (char **)(void *)slot, f);
	if (!parse_number(key, texts[0], &number))
		return refuse(key, texts[0], f);
	value_set_number(key, base, number);
	return SG_OK;
}

enum fail_code value_preset(const struct key *key, void *base, struct fail *f)
{
	const char *const empty = "";
	struct str_list texts = { 0 };
	const char *at;
	enum fail_code code = SG_OK;

	if (key->preset == NULL)
		return SG_OK;
	if (!key_is_list(key))
		return value_parse(key, key->preset[0] == '\0' ? &empty : &key->preset, 1, base, f);
	for (at = key->preset; code == SG_OK && *at != '\0'; at += strspn(at, ", ")) {
		size_t size = strcspn(at, ",");
		char *word = str_dup_n(at, size);

		code = word == NULL ? no_memory(f) : str_list_add(&texts, word);
		free(word);
		at += size;
	}
	if (code == SG_OK) {
		code = value_parse(key, (const char *const *)texts.items, texts.count, base, f);
	}
	str_list_free(&texts);
	return code;
}
