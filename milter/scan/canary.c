#include "milter/scan/canary.h"

#include <stdint.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"

#define CANARY_MAIL_MAX ((size_t)64 * 1024)
#define DEPTH_MAX 110		/* zips in zips; no clamd.conf may allow more than 100 */
#define ZIP_NAME "canary.txt"
#define ZIP_LOCAL 0x04034b50u
#define ZIP_CENTRAL 0x02014b50u
#define ZIP_END 0x06054b50u
#define ZIP_STORED 0
#define ZIP_DEFLATE 8

/* Bitwise, since it is for a hundred bytes. ISO 3309. */
static uint32_t crc32_of(const unsigned char *data, size_t size)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
	}
	return ~crc;
}

static enum fail_code put_le(struct buf *out, uint32_t value, unsigned int bytes)
{
	enum fail_code code = SG_OK;

	for (unsigned int i = 0; i < bytes && code == SG_OK; i++)
		code = buf_put_u8(out, (uint8_t)(value >> 8 * i));
	return code;
}

struct field {
	uint32_t value;
	unsigned int bytes;
};

static enum fail_code put_fields(struct buf *out, const struct field *fields, size_t count)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < count && code == SG_OK; i++)
		code = put_le(out, fields[i].value, fields[i].bytes);
	return code;
}

#define PUT_FIELDS(out, fields) put_fields(out, fields, sizeof(fields) / sizeof((fields)[0]))

/* Bits of a deflate stream, the lowest first. RFC 1951, 3.1.1. */
struct bits {
	struct buf *out;
	uint32_t held;
	unsigned int count;
};

static enum fail_code put_bits(struct bits *bits, uint32_t value, unsigned int count)
{
	enum fail_code code = SG_OK;

	bits->held |= value << bits->count;
	bits->count += count;
	while (bits->count >= 8 && code == SG_OK) {
		code = buf_put_u8(bits->out, (uint8_t)bits->held);
		bits->held >>= 8;
		bits->count -= 8;
	}
	return code;
}

/* The fixed code of a literal below 144, whose bits go out highest first. RFC 1951, 3.2.6. */
static enum fail_code put_literal(struct bits *bits, unsigned char literal)
{
	unsigned int code = 0x30u + literal;
	uint32_t turned = 0;

	for (unsigned int bit = 0; bit < 8; bit++)
		turned |= (code >> bit & 1u) << (7 - bit);
	return put_bits(bits, turned, 8);
}

/* One block by the fixed codes: the text itself is nowhere in it. */
static enum fail_code put_deflated(struct buf *out, const unsigned char *text, size_t size)
{
	struct bits bits = { out, 0, 0 };
	enum fail_code code = put_bits(&bits, 3, 3);	/* the last block, by fixed codes */

	for (size_t i = 0; i < size && code == SG_OK; i++)
		code = put_literal(&bits, text[i]);
	if (code == SG_OK)
		code = put_bits(&bits, 0, 7);		/* end of block */
	return code != SG_OK ? code : put_bits(&bits, 0, 7);	/* and to the end of the byte */
}

/* A zip with one member: size bytes, packed as by method. PKWARE APPNOTE 4.3. */
static enum fail_code put_zip_around(struct buf *out, const struct buf *packed, uint32_t method,
    const unsigned char *data, size_t size)
{
	const uint32_t packed_size = (uint32_t)packed->size;
	const uint32_t name = sizeof(ZIP_NAME) - 1;
	const uint32_t start = (uint32_t)out->size;
	const struct field member[] = {
		{ 20, 2 }, { 0, 2 }, { method, 2 }, { 0, 2 }, { 0x5821, 2 },
		{ crc32_of(data, size), 4 }, { packed_size, 4 }, { (uint32_t)size, 4 }, { name, 2 },
		{ 0, 2 }
	};
	const struct field tail[] = { { 0, 2 }, { 0, 2 }, { 0, 2 }, { 0, 4 }, { start, 4 } };
	const struct field end[] = {
		{ ZIP_END, 4 }, { 0, 4 }, { 1, 2 }, { 1, 2 }, { 46 + name, 4 },
		{ start + 30 + name + packed_size, 4 }, { 0, 2 }
	};
	enum fail_code code = put_le(out, ZIP_LOCAL, 4);

	if (code == SG_OK)
		code = PUT_FIELDS(out, member);
	if (code == SG_OK)
		code = buf_append_str(out, ZIP_NAME);
	if (code == SG_OK)
		code = buf_append(out, packed->data, packed->size);
	if (code == SG_OK)
		code = put_le(out, ZIP_CENTRAL, 4);
	if (code == SG_OK)
		code = put_le(out, 20, 2);	/* made by */
	if (code == SG_OK)
		code = PUT_FIELDS(out, member);
	if (code == SG_OK)
		code = PUT_FIELDS(out, tail);
	if (code == SG_OK)
		code = buf_append_str(out, ZIP_NAME);
	return code != SG_OK ? code : PUT_FIELDS(out, end);
}

