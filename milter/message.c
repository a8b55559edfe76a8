#include "milter/message.h"

#include <stdlib.h>
#include <string.h>

void message_init(struct message *message)
{
	memset(message, 0, sizeof(*message));
}

void message_free(struct message *message)
{
	free(message->sender);
	str_list_free(&message->recipients);
	for (size_t i = 0; i < message->header_count; i++) {
		free(message->headers[i].name);
		free(message->headers[i].value);
	}
	free(message->headers);
	message_init(message);
}

static char *bare_address(const char *address)
{
	size_t size = strlen(address);

	if (size >= 2 && address[0] == '<' && address[size - 1] == '>')
		return str_dup_n(address + 1, size - 2);
	return str_dup(address);
}

enum fail_code message_set_sender(struct message *message, const char *address)
{
	char *bare = bare_address(address);

	if (bare == NULL)
		return SG_ENOMEM;
	free(message->sender);
	message->sender = bare;
	return SG_OK;
}

enum fail_code message_add_recipient(struct message *message, const char *address)
{
	char *bare = bare_address(address);
	enum fail_code code;

	if (bare == NULL)
		return SG_ENOMEM;
	code = message->recipients.count >= MESSAGE_RECIPIENTS_MAX ? SG_ELIMIT :
	    str_list_add(&message->recipients, bare);
	free(bare);
	return code;
}

static enum fail_code make_header_room(struct message *message)
{
	size_t room = message->header_room == 0 ? 32 : message->header_room * 2;
	struct message_header *headers;

	if (message->header_count >= MESSAGE_HEADERS_MAX)
		return SG_ELIMIT;
	if (message->header_count < message->header_room)
		return SG_OK;
	headers = reallocarray(message->headers, room, sizeof(*headers));
	if (headers == NULL)
		return SG_ENOMEM;
	message->headers = headers;
	message->header_room = room;
	return SG_OK;
}

enum fail_code message_add_header(struct message *message, const char *name, const char *value,
    size_t max)
{
	size_t size = strlen(name) + strlen(value) + 3;
	struct message_header *header;
	enum fail_code code;

	if (size > max || message->header_size > max - size)
		return SG_ELIMIT;
	code = make_header_room(message);
	if (code != SG_OK)
		return code;
	header = &message->headers[message->header_count];
	header->name = str_dup(name);
	header->value = str_dup(value);
	if (header->name == NULL || header->value == NULL) {
		free(header->name);
		free(header->value);
		return SG_ENOMEM;
	}
	message->header_count++;
	message->header_size += size;
	return SG_OK;
}

const char *message_header(const struct message *message, const char *name)
{
	for (size_t i = 0; i < message->header_count; i++) {
		const char *value = message->headers[i].value;

		if (!str_equal_case(message->headers[i].name, name))
			continue;
		while (str_is_space(*value))
			value++;
		return value;
	}
	return NULL;
}

size_t message_count(const struct message *message, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < message->header_count; i++)
		if (str_equal_case(message->headers[i].name, name))
			count++;
	return count;
}

unsigned int message_index(const struct message *message, size_t position)
{
	unsigned int index = 0;

	for (size_t i = 0; i <= position; i++)
		if (str_equal_case(message->headers[i].name, message->headers[position].name))
			index++;
	return index;
}

/* Bytes of the line end at text: LF or CRLF. A CR alone is no line end (RFC 5322, 2.2). */
static size_t line_end(const char *text)
{
	if (text[0] == '\n')
		return 1;
	return text[0] == '\r' && text[1] == '\n' ? 2 : 0;
}

enum fail_code message_put_crlf(const char *text, struct buf *out)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK && *text != '\0') {
		size_t plain = strcspn(text, "\r\n");
		size_t end;

		if (line_end(text + plain) == 0 && text[plain] == '\r')
			plain++;
		code = buf_append(out, text, plain);
		text += plain;
		while ((end = line_end(text)) > 0)
			text += end;
		if (code != SG_OK || *text == '\0' || text[-1] != '\n')
			continue;
		/* a line that would start a field of its own is folded */
		code = buf_append_str(out, *text == ' ' || *text == '\t' ? "\r\n" :
		    "\r\n\t");
	}
	return code;
}

enum fail_code message_put_header(const struct message *message, size_t position,
    struct buf *out)
{
	const struct message_header *header = &message->headers[position];
	enum fail_code code = buf_append_str(out, header->name);

	if (code == SG_OK)
		code = buf_append(out, ":", 1);
	if (code == SG_OK)
		code = message_put_crlf(header->value, out);
	if (code == SG_OK)
		code = buf_append(out, "\r\n", 2);
	return code;
}

/* ---- reading a file ---- */

/* The line at data: its length without the line end; *next_out is where the next begins. */
static size_t line_at(const char *data, size_t size, size_t *next_out)
{
	const char *end = memchr(data, '\n', size);
	size_t length = end == NULL ? size : (size_t)(end - data);

	*next_out = end == NULL ? size : length + 1;
	if (length > 0 && data[length - 1] == '\r')
		length--;
	return length;
}

/*
 * Length of the field name, or 0 if the line starts no field. White space before the colon is
 * obsolete but allowed (RFC 5322, 4.5); *colon_out is where the colon stands.
 */
static size_t name_length(const char *line, size_t size, size_t *colon_out)
{
	size_t n = 0;
	size_t colon;

	while (n < size && line[n] > ' ' && line[n] != ':' && line[n] != 0x7f)
		n++;
	for (colon = n; colon < size && (line[colon] == ' ' || line[colon] == '\t');)
		colon++;
	*colon_out = colon;
	return colon < size && line[colon] == ':' ? n : 0;
}

/* One field with its folded lines; *used_out bytes of data belong to it. */
static enum fail_code parse_field(struct message *message, const char *data, size_t size,
    size_t max, size_t *used_out)
{
	size_t next;
	size_t length = line_at(data, size, &next);
	size_t colon;
	size_t name = name_length(data, length, &colon);
	size_t used = next;
	char *name_text;
	char *value;
	enum fail_code code;

	while (used < size && (data[used] == ' ' || data[used] == '\t')) {
		length = used + line_at(data + used, size - used, &next);
		used += next;
	}
	name_text = str_dup_n(data, name);
	value = str_dup_n(data + colon + 1, length - colon - 1);
	code = name_text == NULL || value == NULL ? SG_ENOMEM :
	    message_add_header(message, name_text, value, max);
	free(name_text);
	free(value);
	*used_out = used;
	return code;
}

enum fail_code message_parse(struct message *message, const char *data, size_t size, size_t max,
    size_t *body_at_out, struct fail *f)
{
	size_t at = 0;
	size_t next;

	*body_at_out = 0;
	if (size >= 5 && memcmp(data, "From ", 5) == 0) {
		(void)line_at(data, size, &next);
		at = next;
	}
	while (at < size) {
		size_t length = line_at(data + at, size - at, &next);
		size_t colon;
		size_t used;
		enum fail_code code;

		if (length == 0) {
			at += next;
			break;
		}
		if (name_length(data + at, length, &colon) == 0)
			break;	/* no header field: the body starts without an empty line */
		code = parse_field(message, data + at, size - at, max, &used);
		if (code != SG_OK)
			return fail_set(f, code, NULL, "the header has more than %zu bytes or %d "
			    "fields", max, MESSAGE_HEADERS_MAX);
		at += used;
	}
	if (message->header_count == 0)
		return fail_set(f, SG_EFORMAT, "give a whole message, header fields first",
		    "this is no mail message");
	*body_at_out = at;
	return SG_OK;
}
