/* Tags and other flags: what the sender wrote, what must be found, what must be left.
 * links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/lookalike.h"
#include "config/rules.h"
#include "gateway/base/base64.h"
#include "gateway/base/str.h"

#define E WAY_ENVELOPE
#define P WAY_PDF
#define T WAY_TLS

struct subject_case {
	const char *subject;
	const char *rest;	/* NULL: no tag */
	unsigned int ways;
	const char *unknown;
};

static const struct subject_case cases[] = {
	/* nothing to find */
	{ "", NULL, 0, NULL },
	{ "Hello", NULL, 0, NULL },
	{ "secure", NULL, 0, NULL },
	{ "[]", NULL, 0, NULL },
	{ "[", NULL, 0, NULL },
	{ "]", NULL, 0, NULL },
	{ "][", NULL, 0, NULL },
	{ "[secure", NULL, 0, NULL },
	{ "secure]", NULL, 0, NULL },
	{ "(secure) Hello", NULL, 0, NULL },
	{ "[insecure] Hello", NULL, 0, NULL },
	{ "[secures] Hello", NULL, 0, NULL },
	{ "[secure boot] Patch", NULL, 0, NULL },
	{ "[list] Hello", NULL, 0, NULL },
	{ "Hello [secure] world", NULL, 0, NULL },
	{ "About [pdf] files", NULL, 0, NULL },
	{ "[list] [secure] Hello", NULL, 0, NULL },
	{ "Note: [secure] Hello", NULL, 0, NULL },
	{ "Hello [secure].", NULL, 0, NULL },
	{ "[[secure]] Hello", NULL, 0, NULL },
	/* at the start, at the end, any case, any white space */
	{ "[secure] Hello", "Hello", 0, NULL },
	{ "[SECURE] Hello", "Hello", 0, NULL },
	{ "[SeCuRe]Hello", "Hello", 0, NULL },
	{ " [secure] Hello", " Hello", 0, NULL },
	{ "[ secure ] Hello", "Hello", 0, NULL },
	{ "[\tsecure]\tHello", "Hello", 0, NULL },
	{ "Hello [secure]", "Hello", 0, NULL },
	{ "Hello[secure]", "Hello", 0, NULL },
	{ "Hello [secure]  \t", "Hello", 0, NULL },
	{ "[secure]", "", 0, NULL },
	{ "[secure] [secure]", "", 0, NULL },
	{ "[secure] Hello [pdf]", "Hello", P, NULL },
	{ "[encrypt] Hello", "Hello", 0, NULL },
	{ "[confidential] Hello", "Hello", 0, NULL },
	{ "Hello [draft] [secure]", "Hello [draft]", 0, NULL },
	{ "Hello ] [secure]", "Hello ]", 0, NULL },
	{ "[secure] [list] Hello", "[list] Hello", 0, NULL },
	/* several */
	{ "[secure pdf] Hello", "Hello", P, NULL },
	{ "[pdf,envelope] Hello", "Hello", P | E, NULL },
	{ "[secure, pdf; tls] Hello", "Hello", P | T, NULL },
	{ "[secure][pdf] Hello", "Hello", P, NULL },
	{ "[secure] [pdf] Hello [envelope]", "Hello", P | E, NULL },
	{ "[envelope] Hello", "Hello", E, NULL },
	{ "[tls] Hello", "Hello", T, NULL },
	/* a slip beside a known word is no clear text */
	{ "[secure pfd] Hello", "Hello", 0, "pfd" },
	{ "Hello [encrypt envelop]", "Hello", 0, "envelop" },
	/* replies */
	{ "Re: [secure] Hello", "Re: Hello", 0, NULL },
	{ "RE:[secure]Hello", "RE:Hello", 0, NULL },
	{ "Fwd: [pdf] Hello", "Fwd: Hello", P, NULL },
	{ "AW: WG: [secure] Hello", "AW: WG: Hello", 0, NULL },
	{ "SV: [secure] Hello", "SV: Hello", 0, NULL },
	{ "Re[2]: [secure] Hello", "Re[2]: Hello", 0, NULL },
	{ "Re(3): [secure] Hello", "Re(3): Hello", 0, NULL },
	{ "RE : [secure] Hello", "RE : Hello", 0, NULL },
	{ "[secure] Re: [pdf] Hello", "Re: Hello", P, NULL },
	{ "Re: Hello [secure]", "Re: Hello", 0, NULL },
	{ "Re: [secure]", "Re:", 0, NULL },
	{ "回复：[secure] Hello", "回复：Hello", 0, NULL },
	{ "Réf: [secure] Hello", "Réf: Hello", 0, NULL },
	{ "Regards: [secure] Hello", NULL, 0, NULL },
	/* folded */
	{ "[secure]\r\n Hello", "Hello", 0, NULL },
	{ "[secure\r\n pdf] Hello", "Hello", P, NULL },
	{ "Hello\r\n [secure]", "Hello", 0, NULL },
	{ "Hello\n\tthere\n\t[secure]", "Hello\n\tthere", 0, NULL },
	{ "Re:\r\n [secure]\r\n Hello", "Re:\r\n Hello", 0, NULL },
	{ "[secure] Hello\r\n  there", "Hello\r\n  there", 0, NULL },
	/* encoded words, Q */
	{ "=?utf-8?Q?=5Bsecure=5D?= Hello", "Hello", 0, NULL },
	{ "=?utf-8?q?[secure]_Gr=C3=BC=C3=9Fe?=", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", 0, NULL },
	{ "=?UTF-8?Q?Gr=c3=bc=C3=9fe_[secure]?=", "=?UTF-8?Q?Gr=c3=bc=C3=9fe?=", 0, NULL },
	{ "[secure] =?iso-8859-1?Q?Gr=FC=DFe?=", "=?iso-8859-1?Q?Gr=FC=DFe?=", 0, NULL },
	{ "=?iso-8859-1?Q?Re=3A_[secure]_Gr=FC=DFe?=", "=?iso-8859-1?Q?Re=3A_Gr=FC=DFe?=", 0,
	    NULL },
	{ "=?utf-8?Q?Gr=C3=BC?= =?utf-8?Q?=C3=9Fe?=\r\n =?utf-8?Q?_=5Bsecure=5D?=",
	    "=?utf-8?Q?Gr=C3=BC?= =?utf-8?Q?=C3=9Fe?=", 0, NULL },
	{ "=?utf-8?Q?[sec?= =?utf-8?Q?ure]_=C3=BC?=", "=?utf-8?Q?=C3=BC?=", 0, NULL },
	{ "[=?utf-8?Q?secure?=] Hello", "Hello", 0, NULL },
	{ "=?utf-8?Q?Re=3A_?= =?utf-8?Q?[secure]?= =?utf-8?Q?=C3=BC?=",
	    "=?utf-8?Q?Re=3A_?= =?utf-8?Q?=C3=BC?=", 0, NULL },
	{ "=?utf-8?Q?=C3=BC?=[secure]", "=?utf-8?Q?=C3=BC?=", 0, NULL },
	{ "=?utf-8*de?Q?[secure]_=C3=BC?=", "=?utf-8*de?Q?=C3=BC?=", 0, NULL },
	{ "=?utf-8?Q?[secure] a b?=", "=?utf-8?Q?a b?=", 0, NULL },
	{ "=?utf-8?Q?Hello?= [secure] =?utf-8?Q?world?=", NULL, 0, NULL },
	/* encoded words, B */
	{ "=?utf-8?B?W3NlY3VyZV0gR3LDvMOfZQ==?=", "=?utf-8?B?R3LDvMOfZQ==?=", 0, NULL },
	{ "=?utf-8?B?W3NlY3VyZV0gR3LDvMOfZQ?=", "=?utf-8?B?R3LDvMOfZQ==?=", 0, NULL },
	{ "=?utf-8?b?W3NlY3?= =?utf-8?b?VyZV0=?= Hello", NULL, 0, NULL },
	{ "=?utf-8?b?W3NlYw==?= =?utf-8?b?dXJlXQ==?= Hello", "Hello", 0, NULL },
	{ "=?utf-8?B?R3LDvMOfZSBbcGRmXQ==?=", "=?utf-8?B?R3LDvMOfZQ==?=", P, NULL },
	{ "=?utf-8?B?!!!?= [secure]", "=?utf-8?B?!!!?=", 0, NULL },
	/* broken encoded words are text */
	{ "=?utf-8?Q?[secure]", "=?utf-8?Q?", 0, NULL },
	{ "[secure] =?utf-8?Q?x", "=?utf-8?Q?x", 0, NULL },
	{ "[secure] =?=?=?", "=?=?=?", 0, NULL },
	{ "=?utf-8?X?[secure]?=", NULL, 0, NULL },
	{ "=?utf-8?Q?\?= [secure]", "=?utf-8?Q?\?=", 0, NULL },
	/* no-break space and invisible marks are no way round; letters that end like them stay */
	{ "Hello [secure]\xc2\xa0", "Hello\xc2\xa0", 0, NULL },
	{ "\xef\xbb\xbf[secure] Hello", "\xef\xbb\xbfHello", 0, NULL },
	{ "Voil\xc3\xa0 [secure]", "Voil\xc3\xa0", 0, NULL },
	{ "Voil\xc3\xa0[secure]", "Voil\xc3\xa0", 0, NULL },
	{ "[secure]\xc2\xa0Hello", "\xc2\xa0Hello", 0, NULL },
	/* what carries an argument never leaves */
	{ "[secure pass:x] Hello", "Hello", 0, NULL },
	{ "[pass:x] Hello", "Hello", 0, NULL },
	{ "[pdf sms:+4912345] Hello", "Hello", P, NULL },
	{ "[sms:+49 151 2345678] Hello", "Hello", P, NULL },
	{ "Re: [secure sms:+4912345678] Hello", "Re: Hello", P, NULL },
	{ "Hello [envelope sms:+4912345678]", "Hello", E | P, NULL },
	{ "Hello [secure pass:x]", "Hello", 0, NULL },
	{ "[secure pass:my long secret] Hello", "Hello", 0, NULL },
	{ "[secure PASS=x] Hello", "Hello", 0, NULL },
	{ "Hello [secure pass:a[b]", "Hello", 0, NULL },
	{ "Hello [secure pass:a]b]", "Hello", 0, NULL },
	{ "=?utf-8?Q?[secure_pass:=C3=BC]?= Hello", "Hello", 0, NULL },
	{ "Re: [secure pass:x] Hello", "Re: Hello", 0, NULL },
	{ "[secure pass:x] Re: Hello", "Re: Hello", 0, NULL },
	{ "Fwd: Hello [pdf pass:x]", "Fwd: Hello", P, NULL },
	/* what only looks like a tag flags, by a word that nobody knows */
	{ "［secure］ Hello", NULL, 0, LOOKALIKE_WORD },
	{ "Hello ［pdf］", NULL, 0, LOOKALIKE_WORD },
	{ "Re: ［ｓｅｃｕｒｅ］ Hello", NULL, 0, LOOKALIKE_WORD },
	{ "⁅secure⁆ Hello", NULL, 0, LOOKALIKE_WORD },
	{ "〔secure〕 Hello", NULL, 0, LOOKALIKE_WORD },
	{ "[sеcure] Hello", NULL, 0, LOOKALIKE_WORD },		/* Cyrillic e */
	{ "[ѕесurе pdf] Hello", NULL, 0, LOOKALIKE_WORD },
	{ "[СОΝFІDЕΝТІАL] Hello", NULL, 0, LOOKALIKE_WORD },
	{ "[\xf0\x9d\x90\xac\xf0\x9d\x90\x9e" "cure] Hello", NULL, 0, LOOKALIKE_WORD },
	{ "[sec\xe2\x80\x8bure] Hello", NULL, 0, LOOKALIKE_WORD },
	{ "[sec\xc2\xadure] Hello", NULL, 0, LOOKALIKE_WORD },
	{ "[se\xcc\x81" "cure] Hello", NULL, 0, LOOKALIKE_WORD },
	{ "\xe2\x80\xae[secure\xe2\x80\xac] Hello", NULL, 0, LOOKALIKE_WORD },
	{ "[secure\xc2\xa0pdf] Hello", NULL, 0, LOOKALIKE_WORD },
	{ "=?utf-8?Q?=EF=BC=BBsecure=EF=BC=BD?= Hello", NULL, 0, LOOKALIKE_WORD },
	{ "=?utf-8?B?W3PQtWN1cmVdIHg=?=", NULL, 0, LOOKALIKE_WORD },
	{ "［secure］\r\n Hello", NULL, 0, LOOKALIKE_WORD },
	{ "［pdf］ Hello [secure]", "［pdf］ Hello", 0, LOOKALIKE_WORD },
	{ "［list］ Hello", NULL, 0, NULL },
	{ "【PDF】 資料", NULL, 0, NULL },
	{ "[Секция] Hello", NULL, 0, NULL },
	{ "Hello ［secure］ world", NULL, 0, NULL },
	{ "[secure] ［list］", "［list］", 0, NULL },
	{ "\xff\xfe［\xc3", NULL, 0, NULL },
	{ "=?iso-8859-1?Q?[s=E9cure]?=", NULL, 0, NULL },
};

static struct conf *conf;

static int start(void **state)
{
	(void)state;
	return conf_default(&conf, NULL) == SG_OK ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	conf_free(conf);
	return 0;
}

static void check_subject(const struct subject_case *c)
{
	struct rules_header header = { "Subject", c->subject };
	struct rules_flag flag;

	assert_int_equal(rules_match(conf, &header, 1, &flag, NULL), SG_OK);
	if (flag.flagged != (c->rest != NULL || c->unknown != NULL) || flag.ways != c->ways)
		fail_msg("\"%s\": flagged %d ways %u", c->subject, flag.flagged, flag.ways);
	if (c->rest == NULL) {
		assert_null(flag.subject);
		assert_true((flag.source != NULL) == (c->unknown != NULL));
	} else {
		assert_string_equal(flag.source, "subject");
		if (flag.subject == NULL || strcmp(flag.subject, c->rest) != 0)
			fail_msg("\"%s\": rest \"%s\"", c->subject, flag.subject);
	}
	if ((flag.unknown == NULL) != (c->unknown == NULL) ||
	    (flag.unknown != NULL && strcmp(flag.unknown, c->unknown) != 0))
		fail_msg("\"%s\": unknown \"%s\"", c->subject, flag.unknown);
	rules_flag_free(&flag);
}

static void tags_are_found_at_the_ends_of_a_subject(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_subject(&cases[i]);
}

static void what_is_left_has_no_tag(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rules_header header = { "Subject", cases[i].rest };
		struct rules_flag flag;

		if (cases[i].rest == NULL)
			continue;
		assert_int_equal(rules_match(conf, &header, 1, &flag, NULL), SG_OK);
		assert_true(!flag.flagged || (flag.unknown != NULL &&
		    strcmp(flag.unknown, LOOKALIKE_WORD) == 0));
		rules_flag_free(&flag);
	}
}

