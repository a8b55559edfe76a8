#include "gateway/postfix/make.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/list.h"

/* Deliveries to the second stage: plain SMTP on loopback, whatever main.cf says about the world. */
static const struct make_setting seal_settings[] = {
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

/* The second stage and the fallback, after their milters. */
static const struct make_setting listener_settings[] = {
	{ "smtpd_milter_maps", "" },
	{ "cleanup_service_name", PLAN_SEAL_CLEANUP },
	{ "receive_override_options", "no_address_mappings,no_header_body_checks" },
	{ "message_size_limit", "0" },
	{ "content_filter", "" },
	{ "smtpd_proxy_filter", "" },
	{ "soft_bounce", "no" },
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
		key = str_printf(
		    "%s/unix", postconf_effective(base, service, "cleanup_service_name"));
		cleanup = key == NULL ? NULL : postconf_service(base, key);
		free(key);
		return cleanup;
	}
	return NULL;
}

/* The options of the cleanup service that it stands for; their lists get our elements. */
static enum fail_code clone_options(
    struct making *m, const struct postconf_service *cleanup, const char *key, struct fail *f)
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
		code = value == NULL ? make_no_memory(f) :
		                       make_put(m, key, pair->name, NULL, value, f);
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

	for (size_t i = 0; code == SG_OK && i < MAKE_COUNT(names); i++) {
		if (postconf_pair(&cleanup->options, names[i]) == NULL &&
		    postconf_set(m->base, names[i]) == NULL)
			code = make_put(m, key, names[i], NULL, checks, f);
	}
	return code;
}

static enum fail_code pickup_checks(
    struct making *m, const struct postconf_service *cleanup, const char *key, struct fail *f)
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
		code = make_put(m, NULL, PLAN_CHECKS, NULL, old, f);
	if (code != SG_OK)
		return code;
	checks = str_printf("%s%s", m->requeue, any ? ",$" PLAN_CHECKS : "");
	if (checks == NULL)
		return make_no_memory(f);
	code = make_put(m, key, "header_checks", NULL, checks, f);
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
		return make_no_memory(f);
	code = make_put(m, key, NULL, NULL, line, f);
	free(line);
	if (code == SG_OK)
		code = make_put(m, key, "message_size_limit", NULL, "0", f);
	if (code == SG_OK)
		code = pickup_checks(m, cleanup, key, f);
	return code == SG_OK ? clone_options(m, cleanup, key, f) : code;
}

static enum fail_code make_seal_cleanup(struct making *m, struct fail *f)
{
	static const struct make_setting settings[] = { { "message_size_limit", "0" },
		{ "soft_bounce", "no" } };
	const char *key = PLAN_SEAL_CLEANUP "/unix";
	enum fail_code code = make_put(
	    m, key, NULL, NULL, PLAN_SEAL_CLEANUP " unix n - n - 0 cleanup", f);

	return code == SG_OK ? make_put_settings(m, key, settings, MAKE_COUNT(settings), f) : code;
}

/* One recipient a delivery: only the number of processes bounds it (300 recipients took 2.9 s). */
static enum fail_code make_seal(struct making *m, struct fail *f)
{
	const char *key = PLAN_SEAL "/unix";
	enum fail_code code = make_put(m, key, NULL, NULL, PLAN_SEAL " unix - - n - 10 smtp", f);

	if (code == SG_OK)
		code = make_put(m, key, "smtp_generic_maps", NULL, m->decode, f);
	return code == SG_OK ?
	           make_put_settings(m, key, seal_settings, MAKE_COUNT(seal_settings), f) :
	           code;
}

/*
 * A listener on loopback. networks: whose mail it takes. What stands behind us there must be what
 * stands behind us at the front.
 */
static enum fail_code make_listener(struct making *m, const char *key, unsigned int port,
    const char *daemon, const char *networks, struct fail *f)
{
	char *line = str_printf("127.0.0.1:%u inet n - n - 20 smtpd", port);
	char *milters = str_printf(
	    "%s%s", m->compact, m->behind[0] == '\0' ? "" : ",$" PLAN_BEHIND);
	enum fail_code code = line == NULL || milters == NULL ? make_no_memory(f) : SG_OK;

	if (code == SG_OK)
		code = make_put(m, key, NULL, NULL, line, f);
	if (code == SG_OK)
		code = make_put(m, key, "smtpd_milters", NULL, milters, f);
	if (code == SG_OK)
		code = make_put(m, key, "milter_macro_daemon_name", NULL, daemon, f);
	if (code == SG_OK)
		code = make_put(m, key, "mynetworks", NULL, networks, f);
	if (code == SG_OK)
		code = make_put_settings(
		    m, key, listener_settings, MAKE_COUNT(listener_settings), f);
	free(line);
	free(milters);
	return code;
}

enum fail_code make_stages(struct making *m, struct fail *f)
{
	enum fail_code code = make_seal(m, f);

	if (code == SG_OK)
		code = make_seal_cleanup(m, f);
	if (code == SG_OK)
		code = make_seal_pickup(m, f);
	if (code == SG_OK)
		code = make_listener(m, m->stage, m->wish->port, PLAN_DAEMON, "127.0.0.0/8", f);
	/* smtp_bind_address holds for loopback, too: deliveries may come from any own address */
	if (code == SG_OK && m->tls)
		code = make_listener(m, m->fallback, m->wish->fallback_port, PLAN_FALLBACK_DAEMON,
		    "0.0.0.0/0", f);
	return code;
}
