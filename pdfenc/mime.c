#include "pdfenc/mime.h"

#include <gmime/gmime.h>
#include <limits.h>
#include <string.h>

#include "gateway/base/str.h"
#include "pdfenc/calendar.h"
#include "pdfenc/charset.h"
#include "pdfenc/cms.h"
#include "pdfenc/html/html.h"
#include "pdfenc/mime_read.h"
#include "pdfenc/tnef.h"
#include "pdfenc/uu.h"
#include "pdfenc/vcard.h"
#include "pdfenc/wording.h"

struct walk {
	struct document *document;
	unsigned int depth;
	unsigned int parts;
};

static void walk_object(struct walk *walk, GMimeObject *object);

void mime_start(void)
{
	static const char *fallback[] = { "utf-8", "windows-1252", NULL };
	GMimeParserOptions *options;

	g_mime_init();
	options = g_mime_parser_options_get_default();
	g_mime_parser_options_set_fallback_charsets(options, fallback);
	g_mime_parser_options_set_rfc2047_compliance_mode(options, GMIME_RFC_COMPLIANCE_LOOSE);
	g_mime_parser_options_set_parameter_compliance_mode(options, GMIME_RFC_COMPLIANCE_LOOSE);
	charset_warm_up();
}

static GMimeParser *parser_of(GByteArray *bytes)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GMimeParser *parser;

	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	parser = g_mime_parser_new_with_stream(stream);
	g_object_unref(stream);
	return parser;
}

/* A part whose content is copied: bytes may go. */
static GMimeObject *parse_part(GByteArray *bytes)
{
	GMimeParser *parser = parser_of(bytes);
	GMimeObject *object;

	g_mime_parser_set_persist_stream(parser, FALSE);
	object = g_mime_parser_construct_part(parser, NULL);
	g_object_unref(parser);
	return object;
}

static struct document_file *last_file(const struct document *document)
{
	return g_ptr_array_index(document->files, document->files->len - 1);
}

/* By its id an HTML body shows the file that was added last. */
static void add_facts(struct document *document, GMimeObject *object)
{
	struct document_file *file = last_file(document);

	file->id = charset_line(g_mime_object_get_content_id(object));
	file->charset = charset_line(g_mime_object_get_content_type_parameter(object, "charset"));
}

/* False: it was not added. */
static bool add_file(struct walk *walk, GMimeObject *object, const char *fallback_name,
    GByteArray *data)
{
	char *name = mime_file_name(object);
	char *type = mime_type(object);
	GDateTime *date = mime_file_date(object);
	bool added = document_add_file(walk->document, name != NULL ? name : fallback_name, type,
	    date, data);

	if (added)
		add_facts(walk->document, object);
	if (date != NULL)
		g_date_time_unref(date);
	g_free(type);
	g_free(name);
	return added;
}

/* A file of which the message shows what it says. */
static void add_read_file(struct walk *walk, GMimeObject *object, const char *fallback_name,
    GByteArray *data)
{
	if (add_file(walk, object, fallback_name, data))
		last_file(walk->document)->read = true;
}

static void uu_found(void *context, const char *name, GByteArray *data)
{
	struct walk *walk = context;

	(void)document_add_file(walk->document, name, "application/octet-stream", NULL, data);
}

static bool parameter_is(GMimeObject *object, const char *name, const char *value)
{
	const char *found = g_mime_object_get_content_type_parameter(object, name);

	return found != NULL && str_equal_case(found, value);
}

/* ---- bodies ---- */

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
	GMimeContentType *content = g_mime_object_get_content_type(object);

	return content != NULL && g_mime_content_type_is_type(content, type, subtype);
}

static bool is_attachment(GMimeObject *object)
{
	const char *disposition = g_mime_object_get_disposition(object);

	return disposition != NULL && str_equal_case(disposition, "attachment");
}

/* Text that a reader reads; the rest of text/ (calendar, csv, rtf) is a file. */
static bool is_shown_text(GMimeObject *object)
{
	return GMIME_IS_PART(object) && (is_type(object, "text", "plain") ||
	    is_type(object, "text", "html") || is_type(object, "text", "enriched") ||
	    is_type(object, "text", "richtext") || is_type(object, "text", "x-markdown") ||
	    is_type(object, "text", "markdown") || is_type(object, "text", "rfc822-headers") ||
	    is_type(object, "message", "delivery-status") ||
	    is_type(object, "message", "disposition-notification") ||
	    is_type(object, "text", "text") || is_type(object, "text", "x-patch") ||
	    is_type(object, "text", "x-diff"));
}

