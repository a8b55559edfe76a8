#include "config/looks.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define JPEG_END 0xd9
#define JPEG_SCAN 0xda

bool looks_colour(const char *text, unsigned char rgb_out[3])
{
	return text[0] == '#' && strlen(text) == 7 && str_unhex(text + 1, rgb_out, 3) == SG_OK;
}

bool looks_help_url(const char *text)
{
	static const char https[] = "https://";
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-.";
	static const char path[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-._~/?#%&=+:,;";
	const char *host = text + strlen(https);
	size_t size;

	if (strncmp(text, https, strlen(https)) != 0)
		return false;
	size = strspn(host, name);
	if (size < 3 || memchr(host + 1, '.', size - 2) == NULL || host[0] == '.' || host[0] == '-')
		return false;
	if (host[size] == ':') {
		size_t digits = strspn(host + size + 1, "0123456789");

		if (digits == 0 || digits > 5)
			return false;
		size += 1 + digits;
	}
	return (host[size] == '\0' || strchr("/?#", host[size]) != NULL) &&
	    strspn(host + size, path) == strlen(host + size);
}

const char *looks_logo_type(const struct conf_logo *logo)
{
	return logo->jpeg ? "image/jpeg" : "image/png";
}

/* ---- kind and size ---- */

static unsigned int get(const unsigned char *at, size_t size)
{
	unsigned int value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

/* Signature and IHDR (PNG specification, 5.2 and 11.2.2). */
static bool look_png(struct conf_logo *logo)
{
	if (logo->size < 33 || memcmp(logo->data, "\211PNG\r\n\032\n", 8) != 0 ||
	    memcmp(logo->data + 12, "IHDR", 4) != 0)
		return false;
	logo->width = get(logo->data + 16, 4);
	logo->height = get(logo->data + 20, 4);
	return true;
}

static bool is_frame(unsigned int marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	    marker != 0xcc;
}

/* The segments up to the frame header (ITU-T T.81, B.2.2). */
static bool look_jpeg(struct conf_logo *logo)
{
	size_t at = 2;

	if (logo->size < 16 || memcmp(logo->data, "\xff\xd8\xff", 3) != 0)
		return false;
	while (logo->size - at >= 9 && logo->data[at] == 0xff) {
		unsigned int marker = logo->data[at + 1];
		size_t length = get(logo->data + at + 2, 2);

		if (marker == JPEG_END || marker == JPEG_SCAN || length < 2 ||
		    length > logo->size - at - 2)
			return false;
		if (is_frame(marker) && length >= 8) {
			logo->height = get(logo->data + at + 5, 2);
			logo->width = get(logo->data + at + 7, 2);
			logo->jpeg = true;
			return true;
		}
		at += 2 + length;
	}
	return false;
}

static enum fail_code check_logo(struct conf_logo *logo, struct fail *f)
{
	if (logo->size > LOOKS_LOGO_MAX)
		return fail_set(f, SG_EUSAGE, "at most 100 KB: each message has it",
		    "a logo of %zu bytes", logo->size);
	if (!look_png(logo) && !look_jpeg(logo))
		return fail_set(f, SG_EUSAGE, "a PNG or JPEG file", "no PNG and no JPEG");
	if (logo->width < LOOKS_SIDE_MIN || logo->height < LOOKS_SIDE_MIN ||
	    logo->width > LOOKS_SIDE_MAX || logo->height > LOOKS_SIDE_MAX)
		return fail_set(f, SG_EUSAGE, "16 to 2000 pixels a side; 480 by 160 are enough",
		    "a logo of %u by %u pixels", logo->width, logo->height);
	return SG_OK;
}

enum fail_code looks_take_logo(struct conf_tenant *tenant, const void *data, size_t size,
    struct fail *f)
{
	struct conf_logo logo = { NULL, size, 0, 0, false };
	enum fail_code code = SG_OK;

	if (size > LOOKS_LOGO_MAX)
		return check_logo(&logo, f);
	logo.data = malloc(size + 1);
	if (logo.data == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a logo");
	if (size > 0)
		memcpy(logo.data, data, size);
	code = check_logo(&logo, f);
	if (code != SG_OK) {
		free(logo.data);
		return code;
	}
	free(tenant->logo_file.data);
	tenant->logo_file = logo;
	return SG_OK;
}

enum fail_code looks_read_logo(struct conf_tenant *tenant, struct fail *f)
{
	struct fail why;
	struct buf file;
	enum fail_code code;

	if (tenant->logo[0] == '\0')
		return SG_OK;
	fail_clear(&why);
	buf_init(&file, LOOKS_LOGO_MAX + 1);
	code = fd_read_file(tenant->logo, &file, &why);
	if (code == SG_ELIMIT)
		code = fail_set(&why, SG_EUSAGE, "at most 100 KB: each message has it",
		    "more than 100 KB");
	else if (code == SG_OK)
		code = looks_take_logo(tenant, file.data, file.size, &why);
	buf_free(&file);
	if (code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a logo");
	if (code != SG_OK)
		return fail_set(f, SG_EUSAGE, why.hint, "%.200s: %s", tenant->logo, why.what);
	return SG_OK;
}
