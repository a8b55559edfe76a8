/*
 * pdf_generate: for tests: messages that nobody wrote: random trees of parts, charsets, encodings,
 * HTML and attached files. The same seed makes the same messages.
 *
 *   pdf_generate SEED COUNT FOLDER     N.eml; N/words: what a reader must find; N/hidden: what not;
 *                                      N/1, N/2, ...: the attached files in their order
 */
#include <iconv.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_MAX 200000u		/* bytes of one part */
#define TEXT_ENOUGH 4000u	/* nothing longer is begun behind these */

struct text {
	char data[TEXT_MAX];
	size_t size;
};

struct maker {
	uint64_t state;
	unsigned int message;
	unsigned int word;
	unsigned int boundary;
	unsigned int file;
	unsigned int depth;
	const char *folder;
	FILE *mail;
	FILE *words;
	FILE *hidden;
};

struct charset {
	const char *name;
	const char *letters;	/* words, UTF-8, separated by spaces; NULL: ASCII alone */
};

static const struct charset charsets[] = {
	{ "us-ascii", NULL },
	{ "utf-8",
	    "Grüße Ελλάδα Привет שלום مرحبا "
	    "中文字 テスト 한국어 naïve Ærøskøbing" },
	{ "iso-8859-1", "Grüße naïve Ærøskøbing señor façade" },
	{ "iso-8859-15", "Grüße 50€ naïve œuvre Šibenik" },
	{ "windows-1252", "Grüße „Zitat“ naïve œuvre 50€" },
	{ "iso-8859-2", "Łódź Příliš žluťoučký kůň Győr" },
	{ "iso-8859-7", "Ελλάδα Αθήνα καλημέρα" },
	{ "windows-1251", "Привет Москва щука" },
	{ "koi8-r", "Привет Москва щука" },
	{ "iso-8859-9", "İstanbul Şişli çığlık" },
	{ "shift_jis", "テスト 日本語 ひらがな" },
	{ "iso-2022-jp", "テスト 日本語 ひらがな" },
	{ "euc-jp", "テスト 日本語 ひらがな" },
	{ "gb2312", "中文字 北京市" },
	{ "big5", "中文字 臺北市" },
	{ "euc-kr", "한국어 서울시" },
	{ "utf-7", "Grüße Привет" },
};

static const char *const opening[] = { "<p>", "<div style=\"margin:4px 12px;color:#335\">", "<b>",
	"<span style='font-size:18px;background:#eef'>", "<h2>", "<blockquote>", "<ul><li>",
	"<table width=600 cellpadding=6 border=1><tr><td>", "<a href=\"https://example.org/?q=1\">",
	"<font face=Arial size=4 color=red>", "<center>", "<table><tr><td width=\"50%\">", "<i>",
	"<pre>",
	"<div style=\"max-width:300px;border:2px solid #080;border-radius:9px;padding:8px\">",
	"<table cellspacing=0 width=\"100%\"><tbody><tr valign=top><th colspan=3>", "<div dir=rtl>",
	"<p style=\"line-height:0.5;text-align:justify;text-indent:2em\">", "<o:p>",
	"<ol start=7><li>" };
static const char *const closing[] = { "</p>", "</div>", "</b>", "</span>", "</h2>",
	"</blockquote>",
	"</li></ul>", "</td></tr></table>", "</a>", "</font>", "</center>", "</td></tr></table>",
	"</i>",
	"</pre>", "</div>", "</th></tr></tbody></table>", "</div>", "</p>", "</o:p>",
	"</li></ol>" };
static const char *const nothing[] = { "<!-- c > -->", "<br>", "<hr>",
	"<img src=\"http://x.example/a.png\""
	" alt=\"\" width=1 height=1>", "</i></b>", "</table>", "<style>p{margin:0}</style>",
	"<wbr>",
	"<![if !mso]>", "<?xml:namespace prefix=o />", "</td>", "<tr>", "<div", "&nbsp;", "<>",
	"< " };

