#include "milter/scan/canary.h"

#include <stdint.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"

#define CANARY_MAIL_MAX ((size_t)8192)
#define ZIP_NAME "canary.txt"
#define ZIP_LOCAL 0x04034b50u
#define ZIP_CENTRAL 0x02014b50u
#define ZIP_END 0x06054b50u
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

/* A deflate stream of one stored block (RFC 1951, 3.2.4): still goes through inflate and a file. */
static enum fail_code put_deflated(struct buf *out, const char *text, size_t size)
{
	const struct field head[] = {
		{ 1, 1 }, { (uint32_t)size, 2 }, { ~(uint32_t)size & 0xffff, 2 }
	};
	enum fail_code code = PUT_FIELDS(out, head);

	return code != SG_OK ? code : buf_append(out, text, size);
}

/* A zip with one member. PKWARE APPNOTE 4.3. */
static enum fail_code put_zip(struct buf *out, const char *text, size_t size)
{
	const uint32_t packed = (uint32_t)size + 5;
	const uint32_t name = sizeof(ZIP_NAME) - 1;
	const struct field member[] = {
		{ 20, 2 }, { 0, 2 }, { ZIP_DEFLATE, 2 }, { 0, 2 }, { 0x5821, 2 },
		{ crc32_of((const unsigned char *)text, size), 4 },
		{ packed, 4 }, { (uint32_t)size, 4 }, { name, 2 }, { 0, 2 }
	};
	const struct field tail[] = { { 0, 2 }, { 0, 2 }, { 0, 2 }, { 0, 4 }, { 0, 4 } };
	const struct field end[] = {
		{ ZIP_END, 4 }, { 0, 4 }, { 1, 2 }, { 1, 2 }, { 46 + name, 4 },
		{ 30 + name + packed, 4 }, { 0, 2 }
	};
	enum fail_code code = put_le(out, ZIP_LOCAL, 4);

	if (code == SG_OK)
		code = PUT_FIELDS(out, member);
	if (code == SG_OK)
		code = buf_append_str(out, ZIP_NAME);
	if (code == SG_OK)
		code = put_deflated(out, text, size);
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

enum fail_code canary_make(struct canary *canary, struct fail *f)
{
	unsigned char bytes[CANARY_TEXT_SIZE];
	struct buf zip;
	enum fail_code code;

	buf_init(&canary->mail, CANARY_MAIL_MAX);
	buf_init(&zip, CANARY_MAIL_MAX);
	if (secret_random_bytes(bytes, sizeof(bytes)) != SG_OK)
		return fail_set(f, SG_ESYSTEM, NULL, "no random bytes");
	str_hex(bytes, sizeof(bytes), canary->text);
	code = put_zip(&zip, canary->text, sizeof(canary->text) - 1);
	if (code == SG_OK)
		code = put_mail(&canary->mail, &zip);
	buf_free(&zip);
	if (code != SG_OK) {
		canary_free(canary);
		return fail_set(f, code, NULL, "cannot make the canary");
	}
	return SG_OK;
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
