#include "pdfenc/html/source.h"

#include <string.h>

#include "gateway/base/str.h"
#include "pdfenc/picture.h"

struct source {
	struct display *display;
	const struct document *document;
	unsigned int pictures;
	size_t pixels;		/* decoded so far */
};

struct source *source_new(struct display *display, const struct document *document)
{
	struct source *source = g_new0(struct source, 1);

	source->display = display;
	source->document = document;
	return source;
}

void source_free(struct source *source)
{
	g_free(source);
}

static const struct display_image *load(struct source *source, GBytes *data)
{
	if (++source->pictures > SOURCE_PICTURES_MAX)
		return NULL;
	return picture_load(source->display, data, &source->pixels);
}

static bool is_named(const struct document_file *file, const char *id)
{
	return file->id != NULL && g_ascii_strcasecmp(file->id, id) == 0;
}

/* RFC 2392: the address is the Content-ID without its brackets, percent-encoded. */
static const struct display_image *load_cid(struct source *source, const char *address)
{
	char *id = g_uri_unescape_string(address, NULL);
	const struct display_image *image = NULL;

	for (unsigned int i = 0; id != NULL && i < source->document->files->len; i++) {
		const struct document_file *file = g_ptr_array_index(source->document->files, i);
		GBytes *data;

		if (!is_named(file, id))
			continue;
		data = g_bytes_new(file->data->data, file->data->len);
		image = load(source, data);
		g_bytes_unref(data);
		break;
	}
	g_free(id);
	return image;
}

/* RFC 2397. */
static const struct display_image *load_data(struct source *source, const char *address)
{
	const char *comma = strchr(address, ',');
	const struct display_image *image;
	bool base64;
	GBytes *data;
	guchar *bytes;
	gsize size = 0;

	if (comma == NULL || strlen(comma) > PICTURE_BYTES_MAX)
		return NULL;
	base64 = comma - address >= 7 && str_equal_case_n(comma - 7, ";base64", 7);
	if (base64) {
		char *plain = g_uri_unescape_string(comma + 1, NULL);

		bytes = g_base64_decode(plain != NULL ? plain : comma + 1, &size);
		g_free(plain);
	} else {
		GBytes *unescaped = g_uri_unescape_bytes(comma + 1, -1, NULL, NULL);

		bytes = unescaped != NULL ? g_bytes_unref_to_data(unescaped, &size) : NULL;
	}
	if (bytes == NULL)
		return NULL;
	data = g_bytes_new_take(bytes, size);
	image = load(source, data);
	g_bytes_unref(data);
	return image;
}

const struct display_image *source_picture(void *context, const char *address)
{
	struct source *source = context;

	if (str_starts_case(address, "cid:"))
		return load_cid(source, address + 4);
	if (str_starts_case(address, "data:image/"))
		return load_data(source, address);
	return NULL;
}
