/*
 * maps: the results that a lookup table of Postfix's can give. Only tables whose content can be
 * read as a whole: files, and tables written in place; not SQL, LDAP or a service.
 */
#ifndef SG_GATEWAY_POSTFIX_MAPS_H
#define SG_GATEWAY_POSTFIX_MAPS_H

#include "gateway/base/fail.h"

#define MAPS_FILE_MAX ((size_t)16 * 1024 * 1024) /* bytes of a regexp, pcre or cidr table */
#define MAPS_LINE_MAX ((size_t)16 * 1024) /* bytes of an entry; longer ones are not sane */

/* Gets each result; result is borrowed. A failure ends the listing. */
typedef enum fail_code maps_take_fn(void *context, const char *result, struct fail *f);

/*
 * Calls take for each result of table ("hash:/etc/postfix/transport"). SG_EUSAGE: it cannot be
 * listed, f says why. SG_ESYSTEM: postmap or a file failed. What take returned.
 */
MUST_USE enum fail_code maps_list(
    const char *folder, const char *table, maps_take_fn *take, void *context, struct fail *f);

/* The results in the text of a regexp, pcre or cidr table. Pure. SG_EUSAGE as above. */
MUST_USE enum fail_code maps_list_text(
    const char *text, maps_take_fn *take, void *context, struct fail *f);

#endif
