#include "gateway/base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

static const struct {
	enum fail_code code;
	enum fail_kind kind;
	const char *name;
} fail_codes[] = {
	{ SG_OK, FAIL_TEMPORARY, "ok" },
	{ SG_ESYSTEM, FAIL_TEMPORARY, "system" },
	{ SG_ENOMEM, FAIL_TEMPORARY, "memory" },
	{ SG_ELIMIT, FAIL_PERMANENT, "limit" },
	{ SG_EFORMAT, FAIL_PERMANENT, "format" },
	{ SG_ENOTFOUND, FAIL_PERMANENT, "not-found" },
	{ SG_EDENIED, FAIL_PERMANENT, "denied" },
	{ SG_EPEER, FAIL_TEMPORARY, "peer" },
	{ SG_ECRYPTO, FAIL_TEMPORARY, "crypto" },
	{ SG_EUSAGE, FAIL_PERMANENT, "usage" },
	{ SG_EEXIST, FAIL_PERMANENT, "exists" },
	{ SG_EIMPOSSIBLE, FAIL_PERMANENT, "impossible" },
};

#define FAIL_CODES (sizeof(fail_codes) / sizeof(fail_codes[0]))

static enum fail_kind kind_of(enum fail_code code)
{
	for (size_t i = 0; i < FAIL_CODES; i++)
		if (fail_codes[i].code == code)
			return fail_codes[i].kind;
	return FAIL_TEMPORARY;
}

const char *fail_name(enum fail_code code)
{
	for (size_t i = 0; i < FAIL_CODES; i++)
		if (fail_codes[i].code == code)
			return fail_codes[i].name;
	return "unknown";
}

void fail_clear(struct fail *f)
{
	if (f == NULL)
		return;
	memset(f, 0, sizeof(*f));
}

/* What comes from libraries may have several lines; ours is one. */
static void make_one_line(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

static void fill(struct fail *f, enum fail_code code, const char *hint, const char *format,
    va_list args)
{
	f->code = code;
	f->kind = kind_of(code);
	(void)vsnprintf(f->what, sizeof(f->what), format, args);
	str_cut_utf8(f->what, sizeof(f->what));
	make_one_line(f->what);
	(void)snprintf(f->hint, sizeof(f->hint), "%s", hint != NULL ? hint : "");
	str_cut_utf8(f->hint, sizeof(f->hint));
	make_one_line(f->hint);
}

enum fail_code fail_set(struct fail *f, enum fail_code code, const char *hint, const char *format,
    ...)
{
	va_list args;

	if (f == NULL)
		return code;
	va_start(args, format);
	fill(f, code, hint, format, args);
	va_end(args);
	return code;
}

enum fail_code fail_errno(struct fail *f, enum fail_code code, const char *hint,
    const char *format, ...)
{
	char reason[128];
	const char *text;
	size_t used;
	va_list args;
	int saved = errno;

	if (f == NULL)
		return code;
	va_start(args, format);
	fill(f, code, hint, format, args);
	va_end(args);
	text = strerror_r(saved, reason, sizeof(reason));
	used = strlen(f->what);
	(void)snprintf(f->what + used, sizeof(f->what) - used, ": %s", text);
	return code;
}

enum fail_code fail_set_kind(struct fail *f, enum fail_kind kind)
{
	if (f == NULL)
		return SG_ESYSTEM;
	f->kind = kind;
	return f->code;
}

void fail_bug(const char *file, int line, const char *condition)
{
	(void)fprintf(stderr, "error bug file=%s line=%d condition=\"%s\"\n", file, line,
	    condition);
	abort();
}
