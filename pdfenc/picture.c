#include "pdfenc/picture.h"

#include <gif_lib.h>
#include <png.h>
#include <stdbool.h>
#include <string.h>
#include <webp/decode.h>

/* RGBA rows, top first. */
struct raster {
	unsigned int width;
	unsigned int height;
	guint8 *rgba;
};

/* Room for a picture of this size, if it is within limits; counted. */
static bool make_room(struct raster *raster, size_t width, size_t height, size_t *pixels)
{
	if (width == 0 || height == 0 || width > DISPLAY_SIDE_MAX || height > DISPLAY_SIDE_MAX ||
	    width * height > PICTURE_PIXELS_MAX ||
	    *pixels + width * height > PICTURE_PIXELS_ALL)
		return false;
	*pixels += width * height;
	raster->width = (unsigned int)width;
	raster->height = (unsigned int)height;
	raster->rgba = g_try_malloc0_n(width * height, 4);
	return raster->rgba != NULL;
}

static bool decode_png(const guint8 *data, size_t size, struct raster *raster, size_t *pixels)
{
	png_image image;
	bool done;

	memset(&image, 0, sizeof(image));
	image.version = PNG_IMAGE_VERSION;
	if (png_image_begin_read_from_memory(&image, data, size) == 0)
		return false;
	image.format = PNG_FORMAT_RGBA;
	done = make_room(raster, image.width, image.height, pixels) &&
	    png_image_finish_read(&image, NULL, raster->rgba, 0, NULL) != 0;
	png_image_free(&image);
	return done;
}

static bool decode_webp(const guint8 *data, size_t size, struct raster *raster, size_t *pixels)
{
	int width;
	int height;

	if (WebPGetInfo(data, size, &width, &height) == 0 || width <= 0 || height <= 0 ||
	    !make_room(raster, (size_t)width, (size_t)height, pixels))
		return false;
	return WebPDecodeRGBAInto(data, size, raster->rgba, 4 * (size_t)width * (size_t)height,
	    4 * width) != NULL;
}

/* ---- GIF ---- */

struct reader {
	const guint8 *data;
	size_t size;
	size_t at;
};

static int read_gif(GifFileType *gif, GifByteType *out, int count)
{
	struct reader *reader = gif->UserData;
	size_t size = MIN((size_t)MAX(count, 0), reader->size - reader->at);

	memcpy(out, reader->data + reader->at, size);
	reader->at += size;
	return (int)size;
}

/* Skips to the first frame; the colour that is none, or -1. False: there is no frame. */
static bool first_frame(GifFileType *gif, int *transparent)
{
	GifRecordType record;

	*transparent = -1;
	while (DGifGetRecordType(gif, &record) == GIF_OK && record != TERMINATE_RECORD_TYPE) {
		GifByteType *extension;
		int code;

		if (record == IMAGE_DESC_RECORD_TYPE)
			return DGifGetImageDesc(gif) == GIF_OK;
		if (record != EXTENSION_RECORD_TYPE ||
		    DGifGetExtension(gif, &code, &extension) != GIF_OK)
			return false;
		while (extension != NULL) {
			if (code == GRAPHICS_EXT_FUNC_CODE && extension[0] == 4 &&
			    (extension[1] & 1) != 0)
				*transparent = extension[4];
			if (DGifGetExtensionNext(gif, &extension) != GIF_OK)
				return false;
		}
	}
	return false;
}

static void put_row(const GifFileType *gif, const ColorMapObject *colors, int transparent,
    const GifPixelType *line, guint8 *row)
{
	for (int x = 0; x < gif->Image.Width; x++) {
		guint8 *out = row + 4 * (size_t)(gif->Image.Left + x);

		if (line[x] == transparent || line[x] >= colors->ColorCount)
			continue;
		out[0] = colors->Colors[line[x]].Red;
		out[1] = colors->Colors[line[x]].Green;
		out[2] = colors->Colors[line[x]].Blue;
		out[3] = 255;
	}
}

