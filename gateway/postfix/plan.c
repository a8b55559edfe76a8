#include "gateway/postfix/plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/list.h"

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory");
}

static void change_free(struct plan_change *change)
{
	free(change->service);
	free(change->name);
	free(change->old);
	free(change->new);
	free(change->ours);
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		change_free(&plan->changes[i]);
	free(plan->changes);
	plan->changes = NULL;
	plan->count = 0;
}

/* str_dup that tells "is NULL" from "no memory". */
static bool copy(char **to, const char *from)
{
	*to = str_dup(from);
	return from == NULL || *to != NULL;
}

enum fail_code plan_put(struct plan *plan, const struct plan_text *change, struct fail *f)
{
	struct plan_change *changes;
	struct plan_change *new;
	bool ok;

	if (plan->count >= PLAN_CHANGES_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "more than %d changes", PLAN_CHANGES_MAX);
	changes = realloc(plan->changes, (plan->count + 1) * sizeof(*changes));
	if (changes == NULL)
		return no_memory(f);
	plan->changes = changes;
	new = &changes[plan->count];
	memset(new, 0, sizeof(*new));
	ok = copy(&new->service, change->service);
	ok = copy(&new->name, change->name) && ok;
	ok = copy(&new->old, change->old) && ok;
	ok = copy(&new->new, change->new) && ok;
	ok = copy(&new->ours, change->ours) && ok;
	if (!ok) {
		change_free(new);
		return no_memory(f);
	}
	plan->count++;
	return SG_OK;
}

/* The next word of text; braces hold white space together. */
static const char *next_word(const char *text, size_t *size_out)
{
	size_t depth = 0;
	size_t i;

	text += strspn(text, " \t");
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '{')
			depth++;
		else if (text[i] == '}' && depth > 0)
			depth--;
		else if (depth == 0 && (text[i] == ' ' || text[i] == '\t'))
			break;
	}
	*size_out = i;
	return text;
}

/* Appends " word" for each word of command that is not "-o" or what belongs to it. */
static enum fail_code bare_command(struct buf *out, const char *command)
{
	enum fail_code code = SG_OK;
	bool skip = false;
	size_t size;

	for (const char *at = next_word(command, &size); code == SG_OK && size > 0;
	     at = next_word(at + size, &size)) {
		bool option = size == 2 && strncmp(at, "-o", 2) == 0;

		if (!skip && !option)
			code = buf_printf(out, " %.*s", (int)size, at);
		skip = !skip && option;
	}
	return code;
}

char *plan_line(const struct postconf_service *service)
{
	struct buf line;
	char *copy = NULL;

	buf_init(&line, POSTCONF_LINE_MAX * 2);
	if (buf_printf(&line, "%s %s %s %s %s %s %s", service->name, service->type,
	        postconf_field(service, "private"), postconf_field(service, "unprivileged"),
	        postconf_field(service, "chroot"), postconf_field(service, "wakeup"),
	        postconf_field(service, "process_limit")) == SG_OK &&
	    bare_command(&line, postconf_field(service, "command")) == SG_OK)
		copy = str_dup(buf_str(&line));
	buf_free(&line);
	return copy;
}

char *plan_stage_key(unsigned int port)
{
	return str_printf("127.0.0.1:%u/inet", port);
}

bool plan_refers(const char *milters)
{
	static const char *const names[] = { "$smtpd_milters", "$non_smtpd_milters",
		"${smtpd_milters}", "${non_smtpd_milters}", "$(smtpd_milters)",
		"$(non_smtpd_milters)" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (list_has(milters, names[i]))
			return true;
	}
	return false;
}

bool plan_runs(const struct postconf_service *service, const char *program)
{
	const char *slash = strrchr(service->program, '/');

	return strcmp(slash == NULL ? service->program : slash + 1, program) == 0;
}

/* A program that connects to milters and works in a chroot, or NULL. */
static const struct postconf_service *jailed(const struct postconf *conf)
{
	for (size_t i = 0; i < conf->service_count; i++) {
		const struct postconf_service *service = &conf->services[i];

		if ((plan_runs(service, "smtpd") || plan_runs(service, "cleanup")) &&
		    postconf_chrooted(conf, service))
			return service;
	}
	return NULL;
}

