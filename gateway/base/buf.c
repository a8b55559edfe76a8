#include "gateway/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST ((size_t)64)	/* bytes of the first allocation */

static void check(const struct buf *buf)
{
	SG_BUG_IF(buf->size > buf->capacity || buf->size > buf->max);
	SG_BUG_IF(buf->data == NULL && buf->capacity != 0);
}

void buf_init(struct buf *buf, size_t max)
{
	buf->data = NULL;
	buf->size = 0;
	buf->capacity = 0;
	buf->max = max;
}

void buf_free(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->capacity);
	free(buf->data);
	buf_init(buf, buf->max);
}

void buf_reset(struct buf *buf)
{
	buf->size = 0;
}

/* Moves to new memory and wipes the old one: it may have held a secret. */
static enum fail_code grow(struct buf *buf, size_t wanted)
{
	unsigned char *data;
	size_t capacity = buf->capacity < BUF_FIRST ? BUF_FIRST : buf->capacity;

	while (capacity < wanted)
		capacity = capacity > SIZE_MAX / 2 ? wanted : capacity * 2;
	data = malloc(capacity);
	if (data == NULL)
		return SG_ENOMEM;
	if (buf->size > 0)
		memcpy(data, buf->data, buf->size);
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->size);
	free(buf->data);
	buf->data = data;
	buf->capacity = capacity;
	return SG_OK;
}

enum fail_code buf_reserve(struct buf *buf, size_t size, unsigned char **room_out)
{
	enum fail_code code;

	check(buf);
	if (size > buf->max - buf->size)
		return SG_ELIMIT;
	if (buf->data == NULL || size > buf->capacity - buf->size) {
		code = grow(buf, buf->size + size);
		if (code != SG_OK)
			return code;
	}
	*room_out = buf->data + buf->size;
	return SG_OK;
}

enum fail_code buf_append(struct buf *buf, const void *data, size_t size)
{
	unsigned char *room;
	enum fail_code code = buf_reserve(buf, size, &room);

	if (code != SG_OK)
		return code;
	if (size > 0)
		memcpy(room, data, size);
	buf->size += size;
	return SG_OK;
}

enum fail_code buf_append_str(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

enum fail_code buf_printf(struct buf *buf, const char *format, ...)
{
	unsigned char *room;
	enum fail_code code;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (size < 0)
		return SG_ESYSTEM;
	if ((size_t)size > buf->max - buf->size)
		return SG_ELIMIT;
	/* one byte more for the NUL that vsnprintf writes; it does not count */
	if (buf->capacity - buf->size < (size_t)size + 1) {
		code = grow(buf, buf->size + (size_t)size + 1);
		if (code != SG_OK)
			return code;
	}
	room = buf->data + buf->size;
	va_start(args, format);
	(void)vsnprintf((char *)room, (size_t)size + 1, format, args);
	va_end(args);
	buf->size += (size_t)size;
	return SG_OK;
}

const char *buf_str(struct buf *buf)
{
	check(buf);
	if (buf->capacity == buf->size && grow(buf, buf->size + 1) != SG_OK)
		return NULL;
	buf->data[buf->size] = '\0';
	return (const char *)buf->data;
}

static enum fail_code put_number(struct buf *buf, uint64_t value, size_t size)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[size - 1 - i] = (unsigned char)(value >> (8 * i));
	return buf_append(buf, bytes, size);
}

enum fail_code buf_put_u8(struct buf *buf, uint8_t value)
{
	return put_number(buf, value, 1);
}

enum fail_code buf_put_u16(struct buf *buf, uint16_t value)
{
	return put_number(buf, value, 2);
}

enum fail_code buf_put_u32(struct buf *buf, uint32_t value)
{
	return put_number(buf, value, 4);
}

enum fail_code buf_put_u64(struct buf *buf, uint64_t value)
{
	return put_number(buf, value, 8);
}

enum fail_code buf_put_bytes(struct buf *buf, const void *data, size_t size)
{
	size_t before = buf->size;
	enum fail_code code;

	if (size > UINT32_MAX)
		return SG_ELIMIT;
	code = buf_put_u32(buf, (uint32_t)size);
	if (code == SG_OK)
		code = buf_append(buf, data, size);
	if (code != SG_OK)
		buf->size = before;
	return code;
}

enum fail_code buf_put_str(struct buf *buf, const char *text)
{
	if (text == NULL)
		return buf_put_bytes(buf, "", 0);
	return buf_put_bytes(buf, text, strlen(text));
}

void buf_reader_init(struct buf_reader *reader, const void *data, size_t size)
{
	reader->data = data;
	reader->size = size;
	reader->at = 0;
}

static enum fail_code get_number(struct buf_reader *reader, size_t size, uint64_t *value_out)
{
	uint64_t value = 0;

	if (reader->size - reader->at < size)
		return SG_EFORMAT;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | reader->data[reader->at + i];
	reader->at += size;
	*value_out = value;
	return SG_OK;
}

enum fail_code buf_get_u8(struct buf_reader *reader, uint8_t *value_out)
{
	uint64_t value;
	enum fail_code code = get_number(reader, 1, &value);

	if (code == SG_OK)
		*value_out = (uint8_t)value;
	return code;
}

enum fail_code buf_get_u16(struct buf_reader *reader, uint16_t *value_out)
{
	uint64_t value;
	enum fail_code code = get_number(reader, 2, &value);

	if (code == SG_OK)
		*value_out = (uint16_t)value;
	return code;
}

enum fail_code buf_get_u32(struct buf_reader *reader, uint32_t *value_out)
{
	uint64_t value;
	enum fail_code code = get_number(reader, 4, &value);

	if (code == SG_OK)
		*value_out = (uint32_t)value;
	return code;
}

enum fail_code buf_get_u64(struct buf_reader *reader, uint64_t *value_out)
{
	return get_number(reader, 8, value_out);
}

enum fail_code buf_get_bytes(struct buf_reader *reader, const unsigned char **data_out,
    size_t *size_out)
{
	size_t before = reader->at;
	uint32_t size;
	enum fail_code code = buf_get_u32(reader, &size);

	if (code != SG_OK)
		return code;
	if (reader->size - reader->at < size) {
		reader->at = before;
		return SG_EFORMAT;
	}
	*data_out = reader->data + reader->at;
	*size_out = size;
	reader->at += size;
	return SG_OK;
}

enum fail_code buf_get_str(struct buf_reader *reader, size_t max, char **text_out)
{
	size_t before = reader->at;
	const unsigned char *data;
	size_t size;
	char *text = NULL;
	enum fail_code code = buf_get_bytes(reader, &data, &size);

	*text_out = NULL;
	if (code != SG_OK)
		return code;
	if (size > max)
		code = SG_ELIMIT;
	else if (size > 0 && memchr(data, '\0', size) != NULL)
		code = SG_EFORMAT;
	else if ((text = malloc(size + 1)) == NULL)
		code = SG_ENOMEM;
	if (code != SG_OK) {
		reader->at = before;
		return code;
	}
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	*text_out = text;
	return SG_OK;
}

enum fail_code buf_get_end(const struct buf_reader *reader)
{
	return reader->at == reader->size ? SG_OK : SG_EFORMAT;
}
