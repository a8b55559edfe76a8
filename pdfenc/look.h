/*
 * look: name, colour and logo of the tenants, as they stand above the message on the first page.
 *
 * Logos are the administrator's, but decoded like all pictures: in the closed sandbox. One that
 * cannot be decoded is told once, at start, and then there is none. One thread; GLib memory.
 */
#ifndef SG_PDFENC_LOOK_H
#define SG_PDFENC_LOOK_H

#include "config/conf.h"
#include "pdfenc/display.h"

#define LOOK_WIDTH 113.4	/* points at most of a logo: 40 mm */
#define LOOK_HEIGHT 39.7	/* 14 mm */
#define LOOK_KEPT_MAX ((size_t)8 * 1000 * 1000)	/* pixels kept decoded; more are decoded again */

struct looks;
struct look;

/* Decodes the logos of conf, which must outlive the result; the caller looks_frees. */
struct looks *looks_new(const struct conf *conf);
/* Releases it. */
void looks_free(struct looks *looks);

/* The look of the tenant of that name; NULL if there is none. Both may be NULL. */
const struct look *look_find(const struct looks *looks, const char *tenant);

/* "" if nothing is to be shown. */
const char *look_organisation(const struct look *look);
struct display_color look_color(const struct look *look);
/* The logo as an image of display, or NULL. */
const struct display_image *look_logo(const struct look *look, struct display *display);

#endif
