#include "gateway/postfix/routing.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/postfix/list.h"
#include "gateway/postfix/maps.h"
#include "gateway/postfix/plan.h"

static const char *const words[ROUTING_KINDS] = { "sealed", "tls", "any" };
static const char *const names[ROUTING_KINDS] = { "sealed", "sealed-tls", "sealed-any" };

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory");
}

const char *routing_word(enum routing_kind kind)
{
	return words[kind];
}

char *routing_name(enum routing_kind kind, const char *transport)
{
	if (strcmp(transport, ROUTING_SMTP) == 0)
		return str_dup(names[kind]);
	return str_printf("%s-%s", names[kind], transport);
}

bool routing_is_ours(const char *transport)
{
	return strcmp(transport, PLAN_SEAL) == 0 || strcmp(transport, names[ROUTING_SEALED]) == 0 ||
	       strncmp(transport, "sealed-", strlen("sealed-")) == 0;
}

/* Where text is, or belongs, in a sorted list. */
static size_t place(const struct str_list *sorted, const char *text, bool *found_out)
{
	size_t low = 0;
	size_t high = sorted->count;

	*found_out = false;
	while (low < high && !*found_out) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(sorted->items[middle], text);

		*found_out = order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return *found_out ? high : low;
}

enum fail_code routing_put(struct str_list *sorted, const char *text)
{
	bool found;
	size_t at = place(sorted, text, &found);
	enum fail_code code = SG_OK;
	char *new;

	if (found)
		return SG_OK;
	if (sorted->count >= ROUTING_PAIRS_MAX)
		return SG_ELIMIT;
	code = str_list_add(sorted, text);
	if (code != SG_OK)
		return code;
	new = sorted->items[sorted->count - 1];
	memmove(&sorted->items[at + 1], &sorted->items[at],
	    (sorted->count - 1 - at) * sizeof(sorted->items[0]));
	sorted->items[at] = new;
	return SG_OK;
}

/* --- gathering --- */

/* What the parameters and their tables say, each value once. */
struct gathering {
	const struct postconf *conf;
	const struct postconf_service *resolver; /* trivial-rewrite, whose options count; or NULL */
	const char *folder;
	struct routing *routing;
	struct str_list defaults; /* "transport:nexthop" of default_transport and its kin */
	struct str_list maps; /* results of transport_maps: either half may be missing */
	struct str_list relays; /* next hops of relayhost and its kin */
};

static const char *value_of(const struct gathering *g, const char *name)
{
	return g->resolver == NULL ? postconf_get(g->conf, name) :
	                             postconf_effective(g->conf, g->resolver, name);
}

static enum fail_code unlisted(
    struct routing *routing, struct fail *f, const char *name, const char *what, const char *why)
{
	char *sentence = str_printf("%s: %s: %s", name, what, why);
	enum fail_code code = sentence == NULL ? SG_ENOMEM :
	                                         routing_put(&routing->unlisted, sentence);

	free(sentence);
	return code == SG_OK || code == SG_ELIMIT ? SG_OK : no_memory(f);
}

static enum fail_code take_result(void *context, const char *result, struct fail *f)
{
	enum fail_code code = routing_put(context, result);

	if (code == SG_ELIMIT)
		return fail_set(
		    f, SG_EUSAGE, NULL, "it has more than %d different results", ROUTING_PAIRS_MAX);
	return code == SG_OK ? SG_OK : no_memory(f);
}

static enum fail_code gather_maps(
    struct gathering *g, const char *name, struct str_list *into, struct fail *f)
{
	struct str_list tables;
	enum fail_code code = list_split(value_of(g, name), &tables);

	if (code != SG_OK)
		return fail_set(f, code, NULL, "cannot read %s", name);
	for (size_t i = 0; code == SG_OK && i < tables.count; i++) {
		struct fail why;

		fail_clear(&why);
		code = maps_list(g->folder, tables.items[i], take_result, into, &why);
		if (code == SG_ENOMEM)
			code = no_memory(f);
		else if (code != SG_OK)
			code = unlisted(g->routing, f, name, tables.items[i], why.what);
	}
	str_list_free(&tables);
	return code;
}

static enum fail_code gather(struct gathering *g, struct fail *f)
{
	static const char *const defaults[] = { "default_transport", "relay_transport",
		"local_transport", "virtual_transport" };
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < sizeof(defaults) / sizeof(defaults[0]); i++)
		code = take_result(&g->defaults, value_of(g, defaults[i]), f);
	if (code == SG_OK)
		code = gather_maps(g, "sender_dependent_default_transport_maps", &g->defaults, f);
	if (code == SG_OK)
		code = gather_maps(g, "transport_maps", &g->maps, f);
	if (code == SG_OK)
		code = take_result(&g->relays, value_of(g, "relayhost"), f);
	return code == SG_OK ? gather_maps(g, "sender_dependent_relayhost_maps", &g->relays, f) :
	                       code;
}

/* --- pairs --- */

static bool has_transport(const struct routing *routing, const char *name, size_t size)
{
	for (size_t i = 0; i < routing->transports.count; i++) {
		const char *item = routing->transports.items[i];

		if (strlen(item) == size && strncmp(item, name, size) == 0)
			return true;
	}
	return false;
}

