#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "config/keys.h"
#include "config/template.h"
#include "config/value.h"
#include "gateway/cmd/cmd.h"

#define COMMAND "config"
#define OUTPUT_MAX ((size_t)64 * 1024 * 1024)	/* bytes; a file of 16 MiB as JSON stays below */

static int print(const char *text, size_t size)
{
	struct fail f;

	if (fwrite(text, 1, size, stdout) == size && fflush(stdout) == 0)
		return 0;
	fail_clear(&f);
	(void)fail_errno(&f, SG_ESYSTEM, NULL, "cannot write the result");
	return cmd_fail(COMMAND, &f);
}

static int print_buf(struct buf *out, enum fail_code code, const struct fail *f)
{
	return code == SG_OK ? print((const char *)out->data, out->size) : cmd_fail(COMMAND, f);
}

/* ---- check ---- */

static void print_error(const struct conf_error *error)
{
	(void)fprintf(stderr, "%s:", error->file);
	if (error->line > 0)
		(void)fprintf(stderr, "%d:", error->line);
	(void)fprintf(stderr, " %s; expected %s\n", error->found, error->expected);
}

/* Postfix writes a milter's socket the other way round: "unix:/path", "inet:host:port". */
static void print_postfix_socket(const char *socket)
{
	const char *colon = strchr(socket, ':');
	const char *at = strrchr(socket, '@');

	if (strncmp(socket, "local:", 6) == 0)
		(void)printf("smtpd_milters = unix:%s\n", socket + 6);
	else if (colon != NULL && at != NULL)
		(void)printf("smtpd_milters = inet:%s:%.*s\n", at + 1, (int)(at - colon - 1),
		    colon + 1);
}

static int check(bool check_paths)
{
	struct conf_errors errors;
	struct conf *conf = NULL;
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	code = conf_load(cmd_conf_path(), check_paths, &conf, &errors, &f);
	for (size_t i = 0; i < errors.count; i++)
		print_error(&errors.items[i]);
	if (code == SG_OK) {
		(void)printf("%s: good, %zu tenant%s\n", cmd_conf_path(), conf->tenant_count,
		    conf->tenant_count == 1 ? "" : "s");
		print_postfix_socket(conf->socket);
		if (conf->tenant_count == 0)
			(void)printf("without a tenant mail is scanned, and none is sealed\n");
	} else if (errors.count == 0) {
		(void)cmd_fail(COMMAND, &f);
	}
	conf_errors_free(&errors);
	conf_free(conf);
	if (code == SG_OK)
		return 0;
	return code == SG_EUSAGE ? EX_CONFIG : EX_TEMPFAIL;
}

/* ---- show ---- */

static enum fail_code show_part(enum key_part part, const char *title, const void *base,
    struct buf *out)
{
	const struct key *keys;
	size_t count;
	enum fail_code code = SG_OK;

	keys = keys_all(&count);
	for (size_t i = 0; code == SG_OK && i < count; i++) {
		if (key_part(&keys[i]) != part)
			continue;
		if (part == KEY_OF_CONF)
			code = buf_printf(out, "%s = ", keys[i].name);
		else
			code = buf_printf(out, "%s \"%s\" %s = ", key_part_section(part), title,
			    key_leaf(&keys[i]));
		if (code == SG_OK)
			code = value_print(&keys[i], base, out);
		if (code == SG_OK)
			code = buf_append_str(out, "\n");
	}
	return code;
}

static enum fail_code show_text(const struct conf *conf, struct buf *out)
{
	enum fail_code code = show_part(KEY_OF_CONF, NULL, conf, out);

	for (size_t i = 0; code == SG_OK && i < conf->hop_count; i++)
		code = show_part(KEY_OF_HOP, conf->hops[i].name, &conf->hops[i], out);
	for (size_t i = 0; code == SG_OK && i < conf->tenant_count; i++)
		code = show_part(KEY_OF_TENANT, conf->tenants[i].name, &conf->tenants[i], out);
	return code;
}

/* Members "name": value of a part, with a comma between. */
static enum fail_code json_part(enum key_part part, const void *base, struct buf *out)
{
	const struct key *keys;
	bool first = true;
	size_t count;
	enum fail_code code = SG_OK;

	keys = keys_all(&count);
	for (size_t i = 0; code == SG_OK && i < count; i++) {
		if (key_part(&keys[i]) != part)
			continue;
		code = buf_printf(out, "%s\"%s\": ", first ? "" : ", ",
		    part != KEY_OF_CONF ? key_leaf(&keys[i]) : keys[i].name);
		if (code == SG_OK)
			code = value_json(&keys[i], base, out);
		first = false;
	}
	return code;
}

