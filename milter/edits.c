#include "milter/edits.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

void edits_init(struct edits *edits)
{
	memset(edits, 0, sizeof(*edits));
}

void edits_free(struct edits *edits)
{
	for (size_t i = 0; i < edits->count; i++) {
		free(edits->items[i].name);
		free(edits->items[i].value);
	}
	free(edits->items);
	free(edits->sender_arguments);
	spool_free(edits->body);
	edits_init(edits);
}

/* Line ends as LF, each with white space behind it, none at the end. NULL: out of memory. */
static char *folded(const char *value)
{
	char *text = malloc(2 * strlen(value) + 1);
	size_t size = 0;

	if (text == NULL)
		return NULL;
	while (*value != '\0') {
		size_t end = strspn(value, "\r\n");

		if (end == 0 || memchr(value, '\n', end) == NULL) {
			text[size++] = *value++;
			continue;
		}
		value += end;
		if (*value == '\0')
			break;
		text[size++] = '\n';
		if (*value != ' ' && *value != '\t')
			text[size++] = '\t';
	}
	text[size] = '\0';
	return text;
}

static enum fail_code append(struct edits *edits, enum edit_kind kind, const char *name,
    unsigned int index, const char *value)
{
	struct edit *items = reallocarray(edits->items, edits->count + 1, sizeof(*items));
	struct edit *item;

	if (items == NULL)
		return SG_ENOMEM;
	edits->items = items;
	item = &items[edits->count];
	item->kind = kind;
	item->index = index;
	item->name = str_dup(name);
	item->value = value == NULL ? NULL : folded(value);
	if (item->name == NULL || (item->value == NULL && value != NULL)) {
		free(item->name);
		free(item->value);
		return SG_ENOMEM;
	}
	edits->count++;
	return SG_OK;
}

enum fail_code edits_add(struct edits *edits, const char *name, const char *value)
{
	return append(edits, EDIT_ADD, name, 0, value);
}

enum fail_code edits_change(struct edits *edits, const char *name, unsigned int index,
    const char *value)
{
	return append(edits, EDIT_CHANGE, name, index, value);
}

/* Deletes the fields of that name from the last down to index first. */
static enum fail_code delete_down_to(struct edits *edits, const struct message *message,
    const char *name, size_t first)
{
	enum fail_code code = SG_OK;

	for (size_t i = message_count(message, name); i >= first && code == SG_OK; i--)
		code = append(edits, EDIT_DELETE, name, (unsigned int)i, NULL);
	return code;
}

enum fail_code edits_delete_all(struct edits *edits, const struct message *message,
    const char *name)
{
	return delete_down_to(edits, message, name, 1);
}

enum fail_code edits_set(struct edits *edits, const struct message *message, const char *name,
    const char *value)
{
	enum fail_code code;

	if (message_count(message, name) == 0)
		return edits_add(edits, name, value);
	code = delete_down_to(edits, message, name, 2);
	return code == SG_OK ? edits_change(edits, name, 1, value) : code;
}
