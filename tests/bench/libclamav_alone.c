/*
 * libclamav_alone DATABASE TEMPORARY_DIRECTORY MESSAGE...: what scanning costs without us. Scans
 * each file in this process, by the scanner's own options, and prints one line of JSON with the
 * CPU milliseconds for each message; loading does not count. Files are read before the clock runs.
 *
 * The scanner's options are compiled in from its source, so that they cannot differ.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "gateway/base/fail.h"
#include "milter/scan/options.h"

#define SIZE_MAX_BYTES ((size_t)400 * 1024 * 1024)	/* the shipped scan.size_max */
#define KEEP_FREED (64 * 1024 * 1024)			/* as sealgate-scan */

struct message {
	char *data;
	size_t size;
};

static void die(const char *what)
{
	fprintf(stderr, "libclamav_alone: %s\n", what);
	exit(70);
}

static struct cl_engine *load(const char *database, const char *temporary)
{
	const struct options options = {
		.database_directory = database,
		.temporary_directory = temporary,
		.size_max = SIZE_MAX_BYTES,
		.files_max = 10000,
		.recursion_max = 17,
		.time_max_ms = 120000,
	};
	struct cl_engine *engine;
	unsigned int count = 0;
	struct fail f;

	if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS || (engine = cl_engine_new()) == NULL)
		die("libclamav does not start");
	if (options_engine(engine, &options, &f) != SG_OK)
		die(f.what);
	if (cl_load(database, engine, &count, CL_DB_STDOPT) != CL_SUCCESS || count == 0 ||
	    cl_engine_compile(engine) != CL_SUCCESS)
		die("cannot load the signatures");
	return engine;
}

static void read_message(const char *path, struct message *message)
{
	FILE *file = fopen(path, "r");
	struct stat st;

	if (file == NULL || fstat(fileno(file), &st) != 0)
		die(path);
	message->size = (size_t)st.st_size;
	message->data = malloc(message->size + 1);
	if (message->data == NULL || fread(message->data, 1, message->size, file) != message->size)
		die(path);
	(void)fclose(file);
}

static int is_infected(struct cl_engine *engine, const struct message *message)
{
	struct cl_scan_options scan;
	cl_fmap_t *map = cl_fmap_open_memory(message->data, message->size);
	const char *name = NULL;
	unsigned long scanned = 0;
	cl_error_t result;

	options_scan(false, &scan);
	if (map == NULL)
		die("cannot map a message");
	result = cl_scanmap_callback(map, NULL, &name, &scanned, engine, &scan, NULL);
	cl_fmap_close(map);
	return result == CL_VIRUS;
}

static double cpu_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char *argv[])
{
	struct message *messages;
	struct cl_engine *engine;
	size_t count = argc > 3 ? (size_t)argc - 3 : 0;
	int infected = 0;
	double start;
	double used;

	if (count == 0)
		die("usage: libclamav_alone DATABASE TEMPORARY_DIRECTORY MESSAGE...");
	(void)mallopt(M_MMAP_THRESHOLD, KEEP_FREED);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_FREED);
	messages = calloc(count, sizeof(*messages));
	if (messages == NULL)
		die("no memory");
	for (size_t i = 0; i < count; i++)
		read_message(argv[i + 3], &messages[i]);
	engine = load(argv[1], argv[2]);
	(void)is_infected(engine, &messages[0]);	/* what is only done once */
	start = cpu_ms();
	for (size_t i = 0; i < count; i++)
		infected += is_infected(engine, &messages[i]);
	used = cpu_ms() - start;
	printf("{\"messages\":%zu,\"infected\":%d,\"cpu_ms\":%.4f}\n", count, infected,
	    used / (double)count);
	(void)cl_engine_free(engine);
	for (size_t i = 0; i < count; i++)
		free(messages[i].data);
	free(messages);
	return 0;
}
