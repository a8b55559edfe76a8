#include "pdfenc/cms.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 8	/* strings in strings */

#define TAG_OCTETS 0x04
#define TAG_OID 0x06
#define TAG_SEQUENCE 0x30
#define TAG_CONTENT 0xa0	/* [0], constructed */
#define CONSTRUCTED 0x20

/* What is left to read, up to the end of the element around it. */
struct ber {
	const uint8_t *data;
	size_t size;
};

/* One element: its tag and content. The outer one is moved behind it, or onto its first byte of
   content where the length is indefinite (X.690 8.1.3.6). */
static bool take(struct ber *outer, uint8_t *tag_out, struct ber *content, bool *open_out)
{
	size_t length = 0;
	size_t at = 2;

	if (outer->size < 2 || (outer->data[0] & 0x1f) == 0x1f)
		return false;
	*tag_out = outer->data[0];
	*open_out = outer->data[1] == 0x80;
	if (outer->data[1] < 0x80) {
		length = outer->data[1];
	} else {
		size_t count = outer->data[1] & 0x7f;

		if (count > 4 || outer->size - 2 < count)
			return false;
		for (; at < 2 + count; at++)
			length = length << 8 | outer->data[at];
	}
	if (*open_out)
		length = outer->size - at;
	if (length > outer->size - at)
		return false;
	content->data = outer->data + at;
	content->size = length;
	if (*open_out)
		length = 0;
	outer->data += at + length;
	outer->size -= at + length;
	return true;
}

static bool enter(struct ber *at, uint8_t tag)
{
	struct ber inside;
	uint8_t found;
	bool open;

	if (!take(at, &found, &inside, &open) || found != tag)
		return false;
	*at = inside;
	return true;
}

static bool skip(struct ber *at, uint8_t tag)
{
	struct ber inside;
	uint8_t found;
	bool open;

	return take(at, &found, &inside, &open) && found == tag && !open;
}

static bool skip_oid(struct ber *at, const uint8_t *oid, size_t size)
{
	struct ber inside;
	uint8_t tag;
	bool open;

	return take(at, &tag, &inside, &open) && tag == TAG_OID && !open &&
	    inside.size == size && memcmp(inside.data, oid, size) == 0;
}

/* An OCTET STRING, in one piece or in many; at is moved behind it. */
static bool append_octets(struct ber *at, GByteArray *out, unsigned int depth)
{
	struct ber inside;
	uint8_t tag;
	bool open;

	if (depth > DEPTH_MAX || !take(at, &tag, &inside, &open) ||
	    (tag & ~CONSTRUCTED) != TAG_OCTETS)
		return false;
	if ((tag & CONSTRUCTED) == 0) {
		g_byte_array_append(out, inside.data, (guint)inside.size);
		return !open;
	}
	while (inside.size >= 2 && !(open && inside.data[0] == 0 && inside.data[1] == 0))
		if (!append_octets(&inside, out, depth + 1))
			return false;
	if (!open)
		return true;
	/* behind the two zeros that end it */
	if (inside.size < 2)
		return false;
	at->data = inside.data + 2;
	at->size = inside.size - 2;
	return true;
}

GByteArray *cms_signed_content(const void *data, size_t size)
{
	static const uint8_t signed_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2 };
	static const uint8_t plain_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1 };
	struct ber at = { data, size };
	GByteArray *content;
	uint8_t tag;
	bool open;
	struct ber digests;

	/* ContentInfo, SignedData (version, digest algorithms), EncapsulatedContentInfo */
	if (!enter(&at, TAG_SEQUENCE) || !skip_oid(&at, signed_data, sizeof(signed_data)) ||
	    !enter(&at, TAG_CONTENT) || !enter(&at, TAG_SEQUENCE) || !skip(&at, 0x02) ||
	    !take(&at, &tag, &digests, &open) || tag != 0x31 || open ||
	    !enter(&at, TAG_SEQUENCE) || !skip_oid(&at, plain_data, sizeof(plain_data)) ||
	    !enter(&at, TAG_CONTENT))
		return NULL;
	content = g_byte_array_new();
	if (append_octets(&at, content, 0) && content->len > 0)
		return content;
	g_byte_array_unref(content);
	return NULL;
}
