#include "pdfenc/look.h"

#include <string.h>

#include "config/looks.h"
#include "gateway/base/log.h"
#include "pdfenc/picture.h"

struct look {
	const struct conf_tenant *tenant;
	bool bad;			/* the logo cannot be decoded */
	struct display *kept;		/* has the image alone; NULL: not kept */
	const struct display_image *image;
};

struct looks {
	struct look *items;
	size_t count;
};

static const struct display_image *decode(const struct conf_logo *logo, struct display *display)
{
	GBytes *data = g_bytes_new(logo->data, logo->size);
	const struct display_image *image = picture_logo(display, data);

	g_bytes_unref(data);
	return image;
}

static void complain(const struct conf_tenant *tenant)
{
	struct fail f;

	fail_clear(&f);
	(void)fail_set(&f, SG_EFORMAT, "write it anew, as PNG without interlacing, or as JPEG",
	    "the logo of tenant \"%s\" cannot be decoded: its PDFs have none", tenant->name);
	log_failure(LOG_LEVEL_ERROR, NULL, "logo", &f);
}

static void prepare(struct look *look, const struct conf_tenant *tenant, size_t *pixels)
{
	look->tenant = tenant;
	if (tenant->logo_file.data == NULL)
		return;
	look->kept = display_new(1, 1);
	look->image = decode(&tenant->logo_file, look->kept);
	look->bad = look->image == NULL;
	if (look->bad)
		complain(tenant);
	else
		*pixels += (size_t)look->image->width * look->image->height;
	if (look->bad || *pixels > LOOK_KEPT_MAX) {
		display_free(look->kept);
		look->kept = NULL;
		look->image = NULL;
	}
}

struct looks *looks_new(const struct conf *conf)
{
	struct looks *looks = g_new0(struct looks, 1);
	size_t pixels = 0;

	looks->items = g_new0(struct look, conf->tenant_count);
	looks->count = conf->tenant_count;
	for (size_t i = 0; i < looks->count; i++)
		prepare(&looks->items[i], &conf->tenants[i], &pixels);
	return looks;
}

void looks_free(struct looks *looks)
{
	if (looks == NULL)
		return;
	for (size_t i = 0; i < looks->count; i++)
		if (looks->items[i].kept != NULL)
			display_free(looks->items[i].kept);
	g_free(looks->items);
	g_free(looks);
}

const struct look *look_find(const struct looks *looks, const char *tenant)
{
	for (size_t i = 0; looks != NULL && tenant != NULL && i < looks->count; i++)
		if (strcmp(looks->items[i].tenant->name, tenant) == 0)
			return &looks->items[i];
	return NULL;
}

const char *look_organisation(const struct look *look)
{
	return look->tenant->organisation;
}

struct display_color look_color(const struct look *look)
{
	struct display_color color = { 0.18f, 0.36f, 0.47f, 0 };
	unsigned char rgb[3];

	if (looks_colour(look->tenant->colour, rgb)) {
		color.red = (float)rgb[0] / 255;
		color.green = (float)rgb[1] / 255;
		color.blue = (float)rgb[2] / 255;
	}
	return color;
}

/* The pixels are shared, the image belongs to the display. */
static const struct display_image *share(const struct display_image *image,
    struct display *display)
{
	struct display_image *copy;

	if (image->kind != DISPLAY_JPEG)
		return display_pixels(display, image->kind, image->width, image->height,
		    image->data, image->alpha);
	if (display_jpeg(display, image->data) == NULL)
		return NULL;
	copy = g_ptr_array_index(display->images, display->images->len - 1);
	copy->turn = image->turn;
	return copy;
}

const struct display_image *look_logo(const struct look *look, struct display *display)
{
	if (look->tenant->logo_file.data == NULL || look->bad)
		return NULL;
	return look->image != NULL ? share(look->image, display) :
	    decode(&look->tenant->logo_file, display);
}
