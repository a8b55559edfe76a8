#include "pdfenc/write_file.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/secret.h"
#include "pdfenc/write_crypt.h"

#define PIECE ((size_t)65536)		/* bytes that are encrypted, and written, at once */
#define BEST_MAX ((size_t)40960)	/* bytes of a file; faces.c says what levels cost */
#define GOOD_MAX ((size_t)524288)	/* bytes of a stream; above it is done fast */
#define PROBE_MIN ((size_t)262144)	/* a stream larger than that is tried first */
#define PROBE ((size_t)65536)		/* with as much from its middle */

/* ---- bytes ---- */

/* Into the descriptor, if there is one and enough has come together. */
static void flush(struct write_file *file, size_t least)
{
	size_t at = 0;

	if (file->fd < 0 || file->out->len < least)
		return;
	while (at < file->out->len && !file->failed) {
		ssize_t n = write(file->fd, file->out->data + at, file->out->len - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			file->failed = true;
	}
	file->written += at;
	g_byte_array_set_size(file->out, 0);
}

static size_t position(const struct write_file *file)
{
	return file->written + file->out->len;
}

static void append(struct write_file *file, const char *text)
{
	g_byte_array_append(file->out, (const guint8 *)text, (guint)strlen(text));
}

static void append_data(struct write_file *file, const guint8 *data, size_t size)
{
	bool done = true;

	if (file->crypt == NULL) {
		g_byte_array_append(file->out, data, (guint)size);
		return;
	}
	done = write_crypt_begin(file->crypt, file->out);
	while (size > 0 && done) {
		size_t piece = MIN(size, PIECE);

		done = write_crypt_put(file->crypt, data, piece, file->out);
		data += piece;
		size -= piece;
		flush(file, PIECE);
	}
	done = done && write_crypt_end(file->crypt, file->out);
	file->failed = file->failed || !done;
}

void write_file_start(struct write_file *file, GByteArray *out, const struct write_packer *packer)
{
	memset(file, 0, sizeof(*file));
	file->out = out;
	file->fd = -1;
	file->places = g_array_sized_new(FALSE, TRUE, sizeof(struct write_place), 512);
	file->packer = packer;
	file->best_left = BEST_MAX;
	file->packed = g_byte_array_new();
	append(file, "%PDF-2.0\n%\342\343\317\323\n");
}

void write_file_seal(struct write_file *file, struct write_crypt *crypt, int fd)
{
	file->crypt = crypt;
	file->fd = fd;
	file->objects = g_string_sized_new(16384);
	file->index = g_string_sized_new(2048);
}

/* ---- compression ---- */

void write_deflate(struct libdeflate_compressor *compressor, const void *data, size_t size,
    GByteArray *out)
{
	size_t before = out->len;
	size_t bound = libdeflate_zlib_compress_bound(compressor, size);

	g_byte_array_set_size(out, (guint)(before + bound));
	bound = libdeflate_zlib_compress(compressor, data, size, out->data + before, bound);
	g_byte_array_set_size(out, (guint)(before + bound));
}

/* Small mail is worth more time than large. */
static void pack(struct write_file *file, const void *data, size_t size)
{
	struct libdeflate_compressor *compressor = size > GOOD_MAX ? file->packer->fast :
	    file->packer->good;

	if (size <= file->best_left) {
		file->best_left -= size;
		compressor = file->packer->best;
	}
	g_byte_array_set_size(file->packed, 0);
	write_deflate(compressor, data, size, file->packed);
}

/* Whether it is worth it: what is large may be pictures or archives under another name. */
static bool shrinks(struct write_file *file, const guint8 *data, size_t size)
{
	if (size < PROBE_MIN)
		return true;
	g_byte_array_set_size(file->packed, 0);
	write_deflate(file->packer->fast, data + size / 2, PROBE, file->packed);
	return file->packed->len < PROBE / 20 * 19;
}

/* ---- objects ---- */

static struct write_place *place_of(const struct write_file *file, unsigned int number)
{
	return &g_array_index(file->places, struct write_place, number - 1);
}

unsigned int write_reserve(struct write_file *file)
{
	struct write_place nowhere = { 0, 0 };

	g_array_append_val(file->places, nowhere);
	return file->places->len;
}

static void begin(struct write_file *file, unsigned int number)
{
	char line[32];

	place_of(file, number)->at = position(file);
	(void)snprintf(line, sizeof(line), "%u 0 obj\n", number);
	append(file, line);
}

void write_object_alone(struct write_file *file, unsigned int number, const GString *body)
{
	begin(file, number);
	g_byte_array_append(file->out, (const guint8 *)body->str, (guint)body->len);
	append(file, "\nendobj\n");
	flush(file, PIECE);
}

void write_stream(struct write_file *file, unsigned int number, const char *entries,
    const void *data, size_t size, bool deflate)
{
	char length[48];

	deflate = deflate && shrinks(file, data, size);
	if (deflate) {
		pack(file, data, size);
		data = file->packed->data;
		size = file->packed->len;
	}
	begin(file, number);
	append(file, "<<");
	append(file, entries);
	(void)snprintf(length, sizeof(length), "%s/Length %zu>>stream\n",
	    deflate ? "/Filter/FlateDecode" : "",
	    file->crypt != NULL ? write_crypt_size(size) : size);
	append(file, length);
	append_data(file, data, size);
	append(file, "\nendstream\nendobj\n");
	flush(file, PIECE);
}

/* Writes the object stream that is being filled. */
static void end_group(struct write_file *file)
{
	char entries[80];

	if (file->group == 0)
		return;
	(void)snprintf(entries, sizeof(entries), "/Type/ObjStm/N %u/First %zu", file->count,
	    file->index->len);
	g_string_append_len(file->index, file->objects->str, (gssize)file->objects->len);
	write_stream(file, file->group, entries, file->index->str, file->index->len, true);
	g_string_truncate(file->index, 0);
	g_string_truncate(file->objects, 0);
	file->group = 0;
	file->count = 0;
}

void write_object(struct write_file *file, unsigned int number, const GString *body)
{
	struct write_place *place;

	if (file->crypt == NULL) {
		write_object_alone(file, number, body);
		return;
	}
	if (file->group == 0)
		file->group = write_reserve(file);
	place = place_of(file, number);
	place->group = file->group;
	place->at = file->count++;
	put_count(file->index, number);
	g_string_append_c(file->index, ' ');
	put_count(file->index, (unsigned int)file->objects->len);
	g_string_append_c(file->index, ' ');
	g_string_append_len(file->objects, body->str, (gssize)body->len);
	g_string_append_c(file->objects, '\n');
	if (file->count >= WRITE_GROUP_MAX)
		end_group(file);
}

void write_string(struct write_file *file, GString *body, const char *text)
{
	GString *string;
	GByteArray *cipher;

	if (file->crypt == NULL) {
		put_text(body, text, strlen(text));
		return;
	}
	string = g_string_new(NULL);
	cipher = g_byte_array_new();
	put_text_bytes(string, text, strlen(text));
	if (!write_crypt_begin(file->crypt, cipher) ||
	    !write_crypt_put(file->crypt, string->str, string->len, cipher) ||
	    !write_crypt_end(file->crypt, cipher))
		file->failed = true;
	put_bytes(body, cipher->data, cipher->len);
	g_byte_array_unref(cipher);
	g_string_free(string, TRUE);
}

/* ---- the end ---- */

static void write_table(struct write_file *file, unsigned int root, unsigned int info)
{
	size_t start = position(file);
	char line[128];

	(void)snprintf(line, sizeof(line), "xref\n0 %u\n0000000000 65535 f \n",
	    file->places->len + 1);
	append(file, line);
	for (unsigned int i = 1; i <= file->places->len; i++) {
		size_t at = place_of(file, i)->at;

		(void)snprintf(line, sizeof(line), "%010zu %05d %c \n", at, at != 0 ? 0 : 65535,
		    at != 0 ? 'n' : 'f');
		append(file, line);
	}
	(void)snprintf(line, sizeof(line), "trailer\n<</Size %u/Root %u 0 R/Info %u 0 R>>\n"
	    "startxref\n%zu\n%%%%EOF\n",
	    file->places->len + 1, root, info, start);
	append(file, line);
}

/* One row of a cross-reference stream (7.5.8.3): kind, 1 byte; place, width; index, 1. */
static void put_row(guint8 *row, const struct write_place *place, unsigned int width)
{
	bool packed = place != NULL && place->group != 0;
	size_t value = packed ? place->group : place != NULL ? place->at : 0;

	row[0] = packed ? 2 : value != 0 ? 1 : 0;
	for (unsigned int i = width; i > 0; i--) {
		row[i] = (guint8)value;
		value >>= 8;
	}
	row[width + 1] = packed ? (guint8)place->at : 0;
}

/* The rows of all objects, each as the difference to the one above. */
static GByteArray *list_places(const struct write_file *file, unsigned int width)
{
	GByteArray *list = g_byte_array_new();
	guint8 row[16] = { 0 };
	guint8 above[16] = { 0 };
	guint8 line[16] = { 2 };	/* PNG's filter "up" */

	for (unsigned int i = 0; i <= file->places->len; i++) {
		put_row(row, i > 0 ? place_of(file, i) : NULL, width);
		for (unsigned int k = 0; k < width + 2; k++)
			line[k + 1] = (guint8)(row[k] - above[k]);
		g_byte_array_append(list, line, width + 3);
		memcpy(above, row, sizeof(above));
	}
	return list;
}

static void put_identifier(GString *out, const unsigned char *bytes, size_t size)
{
	g_string_append_c(out, '<');
	for (size_t i = 0; i < size; i++)
		g_string_append_printf(out, "%02x", bytes[i]);
	g_string_append_c(out, '>');
}

/* The cross-reference stream, which alone is not encrypted. */
static void write_places(struct write_file *file, unsigned int number, unsigned int encrypt,
    unsigned int root, unsigned int info)
{
	size_t start = position(file);
	unsigned int width = 1;
	unsigned char id[16];
	GString *entries = g_string_new("/Type/XRef/DecodeParms<</Predictor 12/Columns ");
	GByteArray *list;

	file->failed = file->failed || secret_random_bytes(id, sizeof(id)) != SG_OK;
	while (width < 8 && start >> (8 * width) != 0)
		width++;
	place_of(file, number)->at = start;
	g_string_append_printf(entries, "%u>>/W[1 %u 1]/Size %u/Root %u 0 R/Info %u 0 R"
	    "/Encrypt %u 0 R/ID[", width + 2, width, file->places->len + 1, root, info, encrypt);
	put_identifier(entries, id, sizeof(id));
	put_identifier(entries, id, sizeof(id));
	g_string_append_c(entries, ']');
	list = list_places(file, width);
	file->crypt = NULL;
	write_stream(file, number, entries->str, list->data, list->len, true);
	g_string_printf(entries, "startxref\n%zu\n%%%%EOF\n", start);
	append(file, entries->str);
	g_byte_array_unref(list);
	g_string_free(entries, TRUE);
}

static void end_sealed(struct write_file *file, unsigned int root, unsigned int info)
{
	unsigned int encrypt = write_reserve(file);
	GString *body = g_string_new(NULL);
	unsigned int number;

	end_group(file);
	write_crypt_dictionary(file->crypt, body);
	write_object_alone(file, encrypt, body);
	number = write_reserve(file);
	write_places(file, number, encrypt, root, info);
	flush(file, 0);
	g_string_free(body, TRUE);
	g_string_free(file->objects, TRUE);
	g_string_free(file->index, TRUE);
}

enum fail_code write_file_end(struct write_file *file, unsigned int root, unsigned int info,
    struct fail *f)
{
	if (file->crypt != NULL)
		end_sealed(file, root, info);
	else
		write_table(file, root, info);
	g_array_unref(file->places);
	g_byte_array_unref(file->packed);
	if (file->failed)
		return fail_set(f, SG_ESYSTEM, NULL, "a PDF cannot be encrypted or written");
	return SG_OK;
}
