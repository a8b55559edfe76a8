/* The words around an encrypted PDF, and the MIME parts that they make. links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/looks.h"
#include "config/readable.h"
#include "gateway/base/str.h"
#include "milter/cover.h"
#include "milter/language.h"
#include "milter/part.h"

#define TEXT_MAX ((size_t)1024 * 1024)

static const unsigned char png[40] = "\211PNG\r\n\032\n\0\0\0\015IHDR\0\0\0\100\0\0\0\040";

/* The entity for a From field, as text; the caller frees. */
static char *cover_of(struct cover *cover, const char *from)
{
	struct message message;
	struct conf *conf = NULL;
	struct buf out;
	struct fail f;
	char *text;

	message_init(&message);
	buf_init(&out, COVER_MAX);
	assert_int_equal(conf_default(&conf, &f), SG_OK);
	assert_int_equal(message_set_sender(&message, "login@nord.example"), SG_OK);
	if (from != NULL)
		assert_int_equal(message_add_header(&message, "From", from, 100000), SG_OK);
	cover->conf = conf;
	cover->message = &message;
	assert_int_equal(cover_put(cover, "00ff", &out, &f), SG_OK);
	text = str_dup(buf_str(&out));
	buf_free(&out);
	message_free(&message);
	conf_free(conf);
	return text;
}

static void check_lines(const char *text)
{
	while (*text != '\0') {
		size_t size = strcspn(text, "\n");

		assert_true(size <= 79 && size > 0);	/* with its CR */
		assert_int_equal(text[size - 1], '\r');
		for (size_t i = 0; i + 1 < size; i++)
			assert_in_range((unsigned char)text[i], '\t', '~');
		text += size + 1;
	}
}

