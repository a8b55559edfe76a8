#include "pdfenc/picture_raster.h"

bool heif_look(const guint8 *data, size_t size, struct picture_facts *facts_out)
{
	(void)data;
	(void)size;
	(void)facts_out;
	return false;
}

bool heif_decode(const guint8 *data, size_t size, struct raster *raster)
{
	(void)data;
	(void)size;
	(void)raster;
	return false;
}
