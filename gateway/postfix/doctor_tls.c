#include "gateway/postfix/doctor_checks.h"

#include <arpa/nameser.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/proc.h"
#include "gateway/base/str.h"
#include "gateway/postfix/list.h"
#include "gateway/postfix/plan.h"
#include "gateway/postfix/routing.h"
#include "gateway/postfix/run.h"

#define ATTACH_HINT "run \"sealgate postfix attach\""
#define RESOLVER_WAIT_S 2 /* for each of the resolvers, once */

static const char *effective(
    const struct doctor *doctor, const struct postconf_service *service, const char *name)
{
	return postconf_effective(&doctor->postfix, service, name);
}

/* Calls check for each service that runs program and that people have made. */
static void each_foreign(struct doctor *doctor, const char *program,
    void (*check)(struct doctor *doctor, const struct postconf_service *service))
{
	for (size_t i = 0; i < doctor->postfix.service_count; i++) {
		const struct postconf_service *service = &doctor->postfix.services[i];

		if (plan_runs(service, program) && !routing_is_ours(service->name))
			check(doctor, service);
	}
}

/* --- routes --- */

static void report_unlisted(struct doctor *doctor, const struct routing *routing)
{
	static const char hint[] =
	    "mail with a route that is not listed waits (\"local data error\"): write next hops "
	    "into a table that can be listed (hash, lmdb, texthash, regexp, ...) in the "
	    "same parameter, and attach again";

	for (size_t i = 0; i < routing->unlisted.count; i++)
		doctor_warn(
		    doctor, hint, "cannot list the next hops of %s", routing->unlisted.items[i]);
}

/* An own list of macros hides main.cf's. */
static void check_macro(struct doctor *doctor, const struct postconf_service *service)
{
	static const char name[] = "milter_macro_defaults";
	const char *own = postconf_pair(&service->options, name);

	if (own != NULL && strstr(own, PLAN_MACRO) == NULL)
		doctor_bad(doctor, ATTACH_HINT,
		    "%s does not tell Sealgate which transports have routes (%s = %s)",
		    service->key, name, own);
}

void check_routes(struct doctor *doctor)
{
	struct routing routing;
	struct fail f;
	size_t before = doctor->count;

	fail_clear(&f);
	if (routing_read(&doctor->postfix, doctor->folder, &routing, &f) != SG_OK) {
		doctor_failure(doctor, DOCTOR_FAIL, &f);
		return;
	}
	report_unlisted(doctor, &routing);
	each_foreign(doctor, "smtpd", check_macro);
	each_foreign(doctor, "cleanup", check_macro);
	if (doctor->count == before)
		doctor_ok(doctor, "%zu transports and %zu next hops are listed; the %s routes",
		    routing.transports.count, routing.pairs.count,
		    routing.late ? "second stage" : "front");
	routing_free(&routing);
}

/* --- policies --- */

/* A client with options of its own does not ask as main.cf says. */
static void check_overrides(struct doctor *doctor, const struct postconf_service *service)
{
	static const char *const names[] = { "smtp_tls_policy_maps", "smtp_tls_security_level" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *own = postconf_pair(&service->options, names[i]);

		if (own != NULL)
			doctor_warn(doctor,
			    "take the option out of master.cf, or know that mail by this client "
			    "which is not sealed goes without Sealgate's policies",
			    "%s has its own %s = %s", service->key, names[i], own);
	}
}

/* "socketmap:unix:/run/sealgate/tls/policy.sock:all" as main.cf names it, or NULL. */
static char *our_map(const struct doctor *doctor, const struct str_list *maps, size_t *place_out)
{
	char *policy = NULL;
	char *ours = NULL;
	struct fail f;

	fail_clear(&f);
	if (plan_policy(doctor->conf->tls.socket, &policy, &f) != SG_OK)
		return NULL;
	for (size_t i = 0; i < maps->count && ours == NULL; i++) {
		const char *item = maps->items[i];
		const char *bare = strncmp(item, "proxy:", 6) == 0 ? item + 6 : item;

		if (strncmp(bare, policy, strlen(policy)) == 0 &&
		    strcmp(bare + strlen(policy), ":all") == 0)
			ours = str_dup(item);
		*place_out = i;
	}
	free(policy);
	return ours;
}

