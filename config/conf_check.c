#include "config/conf_part.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/hook.h"
#include "config/keys.h"
#include "config/looks.h"
#include "config/template.h"
#include "config/value.h"
#include "gateway/base/str.h"

/* What the checks look at, and where they write. */
struct check {
	const char *file;
	const struct conf *conf;
	const struct conf_items *items;
	struct conf_errors *errors;
};

static enum fail_code
complain(struct check *check, const char *name, const char *title, const struct fail *f)
{
	int line = conf_items_line(check->items, name, title);

	if (line == 0 && title != NULL)
		line = conf_items_line(check->items, "tenant", title);
	if (line == 0 && title != NULL)
		line = conf_items_line(check->items, "hop", title);
	return conf_error_add_fail(check->errors, check->file, line, f);
}

/* ---- tenants ---- */

/* The tenant before this one that has the domain, too. */
static const struct conf_tenant *
other_tenant(const struct conf *conf, const struct conf_tenant *tenant, const char *domain)
{
	const struct conf_tenant *other;

	for (other = conf->tenants; other < tenant; other++) {
		if (str_list_has_case(&other->domains, domain))
			return other;
	}
	return NULL;
}

static enum fail_code check_tenant(struct check *check, const struct conf_tenant *tenant)
{
	struct fail f;
	size_t i;
	enum fail_code code = SG_OK;

	fail_clear(&f);
	if (conf_items_line(check->items, "tenant.domains", tenant->name) == 0) {
		(void)fail_set(&f, SG_EUSAGE, "domains = { ... } in it",
		    "tenant \"%s\" without domains", tenant->name);
		return complain(check, "tenant", tenant->name, &f);
	}
	for (i = 0; code == SG_OK && i < tenant->domains.count; i++) {
		const char *domain = tenant->domains.items[i];
		const struct conf_tenant *other = other_tenant(check->conf, tenant, domain);

		if (other == NULL)
			continue;
		(void)fail_set(&f, SG_EUSAGE, "each domain in one tenant",
		    "domain %s of tenant \"%s\", too", domain, other->name);
		code = complain(check, "tenant.domains", tenant->name, &f);
	}
	return code;
}

/* Sources of passwords that there are, each once. */
static enum fail_code check_passwords(struct check *check, const struct conf_tenant *tenant)
{
	static const char *const sources[] = { CONF_PASSWORD_RECIPIENT, CONF_PASSWORD_SENDER,
		CONF_PASSWORD_GENERATE, CONF_PASSWORD_HOOK };
	const size_t count = sizeof sources / sizeof sources[0];
	unsigned int seen[sizeof sources / sizeof sources[0]] = { 0 };
	bool good = true;
	struct fail f;
	size_t i;
	size_t j;

	for (i = 0; i < tenant->passwords.count; i++) {
		for (j = 0; j < count && strcmp(tenant->passwords.items[i], sources[j]) != 0; j++)
			continue;
		good = good && j < count && seen[j]++ == 0;
	}
	if (good)
		return SG_OK;
	fail_clear(&f);
	(void)fail_set(&f, SG_EUSAGE, "recipient, sender, generate and hook, each at most once",
	    "passwords of tenant \"%s\"", tenant->name);
	return complain(check, "tenant.passwords", tenant->name, &f);
}

/* Kinds of notices that there are. */
static enum fail_code check_notices(struct check *check, const struct conf_tenant *tenant)
{
	struct fail f;

	for (size_t i = 0; i < tenant->notices.count; i++) {
		const char *word = tenant->notices.items[i];

		if (strcmp(word, CONF_NOTICE_REFUSED) == 0 ||
		    strcmp(word, CONF_NOTICE_SEALED) == 0)
			continue;
		fail_clear(&f);
		(void)fail_set(&f, SG_EUSAGE, "refused, sealed, both or none",
		    "notices of tenant \"%s\" with \"%.40s\"", tenant->name, word);
		return complain(check, "tenant.notices", tenant->name, &f);
	}
	return SG_OK;
}

static enum fail_code check_hook(struct check *check, const struct conf_tenant *tenant,
    bool check_paths)
{
	struct fail f;

	fail_clear(&f);
	if (hook_check(tenant, &f) == SG_OK &&
	    (!check_paths || hook_check_files(tenant, &f) == SG_OK))
		return SG_OK;
	return complain(check, hook_configured(tenant) ? "tenant.hook_command" :
	    "tenant.passwords", tenant->name, &f);
}

/* ---- TLS rules ---- */

