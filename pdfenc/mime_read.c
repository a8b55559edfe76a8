#include "pdfenc/mime_read.h"

#include <limits.h>
#include <string.h>

#include "gateway/base/str.h"
#include "pdfenc/charset.h"
#include "pdfenc/wording.h"

/* ---- header fields ---- */

static char *cut_field(char *text)
{
	char *end;

	if (text != NULL && strlen(text) > DOCUMENT_FIELD_MAX) {
		end = g_utf8_find_prev_char(text, text + DOCUMENT_FIELD_MAX);
		memcpy(end != NULL ? end : text, "", 1);
	}
	if (text != NULL && text[0] == '\0') {
		g_free(text);
		return NULL;
	}
	return text;
}

static char *addresses(InternetAddressList *list, GMimeMessage *message, const char *name)
{
	char *text = NULL;
	char *line;

	if (list != NULL && internet_address_list_length(list) > 0) {
		text = internet_address_list_to_string(list, NULL, FALSE);
	} else {
		/* what GMime cannot read as addresses is shown as it came */
		const char *raw = g_mime_object_get_header(GMIME_OBJECT(message), name);

		text = raw != NULL ? g_mime_utils_header_decode_text(NULL, raw) : NULL;
	}
	line = charset_line(text);
	g_free(text);
	return cut_field(line);
}

static char *date_line(GMimeMessage *message)
{
	const char *raw = g_mime_object_get_header(GMIME_OBJECT(message), "Date");
	GDateTime *date = raw != NULL ? g_mime_utils_header_decode_date(raw) : NULL;
	char *text;

	if (date == NULL)
		return cut_field(charset_line(raw));
	text = wording_date(date);
	g_date_time_unref(date);
	return text != NULL ? text : charset_line(raw);
}

char *mime_line(const char *raw)
{
	char *text = raw != NULL ? g_mime_utils_header_decode_text(NULL, raw) : NULL;
	char *line = charset_line(text);

	g_free(text);
	return cut_field(line);
}

void mime_read_head(GMimeMessage *message, struct document_head *head)
{
	head->from = addresses(g_mime_message_get_from(message), message, "From");
	if (head->from == NULL)
		head->from = addresses(g_mime_message_get_sender(message), message, "Sender");
	head->to = addresses(g_mime_message_get_to(message), message, "To");
	head->cc = addresses(g_mime_message_get_cc(message), message, "Cc");
	head->date = date_line(message);
	head->subject = mime_line(g_mime_object_get_header(GMIME_OBJECT(message), "Subject"));
}

/* ---- content ---- */

/* Values of base64's characters; 64: none. */
static void make_values(unsigned char values[256])
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/";

	memset(values, 64, 256);
	for (unsigned char i = 0; i < 64; i++)
		values[(unsigned char)characters[i]] = i;
}

/*
 * GMime's decoder, but whole groups between line ends, which are nearly all there is, are decoded
 * here: three times as fast. out has room for size bytes. Returns how many were written.
 */
static size_t decode_base64(const unsigned char *at, size_t size, unsigned char *out)
{
	const unsigned char *end = at + size;
	unsigned char *to = out;
	unsigned char v[256];
	guint32 save = 0;
	int state = 0;

	make_values(v);
	while (at < end) {
		while (state == 0 && end - at >= 4 && ((v[at[0]] | v[at[1]] | v[at[2]] | v[at[3]]) &
		    64) == 0) {
			unsigned int bits = (unsigned int)v[at[0]] << 18 |
			    (unsigned int)v[at[1]] << 12 | (unsigned int)v[at[2]] << 6 | v[at[3]];

			to[0] = (unsigned char)(bits >> 16);
			to[1] = (unsigned char)(bits >> 8);
			to[2] = (unsigned char)bits;
			to += 3;
			at += 4;
		}
		if (at < end)
			to += g_mime_encoding_base64_decode_step(at++, 1, to, &state, &save);
	}
	return (size_t)(to - out);
}

/* The bytes of a stream that lies in memory, or NULL. */
static const unsigned char *bytes_of(GMimeStream *stream, size_t *size_out)
{
	const GByteArray *all = stream != NULL && GMIME_IS_STREAM_MEM(stream) ?
	    g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream)) : NULL;
	gint64 end;

	if (all == NULL)
		return NULL;
	end = stream->bound_end >= 0 ? MIN(stream->bound_end, (gint64)all->len) : (gint64)all->len;
	if (stream->bound_start < 0 || stream->bound_start > end)
		return NULL;
	*size_out = (size_t)(end - stream->bound_start);
	return all->data + stream->bound_start;
}

/* The decoded bytes of a leaf; room for them is made at once. */
GByteArray *mime_decoded(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *source = content != NULL ? g_mime_data_wrapper_get_stream(content) : NULL;
	gint64 length = source != NULL ? g_mime_stream_length(source) : 0;
	GByteArray *bytes = g_byte_array_sized_new(length > 0 && length < INT_MAX ? (guint)length :
	    64);
	const unsigned char *encoded;
	size_t size;
	GMimeStream *memory;

	if (content == NULL)
		return bytes;
	encoded = g_mime_data_wrapper_get_encoding(content) == GMIME_CONTENT_ENCODING_BASE64 ?
	    bytes_of(source, &size) : NULL;
	if (encoded != NULL && size < INT_MAX) {
		g_byte_array_set_size(bytes, (guint)size);
		g_byte_array_set_size(bytes, (guint)decode_base64(encoded, size, bytes->data));
		return bytes;
	}
	memory = g_mime_stream_mem_new_with_byte_array(bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(memory), FALSE);
	(void)g_mime_data_wrapper_write_to_stream(content, memory);
	g_object_unref(memory);
	return bytes;
}

GByteArray *mime_written(GMimeObject *object)
{
	GByteArray *bytes = g_byte_array_new();
	GMimeStream *memory = g_mime_stream_mem_new_with_byte_array(bytes);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(memory), FALSE);
	(void)g_mime_object_write_to_stream(object, NULL, memory);
	g_object_unref(memory);
	return bytes;
}

char *mime_type(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *text = type != NULL ? g_mime_content_type_get_mime_type(type) : NULL;
	char *line = charset_line(text);

	g_free(text);
	if (line == NULL || line[0] == '\0' || strlen(line) > 127) {
		g_free(line);
		return g_strdup("application/octet-stream");
	}
	str_lower(line);
	return line;
}

GDateTime *mime_file_date(GMimeObject *object)
{
	static const char *const names[] = { "modification-date", "creation-date" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *raw = g_mime_object_get_content_disposition_parameter(object, names[i]);
		GDateTime *date = raw != NULL ? g_mime_utils_header_decode_date(raw) : NULL;

		if (date != NULL)
			return date;
	}
	return NULL;
}

char *mime_file_name(GMimeObject *object)
{
	const char *name = GMIME_IS_PART(object) ? g_mime_part_get_filename(GMIME_PART(object)) :
	    NULL;

	if (name == NULL)
		name = g_mime_object_get_content_disposition_parameter(object, "filename");
	if (name == NULL)
		name = g_mime_object_get_content_type_parameter(object, "name");
	return name != NULL ? mime_line(name) : NULL;
}