void check_policy_maps(struct doctor *doctor)
{
	const char *value = postconf_get(&doctor->postfix, "smtp_tls_policy_maps");
	struct str_list maps;
	size_t place = 0;
	char *ours;

	if (list_split(value, &maps) != SG_OK) {
		doctor_bad(doctor, NULL, "cannot read smtp_tls_policy_maps");
		return;
	}
	ours = our_map(doctor, &maps, &place);
	if (ours == NULL)
		doctor_bad(doctor, ATTACH_HINT,
		    "Postfix does not ask for Sealgate's policies (smtp_tls_policy_maps = %s)",
		    value);
	else if (place + 1 < maps.count)
		doctor_warn(doctor, "put it last",
		    "smtp_tls_policy_maps has %s behind Sealgate, which answers for all",
		    maps.items[place + 1]);
	else if (place > 0)
		doctor_ok(
		    doctor, "smtp_tls_policy_maps asks %s first, then Sealgate", maps.items[0]);
	else
		doctor_ok(doctor, "smtp_tls_policy_maps asks Sealgate");
	each_foreign(doctor, "smtp", check_overrides);
	free(ours);
	str_list_free(&maps);
}

/* --- the policy service --- */

/* What the service said, as postmap(1) tells it: "no policy" has status 1 and no words. */
static enum fail_code keep_answer(void *context, const char *data, size_t size, struct fail *f)
{
	enum fail_code code = buf_append(context, data, size);

	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "a policy that is too long");
}

static void report_answer(struct doctor *doctor, const char *map, const char *key,
    const struct run_end *end, struct buf *answer)
{
	if (end->status == 0 && buf_str(answer) != NULL)
		doctor_ok(doctor, "%s answers for %s: %.*s", map, key,
		    (int)str_trim_end(buf_str(answer), answer->size), buf_str(answer));
	else if (end->status == 1 && end->error[0] == '\0')
		doctor_ok(doctor, "%s answers for %s: no policy", map, key);
	else
		doctor_bad(doctor,
		    "start the gateway: while nobody answers, Postfix defers all mail for outside",
		    "%s does not answer: %s", map, end->error);
}

/* Asks as Postfix does, for something that is answered without any DNS. */
static void ask_policy(struct doctor *doctor, const char *policy, const char *name)
{
	char *map = str_printf("%s:%s", policy, name);
	char *key = str_printf("[127.0.0.1]:%u", doctor->conf->tls.fallback_port);
	const char *argv[] = { "postmap", "-c", doctor->folder, "-q", key, map, NULL };
	struct run_end end;
	struct buf answer;
	struct fail f;

	fail_clear(&f);
	buf_init(&answer, 4096);
	if (map == NULL || key == NULL)
		doctor->incomplete = true;
	else if (run_stream(argv, keep_answer, &answer, &end, &f) == SG_OK)
		report_answer(doctor, map, key, &end, &answer);
	else
		doctor_failure(doctor, DOCTOR_FAIL, &f);
	buf_free(&answer);
	free(map);
	free(key);
}

void check_policy_service(struct doctor *doctor)
{
	static const char *const names[] = { "all", "sealed", "proven" };
	char *policy;
	struct fail f;

	fail_clear(&f);
	if (plan_policy(doctor->conf->tls.socket, &policy, &f) != SG_OK) {
		doctor_failure(doctor, DOCTOR_FAIL, &f);
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ask_policy(doctor, policy, names[i]);
	free(policy);
}

/* --- DNS --- */

static bool has_dns(const struct doctor *doctor, const struct postconf_service *service)
{
	const char *level = effective(doctor, service, "smtp_dns_support_level");

	if (level[0] == '\0')
		return !postconf_true(effective(doctor, service, "disable_dns_lookups"));
	return strcmp(level, "disabled") != 0;
}

static void check_one_dns(struct doctor *doctor, const struct postconf_service *service)
{
	const char *level = effective(doctor, service, "smtp_dns_support_level");
	const char *lookup = effective(doctor, service, "smtp_host_lookup");

	if (!has_dns(doctor, service))
		doctor_warn(doctor,
		    "DANE cannot work there: write smtp_dns_support_level = dnssec, or "
		    "tls.dane = no",
		    "%s does not use DNS", service->key);
	else if (strcmp(level, "dnssec") != 0)
		doctor_bad(doctor, ATTACH_HINT, "%s has smtp_dns_support_level = %s, not dnssec",
		    service->key, level[0] == '\0' ? "(empty)" : level);
	else if (strcmp(lookup, "dns") != 0)
		doctor_bad(doctor,
		    "write smtp_host_lookup = dns: Postfix trusts no TLSA record for an address "
		    "from elsewhere",
		    "%s has smtp_host_lookup = %s", service->key, lookup);
	else
		doctor_ok(doctor, "%s asks for DNSSEC", service->key);
}

void check_dns(struct doctor *doctor)
{
	if (!doctor->conf->tls.dane) {
		doctor_ok(doctor, "not needed: tls.dane is off");
		return;
	}
	for (size_t i = 0; i < doctor->postfix.service_count; i++) {
		const struct postconf_service *service = &doctor->postfix.services[i];

		if (plan_runs(service, "smtp") && strcmp(service->name, PLAN_SEAL) != 0)
			check_one_dns(doctor, service);
	}
}

static bool anyone_has_dns(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->postfix.service_count; i++) {
		const struct postconf_service *service = &doctor->postfix.services[i];

		if (plan_runs(service, "smtp") && has_dns(doctor, service))
			return true;
	}
	return false;
}

