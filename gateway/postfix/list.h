/*
 * list: Postfix's lists of milters and of tables, element by element. Pure.
 *
 * Elements are parted by commas and white space, but not inside braces:
 * "{ unix:/a, default_action=tempfail }, inet:localhost:8891" has two.
 */
#ifndef SG_GATEWAY_POSTFIX_LIST_H
#define SG_GATEWAY_POSTFIX_LIST_H

#include <stdbool.h>

#include "gateway/base/fail.h"
#include "gateway/base/str.h"

#define LIST_ELEMENTS_MAX 256 /* milters or tables of one value; more is not sane */

/* The elements of value as they stand. SG_ELIMIT, SG_ENOMEM; out is then empty. */
MUST_USE enum fail_code list_split(const char *value, struct str_list *out);
/* Elements with separator between; NULL = no memory. The caller frees. */
char *list_join(const struct str_list *list, const char *separator);

/* Do both name the same table or milter? For "{ unix:/a, ... }" what stands first counts. */
bool list_same(const char *element, const char *other);
/* What an element names: "unix:/a" of "{ unix:/a, x=y }". NULL = no memory; the caller frees. */
char *list_subject(const char *element);
/* The value of name in "{ unix:/a, name=value }", or NULL; the caller frees. */
char *list_setting(const char *element, const char *name);
/* Is an element that names the same as wanted in value? */
bool list_has(const char *value, const char *wanted);

/*
 * value with element before it and separator between; an element that names the same is dropped.
 * NULL = no memory.
 */
char *list_put_first(const char *value, const char *element, const char *separator);
/* The same with element behind it. */
char *list_put_last(const char *value, const char *element, const char *separator);
/* value without elements that name the same as element. NULL = no memory. */
char *list_without(const char *value, const char *element);

#endif
