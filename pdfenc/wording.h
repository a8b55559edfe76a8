/*
 * wording: what we write on the pages ourselves, in the language that the message is answered in.
 *
 * The texts stand in the code in English; the table has their translations. One message at a time:
 * wording_use holds until the next one. Pure but for that.
 */
#ifndef SG_PDFENC_WORDING_H
#define SG_PDFENC_WORDING_H

#include <glib.h>

#include "config/conf.h"

/* For what is written from now on. */
void wording_use(enum conf_language language);
/* English that the table has -> the language in use; static. What it lacks stays English. */
const char *wording(const char *english) __attribute__((format_arg(1)));
/* "Tuesday, 24 November 2026, 16:15 (UTC+01:00)" as the language writes it; the caller g_frees. */
char *wording_date(GDateTime *date);

#endif
