/* The configuration: every key, every error with its line, and what workers are sent.
 * links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/conf_part.h"
#include "config/keys.h"
#include "config/looks.h"
#include "config/template.h"
#include "config/value.h"
#include "gateway/base/fd.h"

#define TEXT_MAX ((size_t)1024 * 1024)

static char path[] = "/tmp/sealgate-conf-XXXXXX";

static int start(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int stop(void **state)
{
	(void)state;
	return unlink(path);
}

static enum fail_code
load(const char *text, bool check_paths, struct conf **conf_out, struct conf_errors *errors)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	return conf_load(path, check_paths, conf_out, errors, NULL);
}

static struct conf *load_good(const char *text)
{
	struct conf_errors errors;
	struct conf *conf = NULL;

	if (load(text, false, &conf, &errors) != SG_OK)
		fail_msg("line %d: %s; expected %s", errors.items[0].line, errors.items[0].found,
		    errors.items[0].expected);
	conf_errors_free(&errors);
	return conf;
}

/* Each of texts is found in the error of its line, and there are no others. */
struct expected {
	int line;
	const char *found;
};

static void check_errors(const char *text, const struct expected *expected, size_t count)
{
	struct conf_errors errors;
	struct conf *conf = NULL;
	size_t i;

	assert_int_equal(load(text, false, &conf, &errors), SG_EUSAGE);
	assert_null(conf);
	for (i = 0; i < errors.count && i < count; i++) {
		if (errors.items[i].line != expected[i].line ||
		    strstr(errors.items[i].found, expected[i].found) == NULL)
			fail_msg("error %zu: line %d %s", i, errors.items[i].line,
			    errors.items[i].found);
		assert_string_equal(errors.items[i].file, path);
		assert_string_not_equal(errors.items[i].expected, "");
	}
	assert_int_equal(errors.count, count);
	conf_errors_free(&errors);
}

static void check_error(const char *text, int line, const char *found)
{
	const struct expected expected = { line, found };

	check_errors(text, &expected, 1);
}

/* ---- good files ---- */

static void an_empty_file_gives_the_defaults(void **state)
{
	struct conf *conf = load_good("");

	(void)state;
	assert_string_equal(conf->socket, "local:/run/sealgate/milter/milter.sock");
	assert_int_equal(conf->socket_mode, 0660);
	assert_true(conf->seal_before_queue);
	assert_int_equal(conf->message.size_max, 100 * 1024 * 1024);
	assert_int_equal(conf->scan.timeout_ms, 120000);
	assert_int_equal(conf->scan.infected, CONF_REFUSE);
	assert_int_equal(conf->mark.life_ms, INT64_C(21) * 86400000);
	assert_int_equal(conf->tags.secure.count, 3);
	assert_int_equal(conf->tenant_count, 0);
	conf_free(conf);
}

static void the_shipped_file_is_made_from_the_table(void **state)
{
	struct buf made;
	struct buf shipped;

	(void)state;
	buf_init(&made, TEXT_MAX);
	buf_init(&shipped, TEXT_MAX);
	assert_int_equal(keys_file(&made, NULL), SG_OK);
	assert_int_equal(fd_read_file("config/sealgate.conf", &shipped, NULL), SG_OK);
	assert_string_equal(buf_str(&made), buf_str(&shipped));
	buf_free(&made);
	buf_free(&shipped);
}

static void the_manual_page_holds_what_the_table_makes(void **state)
{
	struct buf made;
	struct buf page;

	(void)state;
	buf_init(&made, TEXT_MAX);
	buf_init(&page, TEXT_MAX);
	assert_int_equal(keys_manual(&made, NULL), SG_OK);
	assert_int_equal(fd_read_file("docs/man/sealgate.conf.5", &page, NULL), SG_OK);
	assert_non_null(strstr(buf_str(&page), buf_str(&made)));
	buf_free(&made);
	buf_free(&page);
}

