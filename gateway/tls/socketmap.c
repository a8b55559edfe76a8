#include "gateway/tls/socketmap.h"

#include <string.h>

#define DIGITS_MAX ((size_t)6)	/* of SOCKETMAP_NETSTRING_MAX */

/* The length in front: its digits' count into *at_out. False: none, or beyond the maximum. */
static bool take_length(const char *data, size_t size, size_t *at_out, size_t *length_out)
{
	size_t at = 0;
	size_t length = 0;

	for (; at < size && data[at] >= '0' && data[at] <= '9'; at++) {
		if (at == DIGITS_MAX || (at > 0 && length == 0))
			return false;
		length = length * 10 + (size_t)(data[at] - '0');
	}
	*at_out = at;
	*length_out = length;
	return length <= SOCKETMAP_NETSTRING_MAX;
}

/* The rest of a request that nobody wants. */
static enum socketmap_step skip_rest(struct socketmap *reader, const char *data, size_t size,
    size_t *used_out)
{
	size_t n = size < reader->skip ? size : reader->skip;

	*used_out += n;
	reader->skip -= n;
	if (reader->skip > 0)
		return SOCKETMAP_MORE;
	return data[n - 1] == ',' ? SOCKETMAP_REFUSED : SOCKETMAP_BROKEN;
}

static enum socketmap_step split(const char *data, size_t size, struct socketmap_request *request)
{
	const char *space = memchr(data, ' ', size);

	if (space == NULL || space == data || memchr(data, '\0', size) != NULL)
		return SOCKETMAP_REFUSED;
	request->name = data;
	request->name_size = (size_t)(space - data);
	request->key = space + 1;
	request->key_size = size - request->name_size - 1;
	return request->key_size > 0 ? SOCKETMAP_REQUEST : SOCKETMAP_REFUSED;
}

enum socketmap_step socketmap_take(struct socketmap *reader, const char *data, size_t size,
    size_t *used_out, struct socketmap_request *request_out)
{
	size_t length;
	size_t at;

	*used_out = 0;
	if (size == 0)
		return SOCKETMAP_MORE;
	if (reader->skip > 0)
		return skip_rest(reader, data, size, used_out);
	if (!take_length(data, size, &at, &length))
		return SOCKETMAP_BROKEN;
	if (at == size)
		return SOCKETMAP_MORE;
	if (at == 0 || data[at] != ':')
		return SOCKETMAP_BROKEN;
	at++;
	if (length > SOCKETMAP_REQUEST_MAX) {
		*used_out = at;
		reader->skip = length + 1;
		return size > at ? skip_rest(reader, data + at, size - at, used_out) :
		    SOCKETMAP_MORE;
	}
	if (size - at < length + 1)
		return SOCKETMAP_MORE;
	if (data[at + length] != ',')
		return SOCKETMAP_BROKEN;
	*used_out = at + length + 1;
	return split(data + at, length, request_out);
}

/* --- names --- */

#define TLSRPT "withTLSRPT"
#define TLSRPT_SIZE (sizeof(TLSRPT) - 1)

static const struct {
	const char *name;
	enum policy_map map;
} maps[] = {
	{"all", POLICY_ALL},
	{"sealed", POLICY_SEALED},
	{"proven", POLICY_PROVEN},
	{"QUERY", POLICY_ALL},	/* what postfix-tlspol calls it */
};

bool socketmap_map(const char *name, size_t size, enum policy_map *map_out, bool *tlsrpt_out)
{
	size_t i;

	*tlsrpt_out = size > TLSRPT_SIZE &&
	    memcmp(name + size - TLSRPT_SIZE, TLSRPT, TLSRPT_SIZE) == 0;
	if (*tlsrpt_out)
		size -= TLSRPT_SIZE;
	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		if (size != strlen(maps[i].name) || memcmp(name, maps[i].name, size) != 0)
			continue;
		*map_out = maps[i].map;
		return true;
	}
	return false;
}

const char *socketmap_name(enum policy_map map)
{
	return maps[map].name;
}

/* --- answers --- */

static void put_text(unsigned char *to, const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		to[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' :
		    (unsigned char)text[i];
}

/* "N:" of the netstring; returns how many characters. */
static size_t put_length(unsigned char to[24], size_t length)
{
	unsigned char digits[24];
	size_t count = 0;
	size_t i;

	do
		digits[count++] = (unsigned char)('0' + length % 10);
	while ((length /= 10) > 0);
	for (i = 0; i < count; i++)
		to[i] = digits[count - 1 - i];
	to[count] = ':';
	return count + 1;
}

enum fail_code socketmap_put(struct buf *out, enum socketmap_status status, const char *text,
    const char *more)
{
	static const struct {
		const char *word;
		size_t size;
	} words[] = {{"OK ", 3}, {"NOTFOUND ", 9}, {"TEMP ", 5}, {"PERM ", 5}};
	size_t text_size = strlen(text);
	size_t more_size = more == NULL ? 0 : strlen(more);
	size_t space = more_size > 0 ? 1 : 0;
	size_t length = words[status].size + text_size + space + more_size;
	unsigned char head[24];
	size_t head_size = put_length(head, length);
	unsigned char *room;

	if (buf_reserve(out, head_size + length + 1, &room) != SG_OK)
		return SG_ENOMEM;
	memcpy(room, head, head_size);
	room += head_size;
	memcpy(room, words[status].word, words[status].size);
	room += words[status].size;
	put_text(room, text, text_size);
	room += text_size;
	if (space > 0)
		*room++ = ' ';
	if (more_size > 0)
		put_text(room, more, more_size);
	room[more_size] = ',';
	out->size += head_size + length + 1;
	return SG_OK;
}

enum fail_code socketmap_put_answer(struct buf *out, const struct policy_answer *answer,
    bool tlsrpt)
{
	switch (answer->kind) {
	case POLICY_FOUND:
		return socketmap_put(out, SOCKETMAP_OK, answer->text,
		    tlsrpt ? answer->tlsrpt : NULL);
	case POLICY_NOT_FOUND:
		return socketmap_put(out, SOCKETMAP_NOTFOUND, "", NULL);
	case POLICY_TEMPORARY:
		break;
	}
	return socketmap_put(out, SOCKETMAP_TEMP, answer->reason, NULL);
}
