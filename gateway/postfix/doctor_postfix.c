#include "gateway/postfix/doctor_checks.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/attach.h"
#include "gateway/postfix/list.h"
#include "gateway/postfix/plan.h"

#define ATTACH_HINT "run \"sealgate postfix attach\""

/* The oldest Postfix that has braces in lists and pipemap; 3.7 is what everything was tried on. */
#define VERSION_MIN 3000 /* major * 1000 + minor */
#define VERSION_TRIED 3007

typedef void service_check_fn(struct doctor *doctor, const struct postconf_service *service);

/* A listener of ours: the second stage, or the fallback. */
static bool is_listener(const struct doctor *doctor, const struct postconf_service *service)
{
	char *stage = plan_stage_key(doctor->conf->stage_port);
	char *fallback = plan_stage_key(doctor->conf->tls.fallback_port);
	bool is = (stage != NULL && strcmp(service->key, stage) == 0) ||
	    (fallback != NULL && strcmp(service->key, fallback) == 0);

	free(stage);
	free(fallback);
	return is;
}

/* Calls check for each service of master.cf that runs program, ours excepted. Returns how many. */
static size_t each_service(struct doctor *doctor, const char *program, service_check_fn *check)
{
	size_t count = 0;

	for (size_t i = 0; i < doctor->postfix.service_count; i++) {
		const struct postconf_service *service = &doctor->postfix.services[i];

		if (!plan_runs(service, program) || is_listener(doctor, service) ||
		    strcmp(service->name, PLAN_SEAL) == 0)
			continue;
		check(doctor, service);
		count++;
	}
	return count;
}

static const char *effective(const struct doctor *doctor, const struct postconf_service *service,
    const char *name)
{
	return postconf_effective(&doctor->postfix, service, name);
}

/* Our element of a list of milters, or NULL; the caller frees. first_out: is it the first? */
static char *our_element(const struct doctor *doctor, const char *milters, bool *first_out)
{
	struct str_list list;
	char *ours = NULL;

	*first_out = false;
	if (list_split(milters, &list) != SG_OK)
		return NULL;
	for (size_t i = 0; i < list.count && ours == NULL; i++) {
		if (!list_same(list.items[i], doctor->milter))
			continue;
		ours = str_dup(list.items[i]);
		*first_out = i == 0;
	}
	str_list_free(&list);
	return ours;
}

/*
 * With a default action of accept Postfix queues the clear body if the filter dies while it
 * replaces the body.
 */
static void check_action(struct doctor *doctor, const struct postconf_service *service,
    const char *element)
{
	char *own = list_setting(element, "default_action");
	const char *action = own != NULL ? own :
	                                   effective(doctor, service, "milter_default_action");

	if (strcmp(action, "tempfail") == 0)
		doctor_ok(doctor, "%s asks Sealgate, and defers mail without it", service->key);
	else if (strcmp(action, "accept") == 0)
		doctor_bad(doctor, ATTACH_HINT ", or write default_action=tempfail there",
		    "%s accepts mail in clear when the filter dies (default action accept)",
		    service->key);
	else
		doctor_warn(doctor, ATTACH_HINT, "%s has the default action %s, not tempfail",
		    service->key, action);
	free(own);
}

/* name is the parameter in which service finds its milters. */
static void check_list(struct doctor *doctor, const struct postconf_service *service,
    const char *name)
{
	const char *milters = effective(doctor, service, name);
	bool first;
	char *element = our_element(doctor, milters, &first);

	if (element == NULL) {
		doctor_bad(doctor, ATTACH_HINT, "%s does not ask Sealgate: its %s is \"%s\"",
		    service->key, name, milters);
		return;
	}
	check_action(doctor, service, element);
	if (!first)
		doctor_warn(doctor,
		    "put Sealgate first in that list: signatures must be made of what "
		    "leaves",
		    "%s asks another milter before Sealgate", service->key);
	free(element);
}

static bool on_loopback(const struct postconf_service *service)
{
	return strncmp(service->name, "127.", 4) == 0 ||
	    str_starts_case(service->name, "localhost:") ||
	    str_starts_case(service->name, "[::1]:") || str_starts_case(service->name, "::1:") ||
	    strcmp(service->type, "unix") == 0;
}