/* What Postfix itself tries: the root's name servers, which are signed. AD: RFC 4035, 3.2.3. */
static void ask_resolver(struct doctor *doctor)
{
	struct __res_state state;
	unsigned char answer[4096];
	int size = -1;

	memset(&state, 0, sizeof(state));
	if (res_ninit(&state) == 0) {
		state.options |= RES_USE_EDNS0 | RES_USE_DNSSEC | RES_TRUSTAD;
		state.retrans = RESOLVER_WAIT_S;
		state.retry = 1;
		size = res_nquery(&state, ".", ns_c_in, ns_t_ns, answer, (int)sizeof(answer));
		res_nclose(&state);
	}
	if (size < NS_HFIXEDSZ)
		doctor_bad(doctor,
		    "mend /etc/resolv.conf: a validating resolver on this host, such as unbound",
		    "the resolvers of /etc/resolv.conf do not answer");
	else if ((answer[3] & 0x20) == 0)
		doctor_bad(doctor,
		    "let /etc/resolv.conf name a resolver that validates DNSSEC, on this host or "
		    "over a path that nobody else can touch; else Postfix cannot use DANE",
		    "the resolvers of /etc/resolv.conf do not validate DNSSEC");
	else
		doctor_ok(doctor, "Postfix's resolver validates DNSSEC");
}

void check_resolver(struct doctor *doctor)
{
	if (!doctor->conf->tls.dane || !anyone_has_dns(doctor))
		doctor_ok(doctor, "not needed: no client uses DANE");
	else
		ask_resolver(doctor);
}

/* --- the log --- */

/* Can user open path? 0, errno, or -1: could not try. */
static int try_open(const char *user, const char *path)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct fail f;

		fail_clear(&f);
		if (geteuid() != 0 || proc_drop(user, &f) != SG_OK)
			_exit(255);
		_exit(open(path, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

static void check_log_file(struct doctor *doctor, const char *path)
{
	int result = try_open(doctor->conf->users.trace, path);

	if (result < 0)
		doctor_warn(doctor, "run the doctor as root", "cannot try to read %s as user %s",
		    path, doctor->conf->users.trace);
	else if (result > 0)
		doctor_bad(doctor,
		    "give users.trace a group that may read it (adm on Debian); is the name right?",
		    "user %s cannot read Postfix's log %s", doctor->conf->users.trace, path);
	else
		doctor_ok(doctor, "sealgate-trace reads %s", path);
}

/* Does Postfix write where sealgate-trace reads? */
static void check_log_place(struct doctor *doctor, const char *log)
{
	const char *file = postconf_get(&doctor->postfix, "maillog_file");

	if (file[0] == '\0')
		return;
	if (strcmp(log, "journal") == 0 || (log[0] == '/' && strcmp(log, file) != 0) ||
	    (strcmp(log, "auto") == 0 && strcmp(file, "/var/log/mail.log") != 0))
		doctor_bad(doctor, "write that file into trace.log of sealgate.conf",
		    "Postfix writes its log to %s (maillog_file), sealgate-trace reads %s",
		    file, log);
}

static void check_loglevel(struct doctor *doctor, const struct postconf_service *service)
{
	const char *level = effective(doctor, service, "smtp_tls_loglevel");

	if (level[0] == '\0' || strcmp(level, "0") == 0)
		doctor_warn(doctor, ATTACH_HINT ", or write smtp_tls_loglevel = 1 there",
		    "%s does not log TLS: the record of its deliveries has no TLS version",
		    service->key);
}

void check_log(struct doctor *doctor)
{
	const char *log = doctor->conf->trace.log;

	each_foreign(doctor, "smtp", check_loglevel);
	if (log[0] == '\0') {
		doctor_ok(doctor, "trace.log is empty: deliveries are not recorded");
		return;
	}
	check_log_place(doctor, log);
	if (log[0] == '/')
		check_log_file(doctor, log);
	else if (strcmp(log, "auto") == 0 && access("/var/log/mail.log", F_OK) == 0)
		check_log_file(doctor, "/var/log/mail.log");
	else if (access("/var/log/journal", F_OK) == 0)
		check_log_file(doctor, "/var/log/journal");
	else
		check_log_file(doctor, "/run/log/journal");
}
