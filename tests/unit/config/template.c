/* Texts of our own mails. links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/template.h"
#include "gateway/base/fd.h"

static void built_in_texts_pass_their_own_check(void **state)
{
	static const char *const names[] = { TEMPLATE_PASSWORD, TEMPLATE_KEPT, TEMPLATE_UNHANDED,
		TEMPLATE_REFUSED, TEMPLATE_SEALED };
	const size_t count = sizeof(names) / sizeof(names[0]);
	struct fail f;

	(void)state;
	for (size_t i = 0; i < CONF_LANGUAGES * count; i++) {
		char *text = NULL;

		assert_int_equal(template_load("", (enum conf_language)(i / count),
		    names[i % count], &text, &f), SG_OK);
		assert_int_equal(template_check(names[i % count], text, &f), SG_OK);
		free(text);
	}
}

static void notices_must_say_about_whom_and_why(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *reason;	/* NULL: it is taken */
	} tried[] = {
		{ TEMPLATE_REFUSED, "Subject: x\n\n${recipients}${why}\n", NULL },
		{ TEMPLATE_REFUSED, "Subject: x\n\n${recipients}\n", "without ${why}" },
		{ TEMPLATE_REFUSED, "Subject: x\n\n${why}\n", "without ${recipients}" },
		{ TEMPLATE_REFUSED, "${recipients}${why}\n", "without a subject" },
		{ TEMPLATE_SEALED, "Subject: x\n\nHello\n", "without ${recipients}" },
		{ TEMPLATE_SEALED, "Subject: x\n\n${recipients}${why}\n", "${why} is not known" },
		{ TEMPLATE_WORDS, "[no-tls]\nNothing for it.\n", NULL },
		{ TEMPLATE_WORDS, "[no-tls]\nNo ${name}.\n\n[sms]\nx\n", "section of notices" },
	};
	struct fail f;

	(void)state;
	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
		enum fail_code code = template_check(tried[i].name, tried[i].text, &f);

		assert_int_equal(code, tried[i].reason == NULL ? SG_OK : SG_EUSAGE);
		if (tried[i].reason != NULL && strstr(f.what, tried[i].reason) == NULL)
			fail_msg("\"%s\" for %s", f.what, tried[i].text);
	}
}

static void wrong_texts_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} wrong[] = {
		{ "Hello ${password}\n", "without a subject" },
		{ "Subject: x\nHello ${password}\n", "without a subject" },
		{ "Subject: x\n\nHello\n", "without ${password} in its body" },
		{ "Subject: ${password}\n\n${password}\n", "not kept secret" },
		{ "Subject: x\n\n${password} ${pasword}\n", "${pasword} is not known" },
		{ "Subject: x\n\n${password} ${date\n", "without an end" },
		{ "Subject: x\n\n${password} \xff\n", "no UTF-8" },
		{ "Subject: x\r\n\r\n${password}\r\n", "CR" },
	};
	struct fail f;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(template_check(TEMPLATE_PASSWORD, wrong[i].text, &f), SG_EUSAGE);
		if (strstr(f.what, wrong[i].reason) == NULL)
			fail_msg("\"%s\" for %s", f.what, wrong[i].text);
	}
}

static void values_stand_in_place(void **state)
{
	const struct template_value values[] = { { "password", "a$b", 3 }, { "date", "now", 3 } };
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(template_fill("${date}: $5 ${password}${kept}${date}!$", values, 2,
	    &out), SG_OK);
	assert_string_equal(buf_str(&out), "now: $5 a$bnow!$");
	buf_free(&out);
}

static void sections_and_lines_without_words_are_left_out(void **state)
{
	static const char text[] = "${organisation}\n\n${name} wrote${recipient}.\n\n"
	    "Subject: ${subject}\n\n${files}\n\nend\n";
	const struct template_value values[] = { { "name", "A", 1 }, { "subject", "", 0 } };
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(template_fill_lines(text, values, 2, &out), SG_OK);
	assert_string_equal(buf_str(&out), "A wrote.\n\nend\n");
	buf_free(&out);
}

static void every_language_has_every_outer_text(void **state)
{
	static const char *const names[] = { TEMPLATE_OUTER, TEMPLATE_OUTER_HTML, TEMPLATE_WORDS };
	static const char *const sections[] = { "file", "recipient", "chosen", "generated", "hook",
		"sms", "files", "invitation", "help", "closing", "closing-help" };
	struct conf *conf = NULL;
	struct fail f;

	(void)state;
	assert_int_equal(conf_default(&conf, &f), SG_OK);
	for (unsigned int i = 0; i < CONF_LANGUAGES; i++) {
		for (unsigned int n = 0; n < 3; n++)
			assert_int_equal(template_check(names[n], template_text(conf,
			    (enum conf_language)i, names[n]), &f), SG_OK);
		for (size_t n = 0; n < sizeof(sections) / sizeof(sections[0]); n++) {
			char *text = template_section(conf, (enum conf_language)i, sections[n]);

			assert_non_null(text);
			assert_true(strlen(text) > 10);
			assert_null(strchr(text, '\n'));
			free(text);
		}
	}
	conf_free(conf);
}

