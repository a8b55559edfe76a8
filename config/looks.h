/*
 * looks: a tenant's colour, logo and help page, as its mails and PDFs show them.
 *
 * The logo is read by whoever reads the configuration, and travels with it to the filter and the
 * PDF workers: neither opens a file for it. Here its kind and size are looked at, no pixel is
 * decoded. Pure but for looks_read_logo.
 */
#ifndef SG_CONFIG_LOOKS_H
#define SG_CONFIG_LOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"

#define LOOKS_LOGO_MAX ((size_t)100 * 1024)	/* bytes: each mail and PDF has it */
#define LOOKS_SIDE_MIN 16u			/* pixels of a side */
#define LOOKS_SIDE_MAX 2000u			/* 40 mm by 14 mm at 300 an inch are 472 by 165 */

/* "#rrggbb" as three bytes; false if it is not. */
bool looks_colour(const char *text, unsigned char rgb_out[3]);

/*
 * Copies a logo into the tenant. SG_EUSAGE: no PNG or JPEG, or too large in bytes or pixels. What
 * the tenant had is replaced on success only.
 */
MUST_USE enum fail_code looks_take_logo(struct conf_tenant *tenant, const void *data, size_t size,
    struct fail *f);
/* The same from the file that the tenant names; nothing to do if it names none. */
MUST_USE enum fail_code looks_read_logo(struct conf_tenant *tenant, struct fail *f);

/*
 * Whether text is an address that may stand in mail as a link: https://HOST[:PORT][/PATH...], the
 * host with a dot and of letters, digits, - and . alone, so that nobody can mistake it.
 */
bool looks_help_url(const char *text);

/* "image/png" or "image/jpeg". */
const char *looks_logo_type(const struct conf_logo *logo);

#endif
