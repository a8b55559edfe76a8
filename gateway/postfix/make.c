#include "gateway/postfix/plan.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/list.h"

/* What a plan is made from; texts that several steps need. */
struct making {
	const struct postconf *base;
	const struct plan_wish *wish;
	struct plan *plan;
	char *entry; /* "{ unix:..., default_action=tempfail }" */
	char *compact; /* the same without white space */
	char *routes; /* "regexp:S/routes" */
	char *requeue;
	char *unsealed; /* the backstop's table */
	char *stage; /* key of the second stage */
	char *behind; /* the milters that stand behind us in the second stage */
};

struct setting {
	const char *name;
	const char *value;
};

/* Deliveries to the second stage: plain SMTP on loopback, whatever main.cf says about the world. */
static const struct setting seal_settings[] = {
	{ "smtp_fallback_relay", "" },
	{ "smtp_tls_security_level", "none" },
	{ "smtp_tls_policy_maps", "" },
	{ "smtp_sasl_auth_enable", "no" },
	{ "smtp_sender_dependent_authentication", "no" },
	{ "smtp_bind_address", "" },
	{ "smtp_bind_address6", "" },
	{ "smtp_reply_filter", "" },
	{ "smtp_delivery_status_filter", "" },
	{ "soft_bounce", "no" },
	{ "smtp_generic_maps", "" },
	{ "smtp_header_checks", "" },
	{ "smtp_mime_header_checks", "" },
	{ "smtp_nested_header_checks", "" },
	{ "smtp_body_checks", "" },
	{ "smtp_line_length_limit", "0" },
	{ "disable_mime_output_conversion", "yes" },
	{ "smtp_discard_ehlo_keywords", "" },
	{ "smtp_discard_ehlo_keyword_address_maps", "" },
	{ "smtp_send_xforward_command", "yes" },
	{ "smtp_data_done_timeout", "600s" },
};

/* The second stage itself, after its milters. */
static const struct setting stage_settings[] = {
	{ "smtpd_milter_maps", "" },
	{ "milter_macro_daemon_name", PLAN_DAEMON },
	{ "cleanup_service_name", PLAN_SEAL_CLEANUP },
	{ "receive_override_options", "no_address_mappings,no_header_body_checks" },
	{ "message_size_limit", "0" },
	{ "content_filter", "" },
	{ "smtpd_proxy_filter", "" },
	{ "soft_bounce", "no" },
	{ "mynetworks", "127.0.0.0/8" },
	{ "smtpd_authorized_xforward_hosts", "127.0.0.0/8" },
	{ "local_header_rewrite_clients", "" },
	{ "smtpd_client_restrictions", "permit_mynetworks,reject" },
	{ "smtpd_relay_restrictions", "permit_mynetworks,reject" },
	{ "smtpd_recipient_restrictions", "permit_mynetworks,reject" },
	{ "smtpd_helo_restrictions", "" },
	{ "smtpd_sender_restrictions", "" },
	{ "smtpd_data_restrictions", "" },
	{ "smtpd_end_of_data_restrictions", "" },
	{ "smtpd_helo_required", "no" },
	{ "smtpd_reject_unlisted_sender", "no" },
	{ "smtpd_reject_unlisted_recipient", "no" },
	{ "smtpd_command_filter", "" },
	{ "smtpd_discard_ehlo_keywords", "" },
	{ "smtpd_discard_ehlo_keyword_address_maps", "" },
	{ "smtpd_sasl_auth_enable", "no" },
	{ "smtpd_tls_security_level", "none" },
	{ "smtpd_soft_error_limit", "1001" },
	{ "smtpd_hard_error_limit", "1000" },
	{ "smtpd_client_connection_count_limit", "0" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory");
}

static enum fail_code put(struct making *m, const char *service, const char *name, const char *old,
    const char *new, struct fail *f)
{
	return plan_put(m->plan, &(struct plan_text){ service, name, old, new, NULL }, f);
}

static enum fail_code put_settings(struct making *m, const char *service,
    const struct setting *settings, size_t count, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < count; i++)
		code = put(m, service, settings[i].name, NULL, settings[i].value, f);
	return code;
}

