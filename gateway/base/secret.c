#include "gateway/base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

void secret_init(struct secret *secret)
{
	secret->data = NULL;
	secret->size = 0;
	secret->mapped = 0;
}

void secret_wipe(void *data, size_t size)
{
	if (size > 0)
		explicit_bzero(data, size);
}

/* A page of its own: locked where the limit lets us, never in a core dump, not for children. */
static enum fail_code map_page(struct secret *secret)
{
	void *page = mmap(NULL, SECRET_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);

	if (page == MAP_FAILED)
		return SG_ENOMEM;
	(void)mlock(page, SECRET_MAX);
	(void)madvise(page, SECRET_MAX, MADV_DONTDUMP);
	(void)madvise(page, SECRET_MAX, MADV_WIPEONFORK);
	secret->data = page;
	secret->mapped = SECRET_MAX;
	return SG_OK;
}

static enum fail_code make_room(struct secret *secret, size_t size)
{
	if (size > SECRET_MAX)
		return SG_ELIMIT;
	if (secret->data != NULL) {
		secret_wipe(secret->data, secret->mapped);
		secret->size = 0;
		return SG_OK;
	}
	return map_page(secret);
}

enum fail_code secret_set(struct secret *secret, const void *data, size_t size)
{
	enum fail_code code = make_room(secret, size);

	if (code != SG_OK)
		return code;
	if (size > 0)
		memcpy(secret->data, data, size);
	secret->size = size;
	return SG_OK;
}

enum fail_code secret_random_bytes(void *data, size_t size)
{
	unsigned char *at = data;

	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return SG_ESYSTEM;
		at += n;
		size -= (size_t)n;
	}
	return SG_OK;
}

enum fail_code secret_random(struct secret *secret, size_t size)
{
	enum fail_code code = make_room(secret, size);

	if (code == SG_OK)
		code = secret_random_bytes(secret->data, size);
	if (code == SG_OK)
		secret->size = size;
	return code;
}

void secret_move(struct secret *to, struct secret *from)
{
	secret_free(to);
	*to = *from;
	secret_init(from);
}

void secret_free(struct secret *secret)
{
	if (secret->data != NULL) {
		secret_wipe(secret->data, secret->mapped);
		(void)munlock(secret->data, secret->mapped);
		(void)munmap(secret->data, secret->mapped);
	}
	secret_init(secret);
}

bool secret_compare(const void *a, const void *b, size_t size)
{
	const volatile unsigned char *x = a;
	const volatile unsigned char *y = b;
	unsigned char difference = 0;

	for (size_t i = 0; i < size; i++)
		difference = (unsigned char)(difference | (x[i] ^ y[i]));
	return difference == 0;
}

bool secret_equal(const struct secret *a, const void *b, size_t b_size)
{
	return a->size == b_size && secret_compare(a->data, b, b_size);
}

enum fail_code secret_read(struct secret *secret, int fd, struct fail *f)
{
	unsigned char extra;
	enum fail_code code = make_room(secret, 0);

	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for a secret");
	for (;;) {
		size_t room = SECRET_MAX - secret->size;
		ssize_t n = read(fd, room > 0 ? secret->data + secret->size : &extra,
		    room > 0 ? room : 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(f, SG_ESYSTEM, NULL, "cannot read the secret");
		if (n == 0)
			break;
		if (room == 0)
			return fail_set(f, SG_ELIMIT, "a secret has at most 4096 bytes",
			    "the secret is too long");
		secret->size += (size_t)n;
	}
	if (secret->size > 0 && secret->data[secret->size - 1] == '\n')
		secret->size--;
	if (secret->size > 0 && secret->data[secret->size - 1] == '\r')
		secret->size--;
	return SG_OK;
}
