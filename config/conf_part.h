/*
 * conf_part: what the reader of the file and the reader of the wire share. For config/ alone.
 */
#ifndef SG_CONFIG_CONF_PART_H
#define SG_CONFIG_CONF_PART_H

#include "config/conf.h"
#include "gateway/base/fail.h"

/* Appends a tenant with its defaults. *tenant_out is borrowed until the next one is added. */
MUST_USE enum fail_code conf_add_tenant(struct conf *conf, const char *name,
    struct conf_tenant **tenant_out, struct fail *f);

#endif
