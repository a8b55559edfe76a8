/*
 * run_fuzz_main: replays the corpus of a fuzz target built without libFuzzer.
 *
 * The target's name is the program's; its corpus lies in tests/fuzz/corpus/NAME. Reports one case
 * a file, and one for the empty input.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX ((size_t)16 * 1024 * 1024)	/* bytes of one corpus file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *data = malloc(INPUT_MAX);
	uint8_t *exact = NULL;
	size_t size;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (data == NULL || file == NULL) {
		printf("not ok %s cannot be read\n", path);
		return 1;
	}
	size = fread(data, 1, INPUT_MAX, file);
	(void)fclose(file);
	/* a block of just this size, so that a sanitizer sees a read behind it */
	exact = malloc(size > 0 ? size : 1);
	if (exact != NULL) {
		memcpy(exact, data, size);
		(void)LLVMFuzzerTestOneInput(exact, size);
	}
	free(exact);
	free(data);
	printf("ok %s\n", name);
	return 0;
}

int main(int argc, char *argv[])
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	struct dirent *entry;
	char folder[2048];
	int failed = 0;
	DIR *dir;

	(void)argc;
	(void)snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s", name);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("ok empty input\n");
	dir = opendir(folder);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			failed |= replay(folder, entry->d_name);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return failed;
}