static enum fail_code check_hop(struct check *check, const struct conf_hop *hop)
{
	bool names = hop->tls == CONF_LEVEL_VERIFY || hop->tls == CONF_LEVEL_SECURE;
	bool prints = hop->tls == CONF_LEVEL_FINGERPRINT;
	struct fail f;

	fail_clear(&f);
	if (conf_items_line(check->items, "hop.reason", hop->name) == 0)
		(void)fail_set(&f, SG_EUSAGE, "reason = \"why there is such a rule\" in it",
		    "hop \"%s\" without a reason", hop->name);
	else if (prints && conf_items_line(check->items, "hop.fingerprints", hop->name) == 0)
		(void)fail_set(&f, SG_EUSAGE, "fingerprints = { ... } in it",
		    "hop \"%s\" with tls = fingerprint, and none", hop->name);
	else if (!prints && hop->fingerprints.count > 0)
		(void)fail_set(&f, SG_EUSAGE, "tls = fingerprint, or no fingerprints",
		    "hop \"%s\" with fingerprints that do not count", hop->name);
	else if (!names && hop->match.count > 0)
		(void)fail_set(&f, SG_EUSAGE, "tls = verify or secure, or no match",
		    "hop \"%s\" with names that do not count", hop->name);
	else
		return SG_OK;
	return complain(check, "hop", hop->name, &f);
}

/* "[::1]:3310", "127.0.0.1:3310" */
static bool is_address_port(const char *where)
{
	const char *colon = strrchr(where, ':');
	bool bracketed = colon != NULL && where[0] == '[' && colon > where && colon[-1] == ']';
	unsigned char address[16];
	uint64_t port;
	char *host;
	bool is_one;

	if (colon == NULL || str_parse_u64(colon + 1, 1, UINT16_MAX, &port) != SG_OK)
		return false;
	host = bracketed ? str_dup_n(where + 1, (size_t)(colon - where) - 2) :
	    str_dup_n(where, (size_t)(colon - where));
	is_one = host != NULL && inet_pton(bracketed ? AF_INET6 : AF_INET, host, address) == 1;
	free(host);
	return is_one;
}

static enum fail_code check_clamd(struct check *check)
{
	const char *where = check->conf->scan.clamd;
	struct fail f;

	if (where[0] == '/' || is_address_port(where))
		return SG_OK;
	fail_clear(&f);
	(void)fail_set(&f, SG_EUSAGE, "/path/of/socket, ADDRESS:PORT or [ADDRESS]:PORT",
	    "scan.clamd = \"%s\"", where);
	return complain(check, "scan.clamd", NULL, &f);
}

static enum fail_code check_tls(struct check *check)
{
	const struct conf *conf = check->conf;
	struct fail f;

	fail_clear(&f);
	if (conf->tls.report &&
	    (conf->tls.report_from[0] == '\0' || conf->tls.report_organization[0] == '\0')) {
		(void)fail_set(&f, SG_EUSAGE, "tls.report_from and tls.report_organization as well",
		    "tls.report without a sender");
		return complain(check, "tls.report", NULL, &f);
	}
	if (conf->tls.fallback_port == conf->stage_port) {
		(void)fail_set(&f, SG_EUSAGE, "another port",
		    "tls.fallback_port is stage_port, too");
		return complain(check, "tls.fallback_port", NULL, &f);
	}
	return SG_OK;
}

/* ---- the canary ---- */

/* The tenant in whose domain an address is, or NULL. */
static const struct conf_tenant *tenant_of(const struct conf *conf, const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? NULL : conf_tenant_of_domain(conf, at + 1);
}

static bool has_way(const struct conf_tenant *tenant, unsigned char way)
{
	return memchr(tenant->protections, way, WAY_COUNT) != NULL;
}