static GString *part_text(GMimeObject *object, bool html)
{
	GByteArray *bytes = mime_decoded(GMIME_PART(object));
	const char *declared = g_mime_object_get_content_type_parameter(object, "charset");
	char *meta = NULL;
	GString *text;

	if (html && (declared == NULL || str_equal_case(declared, "us-ascii")))
		meta = charset_of_html(bytes->data, bytes->len);
	text = charset_to_utf8(meta != NULL ? meta : declared, bytes->data, bytes->len);
	g_free(meta);
	g_byte_array_unref(bytes);
	return text;
}

static void show_text(struct walk *walk, GMimeObject *object)
{
	bool html = is_type(object, "text", "html") || is_type(object, "text", "enriched") ||
	    is_type(object, "text", "richtext");
	GString *text = part_text(object, html);
	struct document_body *body;

	if (!html)
		uu_extract(text, uu_found, walk);
	body = document_add_body(walk->document, html ? DOCUMENT_HTML : DOCUMENT_TEXT, text);
	body->flowed = !html && parameter_is(object, "format", "flowed");
	body->delsp = body->flowed && parameter_is(object, "delsp", "yes");
}

/* ---- parts that are read beside their file ---- */

static bool is_card(GMimeObject *object)
{
	return is_type(object, "text", "calendar") || is_type(object, "text", "vcard") ||
	    is_type(object, "text", "x-vcard") || is_type(object, "text", "directory") ||
	    is_type(object, "application", "ics");
}

/* Invitations come twice, as an alternative and as a file. */
static void add_card(struct document *document, const char *title, GString *card)
{
	for (unsigned int i = 0; i < document->bodies->len; i++) {
		const struct document_body *body = g_ptr_array_index(document->bodies, i);

		if (body->kind != DOCUMENT_CARD || !g_string_equal(body->text, card))
			continue;
		g_string_free(card, TRUE);
		return;
	}
	document_add_body(document, DOCUMENT_CARD, card)->title = title;
}

/* An invitation or a visiting card; false: it cannot be read, and is a file like others. */
static bool show_card(struct walk *walk, GMimeObject *object)
{
	GString *text = part_text(object, false);
	GString *card = g_string_new(NULL);
	const char *title = wording("Visiting card");
	bool calendar = is_type(object, "text", "calendar") ||
	    is_type(object, "application", "ics");
	bool shown = calendar ? calendar_to_card(text, card, &title) : vcard_to_card(text, card);

	g_string_free(text, TRUE);
	if (!shown) {
		g_string_free(card, TRUE);
		return false;
	}
	add_card(walk->document, title, card);
	add_read_file(walk, object, calendar ? "invite.ics" : "card.vcf",
	    mime_decoded(GMIME_PART(object)));
	return true;
}

static void tnef_found(void *context, enum tnef_kind kind, const char *name, const char *type,
    GByteArray *data)
{
	struct walk *walk = context;

	if (kind == TNEF_FILE || kind == TNEF_RTF) {
		(void)document_add_file(walk->document, kind == TNEF_RTF ? "message.rtf" : name,
		    kind == TNEF_RTF ? "text/rtf" : type != NULL ? type :
		    "application/octet-stream", NULL, data);
		return;
	}
	/* Exchange sends the text as text/plain besides: it stands there already */
	if (walk->document->bodies->len == 0)
		(void)document_add_body(walk->document, kind == TNEF_HTML ? DOCUMENT_HTML :
		    DOCUMENT_TEXT, charset_to_utf8(NULL, data->data, data->len));
	g_byte_array_unref(data);
}

static bool is_tnef(GMimeObject *object)
{
	return is_type(object, "application", "ms-tnef") ||
	    is_type(object, "application", "vnd.ms-tnef");
}

static bool show_tnef(struct walk *walk, GMimeObject *object)
{
	GByteArray *data = mime_decoded(GMIME_PART(object));
	bool shown = tnef_unpack(data->data, data->len, tnef_found, walk);

	g_byte_array_unref(data);
	return shown;
}

/* Signed in one piece: its content is a part like others; the file proves it. */
static bool show_signed(struct walk *walk, GMimeObject *object)
{
	GByteArray *data = mime_decoded(GMIME_PART(object));
	GByteArray *content = cms_signed_content(data->data, data->len);
	GMimeObject *inner;

	if (content == NULL) {
		g_byte_array_unref(data);
		return false;
	}
	inner = parse_part(content);
	if (inner != NULL) {
		add_read_file(walk, object, "smime.p7m", data);
		walk_object(walk, inner);
		g_object_unref(inner);
	} else {
		g_byte_array_unref(data);
	}
	g_byte_array_unref(content);
	return inner != NULL;
}

