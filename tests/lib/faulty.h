/*
 * faulty: the n-th call of one function fails, or all from then on: for tests of what then happens.
 *
 * Linked with "-Wl,--wrap=NAME" for each name of the table: our own objects' calls go through here,
 * those inside libraries do not. One thread. Until faulty_arm nothing fails.
 */
#ifndef SG_TESTS_LIB_FAULTY_H
#define SG_TESTS_LIB_FAULTY_H

#include <stdbool.h>

enum faulty_call {
	FAULTY_ALLOCATE,	/* malloc and its like, strdup, vasprintf */
	FAULTY_MEMFD,		/* memfd_create: EMFILE */
	FAULTY_WRITE,		/* write: ENOSPC */
	FAULTY_MAP,		/* mmap: ENOMEM */
	FAULTY_SEEK,		/* lseek: EIO */
	FAULTY_RANDOM,		/* getrandom: EIO */
	FAULTY_CALLS
};

const char *faulty_name(enum faulty_call call);
/* The n-th (from 1) call fails; with on, each after it as well. */
void faulty_arm(enum faulty_call call, unsigned long n, bool on);
/* True if a call failed since faulty_arm. Nothing fails any more. */
bool faulty_disarm(void);
/* While paused calls are neither counted nor fail: the test's own work. */
void faulty_pause(bool paused);
/* Blocks that our objects allocated and did not free. */
long faulty_blocks(void);

#endif
