#include "gateway/tls/sts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/address.h"
#include "gateway/base/str.h"

#define TXT_MAX ((size_t)2048)	/* bytes of one record; an id and some fields */
#define VERSION "v=STSv1"
#define MAX_AGE_DIGITS ((size_t)10)	/* RFC 8461, 3.2 */

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_alnum(char c)
{
	c = str_lower_char(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* ---- the TXT record ---- */

/* Joins the strings of one record. False: too long or malformed. */
static bool txt_join(const struct source_record *record, char out[TXT_MAX])
{
	size_t at = 0;
	size_t size = 0;

	while (at < record->size) {
		size_t part = record->data[at++];

		if (part > record->size - at || size + part >= TXT_MAX)
			return false;
		memcpy(out + size, record->data + at, part);
		size += part;
		at += part;
	}
	out[size] = '\0';
	return strlen(out) == size;
}

static const char *skip_wsp(const char *text)
{
	while (is_wsp(*text))
		text++;
	return text;
}

static bool txt_is_sts(const char *text)
{
	size_t size = sizeof VERSION - 1;

	return strncmp(text, VERSION, size) == 0 && *skip_wsp(text + size) == ';';
}

static bool is_txt_id(const char *value, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (!is_alnum(value[i]))
			return false;
	}
	return size > 0 && size < STS_ID_MAX;
}

/* sts-extension: a name of up to 32, "=", visible characters without "=" and ";". */
static bool is_extension(const char *name, size_t name_size, const char *value, size_t value_size)
{
	size_t i;

	if (name_size == 0 || name_size > 32 || !is_alnum(name[0]) || value_size == 0)
		return false;
	for (i = 1; i < name_size; i++) {
		if (!is_alnum(name[i]) && name[i] != '_' && name[i] != '-' && name[i] != '.')
			return false;
	}
	for (i = 0; i < value_size; i++) {
		if (value[i] <= ' ' || value[i] >= 0x7f || value[i] == '=' || value[i] == ';')
			return false;
	}
	return true;
}

/* One "name=value"; the first id is kept. */
static bool txt_field(const char *text, size_t size, char id_out[STS_ID_MAX])
{
	const char *equal = memchr(text, '=', size);
	const char *value = equal == NULL ? NULL : equal + 1;
	size_t value_size = equal == NULL ? 0 : size - (size_t)(value - text);

	if (equal == NULL)
		return false;
	if (equal - text != 2 || strncmp(text, "id", 2) != 0)
		return is_extension(text, (size_t)(equal - text), value, value_size);
	if (!is_txt_id(value, value_size))
		return false;
	if (id_out[0] == '\0') {
		memcpy(id_out, value, value_size);
		id_out[value_size] = '\0';
	}
	return true;
}

/* text: behind the version, at white space or ";". */
static bool txt_fields(const char *text, char id_out[STS_ID_MAX])
{
	text = skip_wsp(text);
	while (*text == ';') {
		size_t size;
		size_t trimmed;

		text = skip_wsp(text + 1);
		if (*text == '\0')
			break;
		size = strcspn(text, ";");
		trimmed = size;
		while (trimmed > 0 && is_wsp(text[trimmed - 1]))
			trimmed--;
		if (!txt_field(text, trimmed, id_out))
			return false;
		text += size;
	}
	return *text == '\0' && id_out[0] != '\0';
}

enum fail_code sts_txt(const struct source_dns *answer, char id_out[STS_ID_MAX], struct fail *f)
{
	char text[TXT_MAX];
	size_t found = 0;
	bool good = false;
	size_t i;

	id_out[0] = '\0';
	for (i = 0; i < answer->count; i++) {
		if (!txt_join(&answer->records[i], text) || !txt_is_sts(text))
			continue;
		found++;
		id_out[0] = '\0';
		good = txt_fields(text + sizeof VERSION - 1, id_out);
	}
	if (found == 1 && good)
		return SG_OK;
	id_out[0] = '\0';
	if (found == 0)
		return fail_set(f, SG_ENOTFOUND, NULL, "no record v=STSv1");
	if (found > 1)
		return fail_set(f, SG_EFORMAT, NULL, "%zu records v=STSv1", found);
	return fail_set(f, SG_EFORMAT, NULL, "the record v=STSv1 is malformed");
}

/* ---- the file ---- */

bool sts_is_plain(const char *content_type)
{
	const char *rest;

	if (content_type == NULL || !str_starts_case(content_type, "text/plain"))
		return false;
	rest = skip_wsp(content_type + sizeof "text/plain" - 1);
	return *rest == '\0' || *rest == ';';
}

/* What is being read. */
struct reading {
	struct sts_policy *policy;
	struct buf lines;
	struct buf mxs;
	size_t mx_count;
	bool has_version;
	bool has_mode;
	bool has_age;
};

struct field {
	const char *name;
	size_t name_size;
	const char *value;
	size_t value_size;
};

static bool field_is(const struct field *field, const char *name)
{
	return field->name_size == strlen(name) &&
	    memcmp(field->name, name, field->name_size) == 0;
}

static bool value_is(const struct field *field, const char *value)
{
	return field->value_size == strlen(value) &&
	    memcmp(field->value, value, field->value_size) == 0;
}

static enum fail_code bad_field(const struct field *field, struct fail *f)
{
	return fail_set(f, SG_EFORMAT, NULL, "its field \"%.*s\" is malformed",
	    field->name_size > 40 ? 40 : (int)field->name_size, field->name);
}

static enum fail_code keep_line(struct reading *reading, const struct field *field)
{
	return buf_printf(&reading->lines, "%s%.*s: %.*s", reading->lines.size > 0 ? "\n" : "",
	    (int)field->name_size, field->name, (int)field->value_size, field->value);
}

static enum fail_code take_mode(struct reading *reading, const struct field *field, struct fail *f)
{
	if (value_is(field, "enforce"))
		reading->policy->mode = STS_MODE_ENFORCE;
	else if (value_is(field, "testing"))
		reading->policy->mode = STS_MODE_TESTING;
	else if (value_is(field, "none"))
		reading->policy->mode = STS_MODE_NONE;
	else
		return bad_field(field, f);
	reading->has_mode = true;
	return keep_line(reading, field);
}

static enum fail_code take_age(struct reading *reading, const struct field *field, struct fail *f)
{
	char digits[MAX_AGE_DIGITS + 1];
	uint64_t age;

	if (field->value_size == 0 || field->value_size > MAX_AGE_DIGITS)
		return bad_field(field, f);
	memcpy(digits, field->value, field->value_size);
	digits[field->value_size] = '\0';
	if (str_parse_u64(digits, 0, UINT64_MAX, &age) != SG_OK)
		return bad_field(field, f);
	reading->policy->max_age_s = age > STS_AGE_MAX_S ? STS_AGE_MAX_S : (uint32_t)age;
	reading->has_age = true;
	return keep_line(reading, field);
}

static enum fail_code take_mx(struct reading *reading, const struct field *field, struct fail *f)
{
	bool wild = field->value_size > 2 && memcmp(field->value, "*.", 2) == 0;
	size_t skip = wild ? 2 : 0;
	char *domain = NULL;
	enum fail_code code;

	if (reading->mx_count == STS_MX_MAX)
		return fail_set(f, SG_EFORMAT, NULL, "it has more than %zu mx", STS_MX_MAX);
	code = address_domain(field->value + skip, field->value_size - skip, &domain, f);
	if (code == SG_ENOMEM)
		return code;
	if (code != SG_OK || domain[0] == '[') {
		free(domain);
		return bad_field(field, f);
	}
	code = buf_printf(&reading->mxs, "%s%s%s", reading->mx_count > 0 ? "\n" : "",
	    wild ? "*." : "", domain);
	if (code == SG_OK)
		code = buf_printf(&reading->lines, "%smx: %s%s",
		    reading->lines.size > 0 ? "\n" : "", wild ? "*." : "", domain);
	reading->mx_count++;
	free(domain);
	return code;
}

/* Of fields that are there twice the first counts, but for mx (RFC 8461, 3.2). */
static enum fail_code take_field(struct reading *reading, const struct field *field,
    struct fail *f)
{
	if (field_is(field, "mx"))
		return take_mx(reading, field, f);
	if (field_is(field, "mode"))
		return reading->has_mode ? SG_OK : take_mode(reading, field, f);
	if (field_is(field, "max_age"))
		return reading->has_age ? SG_OK : take_age(reading, field, f);
	if (!field_is(field, "version") || reading->has_version)
		return SG_OK;
	if (!value_is(field, "STSv1"))
		return bad_field(field, f);
	reading->has_version = true;
	return keep_line(reading, field);
}

static enum fail_code take_line(struct reading *reading, const char *line, size_t size,
    struct fail *f)
{
	struct field field;
	const char *colon;

	while (size > 0 && (is_wsp(line[size - 1]) || line[size - 1] == '\r'))
		size--;
	if (size == 0)
		return SG_OK;
	colon = memchr(line, ':', size);
	if (colon == NULL || colon == line)
		return fail_set(f, SG_EFORMAT, NULL, "it has a line without a field");
	field.name = line;
	field.name_size = (size_t)(colon - line);
	field.value = colon + 1;
	field.value_size = size - field.name_size - 1;
	while (field.value_size > 0 && is_wsp(*field.value)) {
		field.value++;
		field.value_size--;
	}
	if (!is_alnum(field.name[0]))
		return fail_set(f, SG_EFORMAT, NULL, "it has a line without a field");
	return take_field(reading, &field, f);
}

static enum fail_code take_body(struct reading *reading, const char *body, size_t size,
    struct fail *f)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK && size > 0) {
		const char *end = memchr(body, '\n', size);
		size_t line = end == NULL ? size : (size_t)(end - body);

		code = take_line(reading, body, line, f);
		line += end == NULL ? 0 : 1;
		body += line;
		size -= line;
	}
	return code;
}