/* Appends all parts of conf as text, to compare. */
static void print_all(const struct conf *conf, struct buf *out)
{
	const struct key *keys;
	const char *name;
	size_t count;
	size_t i;
	size_t t;

	keys = keys_all(&count);
	for (i = 0; i < count; i++) {
		enum key_part part = key_part(&keys[i]);
		const void *base = part == KEY_OF_CONF ? conf :
		    conf_titled_at(conf, part, 0, &name);

		for (t = 0; base != NULL; t++) {
			assert_int_equal(buf_printf(out, "%s=", keys[i].name), SG_OK);
			assert_int_equal(value_print(&keys[i], base, out), SG_OK);
			assert_int_equal(buf_append_str(out, "\n"), SG_OK);
			base = part == KEY_OF_CONF ? NULL :
			    conf_titled_at(conf, part, t + 1, &name);
		}
	}
}

static void check_same(const struct conf *a, const struct conf *b)
{
	struct buf left;
	struct buf right;

	buf_init(&left, TEXT_MAX);
	buf_init(&right, TEXT_MAX);
	print_all(a, &left);
	print_all(b, &right);
	assert_string_equal(buf_str(&left), buf_str(&right));
	buf_free(&left);
	buf_free(&right);
}

static void the_shipped_file_says_what_the_defaults_are(void **state)
{
	struct buf made;
	struct conf *written;
	struct conf *preset;

	(void)state;
	buf_init(&made, TEXT_MAX);
	assert_int_equal(keys_file(&made, NULL), SG_OK);
	written = load_good(buf_str(&made));
	preset = load_good("");
	check_same(written, preset);
	conf_free(written);
	conf_free(preset);
	buf_free(&made);
}

static const char full[] =
	"socket = \"inet:8891@127.0.0.1\"\n"
	"socket_mode = \"0666\"\nsocket_group = \"\"\nstage_port = 1234\n"
	"seal_before_queue = no\nrun_directory = /run/x\nsandbox = reduced\n"
	"users { milter = \"101:102\" vault = v }\n"
	"log { level = debug target = syslog }\n"
	"message { size_max = 1G header_max = 1M memory_max = 0 }\n"
	"recipients { max = 5 }\n"
	"scan { threads = 9 timeout = 500s infected = hold size_max = 1500M }\n"
	"pdf { page = letter workers = 3 timeout = 1h }\n"
	"mark { life = 1d }\n"
	"tls { sealed = may wait = 1s resolvers = { \"192.0.2.53\", \"127.0.0.1@5353\" } }\n"
	"hop \"[relay.example]:587\" { tls = secure match = { relay.example, nexthop }\n"
	"  through = yes until = 2027-01-31 reason = \"their letter of 3 May\" }\n"
	"hop .partner.example { reason = tested }\n"
	"hop print.example { tls = fingerprint reason = tested fingerprints =\n"
	"  \"8D:9A:EA:A5:92:7D:7A:41:1E:BD:1B:70:AC:83:52:BF:6E:80:03:B5:1A:78:75:E5:D7:\"\n"
	"  }\n"
	"tags { secure = { Vertraulich, \"geheim\" } tls = { tls } header = X-Protect\n"
	"  sensitivity = { } }\n"
	"tenant \"one\" { domains = { One.Example, \"b\xc3\xbc" "cher.example\" }\n"
	"  logins = { \"*@one.example\", svc } networks = { 192.0.2.0/24, \"::1\" }\n"
	"  protections = pdf inside = seal subject_envelope = placeholder\n"
	"  subject_placeholder = \"Gesch\xc3\xbctzt \\$1 \\\"x\\\"\" } # a comment\n"
	"/* another */ tenant two { domains = two.example } // a third\n";

