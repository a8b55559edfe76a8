#include "pdfenc/write_file.h"

#include <libdeflate.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char hex[] = "0123456789ABCDEF";

/* ---- objects ---- */

static void append(struct write_file *file, const char *text)
{
	g_byte_array_append(file->out, (const guint8 *)text, (guint)strlen(text));
}

void write_file_start(struct write_file *file, GByteArray *out,
    struct libdeflate_compressor *compressor)
{
	file->out = out;
	file->offsets = g_array_sized_new(FALSE, TRUE, sizeof(size_t), 512);
	file->compressor = compressor;
	file->packed = g_byte_array_new();
	append(file, "%PDF-2.0\n%\342\343\317\323\n");
}

unsigned int write_reserve(struct write_file *file)
{
	size_t none = 0;

	g_array_append_val(file->offsets, none);
	return file->offsets->len;
}

static void begin(struct write_file *file, unsigned int number)
{
	char line[32];

	g_array_index(file->offsets, size_t, number - 1) = file->out->len;
	(void)snprintf(line, sizeof(line), "%u 0 obj\n", number);
	append(file, line);
}

void write_object(struct write_file *file, unsigned int number, const GString *body)
{
	begin(file, number);
	g_byte_array_append(file->out, (const guint8 *)body->str, (guint)body->len);
	append(file, "\nendobj\n");
}

void write_deflate(struct libdeflate_compressor *compressor, const void *data, size_t size,
    GByteArray *out)
{
	size_t before = out->len;
	size_t bound = libdeflate_zlib_compress_bound(compressor, size);

	g_byte_array_set_size(out, (guint)(before + bound));
	bound = libdeflate_zlib_compress(compressor, data, size, out->data + before, bound);
	g_byte_array_set_size(out, (guint)(before + bound));
}

void write_stream(struct write_file *file, unsigned int number, const char *entries,
    const void *data, size_t size, bool deflate)
{
	char length[48];

	if (deflate) {
		g_byte_array_set_size(file->packed, 0);
		write_deflate(file->compressor, data, size, file->packed);
		data = file->packed->data;
		size = file->packed->len;
	}
	begin(file, number);
	append(file, "<<");
	append(file, entries);
	(void)snprintf(length, sizeof(length), "%s/Length %zu>>stream\n",
	    deflate ? "/Filter/FlateDecode" : "", size);
	append(file, length);
	g_byte_array_append(file->out, data, (guint)size);
	append(file, "\nendstream\nendobj\n");
}

void write_file_end(struct write_file *file, unsigned int root, unsigned int info)
{
	size_t start = file->out->len;
	char line[128];

	(void)snprintf(line, sizeof(line), "xref\n0 %u\n0000000000 65535 f \n",
	    file->offsets->len + 1);
	append(file, line);
	for (unsigned int i = 0; i < file->offsets->len; i++) {
		size_t at = g_array_index(file->offsets, size_t, i);

		(void)snprintf(line, sizeof(line), "%010zu %05d %c \n", at, at != 0 ? 0 : 65535,
		    at != 0 ? 'n' : 'f');
		append(file, line);
	}
	(void)snprintf(line, sizeof(line), "trailer\n<</Size %u/Root %u 0 R/Info %u 0 R>>\n"
	    "startxref\n%zu\n%%%%EOF\n",
	    file->offsets->len + 1, root, info, start);
	append(file, line);
	g_array_unref(file->offsets);
	g_byte_array_unref(file->packed);
}

/* ---- syntax ---- */

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

void put_text(GString *out, const char *text, size_t size)
{
	const char *end = text + size;
	unsigned int units[2];

	if (is_ascii(text, size)) {
		put_bytes(out, text, size);
		return;
	}
	g_string_append(out, "(\376\377");
	while (text < end) {
		unsigned int count = next_units(&text, end, units);

		for (unsigned int i = 0; i < count; i++) {
			put_byte(out, (unsigned char)(units[i] >> 8));
			put_byte(out, (unsigned char)units[i]);
		}
	}
	g_string_append_c(out, ')');
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