static bool overrides(const struct doctor *doctor, const struct postconf_service *service,
    const char *option)
{
	return list_has(effective(doctor, service, "receive_override_options"), option);
}

static void check_one_smtpd(struct doctor *doctor, const struct postconf_service *service)
{
	const char *maps = effective(doctor, service, "smtpd_milter_maps");

	if (overrides(doctor, service, "no_milters")) {
		if (on_loopback(service))
			doctor_warn(doctor,
			    "let only a content filter that gets mail from a covered "
			    "service send there",
			    "%s takes mail without milters (no_milters)", service->key);
		else
			doctor_bad(doctor, "take no_milters out of its receive_override_options",
			    "%s takes mail without milters (no_milters)", service->key);
	} else {
		check_list(doctor, service, "smtpd_milters");
	}
	if (maps[0] != '\0')
		doctor_bad(doctor,
		    "empty smtpd_milter_maps, or name Sealgate in each of its results "
		    "and give this service -o smtpd_milter_maps=",
		    "%s takes other milters for some clients (smtpd_milter_maps = %s)",
		    service->key, maps);
	if (overrides(doctor, service, "no_address_mappings"))
		doctor_bad(doctor, "take no_address_mappings out of its receive_override_options",
		    "%s does not expand aliases before the second stage (no_address_mappings)",
		    service->key);
}

void check_smtpd(struct doctor *doctor)
{
	if (each_service(doctor, "smtpd", check_one_smtpd) == 0)
		doctor_warn(doctor, NULL, "master.cf has no smtpd service");
}

/* --- local submission --- */

static void check_one_pickup(struct doctor *doctor, const struct postconf_service *service)
{
	char *key = str_printf("%s/unix", effective(doctor, service, "cleanup_service_name"));
	const struct postconf_service *cleanup = key == NULL ?
	    NULL :
	    postconf_service(&doctor->postfix, key);

	if (cleanup == NULL)
		doctor_bad(doctor, "mend master.cf", "%s has no cleanup service", service->key);
	else if (overrides(doctor, service, "no_milters"))
		doctor_bad(doctor, ATTACH_HINT, "%s takes mail without milters (no_milters)",
		    service->key);
	else
		check_list(doctor, cleanup, "non_smtpd_milters");
	if (overrides(doctor, service, "no_address_mappings"))
		doctor_bad(doctor, "take no_address_mappings out of its receive_override_options",
		    "%s does not expand aliases before the second stage (no_address_mappings)",
		    service->key);
	free(key);
}

void check_local(struct doctor *doctor)
{
	if (each_service(doctor, "pickup", check_one_pickup) == 0)
		doctor_warn(doctor, NULL, "master.cf has no pickup service");
}

/* --- the second stage and its surroundings --- */

static void check_listener(struct doctor *doctor, unsigned int port, const char *daemon,
    const char *what)
{
	char *key = plan_stage_key(port);
	const struct postconf_service *listener = key == NULL ?
	    NULL :
	    postconf_service(&doctor->postfix, key);

	if (listener == NULL)
		doctor_bad(doctor, ATTACH_HINT, "master.cf has no %s on 127.0.0.1:%u", what, port);
	else if (strcmp(effective(doctor, listener, "milter_macro_daemon_name"), daemon) != 0)
		doctor_bad(doctor, ATTACH_HINT, "%s does not say that it is the %s", listener->key,
		    what);
	else
		check_list(doctor, listener, "smtpd_milters");
	free(key);
}

void check_stage(struct doctor *doctor)
{
	check_listener(doctor, doctor->conf->stage_port, PLAN_DAEMON, "second stage");
	check_listener(doctor, doctor->conf->tls.fallback_port, PLAN_FALLBACK_DAEMON, "fallback");
}

