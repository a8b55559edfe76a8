#include "gateway/postfix/make.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/list.h"
#include "gateway/postfix/routing.h"
#include "gateway/postfix/tables.h"

/* What the three kinds have of their own. */
static const struct {
	const char *map; /* name of the policy service's table, or NULL: none */
	const char *level; /* where the policy service says nothing */
	bool falls_back;
} kinds[ROUTING_KINDS] = {
	[ROUTING_SEALED] = { "sealed", "encrypt", true },
	[ROUTING_TLS] = { "proven", "secure", true },
	[ROUTING_ANY] = { NULL, "may", false },
};

static const struct make_setting sealed_settings[] = {
	{ "smtp_tls_mandatory_protocols", ">=TLSv1.2" },
	{ "smtp_tls_mandatory_ciphers", "high" },
};

static bool is_empty(const char *value)
{
	return value == NULL || value[0] == '\0';
}

/* What main.cf, or the service's own option, says; NULL: neither. */
static const char *written(
    const struct making *m, const struct postconf_service *service, const char *name)
{
	const char *value = service == NULL ? NULL : postconf_pair(&service->options, name);

	return value != NULL ? value : postconf_set(m->base, name);
}

/* Has the administrator switched DNS off for this client? Then DANE cannot work; doctor says so. */
static bool without_dns(const struct making *m, const struct postconf_service *service)
{
	const char *level = written(m, service, "smtp_dns_support_level");
	const char *off = written(m, service, "disable_dns_lookups");

	if (is_empty(level))
		return off != NULL && postconf_true(off);
	return strcmp(level, "disabled") == 0;
}

/* TLS settings that a client needs whatever it is for; service NULL: in main.cf. */
static enum fail_code put_common(
    struct making *m, const struct postconf_service *service, const char *key, struct fail *f)
{
	const char *level = written(m, service, "smtp_tls_loglevel");
	const char *dns = written(m, service, "smtp_dns_support_level");
	const char *file = written(m, service, "smtp_tls_CAfile");
	enum fail_code code = SG_OK;

	if (is_empty(level) || strcmp(level, "0") == 0)
		code = make_put(m, key, "smtp_tls_loglevel", key == NULL ? level : NULL, "1", f);
	if (code == SG_OK && !without_dns(m, service) &&
	    (is_empty(dns) || strcmp(dns, "enabled") == 0))
		code = make_put(
		    m, key, "smtp_dns_support_level", key == NULL ? dns : NULL, "dnssec", f);
	if (code == SG_OK && !is_empty(m->wish->ca_file) && is_empty(file) &&
	    is_empty(written(m, service, "smtp_tls_CApath")))
		code = make_put(
		    m, key, "smtp_tls_CAfile", key == NULL ? file : NULL, m->wish->ca_file, f);
	return code;
}

/* --- main.cf --- */

/* May a client of Postfix's that asks main.cf's policy maps not reach a unix socket? */
static bool any_jailed(const struct making *m)
{
	for (size_t i = 0; i < m->base->service_count; i++) {
		const struct postconf_service *service = &m->base->services[i];

		if (plan_runs(service, "smtp") && postconf_chrooted(m->base, service))
			return true;
	}
	return false;
}

static enum fail_code put_policy(struct making *m, struct fail *f)
{
	const char *proxy = strncmp(m->wish->policy, "socketmap:unix:", 15) == 0 && any_jailed(m) ?
	                        "proxy:" :
	                        "";
	char *ours = str_printf("%s%s:all", proxy, m->wish->policy);
	enum fail_code code = ours == NULL ?
	                          make_no_memory(f) :
	                          make_put_last(m, NULL, "smtp_tls_policy_maps",
	                              postconf_set(m->base, "smtp_tls_policy_maps"), ours, f);

	free(ours);
	return code;
}

/* TLS where it is offered; not where an old setting demands more. */
static enum fail_code put_level(struct making *m, struct fail *f)
{
	const char *level = postconf_set(m->base, "smtp_tls_security_level");
	const char *enforce = postconf_set(m->base, "smtp_enforce_tls");

	if ((!is_empty(level) && strcmp(level, "none") != 0) ||
	    (is_empty(level) && enforce != NULL && postconf_true(enforce)))
		return SG_OK;
	return make_put(m, NULL, "smtp_tls_security_level", level, "may", f);
}

/* "{sealgate_routes=front smtp relay}": what the filter may route. */
static char *routes_macro(const struct making *m)
{
	char *transports = list_join(&m->wish->routing->transports, " ");
	char *macro = transports == NULL ?
	                  NULL :
	                  str_printf("{" PLAN_MACRO "=%s %s}",
	                      m->wish->routing->late ? "stage" : "front", transports);

	free(transports);
	return macro;
}

