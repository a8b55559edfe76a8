#include "gateway/notify/compose.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config/template.h"
#include "gateway/base/base64.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"

#define SUBJECT "Subject: "
#define DATE_MAX 64
#define WIDTH_MAX 76	/* columns */

char *compose_sender(const char *from, const char *to)
{
	const char *at = strrchr(to, '@');

	return from[0] != '\0' ? str_dup(from) : str_printf("postmaster%s", at == NULL ? "" : at);
}

/* RFC 5322 3.3, in UTC, whatever the locale. */
static void put_date(int64_t time_ms, char out[DATE_MAX])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	(void)gmtime_r(&seconds, &tm);
	(void)snprintf(out, DATE_MAX, "%.3s, %02d %.3s %d %02d:%02d:%02d +0000",
	    days + (size_t)(tm.tm_wday % 7) * 3, tm.tm_mday, months + (size_t)(tm.tm_mon % 12) * 3,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static const char *text_of(const struct compose_text *text, const struct vault_notice *notice)
{
	switch (notice->kind) {
	case VAULT_UNHANDED:
		return text->unhanded;
	case VAULT_REFUSED:
		return text->refused;
	case VAULT_SEALED:
		return text->sealed;
	case VAULT_LETTER:
	case VAULT_HOOK:
		break;
	}
	return text->password;
}

bool compose_is_notice(const struct vault_notice *notice)
{
	return notice->kind == VAULT_REFUSED || notice->kind == VAULT_SEALED;
}

/* In words; "" for none. */
static const char *note_of(const struct compose_text *text, const struct vault_notice *notice,
    size_t place)
{
	unsigned int note = notice->notes == NULL || place >= notice->recipients.count ?
	    VAULT_NO_NOTE : notice->notes[place];
	const char *words = note < VAULT_NOTES ? text->notes[note] : NULL;

	return words == NULL ? "" : words;
}

const char *compose_section(enum vault_note note)
{
	static const char *const names[VAULT_NOTES] = {
		[VAULT_AS_ENVELOPE] = "as-envelope",
		[VAULT_AS_RECIPIENT] = "as-recipient",
		[VAULT_AS_CHOSEN] = "as-chosen",
		[VAULT_AS_GENERATED] = "as-generated",
		[VAULT_AS_HOOK] = "as-hook",
		[VAULT_AS_SMS] = "as-sms",
		[VAULT_AS_TLS] = "as-tls",
		[VAULT_AS_INSIDE] = "as-inside",
		[VAULT_NO_PROTECTION] = "no-protection",
		[VAULT_NO_TLS] = "no-tls",
		[VAULT_NO_MAIL] = "no-mail",
		[VAULT_NO_ROOM] = "no-room",
		[VAULT_NO_WAY] = "no-way",
	};

	return names[note];
}

/* ---- body ---- */

static enum fail_code put_recipients(const struct compose_text *text,
    const struct vault_notice *notice, struct buf *out)
{
	size_t listed = notice->recipients.count;
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; code == SG_OK && i < listed; i++)
		code = notice->kind != VAULT_SEALED ?
		    buf_printf(out, "  %s\n", notice->recipients.items[i]) :
		    buf_printf(out, "  %s:\n    %s\n", notice->recipients.items[i],
		    note_of(text, notice, i));
	if (code == SG_OK && notice->count > listed)
		code = buf_printf(out, "  (+ %u)\n", (unsigned int)(notice->count - listed));
	return code;
}

/* Where a line of this size ends: at a space, if it is too wide for a screen. */
static size_t line_end(const unsigned char *line, size_t size, size_t indent)
{
	size_t end = 0;
	size_t width = 0;
	size_t i;

	for (i = 0; i < size && (width <= WIDTH_MAX || end == 0); i++) {
		/* what continues a character of UTF-8 has no width */
		width += (line[i] & 0xc0) != 0x80;
		if (line[i] == ' ' && i > indent)
			end = i;
	}
	return i == size && width <= WIDTH_MAX ? size : end == 0 ? size : end;
}

/* One line, broken into several with the same indent. */
static enum fail_code put_line(const unsigned char *line, size_t size, struct buf *out)
{
	enum fail_code code = SG_OK;
	size_t indent = 0;
	size_t at = 0;

	while (indent < size && line[indent] == ' ')
		indent++;
	do {
		size_t end = line_end(line + at, size - at, at == 0 ? indent : 0);

		if (at > 0)
			code = buf_append(out, line, indent);
		if (code == SG_OK)
			code = buf_append(out, line + at, end);
		if (code == SG_OK)
			code = buf_append(out, "\r\n", 2);
		at += end + (at + end < size);
	} while (code == SG_OK && at < size);
	return code;
}

/* Line ends become CRLF. */
static enum fail_code put_lines(const struct buf *text, struct buf *out)
{
	enum fail_code code = SG_OK;
	size_t at = 0;

	while (code == SG_OK && at < text->size) {
		const unsigned char *line = text->data + at;
		const unsigned char *end = memchr(line, '\n', text->size - at);
		size_t size = end == NULL ? text->size - at : (size_t)(end - line);

		code = put_line(line, size, out);
		at += size + 1;
	}
	return code;
}

