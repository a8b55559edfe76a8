#include "pdfenc/picture.h"

#include <gif_lib.h>
#include <png.h>
#include <stdbool.h>
#include <string.h>
#include <webp/decode.h>

#include "pdfenc/picture_raster.h"

bool raster_make_room(struct raster *raster, size_t width, size_t height)
{
	if (width == 0 || height == 0 || width > DISPLAY_SIDE_MAX || height > DISPLAY_SIDE_MAX ||
	    width * height > raster->pixels_max || *raster->pixels > raster->pixels_all ||
	    width * height > raster->pixels_all - *raster->pixels)
		return false;
	*raster->pixels += width * height;
	raster->width = (unsigned int)width;
	raster->height = (unsigned int)height;
	raster->rgba = g_try_malloc0_n(width * height, 4);
	return raster->rgba != NULL;
}

static bool decode_png(const guint8 *data, size_t size, struct raster *raster)
{
	png_image image;
	bool done;

	memset(&image, 0, sizeof(image));
	image.version = PNG_IMAGE_VERSION;
	if (png_image_begin_read_from_memory(&image, data, size) == 0)
		return false;
	image.format = PNG_FORMAT_RGBA;
	done = raster_make_room(raster, image.width, image.height) &&
	    png_image_finish_read(&image, NULL, raster->rgba, 0, NULL) != 0;
	png_image_free(&image);
	return done;
}

static bool decode_webp(const guint8 *data, size_t size, struct raster *raster)
{
	int width;
	int height;

	if (WebPGetInfo(data, size, &width, &height) == 0 || width <= 0 || height <= 0 ||
	    !raster_make_room(raster, (size_t)width, (size_t)height))
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

static bool read_frame(GifFileType *gif, struct raster *raster)
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
	    !raster_make_room(raster, (size_t)gif->SWidth, (size_t)gif->SHeight))
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

static bool decode_gif(const guint8 *data, size_t size, struct raster *raster)
{
	struct reader reader = { data, size, 0 };
	int error;
	GifFileType *gif = DGifOpen(&reader, read_gif, &error);
	bool done;

	if (gif == NULL)
		return false;
	done = read_frame(gif, raster);
	(void)DGifCloseFile(gif, &error);
	return done;
}

/* ---- JPEG ---- */

static unsigned int get(const guint8 *at, size_t size, bool little)
{
	unsigned int value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[little ? size - 1 - i : i];
	return value;
}

/* The orientation that stands in the first directory of an Exif block (TIFF 6.0). */
static unsigned int exif_turn(const guint8 *tiff, size_t size)
{
	bool little = size > 8 && tiff[0] == 'I';
	size_t at = size > 8 ? get(tiff + 4, 4, little) : 0;
	unsigned int count;

	if (at < 8 || at > size || size - at < 2)
		return 0;
	count = get(tiff + at, 2, little);
	at += 2;
	for (unsigned int i = 0; i < count && size - at >= 12; i++, at += 12)
		if (get(tiff + at, 2, little) == 0x0112) {
			unsigned int turn = get(tiff + at + 8, 2, little);

			return turn >= 1 && turn <= 8 ? turn : 0;
		}
	return 0;
}

/*
 * Size and orientation from the segments before the first scan. False: there are none, or the end
 * is missing: readers show such a file in part, with complaints.
 */
static bool look_jpeg(const guint8 *data, size_t size, struct picture_facts *facts,
    unsigned int *turn_out)
{
	size_t at = 2;

	*turn_out = 0;
	while (at + 4 <= size && data[at] == 0xff) {
		unsigned int marker = data[at + 1];
		size_t length = get(data + at + 2, 2, false);

		if (marker == 0xff) {
			at++;
			continue;
		}
		if (length < 2 || length > size - at - 2 || marker == 0xda)
			break;
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
		    marker != 0xcc && length >= 8) {
			facts->height = get(data + at + 5, 2, false);
			facts->width = get(data + at + 7, 2, false);
		} else if (marker == 0xe1 && length > 16 && *turn_out == 0 &&
		    memcmp(data + at + 4, "Exif\0", 6) == 0) {
			*turn_out = exif_turn(data + at + 10, length - 8);
		}
		at += 2 + length;
	}
	return facts->width > 0 && facts->height > 0 &&
	    memmem(data + at, size - at, "\xff\xd9", 2) != NULL;
}

/* The file as it is, turned as its camera was held. */
static const struct display_image *load_jpeg(struct display *display, GBytes *data)
{
	size_t size;
	const guint8 *bytes = g_bytes_get_data(data, &size);
	struct picture_facts facts = { 0, 0 };
	struct display_image *own;
	unsigned int turn;

	if (!look_jpeg(bytes, size, &facts, &turn) || display_jpeg(display, data) == NULL)
		return NULL;
	own = g_ptr_array_index(display->images, display->images->len - 1);
	own->turn = turn;
	return own;
}

/* ---- the result ---- */

/* The mean of each cell of step by step pixels, in place. */
static void shrink(struct raster *raster, unsigned int step)
{
	unsigned int width = raster->width / step;
	unsigned int height = raster->height / step;
	guint8 *out = raster->rgba;

	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++, out += 4) {
			unsigned int sums[4] = { 0, 0, 0, 0 };

			for (size_t k = 0; k < (size_t)step * step; k++) {
				const guint8 *in = raster->rgba + 4 * ((y * step + k / step) *
				    raster->width + x * step + k % step);

				for (unsigned int c = 0; c < 4; c++)
					sums[c] += in[c];
			}
			for (unsigned int c = 0; c < 4; c++)
				out[c] = (guint8)(sums[c] / (step * step));
		}
	raster->width = width;
	raster->height = height;
}

