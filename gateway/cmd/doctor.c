#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "gateway/base/str.h"
#include "gateway/cmd/cmd.h"
#include "gateway/postfix/attach.h"
#include "gateway/postfix/doctor.h"

#define REPORT_MAX ((size_t)8 * 1024 * 1024) /* bytes */
#define SICK 1

struct options {
	char *folder;
	bool json;
	bool gateway_only;
};

static const struct option long_options[] = {
	{ "config-directory", required_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ "gateway", no_argument, NULL, 'g' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* False: *status_out is the exit status. */
static bool read_options(int argc, char *argv[], struct options *options, int *status_out)
{
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (option) {
		case 'd':
			free(options->folder);
			options->folder = realpath(optarg, NULL);
			if (options->folder == NULL)
				options->folder = str_dup(optarg);
			break;
		case 'j':
			options->json = true;
			break;
		case 'g':
			options->gateway_only = true;
			break;
		case 'h':
			*status_out = cmd_help(&cmd_doctor);
			return false;
		default:
			*status_out = cmd_usage(&cmd_doctor);
			return false;
		}
	}
	*status_out = optind == argc ? EX_OK : cmd_usage(&cmd_doctor);
	return optind == argc;
}

/* A configuration that cannot be read is a finding for each error, and nothing else to look at. */
static enum fail_code print_errors(const struct conf_errors *errors, const struct fail *failure,
    const struct options *options)
{
	struct doctor doctor;
	struct buf out;
	enum fail_code code;

	doctor_init(&doctor, NULL, NULL, NULL);
	doctor.check = "configuration";
	for (size_t i = 0; i < errors->count; i++)
		doctor_bad(&doctor, errors->items[i].expected, "%s:%d: %s", errors->items[i].file,
		    errors->items[i].line, errors->items[i].found);
	if (errors->count == 0)
		doctor_failure(&doctor, DOCTOR_FAIL, failure);
	buf_init(&out, REPORT_MAX);
	code = options->json ? doctor_json(&doctor, &out) : doctor_text(&doctor, &out);
	if (code == SG_OK)
		(void)fwrite(out.data, 1, out.size, stdout);
	buf_free(&out);
	doctor_free(&doctor);
	return code;
}

static enum fail_code examine(const struct conf *conf, const struct options *options,
    bool *healthy_out)
{
	struct doctor doctor;
	struct buf out;
	enum fail_code code;

	doctor_init(&doctor, conf, options->folder, clock_system());
	doctor.check = "configuration";
	doctor_ok(&doctor, "%s", cmd_conf_path());
	doctor.gateway_only = options->gateway_only;
	doctor_run(&doctor);
	buf_init(&out, REPORT_MAX);
	code = options->json ? doctor_json(&doctor, &out) : doctor_text(&doctor, &out);
	if (code == SG_OK && fwrite(out.data, 1, out.size, stdout) != out.size)
		code = SG_ESYSTEM;
	*healthy_out = code == SG_OK && doctor_healthy(&doctor);
	buf_free(&out);
	doctor_free(&doctor);
	return code;
}

static int look(struct options *options)
{
	struct conf_errors errors = { NULL, 0 };
	struct conf *conf = NULL;
	bool healthy = false;
	struct fail f;
	enum fail_code code = SG_OK;

	fail_clear(&f);
	if (options->folder == NULL && !options->gateway_only &&
	    postconf_default_folder(&options->folder, &f) != SG_OK)
		return cmd_fail("doctor", &f);
	if (conf_load(cmd_conf_path(), true, &conf, &errors, &f) != SG_OK)
		code = print_errors(&errors, &f, options);
	else
		code = examine(conf, options, &healthy);
	conf_errors_free(&errors);
	conf_free(conf);
	if (code != SG_OK)
		return EX_OSERR;
	return healthy ? EX_OK : SICK;
}

static int run(int argc, char *argv[])
{
	struct options options = { NULL, false, false };
	int status;

	if (read_options(argc, argv, &options, &status))
		status = look(&options);
	free(options.folder);
	return status;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.usage = "doctor [--json] [--gateway] [--config-directory DIR]",
	.help = "say what is wrong with the gateway and its Postfix, and how to mend it",
	.run = run,
};
