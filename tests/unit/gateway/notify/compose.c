/* Letters as messages. links: sealgate-notify */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/notify/compose.h"

static char password_text[] = "Subject: Passwort f\xc3\xbcr Ihre gesch\xc3\xbctzte Nachricht\n"
	"\n${subject}|${date}|\n${recipients}${password}\n${kept}End\n";
static char kept_text[] = "Kept.\n";
static char unhanded_text[] = "Subject: Nobody got it\n\n${subject}|${recipients}|${reason}\n";
static char refused_text[] = "Subject: Not sent\n\nSubject: ${subject}\n\n${recipients}\n${why}\n"
	"(${detail})\n";
static char sealed_text[] = "Subject: How\n\n${subject}\n${recipients}End\n";
static char no_mail[] = "There is no server that takes mail for this domain, as far as anybody "
	"could find out when it was looked for.";
static char as_chosen[] = "PDF, chosen";
static char as_envelope[] = "envelope";

static const char *subject_of(const char *raw, struct buf *out)
{
	buf_reset(out);
	assert_int_equal(compose_subject(raw, out), SG_OK);
	return buf_str(out);
}

static void subjects_become_readable(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, COMPOSE_MAX);
	assert_string_equal(subject_of(" Hello\r\n there", &out), "Hello there");
	assert_string_equal(subject_of("=?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?UTF-8?B?w6Q=?=", &out),
	    "Gr\xc3\xbc\xc3\x9f" "e\xc3\xa4");
	assert_string_equal(subject_of("=?iso-8859-1?Q?Gr=FC=DFe?=", &out),
	    "Gr\xc3\xbc\xc3\x9f" "e");
	assert_string_equal(subject_of("=?koi8-r?B?8NLJ18XU?= x", &out), "=?koi8-r?B?8NLJ18XU?= x");
	assert_string_equal(subject_of("a\x01" "b\xff", &out), "a?b?");
	assert_string_equal(subject_of("=?utf-8?Q?a=0D=0AX-Evil:_1?=", &out), "aX-Evil: 1");
	buf_free(&out);
}

static void a_letter_is_a_whole_message(void **state)
{
	const struct compose_text text = {.password = password_text, .kept = kept_text,
	    .unhanded = unhanded_text};
	struct vault_notice notice = {.language = CONF_GERMAN, .keep = true, .count = 3};
	char *sender = compose_sender("", "ann@acme.example");
	struct buf header;
	struct buf body;

	(void)state;
	buf_init(&header, COMPOSE_MAX);
	buf_init(&body, COMPOSE_MAX);
	notice.to = strdup("ann@acme.example");
	notice.subject = strdup(" Offer ${password}");
	assert_int_equal(secret_set(&notice.password, "abcd-efgh", 9), SG_OK);
	assert_int_equal(str_list_add(&notice.recipients, "bob@x.example"), SG_OK);
	assert_int_equal(compose_letter(&text, &notice, sender, 0, &header, &body), SG_OK);
	assert_string_equal(buf_str(&body), "Offer ${password}|Thu, 01 Jan 1970 00:00:00 +0000|\r\n"
	    "  bob@x.example\r\n  (+ 2)\r\nabcd-efgh\r\nKept.\r\nEnd\r\n");
	assert_non_null(strstr(buf_str(&header), "From: <postmaster@acme.example>\r\n"));
	assert_non_null(strstr(buf_str(&header), "\r\nAuto-Submitted: auto-generated\r\n"));
	assert_non_null(strstr(buf_str(&header), "\r\nContent-Language: de\r\n"));
	assert_non_null(strstr(buf_str(&header), "Subject: =?UTF-8?B?"));
	assert_null(strstr(buf_str(&header), "abcd-efgh"));
	vault_notice_free(&notice);
	buf_free(&header);
	buf_free(&body);
	free(sender);
}

