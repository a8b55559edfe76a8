#include "tests/lib/sigdb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 4096

/* splitmix64, Sebastiano Vigna, public domain */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static unsigned int below(uint64_t *state, unsigned int limit)
{
	return (unsigned int)(next(state) % limit);
}

void sigdb_eicar(char eicar_out[SIGDB_EICAR_SIZE + 1])
{
	(void)snprintf(eicar_out, SIGDB_EICAR_SIZE + 1, "%s%s%s%s", "X5O!P%@AP[4\\PZX54(P^)7CC)7}",
	    "$EICAR-STANDARD-", "ANTIVIRUS-TEST-", "FILE!$H+H*");
}

static FILE *create(const char *folder, const char *name)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(path, "w");
}

static int finish(FILE *file)
{
	int failed = ferror(file);

	return fclose(file) != 0 || failed != 0 ? -1 : 0;
}

static void put_hex(FILE *file, uint64_t *state, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		fprintf(file, "%02x", below(state, 256));
}

/* Letters, as they stand in text, so that ordinary mail walks some way into the trie. */
static void put_words(FILE *file, uint64_t *state, unsigned int bytes)
{
	static const char letters[] = "eeeettttaaaooiinnsshhrrddlcumwfgypbvk   ";

	for (unsigned int i = 0; i < bytes; i++)
		fprintf(file, "%02x", (unsigned int)letters[below(state, sizeof(letters) - 1)]);
}

static int write_hashes(const char *folder, const char *name, unsigned int bytes,
    unsigned int count, uint64_t *state)
{
	FILE *file = create(folder, name);

	if (file == NULL)
		return -1;
	for (unsigned int i = 0; i < count; i++) {
		put_hex(file, state, bytes);
		fprintf(file, ":%u:Sealgate.Hash.%u-%u\n", 16 + below(state, 2000000), bytes, i);
	}
	return finish(file);
}

/* libclamav's target types and their share in 1000, after a count of a public main database. */
static const struct {
	unsigned int target;
	unsigned int share;
	unsigned int is_text;
} targets[] = {
	{ 1, 700, 0 },	/* PE */
	{ 2, 60, 0 },	/* OLE2 */
	{ 3, 70, 1 },	/* HTML, normalised */
	{ 4, 20, 1 },	/* mail */
	{ 5, 10, 0 },	/* graphics */
	{ 6, 50, 0 },	/* ELF */
	{ 7, 40, 1 },	/* text, normalised */
	{ 0, 50, 0 },	/* any file */
};

static void put_body(FILE *file, unsigned int i, uint64_t *state)
{
	unsigned int draw = below(state, 1000);
	unsigned int row = 0;
	unsigned int bytes = 16 + below(state, 48);

	while (draw >= targets[row].share)
		draw -= targets[row++].share;
	fprintf(file, "Sealgate.Body.%u-%u:%u:*:", targets[row].target, i, targets[row].target);
	(targets[row].is_text ? put_words : put_hex)(file, state, bytes);
	if (below(state, 4) == 0) {	/* a quarter has a gap */
		fprintf(file, "{1-%u}", 4 + below(state, 60));
		(targets[row].is_text ? put_words : put_hex)(file, state, 8 + below(state, 16));
	}
	fputc('\n', file);
}

static int write_bodies(const char *folder, unsigned int count, uint64_t *state)
{
	FILE *file = create(folder, "sigdb.ndb");

	if (file == NULL)
		return -1;
	for (unsigned int i = 0; i < count; i++)
		put_body(file, i, state);
	return finish(file);
}

static int write_named(const char *folder)
{
	char eicar[SIGDB_EICAR_SIZE + 1];
	FILE *file = create(folder, "named.hdb");

	if (file == NULL)
		return -1;
	fprintf(file, "44d88612fea8a8f36de82e1278abb02f:68:" SIGDB_EICAR_NAME "\n");
	fprintf(file, "aa15bcf478d165efd2065190eb473bcb:544:" SIGDB_CLAM_NAME "\n");
	if (finish(file) != 0)
		return -1;
	file = create(folder, "named.ndb");
	if (file == NULL)
		return -1;
	sigdb_eicar(eicar);
	fprintf(file, SIGDB_EICAR_NAME ":0:*:");
	for (size_t i = 0; i < SIGDB_EICAR_SIZE; i++)
		fprintf(file, "%02x", (unsigned int)(unsigned char)eicar[i]);
	fputc('\n', file);
	return finish(file);
}

int sigdb_write(const char *folder, unsigned int hashes, unsigned int bodies, uint64_t seed)
{
	uint64_t state = seed;

	if (write_named(folder) != 0)
		return -1;
	/* an empty file is an error to libclamav */
	if (hashes > 1 && (write_hashes(folder, "sigdb.hdb", 16, hashes / 2, &state) != 0 ||
	    write_hashes(folder, "sigdb.hsb", 32, hashes - hashes / 2, &state) != 0))
		return -1;
	return bodies > 0 ? write_bodies(folder, bodies, &state) : 0;
}
