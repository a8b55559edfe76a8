#include "pdfenc/write_embed.h"

#include <hb-ot.h>
#include <math.h>
#include <string.h>

#include "pdfenc/write_font.h"

#define CMAP_BLOCK 100u		/* entries of a block, by Adobe Technical Note 5014 */
#define DEFAULT_WIDTH 1000
#define CARRIER_NAME "SealgateText"

/* ---- what codes say ---- */

static const struct write_code *code_at(const struct write_font *font, unsigned int slot)
{
	return &g_array_index(font->codes, struct write_code, slot);
}

static void put_hex_code(GString *out, const struct write_font *font, unsigned int code)
{
	g_string_append_printf(out, write_font_simple(font) ? "<%02X>" : "<%04X>", code);
}

static void put_mapping(GString *out, const struct write_font *font, unsigned int slot)
{
	const struct write_code *code = code_at(font, slot);

	put_hex_code(out, font, write_font_code(font, slot));
	g_string_append_c(out, '<');
	put_utf16_hex(out, code->text, code->size);
	g_string_append(out, ">\n");
}

/* ASCII that says itself: one range for all of it. */
static bool is_itself(const struct write_font *font, const struct write_code *code)
{
	return write_font_simple(font) && code->size == 1 && code->text != NULL &&
	    code->code == (unsigned char)code->text[0] && code->code < 0x80;
}

static void put_mappings(GString *out, const struct write_font *font)
{
	unsigned int left = 0;
	unsigned int open = 0;
	bool itself = false;

	for (unsigned int i = 0; i < font->codes->len; i++) {
		itself = itself || is_itself(font, code_at(font, i));
		left += code_at(font, i)->text != NULL && !is_itself(font, code_at(font, i));
	}
	if (itself)
		g_string_append(out, "1 beginbfrange\n<20><7E><0020>\nendbfrange\n");
	for (unsigned int i = 0; i < font->codes->len; i++) {
		if (code_at(font, i)->text == NULL || is_itself(font, code_at(font, i)))
			continue;
		if (open == 0) {
			open = MIN(left, CMAP_BLOCK);
			g_string_append_printf(out, "%u beginbfchar\n", open);
			left -= open;
		}
		put_mapping(out, font, i);
		if (--open == 0)
			g_string_append(out, "endbfchar\n");
	}
}

static unsigned int write_to_unicode(struct write_file *file, const struct write_font *font,
    struct embed_maps *maps)
{
	static const char head[] = "/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n"
	    "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
	    "/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n";
	static const char tail[] = "endcmap\n"
	    "CMapName currentdict/CMap defineresource pop\nend\nend\n";
	GString *map = g_string_new(head);

	g_string_append(map, write_font_simple(font) ? "<00><FF>" : "<0000><FFFF>");
	g_string_append(map, "\nendcodespacerange\n");
	put_mappings(map, font);
	g_string_append(map, tail);
	if (maps->text == NULL || strcmp(maps->text, map->str) != 0) {
		maps->number = write_reserve(file);
		write_stream(file, maps->number, "", map->str, map->len, true);
		g_free(maps->text);
		maps->text = g_strdup(map->str);
	}
	g_string_free(map, TRUE);
	return maps->number;
}

/* ---- widths ---- */

static double width_of(const struct write_font *font, unsigned int slot)
{
	return (double)code_at(font, slot)->width;
}

/* Codes rise with slots: a subset keeps the order of its glyphs, and these that of their CIDs. */
static void put_widths(GString *out, const struct write_font *font)
{
	unsigned int expected = 0;
	bool open = false;

	g_string_append_printf(out, "/DW %d/W[", DEFAULT_WIDTH);
	for (unsigned int i = 1; i < font->codes->len; i++) {
		unsigned int code = write_font_code(font, i);

		if (fabs(width_of(font, i) - DEFAULT_WIDTH) < 0.005)
			continue;
		if (!open || code != expected) {
			g_string_append(out, open ? "]" : "");
			put_count(out, code);
			g_string_append_c(out, '[');
			open = true;
		} else {
			g_string_append_c(out, ' ');
		}
		put_number(out, width_of(font, i));
		expected = code + 1;
	}
	g_string_append(out, open ? "]]" : "]");
}

/* ---- objects ---- */

/* Six letters that differ where the glyphs do (9.9.2). */
static void put_tag(GString *out, const struct write_font *font)
{
	unsigned int size;
	const char *data = hb_blob_get_data(font->program, &size);
	uint64_t hash = 14695981039346656037u;

	for (unsigned int i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)data[i]) * 1099511628211u;
	for (unsigned int i = 0; i < 6; i++) {
		g_string_append_c(out, (char)('A' + hash % 26));
		hash /= 26;
	}
}