static uint64_t dice(struct maker *maker, uint64_t sides)
{
	maker->state ^= maker->state << 13;
	maker->state ^= maker->state >> 7;
	maker->state ^= maker->state << 17;
	return maker->state % sides;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void add(struct text *text, const char *data, size_t size)
{
	if (size > TEXT_MAX - text->size)
		return;
	memcpy(text->data + text->size, data, size);
	text->size += size;
}

__attribute__((format(printf, 2, 3)))
static void put(struct text *text, const char *format, ...)
{
	char line[1000];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	add(text, line, strlen(line));
}

/* ---- words: each ASCII one is its own, so that none can hide behind another ---- */

static void own_word(struct maker *maker, char out[24])
{
	unsigned int number = maker->word++;

	(void)snprintf(out, 24, "w%c%c%c%cq", (char)('a' + number / 17576 % 26),
	    (char)('a' + number / 676 % 26), (char)('a' + number / 26 % 26),
	    (char)('a' + number % 26));
}

static void foreign_word(struct maker *maker, const struct charset *charset, char out[64])
{
	const char *at = charset->letters;
	unsigned int count = 1;
	uint64_t chosen;

	for (const char *p = at; *p != '\0'; p++)
		count += *p == ' ';
	for (chosen = dice(maker, count); chosen > 0; chosen--)
		at = strchr(at, ' ') + 1;
	(void)snprintf(out, 64, "%.*s", (int)strcspn(at, " "), at);
}

static void word(struct maker *maker, const struct charset *charset, FILE *list, char out[64])
{
	if (charset->letters != NULL && dice(maker, 3) == 0)
		foreign_word(maker, charset, out);
	else
		own_word(maker, out);
	if (list != NULL)
		(void)fprintf(list, "%s\n", out);
}

static void put_escaped(struct maker *maker, struct text *text, const char *one)
{
	if (dice(maker, 8) == 0 && one[0] > 0 && one[1] > 0)
		put(text, "&#x%x;&#%d%s%s", (unsigned int)one[0], one[1], dice(maker, 3) == 0 &&
		    (one[2] < '0' || one[2] > '9') ? "" : ";", one + 2);
	else
		put(text, "%s", one);
}

/* ---- bodies ---- */

static void plain(struct maker *maker, const struct charset *charset, FILE *list, struct text *text)
{
	unsigned int lines = 1 + (unsigned int)dice(maker, 30);
	char one[64];

	for (unsigned int i = 0; i < lines && text->size < TEXT_ENOUGH; i++) {
		if (dice(maker, 6) == 0)
			put(text, "%.*s ", (int)(1 + dice(maker, 3)), ">>>");
		for (uint64_t n = dice(maker, dice(maker, 20) == 0 ? 200 : 14); n > 0; n--) {
			word(maker, charset, list, one);
			put(text, "%s%s", one, dice(maker, 15) == 0 ? "\t" : n > 1 ? " " : "");
		}
		put(text, dice(maker, 9) == 0 ? "\n\n" : "\n");
	}
	/* one at least: a body without any word is no body */
	word(maker, charset, list, one);
	put(text, "%s\n", one);
}

static void secret_words(struct maker *maker, struct text *text)
{
	static const char *const hiders[] = { "<script>var x = '%s';</script>",
	"<style>.%s{}</style>",
		"<div style=\"display:none\">%s</div>", "<!-- %s -->",
		"<textarea hidden>%s</textarea>",
		"<title>%s</title>", "<head><meta name=\"%s\"></head>" };
	char one[24];
	char line[200];
	const char *hider = hiders[dice(maker, COUNT(hiders))];
	const char *at = strstr(hider, "%s");

	own_word(maker, one);
	(void)fprintf(maker->hidden, "%s\n", one);
	(void)snprintf(line, sizeof(line), "%.*s%s%s", (int)(at - hider), hider, one, at + 2);
	put(text, "%s", line);
}

static void fragment(struct maker *maker, const struct charset *charset, FILE *list,
    struct text *text, unsigned int depth)
{
	size_t kind = dice(maker, COUNT(opening));
	char one[64];

	put(text, "%s", opening[kind]);
	for (uint64_t n = 1 + dice(maker, 5); n > 0; n--) {
		for (uint64_t words = 1 + dice(maker, 9); words > 0; words--) {
			word(maker, charset, list, one);
			put_escaped(maker, text, one);
			put(text, " ");
		}
		if (depth < 7 && text->size < TEXT_ENOUGH && dice(maker, 2) == 0)
			fragment(maker, charset, list, text, depth + 1);
		/* inside a pre or table a lone tag moves text, but loses none */
		if (dice(maker, 4) == 0 && list != NULL)
			put(text, "%s", nothing[dice(maker, 10)]);
		if (dice(maker, 7) == 0)
			secret_words(maker, text);
	}
	/* as often as mail programs forget it */
	if (dice(maker, 12) != 0)
		put(text, "%s\n", closing[kind]);
}

static void html(struct maker *maker, const struct charset *charset, FILE *list, struct text *text)
{
	if (dice(maker, 2) == 0)
		put(text, "<!DOCTYPE html><html><head><style>td{padding:2px}</style></head>"
		    "<body bgcolor=#ffffff>\n");
	for (uint64_t n = 1 + dice(maker, 6); n > 0; n--)
		fragment(maker, charset, list, text, 0);
	if (dice(maker, 2) == 0)
		put(text, "</body></html>\n");
}

/* ---- parts ---- */

static void put_base64(FILE *mail, const unsigned char *data, size_t size)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16;

		bits |= i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0;
		bits |= i + 2 < size ? (uint32_t)data[i + 2] : 0;
		(void)fputc(digits[bits >> 18], mail);
		(void)fputc(digits[bits >> 12 & 63], mail);
		(void)fputc(i + 1 < size ? digits[bits >> 6 & 63] : '=', mail);
		(void)fputc(i + 2 < size ? digits[bits & 63] : '=', mail);
		if (i % 57 == 54)
			(void)fputc('\n', mail);
	}
	(void)fputc('\n', mail);
}

