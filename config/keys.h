/*
 * keys: the one table of everything that sealgate.conf may say.
 *
 * A row names a key ("scan.threads"; "tenant.domains" inside a tenant section), says of which kind
 * its value is, its default and range, who may know it, and where it lives in struct conf. From
 * this table come the parser's options, the shipped file, the reference in sealgate.conf(5), and
 * the bytes that workers are sent. Constant data; any thread.
 */
#ifndef SG_CONFIG_KEYS_H
#define SG_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define KEYS_TENANT "tenant."	/* what the names of a tenant's keys begin with */
#define KEYS_HOP "hop."		/* and those of a TLS rule for a next hop */

/* Which structure a key lives in. Sections of the parts behind the first have titles. */
enum key_part {
	KEY_OF_CONF = 0,	/* struct conf */
	KEY_OF_HOP,		/* struct conf_hop */
	KEY_OF_TENANT		/* struct conf_tenant */
};
#define KEY_PARTS 3

/* What a value is, and so in which C type it is kept. */
enum key_type {
	KEY_TEXT,	/* char *: UTF-8 in one line */
	KEY_NAME,	/* char *: a user, a group, or "uid:gid" */
	KEY_PATH,	/* char *: an absolute path */
	KEY_SOCKET,	/* char *: "local:/path" or "inet:port@host" */
	KEY_FIELD,	/* char *: name of a header field */
	KEY_NUMBER,	/* unsigned int, min to max */
	KEY_OCTAL,	/* unsigned int, min to max, written in octal */
	KEY_SIZE,	/* size_t, bytes, min to max */
	KEY_DURATION,	/* int64_t, milliseconds, min to max */
	KEY_DATE,	/* int64_t, milliseconds since 1970: the end of that day, UTC; 0 = none */
	KEY_BOOL,	/* bool: yes, no */
	KEY_CHOICE,	/* enum: index in choices */
	KEY_WORDS,	/* struct str_list: tag words, lower case */
	KEY_DOMAINS,	/* struct str_list: lower case, A-labels */
	KEY_LOGINS,	/* struct str_list: patterns with "*" */
	KEY_NETWORKS,	/* struct str_list: addresses and networks */
	KEY_NAMES,	/* struct str_list: names of hosts, addresses, fingerprints */
	KEY_WAYS	/* unsigned char[WAY_COUNT]: enum conf_way in order */
};

struct key {
	const char *name;
	enum key_type type;
	unsigned int roles;		/* enum conf_role bits: who is sent it */
	size_t offset;			/* in the structure of its part */
	uint64_t min;			/* of numbers, sizes, durations; bytes of a text */
	uint64_t max;
	const char *const *choices;	/* NULL-terminated, for KEY_CHOICE */
	const char *preset;		/* as written in the file; lists with ", " between */
	bool may_be_empty;
	bool is_folder;			/* a path that must exist when paths are checked */
	const char *help;		/* one or two sentences in plain words */
};

/* All rows, part by part: those of tenants come last. */
const struct key *keys_all(size_t *count_out);
enum key_part key_part(const struct key *key);
/* The section of a part: "hop", "tenant"; NULL for KEY_OF_CONF. */
const char *key_part_section(enum key_part part);
/* The other way: KEY_OF_CONF for every name that is no titled section. */
enum key_part key_part_of_section(const char *section);
/* True for kinds that hold several values. */
bool key_is_list(const struct key *key);
/* The row with this whole name ("scan.threads"), or NULL. */
const struct key *keys_find(const char *name);
/* The name without its section: "threads". Points into the row. */
const char *key_leaf(const struct key *key);
/* The section's name copied into section ("" if none); false if it does not fit. */
bool key_section(const struct key *key, char *section, size_t size);
/* The name that is nearest to a misspelt one within few edits, or NULL. Whole names. */
const char *keys_nearest(const char *name);
/* The nearest of count words to a misspelt one, or NULL if all are far. */
const char *keys_nearest_of(const char *word, const char *const *words, size_t count);

/* Appends the shipped sealgate.conf. */
MUST_USE enum fail_code keys_file(struct buf *out, struct fail *f);
/* Appends the reference part of sealgate.conf(5), in mdoc. */
MUST_USE enum fail_code keys_manual(struct buf *out, struct fail *f);

#endif
