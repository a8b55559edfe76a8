#include "milter/scan/database.h"

#include <clamav.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/str.h"
#include "milter/scan/watch.h"

#define PRINT_START UINT64_C(14695981039346656037)	/* FNV-1a, 64 bits */
#define PRINT_PRIME UINT64_C(1099511628211)

/* Names that libclamav loads (libclamav/readdb.h, CLI_DBEXT), and how each can be checked alone. */
enum kind {
	KIND_OTHER,		/* not of the database */
	KIND_CONTAINER,		/* signed or with a checksum: cl_cvdverify */
	KIND_PLAIN,		/* loads by itself */
	KIND_HELPER		/* means something only beside others */
};

static const struct {
	const char *end;
	enum kind kind;
} kinds[] = {
	{ ".cvd", KIND_CONTAINER }, { ".cld", KIND_CONTAINER }, { ".cud", KIND_CONTAINER },
	{ ".db", KIND_PLAIN }, { ".hdb", KIND_PLAIN }, { ".hdu", KIND_PLAIN },
	{ ".hsb", KIND_PLAIN }, { ".hsu", KIND_PLAIN }, { ".mdb", KIND_PLAIN },
	{ ".mdu", KIND_PLAIN }, { ".msb", KIND_PLAIN }, { ".msu", KIND_PLAIN },
	{ ".ndb", KIND_PLAIN }, { ".ndu", KIND_PLAIN }, { ".ldb", KIND_PLAIN },
	{ ".ldu", KIND_PLAIN }, { ".sdb", KIND_PLAIN }, { ".zmd", KIND_PLAIN },
	{ ".rmd", KIND_PLAIN }, { ".cdb", KIND_PLAIN }, { ".idb", KIND_PLAIN },
	{ ".yar", KIND_PLAIN }, { ".yara", KIND_PLAIN }, { ".fp", KIND_PLAIN },
	{ ".sfp", KIND_PLAIN }, { ".pdb", KIND_HELPER }, { ".wdb", KIND_HELPER },
	{ ".gdb", KIND_HELPER }, { ".cbc", KIND_HELPER }, { ".ftm", KIND_HELPER },
	{ ".cfg", KIND_HELPER }, { ".cat", KIND_HELPER }, { ".crb", KIND_HELPER },
	{ ".ign", KIND_HELPER }, { ".ign2", KIND_HELPER }, { ".imp", KIND_HELPER },
	{ ".ioc", KIND_HELPER }, { ".pwdb", KIND_HELPER }, { ".info", KIND_HELPER },
};

static enum kind kind_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_equal_case(dot, kinds[i].end))
			return kinds[i].kind;
	return KIND_OTHER;
}

/* ---- walking ---- */

typedef enum fail_code visit_fn(const char *folder, const char *name, const struct stat *st,
    void *context, struct fail *f);

/* Each file of the database, in no order; ends at the first failure. */
static enum fail_code each_file(const char *path, visit_fn *visit, void *context, struct fail *f)
{
	enum fail_code code = SG_OK;
	const struct dirent *entry;
	DIR *folder = opendir(path);
	struct stat st;

	if (folder == NULL)
		return fail_errno(f, SG_ENOTFOUND,
		    "run freshclam, and let the scanner's user read the folder",
		    "cannot read the signature folder %s", path);
	while (code == SG_OK && (entry = readdir(folder)) != NULL)
		if (kind_of(entry->d_name) != KIND_OTHER &&
		    fstatat(dirfd(folder), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			code = visit(path, entry->d_name, &st, context, f);
	(void)closedir(folder);
	return code;
}

static uint64_t mix(uint64_t print, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		print = (print ^ bytes[i]) * PRINT_PRIME;
	return print;
}

/* Summed, since a folder has no order. */
static enum fail_code add_print(const char *folder, const char *name, const struct stat *st,
    void *context, struct fail *f)
{
	uint64_t *print = context;
	uint64_t one = mix(PRINT_START, name, strlen(name));

	(void)folder;
	(void)f;
	one = mix(one, &st->st_size, sizeof(st->st_size));
	one = mix(one, &st->st_ino, sizeof(st->st_ino));
	one = mix(one, &st->st_mtim.tv_sec, sizeof(st->st_mtim.tv_sec));
	*print += mix(one, &st->st_mtim.tv_nsec, sizeof(st->st_mtim.tv_nsec));
	return SG_OK;
}

uint64_t database_print(const char *path)
{
	uint64_t print = 1;

	return each_file(path, add_print, &print, NULL) == SG_OK ? print : 0;
}

/* ClamAV's daily file, and all others. */
struct newest {
	int64_t daily;
	int64_t any;
};

static enum fail_code take_newest(const char *folder, const char *name, const struct stat *st,
    void *context, struct fail *f)
{
	struct newest *newest = context;
	int64_t *time = strncasecmp(name, "daily.", 6) == 0 ? &newest->daily : &newest->any;

	(void)folder;
	(void)f;
	if (st->st_mtime > *time)
		*time = st->st_mtime;
	return SG_OK;
}

int64_t database_newest(const char *path)
{
	struct newest newest = { 0, 0 };

	if (each_file(path, take_newest, &newest, NULL) != SG_OK)
		return 0;
	return newest.daily != 0 ? newest.daily : newest.any;
}

/* ---- checking ---- */

static cl_error_t load_alone(const char *path)
{
	struct cl_engine *engine = cl_engine_new();
	unsigned int count = 0;
	cl_error_t result;

	if (engine == NULL)
		return CL_EMEM;
	result = cl_load(path, engine, &count, CL_DB_STDOPT);
	if (result == CL_SUCCESS)
		result = cl_engine_compile(engine);
	(void)cl_engine_free(engine);
	return result;
}

static enum fail_code check_file(const char *folder, const char *name, const struct stat *st,
    void *context, struct fail *f)
{
	char *path = str_printf("%s/%s", folder, name);
	cl_error_t result = CL_SUCCESS;
	size_t *count = context;
	struct watch watch;
	enum fail_code code = SG_OK;

	(void)st;
	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	(*count)++;
	watch_begin(&watch);
	if (kind_of(name) == KIND_CONTAINER)
		result = cl_cvdverify(path);
	else if (kind_of(name) == KIND_PLAIN)
		result = load_alone(path);
	watch_end();
	if (result != CL_SUCCESS || watch.trouble[0] != '\0')
		code = fail_set(f, watch.trouble[0] != '\0' ? SG_ESYSTEM : SG_EFORMAT,
		    "is the file whole and readable for the scanner's user? run freshclam again",
		    "cannot use signatures from %s: %s%s%s", path,
		    result != CL_SUCCESS ? cl_strerror(result) : watch.trouble,
		    watch.warning[0] != '\0' ? ": " : "", watch.warning);
	free(path);
	return code;
}

enum fail_code database_check(const char *path, struct fail *f)
{
	size_t count = 0;
	enum fail_code code = each_file(path, check_file, &count, f);

	if (code == SG_OK && count == 0)
		code = fail_set(f, SG_ENOTFOUND, "run freshclam", "no signatures in %s", path);
	return code;
}