/* A list with our element first. postconf takes no white space into master.cf: "," parts there. */
static enum fail_code put_list(struct making *m, const char *service, const char *name,
    const char *old, const char *ours, struct fail *f)
{
	char *new = list_put_first(old == NULL ? "" : old, ours, service == NULL ? ", " : ",");
	enum fail_code code;

	if (new == NULL)
		return no_memory(f);
	code = plan_put(m->plan, &(struct plan_text){ service, name, old, new, ours }, f);
	free(new);
	return code;
}

/* An option that overrides one of main.cf's lists gets our element as well. */
static enum fail_code put_override(struct making *m, const struct postconf_service *service,
    const char *name, const char *ours, struct fail *f)
{
	const char *old = postconf_pair(&service->options, name);

	return old == NULL ? SG_OK : put_list(m, service->key, name, old, ours, f);
}

static enum fail_code put_milters(struct making *m, const struct postconf_service *service,
    const char *name, struct fail *f)
{
	const char *old = service == NULL ? postconf_set(m->base, name) :
	                                    postconf_pair(&service->options, name);

	if (!m->wish->front || (service != NULL && old == NULL) ||
	    (old != NULL && plan_refers(old)))
		return SG_OK;
	return service == NULL ? put_list(m, NULL, name, old, m->entry, f) :
	                         put_list(m, service->key, name, old, m->compact, f);
}

/* --- the milters behind us --- */

static enum fail_code behind_add(struct making *m, const char *milters, struct fail *f)
{
	struct str_list list;
	enum fail_code code = milters == NULL ? SG_OK : list_split(milters, &list);

	if (milters == NULL)
		return SG_OK;
	for (size_t i = 0; code == SG_OK && i < list.count; i++) {
		const char *element = list.items[i];
		char *longer;

		if (plan_refers(element) || list_same(element, m->entry) ||
		    list_has(m->behind, element))
			continue;
		longer = str_printf("%s%s%s", m->behind, m->behind[0] == '\0' ? "" : ", ", element);
		if (longer == NULL) {
			code = SG_ENOMEM;
			break;
		}
		free(m->behind);
		m->behind = longer;
	}
	str_list_free(&list);
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "cannot read \"%s\"", milters);
}

/* Every milter of the front: whoever signs there must sign what leaves the second stage. */
static enum fail_code behind_collect(struct making *m, struct fail *f)
{
	enum fail_code code = behind_add(m, postconf_set(m->base, "smtpd_milters"), f);

	if (code == SG_OK)
		code = behind_add(m, postconf_set(m->base, "non_smtpd_milters"), f);
	for (size_t i = 0; code == SG_OK && i < m->base->service_count; i++) {
		const struct postconf_service *service = &m->base->services[i];

		if (plan_runs(service, "smtpd"))
			code = behind_add(m, postconf_pair(&service->options, "smtpd_milters"), f);
	}
	return code;
}

/* --- main.cf --- */

static enum fail_code make_main(struct making *m, struct fail *f)
{
	static const struct setting settings[] = { { "seal_destination_recipient_limit", "1" },
		{ "seal_destination_rate_delay", "0" } };
	enum fail_code code = put_milters(m, NULL, "smtpd_milters", f);

	if (code == SG_OK)
		code = put_milters(m, NULL, "non_smtpd_milters", f);
	if (code == SG_OK)
		code = put_list(m, NULL, "milter_header_checks",
		    postconf_set(m->base, "milter_header_checks"), m->routes, f);
	if (code == SG_OK)
		code = put_list(m, NULL, "smtp_header_checks",
		    postconf_set(m->base, "smtp_header_checks"), m->unsealed, f);
	if (code == SG_OK)
		code = put_settings(m, NULL, settings, COUNT(settings), f);
	if (code == SG_OK && m->behind[0] != '\0')
		code = put(m, NULL, PLAN_BEHIND, NULL, m->behind, f);
	return code;
}

