#include "gateway/cmd/memory.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define FILE_MAX ((size_t)64 * 1024)	/* bytes of a file of the kernel's */

/* The text of root/path; NULL if there is none. The caller frees the buf. */
static const char *read_text(struct buf *text, const char *root, const char *path)
{
	char *whole = str_printf("%s/%s", root, path);
	const char *found = NULL;

	buf_init(text, FILE_MAX);
	if (whole != NULL && fd_read_file(whole, text, NULL) == SG_OK)
		found = buf_str(text);
	free(whole);
	return found;
}

/* The number that text begins with, after blanks. */
static bool number_at(const char *text, uint64_t *value_out)
{
	char *digits;
	bool is_number;

	text += strspn(text, " \t");
	digits = str_dup_n(text, strspn(text, "0123456789"));
	is_number = digits != NULL &&
	    str_parse_u64(digits, 0, UINT64_MAX / 1024, value_out) == SG_OK;
	free(digits);
	return is_number;
}

/* The number behind a name at the start of a line. */
static bool field(const char *text, const char *name, uint64_t *value_out)
{
	size_t size = strlen(name);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, size) == 0)
			return number_at(line + size, value_out);
	}
	return false;
}

/* The path of our control group; cgroups(7), version 2: one line "0::/path". NULL: none. */
static char *own_group(const char *root)
{
	struct buf file;
	const char *text = read_text(&file, root, "proc/self/cgroup");
	const char *line = text != NULL ? strstr(text, "0::/") : NULL;
	char *group = line != NULL ? str_dup_n(line + 3, strcspn(line + 3, "\n")) : NULL;

	buf_free(&file);
	return group;
}

static bool group_number(const char *root, const char *group, const char *name, const char *key,
    uint64_t *value_out)
{
	char *path = str_printf("sys/fs/cgroup%s/%s", group, name);
	const char *text;
	struct buf file;
	bool found;

	if (path == NULL)
		return false;
	text = read_text(&file, root, path);
	found = text != NULL && (key != NULL ? field(text, key, value_out) :
	    number_at(text, value_out));
	buf_free(&file);
	free(path);
	return found;
}

/* More than any process of ours has: all that our control group has now. */
static uint64_t used_by_group(const char *root)
{
	char *group = own_group(root);
	uint64_t used = 0;

	if (group == NULL || strcmp(group, "/") == 0 ||
	    !group_number(root, group, "memory.current", NULL, &used))
		used = 0;
	free(group);
	return used;
}

uint64_t memory_peak(const char *root, pid_t pid)
{
	char *path = str_printf("proc/%ld/status", (long)pid);
	const char *text;
	struct buf file;
	uint64_t kilobytes = 0;

	if (path == NULL)
		return 0;
	text = read_text(&file, root, path);
	if (text == NULL || !field(text, "VmHWM:", &kilobytes))
		kilobytes = 0;
	buf_free(&file);
	free(path);
	return kilobytes > 0 ? kilobytes * 1024 : used_by_group(root);
}

/* What one control group still allows. "max" is no number: no bound. */
static uint64_t left_in_group(const char *root, const char *group)
{
	uint64_t max;
	uint64_t used;
	uint64_t cache = 0;

	if (!group_number(root, group, "memory.max", NULL, &max) ||
	    !group_number(root, group, "memory.current", NULL, &used))
		return UINT64_MAX;
	if (group_number(root, group, "memory.stat", "inactive_file ", &cache))
		used -= cache < used ? cache : used;
	return max > used ? max - used : 0;
}

/* Our group and those above it. */
static uint64_t left_in_groups(const char *root)
{
	uint64_t least = UINT64_MAX;
	char *group = own_group(root);
	char *slash;

	while (group != NULL && (slash = strrchr(group, '/')) != NULL) {
		uint64_t left = left_in_group(root, slash[1] == '\0' ? "" : group);

		if (left < least)
			least = left;
		*slash = '\0';
	}
	free(group);
	return least;
}

uint64_t memory_available(const char *root)
{
	struct buf file;
	const char *text = read_text(&file, root, "proc/meminfo");
	uint64_t groups = left_in_groups(root);
	uint64_t available = UINT64_MAX;
	uint64_t kilobytes;

	if (text != NULL && field(text, "MemAvailable:", &kilobytes))
		available = kilobytes * 1024;
	buf_free(&file);
	return available < groups ? available : groups;
}