/* Text of characters below 144. */
static enum fail_code put_zip(struct buf *out, const char *text, size_t size)
{
	struct buf packed;
	enum fail_code code;

	buf_init(&packed, CANARY_MAIL_MAX);
	code = put_deflated(&packed, (const unsigned char *)text, size);
	if (code == SG_OK)
		code = put_zip_around(out, &packed, ZIP_DEFLATE, (const unsigned char *)text,
		    size);
	buf_free(&packed);
	return code;
}

static enum fail_code put_mail(struct buf *out, const struct buf *zip)
{
	static const char head[] =
	    "From: canary@sealgate.invalid\r\nTo: scanner@sealgate.invalid\r\n"
	    "Subject: canary\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=\"canary\"\r\n\r\n"
	    "--canary\r\nContent-Type: text/plain\r\n\r\nThe attachment must be found.\r\n"
	    "--canary\r\nContent-Type: application/zip; name=\"canary.zip\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"canary.zip\"\r\n\r\n";
	struct base64_lines lines;
	unsigned char *room;
	enum fail_code code = buf_append_str(out, head);

	if (code == SG_OK)
		code = buf_reserve(out, (zip->size + 57) / 57 * 78 + 78, &room);
	if (code == SG_OK) {
		memset(&lines, 0, sizeof(lines));
		out->size += base64_lines_put(&lines, zip->data, zip->size, room);
		out->size += base64_lines_end(&lines, out->data + out->size);
		code = buf_append_str(out, "--canary--\r\n");
	}
	return code;
}

/* A mail with a zip with the text. */
static enum fail_code put_zip_mail(struct buf *mail, const char *text, struct fail *f)
{
	struct buf zip;
	enum fail_code code;

	buf_init(mail, CANARY_MAIL_MAX);
	buf_init(&zip, CANARY_MAIL_MAX);
	code = put_zip(&zip, text, strlen(text));
	if (code == SG_OK)
		code = put_mail(mail, &zip);
	buf_free(&zip);
	if (code == SG_OK)
		return SG_OK;
	buf_free(mail);
	return fail_set(f, code, NULL, "cannot make the test message");
}

enum fail_code canary_make(struct canary *canary, struct fail *f)
{
	unsigned char bytes[CANARY_TEXT_SIZE];

	buf_init(&canary->mail, CANARY_MAIL_MAX);
	if (secret_random_bytes(bytes, sizeof(bytes)) != SG_OK)
		return fail_set(f, SG_ESYSTEM, NULL, "no random bytes");
	str_hex(bytes, sizeof(bytes), canary->text);
	return put_zip_mail(&canary->mail, canary->text, f);
}

enum fail_code canary_make_eicar(struct canary *canary, struct fail *f)
{
	/* in pieces, so that no scanner finds it in this file or in the program */
	static const char *const pieces[] = { "X5O!P%@AP[4\\PZX54(P^)7CC)7}", "$EICAR-STANDARD-",
		"ANTIVIRUS-TEST-", "FILE!$H+H*" };
	size_t at = 0;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		memcpy(canary->text + at, pieces[i], strlen(pieces[i]));
		at += strlen(pieces[i]);
	}
	canary->text[at] = '\0';
	return put_zip_mail(&canary->mail, canary->text, f);
}

enum fail_code canary_make_deep(struct buf *mail, struct fail *f)
{
	static const char text[] = "Nothing is wrong with this text.";
	struct buf inner;
	struct buf outer;
	enum fail_code code;

	buf_init(mail, CANARY_MAIL_MAX);
	buf_init(&inner, CANARY_MAIL_MAX);
	code = put_zip(&inner, text, sizeof(text) - 1);
	for (unsigned int i = 1; i < DEPTH_MAX && code == SG_OK; i++) {
		buf_init(&outer, CANARY_MAIL_MAX);
		code = put_zip_around(&outer, &inner, ZIP_STORED, inner.data, inner.size);
		buf_free(&inner);
		inner = outer;
	}
	if (code == SG_OK)
		code = put_mail(mail, &inner);
	buf_free(&inner);
	if (code == SG_OK)
		return SG_OK;
	buf_free(mail);
	return fail_set(f, code, NULL, "cannot make the test message of many levels");
}

void canary_free(struct canary *canary)
{
	buf_free(&canary->mail);
}

enum fail_code canary_signature(const struct canary *canary, struct buf *out)
{
	char hex[2 * sizeof(canary->text)];

	str_hex((const unsigned char *)canary->text, sizeof(canary->text) - 1, hex);
	/* any file type, at offset 0: the same bytes inside the zip do not count */
	return buf_printf(out, "%s:0:0:%s\n", CANARY_NAME, hex);
}
