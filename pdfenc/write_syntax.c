#include "pdfenc/write_file.h"

#include <math.h>

static const char hex[] = "0123456789ABCDEF";

void put_count(GString *out, unsigned int value)
{
	char digits[12];
	unsigned int at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	g_string_append_len(out, digits + at, (gssize)(sizeof(digits) - at));
}

/* Of value * 10^decimals. */
static void put_scaled(GString *out, long value, unsigned int decimals)
{
	char digits[24];
	unsigned int at = sizeof(digits);
	unsigned long left = (unsigned long)(value < 0 ? -value : value);
	bool seen = false;

	if (value < 0)
		g_string_append_c(out, '-');
	for (unsigned int i = 0; i < decimals; i++) {
		seen = seen || left % 10 != 0;
		if (seen)
			digits[--at] = (char)('0' + left % 10);
		left /= 10;
	}
	if (seen)
		digits[--at] = '.';
	for (; left > 0 || (!seen && at == sizeof(digits)); left /= 10)
		digits[--at] = (char)('0' + left % 10);
	g_string_append_len(out, digits + at, (gssize)(sizeof(digits) - at));
}

static double within(double value)
{
	if (!isfinite(value))
		return 0;
	return value > WRITE_NUMBER_MAX ? WRITE_NUMBER_MAX :
	    value < -WRITE_NUMBER_MAX ? -WRITE_NUMBER_MAX : value;
}

void put_number(GString *out, double value)
{
	put_scaled(out, lround(within(value) * 100), 2);
}

void put_fine(GString *out, double value)
{
	put_scaled(out, lround(within(value) * 100000), 5);
}

void put_numbers(GString *out, const double *values, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		put_number(out, values[i]);
		g_string_append_c(out, ' ');
	}
}

void put_reference(GString *out, unsigned int number)
{
	g_string_append_c(out, ' ');
	put_count(out, number);
	g_string_append(out, " 0 R");
}

void put_name(GString *out, const char *name)
{
	g_string_append_c(out, '/');
	for (; *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;

		if (g_ascii_isalnum(*name) || c == '-' || c == '+' || c == '_') {
			g_string_append_c(out, *name);
		} else {
			g_string_append_c(out, '#');
			g_string_append_c(out, hex[c >> 4]);
			g_string_append_c(out, hex[c & 15]);
		}
	}
}

static void put_byte(GString *out, unsigned char c)
{
	switch (c) {
	case '(':
	case ')':
	case '\\':
		g_string_append_c(out, '\\');
		g_string_append_c(out, (char)c);
		break;
	case '\0':	/* would end what takes it for a C string, as write_stream does */
		g_string_append(out, "\\000");
		break;
	case '\r':	/* would be read as a line's end */
		g_string_append(out, "\\r");
		break;
	default:
		g_string_append_c(out, (char)c);
	}
}

void put_bytes(GString *out, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	g_string_append_c(out, '(');
	for (size_t i = 0; i < size; i++)
		put_byte(out, bytes[i]);
	g_string_append_c(out, ')');
}

/* The next character as one or two units; text is taken as valid up to its end. */
static unsigned int next_units(const char **at, const char *end, unsigned int units[2])
{
	gunichar c = g_utf8_get_char_validated(*at, end - *at);

	if (c >= 0x110000 || (c >= 0xd800 && c < 0xe000)) {
		units[0] = 0xfffd;
		(*at)++;
		return 1;
	}
	*at = g_utf8_next_char(*at);
	if (c < 0x10000) {
		units[0] = c;
		return 1;
	}
	units[0] = 0xd800 + ((c - 0x10000) >> 10);
	units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
	return 2;
}

static bool is_ascii(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
			return false;
	return true;
}

void put_text_bytes(GString *out, const char *text, size_t size)
{
	const char *end = text + size;
	unsigned int units[2];

	if (is_ascii(text, size)) {
		g_string_append_len(out, text, (gssize)size);
		return;
	}
	g_string_append(out, "\376\377");
	while (text < end) {
		unsigned int count = next_units(&text, end, units);

		for (unsigned int i = 0; i < count; i++) {
			g_string_append_c(out, (char)(units[i] >> 8 & 0xff));
			g_string_append_c(out, (char)(units[i] & 0xff));
		}
	}
}

void put_text(GString *out, const char *text, size_t size)
{
	GString *bytes = g_string_sized_new(size + 1);

	put_text_bytes(bytes, text, size);
	put_bytes(out, bytes->str, bytes->len);
	g_string_free(bytes, TRUE);
}

void put_utf16_hex(GString *out, const char *text, size_t size)
{
	const char *end = text + size;
	unsigned int units[2];

	while (text < end) {
		unsigned int count = next_units(&text, end, units);

		for (unsigned int i = 0; i < count; i++)
			for (int shift = 12; shift >= 0; shift -= 4)
				g_string_append_c(out, hex[units[i] >> shift & 15]);
	}
}
