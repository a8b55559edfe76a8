/*
 * rules: is this message flagged, by what, and for which protection; and who its sender is.
 *
 * Pure: headers in, decision out. Tags are looked for in the raw Subject: any case, at its start
 * or end, several words in one bracket ("[secure pdf]"), after "Re:" and "Fwd:" and the like, in
 * RFC 2047 encoded words, folded. Encoded words are decoded to bytes only; all charsets that mail
 * uses write a tag in ASCII, so no conversion tables are needed in the milter.
 */
#ifndef SG_CONFIG_RULES_H
#define SG_CONFIG_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "gateway/base/secret.h"

/* One header field as the filter got it: value with its folding, without the final line end. */
struct rules_header {
	const char *name;	/* borrowed */
	const char *value;
};

struct rules_flag {
	bool flagged;
	unsigned int ways;	/* enum conf_way bits asked for; 0 = the tenant's order */
	const char *source;	/* "subject", "header", "sensitivity"; static */
	char *subject;		/* raw Subject value without the tags, or NULL if it had none */
	char *unknown;		/* what means nothing ("X-Sealgate: foo"), or NULL */
	bool pass;		/* a password chosen by the sender is asked for */
	bool pass_late;		/* one stands behind a "Re:": an outsider could have written it */
	bool sms;		/* a generated password for the number behind "sms:" is */
	bool sms_late;		/* the same behind a "Re:" */
};

/*
 * Looks at Subject, the tag header and Sensitivity. rules_flag_free releases. A header with an
 * unknown value still flags (in doubt, protect) and is named in unknown, for the milter to refuse.
 *
 * In brackets, all words must be known: "[secure boot]" is no tag. One slip of the pen beside a
 * known word ("[secure pfd]") flags and is named in unknown, and so does what only looks like a
 * tag (lookalike.h). What carries an argument ("pass:x",
 * "sms:x") flags and is taken off: pass, sms, and whether it stands behind a "Re:" or "Fwd:", where
 * it does not count. The argument should have been taken out before (rules_take_arguments). A
 * number asks for WAY_PDF. With several Subject fields each may flag; subject is that of the first
 * with a tag.
 * Takes time in proportion to the size. SG_ENOMEM; SG_ELIMIT for a Subject above 16 MiB.
 */
MUST_USE enum fail_code rules_match(const struct conf *conf, const struct rules_header *headers,
    size_t count, struct rules_flag *flag_out, struct fail *f);
void rules_flag_free(struct rules_flag *flag);

#define RULES_NUMBER_MAX 80	/* bytes kept of a number as it is written; a longer one is none */

/* What stands behind "pass:" and "sms:" in the fields of a message. Zero-initialise. */
struct rules_arguments {
	struct secret password;		/* the last one */
	unsigned int passwords;		/* how many there are */
	char number[RULES_NUMBER_MAX];	/* the last one, for phone_parse */
	unsigned int numbers;
};
void rules_arguments_free(struct rules_arguments *arguments);

/*
 * Takes passwords ("pass:WORD") and numbers ("sms:+49...") out of a Subject or our header, as the
 * field came in, and adds them to arguments. *clean_out: the value without them, to be kept in its
 * place; NULL if there was none. The caller frees. In our header all behind the colon belongs to
 * the argument, as in a bracket. SG_ENOMEM, SG_ELIMIT.
 */
MUST_USE enum fail_code rules_take_arguments(const struct conf *conf,
    const struct rules_header *header, struct rules_arguments *arguments, char **clean_out,
    struct fail *f);

/* Who is talking to us, as Postfix says. */
struct rules_client {
	const char *login;	/* {auth_authen}, NULL if none */
	const char *address;	/* "192.0.2.1", "::1"; NULL when submitted locally */
	bool local;		/* submitted by sendmail(1): no client */
	const char *mail_from;	/* without angle brackets; "" for the null sender */
	const char *from_domain;/* of the From header, lower case; NULL if none */
};

enum rules_origin {
	RULES_OUTSIDE,		/* a true outsider: tags are ignored */
	RULES_OWN,		/* proven: by login or network (or local with own MAIL FROM) */
	RULES_FOREIGN_FROM,	/* proven, MAIL FROM in none of its domains: refuse flagged */
	RULES_UNPROVEN		/* claims a tenant's domain without proof: refuse flagged */
};

/*
 * Login counts first, then network. *tenant_out is the tenant proven or claimed, NULL for outside.
 * The null sender with proof is RULES_OWN. Where a login or network proves several tenants, MAIL
 * FROM chooses among them, else the first in the file. SG_ENOMEM: nobody knows; not RULES_OUTSIDE.
 */
MUST_USE enum fail_code rules_sender(const struct conf *conf, const struct rules_client *client,
    enum rules_origin *origin_out, const struct conf_tenant **tenant_out, struct fail *f);

/*
 * Is the login one of the tenant's, and this normalised address of the tenant its own, by
 * tenant.login_owns?
 */
bool rules_login_owns(const struct conf_tenant *tenant, const char *login, const char *address);

/*
 * Normalises an address for comparison: domain lower-cased and as A-labels, angle brackets taken
 * off; local part as it is. SG_EFORMAT if it is no address. The caller frees.
 */
MUST_USE enum fail_code rules_address(const char *address, char **normal_out, struct fail *f);
/* Is address, as SMTP has it, this normalised one, letter by letter but for case? */
bool rules_is_address(const char *address, const char *normal);
/* The domain of a normalised address; points into it. "" if it has none. */
const char *rules_domain(const char *normal);

/*
 * The domain of the (first) address in a From header value, lower case, A-labels; NULL if it has
 * none. The caller frees. SG_ENOMEM.
 */
MUST_USE enum fail_code rules_from_domain(const char *value, char **domain_out, struct fail *f);

#endif
