/*
 * What a process that was taken over could ask the vault: any type, any bytes. Each request runs in
 * a transaction that is undone. The first byte chooses the type. links: sealgate-vault
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/vault/server.h"

static struct server server;
static char folder[] = "/tmp/sealgate_fuzz.XXXXXX";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean_up(void)
{
	char path[128];

	server_close(&server);
	for (const char *const *each = (const char *const[]){ "vault.db", "vault.db-wal",
	    "vault.db-shm", "master.key", NULL }; *each != NULL; each++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, *each);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

static void open_vault(void)
{
	struct conf *conf = NULL;
	struct fail f;

	log_start("fuzz", LOG_LEVEL_ERROR);
	if (mkdtemp(folder) == NULL || conf_default(&conf, &f) != SG_OK)
		abort();
	conf->tenants = calloc(1, sizeof(*conf->tenants));
	if (conf->tenants == NULL || str_set(&conf->state_directory, folder) != SG_OK ||
	    str_set(&conf->tenants[0].name, "t") != SG_OK)
		abort();
	conf->tenant_count = 1;
	free(conf->master_key_file);
	conf->master_key_file = str_printf("%s/master.key", folder);
	if (server_open(&server, conf, -1, clock_system(), &f) != SG_OK) {
		(void)fprintf(stderr, "%s\n", f.what);
		abort();
	}
	(void)atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_handler *handlers;
	struct wire_message request;
	struct wire_message reply;
	struct fail f;
	size_t count;

	if (server.conf == NULL)
		open_vault();
	if (size < 2 || size > WIRE_BODY_MAX)
		return 0;
	handlers = server_handlers(&count);
	handlers += data[0] % count;
	fail_clear(&f);
	wire_message_init(&request, handlers->type);
	wire_message_init(&reply, handlers->type);
	if (server.store->ops->begin(server.store, &f) != SG_OK)
		abort();
	if ((data[1] & 1) == 0) {
		if (buf_append(&request.body, data + 2, size - 2) != SG_OK)
			abort();
	} else if (fd_memory("request", &request.fd, NULL) != SG_OK ||
	    fd_write_all(request.fd, data + 2, size - 2, NULL) != SG_OK) {
		abort();
	}
	(void)handlers->handle(&server, &request, &reply, &f);
	server.store->ops->rollback(server.store);
	wire_message_free(&request);
	wire_message_free(&reply);
	return 0;
}