static void every_kind_of_value_is_read(void **state)
{
	struct conf *conf = load_good(full);
	const struct conf_tenant *tenant = conf_tenant_named(conf, "one");

	(void)state;
	assert_string_equal(conf->socket, "inet:8891@127.0.0.1");
	assert_int_equal(conf->socket_mode, 0666);
	assert_string_equal(conf->socket_group, "");
	assert_false(conf->seal_before_queue);
	assert_int_equal(conf->sandbox, CONF_SANDBOX_REDUCED);
	assert_string_equal(conf->users.milter, "101:102");
	assert_int_equal(conf->log.level, 2);
	assert_int_equal(conf->log.target, CONF_LOG_SYSLOG);
	assert_int_equal(conf->message.memory_max, 0);
	assert_int_equal(conf->scan.infected, CONF_HOLD);
	assert_int_equal(conf->pdf.page, CONF_PAGE_LETTER);
	assert_int_equal(conf->pdf.timeout_ms, 3600000);
	assert_string_equal(conf->tags.secure.items[0], "vertraulich");
	assert_int_equal(conf->tags.sensitivity.count, 0);
	assert_int_equal(conf->tls.sealed, CONF_FLOOR_MAY);
	assert_string_equal(conf->tls.resolvers.items[1], "127.0.0.1@5353");
	assert_int_equal(conf->hop_count, 3);
	assert_ptr_equal(conf_hop_named(conf, "[relay.example]:587"), &conf->hops[0]);
	assert_string_equal(conf_level_name(conf->hops[0].tls), "secure");
	assert_string_equal(conf->hops[0].match.items[1], "nexthop");
	assert_true(conf->hops[0].through);
	assert_true(conf->hops[0].until_ms == INT64_C(1801440000000));
	assert_int_equal(conf->hops[1].tls, CONF_LEVEL_ENCRYPT);
	assert_true(conf->hops[1].until_ms == 0);
	assert_non_null(tenant);
	assert_string_equal(tenant->domains.items[0], "one.example");
	assert_string_equal(tenant->domains.items[1], "xn--bcher-kva.example");
	assert_int_equal(tenant->protections[0], WAY_PDF);
	assert_int_equal(tenant->protections[1], 0);
	assert_int_equal(tenant->inside, CONF_INSIDE_SEAL);
	assert_string_equal(tenant->subject_placeholder, "Gesch\xc3\xbctzt $1 \"x\"");
	assert_ptr_equal(conf_tenant_of_domain(conf, "two.example"), &conf->tenants[1]);
	assert_int_equal(conf->tenants[1].protections[0], WAY_ENVELOPE);
	assert_int_equal(conf->tenants[1].protections[1], WAY_PDF);
	assert_null(conf_tenant_of_domain(conf, "sub.two.example"));
	conf_free(conf);
}

static void lines_may_end_in_crlf(void **state)
{
	struct conf *conf = load_good("stage_port = 7\r\nscan {\r\n\tthreads = 4\r\n}\r\n");

	(void)state;
	assert_int_equal(conf->stage_port, 7);
	assert_int_equal(conf->scan.threads, 4);
	conf_free(conf);
}

/* ---- each key ---- */

/* What the section of a key must have besides. */
static const char *needed(const struct key *key)
{
	if (key_part(key) == KEY_OF_TENANT && strcmp(key->name, "tenant.domains") != 0)
		return "domains = t.example";
	if (key_part(key) == KEY_OF_HOP && strcmp(key->name, "hop.reason") != 0)
		return "reason = tested";
	return "";
}

/* A whole file that sets one key to value, in line 2. */
static void one_key(const struct key *key, const char *value, char *out, size_t size)
{
	char section[64];

	assert_true(key_section(key, section, sizeof section));
	if (section[0] == '\0')
		(void)snprintf(out, size, "\n%s = %s\n", key_leaf(key), value);
	else
		(void)snprintf(out, size, "%s %s { %s\n%s = %s\n}\n", section,
		    key_part(key) != KEY_OF_CONF ? "t" : "", needed(key), key_leaf(key), value);
}

static void every_key_takes_its_default_and_refuses_nonsense(void **state)
{
	const struct key *keys;
	size_t count;
	size_t i;

	(void)state;
	keys = keys_all(&count);
	for (i = 0; i < count; i++) {
		char text[512];

		one_key(&keys[i], "\"\\t\"", text, sizeof text);
		check_error(text, 2, keys[i].name);
		one_key(&keys[i], "\"\"", text, sizeof text);
		if (!keys[i].may_be_empty || key_is_list(&keys[i]))
			check_error(text, 2, keys[i].name);
		one_key(&keys[i], "{}", text, sizeof text);
		if (!key_is_list(&keys[i]) || !keys[i].may_be_empty)
			check_error(text, 2, keys[i].name);
		assert_ptr_equal(keys_find(keys[i].name), &keys[i]);
		assert_string_not_equal(keys[i].help, "");
		assert_int_not_equal(keys[i].roles, 0);
	}
}

