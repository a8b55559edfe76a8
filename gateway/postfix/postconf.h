/*
 * postconf: Postfix's configuration as postconf(1) tells it, and changes to it by the same means.
 *
 * A struct postconf is a picture of main.cf and master.cf in one folder, taken once. Reading the
 * pictures is pure; loading and applying fork postconf. Command line only, one thread.
 */
#ifndef SG_GATEWAY_POSTFIX_POSTCONF_H
#define SG_GATEWAY_POSTFIX_POSTCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define POSTCONF_LINE_MAX ((size_t)64 * 1024) /* bytes of one parameter; longer is not sane */
#define POSTCONF_SERVICES_MAX 4096 /* lines of master.cf; bounds our memory */
#define POSTCONF_PAIRS_MAX 16384 /* parameters, or options of one service */

struct postconf_pair {
	char *name;
	char *value;
};

struct postconf_pairs {
	struct postconf_pair *items;
	size_t count;
};

/* A line of master.cf. */
struct postconf_service {
	char *key; /* "smtp/inet": name and type */
	char *name;
	char *type;
	struct postconf_pairs
	    fields; /* private, unprivileged, chroot, wakeup, process_limit, command */
	struct postconf_pairs options; /* what -o says */
	char *program; /* "smtpd": the first word of command */
};

struct postconf {
	char *folder;
	struct postconf_pairs set; /* main.cf */
	struct postconf_pairs all; /* main.cf and built-in defaults */
	struct postconf_service *services;
	size_t service_count;
};

/*
 * Takes a picture of folder. expand: $name is replaced by what it stands for, as the program
 * behind each service would see it. postconf_free releases.
 */
MUST_USE enum fail_code postconf_load(const char *folder, bool expand, struct postconf *out,
    struct fail *f);
void postconf_free(struct postconf *conf);

/* The value or NULL; borrowed from the picture. */
const char *postconf_pair(const struct postconf_pairs *pairs, const char *name);
/* main.cf's value, NULL if main.cf does not set it. */
const char *postconf_set(const struct postconf *conf, const char *name);
/* main.cf's or the default; "" for what Postfix does not know. */
const char *postconf_get(const struct postconf *conf, const char *name);
/* What a program started as this service sees: its -o, else main.cf, else the default. */
const char *postconf_effective(const struct postconf *conf, const struct postconf_service *service,
    const char *name);
/* The service "cleanup/unix", or NULL. */
const struct postconf_service *postconf_service(const struct postconf *conf, const char *key);
/* A field of its line in master.cf: "chroot"; never NULL. */
const char *postconf_field(const struct postconf_service *service, const char *name);
/* Is it jailed in the queue directory? "-" depends on compatibility_level. */
bool postconf_chrooted(const struct postconf *conf, const struct postconf_service *service);
/* yes, true, on and the like. */
bool postconf_true(const char *value);

/* --- what postconf prints; pure --- */

/* "name = value" lines. SG_ELIMIT, SG_ENOMEM, SG_EFORMAT. */
MUST_USE enum fail_code postconf_parse_pairs(const char *text, struct postconf_pairs *out,
    struct fail *f);
/* Output of -F and of -P. */
MUST_USE enum fail_code postconf_parse_services(const char *fields, const char *options,
    struct postconf *out, struct fail *f);
void postconf_pairs_free(struct postconf_pairs *pairs);
/* Appends one; SG_ENOMEM, SG_ELIMIT. */
MUST_USE enum fail_code postconf_pairs_add(struct postconf_pairs *pairs, const char *name,
    size_t name_size, const char *value);

/* The folder that Postfix itself uses; the caller frees. */
MUST_USE enum fail_code postconf_default_folder(char **folder_out, struct fail *f);

#endif
