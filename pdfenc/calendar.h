/*
 * calendar: an invitation (RFC 5545, 5546) as a person reads it. Pure.
 */
#ifndef SG_PDFENC_CALENDAR_H
#define SG_PDFENC_CALENDAR_H

#include <glib.h>
#include <stdbool.h>

#define CALENDAR_EVENTS_MAX 5u	/* shown of one file */

/*
 * Appends lines "Label: value" about the events in text; *title_out says what they are
 * ("Invitation"). Times stand as written, with their zone. False: there is no event.
 */
bool calendar_to_card(const GString *text, GString *card, const char **title_out);

#endif
