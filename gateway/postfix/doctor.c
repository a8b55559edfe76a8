#include "gateway/postfix/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/attach.h"
#include "gateway/postfix/doctor_checks.h"

static const struct doctor_check checks[] = {
	{ "sandbox", "Landlock in this kernel; sandbox in the configuration", false,
	    check_sandbox },
	{ "state", "owner and rights of state_directory", false, check_state },
	{ "master-key", "owner and rights of master_key_file", false, check_master_key },
	{ "signatures", "virus signatures: are there any, and how old", false, check_signatures },
	{ "filter", "does somebody listen on socket", false, check_filter },
	{ "scanner", "does a scanner answer, and find its test virus", false, check_scanner },
	{ "clamd", "may clamd, where it is asked, skip content", false, check_clamd },
	{ "pdf", "does a PDF worker listen", false, check_pdf },
	{ "vault", "does the vault answer", false, check_vault },
	{ "certificates", "do certificates of recipients end soon", false, check_ending },
	{ "canary", "how did the last canary come back", true, check_canary },
	{ "workers", "what /readyz says, if health.listen is set", false, check_workers },
	{ "postfix-version", "is this Postfix one that Sealgate knows", true, check_version },
	{ "attached", "is every setting of \"postfix attach\" in place", true, check_attached },
	{ "reach", "can Postfix's user connect to socket, also from a chroot", true, check_reach },
	{ "smtpd-milters", "the milters that each smtpd service really uses", true, check_smtpd },
	{ "local-milters", "the milters for mail submitted on this machine", true, check_local },
	{ "second-stage", "the service that seals what was marked", true, check_stage },
	{ "backstop", "does every SMTP client hold marked mail back", true, check_backstop },
	{ "behind", "milters behind Sealgate that change bodies", true, check_behind },
	{ "content-filter", "content_filter and smtpd_proxy_filter", true, check_filters },
	{ "filter-nexthop", "default_filter_nexthop", true, check_nexthop },
	{ "routes", "can every next hop be listed, so that sealed mail keeps it", true,
	    check_routes },
	{ "tls-maps", "smtp_tls_policy_maps: is Sealgate asked, and last", true,
	    check_policy_maps },
	{ "tls-service", "does the policy service answer as Postfix asks it", true,
	    check_policy_service },
	{ "dns", "DNSSEC in every SMTP client: smtp_dns_support_level, smtp_host_lookup", true,
	    check_dns },
	{ "resolver", "does Postfix's resolver validate DNSSEC", true, check_resolver },
	{ "log", "can sealgate-trace read Postfix's log, and is TLS in it", true, check_log },
	{ "forwards", "does what local(8) forwards come back to be sealed", true, check_forwards },
	{ "deliveries", "LMTP and pipe deliveries, which may forward", true, check_deliveries },
	{ "size", "message_size_limit against message.size_max", true, check_limits },
	{ "soft-bounce", "soft_bounce", true, check_soft_bounce },
};
#define CHECK_COUNT (sizeof(checks) / sizeof(checks[0]))

const struct doctor_check *doctor_checks(size_t *count_out)
{
	*count_out = CHECK_COUNT;
	return checks;
}

void doctor_init(struct doctor *doctor, const struct conf *conf, const char *folder,
    const struct clock *clock)
{
	memset(doctor, 0, sizeof(*doctor));
	doctor->conf = conf;
	doctor->folder = folder;
	doctor->clock = clock;
}

void doctor_free(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++) {
		free(doctor->findings[i].what);
		free(doctor->findings[i].hint);
	}
	free(doctor->findings);
	free(doctor->milter);
	postconf_free(&doctor->postfix);
	memset(doctor, 0, sizeof(*doctor));
}

/* --- findings --- */

static void add(struct doctor *doctor, enum doctor_result result, const char *hint,
    const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void add(struct doctor *doctor, enum doctor_result result, const char *hint,
    const char *format, va_list args)
{
	struct doctor_finding *findings = NULL;
	char what[2 * FAIL_WHAT_MAX];
	struct doctor_finding new = { .check = doctor->check, .result = result };

	(void)vsnprintf(what, sizeof(what), format, args);
	new.what = str_dup(what);
	new.hint = str_dup(hint);
	if (doctor->count < DOCTOR_FINDINGS_MAX)
		findings = realloc(doctor->findings, (doctor->count + 1) * sizeof(*findings));
	if (findings != NULL)
		doctor->findings = findings;
	if (findings == NULL || new.what == NULL || (hint != NULL && new.hint == NULL)) {
		doctor->incomplete = true;
		free(new.what);
		free(new.hint);
		return;
	}
	findings[doctor->count] = new;
	doctor->count++;
}

void doctor_ok(struct doctor *doctor, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(doctor, DOCTOR_OK, NULL, format, args);
	va_end(args);
}

void doctor_warn(struct doctor *doctor, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(doctor, DOCTOR_WARN, hint, format, args);
	va_end(args);
}

void doctor_bad(struct doctor *doctor, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(doctor, DOCTOR_FAIL, hint, format, args);
	va_end(args);
}

void doctor_failure(struct doctor *doctor, enum doctor_result result, const struct fail *f)
{
	const char *hint = f->hint[0] != '\0' ? f->hint : NULL;

	if (result == DOCTOR_WARN)
		doctor_warn(doctor, hint, "%s", f->what);
	else
		doctor_bad(doctor, hint, "%s", f->what);
}

/* --- running --- */

/* The pictures that the checks of Postfix need. */
static void look_at_postfix(struct doctor *doctor)
{
	struct fail f;

	doctor->check = "postfix";
	fail_clear(&f);
	if (postconf_load(doctor->folder, true, &doctor->postfix, &f) != SG_OK) {
		doctor_bad(doctor,
		    f.hint[0] != '\0' ? f.hint : "name Postfix's folder with --config-directory",
		    "%s", f.what);
		return;
	}
	doctor->has_postfix = true;
	if (plan_milter(&doctor->postfix, doctor->conf->socket, &doctor->milter, &f) != SG_OK)
		doctor_failure(doctor, DOCTOR_FAIL, &f);
}

static void run_check(struct doctor *doctor, const struct doctor_check *check)
{
	if (check->needs_postfix && (!doctor->has_postfix || doctor->milter == NULL))
		return;
	doctor->check = check->name;
	check->run(doctor);
}

void doctor_run(struct doctor *doctor)
{
	if (!doctor->gateway_only)
		look_at_postfix(doctor);
	for (size_t i = 0; i < CHECK_COUNT; i++)
		if (!doctor->gateway_only || !checks[i].needs_postfix)
			run_check(doctor, &checks[i]);
}

enum fail_code doctor_run_one(struct doctor *doctor, const char *name)
{
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		if (strcmp(checks[i].name, name) == 0) {
			run_check(doctor, &checks[i]);
			return SG_OK;
		}
	}
	return SG_ENOTFOUND;
}