static void every_limit_holds(void **state)
{
	const struct key *keys;
	size_t count;
	size_t i;

	(void)state;
	keys = keys_all(&count);
	for (i = 0; i < count; i++) {
		char value[64];
		char text[256];
		const char *unit = keys[i].type == KEY_DURATION ? "ms" : "";
		const char *format = keys[i].type == KEY_OCTAL ? "0%lo%s" : "%lu%s";

		if (keys[i].type < KEY_NUMBER || keys[i].type > KEY_DURATION)
			continue;
		(void)snprintf(value, sizeof value, format[1] == 'l' ? "%lu%s" : "0%lo%s",
		    (unsigned long)keys[i].max + 1, unit);
		one_key(&keys[i], value, text, sizeof text);
		check_error(text, 2, keys[i].name);
		if (keys[i].min == 0)
			continue;
		(void)snprintf(value, sizeof value, format[1] == 'l' ? "%lu%s" : "0%lo%s",
		    (unsigned long)keys[i].min - 1, unit);
		one_key(&keys[i], value, text, sizeof text);
		check_error(text, 2, keys[i].name);
	}
}

/* ---- errors ---- */

static void all_errors_of_a_file_are_told_at_once(void **state)
{
	static const char text[] =
		"socket = \"unix:/run/x\"\n"
		"sokcet = \"local:/run/x\"\n"
		"scan {\n\tthreads = 0\n\tthread = 3\n\tsize_max = { 1M, 2M }\n}\n"
		"scn { }\n"
		"pdf = 3\n"
		"bogus \"x\" { a = 1 b { c = 2 } }\n"
		"tenant a { domains = {} }\n"
		"tenant b { domains = { ok.example, b..d }\n\tprotections = { envelope, fax } }\n"
		"tenant c { logins = { x } }\n"
		"tenant d { domains = { OK2.example } networks = { 192.0.2.1/24 } }\n"
		"tenant e { domains = { ok2.example } }\n"
		"tenant e { domains = { e.example } }\n"
		"tenant \"\" { domains = { f.example } }\n"
		"tenant { domains = { g.example } }\n"
		"scan { threads = 2 }\n"
		"stage_port = 5 stage_port = 6\n"
		"scan.threads = 5\n"
		"tags { pdf = { secure } }\n";
	static const struct expected expected[] = { { 1, "socket" }, { 2, "unknown key sokcet" },
		{ 4, "scan.threads" }, { 5, "unknown key scan.thread" }, { 6, "scan.size_max" },
		{ 8, "unknown section scn" }, { 9, "section" }, { 10, "unknown section bogus" },
		{ 11, "tenant.domains" }, { 12, "b..d" }, { 13, "tenant.protections" },
		{ 14, "without domains" }, { 15, "192.0.2.1/24" }, { 16, "ok2.example" },
		{ 17, "second time" }, { 18, "bad name" }, { 19, "without a name" },
		{ 20, "second time" }, { 21, "second time" }, { 22, "unknown key" },
		{ 23, "\"secure\"" } };

	(void)state;
	check_errors(text, expected, sizeof expected / sizeof expected[0]);
}

