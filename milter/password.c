/* The password that a message brings along; tell.c tells it to sender or hook. */
#include <stdlib.h>
#include <string.h>

#include "config/hook.h"
#include "gateway/base/phrase.h"
#include "gateway/base/str.h"
#include "milter/session_private.h"

/* ---- chosen by the sender ---- */

enum fail_code session_take_arguments(struct session *session, const char *name,
    const char *value, char **clean_out, struct fail *f)
{
	const struct rules_header header = { name, value };

	return rules_take_arguments(session->conf, &header, &session->arguments, clean_out, f);
}

void session_no_password(struct session *session, const char *untold)
{
	secret_free(&session->password);
	session->password_kind = VAULT_NO_PASSWORD;
	session->phone[0] = '\0';
	session->untold = untold;
}

static bool wants(const struct conf_tenant *tenant, const char *source)
{
	return str_list_has_case(&tenant->passwords, source);
}

/* What the vault says is about a password in general: here it is one in a subject. */
static enum fail_code check_strength(struct session *session, const struct conf_tenant *tenant,
    const struct str_list *recipients, struct fail *f)
{
	const struct session_services *services = session->services;
	const char **addresses = calloc(recipients->count + 1, sizeof(*addresses));
	struct fail why;
	enum fail_code code;

	fail_clear(&why);
	if (addresses == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for addresses");
	addresses[0] = session->message.sender;
	for (size_t i = 0; i < recipients->count; i++)
		addresses[i + 1] = recipients->items[i];
	code = services->password_try(services->context, tenant->name, &session->arguments.password,
	    addresses, recipients->count + 1, &why);
	free(addresses);
	if (code == SG_EFORMAT)
		return fail_set(f, SG_EFORMAT, "Choose a longer one, or leave it out",
		    "The password in the subject cannot be used: %.300s. The message was sent to "
		    "nobody", why.what);
	*f = why;
	return code;
}

/* "[pass:WORD sms:+49...]": the sender does not mean all of that as the password. */
static bool has_number(const struct secret *password)
{
	static const char name[] = " sms:";

	for (size_t at = 0; at + sizeof(name) - 1 <= password->size; at++) {
		if (str_equal_case_n((const char *)password->data + at, name, sizeof(name) - 1))
			return true;
	}
	return false;
}

static enum fail_code check_chosen(struct session *session, const struct conf_tenant *tenant,
    const struct rules_flag *rules, const struct str_list *recipients, struct fail *f)
{
	if (rules->pass_late)
		return fail_set(f, SG_EDENIED, "Write it in front of Re: or Fwd:, or leave it out",
		    "A password counts only before any Re: or Fwd: in the subject: behind them "
		    "another could have written it");
	if (!wants(tenant, CONF_PASSWORD_SENDER))
		return fail_set(f, SG_EDENIED, "Leave it out, or ask your mail administrator",
		    "Passwords in the subject are not taken here");
	if (session->arguments.passwords > 1)
		return fail_set(f, SG_EDENIED, "Leave one", "The message has %u passwords",
		    session->arguments.passwords);
	if (session->arguments.password.size == 0)
		return fail_set(f, SG_EFORMAT, "Write it as [secure pass:WORD]",
		    "There is no password behind pass: in the subject");
	if (has_number(&session->arguments.password))
		return fail_set(f, SG_EDENIED, "Leave one of them",
		    "The message has a password and a number to which one is sent");
	return check_strength(session, tenant, recipients, f);
}

/* ---- for a number ---- */

static enum fail_code check_number(struct session *session, const struct conf_tenant *tenant,
    const struct rules_flag *rules, struct fail *f)
{
	const struct rules_arguments *arguments = &session->arguments;
	struct fail why;

	fail_clear(&why);
	if (rules->sms_late)
		return fail_set(f, SG_EDENIED, "Write it in front of Re: or Fwd:, or leave it out",
		    "A number counts only before any Re: or Fwd: in the subject: behind them "
		    "another could have written it");
	if (!hook_configured(tenant))
		return fail_set(f, SG_EDENIED, "Leave sms: out, or ask your mail administrator",
		    "No hook is configured: passwords cannot be sent to numbers here");
	if (rules->pass || arguments->passwords > 0)
		return fail_set(f, SG_EDENIED, "Leave one of them",
		    "The message has a password and a number to which one is sent");
	if (arguments->numbers > 1)
		return fail_set(f, SG_EDENIED, "Leave one", "The message has %u numbers",
		    arguments->numbers);
	/* who hears if the hook does not get it */
	if (session->sender == NULL)
		return fail_set(f, SG_EDENIED, NULL, "A number counts only with a sender");
	if (phone_parse(arguments->number, session->phone, &why) != SG_OK)
		return fail_set(f, SG_EFORMAT, "Write it as [sms:+4915112345678]",
		    "The number in the subject cannot be used: %.200s. The message was sent to "
		    "nobody", why.what);
	return SG_OK;
}

/* ---- generated ---- */

/* NULL, or why the sender cannot be told one. */
static const char *why_untold(const struct session *session, const struct conf_tenant *tenant)
{
	if (session->login == NULL || session->login[0] == '\0')
		return "the sender has not logged in";
	if (session->sender == NULL)
		return "the sender has no address";
	if (!rules_login_owns(tenant, session->login, session->sender))
		return "the login does not own the address of the sender";
	return NULL;
}

/* Who is told a generated one: the first of the tenant's order that can be; or why nobody. */
static enum vault_password_kind find_telling(const struct session *session,
    const struct conf_tenant *tenant, const char **untold_out)
{
	const char *why;

	*untold_out = "";
	for (size_t i = 0; i < tenant->passwords.count; i++) {
		const char *source = tenant->passwords.items[i];

		if (strcmp(source, CONF_PASSWORD_GENERATE) == 0) {
			why = why_untold(session, tenant);
			if (why == NULL)
				return VAULT_GENERATED;
			*untold_out = why;
		} else if (strcmp(source, CONF_PASSWORD_HOOK) == 0) {
			if (session->sender != NULL && hook_configured(tenant))
				return VAULT_HOOKED;
			*untold_out = "there is no hook, or the sender has no address";
		}
	}
	return VAULT_NO_PASSWORD;
}

static enum fail_code generate(struct session *session, enum vault_password_kind kind,
    struct fail *f)
{
	enum fail_code code = phrase_make(&session->password, f);

	if (code == SG_OK)
		session->password_kind = kind;
	return code;
}

enum fail_code session_password(struct session *session, const struct session_flag *flag,
    const struct rules_flag *rules, const struct str_list *recipients, struct fail *f)
{
	enum vault_password_kind kind;
	enum fail_code code;

	session_no_password(session, "");
	if (rules->sms || session->arguments.numbers > 0) {
		code = check_number(session, flag->tenant, rules, f);
		return code == SG_OK ? generate(session, VAULT_SMS, f) : code;
	}
	if (rules->pass || session->arguments.passwords > 0) {
		code = check_chosen(session, flag->tenant, rules, recipients, f);
		if (code == SG_OK) {
			secret_move(&session->password, &session->arguments.password);
			session->password_kind = VAULT_CHOSEN;
		}
		return code;
	}
	kind = find_telling(session, flag->tenant, &session->untold);
	if (kind == VAULT_NO_PASSWORD)
		return SG_OK;
	session->untold = "";
	return generate(session, kind, f);
}

/* ---- hidden ---- */

enum fail_code session_hide_password(const struct session *session,
    const struct session_flag *flag, struct edits *edits, struct fail *f)
{
	const struct message *message = &session->message;
	enum fail_code code = SG_OK;
	char *value;

	if (session->arguments.passwords == 0 && session->arguments.numbers == 0)
		return SG_OK;
	if (flag->subject != NULL) {
		value = str_printf("%s%s", str_is_space(flag->subject[0]) ? "" : " ",
		    flag->subject);
		code = value == NULL ? SG_ENOMEM : edits_set(edits, message, "Subject", value);
		free(value);
	}
	if (code == SG_OK)
		code = edits_delete_all(edits, message, session->conf->tags.header);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for edits");
	return SG_OK;
}