bool doctor_healthy(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++) {
		if (doctor->findings[i].result == DOCTOR_FAIL)
			return false;
	}
	return !doctor->incomplete;
}

/* --- attached: the planner itself says what is missing --- */

static void attached_finding(struct doctor *doctor, const struct attach *attach)
{
	if (!attach->has_state)
		doctor_bad(doctor, "run \"sealgate postfix attach\"",
		    "Postfix in %s is not attached", attach->folder);
	else if (attach->state.draining)
		doctor_bad(doctor,
		    "run \"sealgate postfix detach\" when the queue has no flagged mail, "
		    "or attach",
		    "only the services for marked mail are left in %s", attach->folder);
	else if (attach->changes.count > 0)
		doctor_bad(doctor, "run \"sealgate postfix attach\" (--dry-run shows them)",
		    "%zu settings in %s differ from what is needed", attach->changes.count,
		    attach->folder);
	else if (attach->stale)
		doctor_bad(doctor, "run \"sealgate postfix attach\"",
		    "the tables in %s are not what Postfix's next hops need now", attach->tables);
	else if (attach->changed)
		doctor_warn(doctor, "run \"sealgate postfix attach\"",
		    "the files in %s were changed since the attach; every setting is there",
		    attach->folder);
	else
		doctor_ok(doctor, "every setting is in place in %s", attach->folder);
}

void check_attached(struct doctor *doctor)
{
	struct attach attach;
	struct fail f;

	fail_clear(&f);
	if (attach_prepare(doctor->folder, ATTACH_FULL, doctor->conf, &attach, &f) == SG_OK)
		attached_finding(doctor, &attach);
	else
		doctor_failure(doctor, DOCTOR_FAIL, &f);
	attach_free(&attach);
}

/* --- the report --- */

static const char *const words[] = { "ok", "warn", "fail" };

static size_t count_of(const struct doctor *doctor, enum doctor_result result)
{
	size_t count = 0;

	for (size_t i = 0; i < doctor->count; i++)
		count += doctor->findings[i].result == result;
	return count;
}

enum fail_code doctor_text(const struct doctor *doctor, struct buf *out)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < doctor->count; i++) {
		const struct doctor_finding *finding = &doctor->findings[i];

		code = buf_printf(out, "%-4s  %-15s  %s\n", words[finding->result], finding->check,
		    finding->what);
		if (code == SG_OK && finding->hint != NULL)
			code = buf_printf(out, "%23s  -> %s\n", "", finding->hint);
	}
	if (code == SG_OK && doctor->incomplete)
		code = buf_printf(out, "fail  no memory for all findings\n");
	return code == SG_OK ?
	    buf_printf(out, "%zu ok, %zu warnings, %zu failures\n", count_of(doctor, DOCTOR_OK),
	        count_of(doctor, DOCTOR_WARN), count_of(doctor, DOCTOR_FAIL)) :
	    code;
}

static enum fail_code json_finding(const struct doctor_finding *finding, struct buf *out)
{
	enum fail_code code = buf_printf(out,
	    "{\"check\": \"%s\", \"result\": \"%s\", \"what\": ", finding->check,
	    words[finding->result]);

	if (code == SG_OK)
		code = str_json(out, finding->what);
	if (code == SG_OK)
		code = buf_append_str(out, ", \"hint\": ");
	if (code == SG_OK)
		code = finding->hint == NULL ? buf_append_str(out, "null") :
		                               str_json(out, finding->hint);
	return code == SG_OK ? buf_append_str(out, "}") : code;
}

enum fail_code doctor_json(const struct doctor *doctor, struct buf *out)
{
	enum fail_code code = buf_printf(out, "{\"healthy\": %s, \"findings\": [",
	    doctor_healthy(doctor) ? "true" : "false");

	for (size_t i = 0; code == SG_OK && i < doctor->count; i++) {
		if (i > 0)
			code = buf_append_str(out, ",\n ");
		if (code == SG_OK)
			code = json_finding(&doctor->findings[i], out);
	}
	return code == SG_OK ? buf_append_str(out, "]}\n") : code;
}
