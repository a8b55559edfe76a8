/*
 * cert_file: the certificates in a file that an administrator names.
 */
#ifndef SG_GATEWAY_CMD_CERT_FILE_H
#define SG_GATEWAY_CMD_CERT_FILE_H

#include <stddef.h>

#include "gateway/base/fail.h"

#define CERT_FILE_MAX ((size_t)16 * 1024 * 1024)	/* bytes of one file */

struct der {
	unsigned char *data;
	size_t size;
};

/* Certificates in DER. Zero-initialise. */
struct der_list {
	struct der *items;
	size_t count;
};

/*
 * Appends what the file (PEM or DER; "-" is standard input) holds. In a PEM file of several, those
 * of authorities are the chain and left out: no mail is encrypted to them. SG_EFORMAT,
 * SG_ENOTFOUND, SG_ESYSTEM; the list can only be freed then.
 */
MUST_USE enum fail_code cert_file_read(const char *path, struct der_list *list, struct fail *f);
/* Its certificates, not itself. */
void der_list_free(struct der_list *list);

#endif
