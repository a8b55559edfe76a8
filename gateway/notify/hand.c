/* Passwords for hooks: by a command or by HTTPS, and what comes of it. */
#include <fcntl.h>
#include <stdlib.h>

#include "config/hook.h"
#include "gateway/base/fd.h"
#include "gateway/notify/hook.h"
#include "gateway/notify/notify.h"
#include "gateway/notify/post.h"

#define ADVICE "see docs/passwords.md for trying a hook by hand"

/* ---- tokens ---- */

/* It goes into a header field. */
static enum fail_code check_token(const struct secret *token, const char *path, struct fail *f)
{
	size_t i;

	for (i = 0; i < token->size && token->data[i] > ' ' && token->data[i] < 0x7f; i++)
		continue;
	if (token->size == 0 || i < token->size)
		return fail_set(f, SG_EUSAGE, "write the token alone into it, in one line",
		    "hook_token_file = \"%s\" holds no token", path);
	return SG_OK;
}

static enum fail_code read_token(const char *path, struct secret *token, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum fail_code code;

	if (fd < 0)
		return fail_errno(f, SG_EUSAGE, "root or users.notify must be able to read it",
		    "hook_token_file = \"%s\"", path);
	code = secret_read(token, fd, f);
	fd_close(&fd);
	return code == SG_OK ? check_token(token, path, f) : code;
}

enum fail_code notify_tokens(struct notify *notify, struct fail *f)
{
	const struct conf *conf = notify->conf;
	enum fail_code code = SG_OK;
	size_t i;

	notify->tokens = calloc(conf->tenant_count + 1, sizeof(*notify->tokens));
	if (notify->tokens == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for tokens");
	for (i = 0; i < conf->tenant_count; i++)
		secret_init(&notify->tokens[i]);
	for (i = 0; code == SG_OK && i < conf->tenant_count; i++) {
		if (conf->tenants[i].hook_token_file[0] != '\0')
			code = read_token(conf->tenants[i].hook_token_file, &notify->tokens[i],
			    f);
	}
	return code;
}

/* ---- one password ---- */

static enum fail_code ask_hook(struct notify *notify, const struct conf_tenant *tenant,
    const struct buf *json, struct hook_answer *answer, struct fail *f)
{
	size_t place = (size_t)(tenant - notify->conf->tenants);
	const struct post post = {tenant->hook_url, notify->conf->notify.ca_file,
	    &notify->tokens[place], tenant->hook_timeout_ms};

	if (tenant->hook_command[0] != '\0')
		return runner_run(&notify->runner, notify->conf, place, json, answer, f);
	post_json(&post, json, answer);
	return SG_OK;
}

static enum fail_code try_hook(struct notify *notify, const struct vault_notice *notice,
    struct hook_answer *answer, struct fail *f)
{
	const struct conf_tenant *tenant = conf_tenant_named(notify->conf, notice->tenant);
	enum fail_code code;
	struct buf json;

	if (tenant == NULL || !hook_configured(tenant)) {
		hook_say(answer, HOOK_AGAIN, "no hook is configured any more");
		return SG_OK;
	}
	buf_init(&json, HOOK_JSON_MAX);
	code = hook_json(notice, &json);
	if (code != SG_OK) {
		hook_say(answer, code == SG_ELIMIT ? HOOK_FAILED : HOOK_AGAIN,
		    code == SG_ELIMIT ? "it is too long" : "no memory");
		code = SG_OK;
	} else {
		code = ask_hook(notify, tenant, &json, answer, f);
	}
	buf_free(&json);
	return code;
}

enum fail_code notify_hand(struct notify *notify, const struct vault_notice *notice,
    struct fail *f)
{
	struct hook_answer answer = {HOOK_AGAIN, ""};
	bool given_up = false;
	enum fail_code code;
	struct fail why;

	code = try_hook(notify, notice, &answer, f);
	if (code != SG_OK)
		return code;
	fail_clear(&why);
	(void)fail_set(&why, SG_EPEER, ADVICE, "%s", answer.why);
	if (answer.end == HOOK_DONE) {
		notify_log(notice, LOG_LEVEL_NOTICE, "password-handed", NULL);
		return vault_notice_done(&notify->vault, notice->id, f);
	}
	if (answer.end == HOOK_FAILED) {
		code = vault_notice_failed(&notify->vault, notice->id, answer.why, f);
		/* a vault that is away keeps it in the outbox: it comes again */
		given_up = code == SG_OK;
	} else {
		code = vault_notice_again(&notify->vault, notice->id, &given_up, f);
	}
	notify_log(notice, LOG_LEVEL_ERROR, given_up ? "password-not-handed" :
	    "password-not-handed-yet", &why);
	return code;
}
