/*
 * faults: plays the first message of each case again and again while the n-th call of one function
 * fails, once and from then on, until the message gets through without meeting a fault.
 *
 * Whatever fails: the decision is the one without faults, whole, or a temporary failure with
 * nothing for Postfix to do; nothing is leaked; no record says that the message went on when it did
 * not. Included by play.c ("play -f FILE...").
 */
#include <dirent.h>

#include "tests/lib/faulty.h"

#define LINES_MAX 256
#define TRIES_MAX 5000ul

struct lines {
	char *text[LINES_MAX];
	size_t count;
	bool done;		/* up to its first "end" */
};

/* What came of a message. */
struct came {
	enum session_verdict verdict;
	size_t edits;
	bool body;
	bool sender;
	bool went_on;		/* a record says: passed, sealed, marked, inside, routed */
	long blocks;
	unsigned int descriptors;
};

static unsigned int count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int count = 0;

	if (folder == NULL)
		die("/proc/self/fd");
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count;
}

static bool went_on(const struct world *world)
{
	for (size_t i = 0; i < world->record_count; i++)
		switch (world->records[i].decision) {
		case RECORD_PASSED:
		case RECORD_SEALED:
		case RECORD_MARKED:
		case RECORD_INSIDE:
		case RECORD_ROUTED:
			return true;
		default:
			break;
		}
	return false;
}

/* Plays the lines; call with n-th fault armed from MAIL to the decision. n 0: no fault. */
static struct came play_once(struct play *play, const struct lines *lines, enum faulty_call call,
    unsigned long n, bool on, bool *met)
{
	struct came came = { 0 };

	came.blocks = faulty_blocks();
	came.descriptors = count_descriptors();
	start_case(play, "");
	for (size_t i = 0; i < lines->count; i++) {
		char line[LINE_MAX_BYTES];

		(void)snprintf(line, sizeof(line), "%s", lines->text[i]);
		if (n > 0 && str_starts_case(line, "mail "))
			faulty_arm(call, n, on);
		play_line(play, line);
	}
	*met = faulty_disarm();
	came.verdict = play->outcome.verdict;
	came.edits = play->outcome.edits.count;
	came.body = play->outcome.edits.body != NULL;
	came.sender = play->outcome.edits.sender_arguments != NULL;
	came.went_on = went_on(&play->world);
	session_outcome_free(&play->outcome);
	play->ended = false;
	session_free(play->session);
	play->session = NULL;
	conf_free(play->conf);
	play->conf = NULL;
	reset_world(&play->world);
	came.blocks = faulty_blocks() - came.blocks;
	came.descriptors = count_descriptors() - came.descriptors;
	return came;
}

static void judge(struct play *play, const struct came *good, const struct came *came)
{
	bool same = came->verdict == good->verdict && came->edits == good->edits &&
	    came->body == good->body && came->sender == good->sender &&
	    came->went_on == good->went_on;
	bool nothing = came->verdict == SESSION_TEMPFAIL && came->edits == 0 && !came->body &&
	    !came->sender && !came->went_on;

	if (!same && !nothing)
		wrong(play, "the same decision, or a temporary failure alone",
		    verdict_name(came->verdict));
	if (came->blocks != 0)
		wrong(play, "nothing leaked", "blocks that nobody frees");
	if (came->descriptors != 0)
		wrong(play, "nothing leaked", "open descriptors");
}

static unsigned long play_faults_of(struct play *play, const struct lines *lines,
    const struct came *good, enum faulty_call call, bool on)
{
	unsigned long n = 1;
	bool met = true;

	for (; met && n < TRIES_MAX && !play->failed; n++) {
		struct came came = play_once(play, lines, call, n, on, &met);

		judge(play, good, &came);
		if (play->failed)
			(void)printf("# %s: %s number %lu%s fails\n", lines->text[0],
			    faulty_name(call), n, on ? " and all after it" : "");
	}
	return n - 1;
}

/* The case in lines: one test. */
static void play_faults(struct play *play, struct lines *lines, const char *name)
{
	unsigned long tries = 0;
	struct came good;
	bool met;

	if (lines->done) {
		/* what is made once and kept is made now, and the last case's world is gone */
		(void)play_once(play, lines, FAULTY_ALLOCATE, 0, false, &met);
		good = play_once(play, lines, FAULTY_ALLOCATE, 0, false, &met);
		play->failed = false;
		for (unsigned int call = 0; call < FAULTY_CALLS; call++)
			for (int on = 0; on < 2; on++)
				tries += play_faults_of(play, lines, &good,
				    (enum faulty_call)call, on != 0);
		(void)printf("%s faults: %s\n", play->failed ? "not ok" : "ok", name);
		(void)printf("# %lu tries\n", tries);
		if (play->failed)
			play->failures++;
		else
			play->passed++;
		play->name[0] = '\0';
	}
	for (size_t i = 0; i < lines->count; i++)
		free(lines->text[i]);
	*lines = (struct lines){ 0 };
}

static void take_fault_line(struct lines *lines, const char *line)
{
	while (*line == '\t')
		line++;
	if (lines->done || line[0] == '#' || line[0] == '\0' || str_starts_case(line, "expect") ||
	    lines->count == LINES_MAX)
		return;
	lines->text[lines->count++] = str_dup(line);
	lines->done = strcmp(line, "end") == 0;
}

static void play_file_with_faults(struct play *play, const char *path)
{
	static struct lines lines;
	char line[LINE_MAX_BYTES];
	char name[sizeof(play->name)] = "";
	FILE *file = fopen(path, "re");

	if (file == NULL)
		die(path);
	play->file = path;
	for (play->line = 1; fgets(line, sizeof(line), file) != NULL; play->line++) {
		line[strcspn(line, "\n")] = '\0';
		if (str_starts_case(line, "case ")) {
			play_faults(play, &lines, name);
			(void)snprintf(name, sizeof(name), "%.150s", line + strlen("case "));
		} else {
			take_fault_line(&lines, line);
		}
	}
	play_faults(play, &lines, name);
	(void)fclose(file);
}
