/*
 * What local(8) forwards (alias_maps, :include:, .forward, luser_relay) passes no milter and no
 * header checks. Inside copies of flagged mail are therefore delivered by a local(8) of our own
 * whose cleanup(8) gives each recipient a suffix, and the suffix leads to the second stage.
 */
#include "gateway/postfix/make.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/list.h"

/* What local(8) works with. */
struct surroundings {
	const struct postconf_service *local;
	const struct postconf_service *cleanup;
	const struct postconf_service *rewrite;
};

/* The service that parameter of local(8) names. */
static const struct postconf_service *find_named(const struct making *m,
    const struct postconf_service *local, const char *parameter)
{
	char *key = str_printf("%s/unix", postconf_effective(m->base, local, parameter));
	const struct postconf_service *service =
	    key == NULL ? NULL : postconf_service(m->base, key);

	free(key);
	return service;
}

static enum fail_code find_all(const struct making *m, struct surroundings *out, struct fail *f)
{
	out->local = postconf_service(m->base, ROUTING_LOCAL "/unix");
	if (out->local == NULL || !plan_runs(out->local, "local")) {
		out->local = NULL;
		return SG_OK;
	}
	out->cleanup = find_named(m, out->local, "cleanup_service_name");
	out->rewrite = find_named(m, out->local, "rewrite_service_name");
	if (out->cleanup == NULL || out->rewrite == NULL)
		return fail_set(f, SG_EUSAGE, "master.cf needs cleanup and rewrite",
		    "local/unix in master.cf has no cleanup or no rewrite service behind it");
	return SG_OK;
}

/* The service's own value of a parameter, or main.cf's; NULL: none, or an empty one. */
static const char *written(
    const struct making *m, const struct postconf_service *service, const char *name)
{
	const char *value = postconf_pair(&service->options, name);

	if (value == NULL)
		value = postconf_set(m->base, name);
	return value == NULL || value[strspn(value, ", \t")] == '\0' ? NULL : value;
}

/* A line as that of service, with another name and program; only local(8) itself is not jailed. */
static enum fail_code put_line(struct making *m, const struct postconf_service *service,
    const char *name, const char *key, struct fail *f)
{
	char *line = str_printf("%s unix %s %s %s %s %s %s", name,
	    postconf_field(service, "private"), postconf_field(service, "unprivileged"),
	    postconf_chrooted(m->base, service) ? "y" : "n", postconf_field(service, "wakeup"),
	    postconf_field(service, "process_limit"), service->program);
	enum fail_code code = SG_OK;

	code = line == NULL ? make_no_memory(f) : make_put(m, key, NULL, NULL, line, f);

	free(line);
	return code;
}

/* --- the cleanup service --- */

static enum fail_code put_aliases(
    struct making *m, const struct postconf_service *cleanup, const char *key, struct fail *f)
{
	const char *there = written(m, cleanup, "virtual_alias_maps");
	enum fail_code code = SG_OK;
	char *maps;

	if (there == NULL && postconf_pair(&cleanup->options, "virtual_alias_maps") == NULL &&
	    postconf_set(m->base, "virtual_alias_maps") == NULL)
		there = written(m, cleanup, "virtual_maps");
	/* through a parameter of main.cf, since tables written in place may have white space */
	if (there != NULL)
		code = make_put(m, NULL, PLAN_ALIASES, NULL, there, f);
	if (code != SG_OK)
		return code;
	/* a union's first table says which keys it is asked for: the inline one gets all */
	maps = str_printf("%sunionmap:{inline:{@.=-},regexp:%s/encode}",
	    there == NULL ? "" : "$" PLAN_ALIASES ",", m->wish->folder);
	code = maps == NULL ? make_no_memory(f) :
	                      make_put(m, key, "virtual_alias_maps", NULL, maps, f);
	free(maps);
	return code;
}

static enum fail_code put_forward(
    struct making *m, const struct postconf_service *cleanup, struct fail *f)
{
	const char *key = PLAN_FORWARD "/unix";
	enum fail_code code = put_line(m, cleanup, PLAN_FORWARD, key, f);

	if (code == SG_OK)
		code = make_put(m, key, "message_size_limit", NULL, "0", f);
	if (code == SG_OK)
		code = put_aliases(m, cleanup, key, f);
	return code == SG_OK ? make_options(m, cleanup, key, f) : code;
}

/* --- the rewrite service: it calls "local" what local(8) of ours is called --- */

/* "local:host" under our name; NULL: it is another transport, or there is no memory. */
static char *renamed(const char *transport)
{
	static const char name[] = ROUTING_LOCAL;
	size_t size = sizeof(name) - 1;

	if (strncmp(transport, name, size) != 0 ||
	    (transport[size] != '\0' && transport[size] != ':'))
		return NULL;
	return str_printf(PLAN_LOCAL "%s", transport + size);
}

static enum fail_code put_default(
    struct making *m, const struct postconf_service *rewrite, const char *key, struct fail *f)
{
	const char *value = written(m, rewrite, "local_transport");
	char *ours = renamed(value == NULL ? ROUTING_LOCAL ":$myhostname" : value);
	enum fail_code code = SG_OK;

