/* The part of value.h that writes values: as text, as JSON, on the wire; and frees them. */
#include "config/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/conf.h"
#include "gateway/base/str.h"

uint64_t value_number(const struct key *key, const void *base)
{
	const unsigned char *slot = (const unsigned char *)base + key->offset;
	unsigned int number;
	int64_t duration;
	size_t size;
	bool flag;

	switch (key->type) {
	case KEY_SIZE:
		memcpy(&size, slot, sizeof size);
		return size;
	case KEY_DURATION:
	case KEY_DATE:
		memcpy(&duration, slot, sizeof duration);
		return (uint64_t)duration;
	case KEY_BOOL:
		memcpy(&flag, slot, sizeof flag);
		return flag;
	default:
		memcpy(&number, slot, sizeof number);
		return number;
	}
}

void value_set_number(const struct key *key, void *base, uint64_t value)
{
	unsigned char *slot = (unsigned char *)base + key->offset;
	unsigned int number = (unsigned int)value;
	int64_t duration = (int64_t)value;
	size_t size = (size_t)value;
	bool flag = value != 0;

	switch (key->type) {
	case KEY_SIZE:
		memcpy(slot, &size, sizeof size);
		break;
	case KEY_DURATION:
	case KEY_DATE:
		memcpy(slot, &duration, sizeof duration);
		break;
	case KEY_BOOL:
		memcpy(slot, &flag, sizeof flag);
		break;
	default:
		memcpy(slot, &number, sizeof number);
		break;
	}
}

const char *value_text(const struct key *key, const void *base)
{
	const char *text;

	memcpy(&text, (const unsigned char *)base + key->offset, sizeof text);
	return text == NULL ? "" : text;
}

/* The members of a list; those of a KEY_WAYS are put into ways. */
static struct str_list members_of(const struct key *key, const void *base, char *ways[WAY_COUNT])
{
	const unsigned char *slot = (const unsigned char *)base + key->offset;
	struct str_list list = { 0 };

	if (key->type != KEY_WAYS) {
		memcpy(&list, slot, sizeof list);
		return list;
	}
	list.items = ways;
	while (list.count < WAY_COUNT && slot[list.count] != 0) {
		ways[list.count] = (char *)(uintptr_t)conf_way_name(slot[list.count]);
		list.count++;
	}
	return list;
}

/* ---- as text ---- */

/* In quotes; libconfuse takes a backslash and expands ${NAME}. */
static enum fail_code print_quoted(const char *text, struct buf *out)
{
	enum fail_code code;

	code = buf_append_str(out, "\"");
	for (; code == SG_OK && *text != '\0'; text++) {
		if (strchr("\"\\$", *text) != NULL)
			code = buf_append_str(out, "\\");
		if (code == SG_OK)
			code = buf_append(out, text, 1);
	}
	return code == SG_OK ? buf_append_str(out, "\"") : code;
}

static enum fail_code print_list(const struct str_list *list, struct buf *out)
{
	size_t i;
	enum fail_code code;

	code = buf_append_str(out, "{");
	for (i = 0; code == SG_OK && i < list->count; i++) {
		code = buf_append_str(out, i == 0 ? "" : ", ");
		if (code == SG_OK)
			code = print_quoted(list->items[i], out);
	}
	return code == SG_OK ? buf_append_str(out, "}") : code;
}

/* With the largest unit that divides it. */
static enum fail_code
print_unit(uint64_t value, const char *const *units, const uint64_t *factors, struct buf *out)
{
	while (value == 0 ? factors[1] != 0 : value % *factors != 0) {
		units++;
		factors++;
	}
	return buf_printf(out, "%" PRIu64 "%s", value / *factors, *units);
}

/* The day whose end it is; text has room for "2027-01-31". */
static const char *date_text(uint64_t value, char text[16])
{
	time_t last = (time_t)(value / 1000) - 1;
	struct tm day;

	text[0] = '\0';
	if (value != 0 && gmtime_r(&last, &day) != NULL)
		(void)strftime(text, 16, "%Y-%m-%d", &day);
	return text;
}

enum fail_code value_print(const struct key *key, const void *base, struct buf *out)
{
	static const char *const size_units[] = { "G", "M", "K", "" };
	static const uint64_t size_factors[] = { 1 << 30, 1 << 20, 1 << 10, 1, 0 };
	static const char *const time_units[] = { "d", "h", "m", "s", "ms" };
	static const uint64_t time_factors[] = { 86400000, 3600000, 60000, 1000, 1, 0 };
	char *ways[WAY_COUNT];
	struct str_list list;
	uint64_t number;
	char date[16];

	if (key_is_list(key)) {
		list = members_of(key, base, ways);
		return print_list(&list, out);
	}
	if (key->type <= KEY_FIELD)
		return print_quoted(value_text(key, base), out);
	number = value_number(key, base);
	switch (key->type) {
	case KEY_SIZE:
		return print_unit(number, size_units, size_factors, out);
	case KEY_DURATION:
		return print_unit(number, time_units, time_factors, out);
	case KEY_DATE:
		return print_quoted(date_text(number, date), out);
	case KEY_OCTAL:
		return buf_printf(out, "0%" PRIo64, number);
	case KEY_BOOL:
		return buf_append_str(out, number != 0 ? "yes" : "no");
	case KEY_CHOICE:
		return buf_append_str(out, key->choices[number]);
	default:
		return buf_printf(out, "%" PRIu64, number);
	}
}

