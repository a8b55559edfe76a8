/*
 * tables: the regexp tables that attaching puts beside main.cf. In files, since a table written in
 * place would need "$$" for each "$".
 */
#ifndef SG_GATEWAY_POSTFIX_TABLES_H
#define SG_GATEWAY_POSTFIX_TABLES_H

#include <stdbool.h>

#include "gateway/base/fail.h"
#include "gateway/postfix/routing.h"

/* Before the name of a transport of ours: the table by which it takes off its own route. */
#define TABLES_STRIP "strip-"

struct tables_wish {
	unsigned int port; /* of the second stage */
	const struct routing *routing; /* NULL: no routes */
};

/*
 * Content of "routes", "encode", "strip-sealed" and their kin; the caller frees. NULL = no memory,
 * or no such table.
 */
char *tables_text(const char *name, const struct tables_wish *wish);

/* Are all of them there, as they would be written now? */
bool tables_current(const char *folder, const struct tables_wish *wish);
/* Makes the folder and writes them durably. Tables of transports that are gone stay. */
MUST_USE enum fail_code tables_write(
    const char *folder, const struct tables_wish *wish, struct fail *f);
/* Removes them and the record of the attach, and the folder when nothing else is in it. */
void tables_remove(const char *folder);

#endif