static enum fail_code json_titled(enum key_part part, const char *name, const void *base,
    bool first, struct buf *out)
{
	enum fail_code code = buf_append_str(out, first ? "" : ", ");

	if (code == SG_OK)
		code = str_json(out, name);
	if (code == SG_OK)
		code = buf_append_str(out, ": {");
	if (code == SG_OK)
		code = json_part(part, base, out);
	return code == SG_OK ? buf_append_str(out, "}") : code;
}

static enum fail_code show_json(const struct conf *conf, struct buf *out)
{
	enum fail_code code = buf_append_str(out, "{");

	if (code == SG_OK)
		code = json_part(KEY_OF_CONF, conf, out);
	if (code == SG_OK)
		code = buf_append_str(out, ", \"hops\": {");
	for (size_t i = 0; code == SG_OK && i < conf->hop_count; i++)
		code = json_titled(KEY_OF_HOP, conf->hops[i].name, &conf->hops[i], i == 0, out);
	if (code == SG_OK)
		code = buf_append_str(out, "}, \"tenants\": {");
	for (size_t i = 0; code == SG_OK && i < conf->tenant_count; i++)
		code = json_titled(KEY_OF_TENANT, conf->tenants[i].name, &conf->tenants[i],
		    i == 0, out);
	return code == SG_OK ? buf_append_str(out, "}}\n") : code;
}

static int show(bool json)
{
	struct conf *conf = NULL;
	struct buf out;
	struct fail f;
	enum fail_code code;
	int status = cmd_load_conf(&conf);

	if (status != 0)
		return status;
	fail_clear(&f);
	buf_init(&out, OUTPUT_MAX);
	code = json ? show_json(conf, &out) : show_text(conf, &out);
	if (code != SG_OK)
		(void)fail_set(&f, code, NULL, "no memory for the result");
	status = print_buf(&out, code, &f);
	buf_free(&out);
	conf_free(conf);
	return status;
}

/* ---- template ---- */

static int template_names(void)
{
	for (const struct template_built_in *at = template_built_ins; at->name != NULL; at++)
		(void)printf("%s\n", at->name);
	return print("", 0);
}

static int template_show(const char *name)
{
	const struct template_built_in *at = template_built_ins;
	struct fail f;

	while (at->name != NULL && strcmp(at->name, name) != 0)
		at++;
	if (at->name != NULL)
		return print(at->text, strlen(at->text));
	fail_clear(&f);
	(void)fail_set(&f, SG_EUSAGE, "sealgate config template names them",
	    "no built-in text %s", name);
	return cmd_fail(COMMAND, &f);
}

/* ---- default, manual ---- */

static int write_table(enum fail_code (*write)(struct buf *out, struct fail *f))
{
	struct buf out;
	struct fail f;
	int status;

	fail_clear(&f);
	buf_init(&out, OUTPUT_MAX);
	status = print_buf(&out, write(&out, &f), &f);
	buf_free(&out);
	return status;
}

static bool is_alone(int argc, char *argv[], const char *what)
{
	return argc == 2 && strcmp(argv[1], what) == 0;
}

static bool is_with(int argc, char *argv[], const char *what, const char *option)
{
	return argc == 3 && strcmp(argv[1], what) == 0 && strcmp(argv[2], option) == 0;
}

static int run(int argc, char *argv[])
{
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return cmd_help(&cmd_config);
	if (is_alone(argc, argv, "check"))
		return check(true);
	if (is_with(argc, argv, "check", "-n"))
		return check(false);
	if (is_alone(argc, argv, "show"))
		return show(false);
	if (is_with(argc, argv, "show", "--json"))
		return show(true);
	if (is_alone(argc, argv, "template"))
		return template_names();
	if (argc == 3 && strcmp(argv[1], "template") == 0)
		return template_show(argv[2]);
	if (is_alone(argc, argv, "default"))
		return write_table(keys_file);
	if (is_alone(argc, argv, "manual"))
		return write_table(keys_manual);
	return cmd_usage(&cmd_config);
}

const struct cmd cmd_config = {
	.name = COMMAND,
	.usage = "config check [-n]\n"
	    "config show [--json]\n"
	    "config template [LANGUAGE/NAME]\n"
	    "config default\n"
	    "config manual",
	.help = "check and show the configuration",
	.run = run,
};
