/*
 * analyzer: what clang's analyser cannot see from one file alone. fail_set and fail_errno return
 * the code that they are given, so "return fail_set(...)" is never SG_OK. Included before each file
 * by the check "tidy"; never compiled in.
 */
#ifndef SG_TESTS_LINT_ANALYZER_H
#define SG_TESTS_LINT_ANALYZER_H

#include "gateway/base/fail.h"

#define fail_set(f, code, ...) (fail_set((f), (code), __VA_ARGS__), (code))
#define fail_errno(f, code, ...) (fail_errno((f), (code), __VA_ARGS__), (code))

#endif
