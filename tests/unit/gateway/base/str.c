/* Strings, base64, secrets, files and failures: every bound and every bad input.
 * links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/base64.h"
#include "gateway/base/fd.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"

static void numbers_are_whole_or_refused(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1e3", "a" };
	int64_t ms;
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(str_parse_u64(bad[i], 0, UINT64_MAX, &n), SG_EFORMAT);
	assert_int_equal(str_parse_u64("18446744073709551615", 0, UINT64_MAX, &n), SG_OK);
	assert_int_equal(str_parse_u64("18446744073709551616", 0, UINT64_MAX, &n), SG_ELIMIT);
	assert_int_equal(str_parse_u64("9", 10, 20, &n), SG_ELIMIT);
	assert_int_equal(str_parse_u64("21", 10, 20, &n), SG_ELIMIT);
	assert_int_equal(str_parse_size("2m", &n), SG_OK);
	assert_int_equal(n, 2 * 1024 * 1024);
	assert_int_equal(str_parse_size("9999999999G", &n), SG_ELIMIT);
	assert_int_equal(str_parse_size("1KB", &n), SG_EFORMAT);
	assert_int_equal(str_parse_duration("2h", &ms), SG_OK);
	assert_int_equal(ms, 7200000);
	assert_int_equal(str_parse_duration("2", &ms), SG_EFORMAT);
}

static void utf8_is_strict(void **state)
{
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
		"\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xc3" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(str_utf8_char(bad[i], strlen(bad[i])), 0);
	assert_int_equal(str_utf8_char("\xf4\x8f\xbf\xbf", 4), 4);
	assert_int_equal(str_utf8_char("\xf4\x8f\xbf\xbf", 3), 0);
	assert_int_equal(str_utf8_char("", 0), 0);
}

static void json_is_escaped(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 200);
	assert_int_equal(str_json(&out, "a\"\\\n\x7f\xff\xc3\xbc"), SG_OK);
	assert_string_equal(buf_str(&out), "\"a\\\"\\\\\\u000a\\u007f\xef\xbf\xbd\xc3\xbc\"");
	buf_free(&out);
}

static void hexadecimal_must_be_exact(void **state)
{
	unsigned char data[2];
	char text[5];

	(void)state;
	assert_int_equal(str_unhex("aBfF", data, 2), SG_OK);
	str_hex(data, 2, text);
	assert_string_equal(text, "abff");
	assert_int_equal(str_unhex("abf", data, 2), SG_EFORMAT);
	assert_int_equal(str_unhex("abfff", data, 2), SG_EFORMAT);
	assert_int_equal(str_unhex("abfg", data, 2), SG_EFORMAT);
}

static void base64_of_every_length_comes_back(void **state)
{
	unsigned char data[200];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 37);
	for (size_t size = 0; size < sizeof(data); size++) {
		struct buf text;
		struct buf back;

		buf_init(&text, 1000);
		buf_init(&back, 1000);
		assert_int_equal(base64_encode(&text, data, size), SG_OK);
		assert_int_equal(text.size, (size + 2) / 3 * 4);
		assert_int_equal(base64_decode(&back, buf_str(&text), text.size), SG_OK);
		assert_int_equal(back.size, size);
		if (size > 0)
			assert_memory_equal(back.data, data, size);
		buf_free(&text);
		buf_free(&back);
	}
}

static void base64_lines_are_the_same_in_any_pieces(void **state)
{
	unsigned char data[1000];
	unsigned char whole[2000];
	unsigned char pieces[2000];
	size_t whole_size;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 37);
	for (size_t step = 1; step < 200; step += 7) {
		struct base64_lines lines = { { 0 }, 0 };
		size_t size = 0;

		whole_size = base64_lines_put(&lines, data, sizeof(data), whole);
		whole_size += base64_lines_end(&lines, whole + whole_size);
		for (size_t at = 0; at < sizeof(data); at += step)
			size += base64_lines_put(&lines, data + at, at + step > sizeof(data) ?
			    sizeof(data) - at : step, pieces + size);
		size += base64_lines_end(&lines, pieces + size);
		assert_int_equal(size, whole_size);
		assert_memory_equal(pieces, whole, size);
		assert_int_equal(whole[76], '\r');
	}
}

static void base64_refuses_what_is_none(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 3);
	assert_int_equal(base64_decode(&out, "YW Jj\r\n", 7), SG_OK);
	assert_int_equal(out.size, 3);
	assert_int_equal(base64_decode(&out, "YQ==", 4), SG_ELIMIT);
	assert_int_equal(out.size, 3);
	buf_reset(&out);
	assert_int_equal(base64_decode(&out, "YQ", 2), SG_OK);
	assert_int_equal(base64_decode(&out, "Y!==", 4), SG_EFORMAT);
	assert_int_equal(base64_decode(&out, "YQ==YQ", 6), SG_EFORMAT);
	assert_int_equal(out.size, 1);
	buf_free(&out);
}

static void secrets_are_bounded_moved_and_wiped(void **state)
{
	unsigned char large[SECRET_MAX + 1] = { 1 };
	struct secret from;
	struct secret to;

	(void)state;
	secret_init(&from);
	secret_init(&to);
	assert_int_equal(secret_set(&from, large, sizeof(large)), SG_ELIMIT);
	assert_int_equal(secret_set(&from, "password", 8), SG_OK);
	assert_true(secret_equal(&from, "password", 8));
	assert_false(secret_equal(&from, "passwore", 8));
	assert_false(secret_equal(&from, "password", 7));
	secret_move(&to, &from);
	assert_null(from.data);
	assert_true(secret_equal(&to, "password", 8));
	assert_int_equal(secret_set(&to, "x", 1), SG_OK);
	assert_int_equal(to.data[1], 0);	/* nothing of the longer one is left */
	secret_free(&to);
	secret_free(&to);
	assert_null(to.data);
}