/* Undoes quoted-printable, roughly: what cover_put writes of it. */
static void unquote(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++) {
		unsigned char byte;
		char hex[3];

		if (*text == '\r')
			continue;
		if (*text != '=') {
			*out++ = *text;
			continue;
		}
		if (text[1] == '\r') {
			text += 2;
			continue;
		}
		(void)memcpy(hex, text + 1, 2);
		hex[2] = '\0';
		if (str_unhex(hex, &byte, 1) == SG_OK) {
			*out++ = (char)byte;
			text += 2;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

static void both_forms_say_who_what_and_how(void **state)
{
	static const char *const how[] = { "agreed with you", "has chosen", "has it and tells",
		"another way than mail", "ends in 67" };

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		struct cover cover = { .how = (enum cover_how)i, .number = "67" };
		char *text = cover_of(&cover, " Anna Berg <anna@nord.example>");
		const char *html;

		check_lines(text);
		unquote(text);
		html = strstr(text, "text/html");
		assert_non_null(strstr(text, "multipart/alternative"));
		assert_null(strstr(text, "multipart/related"));
		assert_non_null(html);
		assert_non_null(strstr(text, "Anna Berg <anna@nord.example> has sent"));
		assert_non_null(strstr(html, "Anna Berg &lt;anna@nord.example&gt;"));
		assert_true(strstr(text, "secure-message.pdf") < html);
		assert_non_null(strstr(html, "secure-message.pdf"));
		assert_non_null(strstr(html, how[i]));
		assert_null(strstr(text, "http"));
		assert_null(strstr(text, "href"));
		assert_null(strstr(text, "${"));
		assert_null(strstr(text, "invitation"));
		free(text);
	}
}

static void what_a_message_brings_cannot_write_html(void **state)
{
	struct cover cover = { .how = COVER_CHOSEN };
	char *text = cover_of(&cover, " \"<img src=x onerror='y'>\" <anna@nord.example>");
	const char *html;

	(void)state;
	unquote(text);
	html = strstr(text, "text/html");
	assert_null(strstr(html, "<img"));
	assert_non_null(strstr(html, "&lt;img src=x onerror=&#39;y&#39;&gt; &lt;anna@"));
	free(text);
}

static void a_sender_is_a_name_with_an_address_or_the_address(void **state)
{
	static const struct {
		const char *from;
		const char *shown;
	} senders[] = {
		{ NULL, "\nlogin@nord.example has" },
		{ " anna@nord.example", "\nanna@nord.example has" },
		{ " <anna@nord.example>", "\nanna@nord.example has" },
		{ " \"Berg, Anna\" <anna@nord.example>", "\nBerg, Anna <anna@nord.example> has" },
		{ " \"a \\\"b\\\" <c\" <anna@nord.example>",
		    "\na \"b\" <c <anna@nord.example> has" },
		{ " =?utf-8?q?J=C3=BCrgen?=\n =?utf-8?q?_Berg?= <j@nord.example>",
		    "\nJ\xc3\xbcrgen Berg <j@nord.example> has" },
		{ " =?iso-8859-1?q?J=FCrgen?= <j@nord.example>",
		    "\nJ\xc3\xbcrgen <j@nord.example> has" },
		/* who writes an address into the name could pretend to be another */
		{ " \"boss@bank.example\" <j@nord.example>", "\nj@nord.example has" },
		{ " =?utf-8?q?boss=40bank.example?= <j@nord.example>", "\nj@nord.example has" },
		{ " =?utf-8?q?a=0Ab=E2=80=AEc?= <j@nord.example>", "\nabc <j@nord.example> has" },
		{ " Anna <no address>", "\nAnna <login@nord.example> has" },
		{ " Anna <", "\nAnna <login@nord.example> has" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		struct cover cover = { .how = COVER_CHOSEN };
		char *text = cover_of(&cover, senders[i].from);

		unquote(text);
		if (strstr(text, senders[i].shown) == NULL)
			fail_msg("%s: %.400s", senders[i].from, text);
		free(text);
	}
}

static void a_tenant_shows_name_colour_and_logo(void **state)
{
	char name[] = "Nord & S\xc3\xb6hne";
	char colour[] = "#aa00cc";
	struct conf_tenant tenant = { .organisation = name, .colour = colour };
	struct cover cover = { .tenant = &tenant, .language = CONF_GERMAN, .invitation = true,
		.files = true };
	struct fail f;
	char *text;

	(void)state;
	assert_int_equal(looks_take_logo(&tenant, png, sizeof(png), &f), SG_OK);
	text = cover_of(&cover, " <anna@nord.example>");
	check_lines(text);
	unquote(text);
	assert_non_null(strstr(text, "multipart/related; type=\"text/html\""));
	assert_non_null(strstr(text, "Content-ID: <logo.00ff@sealgate>"));
	assert_non_null(strstr(text, "<img src=\"cid:logo.00ff@sealgate\" width=\"64\" "
	    "height=\"32\" alt=\"Nord &amp; S\xc3\xb6hne\""));
	assert_non_null(strstr(text, "\nNord & S\xc3\xb6hne\n"));
	assert_non_null(strstr(text, "solid #aa00cc"));
	assert_non_null(strstr(text, "geschuetzte-nachricht.pdf"));
	assert_non_null(strstr(text, "Einladung"));
	assert_non_null(strstr(text, "B\xc3\xbcroklammer"));
	assert_non_null(strstr(text, "Content-Language: de"));
	free(text);
	free(tenant.logo_file.data);
}

static void long_lines_are_broken_at_spaces(void **state)
{
	static const char text[] = "short\n\n  1. aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd "
	    "eeeeeeeee fffffffff ggggggggg hhhhhhhhh\n"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y\n";
	static const char wrapped[] = "short\n\n  1. aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd "
	    "eeeeeeeee fffffffff\n     ggggggggg hhhhhhhhh\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\ny\n";
	struct buf out;

	(void)state;
	buf_init(&out, TEXT_MAX);
	assert_int_equal(part_wrap(text, &out), SG_OK);
	assert_string_equal(buf_str(&out), wrapped);
	buf_free(&out);
}

/* Any bytes of text come back, in lines that mail may have. */
static void random_text_survives_its_encoding(void **state)
{
	static const char *const pieces[] = { "a", " ", "=", "\n", "\xc3\xbc", "\xe2\x82\xac", ".",
		"word ", "\t", "=3D", "a long piece of text " };
	unsigned int seed = 20261130;

	(void)state;
	for (unsigned int round = 0; round < 2000; round++) {
		struct buf text;
		struct buf out;
		char *back;

		buf_init(&text, TEXT_MAX);
		buf_init(&out, TEXT_MAX);
		for (unsigned int i = 0; i < 1 + round % 60; i++)
			assert_int_equal(buf_append_str(&text, pieces[(size_t)rand_r(&seed) % 11]),
			    SG_OK);
		assert_int_equal(buf_append_str(&text, "\xc3\xbc"), SG_OK);
		assert_int_equal(part_text("text/plain", "en", &text, &out), SG_OK);
		assert_int_equal(buf_append_str(&out, "\r\n"), SG_OK);
		back = str_dup(strstr(buf_str(&out), "\r\n\r\n") + 4);
		check_lines(buf_str(&out));
		unquote(back);
		back[strlen(back) - 1] = '\0';
		assert_string_equal(back, buf_str(&text));
		free(back);
		buf_free(&out);
		buf_free(&text);
	}
}

static void the_language_is_that_of_the_message(void **state)
{
	struct message message;

	(void)state;
	message_init(&message);
	assert_int_equal(language_of_message(&message, CONF_FRENCH), CONF_FRENCH);
	assert_int_equal(message_add_header(&message, "Content-Language", " es", 1000), SG_OK);
	assert_int_equal(language_of_message(&message, CONF_FRENCH), CONF_SPANISH);
	assert_int_equal(message_add_header(&message, "Accept-Language", " de-DE, en", 1000),
	    SG_OK);
	assert_int_equal(language_of_message(&message, CONF_FRENCH), CONF_GERMAN);
	message_free(&message);
}

static unsigned int count_of(const char *text, const char *word)
{
	unsigned int count = 0;

	for (text = strstr(text, word); text != NULL; text = strstr(text + 1, word))
		count++;
	return count;
}

/* In each language: with one the text has it in both forms and nothing else, without it none. */
static void the_help_page_is_the_only_link(void **state)
{
	static const char link[] = "<a href=\"https://nord.example/help?a=1&amp;b=2\">"
	    "https://nord.example/help?a=1&amp;b=2</a>";
	static const char *const none[] = { "has no links", "keine Links", "aucun lien",
		"no contiene enlaces" };
	static const char *const other[] = { "no other link", "keinen anderen Link",
		"aucun autre lien", "ning\xc3\xban otro enlace" };
	char url[] = "https://nord.example/help?a=1&b=2";
	char empty[] = "";
	struct conf_tenant tenant = { .organisation = empty, .colour = empty };

	(void)state;
	for (unsigned int i = 0; i < 2 * CONF_LANGUAGES; i++) {
		struct cover cover = { .tenant = &tenant, .language = (enum conf_language)(i / 2) };
		bool is_set = i % 2 == 1;
		char *text;

		tenant.help_url = is_set ? url : empty;
		text = cover_of(&cover, " Anna <anna@nord.example>");
		check_lines(text);
		unquote(text);
		assert_int_equal(count_of(text, none[i / 2]), is_set ? 0 : 2);
		assert_int_equal(count_of(text, other[i / 2]), is_set ? 2 : 0);
		assert_int_equal(count_of(text, url), is_set ? 1 : 0);
		assert_int_equal(count_of(text, link), is_set ? 1 : 0);
		assert_int_equal(count_of(text, "http"), is_set ? 3 : 0);
		assert_null(strstr(text, "${"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_help_page_is_the_only_link),
		cmocka_unit_test(both_forms_say_who_what_and_how),
		cmocka_unit_test(what_a_message_brings_cannot_write_html),
		cmocka_unit_test(a_sender_is_a_name_with_an_address_or_the_address),
		cmocka_unit_test(a_tenant_shows_name_colour_and_logo),
		cmocka_unit_test(long_lines_are_broken_at_spaces),
		cmocka_unit_test(random_text_survives_its_encoding),
		cmocka_unit_test(the_language_is_that_of_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