static enum fail_code milter_local(const struct postconf *conf, const char *path, char **milter_out,
    struct fail *f)
{
	const char *queue = postconf_get(conf, "queue_directory");
	size_t size = strlen(queue);
	const struct postconf_service *service = jailed(conf);
	char hint[FAIL_HINT_MAX];
	struct buf text;

	if (size > 1 && strncmp(path, queue, size) == 0 && path[size] == '/') {
		*milter_out = str_printf("unix:%s", path + size + 1);
		return *milter_out == NULL ? no_memory(f) : SG_OK;
	}
	if (service == NULL) {
		*milter_out = str_printf("unix:%s", path);
		return *milter_out == NULL ? no_memory(f) : SG_OK;
	}
	buf_init(&text, sizeof(hint) - 1);
	if (buf_printf(&text,
	        "write socket = \"local:%s/sealgate/milter.sock\" in sealgate.conf "
	        "and make that folder",
	        queue) != SG_OK)
		buf_reset(&text);
	(void)fail_set(f, SG_EUSAGE, buf_str(&text), "%s runs chrooted in %s and cannot reach %s",
	    service->key, queue, path);
	buf_free(&text);
	return SG_EUSAGE;
}

enum fail_code plan_milter(const struct postconf *conf, const char *socket, char **milter_out,
    struct fail *f)
{
	const char *at;

	*milter_out = NULL;
	if (strncmp(socket, "local:/", 7) == 0)
		return milter_local(conf, socket + 6, milter_out, f);
	at = strchr(socket, '@');
	if (strncmp(socket, "inet:", 5) != 0 || at == NULL)
		return fail_set(f, SG_EUSAGE, "write \"local:/path\" or \"inet:port@host\"",
		    "socket \"%s\" is neither a path nor a port", socket);
	*milter_out = str_printf("inet:%s:%.*s", at + 1, (int)(at - socket) - 5, socket + 5);
	return *milter_out == NULL ? no_memory(f) : SG_OK;
}

enum fail_code plan_policy(const char *socket, char **policy_out, struct fail *f)
{
	const char *at = strchr(socket, '@');

	if (strncmp(socket, "local:/", 7) == 0)
		*policy_out = str_printf("socketmap:unix:%s", socket + 6);
	else if (strncmp(socket, "inet:", 5) == 0 && at != NULL)
		*policy_out = str_printf("socketmap:inet:%s:%.*s", at + 1,
		    (int)(at - socket) - 5, socket + 5);
	else
		return fail_set(f, SG_EUSAGE, "write \"local:/path\" or \"inet:port@host\"",
		    "tls.socket \"%s\" is neither a path nor a port", socket);
	return *policy_out == NULL ? no_memory(f) : SG_OK;
}

/* --- between two pictures --- */

/* Where in the files a value stands, and what it was and shall be; all borrowed. */
static enum fail_code put(struct plan *plan, const char *service, const char *name, const char *old,
    const char *new, struct fail *f)
{
	return plan_put(plan, &(struct plan_text){ service, name, old, new, NULL }, f);
}

/* Pairs of from that to has not, or has otherwise; then those that only to has. */
static enum fail_code diff_pairs(const char *service, const struct postconf_pairs *from,
    const struct postconf_pairs *to, struct plan *out, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < from->count; i++) {
		const struct postconf_pair *pair = &from->items[i];
		const char *new = postconf_pair(to, pair->name);

		if (strcmp(pair->name, "config_directory") != 0 &&
		    (new == NULL || strcmp(new, pair->value) != 0))
			code = put(out, service, pair->name, pair->value, new, f);
	}
	for (size_t i = 0; code == SG_OK && i < to->count; i++) {
		const struct postconf_pair *pair = &to->items[i];

		if (strcmp(pair->name, "config_directory") != 0 &&
		    postconf_pair(from, pair->name) == NULL)
			code = put(out, service, pair->name, NULL, pair->value, f);
	}
	return code;
}

