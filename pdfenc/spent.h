/*
 * spent: a message may take so much processor time and memory, and whoever asked hears of it.
 *
 * A worker that runs out of either ends, since nobody can tidy up behind libraries in the middle of
 * their work. Its last act is a packet to the asker (SG_ELIMIT, temporary), so that it knows that
 * the message was the cause, and not somebody who killed the worker.
 *
 * No state: while a message is in work, the asker's socket has a second number, SPENT_SOCKET, which
 * the last act finds without asking anybody.
 */
#ifndef SG_PDFENC_SPENT_H
#define SG_PDFENC_SPENT_H

#include <stdint.h>

#include "gateway/base/fail.h"

/* The highest descriptor that a worker may have (FILES_MAX of main.c): always free. */
#define SPENT_SOCKET 63

/* Once a process: for processor time, and for memory that GLib or C++ ask for in vain. */
MUST_USE enum fail_code spent_watch(struct fail *f);

/* A message is in work for who waits at socket (-1: nobody), for so much of processor time. */
void spent_begin(int socket, int64_t cpu_ms);
void spent_end(void);

/* Fills f with what the asker is told of memory; its code. For libraries that come back. */
enum fail_code spent_memory(struct fail *f);

/* Tells the asker that memory ran out and ends the process. */
_Noreturn void spent_no_memory(void);

/* operator new calls spent_no_memory: spent_new.cc. */
void spent_watch_new(void);

#endif
