#include "pdfenc/write_image.h"

#include <string.h>

#include "pdfenc/pixels.h"

void write_images_start(struct write_images *images, struct write_file *file)
{
	images->file = file;
	images->indexes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	images->resources = g_string_new(NULL);
	images->count = 0;
}

void write_images_free(struct write_images *images)
{
	g_hash_table_unref(images->indexes);
	g_string_free(images->resources, TRUE);
}

/* The index that key has; 0: a new one, which becomes that of the next object. */
static unsigned int known(struct write_images *images, char *key, unsigned int *number_out)
{
	unsigned int index = GPOINTER_TO_UINT(g_hash_table_lookup(images->indexes, key));

	if (index != 0) {
		g_free(key);
		return index;
	}
	g_hash_table_insert(images->indexes, key, GUINT_TO_POINTER(++images->count));
	*number_out = write_reserve(images->file);
	g_string_append(images->resources, "/I");
	put_count(images->resources, images->count);
	put_reference(images->resources, *number_out);
	return 0;
}

static GString *entries_of(unsigned int width, unsigned int height)
{
	GString *entries = g_string_new("/Type/XObject/Subtype/Image/BitsPerComponent 8/Width ");

	put_count(entries, width);
	g_string_append(entries, "/Height ");
	put_count(entries, height);
	return entries;
}

/* Alone: strings of a stream's dictionary would have to be encrypted. */
static void put_palette(struct write_images *images, GString *entries, const GByteArray *palette)
{
	unsigned int number = write_reserve(images->file);
	GString *body = g_string_sized_new(1024);

	put_bytes(body, palette->data, palette->len);
	write_object(images->file, number, body);
	g_string_append(entries, "/ColorSpace[/Indexed/DeviceRGB ");
	put_count(entries, palette->len / 3 - 1);
	put_reference(entries, number);
	g_string_append_c(entries, ']');
	g_string_free(body, TRUE);
}

static void put_predictor(GString *entries, unsigned int components, unsigned int width)
{
	g_string_append(entries, components == 3 ? "/ColorSpace/DeviceRGB" :
	    "/ColorSpace/DeviceGray");
	g_string_append_printf(entries, "/DecodeParms<</Predictor 15/Colors %u/Columns %u>>",
	    components, width);
}

/* Rows filtered, compressed. */
static void write_filtered(struct write_images *images, unsigned int number, GString *entries,
    const guint8 *data, unsigned int components, unsigned int width, unsigned int height)
{
	size_t row = (size_t)width * components;
	guint8 *filtered = pixels_filter(data, row, height, components);

	put_predictor(entries, components, width);
	write_stream(images->file, number, entries->str, filtered, (row + 1) * height, true);
	g_free(filtered);
}

static void put_mask(struct write_images *images, GString *entries,
    const struct display_image *image)
{
	size_t size;
	const guint8 *alpha;
	unsigned int number;
	GString *mask;

	if (image->alpha == NULL)
		return;
	alpha = g_bytes_get_data(image->alpha, &size);
	if (pixels_opaque(alpha, size))
		return;
	number = write_reserve(images->file);
	mask = entries_of(image->width, image->height);
	write_filtered(images, number, mask, alpha, 1, image->width, image->height);
	g_string_free(mask, TRUE);
	g_string_append(entries, "/SMask");
	put_reference(entries, number);
}

static void write_jpeg(struct write_images *images, unsigned int number, GString *entries,
    const struct display_image *image)
{
	size_t size;
	const void *data = g_bytes_get_data(image->data, &size);

	g_string_append(entries, image->components == 1 ? "/ColorSpace/DeviceGray" :
	    image->components == 3 ? "/ColorSpace/DeviceRGB" : "/ColorSpace/DeviceCMYK");
	if (image->inverted)
		g_string_append(entries, "/Decode[1 0 1 0 1 0 1 0]");
	g_string_append(entries, "/Filter/DCTDecode");
	write_stream(images->file, number, entries->str, data, size, false);
}

static void write_pixels(struct write_images *images, unsigned int number, GString *entries,
    const struct display_image *image)
{
	size_t count = (size_t)image->width * image->height;
	const guint8 *data = g_bytes_get_data(image->data, NULL);
	GByteArray *palette = NULL;
	guint8 *indexes = NULL;

	put_mask(images, entries, image);
	if (image->kind == DISPLAY_RGB)
		palette = pixels_palette(data, count, &indexes);
	if (palette == NULL) {
		write_filtered(images, number, entries, data, image->kind == DISPLAY_RGB ? 3 : 1,
		    image->width, image->height);
		return;
	}
	put_palette(images, entries, palette);
	write_stream(images->file, number, entries->str, indexes, count, true);
	g_byte_array_unref(palette);
	g_free(indexes);
}

unsigned int write_image(struct write_images *images, const struct display_image *image)
{
	unsigned int number;
	unsigned int index = known(images, g_strdup_printf("%p", (const void *)image), &number);
	GString *entries;

	if (index != 0)
		return index;
	entries = entries_of(image->width, image->height);
	if (image->kind == DISPLAY_JPEG)
		write_jpeg(images, number, entries, image);
	else
		write_pixels(images, number, entries, image);
	g_string_free(entries, TRUE);
	return images->count;
}

static void put_glyph_mask(struct write_images *images, GString *entries,
    const struct face_picture *picture)
{
	unsigned int number = write_reserve(images->file);
	GString *mask = entries_of(picture->width, picture->height);

	g_string_append(mask, "/ColorSpace/DeviceGray/Filter/FlateDecode");
	write_stream(images->file, number, mask->str, picture->alpha->data, picture->alpha->len,
	    false);
	g_string_free(mask, TRUE);
	g_string_append(entries, "/SMask");
	put_reference(entries, number);
}

unsigned int write_glyph_image(struct write_images *images, struct faces *faces,
    struct face *face, unsigned int glyph)
{
	const struct face_picture *picture = face_picture(faces, face, glyph);
	unsigned int number;
	unsigned int index;
	GString *entries;

	if (picture->width == 0)
		return 0;
	index = known(images, g_strdup_printf("%p %u", (const void *)face, glyph), &number);
	if (index != 0)
		return index;
	entries = entries_of(picture->width, picture->height);
	if (picture->alpha != NULL)
		put_glyph_mask(images, entries, picture);
	if (picture->palette != NULL)
		put_palette(images, entries, picture->palette);
	else
		g_string_append(entries, "/ColorSpace/DeviceRGB");
	g_string_append(entries, "/Filter/FlateDecode");
	write_stream(images->file, number, entries->str, picture->color->data,
	    picture->color->len, false);
	g_string_free(entries, TRUE);
	return images->count;
}