static void an_own_section_leaves_the_others_as_they_are(void **state)
{
	struct conf *conf = NULL;
	struct fail f;
	char *text;

	(void)state;
	assert_int_equal(conf_default(&conf, &f), SG_OK);
	assert_int_equal(conf_add_text(conf, "de/words.txt", "[file]\nbrief.pdf\n\n[sms]\nPer SMS\n"
	    "an ${number}.\n"), SG_OK);
	text = template_section(conf, CONF_GERMAN, "sms");
	assert_string_equal(text, "Per SMS an ${number}.");
	free(text);
	text = template_section(conf, CONF_GERMAN, "file");
	assert_string_equal(text, "brief.pdf");
	free(text);
	text = template_section(conf, CONF_GERMAN, "files");
	assert_non_null(strstr(text, "Dateien"));
	free(text);
	conf_free(conf);
}

static void wrong_outer_texts_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *reason;
	} wrong[] = {
		{ TEMPLATE_OUTER, "${file} ${how}\n", "who sent" },
		{ TEMPLATE_OUTER, "${sender} ${file}\n", "how the message is read" },
		{ TEMPLATE_OUTER, "${sender} ${file} ${how} ${password}\n", "not known" },
		{ TEMPLATE_OUTER_HTML, "<SCRIPT>${name} ${file} ${how}", "<script" },
		{ TEMPLATE_OUTER_HTML, "<img src=\"http://x/\">${name} ${file} ${how}", "src=" },
		{ TEMPLATE_OUTER_HTML,
		    "<img SRC = x>${name} ${file} ${how} <p style='a:url( //x)'>",
		    "url(" },
		{ TEMPLATE_OUTER_HTML, "<meta http-equiv=refresh>${name} ${file} ${how}", "equiv" },
		{ TEMPLATE_WORDS, "nothing\n", "no section" },
		{ TEMPLATE_WORDS, "[fax]\nx\n", "[fax]" },
		{ TEMPLATE_WORDS, "[sms]\n\n[hook]\nx\n", "is empty" },
		{ TEMPLATE_WORDS, "[file]\nein brief.pdf\n", "no name" },
		{ TEMPLATE_WORDS, "[file]\n../x.pdf\n", "no name" },
		{ TEMPLATE_WORDS, "[sms]\n${how}\n", "not known" },
	};
	struct fail f;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fail_clear(&f);
		if (template_check(wrong[i].name, wrong[i].text, &f) != SG_EUSAGE ||
		    strstr(f.what, wrong[i].reason) == NULL)
			fail_msg("\"%s\" for %s", f.what, wrong[i].text);
	}
	assert_int_equal(template_check(TEMPLATE_OUTER_HTML, "<img src=\"cid:a\"><img src='data:b'>"
	    "${logo} ${name} ${file} ${how} <a href=\"https://x/\">", &f), SG_OK);
}

static void an_own_text_takes_the_place_of_the_built_in_one(void **state)
{
	static const char good[] = "Subject: Wort\n\n${password}\n";
	static const char bad[] = "Subject: Wort\n\nnichts\n";
	char folder[] = "/tmp/sealgate-template-XXXXXX";
	char language[64];
	char path[80];
	char *text = NULL;
	struct fail f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(language, sizeof(language), "%s/de", folder);
	(void)snprintf(path, sizeof(path), "%s/password.txt", language);
	assert_int_equal(mkdir(language, 0700), 0);
	assert_int_equal(fd_replace_file(path, good, strlen(good), 0600, &f), SG_OK);
	assert_int_equal(template_load(folder, CONF_GERMAN, TEMPLATE_PASSWORD, &text, &f), SG_OK);
	assert_string_equal(text, good);
	free(text);
	assert_int_equal(template_load(folder, CONF_FRENCH, TEMPLATE_PASSWORD, &text, &f), SG_OK);
	assert_non_null(strstr(text, "Mot de passe"));
	free(text);
	assert_int_equal(fd_replace_file(path, bad, strlen(bad), 0600, &f), SG_OK);
	assert_int_equal(template_load(folder, CONF_GERMAN, TEMPLATE_PASSWORD, &text, &f),
	    SG_EUSAGE);
	assert_null(text);
	assert_non_null(strstr(f.what, path));
	(void)unlink(path);
	(void)rmdir(language);
	(void)rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_texts_pass_their_own_check),
		cmocka_unit_test(notices_must_say_about_whom_and_why),
		cmocka_unit_test(wrong_texts_are_refused_with_a_reason),
		cmocka_unit_test(values_stand_in_place),
		cmocka_unit_test(an_own_text_takes_the_place_of_the_built_in_one),
		cmocka_unit_test(sections_and_lines_without_words_are_left_out),
		cmocka_unit_test(every_language_has_every_outer_text),
		cmocka_unit_test(an_own_section_leaves_the_others_as_they_are),
		cmocka_unit_test(wrong_outer_texts_are_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
