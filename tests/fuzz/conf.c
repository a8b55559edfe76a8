/* The configuration file, and the bytes that a worker is sent (a first byte of W).
 * links: sealgate */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/conf.h"
#include "gateway/base/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;
	enum fail_code code;
	char path[64];
	int fd = -1;

	if (size > 0 && data[0] == 'W') {
		code = conf_decode(data + 1, size - 1, &conf, NULL);
	} else {
		if (fd_memory("conf", &fd, NULL) != SG_OK ||
		    fd_write_all(fd, data, size, NULL) != SG_OK)
			abort();
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		code = conf_load(path, false, &conf, &errors, NULL);
		if ((code == SG_OK) != (errors.count == 0))
			abort();
	}
	if ((code == SG_OK) != (conf != NULL))
		abort();
	conf_errors_free(&errors);
	conf_free(conf);
	fd_close(&fd);
	return 0;
}