/* True: nothing is left to do about the part. */
static bool walk_special(struct walk *walk, GMimeObject *object)
{
	if (is_card(object))
		return show_card(walk, object);
	if (is_tnef(object))
		return show_tnef(walk, object);
	if (is_type(object, "application", "pkcs7-mime") ||
	    is_type(object, "application", "x-pkcs7-mime"))
		return show_signed(walk, object);
	return false;
}

static void walk_part(struct walk *walk, GMimeObject *object)
{
	char *name;

	if (walk_special(walk, object))
		return;
	if (!is_shown_text(object) || is_attachment(object)) {
		(void)add_file(walk, object, NULL, mime_decoded(GMIME_PART(object)));
		return;
	}
	/* shown where it stands; one that has a name is a file as well */
	name = mime_file_name(object);
	if (name != NULL)
		add_read_file(walk, object, NULL, mime_decoded(GMIME_PART(object)));
	g_free(name);
	show_text(walk, object);
}

static void walk_message_part(struct walk *walk, GMimeObject *object)
{
	GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
	struct document_body *body;
	GByteArray *bytes;
	char *name;

	if (message == NULL) {
		bytes = mime_written(object);
		(void)add_file(walk, object, NULL, bytes);
		return;
	}
	body = document_add_body(walk->document, DOCUMENT_NESTED, NULL);
	body->head = g_new0(struct document_head, 1);
	mime_read_head(message, body->head);
	name = body->head->subject != NULL ? g_strdup_printf("%s.eml", body->head->subject) :
	    g_strdup("message.eml");
	bytes = mime_written(GMIME_OBJECT(message));
	add_read_file(walk, object, name, bytes);
	g_free(name);
	if (g_mime_message_get_mime_part(message) != NULL)
		walk_object(walk, g_mime_message_get_mime_part(message));
	(void)document_add_body(walk->document, DOCUMENT_NESTED_END, NULL);
}

/* ---- multiparts ---- */

/* Whether there is something in it that can be printed as an alternative. */
static bool can_show(GMimeObject *object, unsigned int depth)
{
	GMimeMultipart *multipart;

	if (depth > MIME_DEPTH_MAX)
		return false;
	if (!GMIME_IS_MULTIPART(object))
		return is_shown_text(object) && !is_attachment(object);
	multipart = GMIME_MULTIPART(object);
	for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
		if (can_show(g_mime_multipart_get_part(multipart, i), depth + 1))
			return true;
	return false;
}

/* True for HTML in which no word stands: some programs send it beside good plain text. */
static bool is_empty_html(GMimeObject *object)
{
	GString *text;
	bool empty;

	if (!GMIME_IS_PART(object) || !is_type(object, "text", "html"))
		return false;
	text = part_text(object, true);
	empty = !html_has_text(text->str, text->len);
	g_string_free(text, TRUE);
	return empty;
}

/* RFC 2046 section 5.1.4: the last one that can be shown; what cannot be is a file. */
static void walk_alternative(struct walk *walk, GMimeMultipart *multipart)
{
	int count = g_mime_multipart_get_count(multipart);
	int chosen = -1;

	for (int i = count - 1; i >= 0 && chosen < 0; i--) {
		GMimeObject *object = g_mime_multipart_get_part(multipart, i);

		if (can_show(object, 0) && !is_empty_html(object))
			chosen = i;
	}
	for (int i = 0; i < count; i++) {
		GMimeObject *object = g_mime_multipart_get_part(multipart, i);

		if (i == chosen || chosen < 0 || !can_show(object, 0))
			walk_object(walk, object);
	}
}

/* Text outside of all parts is what mail programs skip; without parts it is all there is. */
static void walk_prologue(struct walk *walk, GMimeMultipart *multipart)
{
	const char *text = g_mime_multipart_get_prologue(multipart);

	if (text != NULL && g_mime_multipart_get_count(multipart) == 0)
		(void)document_add_body(walk->document, DOCUMENT_TEXT,
		    charset_to_utf8(NULL, text, strlen(text)));
}

static void walk_multipart(struct walk *walk, GMimeMultipart *multipart)
{
	if (is_type(GMIME_OBJECT(multipart), "multipart", "alternative")) {
		walk_alternative(walk, multipart);
		return;
	}
	for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
		walk_object(walk, g_mime_multipart_get_part(multipart, i));
	walk_prologue(walk, multipart);
}