struct field_case {
	const char *name;
	const char *value;
	bool flagged;
	unsigned int ways;
	const char *unknown;
	const char *source;
};

static void fields_flag(void **state)
{
	static const struct field_case fields[] = {
		{ "X-Sealgate", "pdf", true, P, NULL, "header" },
		{ "x-sealgate", " PDF", true, P, NULL, "header" },
		{ "X-Sealgate", "envelope, pdf", true, E | P, NULL, "header" },
		{ "X-Sealgate", "secure", true, 0, NULL, "header" },
		{ "X-Sealgate", "tls", true, T, NULL, "header" },
		{ "X-Sealgate", "pdf\r\n\t,envelope", true, E | P, NULL, "header" },
		{ "X-Sealgate", "foo", true, 0, "foo", "header" },
		{ "X-Sealgate", "no", true, 0, "no", "header" },
		{ "X-Sealgate", "", true, 0, "?", "header" },
		{ "X-Sealgate", " , ", true, 0, "?", "header" },
		{ "X-Sealgate", "pass:secret", true, 0, NULL, "header" },
		{ "X-Sealgate", "pdf f\xc3\xbc", true, P, "f??", "header" },
		{ "X-Sealgate-Mark", "pdf", false, 0, NULL, NULL },
		{ "X-Sealgat", "pdf", false, 0, NULL, NULL },
		{ "Sensitivity", "Company-Confidential", true, 0, NULL, "sensitivity" },
		{ "Sensitivity", " private ", true, 0, NULL, "sensitivity" },
		{ "sensitivity", "Private", true, 0, NULL, "sensitivity" },
		{ "Sensitivity", "Personal", false, 0, NULL, NULL },
		{ "Sensitivity", "", false, 0, NULL, NULL },
		{ "Sensitivity", "privately", false, 0, NULL, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct rules_header header = { fields[i].name, fields[i].value };
		struct rules_flag flag;

		assert_int_equal(rules_match(conf, &header, 1, &flag, NULL), SG_OK);
		assert_int_equal(flag.flagged, fields[i].flagged);
		assert_int_equal(flag.ways, fields[i].ways);
		assert_null(flag.subject);
		if (fields[i].source != NULL)
			assert_string_equal(flag.source, fields[i].source);
		if (fields[i].unknown == NULL)
			assert_null(flag.unknown);
		else
			assert_string_equal(flag.unknown, fields[i].unknown);
		rules_flag_free(&flag);
	}
}

static void sources_add_up_and_the_subject_is_named_first(void **state)
{
	const struct rules_header headers[] = { { "Sensitivity", "Private" },
		{ "X-Sealgate", "pdf" }, { "Subject", "[envelope] Hello" },
		{ "Subject", "[secure] Again" } };
	struct rules_flag flag;

	(void)state;
	assert_int_equal(rules_match(conf, headers, 4, &flag, NULL), SG_OK);
	assert_true(flag.flagged);
	assert_int_equal(flag.ways, E | P);
	assert_string_equal(flag.source, "subject");
	assert_string_equal(flag.subject, "Hello");
	rules_flag_free(&flag);
	assert_int_equal(rules_match(conf, headers, 2, &flag, NULL), SG_OK);
	assert_string_equal(flag.source, "header");
	rules_flag_free(&flag);
}

/* Hostile ones take time in proportion to their size: 4 MiB each would not end otherwise. */
static void long_subjects_end_soon(void **state)
{
	static const char *const patterns[] = { "[", "]", "=?", "=?a?q?x", "[secure", "=?a?b?==",
		"[secure] ", "a[tls]", "Re: ", "=?a?q?=?= ", " ", "\xc2\xa0", "\xef\xbc\xbb",
		"[s\xd0\xb5" "cure", "\xef\xbc\xbbsecure\xef\xbc\xbd" };
	const size_t size = (size_t)4 * 1024 * 1024;
	char *text = malloc(size + 16);
	size_t i;
	size_t at;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		struct rules_header header = { "Subject", text };
		struct rules_flag flag;
		size_t step = strlen(patterns[i]);

		for (at = 0; at + step < size; at += step)
			memcpy(text + at, patterns[i], step);
		text[at] = '\0';
		assert_int_equal(rules_match(conf, &header, 1, &flag, NULL), SG_OK);
		rules_flag_free(&flag);
	}
	free(text);
}

