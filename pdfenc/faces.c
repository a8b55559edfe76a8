#include "pdfenc/faces.h"

#include <hb-ot.h>
#include <hb-subset.h>
#include <libdeflate.h>
#include <math.h>
#include <pango/pango.h>
#include <png.h>
#include <string.h>

#include "pdfenc/pixels.h"
#include "pdfenc/write_file.h"

/*
 * A 10 KB text, 36 KB to be compressed: level 1 takes 0.36 ms less than 6 and leaves 1 KB more, 9
 * 0.3 ms more and 0.1 KB less, 10 0.6 ms more than that and 0.23 KB less; 12 4 ms and no less.
 */
#define LEVEL_BEST 10
#define LEVEL_GOOD 6
#define LEVEL_FAST 1
/*
 * Preparing halves the cost of a subset (0.15 ms for Liberation), but takes 1.3 s for the 65,535
 * glyphs of a Chinese font, of which a subset costs 6 ms.
 */
#define PREPARE_GLYPHS 20000u
#define PICTURE_SIDE_MAX 1024u	/* pixels of a glyph's side; Noto's have 136 */
#define FORBIDDEN 0x0002	/* OS/2 fsType: restricted license, and nothing weaker */

struct faces {
	GHashTable *by_face;	/* hb_face_t -> struct face */
	struct write_packer packer;
};

/* ---- one face ---- */

static void picture_free(void *data)
{
	struct face_picture *picture = data;

	if (picture->color != NULL)
		g_byte_array_unref(picture->color);
	if (picture->palette != NULL)
		g_byte_array_unref(picture->palette);
	if (picture->alpha != NULL)
		g_byte_array_unref(picture->alpha);
	g_free(picture);
}

static void face_free(void *data)
{
	struct face *face = data;

	g_hash_table_unref(face->pictures);
	g_free(face->widths);
	hb_face_destroy(face->prepared);
	hb_font_destroy(face->font);
	hb_face_destroy(face->face);
	g_free(face);
}

static bool has_table(hb_face_t *face, hb_tag_t tag)
{
	hb_blob_t *blob = hb_face_reference_table(face, tag);
	bool found = hb_blob_get_length(blob) > 0;

	hb_blob_destroy(blob);
	return found;
}

/* A big-endian field of a table; 0 if the table is shorter. */
static int field(hb_face_t *face, hb_tag_t tag, unsigned int at)
{
	hb_blob_t *blob = hb_face_reference_table(face, tag);
	unsigned int size;
	const char *data = hb_blob_get_data(blob, &size);
	int value = 0;

	if (data != NULL && size >= 2 && at <= size - 2)
		value = (int16_t)((unsigned int)(unsigned char)data[at] << 8 |
		    (unsigned char)data[at + 1]);
	hb_blob_destroy(blob);
	return value;
}

static enum face_kind kind_of(hb_face_t *face)
{
	if (hb_ot_color_has_png(face))
		return FACE_PICTURES;
	if (hb_ot_var_has_data(face) ||
	    (field(face, HB_TAG('O', 'S', '/', '2'), 8) & 0xf) == FORBIDDEN)
		return FACE_OUTLINES;
	if (has_table(face, HB_TAG('g', 'l', 'y', 'f')))
		return FACE_TRUETYPE;
	return has_table(face, HB_TAG('C', 'F', 'F', ' ')) ? FACE_CFF : FACE_OUTLINES;
}

static void take_name(struct face *face)
{
	char name[sizeof(face->name)];
	unsigned int size = sizeof(name);
	unsigned int count = 0;

	name[0] = '\0';
	(void)hb_ot_name_get_utf8(face->face, HB_OT_NAME_ID_POSTSCRIPT_NAME, HB_LANGUAGE_INVALID,
	    &size, name);
	for (const char *at = name; *at != '\0'; at++)
		if (g_ascii_isalnum(*at) || *at == '-')
			face->name[count++] = *at;
	if (count == 0)
		g_strlcpy(face->name, "Font", sizeof(face->name));
}

static int scaled(const struct face *face, int value)
{
	return (int)lround(value * face->unit);
}

static void take_metrics(struct face *face)
{
	static const hb_tag_t os2 = HB_TAG('O', 'S', '/', '2');
	static const hb_tag_t head = HB_TAG('h', 'e', 'a', 'd');
	static const hb_tag_t hhea = HB_TAG('h', 'h', 'e', 'a');
	static const hb_tag_t post = HB_TAG('p', 'o', 's', 't');

	face->ascent = scaled(face, field(face->face, hhea, 4));
	face->descent = scaled(face, field(face->face, hhea, 6));
	face->cap_height = scaled(face, field(face->face, os2, 88));
	if (face->cap_height <= 0)
		face->cap_height = face->ascent * 3 / 4;
	for (unsigned int i = 0; i < 4; i++)
		face->box[i] = scaled(face, field(face->face, head, 36 + 2 * i));
	face->slope = field(face->face, post, 4);
	face->fixed = field(face->face, post, 12) != 0 || field(face->face, post, 14) != 0;
	face->weight = (unsigned int)CLAMP(field(face->face, os2, 4), 100, 900);
}

static struct face *face_new(hb_face_t *from)
{
	struct face *face = g_new0(struct face, 1);
	unsigned int upem = hb_face_get_upem(from);

