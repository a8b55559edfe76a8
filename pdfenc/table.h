/*
 * table: comma-separated values (RFC 4180, and semicolons and tabs) -> a table. Pure.
 */
#ifndef SG_PDFENC_TABLE_H
#define SG_PDFENC_TABLE_H

#include <glib.h>
#include <stdbool.h>

#define TABLE_CELLS_MAX 4000u	/* more are shown as text: a table costs 0.1 ms a cell */
#define TABLE_COLUMNS_MAX 24u

/* Replaces text by HTML. False: it is none, or above a limit; text stays. */
bool table_to_html(GString *text);

#endif
