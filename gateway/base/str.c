#include "gateway/base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *str_dup(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

char *str_dup_n(const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy == NULL)
		return NULL;
	if (size > 0)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

enum fail_code str_set(char **slot, const char *text)
{
	char *copy = str_dup(text);

	if (copy == NULL && text != NULL)
		return SG_ENOMEM;
	free(*slot);
	*slot = copy;
	return SG_OK;
}

char *str_printf(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int size;

	va_start(args, format);
	size = vasprintf(&text, format, args);
	va_end(args);
	return size < 0 ? NULL : text;
}

char str_lower_char(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_case_n(const char *a, const char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (str_lower_char(a[i]) != str_lower_char(b[i]))
			return false;
		if (a[i] == '\0')
			return true;
	}
	return true;
}

bool str_equal_case(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return false;
	return str_equal_case_n(a, b, strlen(a) + 1);
}

bool str_starts_case(const char *text, const char *prefix)
{
	return str_equal_case_n(text, prefix, strlen(prefix));
}

void str_lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = str_lower_char(*text);
}

bool str_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t str_trim_end(const char *text, size_t size)
{
	while (size > 0 && str_is_space(text[size - 1]))
		size--;
	return size;
}

/* Digits at text; *end_out is the first byte behind them. */
static enum fail_code parse_digits(const char *text, uint64_t *value_out, const char **end_out)
{
	unsigned long long value;
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return SG_EFORMAT;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0)
		return SG_ELIMIT;
	*value_out = value;
	*end_out = end;
	return SG_OK;
}

enum fail_code str_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value_out)
{
	const char *end;
	uint64_t value;
	enum fail_code code = parse_digits(text, &value, &end);

	if (code != SG_OK)
		return code;
	if (*end != '\0')
		return SG_EFORMAT;
	if (value < min || value > max)
		return SG_ELIMIT;
	*value_out = value;
	return SG_OK;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static enum fail_code parse_unit(const char *text, const struct unit *units, size_t count,
    uint64_t *value_out)
{
	const char *end;
	uint64_t value;
	enum fail_code code = parse_digits(text, &value, &end);

	if (code != SG_OK)
		return code;
	for (size_t i = 0; i < count; i++) {
		if (!str_equal_case(end, units[i].name))
			continue;
		if (value > (uint64_t)INT64_MAX / units[i].factor)
			return SG_ELIMIT;
		*value_out = value * units[i].factor;
		return SG_OK;
	}
	return SG_EFORMAT;
}

enum fail_code str_parse_size(const char *text, uint64_t *value_out)
{
	static const struct unit units[] = {
		{ "", 1 }, { "K", 1024 }, { "M", 1024 * 1024 }, { "G", 1024 * 1024 * 1024 },
	};

	return parse_unit(text, units, sizeof(units) / sizeof(units[0]), value_out);
}

enum fail_code str_parse_duration(const char *text, int64_t *value_ms_out)
{
	static const struct unit units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	};
	uint64_t value;
	enum fail_code code = parse_unit(text, units, sizeof(units) / sizeof(units[0]), &value);

	if (code == SG_OK)
		*value_ms_out = (int64_t)value;
	return code;
}

bool str_add_size(size_t a, size_t b, size_t *sum_out)
{
	return !__builtin_add_overflow(a, b, sum_out);
}

bool str_mul_size(size_t a, size_t b, size_t *product_out)
{
	return !__builtin_mul_overflow(a, b, product_out);
}

void str_hex(const unsigned char *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * size] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = str_lower_char(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum fail_code str_unhex(const char *text, unsigned char *data, size_t size)
{
	if (strlen(text) != 2 * size)
		return SG_EFORMAT;
	for (size_t i = 0; i < size; i++) {
		int high = hex_value(text[2 * i]);
		int low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return SG_EFORMAT;
		data[i] = (unsigned char)(high << 4 | low);
	}
	return SG_OK;
}

/* How many bytes the lead byte promises, and the smallest code point that needs them. */
static size_t utf8_length(unsigned char lead, uint32_t *bits_out, uint32_t *least_out)
{
	if (lead < 0x80) {
		*bits_out = lead;
		*least_out = 0;
		return 1;
	}
	if (lead >= 0xc2 && lead < 0xe0) {
		*bits_out = lead & 0x1fu;
		*least_out = 0x80;
		return 2;
	}
	if (lead >= 0xe0 && lead < 0xf0) {
		*bits_out = lead & 0x0fu;
		*least_out = 0x800;
		return 3;
	}
	if (lead >= 0xf0 && lead < 0xf5) {
		*bits_out = lead & 0x07u;
		*least_out = 0x10000;
		return 4;
	}
	return 0;
}

size_t str_utf8_char(const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t value;
	uint32_t least;
	size_t length;

	if (size == 0)
		return 0;
	length = utf8_length(bytes[0], &value, &least);
	if (length == 0 || length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3fu);
	}
	if (value < least || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	return length;
}

void str_cut_utf8(char *text, size_t room)
{
	size_t n = strlen(text);

	if (n + 1 < room)
		return;
	while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
		n--;
	if (n > 0 && (unsigned char)text[n - 1] >= 0xc0)
		n--;
	text[n] = '\0';
}

static enum fail_code json_char(struct buf *out, const char *text, size_t length)
{
	unsigned char c = (unsigned char)text[0];

	if (length == 0)
		return buf_append_str(out, "\xef\xbf\xbd");
	if (c == '"' || c == '\\')
		return buf_printf(out, "\\%c", c);
	if (c < 0x20 || c == 0x7f)
		return buf_printf(out, "\\u%04x", c);
	return buf_append(out, text, length);
}

enum fail_code str_json(struct buf *out, const char *text)
{
	size_t size = strlen(text);
	enum fail_code code = buf_append(out, "\"", 1);

	while (code == SG_OK && size > 0) {
		size_t length = str_utf8_char(text, size);

		code = json_char(out, text, length);
		if (length == 0)
			length = 1;
		text += length;
		size -= length;
	}
	return code == SG_OK ? buf_append(out, "\"", 1) : code;
}

enum fail_code str_list_add(struct str_list *list, const char *text)
{
	char *copy = str_dup(text);
	char **items;

	if (copy == NULL)
		return SG_ENOMEM;
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (items == NULL) {
		free(copy);
		return SG_ENOMEM;
	}
	items[list->count] = copy;
	list->items = items;
	list->count++;
	return SG_OK;
}

bool str_list_has_case(const struct str_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_equal_case(list->items[i], text))
			return true;
	return false;
}

void str_list_free(struct str_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	list->items = NULL;
	list->count = 0;
}