static void check_one_client(struct doctor *doctor, const struct postconf_service *service)
{
	const char *tables = effective(doctor, service, "smtp_header_checks");
	char *wanted = str_printf("pipemap:{regexp:%s/%s/unsealed,fail:sealgate}", doctor->folder,
	    ATTACH_FOLDER);

	if (wanted != NULL && list_has(tables, wanted))
		doctor_ok(doctor, "%s holds marked mail back", service->key);
	else
		doctor_bad(doctor, ATTACH_HINT,
		    "%s would send marked mail: its smtp_header_checks "
		    "is \"%s\"",
		    service->key, tables);
	free(wanted);
}

void check_backstop(struct doctor *doctor)
{
	if (each_service(doctor, "smtp", check_one_client) == 0)
		doctor_ok(doctor, "master.cf has no SMTP client");
}

/* What milters do to bodies, by the names that their sockets usually have. */
static const struct {
	const char *name;
	bool changes;
} known_milters[] = {
	{ "opendkim", false },
	{ "opendmarc", false },
	{ "openarc", false },
	{ "dkim", false },
	{ "dmarc", false },
	{ "arc", false },
	{ "spf", false },
	{ "clamav", false },
	{ "clmilter", false },
	{ "postgrey", false },
	{ "greylist", false },
	{ "8891", false },
	{ "8893", false },
	{ "mimedefang", true },
	{ "altermime", true },
	{ "disclaimer", true },
	{ "signature", true },
	{ "footer", true },
	{ "spamass", true },
	{ "amavis", true },
};

static void check_one_behind(struct doctor *doctor, const char *milter)
{
	for (size_t i = 0; i < sizeof(known_milters) / sizeof(known_milters[0]); i++) {
		if (strcasestr(milter, known_milters[i].name) == NULL)
			continue;
		if (known_milters[i].changes)
			doctor_bad(doctor,
			    "put it before Sealgate, or take it out: what it changes "
			    "behind Sealgate breaks the mark, and flagged mail cannot be sealed",
			    "%s changes bodies and stands behind Sealgate", milter);
		else
			doctor_ok(doctor, "%s stands behind Sealgate and leaves bodies alone",
			    milter);
		return;
	}
	doctor_warn(doctor, "make sure that it never changes bodies",
	    "%s stands behind Sealgate and "
	    "is not known here",
	    milter);
}

/* A milter of the second stage: ours, or one that stands behind us. */
static bool check_element(struct doctor *doctor, const char *element)
{
	char *subject = list_subject(element);
	bool behind = subject != NULL && strcmp(subject, doctor->milter) != 0;

	if (subject == NULL)
		doctor->incomplete = true;
	else if (behind)
		check_one_behind(doctor, subject);
	free(subject);
	return behind;
}