static enum fail_code check_complete(const struct reading *reading, struct fail *f)
{
	const char *missing = NULL;

	if (!reading->has_version)
		missing = "version";
	else if (!reading->has_mode)
		missing = "mode";
	else if (!reading->has_age)
		missing = "max_age";
	else if (reading->mx_count == 0 && reading->policy->mode != STS_MODE_NONE)
		missing = "mx";
	if (missing == NULL)
		return SG_OK;
	return fail_set(f, SG_EFORMAT, NULL, "it has no field \"%s\"", missing);
}

enum fail_code sts_parse(const char *body, size_t size, struct sts_policy *policy_out,
    struct fail *f)
{
	struct reading reading = { .policy = policy_out };
	enum fail_code code;

	memset(policy_out, 0, sizeof *policy_out);
	buf_init(&reading.lines, 2 * STS_BODY_MAX);
	buf_init(&reading.mxs, 2 * STS_BODY_MAX);
	if (size > STS_BODY_MAX || memchr(body, '\0', size) != NULL)
		code = fail_set(f, SG_EFORMAT, NULL, "it is no text of up to 64 KiB");
	else
		code = take_body(&reading, body, size, f);
	if (code == SG_OK)
		code = check_complete(&reading, f);
	if (code == SG_OK) {
		policy_out->lines = str_dup(buf_str(&reading.lines));
		policy_out->mxs = str_dup(buf_str(&reading.mxs));
		if (policy_out->lines == NULL || policy_out->mxs == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for a policy");
	}
	buf_free(&reading.lines);
	buf_free(&reading.mxs);
	if (code != SG_OK)
		sts_policy_free(policy_out);
	return code;
}

void sts_policy_free(struct sts_policy *policy)
{
	if (policy == NULL)
		return;
	free(policy->lines);
	free(policy->mxs);
	memset(policy, 0, sizeof *policy);
}

/* ---- its use ---- */

/* The next line of *rest, or NULL; *rest goes on. */
static const char *next_line(const char **rest, size_t *size_out)
{
	const char *line = *rest;

	if (line == NULL || *line == '\0')
		return NULL;
	*size_out = strcspn(line, "\n");
	*rest = line[*size_out] == '\n' ? line + *size_out + 1 : line + *size_out;
	return line;
}

static bool pattern_fits(const char *pattern, size_t size, const char *host)
{
	const char *rest;

	if (size > 2 && pattern[0] == '*') {
		rest = strchr(host, '.');
		return rest != NULL && rest != host && strlen(rest) == size - 1 &&
		    memcmp(rest, pattern + 1, size - 1) == 0;
	}
	return strlen(host) == size && memcmp(host, pattern, size) == 0;
}

bool sts_match(const struct sts_policy *policy, const char *host)
{
	const char *rest = policy->mxs;
	const char *pattern;
	size_t size;

	while ((pattern = next_line(&rest, &size)) != NULL) {
		if (pattern_fits(pattern, size, host))
			return true;
	}
	return false;
}

/* Appends, or leaves *at as it is and says false. */
static bool put(char *out, size_t room, size_t *at, const char *text, size_t size)
{
	if (size >= room - *at)
		return false;
	memcpy(out + *at, text, size);
	*at += size;
	out[*at] = '\0';
	return true;
}

static bool put_str(char *out, size_t room, size_t *at, const char *text)
{
	return put(out, room, at, text, strlen(text));
}

void sts_text(const struct sts_policy *policy, char *out, size_t room)
{
	static const char head[] = "secure match=";
	static const char tail[] = " servername=hostname";
	const char *rest = policy->mxs;
	const char *pattern;
	size_t patterns_room = room - (sizeof tail - 1);
	size_t at = 0;
	size_t first;
	size_t size;

	(void)put_str(out, room, &at, head);
	first = at;
	while ((pattern = next_line(&rest, &size)) != NULL) {
		size_t skip = pattern[0] == '*' ? 1 : 0;

		if (size + 1 >= patterns_room - at)
			break;
		if (at > first)
			(void)put_str(out, patterns_room, &at, ":");
		(void)put(out, patterns_room, &at, pattern + skip, size - skip);
	}
	(void)put_str(out, room, &at, tail);
}

static bool put_patterns(const struct sts_policy *policy, char *out, size_t room, size_t *at)
{
	const char *rest = policy->mxs;
	const char *pattern;
	size_t size;

	while ((pattern = next_line(&rest, &size)) != NULL) {
		if (!put_str(out, room, at, " mx_host_pattern=") ||
		    !put(out, room, at, pattern, size))
			return false;
	}
	return true;
}

static bool put_strings(const struct sts_policy *policy, char *out, size_t room, size_t *at)
{
	const char *rest = policy->lines;
	const char *line;
	size_t size;

	while ((line = next_line(&rest, &size)) != NULL) {
		if (!put_str(out, room, at, " { policy_string = ") ||
		    !put(out, room, at, line, size) || !put_str(out, room, at, " }"))
			return false;
	}
	return true;
}

void sts_report(const struct sts_policy *policy, const char *domain, char *out, size_t room)
{
	int head = snprintf(out, room, "policy_type=sts policy_domain=%s policy_ttl=%u", domain,
	    policy->max_age_s);
	size_t at = head < 0 ? room : (size_t)head;

	if (at >= room || !put_patterns(policy, out, room, &at) ||
	    !put_strings(policy, out, room, &at))
		out[0] = '\0';
}
