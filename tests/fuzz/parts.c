/*
 * Invitations, visiting cards, tables, winmail.dat and opaque signatures: the first byte chooses.
 * links: sealgate-pdf
 */
#include <stdint.h>

#include "pdfenc/calendar.h"
#include "pdfenc/charset.h"
#include "pdfenc/cms.h"
#include "pdfenc/table.h"
#include "pdfenc/tnef.h"
#include "pdfenc/vcard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *context, enum tnef_kind kind, const char *name, const char *type,
    GByteArray *data)
{
	(void)context;
	(void)kind;
	(void)name;
	(void)type;
	g_byte_array_unref(data);
}

static void read_text(unsigned int kind, const uint8_t *data, size_t size)
{
	GString *text = charset_to_utf8("utf-8", data, size);
	GString *card = g_string_new(NULL);
	const char *title;

	if (kind == 0)
		(void)calendar_to_card(text, card, &title);
	else if (kind == 1)
		(void)vcard_to_card(text, card);
	else
		(void)table_to_html(text);
	g_string_free(card, TRUE);
	g_string_free(text, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GByteArray *content;

	if (size == 0)
		return 0;
	switch (data[0] % 5) {
	case 3:
		(void)tnef_unpack(data + 1, size - 1, take, NULL);
		break;
	case 4:
		content = cms_signed_content(data + 1, size - 1);
		if (content != NULL)
			g_byte_array_unref(content);
		break;
	default:
		read_text(data[0] % 5, data + 1, size - 1);
		break;
	}
	return 0;
}