/* Random pieces: a subject with its tags taken off is no longer than before. */
static void random_walk(void **state)
{
	static const char *const pieces[] = { "[", "]", "secure", "pdf", " ", "\r\n ", "Re:",
		"Fwd: ",
		"=?utf-8?Q?", "?=", "=5B", "=5D", "_", "=?utf-8?B?", "W3NlY3VyZV0=", "=C3=BC", "x",
		"[secure]", "[pdf]", "\xc3\xa0", "\xc2\xa0", "pass:", ",", "[secure pass:q]" };
	unsigned int seed = 20260101;
	unsigned int round;

	(void)state;
	for (round = 0; round < 200000; round++) {
		char text[256];
		struct rules_header header = { "Subject", text };
		struct rules_flag flag;
		size_t size = 0;
		unsigned int count = 1 + (unsigned int)rand_r(&seed) % 10;

		while (count-- > 0) {
			const char *piece = pieces[(size_t)rand_r(&seed) %
			    (sizeof pieces / sizeof pieces[0])];

			memcpy(text + size, piece, strlen(piece));
			size += strlen(piece);
		}
		text[size] = '\0';
		assert_int_equal(rules_match(conf, &header, 1, &flag, NULL), SG_OK);
		assert_int_equal(flag.flagged, flag.subject != NULL || (flag.unknown != NULL &&
		    strcmp(flag.unknown, LOOKALIKE_WORD) == 0));
		if (flag.subject != NULL)
			assert_true(strlen(flag.subject) < size + 4);
		rules_flag_free(&flag);
	}
}

