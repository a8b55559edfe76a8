/*
 * database: the folder of signatures, seen from outside of libclamav: its age, whether it is
 * another than before, whether each file is sound.
 */
#ifndef SG_MILTER_SCAN_DATABASE_H
#define SG_MILTER_SCAN_DATABASE_H

#include <stdint.h>

#include "gateway/base/fail.h"

/*
 * A number that is another one when a file of signatures came, went or changed (name, size, time,
 * inode). 0: the folder cannot be read. Other files, such as freshclam's own, do not count.
 */
uint64_t database_print(const char *path);
/*
 * Of when the signatures are, seconds since 1970: the time of ClamAV's daily file; without one, of
 * the newest file. 0 if there is none. Sets by others, which may change each hour, would hide that
 * freshclam gets no daily ones any more.
 */
int64_t database_newest(const char *path);

/*
 * Looks at each file by itself: containers by their signature and checksum, others by loading them
 * alone; takes far less memory than an engine. SG_EFORMAT, SG_ENOTFOUND (no signatures there),
 * SG_ESYSTEM. Sound files may still not go together; half of a file is never sound.
 */
MUST_USE enum fail_code database_check(const char *path, struct fail *f);

#endif