/* A canary that cannot come back sealed would cry for ever. */
static void judge_canary(const struct conf *conf, const char **name_out, struct fail *f)
{
	const struct conf_tenant *tenant = tenant_of(conf, conf->canary.from);

	*name_out = "canary.from";
	if (conf->canary.from[0] == '\0' || conf->canary.to[0] == '\0')
		(void)fail_set(f, SG_EUSAGE, "both, or neither",
		    "canary.from and canary.to: one is missing");
	else if (tenant == NULL)
		(void)fail_set(f, SG_EUSAGE, "an address in a domain of a tenant",
		    "canary.from = \"%s\" is no own sender", conf->canary.from);
	else if (!str_list_has_case(&tenant->passwords, CONF_PASSWORD_SENDER) ||
	    !has_way(tenant, WAY_PDF))
		(void)fail_set(f, SG_EUSAGE, "a tenant with sender in passwords and pdf in "
		    "protections: the canary brings its own password",
		    "canary.from = \"%s\" may not choose a password", conf->canary.from);
	else if (conf->tags.secure.count == 0)
		(void)fail_set(f, SG_EUSAGE, "a word in tags.secure: the canary is flagged by it",
		    "canary.from without tags.secure");
	else
		*name_out = "canary.to";
	if (f->code != SG_OK)
		return;
	if (strchr(conf->canary.to, '@') == NULL || tenant_of(conf, conf->canary.to) != NULL)
		(void)fail_set(f, SG_EUSAGE, "an address in no domain of a tenant, such as "
		    "canary@canary.invalid",
		    "canary.to = \"%s\" is not outside", conf->canary.to);
	*name_out = f->code != SG_OK ? *name_out : "canary.port";
	if (f->code == SG_OK && (conf->canary.port == conf->stage_port ||
	    conf->canary.port == conf->tls.fallback_port))
		(void)fail_set(f, SG_EUSAGE, "another port",
		    "canary.port is stage_port or tls.fallback_port, too");
}

static enum fail_code check_canary(struct check *check)
{
	const struct conf *conf = check->conf;
	const char *name;
	struct fail f;

	if (conf->canary.from[0] == '\0' && conf->canary.to[0] == '\0')
		return SG_OK;
	fail_clear(&f);
	judge_canary(conf, &name, &f);
	if (f.code == SG_OK)
		return SG_OK;
	if (conf_items_line(check->items, name, NULL) == 0)
		name = "canary";
	return complain(check, name, NULL, &f);
}

/* ---- tags ---- */

/* Words for one way may be in several of the ways' lists, but "secure" words mean no way. */
static enum fail_code check_tags(struct check *check)
{
	static const char *const names[] = { "tags.envelope", "tags.pdf", "tags.tls" };
	const struct str_list *const lists[] = { &check->conf->tags.envelope,
		&check->conf->tags.pdf, &check->conf->tags.tls };
	struct fail f;
	size_t i;
	size_t j;
	enum fail_code code = SG_OK;

	fail_clear(&f);
	for (i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		for (j = 0; code == SG_OK && j < lists[i]->count; j++) {
			const char *word = lists[i]->items[j];

			if (!str_list_has_case(&check->conf->tags.secure, word))
				continue;
			(void)fail_set(&f, SG_EUSAGE, "each word in one list",
			    "%s has \"%s\", and tags.secure has it, too", names[i], word);
			code = complain(check, names[i], NULL, &f);
		}
	}
	return code;
}

static enum fail_code check_sizes(struct check *check)
{
	const struct conf *conf = check->conf;
	struct fail f;

	fail_clear(&f);
	if (conf->message.header_max > conf->message.size_max) {
		(void)fail_set(&f, SG_EUSAGE, "a size up to message.size_max",
		    "message.header_max is above message.size_max");
		return complain(check, "message.header_max", NULL, &f);
	}
	return SG_OK;
}

/* ---- texts ---- */

static enum fail_code check_template(struct check *check, enum conf_language language,
    const char *name)
{
	char *text = NULL;
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	code = template_load(check->conf->templates_directory, language, name, &text, &f);
	free(text);
	return code == SG_EUSAGE ? complain(check, "templates_directory", NULL, &f) : code;
}

static enum fail_code check_templates(struct check *check)
{
	static const char *const names[] = { TEMPLATE_PASSWORD, TEMPLATE_KEPT, TEMPLATE_UNHANDED,
		TEMPLATE_REFUSED, TEMPLATE_SEALED };
	const size_t count = sizeof names / sizeof names[0];
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < CONF_LANGUAGES * count; i++)
		code = check_template(check, (enum conf_language)(i / count), names[i % count]);
	return code;
}

/* ---- looks ---- */

static enum fail_code check_looks(struct check *check, const struct conf_tenant *tenant)
{
	unsigned char rgb[3];
	struct fail f;
	enum fail_code code = SG_OK;

	fail_clear(&f);
	if (!looks_colour(tenant->colour, rgb)) {
		(void)fail_set(&f, SG_EUSAGE, "# and six hexadecimal digits in quotes, such as "
		    "\"#2f5d78\"", "colour = \"%s\"", tenant->colour);
		code = complain(check, "tenant.colour", tenant->name, &f);
	}
	if (code == SG_OK && tenant->logo[0] != '\0' && tenant->organisation[0] == '\0') {
		(void)fail_set(&f, SG_EUSAGE, "organisation = \"...\" as well: the text of the "
		    "logo, for who cannot see it", "tenant \"%s\" with a logo and no name",
		    tenant->name);
		code = complain(check, "tenant.logo", tenant->name, &f);
	}
	if (code == SG_OK && tenant->help_url[0] != '\0' && !looks_help_url(tenant->help_url)) {
		(void)fail_set(&f, SG_EUSAGE, "https://HOST/PATH, in plain letters and digits",
		    "help_url = \"%s\"", tenant->help_url);
		code = complain(check, "tenant.help_url", tenant->name, &f);
	}
	return code;
}

