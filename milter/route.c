#include "milter/route.h"

#include <stdlib.h>
#include <string.h>

enum fail_code deliveries_add(struct deliveries *deliveries, const char *mailer, const char *hop)
{
	struct delivery *item;

	if (deliveries->count == deliveries->room) {
		size_t room = deliveries->room == 0 ? 8 : deliveries->room * 2;
		struct delivery *items = reallocarray(deliveries->items, room, sizeof(*items));

		if (items == NULL)
			return SG_ENOMEM;
		deliveries->items = items;
		deliveries->room = room;
	}
	item = &deliveries->items[deliveries->count];
	item->mailer = str_dup(mailer);
	item->hop = str_dup(hop);
	if ((item->mailer == NULL && mailer != NULL) || (item->hop == NULL && hop != NULL)) {
		free(item->mailer);
		free(item->hop);
		return SG_ENOMEM;
	}
	deliveries->count++;
	return SG_OK;
}

void deliveries_free(struct deliveries *deliveries)
{
	for (size_t i = 0; i < deliveries->count; i++) {
		free(deliveries->items[i].mailer);
		free(deliveries->items[i].hop);
	}
	free(deliveries->items);
	memset(deliveries, 0, sizeof(*deliveries));
}

bool delivery_is_refused(const char *mailer, const char *hop)
{
	return mailer != NULL && hop != NULL && strcmp(mailer, "error") == 0 &&
	    hop[0] != '\0' && strspn(hop, "0123456789.") == strlen(hop);
}

bool delivery_is_alias(const struct delivery *delivery)
{
	return delivery->mailer != NULL && strcmp(delivery->mailer, "error") == 0;
}

bool delivery_is_own(const struct delivery *delivery, const char *recipient)
{
	const char *at = strrchr(recipient, '@');

	return at != NULL && delivery->hop != NULL && str_equal_case(at + 1, delivery->hop);
}

/* ---- what attach told ---- */

static size_t skip_space(const char *text)
{
	return strspn(text, " \t");
}

/* The word at *text, which moves behind it; its length. */
static size_t next_word(const char **text, const char **word_out)
{
	size_t size;

	*text += skip_space(*text);
	*word_out = *text;
	size = strcspn(*text, " \t");
	*text += size;
	return size;
}

static enum fail_code add_mailer(struct routes *routes, const char *word, size_t size)
{
	char *mailer = str_dup_n(word, size);
	enum fail_code code = mailer == NULL ? SG_ENOMEM : str_list_add(&routes->mailers, mailer);

	free(mailer);
	return code;
}

enum fail_code routes_parse(const char *macro, struct routes *routes_out)
{
	const char *text = macro == NULL ? "" : macro;
	enum fail_code code = SG_OK;
	const char *word;
	size_t size;

	memset(routes_out, 0, sizeof(*routes_out));
	size = next_word(&text, &word);
	if (size == 5 && memcmp(word, "front", size) == 0)
		routes_out->by = ROUTES_FRONT;
	else if (size == 5 && memcmp(word, "stage", size) == 0)
		routes_out->by = ROUTES_STAGE;
	else
		return SG_OK;
	while (code == SG_OK && (size = next_word(&text, &word)) > 0)
		code = add_mailer(routes_out, word, size);
	if (code != SG_OK)
		routes_free(routes_out);
	return code;
}

void routes_free(struct routes *routes)
{
	str_list_free(&routes->mailers);
	routes->by = ROUTES_NONE;
}

bool routes_have(const struct routes *routes, const struct delivery *delivery)
{
	if (routes->by == ROUTES_NONE || delivery->mailer == NULL)
		return false;
	for (size_t i = 0; i < routes->mailers.count; i++)
		if (strcmp(routes->mailers.items[i], delivery->mailer) == 0)
			return true;
	return false;
}

/* ---- the value ---- */

/* One word of printable ASCII, which a table can name. */
static bool is_word(const char *text, size_t max)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return size > 0 && size <= max;
}

enum fail_code route_value(const char *kind, const struct delivery *delivery,
    const char *recipient, char **value_out, struct fail *f)
{
	bool own;

	*value_out = NULL;
	if (delivery->mailer == NULL || delivery->hop == NULL)
		return fail_set(f, SG_EPEER, "run sealgate postfix attach again",
		    "Postfix does not say how it would deliver to %s", recipient);
	own = delivery_is_own(delivery, recipient);
	if (!is_word(delivery->mailer, ROUTE_MAILER_MAX) ||
	    (!own && !is_word(delivery->hop, ROUTE_HOP_MAX)))
		return fail_set(f, SG_EPEER, "write next hops as one word, such as [host]:port",
		    "no route can be written for %s by %s, next hop %s", recipient,
		    delivery->mailer, delivery->hop);
	*value_out = own ? str_printf(" %s %s", kind, delivery->mailer) :
	    str_printf(" %s %s %s", kind, delivery->mailer, delivery->hop);
	if (*value_out == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a route");
	return SG_OK;
}
