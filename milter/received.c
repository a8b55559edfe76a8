#include "milter/received.h"

#include <string.h>

#include "gateway/base/str.h"

#define DATE_WORDS 6	/* day of week, day, month, year, time, zone */
#define WORD_MAX 32	/* of a date, with NUL */

/* Behind the comment at text, which starts with "("; comments nest. */
static const char *skip_comment(const char *text)
{
	unsigned int depth = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		else if (*text == '(')
			depth++;
		else if (*text == ')' && --depth == 0)
			return text + 1;
	}
	return text;
}

static const char *skip_space(const char *text)
{
	while (str_is_space(*text) || *text == '(')
		text = *text == '(' ? skip_comment(text) : text + 1;
	return text;
}

/* Behind the quoted string at text, which starts with "\"" (RFC 5322, 3.2.4). */
static const char *skip_quoted(const char *text)
{
	for (text++; *text != '\0' && *text != '"'; text++)
		if (*text == '\\' && text[1] != '\0')
			text++;
	return *text == '\0' ? text : text + 1;
}

/* Behind the address at text, which starts with "<"; its local part may be quoted. */
static const char *skip_address(const char *text)
{
	text++;
	while (*text != '\0' && *text != '>') {
		if (*text == '"')
			text = skip_quoted(text);
		else if (*text == '\\' && text[1] != '\0')
			text += 2;
		else
			text++;
	}
	return *text == '\0' ? text : text + 1;
}

/* The word at *text, which moves behind it; its length, 0 at ";" and at the end. */
static size_t next_word(const char **text, const char **word_out)
{
	const char *at = skip_space(*text);

	*word_out = at;
	while (*at != '\0' && *at != ';' && *at != '(' && !str_is_space(*at)) {
		if (*at == '"')
			at = skip_quoted(at);
		else if (*at == '<')
			at = skip_address(at);
		else
			at++;
	}
	*text = at;
	return (size_t)(at - *word_out);
}

/* Queue ids are letters and digits, short and long ones. */
static void take_id(const char *word, size_t size, struct received *received)
{
	if (size >= RECEIVED_ID_MAX)
		return;
	for (size_t i = 0; i < size; i++)
		if (!((word[i] >= '0' && word[i] <= '9') || (word[i] >= 'A' && word[i] <= 'Z') ||
		    (word[i] >= 'a' && word[i] <= 'z')))
			return;
	memcpy(received->queue_id, word, size);
	received->queue_id[size] = '\0';
}

void received_parse(const char *value, struct received *received_out)
{
	const char *text = value == NULL ? "" : value;
	bool id_follows = false;
	const char *word;
	size_t size;

	memset(received_out, 0, sizeof(*received_out));
	while ((size = next_word(&text, &word)) > 0) {
		if (id_follows)
			take_id(word, size, received_out);
		id_follows = size == 2 && str_equal_case_n(word, "id", 2);
	}
	if (*text != ';' || !received_date(text + 1, &received_out->time_ms))
		received_out->time_ms = 0;
}

/* ---- dates ---- */

struct date {
	uint64_t year;
	uint64_t month;	/* 1 to 12 */
	uint64_t day;
	uint64_t hour;
	uint64_t minute;
	uint64_t second;
	int64_t offset_s;	/* east of UTC */
};

static uint64_t month_of(const char *word)
{
	static const char *const names[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	};

	for (size_t i = 0; i < 12; i++)
		if (str_equal_case(word, names[i]))
			return i + 1;
	return 0;
}

/* Exactly two digits, in [0, max]. */
static bool two_digits(const char *text, uint64_t max, uint64_t *value_out)
{
	char digits[3] = { text[0], text[0] == '\0' ? '\0' : text[1], '\0' };

	return digits[0] != '\0' && digits[1] != '\0' &&
	    str_parse_u64(digits, 0, max, value_out) == SG_OK;
}

/* "10:00" or "10:00:00"; a leap second is second 60. */
static bool take_time(const char *word, struct date *date)
{
	size_t size = strlen(word);

	date->second = 0;
	if ((size != 5 && size != 8) || word[2] != ':' || !two_digits(word, 23, &date->hour) ||
	    !two_digits(word + 3, 59, &date->minute))
		return false;
	return size == 5 || (word[5] == ':' && two_digits(word + 6, 60, &date->second));
}

static bool take_zone(const char *word, struct date *date)
{
	uint64_t hours;
	uint64_t minutes;

	date->offset_s = 0;
	if (str_equal_case(word, "GMT") || str_equal_case(word, "UT"))
		return true;
	if (strlen(word) != 5 || (word[0] != '+' && word[0] != '-') ||
	    !two_digits(word + 1, 23, &hours) || !two_digits(word + 3, 59, &minutes))
		return false;
	date->offset_s = (int64_t)(hours * 3600 + minutes * 60);
	if (word[0] == '-')
		date->offset_s = -date->offset_s;
	return true;
}

static uint64_t days_of_month(uint64_t year, uint64_t month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Days from 1970-01-01 to that date, which is not before it. */
static uint64_t days_since_1970(const struct date *date)
{
	uint64_t days = date->day - 1;

	for (uint64_t month = 1; month < date->month; month++)
		days += days_of_month(date->year, month);
	for (uint64_t year = 1970; year < date->year; year++)
		days += days_of_month(year, 2) + 337;
	return days;
}

/* The words of a date, without the day of the week. */
static bool take_words(char words[DATE_WORDS][WORD_MAX], size_t count, struct date *date)
{
	size_t at = count > 0 && strchr(words[0], ',') != NULL ? 1 : 0;

	if (count < at + 5 || str_parse_u64(words[at], 1, 31, &date->day) != SG_OK)
		return false;
	date->month = month_of(words[at + 1]);
	return date->month != 0 &&
	    str_parse_u64(words[at + 2], 1970, 9999, &date->year) == SG_OK &&
	    date->day <= days_of_month(date->year, date->month) &&
	    take_time(words[at + 3], date) && take_zone(words[at + 4], date);
}

bool received_date(const char *text, int64_t *time_ms_out)
{
	char words[DATE_WORDS][WORD_MAX];
	struct date date;
	size_t count = 0;
	const char *word;
	size_t size;
	uint64_t seconds;

	*time_ms_out = 0;
	while (count < DATE_WORDS && (size = next_word(&text, &word)) > 0) {
		if (size >= WORD_MAX)
			return false;
		memcpy(words[count], word, size);
		words[count++][size] = '\0';
	}
	if (!take_words(words, count, &date))
		return false;
	seconds = days_since_1970(&date) * 86400 + date.hour * 3600 + date.minute * 60 +
	    date.second;
	*time_ms_out = ((int64_t)seconds - date.offset_s) * 1000;
	return true;
}
