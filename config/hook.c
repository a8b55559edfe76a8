#include "config/hook.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/str.h"

#define HTTPS "https://"
#define HTTP "http://"

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

bool hook_configured(const struct conf_tenant *tenant)
{
	return is_set(tenant->hook_command) || is_set(tenant->hook_url);
}

/* ---- the address ---- */

/* Printable ASCII alone: all else has a spelling with %. */
static bool is_plain(const char *url)
{
	for (; *url != '\0'; url++) {
		if (*url <= ' ' || *url >= 0x7f || strchr("\"<>\\^`{|}", *url) != NULL)
			return false;
	}
	return true;
}

/* "127.0.0.1:8080": what the name of a host and its port may be where nothing is encrypted. */
static bool is_this_host(const char *host, size_t size)
{
	static const char *const names[] = { "localhost", "[::1]" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t length = strlen(names[i]);

		if (size >= length && str_equal_case_n(host, names[i], length) &&
		    (size == length || host[length] == ':'))
			return true;
	}
	if (size < 4 || strncmp(host, "127.", 4) != 0)
		return false;
	i = 4 + strspn(host + 4, "0123456789.");
	return i >= size || host[i] == ':';
}

enum fail_code hook_check_url(const char *url, struct fail *f)
{
	bool secure = str_starts_case(url, HTTPS);
	const char *host = url + (secure ? strlen(HTTPS) : strlen(HTTP));
	size_t size;

	if (!is_plain(url) || (!secure && !str_starts_case(url, HTTP)))
		return fail_set(f, SG_EUSAGE, "https://HOST/PATH", "hook_url that is no address");
	size = strcspn(host, "/?#");
	if (size == 0 || *host == ':')
		return fail_set(f, SG_EUSAGE, "https://HOST/PATH", "hook_url without a host");
	if (memchr(host, '@', size) != NULL)
		return fail_set(f, SG_EUSAGE, "hook_token_file for what the server is to know",
		    "hook_url with a password in it");
	if (!secure && !is_this_host(host, size))
		return fail_set(f, SG_EUSAGE, "https://; http:// to 127.0.0.1, [::1] or localhost",
		    "hook_url that would carry passwords in the clear");
	return SG_OK;
}

/* ---- all of it ---- */

enum fail_code hook_check(const struct conf_tenant *tenant, struct fail *f)
{
	bool command = is_set(tenant->hook_command);
	bool url = is_set(tenant->hook_url);

	if (command && url)
		return fail_set(f, SG_EUSAGE, "one of them",
		    "hook_command and hook_url of tenant \"%s\"", tenant->name);
	if (url && hook_check_url(tenant->hook_url, f) != SG_OK)
		return SG_EUSAGE;
	if (!url && is_set(tenant->hook_token_file))
		return fail_set(f, SG_EUSAGE, "hook_url as well, or none of them",
		    "hook_token_file of tenant \"%s\" without a hook_url", tenant->name);
	if (!command && !url && str_list_has_case(&tenant->passwords, CONF_PASSWORD_HOOK))
		return fail_set(f, SG_EUSAGE, "hook_command or hook_url as well",
		    "passwords of tenant \"%s\" with hook, and no hook", tenant->name);
	return SG_OK;
}

enum fail_code hook_check_files(const struct conf_tenant *tenant, struct fail *f)
{
	struct stat st;

	if (is_set(tenant->hook_command)) {
		if (stat(tenant->hook_command, &st) != 0)
			return fail_errno(f, SG_EUSAGE, "the path of a program",
			    "hook_command = \"%s\"", tenant->hook_command);
		if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
			return fail_set(f, SG_EUSAGE, "a program (chmod 755)",
			    "hook_command = \"%s\" cannot be executed", tenant->hook_command);
	}
	/* in a folder that only root may enter it may well be there */
	if (is_set(tenant->hook_token_file) && stat(tenant->hook_token_file, &st) != 0 &&
	    errno != EACCES)
		return fail_errno(f, SG_EUSAGE, "a file with the token alone",
		    "hook_token_file = \"%s\"", tenant->hook_token_file);
	return SG_OK;
}
