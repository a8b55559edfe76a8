/* jpeglib.h wants FILE to be known */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "gateway/base/fail.h"
#include "pdfenc/picture_raster.h"

#define QUALITY 88

bool raster_is_opaque(const struct raster *raster)
{
	size_t count = (size_t)raster->width * raster->height;

	for (size_t i = 0; i < count; i++)
		if (raster->rgba[4 * i + 3] != 255)
			return false;
	return true;
}

/* What is written is ours: only memory can be missing, which ends the worker as with GLib. */
static void end_worker(j_common_ptr common)
{
	SG_BUG_IF(common != NULL);
}

static void write_rows(struct jpeg_compress_struct *jpeg, const struct raster *raster)
{
	while (jpeg->next_scanline < jpeg->image_height) {
		JSAMPROW row = raster->rgba + (size_t)jpeg->next_scanline * raster->width * 4;

		(void)jpeg_write_scanlines(jpeg, &row, 1);
	}
}

GBytes *raster_to_jpeg(const struct raster *raster)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	unsigned char *data = NULL;
	unsigned long size = 0;
	GBytes *bytes;

	memset(&jpeg, 0, sizeof(jpeg));
	jpeg.err = jpeg_std_error(&errors);
	errors.error_exit = end_worker;
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &data, &size);
	jpeg.image_width = raster->width;
	jpeg.image_height = raster->height;
	jpeg.input_components = 4;
	jpeg.in_color_space = JCS_EXT_RGBX;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, QUALITY, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	write_rows(&jpeg, raster);
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	bytes = g_bytes_new(data, size);
	free(data);
	return bytes;
}