static enum fail_code json_list(const struct str_list *list, struct buf *out)
{
	size_t i;
	enum fail_code code;

	code = buf_append_str(out, "[");
	for (i = 0; code == SG_OK && i < list->count; i++) {
		code = buf_append_str(out, i == 0 ? "" : ", ");
		if (code == SG_OK)
			code = str_json(out, list->items[i]);
	}
	return code == SG_OK ? buf_append_str(out, "]") : code;
}

enum fail_code value_json(const struct key *key, const void *base, struct buf *out)
{
	char *ways[WAY_COUNT];
	struct str_list list;
	uint64_t number;
	char date[16];

	if (key_is_list(key)) {
		list = members_of(key, base, ways);
		return json_list(&list, out);
	}
	if (key->type <= KEY_FIELD)
		return str_json(out, value_text(key, base));
	number = value_number(key, base);
	switch (key->type) {
	case KEY_DATE:
		return str_json(out, date_text(number, date));
	case KEY_OCTAL:
		return buf_printf(out, "\"0%" PRIo64 "\"", number);
	case KEY_BOOL:
		return buf_append_str(out, number != 0 ? "true" : "false");
	case KEY_CHOICE:
		return str_json(out, key->choices[number]);
	default:
		return buf_printf(out, "%" PRIu64, number);
	}
}

/* ---- on the wire: a u64, a string, or a counted list of strings ---- */

enum fail_code value_put(const struct key *key, const void *base, struct buf *out)
{
	char *ways[WAY_COUNT];
	struct str_list list;
	size_t i;
	enum fail_code code;

	if (key->type > KEY_FIELD && !key_is_list(key))
		return buf_put_u64(out, value_number(key, base));
	if (!key_is_list(key))
		return buf_put_str(out, value_text(key, base));
	list = members_of(key, base, ways);
	code = buf_put_u32(out, (uint32_t)list.count);
	for (i = 0; code == SG_OK && i < list.count; i++)
		code = buf_put_str(out, list.items[i]);
	return code;
}

static bool number_is_good(const struct key *key, uint64_t number)
{
	uint64_t choices = 0;

	if (key->type == KEY_BOOL)
		return number <= 1;
	if (key->type == KEY_DATE)
		return number <= INT64_MAX;
	if (key->type != KEY_CHOICE)
		return number >= key->min && number <= key->max;
	while (key->choices[choices] != NULL)
		choices++;
	return number < choices;
}

static enum fail_code get_texts(struct buf_reader *reader, uint32_t count, struct str_list *list)
{
	uint32_t i;
	enum fail_code code = SG_OK;

	for (i = 0; code == SG_OK && i < count; i++) {
		char *text = NULL;

		code = buf_get_str(reader, VALUE_TEXT_MAX, &text);
		if (code == SG_OK)
			code = str_list_add(list, text);
		free(text);
	}
	return code;
}

/* A list that came as an empty one stays empty, also where the file must not say so. */
static enum fail_code get_list(const struct key *key, void *base, struct buf_reader *reader)
{
	struct str_list texts = { 0 };
	uint32_t count = 0;
	enum fail_code code;

	code = buf_get_u32(reader, &count);
	if (code == SG_OK && count > VALUE_LIST_MAX)
		code = SG_EFORMAT;
	if (code == SG_OK)
		code = get_texts(reader, count, &texts);
	if (code == SG_OK && count == 0)
		value_free(key, base);
	else if (code == SG_OK)
		code = value_parse(key, (const char *const *)texts.items, texts.count, base, NULL);
	str_list_free(&texts);
	return code == SG_EUSAGE ? SG_EFORMAT : code;
}

enum fail_code value_get(const struct key *key, void *base, struct buf_reader *reader)
{
	uint64_t number = 0;
	char *text = NULL;
	enum fail_code code;

	if (key_is_list(key))
		return get_list(key, base, reader);
	if (key->type > KEY_FIELD) {
		code = buf_get_u64(reader, &number);
		if (code == SG_OK && !number_is_good(key, number))
			code = SG_EFORMAT;
		if (code == SG_OK)
			value_set_number(key, base, number);
		return code;
	}
	code = buf_get_str(reader, VALUE_TEXT_MAX, &text);
	if (code == SG_OK)
		code = value_parse(key, (const char *const *)&text, 1, base, NULL);
	free(text);
	return code == SG_EUSAGE ? SG_EFORMAT : code;
}

void value_free(const struct key *key, void *base)
{
	unsigned char *slot = (unsigned char *)base + key->offset;
	char *text;

	if (key->type == KEY_WAYS) {
		memset(slot, 0, WAY_COUNT);
	} else if (key_is_list(key)) {
		str_list_free((struct str_list *)(void *)slot);
	} else if (key->type <= KEY_FIELD) {
		memcpy(&text, slot, sizeof text);
		free(text);
		memset(slot, 0, sizeof text);
	}
}
