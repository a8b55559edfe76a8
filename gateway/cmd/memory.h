/*
 * memory: is there room for a second process as large as one that runs? Supervisor only.
 */
#ifndef SG_GATEWAY_CMD_MEMORY_H
#define SG_GATEWAY_CMD_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/*
 * The most memory that a process has had at once, bytes (VmHWM, proc(5)): its loading and its work
 * so far. Where /proc hides other users' processes (systemd's ProtectProc=invisible): all that
 * our control group has now. 0 if neither can be told. root: "" or a folder with a "proc" in it,
 * for tests.
 */
uint64_t memory_peak(const char *root, pid_t pid);

/*
 * Bytes that can be had without swapping: MemAvailable of proc(5), or what is left to our control
 * group (memory.max, with the file cache it could drop) if that is less. UINT64_MAX if unknown.
 */
uint64_t memory_available(const char *root);

#endif