/* A service as a whole: it comes, goes, or changes its line. */
static enum fail_code diff_line(const struct postconf_service *from,
    const struct postconf_service *to, struct plan *out, struct fail *f)
{
	char *old = from == NULL ? NULL : plan_line(from);
	char *new = to == NULL ? NULL : plan_line(to);
	enum fail_code code = SG_OK;

	if ((from != NULL && old == NULL) || (to != NULL && new == NULL))
		code = no_memory(f);
	else if (old == NULL || new == NULL || strcmp(old, new) != 0)
		code = put(out, from != NULL ? from->key : to->key, NULL, old, new, f);
	free(old);
	free(new);
	return code;
}

static enum fail_code diff_service(const struct postconf_service *from,
    const struct postconf_service *to, struct plan *out, struct fail *f)
{
	static const struct postconf_pairs none = { NULL, 0 };
	enum fail_code code = diff_line(from, to, out, f);

	if (code == SG_OK && to != NULL)
		code = diff_pairs(to->key, from == NULL ? &none : &from->options, &to->options, out,
		    f);
	return code;
}

enum fail_code plan_diff(const struct postconf *from, const struct postconf *to, struct plan *out,
    struct fail *f)
{
	enum fail_code code = diff_pairs(NULL, &from->set, &to->set, out, f);

	for (size_t i = 0; code == SG_OK && i < from->service_count; i++)
		code = diff_service(&from->services[i], postconf_service(to, from->services[i].key),
		    out, f);
	for (size_t i = 0; code == SG_OK && i < to->service_count; i++) {
		if (postconf_service(from, to->services[i].key) == NULL)
			code = diff_service(NULL, &to->services[i], out, f);
	}
	return code;
}

/* --- taking back --- */

static const char *value_now(const struct postconf *now, const struct plan_change *change)
{
	const struct postconf_service *service;

	if (change->service == NULL)
		return postconf_set(now, change->name);
	service = postconf_service(now, change->service);
	return service == NULL ? NULL : postconf_pair(&service->options, change->name);
}

/* Others have changed a list after us: only our element goes. */
static enum fail_code revert_list(const struct plan_change *change, const char *value,
    struct plan *out, struct fail *f)
{
	char *rest = list_has(value, change->ours) ? list_without(value, change->ours) : NULL;
	enum fail_code code = SG_OK;

	if (!list_has(value, change->ours))
		return SG_OK;
	if (rest == NULL)
		return no_memory(f);
	code = put(out, change->service, change->name, value,
	    rest[0] == '\0' && change->old == NULL ? NULL : rest, f);
	free(rest);
	return code;
}

static enum fail_code revert_one(const struct postconf *now, const struct plan_change *change,
    struct plan *out, struct fail *f)
{
	const char *value;

	if (change->name == NULL) {
		if (postconf_service(now, change->service) == NULL)
			return SG_OK;
		return put(out, change->service, NULL, change->new, NULL, f);
	}
	value = value_now(now, change);
	if (value == NULL || change->new == NULL)
		return SG_OK;
	if (strcmp(value, change->new) == 0)
		return put(out, change->service, change->name, value, change->old, f);
	return change->ours == NULL ? SG_OK : revert_list(change, value, out, f);
}

/* Is service one that the plan brought in whole? Its options go with it. */
static bool brought(const struct plan *plan, const char *service)
{
	for (size_t i = 0; service != NULL && i < plan->count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if (change->name == NULL && strcmp(change->service, service) == 0)
			return true;
	}
	return false;
}

enum fail_code plan_revert(const struct postconf *now, const struct plan *applied, bool in_main,
    bool in_master, struct plan *out, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < applied->count; i++) {
		const struct plan_change *change = &applied->changes[i];

		if (change->service == NULL ? !in_main : !in_master)
			continue;
		if (change->name == NULL || !brought(applied, change->service))
			code = revert_one(now, change, out, f);
	}
	return code;
}
