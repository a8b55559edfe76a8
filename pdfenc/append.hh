/*
 * append: the part of it that libqpdf's classes are needed for.
 */
#ifndef SG_PDFENC_APPEND_HH
#define SG_PDFENC_APPEND_HH

#include <qpdf/QPDF.hh>

#include "pdfenc/append.h"

/*
 * Puts the pages of places instead of the pictures with their tokens. What they are made of must
 * live until pdf is written. Throws what libqpdf throws.
 */
void append_put(QPDF &pdf, struct append_place const *places, size_t count);

#endif
