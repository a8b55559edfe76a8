/* What local(8) forwards: does it come back to the second stage? */
#include "gateway/postfix/doctor_checks.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/attach.h"
#include "gateway/postfix/list.h"
#include "gateway/postfix/plan.h"

#define ATTACH_HINT "run \"sealgate postfix attach\""

/* A parameter of a service of ours, and the table of ours that it must have. */
static const struct {
	const char *service;
	const char *name;
	const char *table;
} parts[] = {
	{ PLAN_LOCAL "/unix", "cleanup_service_name", NULL },
	{ PLAN_FORWARD "/unix", "virtual_alias_maps", "unionmap:{inline:{@.=-},regexp:%s/encode}" },
	{ PLAN_REWRITE "/unix", "local_transport", NULL },
	{ PLAN_SEAL "/unix", "smtp_generic_maps", "regexp:%s/decode" },
};

/* format has one "%s" for the folder of our tables. The caller frees. */
static char *table_named(const struct doctor *doctor, const char *format)
{
	const char *at = strstr(format, "%s");

	return str_printf("%.*s%s/" ATTACH_FOLDER "%s", (int)(at - format), format, doctor->folder,
	    at + 2);
}

static bool is_there(
    const struct doctor *doctor, const char *key, const char *name, const char *format)
{
	const struct postconf_service *service = postconf_service(&doctor->postfix, key);
	char *wanted;
	bool is;

	if (service == NULL || format == NULL)
		return service != NULL;
	wanted = table_named(doctor, format);
	is = wanted != NULL &&
	    list_has(postconf_effective(&doctor->postfix, service, name), wanted);
	free(wanted);
	return is;
}

/* Whoever resolves addresses must ask our table first. */
static bool resolves(struct doctor *doctor, const struct postconf_service *service)
{
	const char *maps = postconf_effective(&doctor->postfix, service, "transport_maps");
	char *wanted = table_named(doctor, "regexp:%s/forwards");
	struct str_list list = { NULL, 0 };
	bool first = wanted != NULL && list_split(maps, &list) == SG_OK && list.count > 0 &&
	    list_same(list.items[0], wanted);

	if (!first)
		doctor_bad(doctor, ATTACH_HINT "; nothing may stand before it",
		    "%s does not bring forwarded mail to the second stage: its transport_maps is "
		    "\"%s\"",
		    service->key, maps);
	str_list_free(&list);
	free(wanted);
	return first;
}

static bool check_parts(struct doctor *doctor)
{
	bool well = true;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (is_there(doctor, parts[i].service, parts[i].name, parts[i].table))
			continue;
		well = false;
		doctor_bad(doctor, ATTACH_HINT,
		    "%s is missing or has no %s of Sealgate: what local(8) forwards of flagged "
		    "mail waits and comes back",
		    parts[i].service, parts[i].name);
	}
	for (size_t i = 0; i < doctor->postfix.service_count; i++) {
		const struct postconf_service *service = &doctor->postfix.services[i];

		if (plan_runs(service, "trivial-rewrite") &&
		    strcmp(service->name, PLAN_REWRITE) != 0)
			well = resolves(doctor, service) && well;
	}
	return well;
}

/* The filter knows local(8) by the transport's name alone. */
static size_t check_names(struct doctor *doctor)
{
	size_t known = 0;

	for (size_t i = 0; i < doctor->postfix.service_count; i++) {
		const struct postconf_service *service = &doctor->postfix.services[i];

		if (!plan_runs(service, "local") || strcmp(service->name, PLAN_LOCAL) == 0)
			continue;
		if (strcmp(service->key, ROUTING_LOCAL "/unix") == 0)
			known++;
		else
			doctor_bad(doctor,
			    "deliver own mail by the transport \"local\", or forbid forwarding "
			    "there (-o forward_path= -o allow_mail_to_commands= and no aliases)",
			    "%s runs local(8) under another name: what it forwards of flagged mail "
			    "outside leaves in clear",
			    service->key);
	}
	return known;
}

/* local(8) calls these itself: no table of ours is asked, and the backstop holds inside copies. */
static void check_passed_on(struct doctor *doctor)
{
	static const char *const names[] = { "mailbox_transport", "fallback_transport" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = postconf_get(&doctor->postfix, names[i]);
		char *key = str_printf("%.*s/unix", (int)strcspn(value, ":"), value);
		const struct postconf_service *service =
		    key == NULL ? NULL : postconf_service(&doctor->postfix, key);

		if (service != NULL && plan_runs(service, "smtp"))
			doctor_bad(doctor,
			    "deliver by LMTP there, or name the server in transport_maps",
			    "%s = %s: inside copies of flagged mail wait, since local(8) "
			    "passes them to an SMTP client",
			    names[i], value);
		free(key);
	}
}

void check_forwards(struct doctor *doctor)
{
	size_t before;

	check_passed_on(doctor);
	before = doctor->count;
	if (check_names(doctor) > 0 && check_parts(doctor))
		doctor_ok(doctor, "what local(8) forwards of flagged mail is sealed");
	else if (doctor->count == before)
		doctor_ok(doctor, "master.cf has no local(8)");
}