static void what_libconfuse_would_drop_or_expand_is_refused(void **state)
{
	(void)state;
	check_error("tenant x { domains = x.example logins = { *@a } }", 1, "special");
	check_error("socket = 'local:/x", 1, "never closed");
	check_error("\nsocket = \"local:/x", 2, "never closed");
	check_error("socket = \"local:/x\nstage_port = 1\"", 1, "end of its line");
	check_error("socket = \"local:${HOME}\"", 1, "environment");
	check_error("socket = ${HOME}", 1, "special");
	check_error("socket = \"\\101\"", 1, "number");
	check_error("include(\"/etc/passwd\")", 1, "special");
	check_error("\n\nscan {\n threads = 2", 3, "never closed");
	check_error("}", 1, "without a section");
	check_error("/* x", 1, "comment");
	check_error("tags { secure += { x } }", 1, "+=");
	check_error("socket", 1, "neither");
	check_error("socket =", 1, "no value");
	check_error("= x", 1, "no name");
	check_error("a = {b c}", 1, "list");
	check_error("a = {b", 1, "never closed");
	check_error("a { b { c { d { e { f = 1 } } } } }", 1, "within");
}

static void a_broken_file_does_not_spoil_the_next(void **state)
{
	struct conf *conf;

	(void)state;
	check_error("socket = \"local:/x", 1, "never closed");
	check_error("/* x", 1, "comment");
	conf = load_good("stage_port = 9");
	assert_int_equal(conf->stage_port, 9);
	conf_free(conf);
}

static void missing_files_and_folders_are_errors(void **state)
{
	struct conf_errors errors;
	struct conf *conf = NULL;

	(void)state;
	assert_int_equal(conf_load("/nonexistent/x", false, &conf, &errors, NULL), SG_EUSAGE);
	assert_null(conf);
	assert_int_equal(errors.count, 1);
	conf_errors_free(&errors);
	assert_int_equal(load("spool_directory = /nonexistent/s\nstate_directory = /tmp\n"
	    "master_key_file = /tmp/k\nrun_directory = /tmp/run\n"
	    "scan { database_directory = /dev/null }", true, &conf, &errors), SG_EUSAGE);
	assert_int_equal(errors.count, 2);
	assert_int_equal(errors.items[0].line, 1);
	assert_int_equal(errors.items[1].line, 5);
	conf_errors_free(&errors);
}

/* ---- the wire ---- */

static void what_is_sent_arrives(void **state)
{
	struct conf *conf = load_good(full);
	struct conf *other = NULL;
	struct buf wire;
	size_t i;

	(void)state;
	buf_init(&wire, TEXT_MAX);
	assert_int_equal(conf_encode(conf, CONF_ALL, &wire, NULL), SG_OK);
	assert_int_equal(conf_decode(wire.data, wire.size, &other, NULL), SG_OK);
	check_same(conf, other);
	assert_string_equal(other->tenants[1].name, "two");
	conf_free(other);
	for (i = 0; i < wire.size; i++)
		assert_int_not_equal(conf_decode(wire.data, i, &other, NULL), SG_OK);
	assert_int_equal(buf_put_u8(&wire, 0), SG_OK);
	assert_int_not_equal(conf_decode(wire.data, wire.size, &other, NULL), SG_OK);
	buf_free(&wire);
	conf_free(conf);
}

static bool knows(unsigned int role, const char *text)
{
	struct conf *conf = load_good("master_key_file = /k/secret-place\n"
	    "tenant t-name { domains = t.example logins = l-name }\n"
	    "scan { database_directory = /d/signatures }\n");
	struct buf wire;
	bool found;

	buf_init(&wire, TEXT_MAX);
	assert_int_equal(conf_encode(conf, role, &wire, NULL), SG_OK);
	found = memmem(wire.data, wire.size, text, strlen(text)) != NULL;
	buf_free(&wire);
	conf_free(conf);
	return found;
}

static void a_worker_is_sent_only_what_its_role_needs(void **state)
{
	(void)state;
	assert_true(knows(CONF_VAULT, "secret-place"));
	assert_false(knows(CONF_MILTER, "secret-place"));
	assert_false(knows(CONF_SCAN, "secret-place"));
	assert_false(knows(CONF_PDF, "secret-place"));
	assert_true(knows(CONF_MILTER, "l-name"));
	assert_false(knows(CONF_VAULT, "l-name"));
	assert_true(knows(CONF_VAULT, "t-name"));
	assert_false(knows(CONF_SCAN, "t-name"));
	assert_true(knows(CONF_PDF, "t-name"));
	assert_false(knows(CONF_PDF, "l-name"));
	assert_true(knows(CONF_SCAN, "signatures"));
	assert_false(knows(CONF_MILTER, "signatures"));
}

