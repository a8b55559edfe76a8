#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/rules.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/vault/crypt.h"
#include "gateway/vault/server.h"

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* --- the first start --- */

/*
 * The new database gets its name last: a crash in between leaves either nothing that counts, or a
 * master key with the finished ".new" beside it.
 */
static enum fail_code first_start(struct server *server, const char *fresh, struct fail *f)
{
	struct store *store = NULL;
	enum fail_code code;
	char *log = str_printf("%s-wal", fresh);

	if (log == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	(void)unlink(fresh);
	(void)unlink(log);
	code = secret_random(&server->master, CRYPT_KEY_SIZE);
	if (code != SG_OK)
		(void)fail_set(f, code, NULL, "no random bytes for the master key");
	if (code == SG_OK)
		code = store_sqlite_open(fresh, true, &store, f);
	if (code == SG_OK)
		code = keys_make(store, &server->master, server_now(server), f);
	store_close(store);
	if (code == SG_OK)
		code = fd_replace_file(server->conf->master_key_file, server->master.data,
		    server->master.size, 0600, f);
	free(log);
	return code;
}

static enum fail_code finish_first_start(struct server *server, const char *fresh,
    struct fail *f)
{
	int folder;

	if (rename(fresh, server->database) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot name the database %s",
		    server->database);
	folder = open(server->conf->state_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fsync(folder) != 0) {
		fd_close(&folder);
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot write folder %s",
		    server->conf->state_directory);
	}
	fd_close(&folder);
	return SG_OK;
}

static enum fail_code make_if_first(struct server *server, bool has_key, struct fail *f)
{
	const char *key_file = server->conf->master_key_file;
	char *fresh = str_printf("%s.new", server->database);
	enum fail_code code = SG_OK;

