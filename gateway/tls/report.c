#include "gateway/tls/report.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "gateway/base/base64.h"

#define ADDRESS_MAX ((size_t)254)	/* RFC 5321 */
#define VERSION "v=TLSRPTv1"

static void put_time(int64_t seconds, char out[32])
{
	time_t t = (time_t)seconds;
	struct tm date;

	(void)gmtime_r(&t, &date);
	(void)strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &date);
}

enum fail_code report_day(const char *text, uint32_t *day_out)
{
	struct tm date;
	char back[16];
	const char *end;
	time_t t;

	memset(&date, 0, sizeof(date));
	end = strptime(text, "%Y-%m-%d", &date);
	t = timegm(&date);
	(void)strftime(back, sizeof(back), "%Y-%m-%d", &date);
	if (end == NULL || *end != '\0' || strcmp(back, text) != 0 || t < 0)
		return SG_EFORMAT;
	*day_out = (uint32_t)(t / REPORT_DAY_S);
	return SG_OK;
}

/* --- JSON --- */

static json_t *string(const char *text)
{
	json_t *made = json_string(text == NULL ? "" : text);

	return made != NULL ? made : json_string("?");
}

static json_t *lines_json(const char *lines)
{
	json_t *list = json_array();
	size_t size;

	for (; lines != NULL && *lines != '\0'; lines += size) {
		lines += strspn(lines, "\r\n");
		size = strcspn(lines, "\r\n");
		if (size > 0)
			(void)json_array_append_new(list, json_stringn(lines, size));
	}
	return list;
}

static json_t *policy_json(const struct report *report)
{
	const struct policy_published *published = report->published;
	enum policy_source source = published == NULL ? POLICY_BY_NOTHING : published->source;
	json_t *policy = json_pack("{s:s, s:o}", "policy-type",
	    source == POLICY_BY_DANE ? "tlsa" : source == POLICY_BY_STS ? "sts" :
	    "no-policy-found", "policy-domain", string(report->domain));

	if (source == POLICY_BY_DANE || source == POLICY_BY_STS)
		(void)json_object_set_new(policy, "policy-string", lines_json(published->strings));
	if (source == POLICY_BY_STS)
		(void)json_object_set_new(policy, "mx-host", lines_json(published->mx_patterns));
	return policy;
}

static json_t *failure_json(const struct vault_session *session)
{
	json_t *failure = json_pack("{s:o, s:I}", "result-type", string(session->result),
	    "failed-session-count", (json_int_t)session->count);

	if (session->mx != NULL && session->mx[0] != '\0')
		(void)json_object_set_new(failure, "receiving-mx-hostname", string(session->mx));
	if (session->address != NULL && session->address[0] != '\0')
		(void)json_object_set_new(failure, "receiving-ip", string(session->address));
	return failure;
}

/* Summary and details of one policy. */
static json_t *sessions_json(const struct report *report)
{
	json_t *failures = json_array();
	uint64_t good = 0;
	uint64_t bad = 0;
	json_t *entry;
	size_t i;

	for (i = 0; i < report->session_count; i++) {
		const struct vault_session *session = &report->sessions[i];

		if (session->result == NULL || session->result[0] == '\0') {
			good += session->count;
			continue;
		}
		bad += session->count;
		(void)json_array_append_new(failures, failure_json(session));
	}
	entry = json_pack("{s:o, s:{s:I, s:I}}", "policy", policy_json(report), "summary",
	    "total-successful-session-count", (json_int_t)good, "total-failure-session-count",
	    (json_int_t)bad);
	if (json_array_size(failures) > 0)
		(void)json_object_set(entry, "failure-details", failures);
	json_decref(failures);
	return entry;
}

enum fail_code report_json(const struct report *report, struct buf *out)
{
	int64_t start = report->day * REPORT_DAY_S;
	char from[32];
	char to[32];
	json_t *root;
	char *text;
	enum fail_code code;

	put_time(start, from);
	put_time(start + REPORT_DAY_S - 1, to);
	root = json_pack("{s:o, s:{s:s, s:s}, s:o, s:o, s:[o]}", "organization-name",
	    string(report->organization), "date-range", "start-datetime", from, "end-datetime",
	    to, "contact-info", string(report->contact), "report-id", string(report->id),
	    "policies", sessions_json(report));
	text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
	code = text == NULL ? SG_ENOMEM : buf_append_str(out, text);
	free(text);
	json_decref(root);
	return code;
}

enum fail_code report_gzip(const void *data, size_t size, struct buf *out)
{
	enum fail_code code = SG_OK;
	unsigned char *room;
	z_stream z;
	uLong most;

	memset(&z, 0, sizeof(z));
	/* 15 + 16: gzip's head and end */
	if (size > REPORT_TEXT_MAX ||
	    deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return SG_ENOMEM;
	most = deflateBound(&z, (uLong)size);
	code = buf_reserve(out, most, &room);
	if (code == SG_OK) {
		/* zlib does not write through it */
		z.next_in = (Bytef *)(uintptr_t)data;
		z.avail_in = (uInt)size;
		z.next_out = room;
		z.avail_out = (uInt)most;
		if (deflate(&z, Z_FINISH) == Z_STREAM_END)
			out->size += z.total_out;
		else
			code = SG_ENOMEM;
	}
	(void)deflateEnd(&z);
	return code;
}

/* --- mail --- */

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? address : at + 1;
}

