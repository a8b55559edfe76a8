#include "gateway/postfix/plan.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/list.h"
#include "gateway/postfix/make.h"

enum fail_code make_no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory");
}

enum fail_code make_put(struct making *m, const char *service, const char *name, const char *old,
    const char *new, struct fail *f)
{
	return plan_put(m->plan, &(struct plan_text){ service, name, old, new, NULL }, f);
}

enum fail_code make_put_settings(struct making *m, const char *service,
    const struct make_setting *settings, size_t count, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < count; i++)
		code = make_put(m, service, settings[i].name, NULL, settings[i].value, f);
	return code;
}

/* A list with our element first. postconf takes no white space into master.cf: "," parts there. */
enum fail_code make_put_list(struct making *m, const char *service, const char *name,
    const char *old, const char *ours, struct fail *f)
{
	char *new = list_put_first(old == NULL ? "" : old, ours, service == NULL ? ", " : ",");
	enum fail_code code;

	if (new == NULL)
		return make_no_memory(f);
	code = plan_put(m->plan, &(struct plan_text){ service, name, old, new, ours }, f);
	free(new);
	return code;
}

enum fail_code make_put_last(struct making *m, const char *service, const char *name,
    const char *old, const char *ours, struct fail *f)
{
	char *new = list_put_last(old == NULL ? "" : old, ours, service == NULL ? ", " : ",");
	enum fail_code code;

	if (new == NULL)
		return make_no_memory(f);
	code = plan_put(m->plan, &(struct plan_text){ service, name, old, new, ours }, f);
	free(new);
	return code;
}

enum fail_code make_put_override(struct making *m, const struct postconf_service *service,
    const char *name, const char *ours, struct fail *f)
{
	const char *old = postconf_pair(&service->options, name);

	return old == NULL ? SG_OK : make_put_list(m, service->key, name, old, ours, f);
}

enum fail_code make_put_milters(
    struct making *m, const struct postconf_service *service, const char *name, struct fail *f)
{
	const char *old = service == NULL ? postconf_set(m->base, name) :
	                                    postconf_pair(&service->options, name);

	if (!m->wish->front || (service != NULL && old == NULL) ||
	    (old != NULL && plan_refers(old)))
		return SG_OK;
	return service == NULL ? make_put_list(m, NULL, name, old, m->entry, f) :
	                         make_put_list(m, service->key, name, old, m->compact, f);
}

/* --- what is in the way --- */

static bool takes_port(const struct postconf_service *service, unsigned int port)
{
	const char *colon = strrchr(service->name, ':');
	uint64_t number;

	return strcmp(service->type, "inet") == 0 &&
	       str_parse_u64(colon == NULL ? service->name : colon + 1, port, port, &number) ==
	           SG_OK;
}

static enum fail_code check_port(
    const struct making *m, unsigned int port, const char *key, struct fail *f)
{
	for (size_t i = 0; i < m->base->service_count; i++) {
		if (!takes_port(&m->base->services[i], port))
			continue;
		(void)fail_set(f, SG_EEXIST,
		    strcmp(key, "stage_port") == 0 ?
		        "choose another stage_port in sealgate.conf" :
		        "choose another tls.fallback_port in sealgate.conf",
		    "%s in master.cf already has port %u", m->base->services[i].key, port);
		return SG_EEXIST;
	}
	return SG_OK;
}

static enum fail_code check_free(const struct making *m, struct fail *f)
{
	static const char *const keys[] = { PLAN_SEAL "/unix", PLAN_SEAL_CLEANUP "/unix",
		PLAN_SEAL_PICKUP "/unix", PLAN_LOCAL "/unix", PLAN_FORWARD "/unix",
		PLAN_REWRITE "/unix" };
	enum fail_code code;

	for (size_t i = 0; i < MAKE_COUNT(keys); i++) {
		if (postconf_service(m->base, keys[i]) != NULL)
			return fail_set(f, SG_EEXIST,
			    "rename that service, or take out by hand what "
			    "is left of an earlier attach (its record is missing)",
			    "master.cf already has a service %s", keys[i]);
	}
	code = check_port(m, m->wish->port, "stage_port", f);
	if (code != SG_OK || !m->tls)
		return code;
	code = check_port(m, m->wish->fallback_port, "fallback_port", f);
	if (code == SG_OK && m->wish->port == m->wish->fallback_port)
		code = fail_set(f, SG_EUSAGE, "choose another tls.fallback_port in sealgate.conf",
		    "stage_port and tls.fallback_port are both %u", m->wish->port);
	return code == SG_OK ? make_sealed_free(m, f) : code;
}

static enum fail_code make_texts(struct making *m, struct fail *f)
{
	const struct plan_wish *wish = m->wish;

	m->entry = str_printf("{ %s, default_action=tempfail }", wish->milter);
	m->compact = str_printf("{%s,default_action=tempfail}", wish->milter);
	m->routes = str_printf("regexp:%s/routes", wish->folder);
	m->requeue = str_printf("regexp:%s/requeue", wish->folder);
	m->unsealed = str_printf("pipemap:{regexp:%s/unsealed,fail:sealgate}", wish->folder);
	m->decode = str_printf("regexp:%s/decode", wish->folder);
	m->stage = plan_stage_key(wish->port);
	m->fallback = plan_stage_key(wish->fallback_port);
	m->behind = str_dup("");
	if (m->entry == NULL || m->compact == NULL || m->routes == NULL || m->requeue == NULL ||
	    m->unsealed == NULL || m->decode == NULL || m->stage == NULL ||
	    m->fallback == NULL || m->behind == NULL)
		return make_no_memory(f);
	return SG_OK;
}

static enum fail_code make_all(struct making *m, struct fail *f)
{
	enum fail_code code = check_free(m, f);

	if (code == SG_OK)
		code = make_behind(m, f);
	if (code == SG_OK)
		code = make_main(m, f);
	for (size_t i = 0; code == SG_OK && i < m->base->service_count; i++)
		code = make_existing(m, &m->base->services[i], f);
	if (code == SG_OK)
		code = make_stages(m, f);
	if (code == SG_OK)
		code = make_local(m, f);
	if (code == SG_OK && m->tls)
		code = make_tls_main(m, f);
	if (code == SG_OK && m->tls)
		code = make_sealed(m, f);
	return code;
}

enum fail_code plan_make(
    const struct postconf *base, const struct plan_wish *wish, struct plan *out, struct fail *f)
{
	struct making m = { .base = base, .wish = wish, .plan = out };
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	m.tls = wish->policy != NULL && wish->policy[0] != '\0' && wish->routing != NULL;
	code = make_texts(&m, f);
	if (code == SG_OK)
		code = make_all(&m, f);
	free(m.entry);
	free(m.compact);
	free(m.routes);
	free(m.requeue);
	free(m.unsealed);
	free(m.decode);
	free(m.stage);
	free(m.fallback);
	free(m.behind);
	if (code != SG_OK)
		plan_free(out);
	return code;
}