static void own_words_replace_the_shipped_ones(void **state)
{
	struct rules_header header = { "Subject", "[vertraulich] Hallo" };
	struct rules_flag flag;

	(void)state;
	assert_int_equal(rules_match(conf, &header, 1, &flag, NULL), SG_OK);
	assert_false(flag.flagged);
	assert_int_equal(str_list_add(&conf->tags.secure, "vertraulich"), SG_OK);
	assert_int_equal(rules_match(conf, &header, 1, &flag, NULL), SG_OK);
	assert_string_equal(flag.subject, "Hallo");
	rules_flag_free(&flag);
}

static void arguments_are_taken_out_of_a_field(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		const char *password;	/* NULL: none */
		const char *number;	/* NULL: none */
		const char *clean;
		bool late;
	} fields[] = {
		{ "Subject", "[secure] Hello", NULL, NULL, NULL, false },
		{ "Subject", " [secure pass:open sesame 7] Hello", "open sesame 7", NULL,
		    " [secure pass:] Hello", false },
		{ "Subject", "Hello [pass: x ]", "x", NULL, "Hello [pass:]", false },
		{ "Subject", "Hello [secure pass:a]b]", "a]b", NULL, "Hello [secure pass:]",
		    false },
		{ "Subject", "[pdf PASSWORD=q\r\n w] Hi", "q w", NULL, "[pdf PASSWORD=] Hi",
		    false },
		{ "Subject", "=?utf-8?Q?[secure_pass:=41b=43]_Gr=C3=BC=C3=9Fe?=", "AbC", NULL,
		    "=?utf-8?Q?[secure_pass:]_Gr=C3=BC=C3=9Fe?=", false },
		{ "Subject", "Re: [secure pass:x] Hello", "x", NULL, "Re: [secure pass:] Hello",
		    true },
		{ "Subject", "Hello [secure pass:x] there", NULL, NULL, NULL, false },
		{ "Subject", "[secure sms:+49 (151)\r\n 123-4] Hello", NULL, "+49 (151) 123-4",
		    "[secure sms:] Hello", false },
		{ "Subject", "=?utf-8?Q?[SMS=3A+49123]_Gr=C3=BC=C3=9Fe?=", NULL, "+49123",
		    "=?utf-8?Q?[SMS=3A]_Gr=C3=BC=C3=9Fe?=", false },
		{ "Subject", "Fwd: Hello [sms=+49123]", NULL, "+49123", "Fwd: Hello [sms=]", true },
		{ "x-sealgate", " pdf pass:one, two;three\r\n", "one, two;three", NULL,
		    " pdf pass:", false },
		{ "X-Sealgate", "sms:+49 151 1234", NULL, "+49 151 1234", "sms:", false },
		{ "X-Sealgate", "secure", NULL, NULL, NULL, false },
		{ "Comments", "[secure pass:x]", NULL, NULL, NULL, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct rules_header header = { fields[i].name, fields[i].value };
		struct rules_arguments arguments = { .passwords = 0 };
		struct rules_flag flag;
		char *clean = NULL;

		assert_int_equal(rules_take_arguments(conf, &header, &arguments, &clean, NULL),
		    SG_OK);
		assert_int_equal(arguments.passwords, fields[i].password != NULL);
		assert_int_equal(arguments.numbers, fields[i].number != NULL);
		if (fields[i].clean == NULL) {
			assert_null(clean);
			continue;
		}
		if (fields[i].password != NULL)
			assert_true(secret_equal(&arguments.password, fields[i].password,
			    strlen(fields[i].password)));
		if (fields[i].number != NULL)
			assert_string_equal(arguments.number, fields[i].number);
		assert_string_equal(clean, fields[i].clean);
		header.value = clean;
		assert_int_equal(rules_match(conf, &header, 1, &flag, NULL), SG_OK);
		assert_true(flag.flagged && flag.unknown == NULL);
		assert_int_equal(flag.pass, fields[i].password != NULL);
		assert_int_equal(flag.sms, fields[i].number != NULL);
		assert_int_equal(flag.pass_late || flag.sms_late, fields[i].late);
		assert_int_equal(flag.sms ? flag.ways & WAY_PDF : 0, flag.sms ? WAY_PDF : 0);
		rules_flag_free(&flag);
		rules_arguments_free(&arguments);
		free(clean);
	}
}

static void several_arguments_are_counted(void **state)
{
	const struct rules_header header = { "Subject", "[pass:one] Hello [sms:+1] [pass:two]" };
	struct rules_arguments arguments = { .passwords = 0 };
	char *clean = NULL;

	(void)state;
	assert_int_equal(rules_take_arguments(conf, &header, &arguments, &clean, NULL), SG_OK);
	assert_int_equal(arguments.passwords, 2);
	assert_int_equal(arguments.numbers, 1);
	assert_string_equal(clean, "[pass:] Hello [sms:] [pass:]");
	rules_arguments_free(&arguments);
	free(clean);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_are_taken_out_of_a_field),
		cmocka_unit_test(several_arguments_are_counted),
		cmocka_unit_test(tags_are_found_at_the_ends_of_a_subject),
		cmocka_unit_test(what_is_left_has_no_tag),
		cmocka_unit_test(fields_flag),
		cmocka_unit_test(sources_add_up_and_the_subject_is_named_first),
		cmocka_unit_test(long_subjects_end_soon),
		cmocka_unit_test(random_walk),
		cmocka_unit_test(own_words_replace_the_shipped_ones),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