/* A next hop that a line of a table can name: one word of ASCII without "$". */
static bool is_word(const char *text)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '$')
			return false;
	}
	return size > 0 && size <= ROUTING_WORD_MAX;
}

static enum fail_code put_pair(struct routing *routing, const char *transport, size_t size,
    const char *nexthop, struct fail *f)
{
	char *pair;
	enum fail_code code;

	if (!has_transport(routing, transport, size) || nexthop[0] == '\0')
		return SG_OK;
	if (!is_word(nexthop))
		return unlisted(routing, f, "next hop", nexthop, "it is not one word");
	pair = str_printf("%.*s %s", (int)size, transport, nexthop);
	code = pair == NULL ? SG_ENOMEM : routing_put(&routing->pairs, pair);
	free(pair);
	if (code == SG_ELIMIT)
		return unlisted(routing, f, "next hops", "too many", "some are left out");
	return code == SG_OK ? SG_OK : no_memory(f);
}

/* "transport:nexthop", "transport" */
static enum fail_code put_whole(struct routing *routing, const char *value, struct fail *f)
{
	size_t size = strcspn(value, ":");

	return value[size] == '\0' ? SG_OK : put_pair(routing, value, size, value + size + 1, f);
}

/* A next hop without a transport goes by what default_transport and its kin say. */
static enum fail_code put_by_defaults(struct gathering *g, const char *nexthop, struct fail *f)
{
	enum fail_code code = SG_OK;

	if (str_equal_case(nexthop, "DUNNO"))
		return SG_OK;
	for (size_t i = 0; code == SG_OK && i < g->defaults.count; i++) {
		const char *value = g->defaults.items[i];

		code = put_pair(g->routing, value, strcspn(value, ":"), nexthop, f);
	}
	return code;
}

static enum fail_code pair_all(struct gathering *g, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < g->defaults.count; i++)
		code = put_whole(g->routing, g->defaults.items[i], f);
	for (size_t i = 0; code == SG_OK && i < g->maps.count; i++) {
		const char *value = g->maps.items[i];

		code = value[0] == ':' ? put_by_defaults(g, value + 1, f) :
		                         put_whole(g->routing, value, f);
	}
	for (size_t i = 0; code == SG_OK && i < g->relays.count; i++)
		code = put_by_defaults(g, g->relays.items[i], f);
	return code;
}

/* --- services --- */

static enum fail_code find_transports(
    const struct postconf *conf, struct routing *out, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < conf->service_count; i++) {
		const struct postconf_service *service = &conf->services[i];

		if (plan_runs(service, "smtp") && strcmp(service->type, "unix") == 0 &&
		    !routing_is_ours(service->name))
			code = routing_put(&out->transports, service->name);
	}
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "cannot keep the transports");
}

static const struct postconf_service *find_resolver(const struct postconf *conf)
{
	for (size_t i = 0; i < conf->service_count; i++) {
		if (plan_runs(&conf->services[i], "trivial-rewrite"))
			return &conf->services[i];
	}
	return NULL;
}

/* May a cleanup service add recipients to a message, or change them? */
static bool changes_recipients(const struct postconf *conf, const struct postconf_service *cleanup)
{
	static const char *const parameters[] = { "always_bcc", "sender_bcc_maps",
		"recipient_bcc_maps", "virtual_alias_maps", "virtual_alias_domains",
		"canonical_maps", "recipient_canonical_maps" };

	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		const char *value = postconf_effective(conf, cleanup, parameters[i]);

		if (value[strspn(value, ", \t")] != '\0')
			return true;
	}
	return false;
}

static bool is_late(const struct postconf *conf)
{
	for (size_t i = 0; i < conf->service_count; i++) {
		const struct postconf_service *service = &conf->services[i];

		if (plan_runs(service, "cleanup") &&
		    strcmp(service->name, PLAN_SEAL_CLEANUP) != 0 &&
		    strcmp(service->name, PLAN_SEAL_PICKUP) != 0 &&
		    strcmp(service->name, PLAN_FORWARD) != 0 &&
		    changes_recipients(conf, service))
			return true;
	}
	return false;
}

enum fail_code routing_read(
    const struct postconf *conf, const char *folder, struct routing *out, struct fail *f)
{
	struct gathering g = { .conf = conf, .folder = folder, .routing = out };
	const struct postconf_service *local;
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	g.resolver = find_resolver(conf);
	out->late = is_late(conf);
	local = postconf_service(conf, ROUTING_LOCAL "/unix");
	out->local = local != NULL && plan_runs(local, "local");
	code = find_transports(conf, out, f);
	if (code == SG_OK)
		code = gather(&g, f);
	if (code == SG_OK)
		code = pair_all(&g, f);
	str_list_free(&g.defaults);
	str_list_free(&g.maps);
	str_list_free(&g.relays);
	if (code != SG_OK)
		routing_free(out);
	return code;
}

void routing_free(struct routing *routing)
{
	str_list_free(&routing->transports);
	str_list_free(&routing->pairs);
	str_list_free(&routing->unlisted);
}