/* --- master.cf: what is there --- */

static enum fail_code make_cleanup(struct making *m, const struct postconf_service *service,
    struct fail *f)
{
	enum fail_code code = put(m, service->key, "message_size_limit",
	    postconf_pair(&service->options, "message_size_limit"), "0", f);

	if (code == SG_OK)
		code = put_override(m, service, "milter_header_checks", m->routes, f);
	if (code == SG_OK)
		code = put_milters(m, service, "non_smtpd_milters", f);
	return code;
}

/* pickup must not switch off what brings requeued mail back to the second stage. */
static enum fail_code make_pickup_overrides(struct making *m,
    const struct postconf_service *service, struct fail *f)
{
	const char *old = postconf_pair(&service->options, "receive_override_options");
	const char *now = postconf_effective(m->base, service, "receive_override_options");
	char *some;
	char *rest;
	enum fail_code code = SG_OK;

	if (!list_has(now, "no_header_body_checks") && !list_has(now, "no_milters"))
		return SG_OK;
	some = list_without(now, "no_header_body_checks");
	rest = some == NULL ? NULL : list_without(some, "no_milters");
	if (rest == NULL)
		code = no_memory(f);
	else
		code = put(m, service->key, "receive_override_options", old, rest, f);
	free(some);
	free(rest);
	return code;
}

static enum fail_code make_pickup(struct making *m, const struct postconf_service *service,
    struct fail *f)
{
	enum fail_code code = put(m, service->key, "cleanup_service_name",
	    postconf_pair(&service->options, "cleanup_service_name"), PLAN_SEAL_PICKUP, f);

	return code == SG_OK ? make_pickup_overrides(m, service, f) : code;
}

static enum fail_code make_existing(struct making *m, const struct postconf_service *service,
    struct fail *f)
{
	if (plan_runs(service, "cleanup"))
		return make_cleanup(m, service, f);
	if (plan_runs(service, "pickup"))
		return make_pickup(m, service, f);
	if (plan_runs(service, "smtpd"))
		return put_milters(m, service, "smtpd_milters", f);
	if (plan_runs(service, "smtp"))
		return put_override(m, service, "smtp_header_checks", m->unsealed, f);
	if (plan_runs(service, "bounce") &&
	    (strcmp(service->name, "bounce") == 0 || strcmp(service->name, "defer") == 0))
		return put(m, service->key, "bounce_size_limit",
		    postconf_pair(&service->options, "bounce_size_limit"), "1", f);
	return SG_OK;
}

/* --- master.cf: our services --- */

/* The cleanup service that pickup uses now. */
static const struct postconf_service *pickup_cleanup(const struct postconf *base)
{
	for (size_t i = 0; i < base->service_count; i++) {
		const struct postconf_service *service = &base->services[i];
		const struct postconf_service *cleanup;
		char *key;

		if (!plan_runs(service, "pickup"))
			continue;
		key = str_printf("%s/unix",
		    postconf_effective(base, service, "cleanup_service_name"));
		cleanup = key == NULL ? NULL : postconf_service(base, key);
		free(key);
		return cleanup;
	}
	return NULL;
}

/* The options of the cleanup service that it stands for; their lists get our elements. */
static enum fail_code clone_options(struct making *m, const struct postconf_service *cleanup,
    const char *key, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < cleanup->options.count; i++) {
		const struct postconf_pair *pair = &cleanup->options.items[i];
		char *value = NULL;

		if (strcmp(pair->name, "message_size_limit") == 0 ||
		    strcmp(pair->name, "header_checks") == 0)
			continue;
		if (strcmp(pair->name, "milter_header_checks") == 0)
			value = list_put_first(pair->value, m->routes, ",");
		else if (strcmp(pair->name, "non_smtpd_milters") == 0 && m->wish->front &&
		    !plan_refers(pair->value))
			value = list_put_first(pair->value, m->compact, ",");
		else
			value = str_dup(pair->value);
		code = value == NULL ? no_memory(f) : put(m, key, pair->name, NULL, value, f);
		free(value);
	}
	return code;
}