static const struct display_image *keep(struct display *display, const struct raster *raster)
{
	size_t count = (size_t)raster->width * raster->height;
	guint8 *color = g_try_malloc_n(count, 3);
	guint8 *alpha = g_try_malloc(count);
	bool opaque = true;
	const struct display_image *image;
	GBytes *colors;
	GBytes *alphas;

	if (color == NULL || alpha == NULL) {
		g_free(color);
		g_free(alpha);
		return NULL;
	}
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

static bool is_png(const guint8 *data)
{
	return memcmp(data, "\211PNG\r\n\032\n", 8) == 0;
}

static bool is_webp(const guint8 *data)
{
	return memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0;
}

static bool decode(const guint8 *data, size_t size, struct raster *raster)
{
	if (is_png(data))
		return decode_png(data, size, raster);
	if (memcmp(data, "GIF8", 4) == 0)
		return decode_gif(data, size, raster);
	return is_webp(data) && decode_webp(data, size, raster);
}

const struct display_image *picture_load(struct display *display, GBytes *data, size_t *pixels)
{
	size_t size;
	const guint8 *bytes = g_bytes_get_data(data, &size);
	struct raster raster = { 0, 0, NULL, PICTURE_PIXELS_MAX, PICTURE_PIXELS_ALL, pixels };
	const struct display_image *image = NULL;

	if (size < 16 || size > PICTURE_BYTES_MAX)
		return NULL;
	if (bytes[0] == 0xff && bytes[1] == 0xd8)
		return load_jpeg(display, data);
	if (decode(bytes, size, &raster))
		image = keep(display, &raster);
	g_free(raster.rgba);
	return image;
}

bool picture_look(const guint8 *data, size_t size, struct picture_facts *facts_out)
{
	unsigned int turn;
	int width = 0;
	int height = 0;

	memset(facts_out, 0, sizeof(*facts_out));
	if (size < 32)
		return false;
	if (data[0] == 0xff && data[1] == 0xd8)
		return look_jpeg(data, size, facts_out, &turn);
	if (is_png(data)) {
		facts_out->width = get(data + 16, 4, false);
		facts_out->height = get(data + 20, 4, false);
	} else if (memcmp(data, "GIF8", 4) == 0) {
		facts_out->width = get(data + 6, 2, true);
		facts_out->height = get(data + 8, 2, true);
	} else if (is_webp(data)) {
		if (WebPGetInfo(data, size, &width, &height) == 0 || width < 0 || height < 0)
			return false;
		facts_out->width = (unsigned int)width;
		facts_out->height = (unsigned int)height;
	} else {
		return heif_look(data, size, facts_out);
	}
	return true;
}

/* A photograph that came as something else: as pixels it would be ten times as large. */
static const struct display_image *keep_photo(struct display *display,
    const struct raster *raster)
{
	GBytes *data = raster_to_jpeg(raster);
	const struct display_image *image = data != NULL ? display_jpeg(display, data) : NULL;

	if (data != NULL)
		g_bytes_unref(data);
	return image;
}

const struct display_image *picture_page(struct display *display, const guint8 *data, size_t size,
    size_t pixels_max, size_t *pixels)
{
	struct raster raster = { 0, 0, NULL, pixels_max, pixels_max * 4, pixels };
	const struct display_image *image = NULL;
	unsigned int step;
	bool photo;
	bool done;

	if (size < 16 || size > PICTURE_BYTES_MAX)
		return NULL;
	if (data[0] == 0xff && data[1] == 0xd8) {
		GBytes *bytes = g_bytes_new_static(data, size);

		image = load_jpeg(display, bytes);
		g_bytes_unref(bytes);
		return image;
	}
	photo = !is_png(data) && memcmp(data, "GIF8", 4) != 0;
	done = decode(data, size, &raster) || (photo && raster.rgba == NULL &&
	    heif_decode(data, size, &raster));
	step = done ? (MAX(raster.width, raster.height) + PICTURE_PAGE_SIDE - 1) /
	    PICTURE_PAGE_SIDE : 1;
	if (done && step > 1 && MIN(raster.width, raster.height) >= step)
		shrink(&raster, step);
	if (done && photo && raster_is_opaque(&raster))
		image = keep_photo(display, &raster);
	else if (done)
		image = keep(display, &raster);
	g_free(raster.rgba);
	return image;
}

const struct display_image *picture_logo(struct display *display, GBytes *data)
{
	size_t pixels = 0;
	size_t size;
	const guint8 *bytes = g_bytes_get_data(data, &size);
	struct raster raster = { 0, 0, NULL, PICTURE_PIXELS_MAX, PICTURE_PIXELS_ALL, &pixels };
	const struct display_image *image = NULL;
	unsigned int step;

	if (size < 16)
		return NULL;
	if (bytes[0] == 0xff && bytes[1] == 0xd8)
		return load_jpeg(display, data);
	if (is_png(bytes) && decode_png(bytes, size, &raster)) {
		step = MAX((raster.width + PICTURE_LOGO_WIDTH - 1) / PICTURE_LOGO_WIDTH,
		    (raster.height + PICTURE_LOGO_HEIGHT - 1) / PICTURE_LOGO_HEIGHT);
		if (step > 1 && MIN(raster.width, raster.height) >= step)
			shrink(&raster, step);
		image = keep(display, &raster);
	}
	g_free(raster.rgba);
	return image;
}
