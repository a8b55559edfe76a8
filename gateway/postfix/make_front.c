#include "gateway/postfix/make.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/list.h"

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
enum fail_code make_behind(struct making *m, struct fail *f)
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

enum fail_code make_main(struct making *m, struct fail *f)
{
	/* a large list keeps so many of its recipients at work, and leaves the workers to others */
	static const struct make_setting settings[] = { { "seal_destination_recipient_limit", "1" },
		{ "seal_destination_rate_delay", "0" },
		{ "seal_destination_concurrency_limit", "8" } };
	enum fail_code code = make_put_milters(m, NULL, "smtpd_milters", f);

	if (code == SG_OK)
		code = make_put_milters(m, NULL, "non_smtpd_milters", f);
	if (code == SG_OK)
		code = make_put_list(m, NULL, "milter_header_checks",
		    postconf_set(m->base, "milter_header_checks"), m->routes, f);
	if (code == SG_OK)
		code = make_put_list(m, NULL, "smtp_header_checks",
		    postconf_set(m->base, "smtp_header_checks"), m->unsealed, f);
	if (code == SG_OK)
		code = make_put_settings(m, NULL, settings, MAKE_COUNT(settings), f);
	if (code == SG_OK && m->behind[0] != '\0')
		code = make_put(m, NULL, PLAN_BEHIND, NULL, m->behind, f);
	return code;
}

/* --- master.cf: what is there --- */

static enum fail_code make_cleanup(
    struct making *m, const struct postconf_service *service, struct fail *f)
{
	enum fail_code code = make_put(m, service->key, "message_size_limit",
	    postconf_pair(&service->options, "message_size_limit"), "0", f);

	if (code == SG_OK)
		code = make_put_override(m, service, "milter_header_checks", m->routes, f);
	if (code == SG_OK)
		code = make_put_milters(m, service, "non_smtpd_milters", f);
	return code;
}

/* pickup must not switch off what brings requeued mail back to the second stage. */
static enum fail_code make_pickup_overrides(
    struct making *m, const struct postconf_service *service, struct fail *f)
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
		code = make_no_memory(f);
	else
		code = make_put(m, service->key, "receive_override_options", old, rest, f);
	free(some);
	free(rest);
	return code;
}

static enum fail_code make_pickup(
    struct making *m, const struct postconf_service *service, struct fail *f)
{
	enum fail_code code = make_put(m, service->key, "cleanup_service_name",
	    postconf_pair(&service->options, "cleanup_service_name"), PLAN_SEAL_PICKUP, f);

	return code == SG_OK ? make_pickup_overrides(m, service, f) : code;
}

enum fail_code make_existing(
    struct making *m, const struct postconf_service *service, struct fail *f)
{
	if (plan_runs(service, "cleanup"))
		return make_cleanup(m, service, f);
	if (plan_runs(service, "pickup"))
		return make_pickup(m, service, f);
	if (plan_runs(service, "smtpd"))
		return make_put_milters(m, service, "smtpd_milters", f);
	if (plan_runs(service, "smtp"))
		return make_put_override(m, service, "smtp_header_checks", m->unsealed, f);
	if (plan_runs(service, "bounce") &&
	    (strcmp(service->name, "bounce") == 0 || strcmp(service->name, "defer") == 0))
		return make_put(m, service->key, "bounce_size_limit",
		    postconf_pair(&service->options, "bounce_size_limit"), "1", f);
	return SG_OK;
}