/*
 * Our header checks are for the message's own header fields: what others had for header fields of
 * parts and of attached messages takes its value from header_checks unless it is set.
 */
static enum fail_code nested_checks(struct making *m, const struct postconf_service *cleanup,
    const char *key, const char *checks, struct fail *f)
{
	static const char *const names[] = { "mime_header_checks", "nested_header_checks" };
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < COUNT(names); i++) {
		if (postconf_pair(&cleanup->options, names[i]) == NULL &&
		    postconf_set(m->base, names[i]) == NULL)
			code = put(m, key, names[i], NULL, checks, f);
	}
	return code;
}

static enum fail_code pickup_checks(struct making *m, const struct postconf_service *cleanup,
    const char *key, struct fail *f)
{
	const char *old = postconf_pair(&cleanup->options, "header_checks");
	enum fail_code code = SG_OK;
	char *checks;
	bool any;

	if (old == NULL)
		old = postconf_set(m->base, "header_checks");
	any = old != NULL && old[0] != '\0';
	/* through a parameter of main.cf, since tables written in place may have white space */
	if (any)
		code = put(m, NULL, PLAN_CHECKS, NULL, old, f);
	if (code != SG_OK)
		return code;
	checks = str_printf("%s%s", m->requeue, any ? ",$" PLAN_CHECKS : "");
	if (checks == NULL)
		return no_memory(f);
	code = put(m, key, "header_checks", NULL, checks, f);
	free(checks);
	return code == SG_OK ? nested_checks(m, cleanup, key, any ? "$" PLAN_CHECKS : "", f) : code;
}

static enum fail_code make_seal_pickup(struct making *m, struct fail *f)
{
	const char *key = PLAN_SEAL_PICKUP "/unix";
	const struct postconf_service *cleanup = pickup_cleanup(m->base);
	enum fail_code code;
	char *line;

	if (cleanup == NULL)
		return fail_set(f, SG_EUSAGE, "master.cf needs pickup and cleanup",
		    "no pickup service in master.cf, or no cleanup service behind it");
	line = str_printf(PLAN_SEAL_PICKUP " unix n - %s - 0 cleanup",
	    postconf_chrooted(m->base, cleanup) ? "y" : "n");
	if (line == NULL)
		return no_memory(f);
	code = put(m, key, NULL, NULL, line, f);
	free(line);
	if (code == SG_OK)
		code = put(m, key, "message_size_limit", NULL, "0", f);
	if (code == SG_OK)
		code = pickup_checks(m, cleanup, key, f);
	return code == SG_OK ? clone_options(m, cleanup, key, f) : code;
}

static enum fail_code make_seal_cleanup(struct making *m, struct fail *f)
{
	static const struct setting settings[] = { { "message_size_limit", "0" },
		{ "soft_bounce", "no" } };
	const char *key = PLAN_SEAL_CLEANUP "/unix";
	enum fail_code code = put(m, key, NULL, NULL, PLAN_SEAL_CLEANUP " unix n - n - 0 cleanup",
	    f);

	return code == SG_OK ? put_settings(m, key, settings, COUNT(settings), f) : code;
}

/* One recipient a delivery: only the number of processes bounds it (300 recipients took 2.9 s). */
static enum fail_code make_seal(struct making *m, struct fail *f)
{
	const char *key = PLAN_SEAL "/unix";
	enum fail_code code = put(m, key, NULL, NULL, PLAN_SEAL " unix - - n - 10 smtp", f);

	return code == SG_OK ? put_settings(m, key, seal_settings, COUNT(seal_settings), f) : code;
}

