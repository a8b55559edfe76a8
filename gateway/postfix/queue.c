#include "gateway/postfix/queue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/routing.h"
#include "gateway/postfix/run.h"

#define BATCH 64 /* messages a postcat; starting one costs more than a message */
#define LINE_KEPT ((size_t)512) /* bytes of a line that matter here */

/* Lines out of pieces; what stands behind LINE_KEPT is dropped. */
struct lines {
	char text[LINE_KEPT + 1];
	size_t size;
	enum fail_code (*take)(void *context, const char *line, struct fail *f);
	void *context;
};

static enum fail_code lines_put(void *context, const char *data, size_t size, struct fail *f)
{
	struct lines *lines = context;
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < size; i++) {
		if (data[i] != '\n') {
			if (lines->size < LINE_KEPT)
				lines->text[lines->size++] = data[i];
			continue;
		}
		lines->text[lines->size] = '\0';
		lines->size = 0;
		code = lines->take(lines->context, lines->text, f);
	}
	return code;
}

static enum fail_code read_lines(const char *const argv[], struct lines *lines, struct fail *f)
{
	struct run_end end;
	enum fail_code code = run_stream(argv, lines_put, lines, &end, f);

	/* postcat fails for messages that have left meanwhile, and tells of the others */
	if (code == SG_OK && end.status != 0 && strcmp(argv[0], "postcat") != 0)
		return fail_set(f, SG_ESYSTEM, "run it as root", "%s ended with status %d: %s",
		    argv[0], end.status, end.error);
	return code;
}

/* {"queue_name": "active", "queue_id": "4XyZ...", ...} */
static enum fail_code take_id(void *context, const char *line, struct fail *f)
{
	static const char key[] = "\"queue_id\": \"";
	struct str_list *ids = context;
	const char *at = strstr(line, key);
	size_t size;
	char *id;
	enum fail_code code;

	if (at == NULL)
		return SG_OK;
	at += sizeof(key) - 1;
	size = strcspn(at, "\"");
	if (at[size] != '"' || size == 0 || size >= QUEUE_ID_MAX)
		return fail_set(f, SG_EFORMAT, NULL, "postqueue printed a strange queue id");
	id = str_dup_n(at, size);
	code = id == NULL ? SG_ENOMEM : str_list_add(ids, id);
	free(id);
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "no memory");
}

int queue_line_is_marked(const char *line)
{
	static const char filter[] = "content_filter:";
	char name[ROUTING_WORD_MAX];
	size_t size;

	if (str_starts_case(line, "X-Sealgate-Mark:") || str_starts_case(line, "X-Sealgate-Route:"))
		return 1;
	if (strncmp(line, filter, sizeof(filter) - 1) != 0)
		return 0;
	line += sizeof(filter) - 1;
	line += strspn(line, " \t");
	size = strcspn(line, ":");
	if (line[size] != ':' || size >= sizeof(name))
		return 0;
	memcpy(name, line, size);
	name[size] = '\0';
	return routing_is_ours(name);
}

/* What postcat prints, message after message. */
struct looking {
	struct queue_marked *marked;
	char id[QUEUE_ID_MAX];
	bool counted; /* this message, already */
};

/* "*** ENVELOPE RECORDS deferred/A/A1B2C3 ***" */
static bool starts_message(struct looking *looking, const char *line)
{
	static const char head[] = "*** ENVELOPE RECORDS ";
	const char *id;
	size_t size;

	if (strncmp(line, head, sizeof(head) - 1) != 0)
		return false;
	line += sizeof(head) - 1;
	size = strcspn(line, " ");
	id = memrchr(line, '/', size);
	id = id == NULL ? line : id + 1;
	size -= (size_t)(id - line);
	if (size >= sizeof(looking->id))
		size = sizeof(looking->id) - 1;
	memcpy(looking->id, id, size);
	looking->id[size] = '\0';
	looking->counted = false;
	looking->marked->looked_at++;
	return true;
}

static enum fail_code take_content(void *context, const char *line, struct fail *f)
{
	struct looking *looking = context;
	struct queue_marked *marked = looking->marked;

	(void)f;
	if (starts_message(looking, line) || looking->counted || !queue_line_is_marked(line))
		return SG_OK;
	looking->counted = true;
	if (marked->count < QUEUE_IDS_MAX)
		memcpy(marked->ids[marked->count], looking->id, sizeof(looking->id));
	marked->count++;
	return SG_OK;
}

static enum fail_code look_at(const char *folder, const struct str_list *ids, size_t from,
    struct looking *looking, struct fail *f)
{
	const char *argv[BATCH + 6] = { "postcat", "-c", folder, "-qeh" };
	size_t at = 4;
	struct lines lines = { .take = take_content, .context = looking };

	for (size_t i = from; i < ids->count && i < from + BATCH; i++)
		argv[at++] = ids->items[i];
	return read_lines(argv, &lines, f);
}

enum fail_code queue_look(const char *folder, struct queue_marked *out, struct fail *f)
{
	const char *list[] = { "postqueue", "-c", folder, "-j", NULL };
	struct str_list ids = { NULL, 0 };
	struct lines lines = { .take = take_id, .context = &ids };
	struct looking looking = { .marked = out };
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	code = read_lines(list, &lines, f);
	for (size_t i = 0; code == SG_OK && i < ids.count; i += BATCH)
		code = look_at(folder, &ids, i, &looking, f);
	str_list_free(&ids);
	return code;
}