/* What stands behind the line of the subject and the empty one. */
static enum fail_code fill(const char *whole, bool by_line, const struct template_value *values,
    size_t count, struct buf *out)
{
	const char *body = strchr(whole, '\n') + 2;

	/* a notice has lines that may say nothing: a subject that is hidden */
	return by_line ? template_fill_lines(body, values, count, out) :
	    template_fill(body, values, count, out);
}

static enum fail_code put_body(const struct compose_text *text, const struct vault_notice *notice,
    struct buf *body)
{
	struct buf recipients;
	struct buf subject;
	struct buf filled;
	const char *reason = notice->reason == NULL ? "" : notice->reason;
	const char *why = note_of(text, notice, 0);
	char date[DATE_MAX];
	enum fail_code code;

	buf_init(&recipients, COMPOSE_MAX);
	buf_init(&subject, COMPOSE_MAX);
	buf_init(&filled, COMPOSE_MAX);
	put_date(notice->time_ms, date);
	code = put_recipients(text, notice, &recipients);
	if (code == SG_OK)
		code = compose_subject(notice->subject, &subject);
	if (code == SG_OK) {
		const struct template_value values[] = {
			{"password", (const char *)notice->password.data, notice->password.size},
			{"recipients", (const char *)recipients.data, recipients.size},
			{"subject", (const char *)subject.data, subject.size},
			{"date", date, strlen(date)},
			{"kept", text->kept, notice->keep ? strlen(text->kept) : 0},
			{"reason", reason, strlen(reason)},
			{"detail", reason, strlen(reason)},
			{"why", why, strlen(why)},
		};

		code = fill(text_of(text, notice), compose_is_notice(notice), values,
		    sizeof(values) / sizeof(values[0]), &filled);
	}
	if (code == SG_OK)
		code = put_lines(&filled, body);
	buf_free(&filled);
	buf_free(&subject);
	buf_free(&recipients);
	return code;
}

/* ---- header ---- */

/* In encoded words of whole characters, each below 75 bytes, where it is not plain ASCII. */
static enum fail_code put_subject(const char *text, size_t size, struct buf *out)
{
	enum fail_code code = buf_append_str(out, SUBJECT);
	bool plain = true;
	size_t at;

	for (at = 0; at < size; at++)
		plain = plain && (unsigned char)text[at] < 0x7f;
	if (plain && code == SG_OK)
		code = buf_append(out, text, size);
	for (at = 0; !plain && code == SG_OK && at < size;) {
		size_t part = 0;
		size_t next;

		while (at + part < size &&
		    (next = str_utf8_char(text + at + part, size - at - part)) > 0 &&
		    part + next <= 42)
			part += next;
		code = buf_append_str(out, at == 0 ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		if (code == SG_OK)
			code = base64_encode(out, text + at, part);
		if (code == SG_OK)
			code = buf_append_str(out, "?=");
		at += part == 0 ? size : part;
	}
	return code == SG_OK ? buf_append_str(out, "\r\n") : code;
}

/* A notice answers the message (RFC 3834, 3.1.5 and 5). */
static enum fail_code put_relation(const struct vault_notice *notice, struct buf *header)
{
	if (!compose_is_notice(notice))
		return buf_append_str(header, "Auto-Submitted: auto-generated\r\n");
	if (notice->message_id == NULL || notice->message_id[0] == '\0')
		return buf_append_str(header, "Auto-Submitted: auto-replied\r\n");
	return buf_printf(header, "Auto-Submitted: auto-replied\r\nIn-Reply-To: %s\r\n"
	    "References: %s\r\n", notice->message_id, notice->message_id);
}

static enum fail_code put_header(const struct compose_text *text,
    const struct vault_notice *notice, const char *sender, int64_t now_ms, struct buf *header)
{
	const char *whole = text_of(text, notice);
	const char *at = strrchr(sender, '@');
	char id[2 * VAULT_NOTICE_ID + 1];
	char date[DATE_MAX];
	enum fail_code code;

	put_date(now_ms, date);
	str_hex(notice->id, VAULT_NOTICE_ID, id);
	code = buf_printf(header, "From: <%s>\r\nTo: <%s>\r\n", sender, notice->to);
	if (code == SG_OK)
		code = put_subject(whole + strlen(SUBJECT),
		    strcspn(whole, "\n") - strlen(SUBJECT), header);
	if (code == SG_OK)
		code = put_relation(notice, header);
	/* the same id in each try: who gets it twice can tell */
	return code != SG_OK ? code : buf_printf(header, "Date: %s\r\nMessage-ID: <%s.notice%s>\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
	    "Content-Language: %s\r\n", date, id, at == NULL ? "@localhost" : at,
	    template_language((enum conf_language)notice->language));
}

enum fail_code compose_letter(const struct compose_text *text, const struct vault_notice *notice,
    const char *sender, int64_t now_ms, struct buf *header, struct buf *body)
{
	enum fail_code code = put_header(text, notice, sender, now_ms, header);

	return code == SG_OK ? put_body(text, notice, body) : code;
}