static void a_secret_file_loses_one_line_end(void **state)
{
	static const char *const texts[][2] = {
		{ "pw\n", "pw" }, { "pw\r\n", "pw" }, { "pw", "pw" },
		{ "pw\n\n", "pw\n" }, { " pw ", " pw " }, { "", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct secret secret;
		struct fail f;
		int fd;

		secret_init(&secret);
		assert_int_equal(fd_memory("test", &fd, &f), SG_OK);
		assert_int_equal(fd_write_all(fd, texts[i][0], strlen(texts[i][0]), &f), SG_OK);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(secret_read(&secret, fd, &f), SG_OK);
		assert_true(secret_equal(&secret, texts[i][1], strlen(texts[i][1])));
		secret_free(&secret);
		fd_close(&fd);
		assert_int_equal(fd, -1);
	}
}

static void a_file_is_replaced_whole_or_not_at_all(void **state)
{
	char path[] = "/tmp/sealgate-unit-file.XXXXXX";
	struct stat st;
	struct buf out;
	struct fail f;
	int fd = mkstemp(path);

	(void)state;
	fd_close(&fd);
	buf_init(&out, 5);
	assert_int_equal(fd_replace_file(path, "12345", 5, 0640, &f), SG_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(fd_read_file(path, &out, &f), SG_OK);
	assert_string_equal(buf_str(&out), "12345");
	buf_reset(&out);
	assert_int_equal(fd_replace_file(path, "123456", 6, 0640, &f), SG_OK);
	assert_int_equal(fd_read_file(path, &out, &f), SG_ELIMIT);
	assert_int_equal(fd_replace_file("/nowhere/file", "1", 1, 0600, &f), SG_ESYSTEM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fd_read_file(path, &out, &f), SG_ENOTFOUND);
	buf_free(&out);
}

static void only_files_are_mapped_and_only_to_their_maximum(void **state)
{
	struct fd_map map;
	struct fail f;
	int ends[2];
	int fd;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_map(ends[0], 10, &map, &f), SG_EFORMAT);
	assert_int_equal(fd_memory("test", &fd, &f), SG_OK);
	assert_int_equal(fd_map(fd, 10, &map, &f), SG_OK);
	assert_int_equal(map.size, 0);
	fd_unmap(&map);
	assert_int_equal(fd_write_all(fd, "12345678901", 11, &f), SG_OK);
	assert_int_equal(fd_map(fd, 10, &map, &f), SG_ELIMIT);
	assert_int_equal(fd_seal(fd, &f), SG_OK);
	assert_int_equal(write(fd, "x", 1), -1);
	fd_close(&fd);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void a_failure_is_one_line_with_a_kind(void **state)
{
	char text[1000];
	struct fail f;

	(void)state;
	assert_int_equal(fail_set(&f, SG_EPEER, "hint\nmore", "a\nb\r%s", "\tc"), SG_EPEER);
	assert_string_equal(f.what, "a b  c");
	assert_string_equal(f.hint, "hint more");
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	(void)fail_set(&f, SG_EDENIED, NULL, "x");
	assert_int_equal(f.kind, FAIL_PERMANENT);
	(void)fail_set(&f, (enum fail_code)(-77), NULL, "unforeseen");
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	errno = ENOENT;
	(void)fail_errno(&f, SG_ESYSTEM, NULL, "cannot open");
	assert_string_equal(f.what, "cannot open: No such file or directory");
	assert_int_equal(fail_set(NULL, SG_ENOMEM, NULL, "x"), SG_ENOMEM);
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xbc", 3);
	(void)fail_set(&f, SG_EPEER, text, "x%s", text);
	assert_true(strlen(f.what) < FAIL_WHAT_MAX);
	assert_int_equal((unsigned char)f.what[strlen(f.what) - 1], 0xbc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_or_refused),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(json_is_escaped),
		cmocka_unit_test(hexadecimal_must_be_exact),
		cmocka_unit_test(base64_of_every_length_comes_back),
		cmocka_unit_test(base64_lines_are_the_same_in_any_pieces),
		cmocka_unit_test(base64_refuses_what_is_none),
		cmocka_unit_test(secrets_are_bounded_moved_and_wiped),
		cmocka_unit_test(a_secret_file_loses_one_line_end),
		cmocka_unit_test(a_file_is_replaced_whole_or_not_at_all),
		cmocka_unit_test(only_files_are_mapped_and_only_to_their_maximum),
		cmocka_unit_test(a_failure_is_one_line_with_a_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