static void put_quoted(FILE *mail, const unsigned char *data, size_t size)
{
	unsigned int column = 0;

	for (size_t i = 0; i < size; i++) {
		bool ends = i + 1 == size || data[i + 1] == '\n';

		if (data[i] == '\n') {
			(void)fputc('\n', mail);
			column = 0;
			continue;
		}
		if (column > 70) {
			(void)fputs("=\n", mail);
			column = 0;
		}
		if (data[i] < 32 || data[i] > 126 || data[i] == '=' || (data[i] == ' ' && ends) ||
		    (column == 0 && (data[i] == '.' || data[i] == 'F')))
			column += (unsigned int)fprintf(mail, "=%02X", data[i]);
		else
			column += fputc(data[i], mail) != EOF;
	}
	(void)fputc('\n', mail);
}

/* Into the charset; false if a letter has no place there, which the table above rules out. */
static bool convert(const struct charset *charset, const struct text *from, struct text *to)
{
	iconv_t how = iconv_open(charset->name, "utf-8");
	char *in = (char *)(uintptr_t)from->data;
	char *out = to->data;
	size_t in_left = from->size;
	size_t out_left = TEXT_MAX;
	bool done;

	if (how == (iconv_t)-1)
		return false;
	done = iconv(how, &in, &in_left, &out, &out_left) != (size_t)-1 &&
	    iconv(how, NULL, NULL, &out, &out_left) != (size_t)-1;
	(void)iconv_close(how);
	to->size = TEXT_MAX - out_left;
	return done;
}

static void body(struct maker *maker, bool is_html, FILE *list)
{
	static struct text text;
	static struct text coded;
	const struct charset *charset = &charsets[dice(maker, COUNT(charsets))];
	unsigned int encoding = (unsigned int)dice(maker, 3);
	const unsigned char *data;

	text.size = 0;
	coded.size = 0;
	if (is_html)
		html(maker, charset, list, &text);
	else
		plain(maker, charset, list, &text);
	if (!convert(charset, &text, &coded)) {
		(void)fprintf(stderr, "%u: no %s\n", maker->message, charset->name);
		exit(EXIT_FAILURE);
	}
	data = (const unsigned char *)coded.data;
	(void)fprintf(maker->mail, "Content-Type: text/%s; charset=%s\n"
	    "Content-Transfer-Encoding: %s\n\n", is_html ? "html" : "plain",
	    charset->name, encoding == 0 ? "8bit" :
	    encoding == 1 ? "base64" : "quoted-printable");
	if (encoding == 1)
		put_base64(maker->mail, data, coded.size);
	else if (encoding == 2)
		put_quoted(maker->mail, data, coded.size);
	else
		(void)fwrite(data, 1, coded.size, maker->mail);
}

static void file(struct maker *maker)
{
	static const char *const types[] = { "application/octet-stream", "application/x-unknown",
		"application/vnd.ms-excel", "application/zip", "audio/mpeg" };
	static unsigned char data[20000];
	size_t size = dice(maker, 4) == 0 ? dice(maker, sizeof(data)) : 1 + dice(maker, 500);
	char path[300];
	FILE *copy;

	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)dice(maker, 256);
	(void)snprintf(path, sizeof(path), "%s/%u/%u", maker->folder, maker->message,
	    ++maker->file);
	copy = fopen(path, "we");
	if (copy == NULL || fwrite(data, 1, size, copy) != size || fclose(copy) != 0)
		exit(EXIT_FAILURE);
	(void)fprintf(maker->mail, "Content-Type: %s; name=\"f%u.bin\"\n"
	    "Content-Transfer-Encoding: base64\nContent-Disposition: attachment%s\n\n",
	    types[dice(maker, COUNT(types))], maker->file,
	    dice(maker, 2) == 0 ? "; filename*=utf-8''%C3%BC.bin" : "");
	put_base64(maker->mail, data, size);
}

