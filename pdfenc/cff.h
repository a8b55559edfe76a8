/*
 * cff: what a PDF has to know of a CFF table (Adobe Technical Note 5176). Pure.
 */
#ifndef SG_PDFENC_CFF_H
#define SG_PDFENC_CFF_H

#include <stddef.h>
#include <stdint.h>

enum cff_kind {
	CFF_CIDS,	/* a code is looked up among the font's own numbers */
	CFF_NAMES,	/* a code is a glyph */
	CFF_BROKEN
};

/* Fills cids[0..glyphs) of a font with CIDs. */
enum cff_kind cff_cids(const void *data, size_t size, uint16_t *cids, unsigned int glyphs);

#endif
