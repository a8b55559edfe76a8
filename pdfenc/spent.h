/*
 * spent: a message may take so much processor time and memory, and whoever asked hears of it.
 *
 * A worker that runs out of either ends, since nobody can tidy up behind libraries in the middle of
 * their work. Its last act is a packet to the asker (SG_ELIMIT, temporary), so that it knows that
 * the message was the cause, and not somebody who killed the worker. A worker that is small when it
 * runs out of memory says nothing: the machine is short of it, or somebody set a limit.
 *
 * No state: while a message is in work, the asker's socket has a second number, SPENT_SOCKET, which
 * the last act finds without asking anybody.
 */
#ifndef SG_PDFENC_SPENT_H
#define SG_PDFENC_SPENT_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"

/* The highest descriptor that a worker may have (FILES_MAX of main.c): always free. */
#define SPENT_SOCKET 63

/* Resident memory, at most, of a worker with what it loads and an ordinary message. */
#define SPENT_ORDINARY ((size_t)96 * 1024 * 1024)

/*
 * Once a process: for processor time; for memory that GLib or C++ ask for in vain; for crashes
 * where no more memory is to be had.
 */
MUST_USE enum fail_code spent_watch(struct fail *f);

/* A message is in work for who waits at socket (-1: nobody), for so much of processor time. */
void spent_begin(int socket, int64_t cpu_ms);
void spent_end(void);

/*
 * Fills f with what the asker is told of memory; its code. For libraries that come back. In a small
 * worker f stays as it is: SG_ENOMEM.
 */
enum fail_code spent_memory(struct fail *f);

/* Tells the asker that memory ran out, if the message is the cause, and ends the process. */
_Noreturn void spent_no_memory(void);

/* operator new calls spent_no_memory: spent_new.cc. */
void spent_watch_new(void);

#endif
