#include "milter/outer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/base/fd.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"

#define ENTITY_HEADER_MAX ((size_t)1024 * 1024)	/* bytes; message.header_max is below */
#define BASE64_STEP ((size_t)57 * 1024)
#define BODY_MAX ((size_t)2 * 1024 * 1024 * 1024)	/* what sealing may make of a message */
#define ID_RANDOM 16
#define ID_SIZE (2 * ID_RANDOM + 1)
#define BOUNDARY "=_sealgate_0_"	/* cover.c has 1 and 2: none begins as another does */

bool outer_keeps(const char *name)
{
	static const char *const kept[] = {
		"From", "To", "Cc", "Reply-To", "Sender", "Date", "Message-ID", "In-Reply-To",
		"References", "Auto-Submitted", "Received", "Delivered-To", "Subject",
	};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (str_equal_case(name, kept[i]))
			return true;
	return str_starts_case(name, "List-") || str_starts_case(name, "Resent-");
}

/* Names that the new outer message sets itself, so that they are changed and not deleted. */
static bool is_new_name(const char *name)
{
	static const char *const names[] = {
		"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
		"Content-Disposition", "Content-Description",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_equal_case(name, names[i]))
			return true;
	return false;
}

/* Deletes what may not stay; the last field of a name first, as struct edits demands. */
static enum fail_code drop_fields(const struct message *message, struct edits *edits)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < message->header_count && code == SG_OK; i++) {
		const char *name = message->headers[i].name;

		if (outer_keeps(name) || is_new_name(name) || message_index(message, i) != 1)
			continue;
		code = edits_delete_all(edits, message, name);
	}
	return code;
}

