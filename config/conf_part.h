/*
 * conf_part: what the parts that read the configuration share. For config/ alone.
 */
#ifndef SG_CONFIG_CONF_PART_H
#define SG_CONFIG_CONF_PART_H

#include "config/conf.h"
#include "config/keys.h"
#include "gateway/base/fail.h"

/*
 * Appends a tenant or a hop (part says which) with its defaults. *base_out is what its keys are
 * offsets in, borrowed until the next one is added.
 */
MUST_USE enum fail_code conf_add_titled(struct conf *conf, enum key_part part, const char *name,
    void **base_out, struct fail *f);
/* The tenant or hop at place, its title in *name_out; NULL behind the last. */
void *conf_titled_at(const struct conf *conf, enum key_part part, size_t place,
    const char **name_out);

/* Appends an error; all texts are copied. SG_ENOMEM. */
MUST_USE enum fail_code conf_error_add(struct conf_errors *errors, const char *file, int line,
    const char *found, const char *expected);
/* The same with f's sentence as found and its hint as expected. */
MUST_USE enum fail_code conf_error_add_fail(struct conf_errors *errors, const char *file, int line,
    const struct fail *f);

/* A statement of the file: "NAME = VALUE" or "NAME [TITLE] { ... }". */
struct conf_item {
	char *name;		/* with its sections: "scan.threads", "tenant.domains", "scan" */
	char *title;		/* of the section it is or stands in; NULL if none */
	size_t from;		/* bytes of the text that are the statement */
	size_t to;
	int line;		/* where it begins */
	bool section;
	bool titled;		/* a section with a title */
	bool braced;		/* a value in braces */
};

struct conf_items {
	struct conf_item *items;
	size_t count;
};

/*
 * Finds all statements of text (NUL behind size bytes), by libconfuse's grammar, but strict where
 * libconfuse drops characters or reads the environment. This gives every statement its line, and
 * keeps from libconfuse what would leave its lexer in the middle of a string. SG_EUSAGE: not the
 * grammar; the error was added.
 */
MUST_USE enum fail_code conf_scan(const char *file, const char *text, size_t size,
    struct conf_items *items, struct conf_errors *errors, struct fail *f);
void conf_items_free(struct conf_items *items);
/* The line of a key, in the section with this title (NULL: at the top); 0 if it is not written. */
int conf_items_line(const struct conf_items *items, const char *name, const char *title);

/*
 * What no single value shows: domains in two tenants, words in two lists, missing folders.
 * check_paths: texts and logos are read into conf, too.
 */
MUST_USE enum fail_code conf_check(const char *file, struct conf *conf,
    const struct conf_items *items, bool check_paths, struct conf_errors *errors, struct fail *f);

#endif
