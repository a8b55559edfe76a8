#include <libheif/heif.h>
#include <string.h>

#include "pdfenc/picture_raster.h"

struct opened {
	struct heif_context *context;
	struct heif_image_handle *handle;
};

static void opened_close(struct opened *opened)
{
	if (opened->handle != NULL)
		heif_image_handle_release(opened->handle);
	if (opened->context != NULL)
		heif_context_free(opened->context);
}

static bool is_heif(const guint8 *data, size_t size)
{
	static const char brands[][5] = { "heic", "heix", "mif1", "msf1", "heim", "heis", "avif" };

	if (size < 32 || memcmp(data + 4, "ftyp", 4) != 0)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(brands); i++)
		if (memcmp(data + 8, brands[i], 4) == 0)
			return true;
	return false;
}

static bool open_main(const guint8 *data, size_t size, struct opened *opened)
{
	memset(opened, 0, sizeof(*opened));
	if (!is_heif(data, size))
		return false;
	opened->context = heif_context_alloc();
	if (opened->context == NULL ||
	    heif_context_read_from_memory_without_copy(opened->context, data, size, NULL).code !=
	    heif_error_Ok)
		return false;
	return heif_context_get_primary_image_handle(opened->context, &opened->handle).code ==
	    heif_error_Ok;
}

bool heif_look(const guint8 *data, size_t size, struct picture_facts *facts_out)
{
	struct opened opened;
	bool known = open_main(data, size, &opened);

	if (known) {
		int width = heif_image_handle_get_width(opened.handle);
		int height = heif_image_handle_get_height(opened.handle);

		known = width > 0 && height > 0;
		facts_out->width = (unsigned int)MAX(width, 0);
		facts_out->height = (unsigned int)MAX(height, 0);
	}
	opened_close(&opened);
	return known;
}

static bool copy_rows(const struct heif_image *image, struct raster *raster)
{
	int stride;
	const guint8 *rows = heif_image_get_plane_readonly(image, heif_channel_interleaved,
	    &stride);
	int width = heif_image_get_width(image, heif_channel_interleaved);
	int height = heif_image_get_height(image, heif_channel_interleaved);

	if (rows == NULL || width <= 0 || height <= 0 || stride < 4 * width ||
	    !raster_make_room(raster, (size_t)width, (size_t)height))
		return false;
	for (size_t y = 0; y < (size_t)height; y++)
		memcpy(raster->rgba + y * 4 * (size_t)width, rows + y * (size_t)stride,
		    4 * (size_t)width);
	return true;
}

/* What the decoder would take is known before it starts. */
static bool is_within(const struct heif_image_handle *handle, const struct raster *raster)
{
	int width = heif_image_handle_get_width(handle);
	int height = heif_image_handle_get_height(handle);

	return width > 0 && height > 0 && (size_t)width * (size_t)height <= raster->pixels_max;
}

bool heif_decode(const guint8 *data, size_t size, struct raster *raster)
{
	struct heif_image *image = NULL;
	struct opened opened;
	bool done;

	done = open_main(data, size, &opened) && is_within(opened.handle, raster) &&
	    heif_decode_image(opened.handle, &image, heif_colorspace_RGB,
	    heif_chroma_interleaved_RGBA, NULL).code == heif_error_Ok && copy_rows(image, raster);
	if (image != NULL)
		heif_image_release(image);
	opened_close(&opened);
	return done;
}