static enum fail_code make_stage(struct making *m, struct fail *f)
{
	char *line = str_printf("127.0.0.1:%u inet n - n - 20 smtpd", m->wish->port);
	char *milters = str_printf("%s%s", m->compact,
	    m->behind[0] == '\0' ? "" : ",$" PLAN_BEHIND);
	enum fail_code code = line == NULL || milters == NULL ? no_memory(f) : SG_OK;

	if (code == SG_OK)
		code = put(m, m->stage, NULL, NULL, line, f);
	if (code == SG_OK)
		code = put(m, m->stage, "smtpd_milters", NULL, milters, f);
	if (code == SG_OK)
		code = put_settings(m, m->stage, stage_settings, COUNT(stage_settings), f);
	free(line);
	free(milters);
	return code;
}

/* --- what is in the way --- */

static bool takes_port(const struct postconf_service *service, unsigned int port)
{
	const char *colon = strrchr(service->name, ':');
	uint64_t number;

	return strcmp(service->type, "inet") == 0 &&
	    str_parse_u64(colon == NULL ? service->name : colon + 1, port, port, &number) == SG_OK;
}

static enum fail_code check_free(const struct making *m, struct fail *f)
{
	static const char *const keys[] = { PLAN_SEAL "/unix", PLAN_SEAL_CLEANUP "/unix",
		PLAN_SEAL_PICKUP "/unix" };

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (postconf_service(m->base, keys[i]) != NULL)
			return fail_set(f, SG_EEXIST,
			    "rename that service, or take out by hand what "
			    "is left of an earlier attach (its record is missing)",
			    "master.cf already has a service %s", keys[i]);
	}
	for (size_t i = 0; i < m->base->service_count; i++) {
		if (takes_port(&m->base->services[i], m->wish->port))
			return fail_set(f, SG_EEXIST, "choose another stage_port in sealgate.conf",
			    "%s in master.cf already has port %u", m->base->services[i].key,
			    m->wish->port);
	}
	return SG_OK;
}

static enum fail_code make_texts(struct making *m, struct fail *f)
{
	const struct plan_wish *wish = m->wish;

	m->entry = str_printf("{ %s, default_action=tempfail }", wish->milter);
	m->compact = str_printf("{%s,default_action=tempfail}", wish->milter);
	m->routes = str_printf("regexp:%s/routes", wish->folder);
	m->requeue = str_printf("regexp:%s/requeue", wish->folder);
	m->unsealed = str_printf("pipemap:{regexp:%s/unsealed,fail:sealgate}", wish->folder);
	m->stage = plan_stage_key(wish->port);
	m->behind = str_dup("");
	if (m->entry == NULL || m->compact == NULL || m->routes == NULL || m->requeue == NULL ||
	    m->unsealed == NULL || m->stage == NULL || m->behind == NULL)
		return no_memory(f);
	return SG_OK;
}

static enum fail_code make_all(struct making *m, struct fail *f)
{
	enum fail_code code = check_free(m, f);

	if (code == SG_OK)
		code = behind_collect(m, f);
	if (code == SG_OK)
		code = make_main(m, f);
	for (size_t i = 0; code == SG_OK && i < m->base->service_count; i++)
		code = make_existing(m, &m->base->services[i], f);
	if (code == SG_OK)
		code = make_seal(m, f);
	if (code == SG_OK)
		code = make_seal_cleanup(m, f);
	if (code == SG_OK)
		code = make_seal_pickup(m, f);
	if (code == SG_OK)
		code = make_stage(m, f);
	return code;
}

enum fail_code plan_make(const struct postconf *base, const struct plan_wish *wish,
    struct plan *out, struct fail *f)
{
	struct making m = { .base = base, .wish = wish, .plan = out };
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	code = make_texts(&m, f);
	if (code == SG_OK)
		code = make_all(&m, f);
	free(m.entry);
	free(m.compact);
	free(m.routes);
	free(m.requeue);
	free(m.unsealed);
	free(m.stage);
	free(m.behind);
	if (code != SG_OK)
		plan_free(out);
	return code;
}
