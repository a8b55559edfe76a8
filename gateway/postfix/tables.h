/*
 * tables: the regexp tables that attaching puts beside main.cf. In files, since a table written in
 * place would need "$$" for each "$".
 */
#ifndef SG_GATEWAY_POSTFIX_TABLES_H
#define SG_GATEWAY_POSTFIX_TABLES_H

#include <stdbool.h>

#include "gateway/base/fail.h"

/* Content of table "routes", "requeue" or "unsealed"; NULL = no memory. The caller frees. */
char *tables_text(const char *name, unsigned int port);

/* Are all of them there, with this port? */
bool tables_current(const char *folder, unsigned int port);
/* Makes the folder and writes them durably. */
MUST_USE enum fail_code tables_write(const char *folder, unsigned int port, struct fail *f);
/* Removes them and the record of the attach, and the folder when nothing else is in it. */
void tables_remove(const char *folder);

#endif
