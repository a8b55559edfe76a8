#include "pdfenc/document.h"

#include <string.h>

#include "gateway/base/str.h"

#define ORIGINAL "original.eml"

static void head_clear(struct document_head *head)
{
	g_free(head->subject);
	g_free(head->from);
	g_free(head->to);
	g_free(head->cc);
	g_free(head->date);
}

static void body_free(void *data)
{
	struct document_body *body = data;

	if (body->text != NULL)
		g_string_free(body->text, TRUE);
	if (body->head != NULL)
		head_clear(body->head);
	g_free(body->head);
	g_free(body);
}

static void file_free(void *data)
{
	struct document_file *file = data;

	g_free(file->name);
	g_free(file->type);
	g_free(file->id);
	g_free(file->charset);
	if (file->date != NULL)
		g_date_time_unref(file->date);
	g_byte_array_unref(file->data);
	g_free(file);
}

struct document *document_new(void)
{
	struct document *document = g_new0(struct document, 1);

	document->bodies = g_ptr_array_new_with_free_func(body_free);
	document->files = g_ptr_array_new_with_free_func(file_free);
	return document;
}

void document_free(struct document *document)
{
	if (document == NULL)
		return;
	head_clear(&document->head);
	g_ptr_array_unref(document->bodies);
	g_ptr_array_unref(document->files);
	g_free(document->language);
	g_free(document);
}

struct document_body *document_add_body(struct document *document, enum document_body_kind kind,
    GString *text)
{
	struct document_body *body = g_new0(struct document_body, 1);

	body->kind = kind;
	body->text = text;
	g_ptr_array_add(document->bodies, body);
	return body;
}

bool document_has_name(const struct document *document, const char *name)
{
	if (str_equal_case(name, ORIGINAL))
		return true;
	for (unsigned int i = 0; i < document->files->len; i++) {
		const struct document_file *file = g_ptr_array_index(document->files, i);

		if (str_equal_case(file->name, name))
			return true;
	}
	return false;
}

/* Characters that mean something to a file system, or turn the line around (RLO hides .exe). */
static bool name_char_ok(gunichar c)
{
	if (c < 0x20 || c == 0x7f || strchr("/\\:*?\"<>|", (int)(c < 0x80 ? c : 'a')) != NULL)
		return false;
	return g_unichar_isprint(c) && (c < 0x202a || c > 0x202e) && (c < 0x2066 || c > 0x2069) &&
	    c != 0x200e && c != 0x200f && c != 0xfffd;
}

/* Cuts the stem, not the extension, to DOCUMENT_NAME_MAX bytes. */
static void shorten(GString *name)
{
	const char *dot = strrchr(name->str, '.');
	size_t tail = dot != NULL ? name->len - (size_t)(dot - name->str) : 0;
	size_t end;

	if (name->len <= DOCUMENT_NAME_MAX)
		return;
	if (tail > 20)
		tail = 0;
	end = DOCUMENT_NAME_MAX - tail;
	while (end > 0 && ((unsigned char)name->str[end] & 0xc0) == 0x80)
		end--;
	g_string_erase(name, (gssize)end, (gssize)(name->len - tail - end));
}

static GString *safe_name(const char *text)
{
	GString *name = g_string_new(NULL);

	/* old programs send whole paths: the last part is the name */
	for (const char *p = text; *p != '\0'; p++)
		if ((*p == '/' || *p == '\\') && p[1] != '\0')
			text = p + 1;
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (name_char_ok(c))
			g_string_append_unichar(name, c);
		else if (c == '\t' || c == '\n')
			g_string_append_c(name, ' ');
		else
			g_string_append_c(name, '_');
	}
	while (name->len > 0 && (name->str[0] == '.' || name->str[0] == ' '))
		g_string_erase(name, 0, 1);
	while (name->len > 0 && strchr(". ", name->str[name->len - 1]) != NULL)
		g_string_truncate(name, name->len - 1);
	shorten(name);
	return name;
}

/* What a part without a name is called. */
static const char *extension_of(const char *type)
{
	static const char *const table[][2] = {
		{ "message/rfc822", "eml" }, { "text/plain", "txt" }, { "text/html", "html" },
		{ "image/jpeg", "jpg" }, { "image/png", "png" }, { "image/gif", "gif" },
		{ "application/pdf", "pdf" }, { "text/calendar", "ics" }, { "text/csv", "csv" },
		{ "application/zip", "zip" }, { "application/pgp-signature", "asc" },
		{ "application/pkcs7-signature", "p7s" },
		{ "application/x-pkcs7-signature", "p7s" },
		{ "application/pkcs7-mime", "p7m" }, { "application/x-pkcs7-mime", "p7m" },
		{ "image/svg+xml", "svg" }, { "text/rtf", "rtf" }, { "text/xml", "xml" },
		{ "application/json", "json" }, { "text/vcard", "vcf" },
		{ "text/x-vcard", "vcf" }, { "audio/basic", "au" }, { "image/tiff", "tif" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (strcmp(table[i][0], type) == 0)
			return table[i][1];
	return strncmp(type, "text/", 5) == 0 ? "txt" : "bin";
}

/* "a.txt" -> "a (2).txt" until nothing else is called so. */
static void make_distinct(const struct document *document, GString *name)
{
	char *original = g_strdup(name->str);
	const char *dot = strrchr(original, '.');
	int stem = (int)(dot != NULL && dot != original ? (size_t)(dot - original) :
	    strlen(original));

	for (unsigned int n = 2; document_has_name(document, name->str); n++)
		g_string_printf(name, "%.*s (%u)%s", stem, original, n, original + stem);
	g_free(original);
}

bool document_add_file(struct document *document, const char *name, const char *type,
    GDateTime *date, GByteArray *data)
{
	struct document_file *file;
	GString *safe;

	if (document->files->len >= DOCUMENT_FILES_MAX) {
		document->truncated = true;
		g_byte_array_unref(data);
		return false;
	}
	safe = safe_name(name != NULL && g_utf8_validate(name, -1, NULL) ? name : "");
	if (safe->len == 0)
		g_string_printf(safe, "part-%u.%s", document->files->len + 1, extension_of(type));
	make_distinct(document, safe);
	file = g_new0(struct document_file, 1);
	file->name = g_string_free(safe, FALSE);
	file->type = g_strdup(type);
	file->date = date != NULL ? g_date_time_ref(date) : NULL;
	file->data = data;
	g_ptr_array_add(document->files, file);
	return true;
}