/* Changed bytes are refused or give a configuration; neither crashes nor leaks. */
static void random_walk_over_the_wire(void **state)
{
	struct conf *conf = load_good(full);
	struct buf wire;
	unsigned int seed = 20260102;
	unsigned int round;

	(void)state;
	buf_init(&wire, TEXT_MAX);
	assert_int_equal(conf_encode(conf, CONF_ALL, &wire, NULL), SG_OK);
	for (round = 0; round < 20000; round++) {
		size_t at = (size_t)rand_r(&seed) % wire.size;
		unsigned char kept = wire.data[at];
		struct conf *other = NULL;

		wire.data[at] = (unsigned char)rand_r(&seed);
		if (conf_decode(wire.data, wire.size, &other, NULL) != SG_OK)
			assert_null(other);
		conf_free(other);
		wire.data[at] = kept;
	}
	buf_free(&wire);
	conf_free(conf);
}

/* Statements in any order and cut anywhere: a configuration or an error, and never both. */
static void random_walk_over_the_file(void **state)
{
	unsigned int seed = 20260103;
	unsigned int round;

	(void)state;
	for (round = 0; round < 3000; round++) {
		char text[sizeof full];
		struct conf_errors errors;
		struct conf *conf = NULL;
		unsigned int changes = (unsigned int)rand_r(&seed) % 4;

		memcpy(text, full, sizeof full);
		text[(size_t)rand_r(&seed) % sizeof full] = '\0';
		while (changes-- > 0 && text[0] != '\0')
			text[(size_t)rand_r(&seed) % strlen(text)] =
			    "{}=\"'#,\n/*$+ \\a"[rand_r(&seed) % 16];
		if (load(text, false, &conf, &errors) == SG_OK)
			assert_int_equal(errors.count, 0);
		else
			assert_true(errors.count > 0 && conf == NULL);
		conf_errors_free(&errors);
		conf_free(conf);
	}
}

static void a_misspelt_key_is_guessed(void **state)
{
	(void)state;
	assert_string_equal(keys_nearest("sokcet"), "socket");
	assert_string_equal(keys_nearest("scan.thread"), "scan.threads");
	assert_string_equal(keys_nearest("threads"), "scan.threads");
	assert_string_equal(keys_nearest("tenant.domain"), "tenant.domains");
	assert_null(keys_nearest("something_else_entirely"));
	assert_null(keys_nearest(""));
}

/* ---- looks ---- */

static void logos_and_texts_travel_to_those_who_show_them(void **state)
{
	static const unsigned char png[40] = "\211PNG\r\n\032\n\0\0\0\015IHDR\0\0\0\100\0\0\0\040";
	const unsigned int roles[] = { CONF_MILTER, CONF_PDF, CONF_VAULT };
	struct conf *conf = load_good("tenant t { domains = t.example colour = \"#ff0080\" }\n");

	(void)state;
	assert_int_equal(looks_take_logo(&conf->tenants[0], png, sizeof png, NULL), SG_OK);
	assert_int_equal(conf_add_text(conf, "de/outer.txt", "Own words."), SG_OK);
	for (size_t i = 0; i < 3; i++) {
		struct conf *other = NULL;
		struct buf wire;

		buf_init(&wire, TEXT_MAX);
		assert_int_equal(conf_encode(conf, roles[i], &wire, NULL), SG_OK);
		assert_int_equal(conf_decode(wire.data, wire.size, &other, NULL), SG_OK);
		assert_int_equal(other->text_count, roles[i] == CONF_MILTER);
		assert_int_equal(other->tenants[0].logo_file.size,
		    roles[i] == CONF_VAULT ? 0 : sizeof png);
		if (roles[i] != CONF_VAULT) {
			assert_int_equal(other->tenants[0].logo_file.width, 64);
			assert_int_equal(other->tenants[0].logo_file.height, 32);
			assert_string_equal(other->tenants[0].colour, "#ff0080");
		}
		if (roles[i] == CONF_MILTER) {
			assert_string_equal(template_text(other, CONF_GERMAN, TEMPLATE_OUTER),
			    "Own words.");
			assert_non_null(strstr(template_text(other, CONF_FRENCH, TEMPLATE_OUTER),
			    "message"));
		}
		conf_free(other);
		buf_free(&wire);
	}
	conf_free(conf);
}