static void put_descriptor(GString *out, const struct face *face)
{
	g_string_append_printf(out, "/Flags %d/FontBBox[%d %d %d %d]/ItalicAngle %d/Ascent %d"
	    "/Descent %d/CapHeight %d/StemV %u", 4 + (face->fixed ? 1 : 0) +
	    (face->slope < 0 ? 64 : 0), face->box[0], face->box[1], face->box[2], face->box[3],
	    (int)lround(face->slope), face->ascent, face->descent, face->cap_height,
	    50 + face->weight * face->weight / 4225);
}

static unsigned int write_program(struct write_file *file, const struct write_font *font)
{
	unsigned int number = write_reserve(file);
	unsigned int size;
	const char *data = hb_blob_get_data(font->program, &size);

	if (font->face != NULL && font->face->kind == FACE_CFF) {
		write_stream(file, number, "/Subtype/CIDFontType0C", data, size, true);
	} else {
		GString *entries = g_string_new("/Length1 ");

		put_count(entries, size);
		write_stream(file, number, entries->str, data, size, true);
		g_string_free(entries, TRUE);
	}
	return number;
}

static unsigned int write_descriptor(struct write_file *file, const struct write_font *font,
    const char *name)
{
	GString *body = g_string_new("<</Type/FontDescriptor/FontName");
	unsigned int number = write_reserve(file);

	put_name(body, name);
	if (font->face != NULL)
		put_descriptor(body, font->face);
	else
		g_string_append(body, "/Flags 4/FontBBox[0 0 0 0]/ItalicAngle 0/Ascent 800"
		    "/Descent -200/CapHeight 700/StemV 80");
	g_string_append(body, font->face != NULL && font->face->kind == FACE_CFF ? "/FontFile3" :
	    "/FontFile2");
	put_reference(body, write_program(file, font));
	g_string_append(body, ">>");
	write_object(file, number, body);
	g_string_free(body, TRUE);
	return number;
}

static void put_glyph_map(GString *out, struct write_file *file, const struct write_font *font)
{
	GByteArray *map;
	unsigned int number;

	g_string_append(out, "/CIDToGIDMap");
	if (font->face != NULL && font->codes->len == font->subset_glyphs) {
		g_string_append(out, "/Identity");
		return;
	}
	map = g_byte_array_new();
	for (unsigned int i = 0; i < font->codes->len; i++) {
		const struct write_code *code = code_at(font, i);
		guint8 bytes[2] = { (guint8)(code->glyph >> 8), (guint8)code->glyph };

		g_byte_array_append(map, bytes, 2);
	}
	number = write_reserve(file);
	write_stream(file, number, "", map->data, map->len, true);
	g_byte_array_unref(map);
	put_reference(out, number);
}

static unsigned int write_descendant(struct write_file *file, const struct write_font *font,
    const char *name)
{
	bool cff = font->face != NULL && font->face->kind == FACE_CFF;
	GString *body = g_string_new("<</Type/Font/Subtype");
	unsigned int number = write_reserve(file);

	g_string_append(body, cff ? "/CIDFontType0" : "/CIDFontType2");
	g_string_append(body, "/BaseFont");
	put_name(body, name);
	g_string_append(body, "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
	    "/FontDescriptor");
	put_reference(body, write_descriptor(file, font, name));
	if (!cff)
		put_glyph_map(body, file, font);
	put_widths(body, font);
	g_string_append(body, ">>");
	write_object(file, number, body);
	g_string_free(body, TRUE);
	return number;
}

/* Of all codes from the first to the last: 0 where there is none. */
static void put_simple_widths(GString *out, const struct write_font *font)
{
	double widths[256] = { 0 };
	unsigned int first = 255;
	unsigned int last = 0;

	for (unsigned int i = 0; i < font->codes->len; i++) {
		unsigned int code = code_at(font, i)->code;

		if (code == 0)
			continue;
		widths[code] = width_of(font, i);
		first = MIN(first, code);
		last = MAX(last, code);
	}
	g_string_append_printf(out, "/FirstChar %u/LastChar %u/Widths[", first, last);
	for (unsigned int code = first; code <= last; code++) {
		put_number(out, widths[code]);
		g_string_append_c(out, code < last ? ' ' : ']');
	}
}

