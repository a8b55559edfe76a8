#include <inttypes.h>
#include <stdio.h>

#include "gateway/cmd/admin.h"

#define COMMAND "marks"

static int marks_rotate(int argc, char *argv[])
{
	struct admin_options options;
	struct admin admin;
	uint32_t kept = 0;
	struct fail f;
	int first;
	int status;

	status = admin_parse(&cmd_marks, argc, argv, 0, &options, &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_marks);
	if (argc != first)
		return cmd_usage(&cmd_marks);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	fail_clear(&f);
	if (vault_mark_key(&admin.vault, &kept, &f) != SG_OK)
		status = cmd_fail(COMMAND, &f);
	else
		(void)printf("marks are signed with a new key; %" PRIu32 " kept for mail that is "
		    "queued\n", kept);
	admin_close(&admin);
	return status;
}

static int marks_run(int argc, char *argv[])
{
	static const struct admin_action actions[] = {
		{"rotate", marks_rotate},
	};

	return admin_dispatch(&cmd_marks, actions, sizeof(actions) / sizeof(actions[0]), argc,
	    argv);
}

const struct cmd cmd_marks = {
	.name = COMMAND,
	.usage = "marks rotate",
	.help = "changes the key that signs the marks of queued mail",
	.run = marks_run,
};
