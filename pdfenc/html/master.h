/*
 * master: the style sheet below all others, as browsers have one; lengths in em and units.
 */
#ifndef SG_PDFENC_HTML_MASTER_H
#define SG_PDFENC_HTML_MASTER_H

/* 1px = CSS_UNIT units; static. */
extern const char master_css[];

#endif
