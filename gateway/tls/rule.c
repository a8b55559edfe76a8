#include "gateway/tls/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct conf_hop *const *left = a;
	const struct conf_hop *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

enum fail_code rule_index(const struct conf *conf, struct rules_index *index_out)
{
	size_t i;

	index_out->sorted = NULL;
	index_out->count = 0;
	if (conf->hop_count == 0)
		return SG_OK;
	index_out->sorted = calloc(conf->hop_count, sizeof(void *));
	if (index_out->sorted == NULL)
		return SG_ENOMEM;
	for (i = 0; i < conf->hop_count; i++)
		index_out->sorted[i] = &conf->hops[i];
	index_out->count = conf->hop_count;
	qsort(index_out->sorted, index_out->count, sizeof(void *), compare);
	return SG_OK;
}

void rule_index_free(struct rules_index *index)
{
	free(index->sorted);
	index->sorted = NULL;
	index->count = 0;
}

static const struct conf_hop *find_name(const struct rules_index *index, const char *name,
    int64_t wall_ms)
{
	size_t low = 0;
	size_t high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct conf_hop *rule = index->sorted[middle];
		int order = strcmp(name, rule->name);

		if (order == 0)
			return rule->until_ms == 0 || wall_ms < rule->until_ms ? rule : NULL;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct conf_hop *rule_find(const struct rules_index *index, const struct hop *hop,
    int64_t wall_ms)
{
	const struct conf_hop *rule;
	const char *parent;

	if (index->count == 0)
		return NULL;
	rule = find_name(index, hop->text, wall_ms);
	if (rule == NULL)
		rule = find_name(index, hop->key, wall_ms);
	if (rule != NULL || hop->direct || hop->literal)
		return rule;
	rule = find_name(index, hop->name, wall_ms);
	parent = strchr(hop->name, '.');
	while (rule == NULL && parent != NULL) {
		rule = find_name(index, parent, wall_ms);
		parent = strchr(parent + 1, '.');
	}
	return rule;
}

bool rule_proves(const struct conf_hop *rule)
{
	return rule->tls == CONF_LEVEL_DANE_ONLY || rule->tls == CONF_LEVEL_FINGERPRINT ||
	    rule->tls == CONF_LEVEL_VERIFY || rule->tls == CONF_LEVEL_SECURE;
}

static bool append(char *out, size_t room, size_t *at, const char *before, const char *text)
{
	int size = snprintf(out + *at, room - *at, "%s%s", before, text);

	if (size < 0 || (size_t)size >= room - *at)
		return false;
	*at += (size_t)size;
	return true;
}

bool rule_text(const struct conf_hop *rule, char *out, size_t room)
{
	bool prints = rule->tls == CONF_LEVEL_FINGERPRINT;
	const struct str_list *list = prints ? &rule->fingerprints : &rule->match;
	size_t at = 0;
	size_t i;

	if (!append(out, room, &at, "", conf_level_name(rule->tls)))
		return false;
	if (!prints && rule->tls != CONF_LEVEL_VERIFY && rule->tls != CONF_LEVEL_SECURE)
		return true;
	for (i = 0; i < list->count; i++) {
		const char *between = prints ? "|" : ":";

		if (!append(out, room, &at, i == 0 ? " match=" : between, list->items[i]))
			return false;
	}
	return true;
}
