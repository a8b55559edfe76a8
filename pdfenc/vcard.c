#include "pdfenc/vcard.h"

#include <string.h>

#include "pdfenc/contentline.h"

struct vcard {
	GString *card;
	unsigned int count;
	bool named;		/* this one has its FN */
};

static void put(struct vcard *vcard, const char *label, char *value)
{
	contentline_put(vcard->card, label, value);
	g_free(value);
}

static void read_line(void *context, const struct contentline *line)
{
	static const char *const plain[][2] = { { "TITLE", "Title" }, { "EMAIL", "Email" },
		{ "TEL", "Phone" }, { "URL", "Web" }, { "BDAY", "Born" }, { "NOTE", "Notes" } };
	struct vcard *vcard = context;

	if (strcmp(line->name, "BEGIN") == 0) {
		vcard->count++;
		vcard->named = false;
	}
	if (vcard->count == 0 || vcard->count > VCARD_CARDS_MAX)
		return;
	if (strcmp(line->name, "FN") == 0) {
		put(vcard, "Name", contentline_text(line));
		vcard->named = true;
	} else if (strcmp(line->name, "N") == 0 && !vcard->named) {
		put(vcard, "Name", contentline_parts(line, ", "));
	} else if (strcmp(line->name, "ORG") == 0) {
		put(vcard, "Company", contentline_parts(line, ", "));
	} else if (strcmp(line->name, "ADR") == 0) {
		put(vcard, "Address", contentline_parts(line, ", "));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
		if (strcmp(line->name, plain[i][0]) == 0)
			put(vcard, plain[i][1], contentline_text(line));
}

bool vcard_to_card(const GString *text, GString *card)
{
	struct vcard vcard = { .card = card };

	contentline_each(text, read_line, &vcard);
	return card->len > 0;
}
