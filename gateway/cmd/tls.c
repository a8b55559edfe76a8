/* "sealgate tls": what sealgate-tls would answer and why, its counters, its reports. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "gateway/cmd/admin.h"
#include "gateway/tls/tls.h"

#define COMMAND "tls"
#define CHECK_MS 130000		/* a trial of each mail server takes its time */
#define REPORT_MS 1800000	/* one report after the other */
#define DAY_S ((time_t)24 * 3600)

struct tls_options {
	bool connect;
	bool json;
	bool send;
	bool help;
	const char *day;	/* borrowed from argv */
};

enum { OPTION_CONNECT = 1, OPTION_JSON, OPTION_SEND, OPTION_DAY, OPTION_HELP };

static const struct option known[] = {
	{"connect", no_argument, NULL, OPTION_CONNECT},
	{"json", no_argument, NULL, OPTION_JSON},
	{"send", no_argument, NULL, OPTION_SEND},
	{"day", required_argument, NULL, OPTION_DAY},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

/* allowed: bits 1 << OPTION_...; returns 0 or EX_USAGE after a line on standard error. */
static int parse(int argc, char *argv[], unsigned int allowed, struct tls_options *options)
{
	int option;

	memset(options, 0, sizeof(*options));
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == OPTION_HELP)
			options->help = true;
		else if (option == '?' || (allowed & 1u << option) == 0)
			return cmd_usage(&cmd_tls);
		else if (option == OPTION_DAY)
			options->day = optarg;
		else if (option == OPTION_CONNECT)
			options->connect = true;
		else if (option == OPTION_JSON)
			options->json = true;
		else
			options->send = true;
	}
	return 0;
}

/* --- the service --- */

struct service {
	struct conf *conf;
	char *path;
	struct tls tls;
};

static int service_open(struct service *service, int timeout_ms)
{
	struct fail f;
	int status = cmd_load_conf(&service->conf);

	service->path = NULL;
	if (status != 0)
		return status;
	service->path = conf_run_path(service->conf, CONF_SOCKET_TLS);
	if (service->path == NULL) {
		conf_free(service->conf);
		(void)fail_set(&f, SG_ENOMEM, NULL, "no memory");
		return cmd_fail(COMMAND, &f);
	}
	service->tls = (struct tls){service->path, timeout_ms};
	return 0;
}

static void service_close(struct service *service)
{
	conf_free(service->conf);
	free(service->path);
}

/* Prints what was answered, or why nothing was. */
static int show(enum fail_code code, struct buf *text, const struct fail *f)
{
	int status = code == SG_OK ? admin_print(COMMAND, text) : cmd_fail(COMMAND, f);

	buf_free(text);
	return status;
}

/* --- actions --- */

static int check_run(int argc, char *argv[])
{
	struct tls_options options;
	struct service service;
	enum fail_code code;
	struct buf text;
	struct fail f;
	int status = parse(argc, argv, 1u << OPTION_CONNECT | 1u << OPTION_JSON, &options);

	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_tls);
	if (argc - optind != 1 || argv[optind][0] == '\0')
		return cmd_usage(&cmd_tls);
	status = service_open(&service, CHECK_MS);
	if (status != 0)
		return status;
	fail_clear(&f);
	buf_init(&text, ADMIN_OUTPUT_MAX);
	code = tls_check(&service.tls, argv[optind], options.connect, options.json, &text, &f);
	status = show(code, &text, &f);
	service_close(&service);
	return status;
}

static int status_run(int argc, char *argv[])
{
	struct tls_options options;
	struct service service;
	enum fail_code code;
	struct buf text;
	struct fail f;
	int status = parse(argc, argv, 0, &options);

	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_tls);
	if (argc != optind)
		return cmd_usage(&cmd_tls);
	status = service_open(&service, ADMIN_TIMEOUT_MS);
	if (status != 0)
		return status;
	fail_clear(&f);
	buf_init(&text, ADMIN_OUTPUT_MAX);
	code = tls_status(&service.tls, &text, &f);
	status = show(code, &text, &f);
	service_close(&service);
	return status;
}

/* Yesterday in UTC, which is the last day that is whole. */
static void yesterday(char day[16])
{
	time_t t = time(NULL) - DAY_S;
	struct tm date;

	(void)gmtime_r(&t, &date);
	(void)strftime(day, 16, "%Y-%m-%d", &date);
}

static int report_run(int argc, char *argv[])
{
	struct tls_options options;
	struct service service;
	enum fail_code code;
	char usual[16];
	struct buf lines;
	struct fail f;
	int status = parse(argc, argv, 1u << OPTION_DAY | 1u << OPTION_SEND, &options);

	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_tls);
	if (argc != optind)
		return cmd_usage(&cmd_tls);
	status = service_open(&service, REPORT_MS);
	if (status != 0)
		return status;
	yesterday(usual);
	fail_clear(&f);
	buf_init(&lines, ADMIN_OUTPUT_MAX);
	code = tls_report(&service.tls, options.day != NULL ? options.day : usual, options.send,
	    &lines, &f);
	status = show(code, &lines, &f);
	service_close(&service);
	return status;
}

static int tls_run(int argc, char *argv[])
{
	static const struct admin_action actions[] = {
		{"check", check_run}, {"status", status_run}, {"report", report_run},
	};

	return admin_dispatch(&cmd_tls, actions, sizeof(actions) / sizeof(actions[0]), argc, argv);
}

const struct cmd cmd_tls = {
	.name = COMMAND,
	.usage = "tls check [--connect] [--json] DOMAIN\n"
	    "tls status\n"
	    "tls report [--day YYYY-MM-DD] [--send]",
	.help = "which TLS mail to a domain must have, and why; counters; reports",
	.run = tls_run,
};
