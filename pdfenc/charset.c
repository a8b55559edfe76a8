#include "pdfenc/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "gateway/base/str.h"

#define HTML_HEAD_MAX ((size_t)4096)	/* bytes in which a meta charset is looked for */

/* Names that mail uses for a subset of what it means. */
static const char *superset_of(const char *declared)
{
	static const char *const table[][2] = {
		{ "us-ascii", "WINDOWS-1252" }, { "ascii", "WINDOWS-1252" },
		{ "ansi_x3.4-1968", "WINDOWS-1252" },
		{ "iso-8859-1", "WINDOWS-1252" }, { "iso8859-1", "WINDOWS-1252" },
		{ "latin1", "WINDOWS-1252" }, { "iso-8859-9", "WINDOWS-1254" },
		{ "gb2312", "GB18030" }, { "gbk", "GB18030" }, { "x-gbk", "GB18030" },
		{ "cp936", "GB18030" }, { "ks_c_5601-1987", "UHC" }, { "euc-kr", "UHC" },
		{ "ks_c_5601", "UHC" }, { "shift_jis", "CP932" }, { "shift-jis", "CP932" },
		{ "x-sjis", "CP932" }, { "sjis", "CP932" }, { "big5", "BIG5-HKSCS" },
		{ "iso-2022-jp", "ISO-2022-JP-2" }, { "x-mac-roman", "MACINTOSH" },
		{ "iso-8859-8-i", "ISO-8859-8" }, { "iso-8859-8-e", "ISO-8859-8" },
		{ "unicode-1-1-utf-7", "UTF-7" }, { "tis-620", "CP874" },
		{ "unicode-1-1-utf-8", "UTF-8" }, { "utf8", "UTF-8" },
		{ "x-user-defined", "WINDOWS-1252" }, { "unknown-8bit", "WINDOWS-1252" },
		{ "x-unknown", "WINDOWS-1252" }, { "default", "WINDOWS-1252" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (str_equal_case(table[i][0], declared))
			return table[i][1];
	return declared;
}

/* Sets in which a byte sequence that is valid UTF-8 is more likely just that. */
static bool is_single_byte(const char *charset)
{
	return str_starts_case(charset, "windows-125") || str_starts_case(charset, "iso-8859-") ||
	    str_starts_case(charset, "macintosh");
}

static bool has_high(const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] >= 0x80)
			return true;
	return false;
}

/* iconv that never fails: a byte that cannot be decoded becomes U+FFFD. */
static GString *convert(const char *charset, const char *data, size_t size)
{
	iconv_t converter = iconv_open("UTF-8", charset);
	GString *out = g_string_sized_new(size + size / 4 + 16);
	char room[8192];

	if (converter == (iconv_t)-1) {
		g_string_free(out, TRUE);
		return NULL;
	}
	while (size > 0) {
		char *in = (char *)(guintptr)data;
		char *to = room;
		size_t left = sizeof(room);
		size_t n = iconv(converter, &in, &size, &to, &left);

		g_string_append_len(out, room, to - room);
		data = in;
		if (n != (size_t)-1 || errno == E2BIG)
			continue;
		g_string_append(out, "\357\277\275");
		data++;
		size--;
	}
	(void)iconv_close(converter);
	return out;
}

static bool is_text_char(gunichar c)
{
	if (c < 0x20)
		return c == '\n' || c == '\t';
	if ((c >= 0x7f && c < 0xa0) || c == 0xfeff || c == 0x2028 || c == 0x2029)
		return false;
	return (c & 0xfffe) != 0xfffe && (c < 0xfdd0 || c > 0xfdef);
}

static void put_char(GString *out, gunichar c)
{
	if (is_text_char(c))
		g_string_append_unichar(out, c);
	else if (c == '\f' || c == '\v' || c == 0x2028 || c == 0x2029 || c == 0x85)
		g_string_append_c(out, '\n');
}

