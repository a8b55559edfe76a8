/* What clamd.conf(5) lets clamd skip. The scanner tries the worst of it itself; this says where. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/buf.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/postfix/doctor_checks.h"

#define CONF_MAX ((size_t)1024 * 1024)	/* bytes; the longest shipped one has 30 KB */
#define MIB (UINT64_C(1) << 20)

/* Content that is only looked into if it says yes. All but the first are so by themselves. */
static const struct {
	const char *name;
	bool preset;
} switches[] = {
	{ "AlertExceedsMax", false },
	{ "ScanMail", true }, { "ScanArchive", true }, { "ScanPE", true }, { "ScanELF", true },
	{ "ScanOLE2", true }, { "ScanPDF", true }, { "ScanSWF", true }, { "ScanXMLDOCS", true },
	{ "ScanHWP3", true }, { "ScanOneNote", true }, { "ScanHTML", true }, { "ScanImage", true },
};

/* Bounds, their presets in ClamAV 1.4, and what becomes of content above them. */
static const struct {
	const char *name;
	uint64_t preset;
	const char *above;
} bounds[] = {
	{ "StreamMaxLength", 100 * MIB, "larger messages wait and come back" },
	{ "MaxScanSize", 400 * MIB, "larger content is unscannable" },
	{ "MaxFileSize", 100 * MIB, "larger files are unscannable" },
	{ "MaxEmbeddedPE", 40 * MIB, "programs inside larger files are skipped in silence" },
	{ "MaxHTMLNormalize", 40 * MIB, "larger HTML is not looked at as HTML, in silence" },
	{ "MaxHTMLNoTags", 8 * MIB, "larger HTML is not looked at without tags, in silence" },
	{ "MaxScriptNormalize", 20 * MIB, "larger scripts are not normalised, in silence" },
	{ "PCREMaxFileSize", 100 * MIB, "larger files pass some signatures by, in silence" },
};

/* The value of the last line "NAME VALUE", to be freed; NULL if there is none. */
static char *setting(const char *text, const char *name)
{
	size_t size = strlen(name);
	const char *found = NULL;

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += strspn(line, " \t\n");
		if (strncasecmp(line, name, size) == 0 && strspn(line + size, " \t") > 0)
			found = line + size + strspn(line + size, " \t");
	}
	return found == NULL ? NULL : str_dup_n(found, strcspn(found, " \t\r\n"));
}

static bool is_yes(const char *value)
{
	return str_equal_case(value, "yes") || str_equal_case(value, "true") ||
	    strcmp(value, "1") == 0;
}

static size_t look_at_switches(struct doctor *doctor, const char *text, const char *path)
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		char *value = setting(text, switches[i].name);

		if (value == NULL ? !switches[i].preset : !is_yes(value)) {
			doctor_bad(doctor, "set it to yes and start clamd again",
			    "%s is not set in %s: clamd calls clean what it did not look into",
			    switches[i].name, path);
			count++;
		}
		free(value);
	}
	return count;
}

/* "25M", "1024", "4G"; 0 is no bound. False: cannot be read. */
static bool read_size(const char *value, uint64_t *size_out)
{
	static const char units[] = "KMG";
	size_t digits = strspn(value, "0123456789");
	const char *unit = value[digits] == '\0' ? NULL : strcasestr(units, value + digits);
	char *number = str_dup_n(value, digits);
	bool is_read = number != NULL && (value[digits] == '\0' || unit != NULL) &&
	    str_parse_u64(number, 0, UINT64_C(1) << 32, size_out) == SG_OK;

	free(number);
	if (is_read && unit != NULL)
		*size_out <<= 10 * (unsigned int)(unit - units + 1);
	if (is_read && *size_out == 0)
		*size_out = UINT64_MAX;
	return is_read;
}

static size_t look_at_bounds(struct doctor *doctor, const char *text)
{
	uint64_t wanted = doctor->conf->message.size_max;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		char *value = setting(text, bounds[i].name);
		uint64_t size = bounds[i].preset;

		if ((value == NULL || read_size(value, &size)) && size < wanted) {
			doctor_warn(doctor, "raise it in clamd.conf to message.size_max",
			    "%s is %llu MB, below message.size_max: %s", bounds[i].name,
			    (unsigned long long)(size / MIB), bounds[i].above);
			count++;
		}
		free(value);
	}
	return count;
}

static bool is_set(const char *text, const char *name)
{
	char *value = setting(text, name);
	bool set = value != NULL && is_yes(value);

	free(value);
	return set;
}

/*
 * Where encrypted files do not pass, clamd must tell of them; where they pass it must not, since it
 * tells one alert, and the one of a limit would be lost.
 */
static size_t look_at_encrypted(struct doctor *doctor, const char *text, const char *path)
{
	static const char *const names[] = { "AlertEncryptedArchive", "AlertEncryptedDoc" };
	bool wanted = doctor->conf->scan.encrypted != CONF_ENCRYPTED_PASS;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = is_set(text, "AlertEncrypted") ? "AlertEncrypted" : names[i];

		if (is_set(text, name) == wanted)
			continue;
		if (wanted)
			doctor_bad(doctor, "set it to yes and start clamd again",
			    "%s is not set in %s, and scan.encrypted is not pass: clamd calls "
			    "clean what needs a password", name, path);
		else
			doctor_bad(doctor, "set it to no and start clamd again",
			    "%s is set in %s, and scan.encrypted is pass: mail with encrypted "
			    "files has no verdict, since a limit may be hidden", name, path);
		count++;
	}
	return count;
}

void check_clamd(struct doctor *doctor)
{
	const char *path = doctor->conf->scan.clamd_conf;
	const char *text;
	struct buf file;
	struct fail f;
	size_t found = 1;

	if (doctor->conf->scan.engine != CONF_ENGINE_CLAMD) {
		doctor_ok(doctor, "clamd is not asked: scan.engine = libclamav");
		return;
	}
	if (path[0] == '\0') {
		doctor_warn(doctor, "name its configuration in scan.clamd_conf, or look there: "
		    "docs/scanner.md", "nobody looked at the configuration of clamd");
		return;
	}
	buf_init(&file, CONF_MAX);
	fail_clear(&f);
	if (fd_read_file(path, &file, &f) != SG_OK)
		doctor_failure(doctor, DOCTOR_WARN, &f);
	else if ((text = buf_str(&file)) != NULL)
		found = look_at_switches(doctor, text, path) + look_at_bounds(doctor, text) +
		    look_at_encrypted(doctor, text, path);
	if (found == 0)
		doctor_ok(doctor, "clamd skips nothing by %s", path);
	buf_free(&file);
}
