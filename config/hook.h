/*
 * hook: whether a tenant hands passwords to a program or server of the administrator, and whether
 * what it wrote about that can be. Pure.
 */
#ifndef SG_CONFIG_HOOK_H
#define SG_CONFIG_HOOK_H

#include <stdbool.h>

#include "config/conf.h"
#include "gateway/base/fail.h"

/* Has it tenant.hook_command or tenant.hook_url? */
bool hook_configured(const struct conf_tenant *tenant);

/* SG_EUSAGE unless it is https://HOST..., or http:// to this host; without a password in it. */
MUST_USE enum fail_code hook_check_url(const char *url, struct fail *f);

/* SG_EUSAGE: the tenant's keys about its hook contradict each other. Asks no file. */
MUST_USE enum fail_code hook_check(const struct conf_tenant *tenant, struct fail *f);

/* The same about files: a command that is there and may be executed, a token file that is there. */
MUST_USE enum fail_code hook_check_files(const struct conf_tenant *tenant, struct fail *f);

#endif
