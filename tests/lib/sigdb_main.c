/*
 * sigdb FOLDER HASHES BODIES [SEED]: writes a signature database for tests and benchmarks.
 * sigdb --eicar: prints the EICAR test file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/sigdb.h"

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || value > 100000000) {
		fprintf(stderr, "sigdb: %s is no number\n", text);
		exit(64);
	}
	return value;
}

int main(int argc, char *argv[])
{
	char eicar[SIGDB_EICAR_SIZE + 1];

	if (argc == 2 && strcmp(argv[1], "--eicar") == 0) {
		sigdb_eicar(eicar);
		return fputs(eicar, stdout) < 0 || fflush(stdout) != 0;
	}
	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: sigdb FOLDER HASHES BODIES [SEED] | sigdb --eicar\n");
		return 64;
	}
	if (sigdb_write(argv[1], (unsigned int)number(argv[2]), (unsigned int)number(argv[3]),
	    argc == 5 ? number(argv[4]) : 1) != 0) {
		perror("sigdb");
		return 73;
	}
	return 0;
}
