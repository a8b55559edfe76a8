#include "milter/spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/secret.h"
#include "gateway/base/str.h"

#define WRITE_BUFFER ((size_t)64 * 1024)	/* small pieces (header fields) share a write */

struct spool {
	const char *directory;
	size_t memory_max;
	size_t size_max;
	size_t size;
	bool on_disk;
	bool finished;
	int fd;			/* written to; after finish: read-only */
	int reader;		/* the file's second, read-only descriptor */
	unsigned char *waiting;
	size_t waiting_size;
	struct fd_map map;
};

enum fail_code spool_new(const char *directory, size_t memory_max, size_t size_max,
    struct spool **spool_out, struct fail *f)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	enum fail_code code;

	*spool_out = NULL;
	if (spool == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a spool");
	spool->directory = directory;
	spool->memory_max = memory_max;
	spool->size_max = size_max;
	spool->fd = -1;
	spool->reader = -1;
	spool->waiting = malloc(WRITE_BUFFER);
	code = spool->waiting == NULL ? fail_set(f, SG_ENOMEM, NULL, "no memory for a spool") :
	    fd_memory("sealgate-spool", &spool->fd, f);
	if (code != SG_OK) {
		spool_free(spool);
		return code;
	}
	*spool_out = spool;
	return SG_OK;
}

void spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	fd_unmap(&spool->map);
	fd_close(&spool->fd);
	fd_close(&spool->reader);
	free(spool->waiting);
	free(spool);
}

/* Two descriptors of a file whose name is taken away at once. */
static enum fail_code open_nameless(const char *directory, int *writer_out, int *reader_out,
    struct fail *f)
{
	unsigned char random[12];
	char hex[2 * sizeof(random) + 1];
	char *path;
	enum fail_code code = SG_OK;

	if (secret_random_bytes(random, sizeof(random)) != SG_OK)
		return fail_set(f, SG_ESYSTEM, NULL, "the kernel gives no random bytes");
	str_hex(random, sizeof(random), hex);
	path = str_printf("%s/%s", directory, hex);
	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	*writer_out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*writer_out >= 0)
		*reader_out = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*writer_out < 0 || *reader_out < 0)
		code = fail_errno(f, SG_ESYSTEM, "check spool_directory, its rights and space",
		    "cannot make a spool file in %s", directory);
	if (*writer_out >= 0)
		(void)unlink(path);
	free(path);
	return code;
}

/* Copies what the memfd holds into a file and goes on there. */
static enum fail_code move_to_disk(struct spool *spool, struct fail *f)
{
	struct fd_map map;
	int writer = -1;
	int reader = -1;
	enum fail_code code = open_nameless(spool->directory, &writer, &reader, f);

	if (code == SG_OK)
		code = fd_map(spool->fd, spool->size_max, &map, f);
	if (code == SG_OK) {
		code = fd_write_all(writer, map.data, map.size, f);
		fd_unmap(&map);
	}
	if (code != SG_OK) {
		fd_close(&writer);
		fd_close(&reader);
		return code;
	}
	fd_close(&spool->fd);
	spool->fd = writer;
	spool->reader = reader;
	spool->on_disk = true;
	return SG_OK;
}

static enum fail_code write_out(struct spool *spool, const void *data, size_t size,
    struct fail *f)
{
	enum fail_code code = SG_OK;

	if (!spool->on_disk && spool->directory != NULL && spool->size > spool->memory_max)
		code = move_to_disk(spool, f);
	return code == SG_OK ? fd_write_all(spool->fd, data, size, f) : code;
}

static enum fail_code flush_waiting(struct spool *spool, struct fail *f)
{
	size_t size = spool->waiting_size;

	spool->waiting_size = 0;
	return size == 0 ? SG_OK : write_out(spool, spool->waiting, size, f);
}

enum fail_code spool_append(struct spool *spool, const void *data, size_t size, struct fail *f)
{
	enum fail_code code;

	SG_BUG_IF(spool->finished);
	if (size > spool->size_max - spool->size)
		return fail_set(f, SG_ELIMIT, NULL, "more than %zu bytes", spool->size_max);
	spool->size += size;
	if (size > WRITE_BUFFER - spool->waiting_size) {
		code = flush_waiting(spool, f);
		if (code != SG_OK)
			return code;
	}
	if (size >= WRITE_BUFFER)
		return write_out(spool, data, size, f);
	memcpy(spool->waiting + spool->waiting_size, data, size);
	spool->waiting_size += size;
	return SG_OK;
}

enum fail_code spool_finish(struct spool *spool, struct fail *f)
{
	enum fail_code code = flush_waiting(spool, f);

	SG_BUG_IF(spool->finished);
	if (code != SG_OK)
		return code;
	if (spool->on_disk) {
		fd_close(&spool->fd);
		spool->fd = spool->reader;
		spool->reader = -1;
	} else {
		code = fd_seal(spool->fd, f);
	}
	free(spool->waiting);
	spool->waiting = NULL;
	spool->finished = code == SG_OK;
	return code;
}

size_t spool_size(const struct spool *spool)
{
	return spool->size;
}

int spool_fd(const struct spool *spool)
{
	SG_BUG_IF(!spool->finished);
	return spool->fd;
}

enum fail_code spool_map(struct spool *spool, const unsigned char **data_out, size_t *size_out,
    struct fail *f)
{
	enum fail_code code = SG_OK;

	SG_BUG_IF(!spool->finished);
	if (spool->map.data == NULL)
		code = fd_map(spool->fd, spool->size_max, &spool->map, f);
	*data_out = spool->map.data;
	*size_out = spool->map.size;
	return code;
}