static enum fail_code put_head(const struct report *report, const char *to, int64_t now_s,
    struct buf *out)
{
	const char *own = domain_of(report->contact);
	time_t t = (time_t)now_s;
	struct tm date;
	char when[64];
	enum fail_code code;

	(void)gmtime_r(&t, &date);
	(void)strftime(when, sizeof(when), "%a, %d %b %Y %H:%M:%S +0000", &date);
	code = buf_printf(out, "From: <%s>\r\nTo: <%s>\r\nDate: %s\r\n"
	    "Subject: Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s>\r\n"
	    "Message-ID: <" RECORD_REPORT_ID "%s>\r\n", report->contact, to, when,
	    report->domain, own, report->id, report->id);
	if (code == SG_OK)
		code = buf_printf(out, "TLS-Report-Domain: %s\r\nTLS-Report-Submitter: %s\r\n"
		    "TLS-Required: No\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		    "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"
		    " boundary=\"=_%s\"\r\n\r\n", report->domain, own, report->id);
	return code;
}

static enum fail_code put_base64(const struct buf *data, struct buf *out)
{
	struct base64_lines lines;
	unsigned char *room;
	enum fail_code code;

	memset(&lines, 0, sizeof(lines));
	code = buf_reserve(out, (data->size + 57) / 57 * 78 + 78, &room);
	if (code != SG_OK)
		return code;
	out->size += base64_lines_put(&lines, data->data, data->size, room);
	out->size += base64_lines_end(&lines, out->data + out->size);
	return SG_OK;
}

enum fail_code report_mail(const struct report *report, const char *to, int64_t now_s,
    const struct buf *zipped, struct buf *out)
{
	int64_t start = report->day * REPORT_DAY_S;
	enum fail_code code = put_head(report, to, now_s, out);

	if (code == SG_OK)
		code = buf_printf(out,
		    "--=_%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
		    "This is a TLS report (RFC 8460) about mail to %s.\r\n\r\n", report->id,
		    report->domain);
	if (code == SG_OK)
		code = buf_printf(out, "--=_%s\r\nContent-Type: application/tlsrpt+gzip\r\n"
		    "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n"
		    " filename=\"%s!%s!%" PRId64 "!%" PRId64 "!001.json.gz\"\r\n\r\n", report->id,
		    domain_of(report->contact), report->domain, start, start + REPORT_DAY_S - 1);
	if (code == SG_OK)
		code = put_base64(zipped, out);
	if (code == SG_OK)
		code = buf_printf(out, "\r\n--=_%s--\r\n", report->id);
	return code;
}

/* --- who wants them --- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = str_lower_char(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes up to "?" (headers that somebody would have us write). */
static bool decode(const char *text, char *out, size_t room)
{
	size_t at = 0;

	for (; *text != '\0' && *text != '?'; text++) {
		char c = *text;

		if (c == '%') {
			int high = hex_value(text[1]);
			int low = high < 0 ? -1 : hex_value(text[2]);

			if (low < 0)
				return false;
			c = (char)(high * 16 + low);
			text += 2;
		}
		if (at + 1 >= room)
			return false;
		out[at++] = c;
	}
	out[at] = '\0';
	return true;
}

bool report_address(const char *uri, char *address, size_t room)
{
	const char *at;
	const char *c;

	if (!str_starts_case(uri, "mailto:") || !decode(uri + 7, address, room))
		return false;
	at = strchr(address, '@');
	if (at == NULL || at == address || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
	    strlen(address) > ADDRESS_MAX)
		return false;
	/* it comes from a stranger's zone and goes into a header */
	for (c = address; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr(".!#$%&'*+/=?^_`{|}~@-", *c) == NULL)
			return false;
	return true;
}

static bool place_fits(const char *uri)
{
	char address[ADDRESS_MAX + 2];
	const char *c;

	if (str_starts_case(uri, "mailto:"))
		return report_address(uri, address, sizeof(address));
	for (c = uri; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 127)
			return false;
	return str_starts_case(uri, "https://") && uri[8] != '\0';
}

/* Adds the places in the value of "rua", with commas between. */
static void add_places(const char *value, size_t size, struct str_list *uris)
{
	const char *end = value + size;
	size_t length;
	char *uri;

	for (; value < end && uris->count < REPORT_URIS_MAX; value += length) {
		value += strspn(value, ", \t");
		length = strcspn(value, ", \t;");
		uri = str_dup_n(value, length);
		if (uri != NULL && length > 0 && place_fits(uri) &&
		    str_list_add(uris, uri) != SG_OK)
			length = (size_t)(end - value);
		free(uri);
		if (length == 0)
			break;
	}
}

bool report_places(const char *record, struct str_list *uris)
{
	const char *field = record;
	size_t size = strcspn(field, "; \t");

	if (size != sizeof(VERSION) - 1 || strncmp(field, VERSION, size) != 0)
		return false;
	for (; *field != '\0'; field += size) {
		field += strspn(field, "; \t");
		size = strcspn(field, ";");
		if (strncmp(field, "rua=", 4) == 0 && size > 4)
			add_places(field + 4, size - 4, uris);
	}
	return true;
}
