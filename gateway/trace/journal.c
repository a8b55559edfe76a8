#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "gateway/base/str.h"
#include "gateway/trace/source.h"

#define JOURNAL_AGAIN 200u	/* entries before the position that are read again */
#define JOURNAL_START "journal "	/* of a position; the cursor follows */

struct journal {
	struct source source;	/* first */
	sd_journal *journal;
	char *folder;
	char *old_until;	/* cursor of the last old entry; NULL: all are new from here */
	char text[LINE_MAX_SIZE];
};

static struct journal *journal_of(struct source *source)
{
	return (struct journal *)source;
}

static enum fail_code journal_cannot(int reason, struct fail *f)
{
	errno = -reason;
	return fail_errno(f, SG_ESYSTEM,
	    "users.trace must be a user of the group that may read it: usermod -g "
	    "systemd-journal sealgate-trace",
	    "cannot read the journal");
}

/* --- where --- */

static enum fail_code journal_from_end(struct journal *j, struct fail *f)
{
	int rc = sd_journal_seek_tail(j->journal);

	/* the tail is behind the last entry: next() would give that one */
	if (rc >= 0)
		rc = sd_journal_previous(j->journal);
	return rc < 0 ? journal_cannot(rc, f) : SG_OK;
}

static enum fail_code journal_from_cursor(struct journal *j, const char *cursor, struct fail *f)
{
	int rc = sd_journal_seek_cursor(j->journal, cursor);

	if (rc >= 0)
		rc = sd_journal_next(j->journal);
	if (rc < 0)
		return journal_cannot(rc, f);
	/* the entry is gone: what is read is the nearest, and new */
	if (rc == 0 || sd_journal_test_cursor(j->journal, cursor) <= 0) {
		rc = rc == 0 ? 0 : sd_journal_previous(j->journal);
		return rc < 0 ? journal_cannot(rc, f) : SG_OK;
	}
	j->old_until = str_dup(cursor);
	if (j->old_until == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to read the journal");
	rc = sd_journal_previous_skip(j->journal, JOURNAL_AGAIN);
	return rc < 0 ? journal_cannot(rc, f) : SG_OK;
}

static enum fail_code journal_resume(struct source *source, const char *position, struct fail *f)
{
	struct journal *j = journal_of(source);
	int rc;

	free(j->old_until);
	j->old_until = NULL;
	if (strncmp(position, JOURNAL_START, strlen(JOURNAL_START)) != 0)
		return journal_from_end(j, f);
	position += strlen(JOURNAL_START);
	if (position[0] != '\0')
		return journal_from_cursor(j, position, f);
	rc = sd_journal_seek_head(j->journal);
	return rc < 0 ? journal_cannot(rc, f) : SG_OK;
}

static enum fail_code journal_position(struct source *source, char out[SOURCE_POSITION_MAX],
    struct fail *f)
{
	struct journal *j = journal_of(source);
	char *cursor = NULL;
	int rc = sd_journal_get_cursor(j->journal, &cursor);
	int n;

	/* no entry was read yet */
	if (rc == -EADDRNOTAVAIL)
		rc = 0;
	if (rc < 0)
		return journal_cannot(rc, f);
	n = snprintf(out, SOURCE_POSITION_MAX, JOURNAL_START "%s", cursor == NULL ? "" : cursor);
	free(cursor);
	if (n < 0 || n >= SOURCE_POSITION_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "a cursor of the journal that is too long");
	return SG_OK;
}

/* --- entries --- */

/* The value of a field, cut to room; false: the entry has none. */
static bool journal_field(struct journal *j, const char *name, char *out, size_t room)
{
	const void *data = NULL;
	size_t skip = strlen(name) + 1;
	size_t size = 0;

	if (sd_journal_get_data(j->journal, name, &data, &size) < 0 || size < skip)
		return false;
	size -= skip;
	if (size >= room)
		size = room - 1;
	memcpy(out, (const char *)data + skip, size);
	out[size] = '\0';
	return strlen(out) == size;
}

/* False: an entry of another program. */
static bool journal_entry(struct journal *j, struct line *line)
{
	uint64_t value = 0;
	char pid[16];

	memset(line, 0, sizeof(*line));
	if (!journal_field(j, "SYSLOG_IDENTIFIER", line->program, sizeof(line->program)) ||
	    strchr(line->program, '/') == NULL)
		return false;
	if (!journal_field(j, "SYSLOG_PID", pid, sizeof(pid)) &&
	    !journal_field(j, "_PID", pid, sizeof(pid)))
		return false;
	if (str_parse_u64(pid, 1, UINT32_MAX, &value) != SG_OK ||
	    !journal_field(j, "MESSAGE", j->text, sizeof(j->text)))
		return false;
	line->pid = (uint32_t)value;
	line->text = j->text;
	if (sd_journal_get_realtime_usec(j->journal, &value) < 0)
		return false;
	line->time_ms = (int64_t)(value / 1000);
	return true;
}

/* Is the entry old? The last old one ends it. */
static bool journal_is_old(struct journal *j)
{
	if (j->old_until == NULL)
		return false;
	if (sd_journal_test_cursor(j->journal, j->old_until) > 0) {
		free(j->old_until);
		j->old_until = NULL;
	}
	return true;
}

static enum fail_code journal_next(struct source *source, enum source_got *got_out,
    struct line *line_out, struct fail *f)
{
	struct journal *j = journal_of(source);
	bool looked = false;
	bool old;
	int rc;

	*got_out = SOURCE_NOTHING;
	for (;;) {
		rc = sd_journal_next(j->journal);
		if (rc < 0)
			return journal_cannot(rc, f);
		if (rc == 0 && looked)
			return SG_OK;
		if (rc == 0) {
			/* takes in what its files say now */
			rc = sd_journal_process(j->journal);
			if (rc < 0)
				return journal_cannot(rc, f);
			looked = true;
			continue;
		}
		old = journal_is_old(j);
		if (!journal_entry(j, line_out))
			continue;
		*got_out = old ? SOURCE_OLD : SOURCE_LINE;
		return SG_OK;
	}
}

/* --- birth --- */

static void journal_close(struct source *source)
{
	struct journal *j = journal_of(source);

	sd_journal_close(j->journal);
	free(j->old_until);
	free(j->folder);
	free(j);
}

static const struct source_ops journal_ops = {
	.close = journal_close,
	.resume = journal_resume,
	.next = journal_next,
	.position = journal_position,
};

enum fail_code source_journal(const char *folder, struct source **source_out, struct fail *f)
{
	struct journal *j = calloc(1, sizeof(*j));
	int rc = 0;

	*source_out = NULL;
	if (j == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to read the journal");
	j->source.ops = &journal_ops;
	if (folder != NULL) {
		j->folder = str_dup(folder);
		rc = j->folder == NULL ? -ENOMEM : sd_journal_open_directory(&j->journal, folder,
		    0);
	} else {
		rc = sd_journal_open(&j->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
	}
	if (rc >= 0)
		rc = sd_journal_set_data_threshold(j->journal, LINE_MAX_SIZE);
	if (rc >= 0)
		rc = sd_journal_get_fd(j->journal);
	if (rc < 0) {
		journal_close(&j->source);
		return journal_cannot(rc, f);
	}
	j->source.wake = rc;
	j->source.folder = j->folder;
	*source_out = &j->source;
	return SG_OK;
}
