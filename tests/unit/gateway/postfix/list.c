/* links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/postfix/list.h"

static void same(char *got, const char *expected)
{
	assert_non_null(got);
	assert_string_equal(got, expected);
	free(got);
}

static void braces_hold_an_element_together(void **state)
{
	struct str_list list;

	(void)state;
	assert_int_equal(list_split(" { unix:/a, x=y z },inet:b:1  ,\tregexp:{ {/a b/ OK} }",
	                     &list),
	    SG_OK);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0], "{ unix:/a, x=y z }");
	assert_string_equal(list.items[1], "inet:b:1");
	assert_string_equal(list.items[2], "regexp:{ {/a b/ OK} }");
	str_list_free(&list);
}

static void an_empty_value_has_no_elements(void **state)
{
	struct str_list list;

	(void)state;
	assert_int_equal(list_split(" , ", &list), SG_OK);
	assert_int_equal(list.count, 0);
}

static void an_unclosed_brace_is_one_element(void **state)
{
	struct str_list list;

	(void)state;
	assert_int_equal(list_split("{ unix:/a, b", &list), SG_OK);
	assert_int_equal(list.count, 1);
	str_list_free(&list);
}

static void too_many_elements_are_refused(void **state)
{
	char text[2 * LIST_ELEMENTS_MAX + 3];
	struct str_list list;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 2 == 0 ? 'a' : ',';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(list_split(text, &list), SG_ELIMIT);
	assert_int_equal(list.count, 0);
}

static void settings_do_not_make_another_milter(void **state)
{
	(void)state;
	assert_true(list_same("{ unix:/a, default_action=tempfail }", "unix:/a"));
	assert_true(list_same("{unix:/a}", "{ unix:/a , x=y }"));
	assert_false(list_same("unix:/a", "unix:/ab"));
	assert_true(list_has("inet:x:1, {unix:/a,default_action=accept}", "unix:/a"));
	assert_false(list_has("", "unix:/a"));
}

static void the_setting_of_an_element_is_found(void **state)
{
	(void)state;
	same(list_setting("{ unix:/a, protocol=6, default_action = tempfail }", "default_action"),
	    "tempfail");
	same(list_setting("{unix:/a,default_action=accept}", "default_action"), "accept");
	assert_null(list_setting("{ unix:/a, my_default_action=x }", "default_action"));
	assert_null(list_setting("unix:/a", "default_action"));
}

static void ours_comes_first_and_once(void **state)
{
	(void)state;
	same(list_put_first("inet:x:1,  unix:/a", "{ unix:/a, k=v }", ", "),
	    "{ unix:/a, k=v }, inet:x:1");
	same(list_put_first("", "unix:/a", ","), "unix:/a");
}

static void taking_ours_out_leaves_the_others(void **state)
{
	(void)state;
	same(list_without("{ unix:/a, k=v }, inet:x:1, inet:y:2", "unix:/a"), "inet:x:1, inet:y:2");
	same(list_without("{unix:/a,k=v},inet:x:1", "unix:/a"), "inet:x:1");
	same(list_without("unix:/a", "unix:/a"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(braces_hold_an_element_together),
		cmocka_unit_test(an_empty_value_has_no_elements),
		cmocka_unit_test(an_unclosed_brace_is_one_element),
		cmocka_unit_test(too_many_elements_are_refused),
		cmocka_unit_test(settings_do_not_make_another_milter),
		cmocka_unit_test(the_setting_of_an_element_is_found),
		cmocka_unit_test(ours_comes_first_and_once),
		cmocka_unit_test(taking_ours_out_leaves_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
