#include "pdfenc/tnef.h"

/* ytnef.h wants FILE to be known */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tnef-errors.h>
#include <ytnef.h>

#include "pdfenc/charset.h"

#define CHAR_MAX_BYTES 1024	/* of a name or type */

/* The property, or NULL. */
static const variableLength *find(MAPIProps *properties, unsigned int type, unsigned int id)
{
	const variableLength *found = MAPIFindProperty(properties, PROP_TAG(type, id));

	return found != MAPI_UNDEFINED && found->data != NULL && found->size > 0 ? found : NULL;
}

static char *text_of(const variableLength *value)
{
	size_t size = (size_t)MIN(value->size, CHAR_MAX_BYTES);
	char *raw = g_strndup((const char *)value->data, size);
	char *line = charset_line(raw);

	g_free(raw);
	return line;
}

static char *string_of(MAPIProps *properties, unsigned int id)
{
	const variableLength *found = find(properties, PT_STRING8, id);

	if (found == NULL)
		found = find(properties, PT_UNICODE, id);
	return found != NULL ? text_of(found) : NULL;
}

static GByteArray *bytes_of(const void *data, size_t size)
{
	GByteArray *bytes = g_byte_array_sized_new((guint)size);

	g_byte_array_append(bytes, data, (guint)size);
	return bytes;
}

static void take_file(Attachment *attachment, tnef_fn *found, void *context)
{
	const variableLength *data = &attachment->FileData;
	char *name = string_of(&attachment->MAPI, PR_ATTACH_LONG_FILENAME);
	char *type = string_of(&attachment->MAPI, PR_ATTACH_MIME_TAG);

	if (data->data == NULL || data->size <= 0)
		data = find(&attachment->MAPI, PT_BINARY, PR_ATTACH_DATA_OBJ);
	if (name == NULL && attachment->Title.data != NULL && attachment->Title.size > 0)
		name = text_of(&attachment->Title);
	if (data != NULL)
		found(context, TNEF_FILE, name, type, bytes_of(data->data, (size_t)data->size));
	g_free(name);
	g_free(type);
}

/* Zeros end what was a string. */
static void take_text(const variableLength *value, enum tnef_kind kind, tnef_fn *found,
    void *context)
{
	size_t size = (size_t)value->size;

	while (size > 0 && value->data[size - 1] == 0)
		size--;
	found(context, kind, NULL, NULL, bytes_of(value->data, size));
}

static void take_body(TNEFStruct *tnef, tnef_fn *found, void *context)
{
	const variableLength *html = find(&tnef->MapiProperties, PT_BINARY, PR_BODY_HTML);
	const variableLength *text = find(&tnef->MapiProperties, PT_STRING8, PR_BODY);
	const variableLength *packed = find(&tnef->MapiProperties, PT_BINARY, PR_RTF_COMPRESSED);
	variableLength rtf;

	if (text == NULL)
		text = find(&tnef->MapiProperties, PT_UNICODE, PR_BODY);
	if (text == NULL && tnef->body.data != NULL && tnef->body.size > 0)
		text = &tnef->body;
	if (html != NULL) {
		take_text(html, TNEF_HTML, found, context);
		return;
	}
	if (text != NULL)
		take_text(text, TNEF_TEXT, found, context);
	if (packed == NULL || packed->size < 16)
		return;
	rtf = *packed;
	rtf.data = DecompressRTF(&rtf, &rtf.size);
	if (rtf.data != NULL && rtf.size > 0)
		found(context, TNEF_RTF, NULL, NULL, bytes_of(rtf.data, (size_t)rtf.size));
	free(rtf.data);
}

bool tnef_unpack(const void *data, size_t size, tnef_fn *found, void *context)
{
	TNEFStruct tnef;
	unsigned int count = 0;
	/* libytnef writes zeros behind strings in what it reads */
	void *copy;
	bool done;

	if (size < 16 || size > TNEF_SIZE_MAX)
		return false;
	copy = g_memdup2(data, size);
	memset(&tnef, 0, sizeof(tnef));
	TNEFInitialize(&tnef);
	tnef.Debug = 0;
	done = TNEFParseMemory(copy, (long)size, &tnef) == 0;
	if (done) {
		take_body(&tnef, found, context);
		for (Attachment *a = tnef.starting_attach.next; a != NULL &&
		    count < TNEF_FILES_MAX; a = a->next, count++)
			take_file(a, found, context);
	}
	TNEFFree(&tnef);
	g_free(copy);
	return done;
}
