#include "milter/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/str.h"

static const struct {
	enum reply_stage stage;
	enum fail_code code;	/* SG_OK: any other */
	enum fail_kind kind;
	const char *reply;
	const char *status;
} replies[] = {
	{ REPLY_INTAKE, SG_ELIMIT, FAIL_PERMANENT, "552", "5.3.4" },
	{ REPLY_SENDER, SG_OK, FAIL_PERMANENT, "550", "5.7.1" },
	{ REPLY_PLAN, SG_ELIMIT, FAIL_PERMANENT, "550", "5.5.3" },
	{ REPLY_PLAN, SG_OK, FAIL_PERMANENT, "550", "5.7.1" },
	{ REPLY_SEAL, SG_ELIMIT, FAIL_PERMANENT, "552", "5.3.4" },
	{ REPLY_SEAL, SG_OK, FAIL_PERMANENT, "550", "5.7.5" },
	{ REPLY_MARK, SG_OK, FAIL_PERMANENT, "550", "5.7.1" },
	{ REPLY_SCAN, SG_OK, FAIL_TEMPORARY, "451", "4.7.1" },
	{ REPLY_SEAL, SG_OK, FAIL_TEMPORARY, "451", "4.7.5" },
	{ REPLY_WAIT, SG_OK, FAIL_TEMPORARY, "451", "4.4.0" },
	{ REPLY_WAIT, SG_ENOTFOUND, FAIL_PERMANENT, "550", "5.4.4" },
	{ REPLY_NO_TLS, SG_OK, FAIL_TEMPORARY, "451", "4.7.4" },
	{ REPLY_NO_TLS, SG_OK, FAIL_PERMANENT, "550", "5.7.4" },
};

static void clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void reply_set(struct reply *reply_out, const char *code, const char *status, const char *format,
    ...)
{
	va_list args;

	(void)snprintf(reply_out->code, sizeof(reply_out->code), "%s", code);
	(void)snprintf(reply_out->status, sizeof(reply_out->status), "%s", status);
	va_start(args, format);
	(void)vsnprintf(reply_out->text, sizeof(reply_out->text), format, args);
	va_end(args);
	str_cut_utf8(reply_out->text, sizeof(reply_out->text));
	clean(reply_out->text);
}

/* There the client is our own Postfix, which shows the words in its queue. */
static bool tells_why(enum reply_stage stage, enum fail_kind kind)
{
	return kind == FAIL_PERMANENT || stage == REPLY_WAIT || stage == REPLY_NO_TLS;
}

/* A sender can do nothing about our insides: those stay in the log. */
static void temporary(struct reply *reply_out, const char *code, const char *status)
{
	reply_set(reply_out, code, status, "The mail gateway cannot handle this message now, "
	    "please try again later");
}

void reply_from_fail(enum reply_stage stage, const struct fail *f, struct reply *reply_out)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		if (replies[i].stage != stage || replies[i].kind != f->kind ||
		    (replies[i].code != SG_OK && replies[i].code != f->code))
			continue;
		if (!tells_why(stage, f->kind))
			temporary(reply_out, replies[i].reply, replies[i].status);
		else
			reply_set(reply_out, replies[i].reply, replies[i].status, "%s%s%s",
			    f->what, f->hint[0] != '\0' ? ". " : "", f->hint);
		return;
	}
	temporary(reply_out, "451", "4.3.0");
}
