/*
 * phone: a telephone number as a sender wrote it behind "sms:". Pure.
 */
#ifndef SG_CONFIG_PHONE_H
#define SG_CONFIG_PHONE_H

#include "gateway/base/fail.h"

#define PHONE_MAX 17	/* "+", 15 digits (E.164), NUL */

/*
 * "+49 (151) 123-456.78" becomes "+4915112345678". Spaces, hyphens, dots and parentheses are taken
 * out, and the invisible marks that address books put around a number. SG_EFORMAT says what is
 * wrong, without the number: no + and country code, (0) in it, other signs, not 8 to 15 digits.
 */
MUST_USE enum fail_code phone_parse(const char *text, char phone_out[PHONE_MAX], struct fail *f);

#endif