/* Texts of the administrator, and logos, for programs that read no files. */
static enum fail_code read_looks(struct check *check, struct conf *conf)
{
	static const char *const names[] = { TEMPLATE_OUTER, TEMPLATE_OUTER_HTML, TEMPLATE_WORDS };
	enum fail_code code = SG_OK;
	struct fail f;
	size_t i;

	for (i = 0; code == SG_OK && i < CONF_LANGUAGES * 3; i++) {
		fail_clear(&f);
		code = template_read(conf, (enum conf_language)(i / 3), names[i % 3], &f);
		if (code == SG_EUSAGE)
			code = complain(check, "templates_directory", NULL, &f);
	}
	for (i = 0; code == SG_OK && i < conf->tenant_count; i++) {
		fail_clear(&f);
		code = looks_read_logo(&conf->tenants[i], &f);
		if (code == SG_EUSAGE)
			code = complain(check, "tenant.logo", conf->tenants[i].name, &f);
	}
	return code;
}

/* ---- paths ---- */

static enum fail_code check_folder(struct check *check, const char *name, const char *path)
{
	struct stat st;
	struct fail f;

	if (path[0] == '\0')
		return SG_OK;
	fail_clear(&f);
	if (stat(path, &st) != 0)
		(void)fail_errno(&f, SG_EUSAGE, "a folder that exists", "%s = \"%s\"", name, path);
	else if (!S_ISDIR(st.st_mode))
		(void)fail_set(&f, SG_EUSAGE, "a folder", "%s = \"%s\" is no folder", name, path);
	else
		return SG_OK;
	return complain(check, name, NULL, &f);
}

/* The folder in which path is made at start. */
static enum fail_code check_parent(struct check *check, const char *name, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent;
	enum fail_code code;

	if (slash == NULL)
		return SG_OK;
	parent = str_dup_n(path, slash == path ? 1 : (size_t)(slash - path));
	if (parent == NULL)
		return SG_ENOMEM;
	code = check_folder(check, name, parent);
	free(parent);
	return code;
}

static enum fail_code check_all_paths(struct check *check)
{
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code;

	code = check_parent(check, "master_key_file", check->conf->master_key_file);
	if (code == SG_OK)
		code = check_parent(check, "run_directory", check->conf->run_directory);
	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (keys[i].is_folder)
			code = check_folder(check, keys[i].name, value_text(&keys[i], check->conf));
	}
	return code;
}

enum fail_code conf_check(const char *file, struct conf *conf, const struct conf_items *items,
    bool check_paths, struct conf_errors *errors, struct fail *f)
{
	struct check check = { file, conf, items, errors };
	size_t i;
	enum fail_code code;

	code = check_tags(&check);
	if (code == SG_OK)
		code = check_sizes(&check);
	if (code == SG_OK)
		code = check_clamd(&check);
	if (code == SG_OK)
		code = check_tls(&check);
	if (code == SG_OK)
		code = check_canary(&check);
	for (i = 0; code == SG_OK && i < conf->hop_count; i++)
		code = check_hop(&check, &conf->hops[i]);
	for (i = 0; code == SG_OK && i < conf->tenant_count; i++)
		code = check_tenant(&check, &conf->tenants[i]);
	for (i = 0; code == SG_OK && i < conf->tenant_count; i++)
		code = check_passwords(&check, &conf->tenants[i]);
	for (i = 0; code == SG_OK && i < conf->tenant_count; i++)
		code = check_notices(&check, &conf->tenants[i]);
	for (i = 0; code == SG_OK && i < conf->tenant_count; i++)
		code = check_hook(&check, &conf->tenants[i], check_paths);
	for (i = 0; code == SG_OK && i < conf->tenant_count; i++)
		code = check_looks(&check, &conf->tenants[i]);
	if (code == SG_OK && check_paths)
		code = check_all_paths(&check);
	if (code == SG_OK && check_paths)
		code = check_templates(&check);
	if (code == SG_OK && check_paths)
		code = read_looks(&check, conf);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for the configuration");
	return SG_OK;
}