static unsigned int embed_simple(struct write_file *file, const struct write_font *font,
    const char *name, struct embed_maps *maps)
{
	GString *body = g_string_new("<</Type/Font/Subtype/TrueType/BaseFont");
	unsigned int number = write_reserve(file);

	put_name(body, name);
	put_simple_widths(body, font);
	g_string_append(body, "/FontDescriptor");
	put_reference(body, write_descriptor(file, font, name));
	g_string_append(body, "/ToUnicode");
	put_reference(body, write_to_unicode(file, font, maps));
	g_string_append(body, ">>");
	write_object(file, number, body);
	g_string_free(body, TRUE);
	return number;
}

static unsigned int embed_wide(struct write_file *file, const struct write_font *font,
    const char *name, struct embed_maps *maps)
{
	GString *body = g_string_new("<</Type/Font/Subtype/Type0/Encoding/Identity-H/BaseFont");
	unsigned int number = write_reserve(file);

	put_name(body, name);
	g_string_append(body, "/DescendantFonts[");
	put_reference(body, write_descendant(file, font, name));
	g_string_append(body, "]/ToUnicode");
	put_reference(body, write_to_unicode(file, font, maps));
	g_string_append(body, ">>");
	write_object(file, number, body);
	g_string_free(body, TRUE);
	return number;
}

unsigned int embed_font(struct write_file *file, const struct write_font *font,
    struct embed_maps *maps)
{
	GString *name = g_string_new(NULL);
	unsigned int number;

	put_tag(name, font);
	g_string_append_c(name, '+');
	g_string_append(name, font->face != NULL ? font->face->name : CARRIER_NAME);
	number = write_font_simple(font) ? embed_simple(file, font, name->str, maps) :
	    embed_wide(file, font, name->str, maps);
	g_string_free(name, TRUE);
	return number;
}

/* ---- the font that carries text ---- */

static void add_table(hb_face_t *face, hb_tag_t tag, const unsigned char *data, unsigned int size)
{
	hb_blob_t *blob = hb_blob_create((const char *)data, size, HB_MEMORY_MODE_DUPLICATE, NULL,
	    NULL);

	hb_face_builder_add_table(face, tag, blob);
	hb_blob_destroy(blob);
}

hb_blob_t *embed_carrier(void)
{
	static const unsigned char head[54] = { 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x5f, 0x0f,
		0x3c, 0xf5, 0, 3, 0x03, 0xe8, [45] = 8, [47] = 2 };
	static const unsigned char hhea[36] = { 0, 1, 0, 0, 0x03, 0x20, 0xff, 0x38, [10] = 0x03,
		0xe8, [35] = 2 };
	static const unsigned char maxp[32] = { 0, 1, 0, 0, 0, 2, [15] = 1 };
	static const unsigned char hmtx[8] = { 0x03, 0xe8, 0, 0, 0x03, 0xe8, 0, 0 };
	static const unsigned char loca[6] = { 0 };
	static const unsigned char glyf[4] = { 0 };
	hb_face_t *face = hb_face_builder_create();
	hb_blob_t *blob;

	add_table(face, HB_TAG('h', 'e', 'a', 'd'), head, sizeof(head));
	add_table(face, HB_TAG('h', 'h', 'e', 'a'), hhea, sizeof(hhea));
	add_table(face, HB_TAG('m', 'a', 'x', 'p'), maxp, sizeof(maxp));
	add_table(face, HB_TAG('h', 'm', 't', 'x'), hmtx, sizeof(hmtx));
	add_table(face, HB_TAG('l', 'o', 'c', 'a'), loca, sizeof(loca));
	add_table(face, HB_TAG('g', 'l', 'y', 'f'), glyf, sizeof(glyf));
	blob = hb_face_reference_blob(face);
	hb_face_destroy(face);
	return blob;
}

/* ---- codes of one byte ---- */

hb_blob_t *embed_mapped(const struct write_font *font)
{
	/* one table, of Macintosh's kind (the one for symbolic fonts, 9.6.5.4), format 0 */
	unsigned char map[274] = { [3] = 1, [5] = 1, [11] = 12, [14] = 1, [15] = 6 };

	for (unsigned int i = 0; i < font->codes->len; i++) {
		const struct write_code *code = code_at(font, i);

		if (code->code != 0)
			map[18 + code->code] = (unsigned char)code->glyph;
	}
	add_table(font->subset, HB_TAG('c', 'm', 'a', 'p'), map, sizeof(map));
	return hb_face_reference_blob(font->subset);
}