	face->face = hb_face_reference(from);
	face->font = hb_font_create(from);
	hb_font_set_scale(face->font, (int)upem, (int)upem);
	face->unit = 1000.0 / upem;
	face->kind = kind_of(from);
	face->glyphs = hb_face_get_glyph_count(from);
	if (face->kind == FACE_TRUETYPE || face->kind == FACE_CFF)
		face->prepared = face->glyphs < PREPARE_GLYPHS ? hb_subset_preprocess(from) :
		    hb_face_reference(from);
	face->widths = g_new(float, (size_t)face->glyphs + 1);
	for (unsigned int i = 0; i < face->glyphs; i++)
		face->widths[i] = -1;
	face->pictures = g_hash_table_new_full(NULL, NULL, NULL, picture_free);
	take_name(face);
	take_metrics(face);
	return face;
}

double face_width(struct face *face, unsigned int glyph)
{
	if (glyph >= face->glyphs)
		return 0;
	if (face->widths[glyph] < 0)
		face->widths[glyph] = (float)(hb_font_get_glyph_h_advance(face->font, glyph) *
		    face->unit);
	return (double)face->widths[glyph];
}

/* ---- pictures ---- */

/* PNG bytes -> RGBA; NULL if they are none or too large. */
static guint8 *decode_png(const char *data, unsigned int size, unsigned int *width,
    unsigned int *height)
{
	png_image image;
	guint8 *pixels = NULL;

	memset(&image, 0, sizeof(image));
	image.version = PNG_IMAGE_VERSION;
	if (!png_image_begin_read_from_memory(&image, data, size))
		return NULL;
	if (image.width > 0 && image.height > 0 && image.width <= PICTURE_SIDE_MAX &&
	    image.height <= PICTURE_SIDE_MAX) {
		image.format = PNG_FORMAT_RGBA;
		pixels = g_malloc(PNG_IMAGE_SIZE(image));
		if (!png_image_finish_read(&image, NULL, pixels, 0, NULL))
			g_clear_pointer(&pixels, g_free);
	}
	*width = image.width;
	*height = image.height;
	png_image_free(&image);
	return pixels;
}

static void pack(struct faces *faces, struct face_picture *picture, const guint8 *rgba)
{
	size_t count = (size_t)picture->width * picture->height;
	guint8 *rgb = g_malloc(count * 3);
	guint8 *alpha = g_malloc(count);
	guint8 *indexes;

	for (size_t i = 0; i < count; i++) {
		alpha[i] = rgba[4 * i + 3];
		/* what nobody sees compresses best when it is all the same */
		for (size_t k = 0; k < 3; k++)
			rgb[3 * i + k] = alpha[i] != 0 ? rgba[4 * i + k] : 0;
	}
	picture->palette = pixels_palette(rgb, count, &indexes);
	picture->color = g_byte_array_new();
	write_deflate(faces->packer.good, picture->palette != NULL ? indexes : rgb,
	    picture->palette != NULL ? count : count * 3, picture->color);
	if (!pixels_opaque(alpha, count)) {
		picture->alpha = g_byte_array_new();
		write_deflate(faces->packer.good, alpha, count, picture->alpha);
	}
	g_free(indexes);
	g_free(alpha);
	g_free(rgb);
}

const struct face_picture *face_picture(struct faces *faces, struct face *face,
    unsigned int glyph)
{
	struct face_picture *picture = g_hash_table_lookup(face->pictures, GUINT_TO_POINTER(glyph));
	hb_blob_t *blob;
	unsigned int size;
	const char *data;
	guint8 *rgba;

	if (picture != NULL)
		return picture;
	if (g_hash_table_size(face->pictures) >= FACES_PICTURES_MAX)
		g_hash_table_remove_all(face->pictures);
	picture = g_new0(struct face_picture, 1);
	blob = hb_ot_color_glyph_reference_png(face->font, glyph);
	data = hb_blob_get_data(blob, &size);
	rgba = size > 0 ? decode_png(data, size, &picture->width, &picture->height) : NULL;
	if (rgba != NULL)
		pack(faces, picture, rgba);
	else
		picture->width = 0;
	g_free(rgba);
	hb_blob_destroy(blob);
	g_hash_table_insert(face->pictures, GUINT_TO_POINTER(glyph), picture);
	return picture;
}

/* ---- all of them ---- */

struct faces *faces_new(void)
{
	struct faces *faces = g_new0(struct faces, 1);

	faces->by_face = g_hash_table_new_full(NULL, NULL, NULL, face_free);
	faces->packer.best = libdeflate_alloc_compressor(LEVEL_BEST);
	faces->packer.good = libdeflate_alloc_compressor(LEVEL_GOOD);
	faces->packer.fast = libdeflate_alloc_compressor(LEVEL_FAST);
	if (faces->packer.best == NULL || faces->packer.good == NULL ||
	    faces->packer.fast == NULL)
		g_error("no memory for a compressor");
	return faces;
}

void faces_free(struct faces *faces)
{
	if (faces == NULL)
		return;
	g_hash_table_unref(faces->by_face);
	libdeflate_free_compressor(faces->packer.best);
	libdeflate_free_compressor(faces->packer.good);
	libdeflate_free_compressor(faces->packer.fast);
	g_free(faces);
}

struct face *faces_find(struct faces *faces, struct _PangoFont *font)
{
	hb_face_t *key = hb_font_get_face(pango_font_get_hb_font(font));
	struct face *face = g_hash_table_lookup(faces->by_face, key);

	if (face == NULL) {
		face = face_new(key);
		g_hash_table_insert(faces->by_face, key, face);
	}
	return face;
}

const struct write_packer *faces_packer(const struct faces *faces)
{
	return &faces->packer;
}