static int interlaced_row(int height, int n)
{
	static const int start[] = { 0, 4, 2, 1 };
	static const int step[] = { 8, 8, 4, 2 };

	for (int pass = 0; pass < 4; pass++) {
		int rows = (height - start[pass] + step[pass] - 1) / step[pass];

		if (rows > 0 && n < rows)
			return start[pass] + n * step[pass];
		n -= MAX(rows, 0);
	}
	return height - 1;
}

static bool read_frame(GifFileType *gif, struct raster *raster, size_t *pixels)
{
	int transparent;
	const ColorMapObject *colors;
	GifPixelType *line;

	if (gif->SWidth <= 0 || gif->SHeight <= 0 || !first_frame(gif, &transparent))
		return false;
	colors = gif->Image.ColorMap != NULL ? gif->Image.ColorMap : gif->SColorMap;
	if (colors == NULL || gif->Image.Left < 0 || gif->Image.Top < 0 || gif->Image.Width <= 0 ||
	    gif->Image.Height <= 0 || gif->Image.Left + gif->Image.Width > gif->SWidth ||
	    gif->Image.Top + gif->Image.Height > gif->SHeight ||
	    !make_room(raster, (size_t)gif->SWidth, (size_t)gif->SHeight, pixels))
		return false;
	line = g_new0(GifPixelType, (gsize)gif->Image.Width);
	for (int n = 0; n < gif->Image.Height; n++) {
		int y = gif->Image.Interlace ? interlaced_row(gif->Image.Height, n) : n;

		/* what is there of a cut file is shown */
		if (DGifGetLine(gif, line, gif->Image.Width) != GIF_OK)
			break;
		put_row(gif, colors, transparent, line, raster->rgba +
		    4 * (size_t)gif->SWidth * (size_t)(gif->Image.Top + y));
	}
	g_free(line);
	return true;
}

static bool decode_gif(const guint8 *data, size_t size, struct raster *raster, size_t *pixels)
{
	struct reader reader = { data, size, 0 };
	int error;
	GifFileType *gif = DGifOpen(&reader, read_gif, &error);
	bool done;

	if (gif == NULL)
		return false;
	done = read_frame(gif, raster, pixels);
	(void)DGifCloseFile(gif, &error);
	return done;
}

/* ---- the result ---- */

static const struct display_image *keep(struct display *display, const struct raster *raster)
{
	size_t count = (size_t)raster->width * raster->height;
	guint8 *color = g_malloc_n(count, 3);
	guint8 *alpha = g_malloc(count);
	bool opaque = true;
	const struct display_image *image;
	GBytes *colors;
	GBytes *alphas;

	for (size_t i = 0; i < count; i++) {
		memcpy(color + 3 * i, raster->rgba + 4 * i, 3);
		alpha[i] = raster->rgba[4 * i + 3];
		opaque = opaque && alpha[i] == 255;
	}
	colors = g_bytes_new_take(color, 3 * count);
	alphas = g_bytes_new_take(alpha, count);
	image = display_pixels(display, DISPLAY_RGB, raster->width, raster->height, colors,
	    opaque ? NULL : alphas);
	g_bytes_unref(colors);
	g_bytes_unref(alphas);
	return image;
}

const struct display_image *picture_load(struct display *display, GBytes *data, size_t *pixels)
{
	size_t size;
	const guint8 *bytes = g_bytes_get_data(data, &size);
	struct raster raster = { 0, 0, NULL };
	const struct display_image *image = NULL;
	bool done = false;

	if (size < 16 || size > PICTURE_BYTES_MAX)
		return NULL;
	if (bytes[0] == 0xff && bytes[1] == 0xd8)
		return display_jpeg(display, data);
	if (memcmp(bytes, "\211PNG\r\n\032\n", 8) == 0)
		done = decode_png(bytes, size, &raster, pixels);
	else if (memcmp(bytes, "GIF8", 4) == 0)
		done = decode_gif(bytes, size, &raster, pixels);
	else if (memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
		done = decode_webp(bytes, size, &raster, pixels);
	if (done)
		image = keep(display, &raster);
	g_free(raster.rgba);
	return image;
}