static void walk_object(struct walk *walk, GMimeObject *object)
{
	if (walk->parts >= MIME_PARTS_MAX || walk->document->bodies->len >= DOCUMENT_BODIES_MAX) {
		walk->document->truncated = true;
		return;
	}
	walk->parts++;
	if (walk->depth >= MIME_DEPTH_MAX) {
		(void)add_file(walk, object, "nested-too-deep.eml", mime_written(object));
		return;
	}
	walk->depth++;
	if (GMIME_IS_MULTIPART(object))
		walk_multipart(walk, GMIME_MULTIPART(object));
	else if (GMIME_IS_MESSAGE_PART(object))
		walk_message_part(walk, object);
	else if (GMIME_IS_PART(object))
		walk_part(walk, object);
	walk->depth--;
}

/* ---- the whole ---- */

static bool has_words(const struct document *document)
{
	for (unsigned int i = 0; i < document->bodies->len; i++) {
		const struct document_body *body = g_ptr_array_index(document->bodies, i);

		if (body->kind == DOCUMENT_NESTED || body->kind == DOCUMENT_CARD)
			return true;
		if (body->kind == DOCUMENT_HTML && html_has_text(body->text->str, body->text->len))
			return true;
		if (body->kind == DOCUMENT_TEXT)
			for (const char *p = body->text->str; *p != '\0'; p++)
				if (!str_is_space(*p))
					return true;
	}
	return false;
}

/* What stands behind the first empty line. */
static const char *raw_body(const char *data, size_t size)
{
	const char *lf = memmem(data, size, "\n\n", 2);
	const char *crlf = memmem(data, size, "\n\r\n", 3);

	if (lf != NULL && (crlf == NULL || lf < crlf))
		return lf + 2;
	return crlf != NULL ? crlf + 3 : NULL;
}

/* Never an empty page: the raw text where MIME led nowhere, or a sentence. */
static void fill_empty(struct document *document, const char *data, size_t size, bool has_head)
{
	const char *body;
	size_t left;
	GString *text = NULL;

	if (has_words(document))
		return;
	body = has_head ? raw_body(data, size) : data;
	left = body != NULL ? size - (size_t)(body - data) : 0;
	if (document->files->len == 0 && left > 0)
		text = charset_to_utf8(NULL, body, left);
	if (text != NULL && strspn(text->str, " \t\n") < text->len) {
		(void)document_add_body(document, DOCUMENT_TEXT, text);
		return;
	}
	if (text != NULL)
		g_string_free(text, TRUE);
	(void)document_add_body(document, DOCUMENT_NOTE,
	    g_string_new(document->files->len > 0 ?
	    wording("This message has no text, only the attached files.") :
	    wording("This message has no text.")));
}

static void read_language(GMimeMessage *message, struct document *document)
{
	const char *raw = g_mime_object_get_header(GMIME_OBJECT(message), "Content-Language");
	size_t size = raw != NULL ? strspn(raw, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") : 0;

	if (size >= 2 && size <= 35)
		document->language = g_strndup(raw, size);
}

static GMimeMessage *parse(GByteArray *view)
{
	GMimeParser *parser = parser_of(view);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	g_object_unref(parser);
	return message;
}

enum fail_code mime_parse(const void *data, size_t size, const char *subject,
    struct document **document_out, struct fail *f)
{
	struct walk walk = { NULL, 0, 0 };
	GMimeMessage *message;
	GByteArray view;

	*document_out = NULL;
	if (size == 0 || size > INT_MAX)
		return fail_set(f, size == 0 ? SG_EFORMAT : SG_ELIMIT, NULL,
		    "a message of %zu bytes cannot be made a PDF", size);
	/* the caller's bytes as they are: GMime only reads them and frees nothing */
	memset(&view, 0, sizeof(view));
	view.data = (guint8 *)(guintptr)data;
	view.len = (guint)size;
	message = parse(&view);
	walk.document = document_new();
	if (message != NULL) {
		mime_read_head(message, &walk.document->head);
		read_language(message, walk.document);
	}
	if (subject != NULL) {
		g_free(walk.document->head.subject);
		walk.document->head.subject = mime_line(subject);
	}
	if (message != NULL && g_mime_message_get_mime_part(message) != NULL)
		walk_object(&walk, g_mime_message_get_mime_part(message));
	fill_empty(walk.document, data, size, message != NULL);
	if (message != NULL)
		g_object_unref(message);
	*document_out = walk.document;
	return SG_OK;
}
