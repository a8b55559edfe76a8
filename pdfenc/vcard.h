/*
 * vcard: a visiting card (RFC 6350, and the older vCard 2.1 and 3.0) as a person reads it. Pure.
 */
#ifndef SG_PDFENC_VCARD_H
#define SG_PDFENC_VCARD_H

#include <glib.h>
#include <stdbool.h>

#define VCARD_CARDS_MAX 20u	/* shown of one file */

/* Appends lines "Label: value". False: there is nothing in it. */
bool vcard_to_card(const GString *text, GString *card);

#endif