/* Valid characters copied, CRLF and CR to LF, the rest dropped or U+FFFD. */
static GString *clean(const char *data, size_t size)
{
	GString *out = g_string_sized_new(size + 1);
	const char *end = data + size;

	while (data < end) {
		size_t run = 0;
		gunichar c;

		while (data + run < end && data[run] >= 0x20 && data[run] < 0x7f)
			run++;
		g_string_append_len(out, data, (gssize)run);
		data += run;
		if (data >= end)
			break;
		if (*data == '\r') {
			if (data + 1 == end || data[1] != '\n')
				g_string_append_c(out, '\n');
			data++;
			continue;
		}
		c = *data == '\0' ? 0 : g_utf8_get_char_validated(data, end - data);
		if (c == (gunichar)-1 || c == (gunichar)-2) {
			g_string_append(out, "\357\277\275");
			data++;
			continue;
		}
		put_char(out, c);
		data += c == 0 ? 1 : g_unichar_to_utf8(c, NULL);
	}
	return out;
}

static const char *bom_charset(const unsigned char *data, size_t size)
{
	if (size >= 3 && memcmp(data, "\357\273\277", 3) == 0)
		return "UTF-8";
	if (size >= 2 && data[0] == 0xff && data[1] == 0xfe)
		return "UTF-16LE";
	if (size >= 2 && data[0] == 0xfe && data[1] == 0xff)
		return "UTF-16BE";
	return NULL;
}

static const char *guess(const char *declared, const unsigned char *data, size_t size)
{
	const char *charset = bom_charset(data, size);

	if (charset != NULL)
		return charset;
	charset = declared != NULL && declared[0] != '\0' ? superset_of(declared) :
	    "WINDOWS-1252";
	if (str_equal_case(charset, "UTF-8"))
		return g_utf8_validate_len((const char *)data, size, NULL) ||
		    memchr(data, 0, size) != NULL ? "UTF-8" : "WINDOWS-1252";
	if (is_single_byte(charset)) {
		/* Japanese in seven bits, sent without a word about it */
		if (memmem(data, size, "\033$B", 3) != NULL)
			return "ISO-2022-JP-2";
		if (has_high(data, size) && g_utf8_validate_len((const char *)data, size, NULL))
			return "UTF-8";
	}
	return charset;
}

GString *charset_to_utf8(const char *declared, const void *data, size_t size)
{
	const char *charset = guess(declared, data, size);
	GString *raw = NULL;
	GString *out;

	if (str_equal_case(charset, "UTF-8"))
		return clean(data, size);
	if (is_single_byte(charset) && !has_high(data, size))
		return clean(data, size);
	raw = convert(charset, data, size);
	if (raw == NULL && g_utf8_validate_len(data, size, NULL))
		return clean(data, size);
	if (raw == NULL)
		raw = convert("WINDOWS-1252", data, size);
	if (raw == NULL)
		return clean(data, size);
	out = clean(raw->str, raw->len);
	g_string_free(raw, TRUE);
	return out;
}

char *charset_line(const char *text)
{
	GString *line;

	if (text == NULL)
		return NULL;
	line = charset_to_utf8("UTF-8", text, strlen(text));
	for (size_t i = 0; i < line->len; i++)
		if (line->str[i] == '\n' || line->str[i] == '\t')
			line->str[i] = ' ';
	return g_strstrip(g_string_free(line, FALSE));
}

char *charset_of_html(const void *data, size_t size)
{
	const char *start = data;
	const char *end = start + (size < HTML_HEAD_MAX ? size : HTML_HEAD_MAX);
	const char *name;

	for (; start + 8 < end; start++) {
		if (!str_equal_case_n(start, "charset=", 8))
			continue;
		name = start + 8;
		while (name < end && (*name == '"' || *name == '\'' || *name == ' '))
			name++;
		start = name;
		while (start < end && (g_ascii_isalnum(*start) || strchr("-_:.", *start) != NULL)
		    && *start != '\0')
			start++;
		if (start > name && start - name < 40)
			return g_strndup(name, (gsize)(start - name));
	}
	return NULL;
}

void charset_warm_up(void)
{
	static const char *const sets[] = {
		"WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254",
		"WINDOWS-1255", "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "ISO-8859-2",
		"ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-15", "KOI8-R",
		"KOI8-U", "GB18030", "BIG5-HKSCS", "CP932", "EUC-JP", "ISO-2022-JP-2", "UHC",
		"ISO-2022-KR", "CP874", "UTF-16LE", "UTF-16BE", "UTF-7", "MACINTOSH", "CP866",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
		iconv_t converter = iconv_open("UTF-8", sets[i]);

		if (converter != (iconv_t)-1)
			(void)iconv_close(converter);
	}
}
