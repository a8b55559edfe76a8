#include "config/phone.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define DIGITS_MIN 8u
#define DIGITS_MAX 15u	/* E.164 */

/* Bytes at text that may stand in a number and mean nothing; 0 if there are none. */
static size_t filler_size(const char *text)
{
	/* no-break spaces (also of Latin-1), no-break hyphen, dashes, marks of direction */
	static const char *const marks[] = { "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x8b",
		"\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x93",
		"\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x81\xa6",
		"\xe2\x81\xa9", "\xef\xbb\xbf", "\xa0" };
	size_t i;

	if (*text != '\0' && strchr(" \t\r\n-.()", *text) != NULL)
		return 1;
	for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		if (strncmp(text, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	}
	return 0;
}

static const char *skip_filler(const char *text)
{
	size_t size;

	while ((size = filler_size(text)) > 0)
		text += size;
	return text;
}

/* The digits behind the +; false at a sign that is none. More than fit are counted. */
static bool take_digits(const char *text, char phone_out[PHONE_MAX], size_t *count_out)
{
	size_t count = 0;

	for (text = skip_filler(text); *text != '\0'; text = skip_filler(text + 1)) {
		if (*text < '0' || *text > '9')
			return false;
		if (count < DIGITS_MAX)
			phone_out[1 + count] = *text;
		count++;
	}
	phone_out[1 + (count < DIGITS_MAX ? count : DIGITS_MAX)] = '\0';
	*count_out = count;
	return true;
}

enum fail_code phone_parse(const char *text, char phone_out[PHONE_MAX], struct fail *f)
{
	const char *at = skip_filler(text);
	size_t count = 0;

	phone_out[0] = '\0';
	if (*at == '\0')
		return fail_set(f, SG_EFORMAT, NULL, "there is none behind sms:");
	if (*at != '+')
		return fail_set(f, SG_EFORMAT, NULL,
		    "it does not begin with + and the code of the country");
	phone_out[0] = '+';
	/* who dials it leaves the zero out; who copies it does not see that */
	if (strstr(at, "(0)") != NULL)
		(void)fail_set(f, SG_EFORMAT, NULL, "it has (0), which is not part of it");
	else if (!take_digits(at + 1, phone_out, &count))
		(void)fail_set(f, SG_EFORMAT, NULL, "it has other signs than digits");
	else if (count > 0 && phone_out[1] == '0')
		(void)fail_set(f, SG_EFORMAT, NULL, "no code of a country begins with 0");
	else if (count < DIGITS_MIN || count > DIGITS_MAX)
		(void)fail_set(f, SG_EFORMAT, NULL, "it has %zu digits, not %u to %u", count,
		    DIGITS_MIN, DIGITS_MAX);
	else
		return SG_OK;
	phone_out[0] = '\0';
	return SG_EFORMAT;
}
