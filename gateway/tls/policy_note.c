#include "gateway/tls/policy_note.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/dane.h"

#define ANSWER_MAX ((size_t)4096)	/* bytes of an answer that are shown */

void policy_set_text(char **slot, const char *text)
{
	free(*slot);
	*slot = str_dup(text);
}

static const char *type_name(int type)
{
	switch (type) {
	case SOURCE_A:
		return "A";
	case SOURCE_CNAME:
		return "CNAME";
	case SOURCE_MX:
		return "MX";
	case SOURCE_TXT:
		return "TXT";
	case SOURCE_AAAA:
		return "AAAA";
	default:
		return "TLSA";
	}
}

/* The step takes over the three texts. */
static void add(struct policy_notes *notes, char *question, char *answer, char *state)
{
	struct policy_step *grown = NULL;

	if (notes->count < POLICY_STEPS_MAX && question != NULL && answer != NULL && state != NULL)
		grown = reallocarray(notes->steps, notes->count + 1, sizeof *grown);
	if (grown == NULL) {
		free(question);
		free(answer);
		free(state);
		return;
	}
	notes->steps = grown;
	memset(&grown[notes->count], 0, sizeof *grown);
	grown[notes->count].question = question;
	grown[notes->count].answer = answer;
	grown[notes->count].state = state;
	notes->count++;
}

static enum fail_code put_address(const struct source_record *record, int family, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (record->size != (family == AF_INET ? 4U : 16U) ||
	    inet_ntop(family, record->data, text, sizeof text) == NULL)
		return buf_append_str(out, "(malformed)");
	return buf_append_str(out, text);
}

static enum fail_code put_name(const unsigned char *data, size_t size, struct buf *out)
{
	char name[DANE_NAME_MAX];

	if (!dane_name(data, size, name, NULL))
		return buf_append_str(out, "(malformed)");
	return buf_append_str(out, name[0] == '\0' ? "." : name);
}

static enum fail_code put_txt(const struct source_record *record, struct buf *out)
{
	enum fail_code code = buf_append_str(out, "\"");
	size_t at = 0;

	while (code == SG_OK && at < record->size) {
		size_t part = record->data[at++];

		if (part > record->size - at)
			part = record->size - at;
		code = buf_append(out, record->data + at, part);
		at += part;
	}
	return code == SG_OK ? buf_append_str(out, "\"") : code;
}

static enum fail_code put_record(int type, const struct source_record *record, struct buf *out)
{
	enum fail_code code;

	switch (type) {
	case SOURCE_A:
		return put_address(record, AF_INET, out);
	case SOURCE_AAAA:
		return put_address(record, AF_INET6, out);
	case SOURCE_MX:
		if (record->size < 3)
			return buf_append_str(out, "(malformed)");
		code = buf_printf(out, "%u ", record->data[0] * 256U + record->data[1]);
		return code == SG_OK ? put_name(record->data + 2, record->size - 2, out) : code;
	case SOURCE_CNAME:
		return put_name(record->data, record->size, out);
	case SOURCE_TXT:
		return put_txt(record, out);
	default:
		return dane_text(record, out);
	}
}

static char *records_text(int type, const struct source_dns *answer)
{
	enum fail_code code = SG_OK;
	struct buf text;
	char *copy;
	size_t i;

	buf_init(&text, ANSWER_MAX);
	for (i = 0; code == SG_OK && i < answer->count; i++) {
		if (i > 0)
			code = buf_append_str(&text, ", ");
		if (code == SG_OK)
			code = put_record(type, &answer->records[i], &text);
	}
	/* what does not fit is not shown */
	if (code == SG_OK && answer->canonical != NULL &&
	    buf_printf(&text, " (at %s)", answer->canonical) != SG_OK)
		buf_reset(&text);
	copy = str_dup(buf_str(&text));
	buf_free(&text);
	return copy;
}

static char *answer_text(int type, const struct source_dns *answer)
{
	switch (answer->status) {
	case SOURCE_DNS_ANSWER:
		return records_text(type, answer);
	case SOURCE_DNS_NODATA:
		return str_dup("none");
	case SOURCE_DNS_NXDOMAIN:
		return str_dup("no such name");
	default:
		return str_dup("failed");
	}
}

static char *state_text(const struct source_dns *answer)
{
	const char *why = answer->why == NULL ? "no answer" : answer->why;

	if (answer->status == SOURCE_DNS_FAILED)
		return str_printf("%s: %s", answer->bogus ? "bogus" : "failed", why);
	return str_dup(answer->secure ? "secure" : "insecure");
}

void policy_note_dns(struct policy_notes *notes, const char *name, int type,
    const struct source_dns *answer)
{
	if (notes != NULL)
		add(notes, str_printf("%s %s", type_name(type), name), answer_text(type, answer),
		    state_text(answer));
}

void policy_note_https(struct policy_notes *notes, const char *host, const char *path,
    const struct source_https *answer)
{
	size_t size = answer->size < ANSWER_MAX ? answer->size : ANSWER_MAX;

	if (notes == NULL)
		return;
	add(notes, str_printf("GET https://%s/%s", host, path),
	    answer->status == 0 ? str_dup("failed") : str_dup_n(answer->body, size),
	    answer->status == 0 ? str_printf("failed: %s", answer->why) :
	    str_printf("%d", answer->status));
}

void policy_note_step(struct policy_notes *notes, const char *question, const char *answer,
    const char *state)
{
	if (notes != NULL)
		add(notes, str_dup(question), str_dup(answer), str_dup(state));
}

void policy_note_meaning(struct policy_notes *notes, const char *format, ...)
{
	char text[POLICY_REASON_MAX];
	va_list arguments;

	if (notes == NULL || notes->count == 0)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	policy_set_text(&notes->steps[notes->count - 1].meaning, text);
}

void policy_notes_free(struct policy_notes *notes)
{
	size_t i;

	for (i = 0; i < notes->count; i++) {
		free(notes->steps[i].question);
		free(notes->steps[i].answer);
		free(notes->steps[i].state);
		free(notes->steps[i].meaning);
	}
	free(notes->steps);
	memset(notes, 0, sizeof *notes);
}