static void looks_are_checked(void **state)
{
	(void)state;
	check_error("tenant x { domains = x.example\ncolour = \"#12345g\" }", 2, "#12345g");
	check_error("tenant x { domains = x.example\ncolour = \"red\" }", 2, "colour");
	check_error("tenant x { domains = x.example\nlogo = /x.png }", 2, "no name");
	check_error("tenant x { domains = x.example\nhelp_url = \"http://x.example/\" }", 2,
	    "http://x.example/");
	check_error("tenant x { domains = x.example\nhelp_url = \"https://x.example/\\\"\" }", 2,
	    "help_url");
}

static void a_canary_must_be_able_to_come_back(void **state)
{
	static const char x[] = "tenant x { domains = x.example }\n";
	static const char y[] = "tenant x { domains = x.example passwords = recipient }\n";
	static const char z[] = "tenant x { domains = x.example protections = envelope }\n";
	char text[512];

	(void)state;
	conf_free(load_good("tenant x { domains = x.example }\ncanary {\nfrom = a@X.example\n"
	    "to = c@canary.invalid\n}"));
	check_error("canary {\nfrom = a@x.example\n}", 2, "one is missing");
	check_error("canary {\nto = a@x.example\n}", 1, "one is missing");
	(void)snprintf(text, sizeof text, "%scanary {\nfrom = a@y.example\nto = c@z.invalid }", x);
	check_error(text, 3, "no own sender");
	(void)snprintf(text, sizeof text, "%scanary {\nfrom = a@x.example\nto = c@x.example }", x);
	check_error(text, 4, "not outside");
	(void)snprintf(text, sizeof text, "%scanary {\nfrom = a@x.example\nto = canary }", x);
	check_error(text, 4, "not outside");
	(void)snprintf(text, sizeof text, "%scanary {\nfrom = a@x.example\nto = c@z.invalid\n"
	    "port = 10226 }", x);
	check_error(text, 5, "canary.port");
	(void)snprintf(text, sizeof text, "%scanary {\nfrom = a@x.example\nto = c@z.invalid }", y);
	check_error(text, 3, "choose a password");
	(void)snprintf(text, sizeof text, "%scanary {\nfrom = a@x.example\nto = c@z.invalid }", z);
	check_error(text, 3, "choose a password");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_defaults),
		cmocka_unit_test(a_canary_must_be_able_to_come_back),
		cmocka_unit_test(the_shipped_file_is_made_from_the_table),
		cmocka_unit_test(the_manual_page_holds_what_the_table_makes),
		cmocka_unit_test(the_shipped_file_says_what_the_defaults_are),
		cmocka_unit_test(every_kind_of_value_is_read),
		cmocka_unit_test(lines_may_end_in_crlf),
		cmocka_unit_test(every_key_takes_its_default_and_refuses_nonsense),
		cmocka_unit_test(every_limit_holds),
		cmocka_unit_test(all_errors_of_a_file_are_told_at_once),
		cmocka_unit_test(what_libconfuse_would_drop_or_expand_is_refused),
		cmocka_unit_test(a_broken_file_does_not_spoil_the_next),
		cmocka_unit_test(missing_files_and_folders_are_errors),
		cmocka_unit_test(what_is_sent_arrives),
		cmocka_unit_test(a_worker_is_sent_only_what_its_role_needs),
		cmocka_unit_test(random_walk_over_the_wire),
		cmocka_unit_test(random_walk_over_the_file),
		cmocka_unit_test(a_misspelt_key_is_guessed),
		cmocka_unit_test(logos_and_texts_travel_to_those_who_show_them),
		cmocka_unit_test(looks_are_checked),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
