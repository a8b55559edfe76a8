/* What an administrator writes about hooks. links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/hook.h"

static char none[] = "";
static char name[] = "acme";

static void addresses_carry_passwords_by_tls_or_stay_here(void **state)
{
	static const char *const good[] = { "https://sms.example/send", "HTTPS://sms.example",
		"https://sms.example:8443/a?b=c", "https://[2001:db8::1]/x",
		"http://127.0.0.1:8080/x",
		"http://127.1.2.3", "http://localhost/x", "http://[::1]:80/x" };
	static const char *const bad[] = { "sms.example", "ftp://sms.example", "https://",
		"https:///x", "https://:443/", "http://sms.example/", "http://localhost.example/",
		"http://127.0.0.1.example/", "http://127.0.0.1@sms.example/", "http://[::1]x/",
		"https://user:word@sms.example/", "https://sms.example/a b",
		"https://sms.example/\n",
		"https://sms.example\\@x/", "http://127.0.0.1\tx" };
	struct fail f;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (hook_check_url(good[i], &f) != SG_OK)
			fail_msg("%s: %s", good[i], f.what);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (hook_check_url(bad[i], &f) != SG_EUSAGE)
			fail_msg("%s", bad[i]);
	}
}

static void keys_do_not_contradict_each_other(void **state)
{
	static char command[] = "/usr/local/bin/sms";
	static char url[] = "https://sms.example/";
	static char token[] = "/etc/sealgate/token";
	static char word[] = CONF_PASSWORD_HOOK;
	char *words[] = { word };
	struct conf_tenant tenant = { .name = name, .hook_command = none, .hook_url = none,
		.hook_token_file = none };
	struct fail f;

	(void)state;
	assert_int_equal(hook_check(&tenant, &f), SG_OK);
	assert_false(hook_configured(&tenant));
	tenant.passwords = (struct str_list){ words, 1 };
	assert_int_equal(hook_check(&tenant, &f), SG_EUSAGE);
	tenant.hook_command = command;
	assert_int_equal(hook_check(&tenant, &f), SG_OK);
	assert_true(hook_configured(&tenant));
	tenant.hook_token_file = token;
	assert_int_equal(hook_check(&tenant, &f), SG_EUSAGE);
	tenant.hook_url = url;
	assert_int_equal(hook_check(&tenant, &f), SG_EUSAGE);
	tenant.hook_command = none;
	assert_int_equal(hook_check(&tenant, &f), SG_OK);
}

static void files_are_looked_at(void **state)
{
	static char shell[] = "/bin/sh";
	static char text[] = "/etc/passwd";
	static char missing[] = "/nonexistent/sms";
	struct conf_tenant tenant = { .name = name, .hook_command = shell, .hook_url = none,
		.hook_token_file = none };
	struct fail f;

	(void)state;
	assert_int_equal(hook_check_files(&tenant, &f), SG_OK);
	tenant.hook_command = text;
	assert_int_equal(hook_check_files(&tenant, &f), SG_EUSAGE);
	tenant.hook_command = missing;
	assert_int_equal(hook_check_files(&tenant, &f), SG_EUSAGE);
	tenant.hook_command = none;
	tenant.hook_token_file = missing;
	assert_int_equal(hook_check_files(&tenant, &f), SG_EUSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_carry_passwords_by_tls_or_stay_here),
		cmocka_unit_test(keys_do_not_contradict_each_other),
		cmocka_unit_test(files_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
