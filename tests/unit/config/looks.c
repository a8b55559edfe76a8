/* A tenant's colour and logo. links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/looks.h"

static const unsigned char png[40] = "\211PNG\r\n\032\n\0\0\0\015IHDR\0\0\0\100\0\0\0\040";
static const unsigned char jpeg[40] = "\xff\xd8\xff\xe0\0\4xx\xff\xc2\0\013\010\0\040\0\100\3";

static void colours_are_six_digits_behind_a_hash(void **state)
{
	static const char *const bad[] = { "", "#", "#12345", "#1234567", "123456", "#12345g",
		"# 12345", "#+12345" };
	unsigned char rgb[3];

	(void)state;
	assert_true(looks_colour("#0fA0ff", rgb));
	assert_int_equal(rgb[0], 0x0f);
	assert_int_equal(rgb[1], 0xa0);
	assert_int_equal(rgb[2], 0xff);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(looks_colour(bad[i], rgb));
}

static void png_and_jpeg_are_known_by_their_bytes(void **state)
{
	struct conf_tenant tenant = { .name = NULL };
	struct fail f;

	(void)state;
	assert_int_equal(looks_take_logo(&tenant, png, sizeof(png), &f), SG_OK);
	assert_int_equal(tenant.logo_file.width, 64);
	assert_int_equal(tenant.logo_file.height, 32);
	assert_string_equal(looks_logo_type(&tenant.logo_file), "image/png");
	assert_int_equal(looks_take_logo(&tenant, jpeg, sizeof(jpeg), &f), SG_OK);
	assert_int_equal(tenant.logo_file.width, 64);
	assert_int_equal(tenant.logo_file.height, 32);
	assert_string_equal(looks_logo_type(&tenant.logo_file), "image/jpeg");
	free(tenant.logo_file.data);
}

static void other_files_and_sizes_are_refused_and_the_old_logo_stays(void **state)
{
	struct conf_tenant tenant = { .name = NULL };
	unsigned char *large = calloc(1, LOOKS_LOGO_MAX + 1);
	unsigned char wide[40];
	struct fail f;

	(void)state;
	assert_non_null(large);
	assert_int_equal(looks_take_logo(&tenant, png, sizeof(png), &f), SG_OK);
	memcpy(large, png, sizeof(png));
	assert_int_equal(looks_take_logo(&tenant, large, LOOKS_LOGO_MAX + 1, &f), SG_EUSAGE);
	assert_non_null(strstr(f.hint, "100 KB"));
	assert_int_equal(looks_take_logo(&tenant, large, LOOKS_LOGO_MAX, &f), SG_OK);
	assert_int_equal(looks_take_logo(&tenant, "GIF89a..............................", 34, &f),
	    SG_EUSAGE);
	assert_int_equal(looks_take_logo(&tenant, "", 0, &f), SG_EUSAGE);
	memcpy(wide, png, sizeof(png));
	wide[18] = 8;	/* 2,112 pixels */
	assert_int_equal(looks_take_logo(&tenant, wide, sizeof(wide), &f), SG_EUSAGE);
	assert_non_null(strstr(f.what, "2112 by 32"));
	assert_int_equal(tenant.logo_file.size, LOOKS_LOGO_MAX);
	free(tenant.logo_file.data);
	free(large);
}

/* Every beginning, and every changed byte: a size or a refusal. */
static void broken_files_do_no_harm(void **state)
{
	struct conf_tenant tenant = { .name = NULL };
	unsigned char file[40];
	unsigned int seed = 20261130;
	struct fail f;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		size_t size = (size_t)rand_r(&seed) % (sizeof(file) + 1);

		memcpy(file, round % 2 == 0 ? png : jpeg, sizeof(file));
		file[(size_t)rand_r(&seed) % sizeof(file)] = (unsigned char)rand_r(&seed);
		if (looks_take_logo(&tenant, file, size, &f) == SG_OK)
			assert_in_range(tenant.logo_file.width, LOOKS_SIDE_MIN, LOOKS_SIDE_MAX);
	}
	free(tenant.logo_file.data);
}

static void a_help_page_is_an_address_of_https_alone(void **state)
{
	static const char *const good[] = { "https://help.nord.example",
		"https://nord.example:8443/mail/help.html?lang=de#pdf",
		"https://xn--nrd-sna.example/%20a" };
	static const char *const bad[] = { "", "https://", "http://nord.example/",
		"HTTPS://a.example", "nord.example/help", "https://localhost/",
		"https://.example/", "https://-a.example/",
		"https://a.example:/", "https://a.example:123456/", "https://me@a.example/",
		"https://a.example@b.example/", "https://a.example/\"x", "https://a.example/<b>",
		"https://a.example/a b", "https://a.example/\n", "https://n\xc3\xb6rd.example/",
		"https://[2001:db8::1]/", "javascript:alert(1)", "https://a.example\\b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!looks_help_url(good[i]))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (looks_help_url(bad[i]))
			fail_msg("%s is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_help_page_is_an_address_of_https_alone),
		cmocka_unit_test(colours_are_six_digits_behind_a_hash),
		cmocka_unit_test(png_and_jpeg_are_known_by_their_bytes),
		cmocka_unit_test(other_files_and_sizes_are_refused_and_the_old_logo_stays),
		cmocka_unit_test(broken_files_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