void check_behind(struct doctor *doctor)
{
	char *key = plan_stage_key(doctor->conf->stage_port);
	const struct postconf_service *stage = key == NULL ?
	    NULL :
	    postconf_service(&doctor->postfix, key);
	const char *milters = stage == NULL ? "" : effective(doctor, stage, "smtpd_milters");
	struct str_list list;
	bool any = false;

	free(key);
	if (list_split(milters, &list) != SG_OK) {
		doctor_bad(doctor, NULL, "cannot read \"%s\"", milters);
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		any = check_element(doctor, list.items[i]) || any;
	if (!any)
		doctor_ok(doctor, "no milter stands behind Sealgate");
	str_list_free(&list);
}

static void check_one_filter(struct doctor *doctor, const struct postconf_service *service)
{
	static const char *const names[] = { "content_filter", "smtpd_proxy_filter" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = effective(doctor, service, names[i]);

		if (value[0] != '\0')
			doctor_warn(doctor,
			    "flagged mail goes to the second stage instead: make sure "
			    "that nothing else depends on it",
			    "%s sends mail through %s = %s", service->key, names[i], value);
	}
}

void check_filters(struct doctor *doctor)
{
	size_t before = doctor->count;

	(void)each_service(doctor, "smtpd", check_one_filter);
	(void)each_service(doctor, "pickup", check_one_filter);
	if (doctor->count == before)
		doctor_ok(doctor, "no content filter");
}

void check_nexthop(struct doctor *doctor)
{
	const char *value = postconf_get(&doctor->postfix, "default_filter_nexthop");

	if (value[0] != '\0')
		doctor_bad(doctor, "write default_filter_nexthop = in main.cf",
		    "default_filter_nexthop is \"%s\" and must be empty", value);
	else
		doctor_ok(doctor, "default_filter_nexthop is empty");
}

/* --- deliveries that may forward --- */

/* Does a "transport:nexthop" value go to an LMTP client or to pipe(8)? */
static bool goes_out_of_sight(const struct doctor *doctor, const char *transport)
{
	size_t size = strcspn(transport, ":");
	char *key = str_printf("%.*s/unix", (int)size, transport);
	const struct postconf_service *service = key == NULL ?
	    NULL :
	    postconf_service(&doctor->postfix, key);

	free(key);
	return service != NULL && (plan_runs(service, "lmtp") || plan_runs(service, "pipe"));
}

void check_deliveries(struct doctor *doctor)
{
	static const char *const transports[] = { "mailbox_transport", "fallback_transport",
		"local_transport", "virtual_transport", "relay_transport", "default_transport" };
	static const char *const commands[] = { "mailbox_command", "mailbox_command_maps",
		"mailbox_transport_maps", "fallback_transport_maps" };
	static const char hint[] =
	    "whatever delivers there must not forward outside: it would send "
	    "the inside copies of flagged mail on in clear";
	size_t before = doctor->count;

	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		const char *value = postconf_get(&doctor->postfix, transports[i]);

		if (goes_out_of_sight(doctor, value))
			doctor_warn(doctor, hint, "%s = %s", transports[i], value);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *value = postconf_get(&doctor->postfix, commands[i]);

		if (value[0] != '\0')
			doctor_warn(doctor, hint, "%s = %s", commands[i], value);
	}
	if (doctor->count == before)
		doctor_ok(doctor,
		    "no LMTP or pipe delivery in main.cf (transport_maps not looked at)");
}

/* --- the rest --- */

void check_limits(struct doctor *doctor)
{
	const char *text = postconf_get(&doctor->postfix, "message_size_limit");
	size_t ours = doctor->conf->message.size_max;
	uint64_t limit;

	if (str_parse_u64(text, 0, UINT64_MAX, &limit) != SG_OK)
		doctor_bad(doctor, "write a number", "message_size_limit is \"%s\"", text);
	else if (limit == 0 || limit > ours)
		doctor_warn(doctor,
		    "set message_size_limit to message.size_max or below, so that "
		    "Postfix refuses at MAIL FROM what Sealgate would refuse later",
		    "message_size_limit %s is above message.size_max %zu", text, ours);
	else
		doctor_ok(doctor, "message_size_limit %s is within message.size_max %zu", text,
		    ours);
}

void check_soft_bounce(struct doctor *doctor)
{
	if (postconf_true(postconf_get(&doctor->postfix, "soft_bounce")))
		doctor_warn(doctor, "write soft_bounce = no in main.cf",
		    "soft_bounce is on: what Sealgate refuses is tried again and again");
	else
		doctor_ok(doctor, "soft_bounce is off");
}

/* "3.7.11" -> 3007; 0 if it is no version. */
static unsigned int version_number(const char *text)
{
	size_t size = strcspn(text, ".");
	char *major = str_dup_n(text, size);
	char *minor = text[size] == '.' ?
	    str_dup_n(text + size + 1, strspn(text + size + 1, "0123456789")) :
	    NULL;
	uint64_t a = 0;
	uint64_t b = 0;
	bool ok = major != NULL && minor != NULL && str_parse_u64(major, 0, 999, &a) == SG_OK &&
	    str_parse_u64(minor, 0, 999, &b) == SG_OK;

	free(major);
	free(minor);
	return ok ? (unsigned int)(a * 1000 + b) : 0;
}

void check_version(struct doctor *doctor)
{
	const char *text = postconf_get(&doctor->postfix, "mail_version");
	unsigned int version = version_number(text);

	if (version < VERSION_MIN)
		doctor_bad(doctor, "use Postfix 3.7 or newer", "Postfix %s is too old", text);
	else if (version < VERSION_TRIED)
		doctor_warn(doctor, "use Postfix 3.7 or newer",
		    "Postfix %s is older than what Sealgate was tried on", text);
	else
		doctor_ok(doctor, "Postfix %s", text);
}