static enum fail_code put_macro(struct making *m, struct fail *f)
{
	static const char name[] = "milter_macro_defaults";
	char *macro = routes_macro(m);
	enum fail_code code = macro == NULL ? make_no_memory(f) :
	                                      make_put_list(m, NULL, name,
	                                          postconf_set(m->base, name), macro, f);

	for (size_t i = 0; code == SG_OK && i < m->base->service_count; i++) {
		const struct postconf_service *service = &m->base->services[i];

		if (plan_runs(service, "smtpd") || plan_runs(service, "cleanup"))
			code = make_put_override(m, service, name, macro, f);
	}
	free(macro);
	return code;
}

/* Postfix's settings for a transport that stand in main.cf under its name. */
static const char *const limits[] = { "_delivery_slot_cost", "_delivery_slot_discount",
	"_delivery_slot_loan", "_destination_concurrency_failed_cohort_limit",
	"_destination_concurrency_limit", "_destination_concurrency_negative_feedback",
	"_destination_concurrency_positive_feedback", "_destination_rate_delay",
	"_destination_recipient_limit", "_extra_recipient_limit",
	"_initial_destination_concurrency", "_minimum_delivery_slots", "_recipient_limit",
	"_recipient_refill_delay", "_recipient_refill_limit", "_transport_rate_delay" };

enum fail_code make_limits(
    struct making *m, const char *transport, const char *name, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < MAKE_COUNT(limits); i++) {
		char *from = str_printf("%s%s", transport, limits[i]);
		char *to = str_printf("%s%s", name, limits[i]);
		const char *value = from == NULL ? NULL : postconf_set(m->base, from);

		if (from == NULL || to == NULL)
			code = make_no_memory(f);
		else if (value != NULL)
			code = make_put(m, NULL, to, NULL, value, f);
		free(from);
		free(to);
	}
	return code;
}

enum fail_code make_tls_main(struct making *m, struct fail *f)
{
	const char *checks = postconf_set(m->base, "smtp_header_checks");
	enum fail_code code = put_macro(m, f);

	if (code == SG_OK && !is_empty(checks))
		code = make_put(m, NULL, PLAN_SMTP_CHECKS, NULL, checks, f);
	if (code != SG_OK || !m->wish->front)
		return code;
	code = put_policy(m, f);
	if (code == SG_OK)
		code = put_level(m, f);
	return code == SG_OK ? put_common(m, NULL, NULL, f) : code;
}

/* --- master.cf --- */

/* The backstop would hold what this transport shall deliver: its own route is taken off first. */
static enum fail_code put_checks(struct making *m, const struct postconf_service *service,
    const char *name, const char *key, struct fail *f)
{
	const char *own = postconf_pair(&service->options, "smtp_header_checks");
	const char *behind = "";
	char *checks;
	enum fail_code code;

	if (own != NULL)
		behind = own;
	else if (!is_empty(postconf_set(m->base, "smtp_header_checks")))
		behind = "$" PLAN_SMTP_CHECKS;
	checks = str_printf("regexp:%s/" TABLES_STRIP "%s,%s%s%s", m->wish->folder, name,
	    m->unsealed, behind[0] == '\0' ? "" : ",", behind);
	code = checks == NULL ? make_no_memory(f) :
	                        make_put(m, key, "smtp_header_checks", NULL, checks, f);
	free(checks);
	return code;
}

/* What could not be delivered goes to the administrator's fallback relays, then back to us. */
static enum fail_code put_fallback(
    struct making *m, const struct postconf_service *service, const char *key, struct fail *f)
{
	const char *there = written(m, service, "smtp_fallback_relay");
	struct str_list relays;
	char *joined;
	char *all = NULL;
	enum fail_code code;

	if (there == NULL && !is_empty(postconf_set(m->base, "fallback_relay")))
		there = "$fallback_relay";
	code = list_split(there == NULL ? "" : there, &relays);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "cannot read smtp_fallback_relay");
	joined = list_join(&relays, ",");
	if (joined != NULL)
		all = str_printf("%s%s[127.0.0.1]:%u", joined, joined[0] == '\0' ? "" : ",",
		    m->wish->fallback_port);
	code = all == NULL ? make_no_memory(f) :
	                     make_put(m, key, "smtp_fallback_relay", NULL, all, f);
	free(all);
	free(joined);
	str_list_free(&relays);
	return code;
}

static enum fail_code put_kind(
    struct making *m, enum routing_kind kind, const char *key, struct fail *f)
{
	char *map = kinds[kind].map == NULL ? str_dup("") :
	                                      str_printf("%s:%s", m->wish->policy, kinds[kind].map);
	enum fail_code code = map == NULL ? make_no_memory(f) :
	                                    make_put(m, key, "smtp_tls_policy_maps", NULL, map, f);