static void what_no_hook_took_is_told_without_the_password(void **state)
{
	const struct compose_text text = {.password = password_text, .kept = kept_text,
	    .unhanded = unhanded_text};
	struct vault_notice notice = {.kind = VAULT_UNHANDED, .count = 1};
	struct buf header;
	struct buf body;

	(void)state;
	buf_init(&header, COMPOSE_MAX);
	buf_init(&body, COMPOSE_MAX);
	notice.to = strdup("ann@acme.example");
	notice.subject = strdup("Offer");
	notice.reason = strdup("exit status 1");
	assert_int_equal(str_list_add(&notice.recipients, "bob@x.example"), SG_OK);
	assert_int_equal(compose_letter(&text, &notice, "postmaster@acme.example", 0, &header,
	    &body), SG_OK);
	assert_non_null(strstr(buf_str(&header), "Subject: Nobody got it\r\n"));
	assert_string_equal(buf_str(&body), "Offer|  bob@x.example\r\n|exit status 1\r\n");
	vault_notice_free(&notice);
	buf_free(&header);
	buf_free(&body);
}

static void a_refusal_is_told_as_an_answer_without_a_hidden_subject(void **state)
{
	struct compose_text text = {.refused = refused_text};
	struct vault_notice notice = {.kind = VAULT_REFUSED, .count = 1};
	struct buf header;
	struct buf body;

	(void)state;
	text.notes[VAULT_NO_MAIL] = no_mail;
	buf_init(&header, COMPOSE_MAX);
	buf_init(&body, COMPOSE_MAX);
	notice.to = strdup("ann@acme.example");
	notice.subject = strdup("");
	notice.reason = strdup("null MX");
	notice.message_id = strdup("<1@acme.example>");
	notice.notes = calloc(1, 1);
	notice.notes[0] = VAULT_NO_MAIL;
	assert_int_equal(str_list_add(&notice.recipients, "bob@x.example"), SG_OK);
	assert_int_equal(compose_letter(&text, &notice, "postmaster@acme.example", 0, &header,
	    &body), SG_OK);
	assert_non_null(strstr(buf_str(&header), "\r\nAuto-Submitted: auto-replied\r\n"
	    "In-Reply-To: <1@acme.example>\r\nReferences: <1@acme.example>\r\n"));
	assert_string_equal(buf_str(&body), "  bob@x.example\r\n\r\n"
	    "There is no server that takes mail for this domain, as far as anybody could\r\n"
	    "find out when it was looked for.\r\n(null MX)\r\n");
	vault_notice_free(&notice);
	buf_free(&header);
	buf_free(&body);
}

static void a_notice_says_for_each_recipient_how(void **state)
{
	struct compose_text text = {.sealed = sealed_text};
	struct vault_notice notice = {.kind = VAULT_SEALED, .count = 3};
	struct buf header;
	struct buf body;

	(void)state;
	text.notes[VAULT_AS_CHOSEN] = as_chosen;
	text.notes[VAULT_AS_ENVELOPE] = as_envelope;
	buf_init(&header, COMPOSE_MAX);
	buf_init(&body, COMPOSE_MAX);
	notice.to = strdup("ann@acme.example");
	notice.subject = strdup("Offer");
	notice.message_id = strdup("");
	notice.notes = calloc(2, 1);
	notice.notes[0] = VAULT_AS_CHOSEN;
	notice.notes[1] = VAULT_AS_ENVELOPE;
	assert_int_equal(str_list_add(&notice.recipients, "bob@x.example"), SG_OK);
	assert_int_equal(str_list_add(&notice.recipients, "eve@x.example"), SG_OK);
	assert_int_equal(compose_letter(&text, &notice, "postmaster@acme.example", 0, &header,
	    &body), SG_OK);
	assert_null(strstr(buf_str(&header), "In-Reply-To"));
	assert_string_equal(buf_str(&body), "Offer\r\n  bob@x.example:\r\n    PDF, chosen\r\n"
	    "  eve@x.example:\r\n    envelope\r\n  (+ 1)\r\nEnd\r\n");
	vault_notice_free(&notice);
	buf_free(&header);
	buf_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subjects_become_readable),
		cmocka_unit_test(a_letter_is_a_whole_message),
		cmocka_unit_test(what_no_hook_took_is_told_without_the_password),
		cmocka_unit_test(a_refusal_is_told_as_an_answer_without_a_hidden_subject),
		cmocka_unit_test(a_notice_says_for_each_recipient_how),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
