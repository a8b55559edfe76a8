/*
 * warm: everything that is slow the first time, or needs files, done before the sandbox closes.
 */
#ifndef SG_PDFENC_WARM_H
#define SG_PDFENC_WARM_H

#include "gateway/base/fail.h"
#include "pdfenc/layout.h"

/* Starts the libraries and seals a small message in many scripts. SG_ESYSTEM: no fonts. */
MUST_USE enum fail_code warm_engine(struct layout_engine **engine_out, struct fail *f);

#endif
