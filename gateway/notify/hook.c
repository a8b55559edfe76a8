#include "gateway/notify/hook.h"

#include <jansson.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "config/template.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"
#include "gateway/notify/compose.h"

#define TIME_MAX 32

/* ---- answers ---- */

void hook_say(struct hook_answer *answer, enum hook_end end, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)vsnprintf(answer->why, sizeof(answer->why), format, list);
	va_end(list);
	answer->end = end;
}

void hook_exited(int status, struct hook_answer *answer)
{
	hook_say(answer, status == 0 ? HOOK_DONE : status == EX_TEMPFAIL ? HOOK_AGAIN :
	    HOOK_FAILED, "the command ended with exit status %d", status);
}

void hook_replied(long status, struct hook_answer *answer)
{
	bool done = status >= 200 && status < 300;
	bool refused = status >= 400 && status < 500 && status != 408 && status != 429;

	hook_say(answer, done ? HOOK_DONE : refused ? HOOK_FAILED : HOOK_AGAIN,
	    "the server answered with HTTP status %ld%s", status,
	    status >= 300 && status < 400 ? ", a redirection, which is not followed" : "");
}

/* ---- JSON ---- */

static void wipe_free(void *memory)
{
	if (memory != NULL)
		secret_wipe(memory, malloc_usable_size(memory));
	free(memory);
}

void hook_json_start(void)
{
	json_set_alloc_funcs(malloc, wipe_free);
}

/* What is no UTF-8 in an address becomes "?": JSON can say nothing else. */
static json_t *clean_text(const char *text)
{
	char *clean = str_dup(text);
	json_t *value;
	size_t left;
	char *at;

	if (clean == NULL)
		return NULL;
	for (at = clean, left = strlen(clean); left > 0;) {
		size_t size = str_utf8_char(at, left);

		if (size == 0)
			*at = '?';
		size = size == 0 ? 1 : size;
		at += size;
		left -= size;
	}
	value = json_string(clean);
	free(clean);
	return value;
}

static json_t *subject_text(const char *raw)
{
	json_t *value = NULL;
	struct buf text;

	buf_init(&text, COMPOSE_MAX);
	if (compose_subject(raw, &text) == SG_OK && buf_str(&text) != NULL)
		value = json_string(buf_str(&text));
	buf_free(&text);
	return value;
}

static json_t *time_text(int64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	char text[TIME_MAX];
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	(void)gmtime_r(&seconds, &tm);
	return strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0 ? json_string("") :
	    json_string(text);
}

static json_t *recipients_array(const struct vault_notice *notice)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array != NULL && i < notice->recipients.count; i++) {
		if (json_array_append_new(array, clean_text(notice->recipients.items[i])) != 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

/* NULL: no memory. */
static json_t *make_object(const struct vault_notice *notice)
{
	json_t *object = json_object();
	char id[2 * VAULT_NOTICE_ID + 1];
	int failed;

	str_hex(notice->id, VAULT_NOTICE_ID, id);
	failed = object == NULL || json_object_set_new(object, "version", json_integer(1));
	failed = failed || json_object_set_new(object, "event", json_string("password")) ||
	    json_object_set_new(object, "id", json_string(id)) ||
	    json_object_set_new(object, "tenant", clean_text(notice->tenant)) ||
	    json_object_set_new(object, "phone", notice->phone[0] == '\0' ? json_null() :
	    json_string(notice->phone)) ||
	    json_object_set_new(object, "recipients", recipients_array(notice)) ||
	    json_object_set_new(object, "recipient_count", json_integer(notice->count));
	failed = failed || json_object_set_new(object, "sender", clean_text(notice->to)) ||
	    json_object_set_new(object, "subject", subject_text(notice->subject)) ||
	    json_object_set_new(object, "sent", time_text(notice->time_ms)) ||
	    json_object_set_new(object, "password", json_stringn(
	    (const char *)notice->password.data, notice->password.size)) ||
	    json_object_set_new(object, "kept", json_boolean(notice->keep)) ||
	    json_object_set_new(object, "language", json_string(
	    template_language((enum conf_language)(notice->language % CONF_LANGUAGES))));
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

struct writing {
	struct buf *out;
	enum fail_code code;
};

static int append(const char *text, size_t size, void *context)
{
	struct writing *writing = context;

	writing->code = buf_append(writing->out, text, size);
	return writing->code == SG_OK ? 0 : -1;
}

enum fail_code hook_json(const struct vault_notice *notice, struct buf *out)
{
	struct writing writing = {out, SG_OK};
	json_t *object = make_object(notice);

	if (object == NULL)
		return SG_ENOMEM;
	if (json_dump_callback(object, append, &writing, JSON_COMPACT) != 0 &&
	    writing.code == SG_OK)
		writing.code = SG_ENOMEM;
	json_decref(object);
	return writing.code == SG_OK ? buf_append(out, "\n", 1) : writing.code;
}