	if (fresh == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (is_there(server->database)) {
		if (!has_key)
			code = fail_set(f, SG_EUSAGE,
			    "put the key back from its backup: nothing else opens the passwords",
			    "the master key %s is missing, but the database %s exists", key_file,
			    server->database);
		goto out;
	}
	if (!has_key)
		code = first_start(server, fresh, f);
	else if (!is_there(fresh))
		code = fail_set(f, SG_EUSAGE,
		    "restore it from a backup; to begin anew, move the master key away",
		    "the database %s is missing, but its master key %s exists", server->database,
		    key_file);
	if (code == SG_OK)
		code = finish_first_start(server, fresh, f);
out:
	free(fresh);
	return code;
}

/* --- opening --- */

int server_open_key(const struct conf *conf)
{
	return open(conf->master_key_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/*
 * For its owner alone. What systemd hands over may have an access list, which shows as rights of
 * the group: root's.
 */
static bool is_private(const struct stat *st)
{
	mode_t others = st->st_gid == 0 ? 037 : 077;

	return S_ISREG(st->st_mode) && (st->st_mode & others) == 0;
}

/* fd: server_open_key's. */
static enum fail_code master_read(struct server *server, int fd, struct fail *f)
{
	const char *path = server->conf->master_key_file;
	unsigned char bytes[CRYPT_KEY_SIZE + 1];
	enum fail_code code = SG_OK;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		fd = server_open_key(server->conf);
	if (fd < 0 || fstat(fd, &st) != 0) {
		code = fail_errno(f, SG_ESYSTEM, "it must be readable for the vault's user alone",
		    "cannot open the master key %s", path);
		fd_close(&fd);
		return code;
	}
	if (!is_private(&st)) {
		fd_close(&fd);
		return fail_set(f, SG_EUSAGE, "chmod 600 it, and give it to users.vault",
		    "the master key %s can be read by others than the vault's user", path);
	}
	n = read(fd, bytes, sizeof(bytes));
	fd_close(&fd);
	if (n != CRYPT_KEY_SIZE)
		code = fail_set(f, SG_EUSAGE, "put the key back from its backup",
		    "the master key %s has not exactly %d bytes", path, CRYPT_KEY_SIZE);
	else if (secret_set(&server->master, bytes, CRYPT_KEY_SIZE) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for the master key");
	secret_wipe(bytes, sizeof(bytes));
	return code;
}

static enum fail_code open_store(struct server *server, struct fail *f)
{
	enum fail_code code = store_sqlite_open(server->database, false, &server->store, f);

	if (code == SG_OK)
		code = keys_read(server, f);
	if (code == SG_OK)
		code = server_tenants(server, f);
	if (code != SG_OK) {
		store_close(server->store);
		server->store = NULL;
	}
	return code;
}

enum fail_code server_open(struct server *server, struct conf *conf, int key,
    const struct clock *clock, struct fail *f)
{
	enum fail_code code;
	struct stat st;

	memset(server, 0, sizeof(*server));
	secret_init(&server->master);
	keys_init(server);
	server->conf = conf;
	server->clock = clock;
	server->database = str_printf("%s/%s", conf->state_directory, SERVER_DATABASE);
	if (server->database == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	else if (stat(conf->state_directory, &st) != 0)
		code = fail_errno(f, SG_ESYSTEM, "it is state_directory in sealgate.conf",
		    "cannot look into %s", conf->state_directory);
	else {
		server->state_device = st.st_dev;
		server->state_inode = st.st_ino;
		code = make_if_first(server, key >= 0 || is_there(conf->master_key_file), f);
	}
	if (code == SG_OK)
		code = master_read(server, key, f);
	else
		fd_close(&key);
	if (code == SG_OK)
		code = open_store(server, f);
	if (code != SG_OK)
		server_close(server);
	return code;
}

void server_close(struct server *server)
{
	store_close(server->store);
	server->store = NULL;
	secret_free(&server->master);
	keys_free(server);
	conf_free(server->conf);
	server->conf = NULL;
	free(server->database);
	server->database = NULL;
}

/* --- trouble --- */

void server_fail(struct server *server, const struct fail *f)
{
	if (strcmp(server->trouble.what, f->what) != 0)
		log_failure(LOG_LEVEL_ERROR, NULL, "vault-store", f);
	server->trouble = *f;
	server->trouble.code = SG_ESYSTEM;	/* never to be read as "not found" */
	(void)fail_set_kind(&server->trouble, FAIL_TEMPORARY);
	server->retry_ms = clock_mono_ms(server->clock) + SERVER_RETRY_MS;
	store_close(server->store);
	server->store = NULL;
}

enum fail_code server_ready(struct server *server, struct fail *f)
{
	struct fail trouble;

	fail_clear(&trouble);
	if (server->store != NULL) {
		if (server->store->ops->check(server->store, &trouble) == SG_OK)
			return SG_OK;
		server_fail(server, &trouble);
	} else if (clock_mono_ms(server->clock) >= server->retry_ms) {
		if (open_store(server, &trouble) == SG_OK) {
			fail_clear(&server->trouble);
			return SG_OK;
		}
		server_fail(server, &trouble);
	}
	if (f != NULL)
		*f = server->trouble;
	return server->trouble.code;
}

void server_settle(struct server *server)
{
	struct fail trouble;

	if (server->store == NULL || !server->store->ops->broken(server->store))
		return;
	(void)fail_set(&trouble, SG_ESYSTEM, "see the lines before; sealgate doctor looks again",
	    "the database %s failed and is opened again", server->database);
	server_fail(server, &trouble);
}

bool server_lost(const struct server *server)
{
	struct stat st;

	return server->store == NULL && stat(server->conf->state_directory, &st) == 0 &&
	    (st.st_dev != server->state_device || st.st_ino != server->state_inode);
}

/* --- shared --- */

enum fail_code server_tenants(struct server *server, struct fail *f)
{
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; code == SG_OK && i < server->conf->tenant_count; i++)
		code = server->store->ops->tenant_put(server->store, server->conf->tenants[i].name,
		    f);
	return code;
}

enum fail_code server_reload(struct server *server, struct conf *conf, struct fail *f)
{
	conf_free(server->conf);
	server->conf = conf;
	return server->store == NULL ? SG_OK : server_tenants(server, f);
}

enum fail_code server_tenant(const struct server *server, const char *tenant,
    enum fail_kind kind, struct fail *f)
{
	if (conf_tenant_named(server->conf, tenant) != NULL)
		return SG_OK;
	(void)fail_set(f, SG_ENOTFOUND,
	    "tenants stand in sealgate.conf; reload the gateway after a change",
	    "there is no tenant %.80s", tenant);
	(void)fail_set_kind(f, kind);
	return SG_ENOTFOUND;
}

enum fail_code server_end(struct server *server, enum fail_code code, struct fail *f)
{
	struct store *store = server->store;

	if (code == SG_OK) {
		code = store->ops->commit(store, f);
		counters_committed(server->counters, code != SG_OK);
		return code;
	}
	store->ops->rollback(store);
	return code;
}

int64_t server_now(const struct server *server)
{
	return clock_wall_ms(server->clock) / 1000;
}

enum fail_code server_address(char **address, struct fail *f)
{
	char *normal = NULL;
	enum fail_code code = rules_address(*address, &normal, f);

	if (code != SG_OK)
		return code;
	/* no mail to another host goes to a bare name, and none of ours reaches the vault */
	if (rules_domain(normal)[0] == '\0') {
		free(normal);
		return fail_set(f, SG_EFORMAT, "write it as name@domain",
		    "%.200s is no mail address", *address);
	}
	free(*address);
	*address = normal;
	return SG_OK;
}
