#include "gateway/postfix/list.h"

#include <stdlib.h>
#include <string.h>

#define SEPARATORS ", \t\r\n"

/* Bytes of the element that starts at text: up to a separator outside braces. */
static size_t element_size(const char *text)
{
	size_t depth = 0;
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '{')
			depth++;
		else if (text[i] == '}' && depth > 0)
			depth--;
		else if (depth == 0 && strchr(SEPARATORS, text[i]) != NULL)
			break;
	}
	return i;
}

static enum fail_code add(struct str_list *out, const char *text, size_t size)
{
	char *element = str_dup_n(text, size);
	enum fail_code code;

	if (element == NULL)
		return SG_ENOMEM;
	code = out->count < LIST_ELEMENTS_MAX ? str_list_add(out, element) : SG_ELIMIT;
	free(element);
	return code;
}

enum fail_code list_split(const char *value, struct str_list *out)
{
	enum fail_code code = SG_OK;

	memset(out, 0, sizeof(*out));
	while (code == SG_OK) {
		size_t size;

		value += strspn(value, SEPARATORS);
		if (*value == '\0')
			return SG_OK;
		size = element_size(value);
		code = add(out, value, size);
		value += size;
	}
	str_list_free(out);
	return code;
}

char *list_join(const struct str_list *list, const char *separator)
{
	char *joined = str_dup("");

	for (size_t i = 0; joined != NULL && i < list->count; i++) {
		char *longer = str_printf(
		    "%s%s%s", joined, i == 0 ? "" : separator, list->items[i]);

		free(joined);
		joined = longer;
	}
	return joined;
}

/* What stands between the braces of an element, or the element itself. */
static const char *inside(const char *element, size_t *size_out)
{
	size_t size = strlen(element);

	if (size >= 2 && element[0] == '{' && element[size - 1] == '}') {
		element++;
		size -= 2;
	}
	while (size > 0 && str_is_space(*element)) {
		element++;
		size--;
	}
	*size_out = str_trim_end(element, size);
	return element;
}

char *list_subject(const char *element)
{
	size_t size;
	const char *text = inside(element, &size);

	if (element[0] == '{') {
		size_t first = strcspn(text, SEPARATORS);

		size = first < size ? first : size;
	}
	return str_dup_n(text, size);
}

bool list_same(const char *element, const char *other)
{
	char *a = list_subject(element);
	char *b = list_subject(other);
	bool same = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(a);
	free(b);
	return same;
}

/* The value behind "name =" when setting is that, or NULL. */
static const char *value_of(const char *setting, const char *name)
{
	size_t size = strlen(name);

	if (strncmp(setting, name, size) != 0)
		return NULL;
	setting += size;
	setting += strspn(setting, " \t");
	if (*setting != '=')
		return NULL;
	setting++;
	return setting + strspn(setting, " \t");
}

char *list_setting(const char *element, const char *name)
{
	size_t size;
	const char *text = inside(element, &size);
	char *copy = element[0] == '{' ? str_dup_n(text, size) : NULL;
	char *result = NULL;
	char *at = copy;

	while (at != NULL && result == NULL) {
		const char *value = value_of(at + strspn(at, SEPARATORS), name);

		if (value != NULL)
			result = str_dup_n(value, strcspn(value, SEPARATORS));
		at += strspn(at, SEPARATORS);
		at = strpbrk(at, ",");
		if (at != NULL)
			at++;
	}
	free(copy);
	return result;
}

bool list_has(const char *value, const char *wanted)
{
	struct str_list list;
	bool has = false;

	if (list_split(value, &list) != SG_OK)
		return false;
	for (size_t i = 0; i < list.count && !has; i++)
		has = list_same(list.items[i], wanted);
	str_list_free(&list);
	return has;
}

static char *rebuild(const char *value, const char *first, const char *last, const char *dropped,
    const char *separator)
{
	struct str_list old;
	struct str_list new = { NULL, 0 };
	enum fail_code code = list_split(value, &old);
	char *result = NULL;

	if (code == SG_OK && first != NULL)
		code = str_list_add(&new, first);
	for (size_t i = 0; code == SG_OK && i < old.count; i++) {
		if (!list_same(old.items[i], dropped))
			code = str_list_add(&new, old.items[i]);
	}
	if (code == SG_OK && last != NULL)
		code = str_list_add(&new, last);
	if (code == SG_OK)
		result = list_join(&new, separator);
	str_list_free(&old);
	str_list_free(&new);
	return result;
}

char *list_put_first(const char *value, const char *element, const char *separator)
{
	return rebuild(value, element, NULL, element, separator);
}

char *list_put_last(const char *value, const char *element, const char *separator)
{
	return rebuild(value, NULL, element, element, separator);
}

char *list_without(const char *value, const char *element)
{
	return rebuild(value, NULL, NULL, element, strpbrk(value, " \t") == NULL ? "," : ", ");
}