	if (ours != NULL)
		code = make_put(m, key, "local_transport", NULL, ours, f);

	free(ours);
	return code;
}

/*
 * A table, and before it what it says of "local" under our name. (Tables of patterns may not put
 * what they found into a transport, so a list of the two common spellings.) What "$name" stands for
 * may be several tables: it stays.
 */
static char *piped(const char *table)
{
	static const char ours[] = ROUTING_LOCAL "=" PLAN_LOCAL "," ROUTING_LOCAL
	                                         ":=" PLAN_LOCAL ":";

	if (table[0] == '$')
		return str_dup(table);
	return str_printf("pipemap:{%s,inline:{%s}}, %s", table, ours, table);
}

static enum fail_code put_piped(struct making *m, const char *key, const char *there,
    struct fail *f)
{
	struct str_list tables;
	char *joined = NULL;
	enum fail_code code = list_split(there, &tables);

	for (size_t i = 0; code == SG_OK && i < tables.count; i++) {
		char *table = piped(tables.items[i]);

		free(tables.items[i]);
		tables.items[i] = table;
		code = table == NULL ? SG_ENOMEM : SG_OK;
	}
	if (code == SG_OK)
		joined = list_join(&tables, ", ");
	str_list_free(&tables);
	if (joined == NULL)
		return fail_set(f, code == SG_OK ? SG_ENOMEM : code, NULL,
		    "cannot read transport_maps");
	code = make_put(m, NULL, PLAN_TRANSPORTS, NULL, joined, f);
	if (code == SG_OK)
		code = make_put(m, key, "transport_maps", NULL, "$" PLAN_TRANSPORTS, f);
	free(joined);
	return code;
}

static enum fail_code put_rewrite(
    struct making *m, const struct postconf_service *rewrite, struct fail *f)
{
	const char *key = PLAN_REWRITE "/unix";
	const char *there = written(m, rewrite, "transport_maps");
	enum fail_code code = put_line(m, rewrite, PLAN_REWRITE, key, f);

	if (code == SG_OK)
		code = put_default(m, rewrite, key, f);
	if (code == SG_OK && there != NULL)
		code = put_piped(m, key, there, f);
	else if (code == SG_OK)
		code = make_put(m, key, "transport_maps", NULL, "", f);
	return code == SG_OK ? make_options(m, rewrite, key, f) : code;
}

/* --- local(8) itself, and the way back --- */

/* qmgr's defaults for the transport "local" hold for no other name. */
static enum fail_code put_defaults(struct making *m, struct fail *f)
{
	static const struct make_setting defaults[] = { { "_destination_recipient_limit", "1" },
		{ "_destination_concurrency_limit", "2" } };
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < MAKE_COUNT(defaults); i++) {
		char *there = str_printf(ROUTING_LOCAL "%s", defaults[i].name);
		char *ours = str_printf(PLAN_LOCAL "%s", defaults[i].name);

		if (there == NULL || ours == NULL)
			code = make_no_memory(f);
		else if (postconf_set(m->base, there) == NULL)
			code = make_put(m, NULL, ours, NULL, defaults[i].value, f);
		free(there);
		free(ours);
	}
	return code == SG_OK ? make_limits(m, ROUTING_LOCAL, PLAN_LOCAL, f) : code;
}

static enum fail_code put_local(
    struct making *m, const struct postconf_service *local, struct fail *f)
{
	static const struct make_setting settings[] = { { "cleanup_service_name", PLAN_FORWARD },
		{ "rewrite_service_name", PLAN_REWRITE } };
	const char *key = PLAN_LOCAL "/unix";
	enum fail_code code = put_line(m, local, PLAN_LOCAL, key, f);

	if (code == SG_OK)
		code = make_put_settings(m, key, settings, MAKE_COUNT(settings), f);
	if (code == SG_OK)
		code = make_options(m, local, key, f);
	return code == SG_OK ? put_defaults(m, f) : code;
}

/* Whoever resolves addresses must know the suffix first. */
static enum fail_code put_way(struct making *m, struct fail *f)
{
	static const char name[] = "transport_maps";
	char *ours = str_printf("regexp:%s/forwards", m->wish->folder);
	enum fail_code code = ours == NULL ? make_no_memory(f) :
	                                     make_put_list(m, NULL, name,
	                                         postconf_set(m->base, name), ours, f);

	for (size_t i = 0; code == SG_OK && i < m->base->service_count; i++) {
		const struct postconf_service *service = &m->base->services[i];

		if (plan_runs(service, "trivial-rewrite"))
			code = make_put_override(m, service, name, ours, f);
	}
	free(ours);
	return code;
}

enum fail_code make_local(struct making *m, struct fail *f)
{
	struct surroundings found;
	enum fail_code code = find_all(m, &found, f);

	if (code != SG_OK || found.local == NULL)
		return code;
	code = put_local(m, found.local, f);
	if (code == SG_OK)
		code = put_forward(m, found.cleanup, f);
	if (code == SG_OK)
		code = put_rewrite(m, found.rewrite, f);
	return code == SG_OK ? put_way(m, f) : code;
}
