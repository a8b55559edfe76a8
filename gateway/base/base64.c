#include "gateway/base/base64.h"

#include <string.h>

#define LINE_BYTES ((size_t)57)	/* 57 bytes make a line of 76 characters */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode3(const unsigned char *in, unsigned char *out)
{
	out[0] = (unsigned char)alphabet[in[0] >> 2];
	out[1] = (unsigned char)alphabet[(in[0] & 3) << 4 | in[1] >> 4];
	out[2] = (unsigned char)alphabet[(in[1] & 15) << 2 | in[2] >> 6];
	out[3] = (unsigned char)alphabet[in[2] & 63];
}

/* Encodes size bytes with padding; returns characters written. */
static size_t encode_block(const unsigned char *in, size_t size, unsigned char *out)
{
	unsigned char last[3] = { 0, 0, 0 };
	unsigned char *start = out;

	for (; size >= 3; size -= 3, in += 3, out += 4)
		encode3(in, out);
	if (size > 0) {
		memcpy(last, in, size);
		encode3(last, out);
		out[3] = '=';
		if (size == 1)
			out[2] = '=';
		out += 4;
	}
	return (size_t)(out - start);
}

enum fail_code base64_encode(struct buf *out, const void *data, size_t size)
{
	unsigned char *room;
	enum fail_code code;

	if (size > SIZE_MAX / 2)
		return SG_ELIMIT;
	code = buf_reserve(out, (size + 2) / 3 * 4, &room);
	if (code == SG_OK)
		out->size += encode_block(data, size, room);
	return code;
}

static int decode_char(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

static bool is_skipped(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum fail_code base64_decode(struct buf *out, const char *text, size_t size)
{
	size_t before = out->size;
	uint32_t bits = 0;
	unsigned int have = 0;
	bool padded = false;
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < size && code == SG_OK; i++) {
		int value = decode_char(text[i]);

		if (is_skipped(text[i]))
			continue;
		if (text[i] == '=') {
			padded = true;
			continue;
		}
		if (value < 0 || padded) {
			code = SG_EFORMAT;
			break;
		}
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			code = buf_put_u8(out, (uint8_t)(bits >> have));
		}
	}
	if (code != SG_OK)
		out->size = before;
	return code;
}

static size_t put_line(const unsigned char *data, size_t size, unsigned char *out)
{
	size_t n = encode_block(data, size, out);

	out[n] = '\r';
	out[n + 1] = '\n';
	return n + 2;
}

size_t base64_lines_put(struct base64_lines *lines, const unsigned char *data, size_t size,
    unsigned char *out)
{
	unsigned char *start = out;

	if (lines->rest_size > 0) {
		size_t missing = LINE_BYTES - lines->rest_size;
		size_t taken = size < missing ? size : missing;

		memcpy(lines->rest + lines->rest_size, data, taken);
		lines->rest_size += taken;
		data += taken;
		size -= taken;
		if (lines->rest_size < LINE_BYTES)
			return 0;
		out += put_line(lines->rest, LINE_BYTES, out);
		lines->rest_size = 0;
	}
	for (; size >= LINE_BYTES; size -= LINE_BYTES, data += LINE_BYTES)
		out += put_line(data, LINE_BYTES, out);
	if (size > 0)
		memcpy(lines->rest, data, size);
	lines->rest_size = size;
	return (size_t)(out - start);
}

size_t base64_lines_end(struct base64_lines *lines, unsigned char *out)
{
	size_t n = 0;

	if (lines->rest_size > 0)
		n = put_line(lines->rest, lines->rest_size, out);
	lines->rest_size = 0;
	return n;
}
