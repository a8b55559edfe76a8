/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pdfenc/vcard.h"

static void check(const char *vcf, const char *expected)
{
	GString *text = g_string_new(vcf);
	GString *card = g_string_new(NULL);

	assert_int_equal(vcard_to_card(text, card), expected[0] != '\0');
	assert_string_equal(card->str, expected);
	g_string_free(text, TRUE);
	g_string_free(card, TRUE);
}

static void a_card_is_read_in_its_order(void **state)
{
	(void)state;
	check("BEGIN:VCARD\nFN:Hans M\nORG:Northwind;Sales\nitem1.EMAIL;TYPE=work:h@example.org\n"
	    "ADR:;;Main St 1;Berlin;;10115;Germany\nEND:VCARD\n",
	    "Name: Hans M\nCompany: Northwind, Sales\nEmail: h@example.org\n"
	    "Address: Main St 1, Berlin, 10115, Germany\n");
}

static void the_old_version_may_be_quoted_printable(void **state)
{
	(void)state;
	check("BEGIN:VCARD\nN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCl=\nler;Hans\n"
	    "END:VCARD\n", "Name: M\303\274ller, Hans\n");
}

static void what_is_no_card_gives_nothing(void **state)
{
	(void)state;
	check("", "");
	check("FN:outside of a card\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_is_read_in_its_order),
		cmocka_unit_test(the_old_version_may_be_quoted_printable),
		cmocka_unit_test(what_is_no_card_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