	free(map);
	if (code == SG_OK)
		code = make_put(m, key, "smtp_tls_security_level", NULL, kinds[kind].level, f);
	/* RFC 8689: a sender's "TLS-Required: no" weakens nothing here */
	if (code == SG_OK && postconf_pair(&m->base->all, "tls_required_enable") != NULL)
		code = make_put(m, key, "tls_required_enable", NULL, "no", f);
	return code == SG_OK ?
	           make_put_settings(m, key, sealed_settings, MAKE_COUNT(sealed_settings), f) :
	           code;
}

/* Has the plan given key this option? */
static bool has_option(const struct making *m, const char *key, const char *name)
{
	for (size_t i = m->plan->count; i > 0; i--) {
		const struct plan_change *change = &m->plan->changes[i - 1];

		if (change->service != NULL && change->name != NULL &&
		    strcmp(change->service, key) == 0 && strcmp(change->name, name) == 0)
			return true;
	}
	return false;
}

/* The other options of the service that it stands for. */
enum fail_code make_options(
    struct making *m, const struct postconf_service *service, const char *key, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < service->options.count; i++) {
		const char *name = service->options.items[i].name;

		if (!has_option(m, key, name))
			code = make_put(
			    m, key, name, NULL, postconf_pair(&service->options, name), f);
	}
	return code;
}

static enum fail_code put_service(struct making *m, const struct postconf_service *service,
    enum routing_kind kind, const char *name, const char *key, struct fail *f)
{
	char *line = str_printf("%s unix %s %s n %s %s %s", name,
	    postconf_field(service, "private"), postconf_field(service, "unprivileged"),
	    postconf_field(service, "wakeup"), postconf_field(service, "process_limit"),
	    service->program);
	enum fail_code code = line == NULL ? make_no_memory(f) :
	                                     make_put(m, key, NULL, NULL, line, f);

	free(line);
	if (code == SG_OK)
		code = put_kind(m, kind, key, f);
	if (code == SG_OK)
		code = put_common(m, service, key, f);
	if (code == SG_OK)
		code = put_checks(m, service, name, key, f);
	if (code == SG_OK && kinds[kind].falls_back)
		code = put_fallback(m, service, key, f);
	return code == SG_OK ? make_options(m, service, key, f) : code;
}

static enum fail_code make_kind(struct making *m, const struct postconf_service *service,
    enum routing_kind kind, struct fail *f)
{
	char *name = routing_name(kind, service->name);
	char *key = name == NULL ? NULL : str_printf("%s/unix", name);
	enum fail_code code = key == NULL ? make_no_memory(f) :
	                                    put_service(m, service, kind, name, key, f);

	if (code == SG_OK)
		code = make_limits(m, service->name, name, f);
	free(name);
	free(key);
	return code;
}

static const struct postconf_service *find(const struct making *m, const char *name)
{
	char *key = str_printf("%s/unix", name);
	const struct postconf_service *service = key == NULL ? NULL :
	                                                       postconf_service(m->base, key);

	free(key);
	return service;
}

enum fail_code make_sealed(struct making *m, struct fail *f)
{
	const struct str_list *transports = &m->wish->routing->transports;
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < transports->count; i++) {
		const struct postconf_service *service = find(m, transports->items[i]);

		for (int kind = 0; service != NULL && code == SG_OK && kind < ROUTING_KINDS; kind++)
			code = make_kind(m, service, (enum routing_kind)kind, f);
	}
	return code;
}

static enum fail_code check_name(
    const struct making *m, const char *transport, enum routing_kind kind, struct fail *f)
{
	char *name = routing_name(kind, transport);
	bool taken = name == NULL || find(m, name) != NULL;

	if (name == NULL)
		(void)make_no_memory(f);
	else if (taken)
		(void)fail_set(f, SG_EEXIST,
		    "rename that service, or take out by hand what is left of an earlier attach "
		    "(its record is missing)",
		    "master.cf already has a service %s/unix", name);
	free(name);
	return taken ? f->code : SG_OK;
}

enum fail_code make_sealed_free(const struct making *m, struct fail *f)
{
	const struct str_list *transports = &m->wish->routing->transports;
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < transports->count; i++) {
		const char *name = transports->items[i];

		/* "sealed-tls" would stand for two transports */
		if (strcmp(name, "tls") == 0 || strcmp(name, "any") == 0 ||
		    strncmp(name, "tls-", 4) == 0 || strncmp(name, "any-", 4) == 0)
			return fail_set(f, SG_EEXIST, "give that service another name",
			    "the transport %s in master.cf has a name that Sealgate needs", name);
		for (int kind = 0; code == SG_OK && kind < ROUTING_KINDS; kind++)
			code = check_name(m, name, (enum routing_kind)kind, f);
	}
	return code;
}