static void part(struct maker *maker, FILE *list);

static void several(struct maker *maker, const char *kind, FILE *list)
{
	unsigned int boundary = maker->boundary++;

	(void)fprintf(maker->mail, "Content-Type: multipart/%s; "
	    "boundary=\"=_%u\"\n\nNo reader shows "
	    "this.\n", kind, boundary);
	if (strcmp(kind, "alternative") == 0) {
		(void)fprintf(maker->mail, "--=_%u\n", boundary);
		body(maker, false, NULL);
		(void)fprintf(maker->mail, "\n--=_%u\n", boundary);
		body(maker, true, list);
	} else {
		for (uint64_t n = 1 + dice(maker, 4); n > 0; n--) {
			(void)fprintf(maker->mail, "\n--=_%u\n", boundary);
			part(maker, list);
		}
	}
	/* cut off in transit, now and then */
	if (dice(maker, 10) != 0 || maker->depth > 1)
		(void)fprintf(maker->mail, "\n--=_%u--\n", boundary);
}

static void nested(struct maker *maker, FILE *list)
{
	char one[24];

	own_word(maker, one);
	(void)fprintf(maker->mail, "Content-Type: message/rfc822\n\n"
	    "From: a@example.org\nSubject: %s\n"
	    "MIME-Version: 1.0\n", one);
	if (list != NULL)
		(void)fprintf(list, "%s\n", one);
	part(maker, list);
}

static void part(struct maker *maker, FILE *list)
{
	uint64_t kind = maker->depth > 3 ? dice(maker, 6) : dice(maker, 10);

	maker->depth++;
	if (kind < 2)
		body(maker, false, list);
	else if (kind < 5)
		body(maker, true, list);
	else if (kind == 5)
		file(maker);
	else if (kind == 6)
		several(maker, "alternative", list);
	else if (kind == 7)
		nested(maker, list);
	else
		several(maker, "mixed", list);
	maker->depth--;
}

static FILE *open_file(const struct maker *maker, const char *suffix)
{
	char path[300];
	FILE *opened;

	(void)snprintf(path, sizeof(path), "%s/%u%s", maker->folder, maker->message, suffix);
	opened = fopen(path, "we");
	if (opened == NULL)
		exit(EXIT_FAILURE);
	return opened;
}

static void message(struct maker *maker)
{
	char path[300];
	char one[24];

	(void)snprintf(path, sizeof(path), "%s/%u", maker->folder, maker->message);
	(void)mkdir(path, 0700);
	maker->word = 0;
	maker->boundary = 0;
	maker->file = 0;
	maker->depth = 0;
	maker->mail = open_file(maker, ".eml");
	maker->words = open_file(maker, "/words");
	maker->hidden = open_file(maker, "/hidden");
	own_word(maker, one);
	(void)fprintf(maker->words, "%s\n", one);
	(void)fprintf(maker->mail, "From: Anna <a@example.org>\nTo: b@example.org\nSubject: %s\n"
	    "Date: Tue, 24 Nov 2026 09:15:00 +0100\nMIME-Version: 1.0\n", one);
	part(maker, maker->words);
	if (fclose(maker->mail) != 0 || fclose(maker->words) != 0 || fclose(maker->hidden) != 0)
		exit(EXIT_FAILURE);
}

int main(int argc, char *argv[])
{
	struct maker maker = { .folder = argc == 4 ? argv[3] : NULL };
	unsigned int count;

	if (argc != 4 || sscanf(argv[2], "%u", &count) != 1) {
		(void)fprintf(stderr, "usage: pdf_generate SEED COUNT FOLDER\n");
		return 64;
	}
	for (unsigned int i = 1; i <= count; i++) {
		unsigned long long seed = 0;

		/* each message has its own numbers: one alone can be made again */
		(void)sscanf(argv[1], "%llu", &seed);
		maker.state = (seed * 1000003 + i) * 0x9e3779b97f4a7c15ULL | 1;
		for (unsigned int warm = 0; warm < 8; warm++)
			(void)dice(&maker, 2);
		maker.message = i;
		message(&maker);
	}
	return EXIT_SUCCESS;
}
