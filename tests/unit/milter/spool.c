/* The spool: memory, then a file without a name; sealed or read-only; bounded.
 * links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "milter/spool.h"

#define MEMORY_MAX ((size_t)100000)
#define SIZE_MAX_TEST ((size_t)1000000)

static char folder[64];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/sealgate-unit-spool.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

static struct spool *make(void)
{
	struct spool *spool;
	struct fail f;

	assert_int_equal(spool_new(folder, MEMORY_MAX, SIZE_MAX_TEST, &spool, &f), SG_OK);
	return spool;
}

/* size bytes of a pattern, in pieces of different sizes. */
static void put(struct spool *spool, size_t size)
{
	unsigned char piece[70000];
	size_t at = 0;
	struct fail f;

	while (at < size) {
		size_t step = (at * 7 + 1) % sizeof(piece) + 1;

		if (step > size - at)
			step = size - at;
		for (size_t i = 0; i < step; i++)
			piece[i] = (unsigned char)((at + i) * 31 >> 3);
		assert_int_equal(spool_append(spool, piece, step, &f), SG_OK);
		at += step;
	}
}

static void check_content(struct spool *spool, size_t size)
{
	const unsigned char *data;
	size_t got;
	struct fail f;

	assert_int_equal(spool_finish(spool, &f), SG_OK);
	assert_int_equal(spool_size(spool), size);
	assert_int_equal(spool_map(spool, &data, &got, &f), SG_OK);
	assert_int_equal(got, size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(data[i], (unsigned char)(i * 31 >> 3));
}

/* No way to alter the bytes through the descriptor that workers get. */
static void check_fixed(struct spool *spool)
{
	int fd = spool_fd(spool);

	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 5000000), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

static size_t names_in_folder(void)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count - 2;
}

static void sizes_around_every_bound_come_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, MEMORY_MAX - 1, MEMORY_MAX,
	    MEMORY_MAX + 1, 2 * MEMORY_MAX, SIZE_MAX_TEST };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct spool *spool = make();

		put(spool, sizes[i]);
		assert_int_equal(names_in_folder(), 0);
		check_content(spool, sizes[i]);
		check_fixed(spool);
		spool_free(spool);
	}
}

static void memory_is_sealed_and_a_file_is_only_for_reading(void **state)
{
	struct spool *spool = make();

	(void)state;
	put(spool, 10);
	check_content(spool, 10);
	assert_true((fcntl(spool_fd(spool), F_GET_SEALS) & F_SEAL_WRITE) != 0);
	spool_free(spool);
	spool = make();
	put(spool, 3 * MEMORY_MAX);
	check_content(spool, 3 * MEMORY_MAX);
	assert_int_equal(fcntl(spool_fd(spool), F_GETFL) & O_ACCMODE, O_RDONLY);
	spool_free(spool);
}

static void above_the_maximum_is_permanent(void **state)
{
	struct spool *spool = make();
	struct fail f;

	(void)state;
	put(spool, SIZE_MAX_TEST);
	assert_int_equal(spool_append(spool, "x", 1, &f), SG_ELIMIT);
	assert_int_equal(f.kind, FAIL_PERMANENT);
	spool_free(spool);
}

static void a_missing_folder_is_temporary(void **state)
{
	unsigned char piece[50000] = { 0 };
	enum fail_code code = SG_OK;
	struct spool *spool;
	struct fail f;

	(void)state;
	assert_int_equal(spool_new("/tmp/sealgate-no-such-folder", MEMORY_MAX, SIZE_MAX_TEST,
	    &spool, &f), SG_OK);
	for (int i = 0; i < 10 && code == SG_OK; i++)
		code = spool_append(spool, piece, sizeof(piece), &f);
	assert_int_equal(code, SG_ESYSTEM);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	spool_free(spool);
	spool_free(NULL);
}

static void without_a_folder_all_stays_in_memory(void **state)
{
	struct spool *spool;
	struct fail f;

	(void)state;
	assert_int_equal(spool_new(NULL, 10, SIZE_MAX_TEST, &spool, &f), SG_OK);
	put(spool, 5 * MEMORY_MAX);
	check_content(spool, 5 * MEMORY_MAX);
	check_fixed(spool);
	spool_free(spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_around_every_bound_come_back),
		cmocka_unit_test(memory_is_sealed_and_a_file_is_only_for_reading),
		cmocka_unit_test(above_the_maximum_is_permanent),
		cmocka_unit_test(a_missing_folder_is_temporary),
		cmocka_unit_test(without_a_folder_all_stays_in_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
