/*
 * sigdb: signature databases for tests and benchmarks, the same for the same seed.
 *
 * Writes into a folder: hash signatures (sigdb.hdb, sigdb.hsb), body signatures spread over file
 * types (sigdb.ndb; few on "any file", as in real databases, since those are what each byte of each
 * message meets), and named ones (named.hdb, named.ndb): EICAR's file by hash and by body, and the
 * file that all of clamav-testfiles hold.
 */
#ifndef SG_TESTS_LIB_SIGDB_H
#define SG_TESTS_LIB_SIGDB_H

#include <stdint.h>

#define SIGDB_EICAR_NAME "Sealgate.Test.EICAR"
#define SIGDB_CLAM_NAME "Sealgate.Test.Clam"
#define SIGDB_EICAR_SIZE 68

/* The EICAR test file, put together here so that no scanner finds it in the source. */
void sigdb_eicar(char eicar_out[SIGDB_EICAR_SIZE + 1]);

/* 0, or -1 with errno. The folder must exist. */
int sigdb_write(const char *folder, unsigned int hashes, unsigned int bodies, uint64_t seed);

#endif