/* " text", as an RFC 2047 word when it is not plain ASCII. NULL when out of memory. */
static char *placeholder_value(const char *text)
{
	struct buf encoded;
	char *value = NULL;
	bool plain = true;

	for (const char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			plain = false;
	if (plain)
		return str_printf(" %s", text);
	buf_init(&encoded, 4096);
	if (base64_encode(&encoded, text, strlen(text)) == SG_OK && buf_str(&encoded) != NULL)
		value = str_printf(" =?UTF-8?B?%s?=", buf_str(&encoded));
	buf_free(&encoded);
	return value;
}

/* A field value with one leading space and LF line ends. NULL when out of memory. */
static char *field_value(const char *raw)
{
	return raw[0] == ' ' || raw[0] == '\t' ? str_dup(raw) : str_printf(" %s", raw);
}

static enum fail_code set_subject(const struct outer_source *source, struct edits *edits)
{
	enum fail_code code;
	char *value;

	if (source->placeholder == NULL && source->subject == NULL)
		return SG_OK;
	value = source->placeholder != NULL ? placeholder_value(source->placeholder) :
	    field_value(source->subject);
	if (value == NULL)
		return SG_ENOMEM;
	code = edits_set(edits, source->message, "Subject", value);
	free(value);
	return code;
}

struct new_fields {
	const char *type;
	const char *encoding;
	const char *disposition;	/* NULL: none */
	const char *description;
};

static enum fail_code set_or_delete(struct edits *edits, const struct message *message,
    const char *name, const char *value)
{
	return value == NULL ? edits_delete_all(edits, message, name) :
	    edits_set(edits, message, name, value);
}

/* Then one edit less for Postfix: each costs it a walk through the queue file. */
static bool has_mime_version(const struct message *message)
{
	const char *value = message_header(message, "MIME-Version");

	return value != NULL && strcmp(value, "1.0") == 0 &&
	    message_count(message, "MIME-Version") == 1;
}

static enum fail_code set_fields(const struct outer_source *source,
    const struct new_fields *fields, struct edits *edits, struct fail *f)
{
	const struct message *message = source->message;
	enum fail_code code = drop_fields(message, edits);

	if (code == SG_OK)
		code = set_subject(source, edits);
	if (code == SG_OK && !has_mime_version(message))
		code = edits_set(edits, message, "MIME-Version", " 1.0");
	if (code == SG_OK)
		code = edits_set(edits, message, "Content-Type", fields->type);
	if (code == SG_OK)
		code = edits_set(edits, message, "Content-Transfer-Encoding", fields->encoding);
	if (code == SG_OK)
		code = set_or_delete(edits, message, "Content-Disposition", fields->disposition);
	if (code == SG_OK)
		code = set_or_delete(edits, message, "Content-Description", fields->description);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for the outer message");
	return SG_OK;
}

static enum fail_code new_body(const struct outer_source *source, struct spool **body_out,
    struct fail *f)
{
	return spool_new(source->spool_directory, source->memory_max, BODY_MAX, body_out, f);
}

/* ---- envelope ---- */

static enum fail_code put_inner_subject(const struct outer_source *source, struct buf *header)
{
	enum fail_code code;
	char *value;

	if (source->subject == NULL && message_header(source->message, "Subject") == NULL)
		return SG_OK;
	value = field_value(source->subject != NULL ? source->subject :
	    message_header(source->message, "Subject"));
	if (value == NULL)
		return SG_ENOMEM;
	code = buf_append_str(header, "Subject:");
	if (code == SG_OK)
		code = message_put_crlf(value, header);
	if (code == SG_OK)
		code = buf_append_str(header, "\r\n");
	free(value);
	return code;
}

/* The inner entity's fields: Content-* verbatim, the Subject where the outer one is replaced. */
static enum fail_code entity_header(const struct outer_source *source, struct buf *header)
{
	const struct message *message = source->message;
	enum fail_code code = SG_OK;

	if (source->placeholder != NULL)
		code = put_inner_subject(source, header);
	for (size_t i = 0; i < message->header_count && code == SG_OK; i++)
		if (str_starts_case(message->headers[i].name, "Content-"))
			code = message_put_header(message, i, header);
	return code == SG_OK ? buf_append_str(header, "\r\n") : code;
}

enum fail_code outer_envelope(const struct outer_source *source,
    const struct envelope_certificate *certificates, size_t count, struct edits *edits,
    struct fail *f)
{
	static const struct new_fields fields = {
		" application/pkcs7-mime; smime-type=enveloped-data;\n\tname=\"smime.p7m\"",
		" base64", " attachment; filename=\"smime.p7m\"", NULL,
	};
	struct envelope_entity entity;
	struct spool *body = NULL;
	struct buf header;
	enum fail_code code;

	buf_init(&header, ENTITY_HEADER_MAX);
	code = entity_header(source, &header);
	if (code != SG_OK)
		(void)fail_set(f, code, NULL, "the header is too long to be sealed");
	if (code == SG_OK)
		code = new_body(source, &body, f);
	if (code == SG_OK) {
		entity.header = header.data;
		entity.header_size = header.size;
		entity.body = source->body;
		entity.body_size = source->body_size;
		code = envelope_seal(source->cache, certificates, count, &entity, body, f);
	}
	if (code == SG_OK)
		code = spool_finish(body, f);
	if (code == SG_OK)
		code = set_fields(source, &fields, edits, f);
	if (code == SG_OK) {
		edits->body = body;
		body = NULL;
	}
	spool_free(body);
	buf_free(&header);
	return code;
}

/* ---- pdf ---- */

static enum fail_code append_text(struct spool *body, const char *text, struct fail *f)
{
	return spool_append(body, text, strlen(text), f);
}

static enum fail_code append_base64(struct spool *body, const unsigned char *data, size_t size,
    struct fail *f)
{
	struct base64_lines lines = { { 0 }, 0 };
	const size_t room = (BASE64_STEP / 57 + 2) * 78;
	unsigned char *text = malloc(room);
	enum fail_code code = SG_OK;

	if (text == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the outer message");
	while (size > 0 && code == SG_OK) {
		size_t step = size < BASE64_STEP ? size : BASE64_STEP;

		code = spool_append(body, text, base64_lines_put(&lines, data, step, text), f);
		data += step;
		size -= step;
	}
	if (code == SG_OK)
		code = spool_append(body, text, base64_lines_end(&lines, text), f);
	free(text);
	return code;
}

/* The words for people: text and HTML, in front of the file. */
static enum fail_code append_cover(const struct outer_source *source, const char *id,
    struct spool *body, struct fail *f)
{
	struct cover cover = *source->cover;
	struct buf parts;
	enum fail_code code;

	cover.message = source->message;
	if (source->placeholder == NULL)
		cover.subject = source->subject != NULL ? source->subject :
		    message_header(source->message, "Subject");
	buf_init(&parts, COVER_MAX);
	code = cover_put(&cover, id, &parts, f);
	if (code == SG_OK)
		code = spool_append(body, parts.data, parts.size, f);
	buf_free(&parts);
	return code;
}

static enum fail_code pdf_body(const struct outer_source *source, const char *id,
    const struct fd_map *pdf, struct spool *body, struct fail *f)
{
	char name[TEMPLATE_FILE_MAX];
	char part[512];
	enum fail_code code = cover_file(source->cover, name, f);

	(void)snprintf(part, sizeof(part), "--" BOUNDARY "%s\r\n", id);
	if (code == SG_OK)
		code = append_text(body, part, f);
	if (code == SG_OK)
		code = append_cover(source, id, body, f);
	if (code != SG_OK)
		return code;
	(void)snprintf(part, sizeof(part), "\r\n--" BOUNDARY "%s\r\nContent-Type: application/pdf;"
	    "\r\n\tname=\"%s\"\r\nContent-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n\tfilename=\"%s\"\r\n\r\n", id, name, name);
	code = append_text(body, part, f);
	if (code == SG_OK)
		code = append_base64(body, pdf->data, pdf->size, f);
	(void)snprintf(part, sizeof(part), "\r\n--" BOUNDARY "%s--\r\n", id);
	return code == SG_OK ? append_text(body, part, f) : code;
}

static enum fail_code make_id(char id[ID_SIZE], struct fail *f)
{
	unsigned char random[ID_RANDOM];

	if (secret_random_bytes(random, sizeof(random)) != SG_OK)
		return fail_set(f, SG_ESYSTEM, NULL, "the kernel gives no random bytes");
	str_hex(random, sizeof(random), id);
	return SG_OK;
}

enum fail_code outer_pdf(const struct outer_source *source, int pdf, size_t pdf_size,
    struct edits *edits, struct fail *f)
{
	struct new_fields fields = { NULL, " 7bit", NULL, NULL };
	struct fd_map map = { NULL, 0 };
	struct spool *body = NULL;
	char id[ID_SIZE];
	char type[128];
	enum fail_code code = make_id(id, f);

	SG_BUG_IF(source->cover == NULL);
	if (code == SG_OK)
		code = fd_map(pdf, pdf_size, &map, f);
	if (code == SG_OK && (map.size != pdf_size || map.size == 0))
		code = fail_set(f, SG_EPEER, NULL, "the PDF has another size than was said");
	if (code == SG_OK)
		code = new_body(source, &body, f);
	if (code == SG_OK)
		code = pdf_body(source, id, &map, body, f);
	if (code == SG_OK)
		code = spool_finish(body, f);
	if (code == SG_OK) {
		(void)snprintf(type, sizeof(type), " multipart/mixed;\n\tboundary=\"" BOUNDARY
		    "%s\"", id);
		fields.type = type;
		code = set_fields(source, &fields, edits, f);
	}
	if (code == SG_OK) {
		edits->body = body;
		body = NULL;
	}
	spool_free(body);
	fd_unmap(&map);
	return code;
}

/* ---- as a file, for the command line ---- */

static const struct edit *edit_of(const struct edits *edits, const char *name, unsigned int index)
{
	for (size_t i = 0; i < edits->count; i++)
		if (edits->items[i].index == index && str_equal_case(edits->items[i].name, name))
			return &edits->items[i];
	return NULL;
}

static enum fail_code put_field(const char *name, const char *value, struct buf *out)
{
	enum fail_code code = buf_append_str(out, name);

	if (code == SG_OK)
		code = buf_append(out, ":", 1);
	if (code == SG_OK)
		code = message_put_crlf(value, out);
	return code == SG_OK ? buf_append(out, "\r\n", 2) : code;
}

static enum fail_code put_fields(const struct message *message, const struct edits *edits,
    struct buf *out)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < message->header_count && code == SG_OK; i++) {
		const char *name = message->headers[i].name;
		const struct edit *edit = edit_of(edits, name, message_index(message, i));

		if (edit == NULL)
			code = message_put_header(message, i, out);
		else if (edit->kind == EDIT_CHANGE)
			code = put_field(name, edit->value, out);
	}
	for (size_t i = 0; i < edits->count && code == SG_OK; i++)
		if (edits->items[i].kind == EDIT_ADD)
			code = put_field(edits->items[i].name, edits->items[i].value, out);
	return code == SG_OK ? buf_append(out, "\r\n", 2) : code;
}

enum fail_code outer_write(const struct outer_source *source, const struct edits *edits,
    struct spool *out, struct fail *f)
{
	const unsigned char *body = source->body;
	size_t body_size = source->body_size;
	struct buf header;
	enum fail_code code;

	buf_init(&header, ENTITY_HEADER_MAX * 2);
	code = put_fields(source->message, edits, &header);
	if (code != SG_OK)
		(void)fail_set(f, code, NULL, "the header is too long");
	if (code == SG_OK)
		code = spool_append(out, header.data, header.size, f);
	if (code == SG_OK && edits->body != NULL)
		code = spool_map(edits->body, &body, &body_size, f);
	if (code == SG_OK)
		code = spool_append(out, body, body_size, f);
	buf_free(&header);
	return code;
}
