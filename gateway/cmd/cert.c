#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "gateway/cmd/admin.h"
#include "gateway/cmd/cert_file.h"

#define CERT_PREFIX_MIN 8	/* hexadecimal digits that may stand for a fingerprint */
#define CERT_SHORT "%.16s"	/* of a fingerprint in tables */

#define COMMAND "cert"

/* --- output --- */

static enum fail_code json_cert(struct buf *out, const char *tenant, const struct vault_cert *cert)
{
	char after[32];
	char before[32];
	enum fail_code code;

	admin_time(cert->not_before, false, before);
	admin_time(cert->not_after, false, after);
	code = admin_json_str(out, true, "tenant", tenant);
	if (code == SG_OK)
		code = admin_json_str(out, false, "address", cert->address);
	if (code == SG_OK)
		code = admin_json_str(out, false, "fingerprint", cert->fingerprint);
	if (code == SG_OK)
		code = admin_json_str(out, false, "subject", cert->subject);
	if (code == SG_OK)
		code = admin_json_str(out, false, "issuer", cert->issuer);
	if (code == SG_OK)
		code = admin_json_str(out, false, "key", cert->key);
	if (code == SG_OK)
		code = admin_json_str(out, false, "not_before", before);
	if (code == SG_OK)
		code = admin_json_str(out, false, "not_after", after);
	if (code == SG_OK)
		code = admin_json_str(out, false, "unusable", cert->unusable);
	return code == SG_OK ? buf_append_str(out, "}") : code;
}

static enum fail_code table_cert(struct admin_table *table, const char *tenant,
    const struct vault_cert *cert)
{
	char fingerprint[32];
	char day[32];
	const char *const cells[] = {tenant, cert->address, fingerprint, cert->key, day,
	    cert->unusable == NULL ? "usable" : cert->unusable};

	(void)snprintf(fingerprint, sizeof(fingerprint), CERT_SHORT, cert->fingerprint);
	admin_time(cert->not_after, false, day);
	day[strcspn(day, "T")] = '\0';
	return admin_table_row(table, cells);
}

/* What is printed: rows, as both, until all of them are there. */
struct listing {
	bool json;
	struct buf out;
	struct admin_table table;
	size_t count;
};

static enum fail_code listing_start(struct listing *listing, bool json)
{
	static const char *const heading[] = {"TENANT", "ADDRESS", "FINGERPRINT", "KEY", "UNTIL",
	    "STATE"};

	memset(listing, 0, sizeof(*listing));
	listing->json = json;
	listing->table.columns = sizeof(heading) / sizeof(heading[0]);
	buf_init(&listing->out, ADMIN_OUTPUT_MAX);
	return json ? SG_OK : admin_table_row(&listing->table, heading);
}

static enum fail_code listing_add(struct listing *listing, const char *tenant,
    const struct vault_cert *certs, size_t count)
{
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; code == SG_OK && i < count; i++, listing->count++) {
		if (!listing->json) {
			code = table_cert(&listing->table, tenant, &certs[i]);
			continue;
		}
		code = buf_append_str(&listing->out, listing->count == 0 ? "[" : ",\n ");
		if (code == SG_OK)
			code = json_cert(&listing->out, tenant, &certs[i]);
	}
	return code;
}

static int listing_print(struct listing *listing)
{
	enum fail_code code;
	struct fail f;

	if (listing->json)
		code = buf_append_str(&listing->out, listing->count == 0 ? "[]\n" : "]\n");
	else
		code = admin_table_put(&listing->table, &listing->out);
	if (code == SG_OK)
		return admin_print(COMMAND, &listing->out);
	(void)fail_set(&f, code, NULL, "no memory for the list");
	return cmd_fail(COMMAND, &f);
}

static void listing_end(struct listing *listing)
{
	buf_free(&listing->out);
	admin_table_free(&listing->table);
}

/* --- add --- */

static enum fail_code add_one(const struct admin *admin, const char *tenant, const char *address,
    const struct der *der, struct listing *listing, struct fail *f)
{
	struct vault_cert *added = NULL;
	enum fail_code code;
	size_t count = 0;

	code = vault_cert_add(&admin->vault, tenant, address, der->data, der->size, &added, &count,
	    f);
	if (code == SG_OK && listing_add(listing, tenant, added, count) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for the list");
	vault_certs_free(added, count);
	return code;
}

static enum fail_code add_file(const struct admin *admin, const char *tenant, const char *address,
    const char *path, struct listing *listing, struct fail *f)
{
	struct der_list list = {NULL, 0};
	struct fail inner;
	enum fail_code code;
	size_t i;

	code = cert_file_read(path, &list, f);
	for (i = 0; code == SG_OK && i < list.count; i++) {
		fail_clear(&inner);
		code = add_one(admin, tenant, address, &list.items[i], listing, &inner);
		if (code == SG_EFORMAT)
			(void)fail_set(f, code, inner.hint, "%s: %s", path, inner.what);
		else if (code != SG_OK)
			*f = inner;
	}
	der_list_free(&list);
	return code;
}

static int cert_add(int argc, char *argv[])
{
	struct admin_options options;
	struct listing listing;
	const char *tenant = NULL;
	struct admin admin;
	struct fail f;
	int first;
	int status;
	int printed;

	status = admin_parse(&cmd_cert, argc, argv, ADMIN_TENANT | ADMIN_ADDRESS | ADMIN_JSON,
	    &options, &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_cert);
	if (first >= argc)
		return cmd_usage(&cmd_cert);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	fail_clear(&f);
	(void)listing_start(&listing, options.json);
	status = admin_tenant(&admin, COMMAND, options.tenant, &tenant);
	for (; status == 0 && first < argc; first++)
		if (add_file(&admin, tenant, options.address, argv[first], &listing, &f) != SG_OK)
			status = cmd_fail(COMMAND, &f);
	/* what was stored before a failure is shown all the same */
	if (status == 0 || listing.count > 0) {
		printed = listing_print(&listing);
		status = status == 0 ? printed : status;
	}
	listing_end(&listing);
	admin_close(&admin);
	return status;
}

/* --- list --- */

static enum fail_code list_tenant(const struct admin *admin, const char *tenant,
    const char *address, struct listing *listing, struct fail *f)
{
	struct vault_cert *certs = NULL;
	enum fail_code code;
	size_t count = 0;

	code = vault_cert_list(&admin->vault, tenant, address, &certs, &count, f);
	if (code == SG_OK && listing_add(listing, tenant, certs, count) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for the list");
	vault_certs_free(certs, count);
	return code;
}

static int list_all(const struct admin *admin, const struct admin_options *options,
    const char *address, struct listing *listing)
{
	const char *tenant = NULL;
	struct fail f;
	int status;
	size_t i;

	fail_clear(&f);
	if (options->tenant != NULL) {
		status = admin_tenant(admin, COMMAND, options->tenant, &tenant);
		if (status == 0 && list_tenant(admin, tenant, address, listing, &f) != SG_OK)
			status = cmd_fail(COMMAND, &f);
		return status;
	}
	for (i = 0; i < admin->conf->tenant_count; i++)
		if (list_tenant(admin, admin->conf->tenants[i].name, address, listing, &f) != SG_OK)
			return cmd_fail(COMMAND, &f);
	return 0;
}

static int cert_list(int argc, char *argv[])
{
	struct admin_options options;
	struct listing listing;
	struct admin admin;
	int first;
	int status;

	status = admin_parse(&cmd_cert, argc, argv, ADMIN_TENANT | ADMIN_JSON, &options, &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_cert);
	if (argc - first > 1)
		return cmd_usage(&cmd_cert);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	(void)listing_start(&listing, options.json);
	status = list_all(&admin, &options, first < argc ? argv[first] : NULL, &listing);
	if (status == 0)
		status = listing_print(&listing);
	listing_end(&listing);
	admin_close(&admin);
	return status;
}

/* --- show, remove --- */

/* Lower case, without the colons that openssl prints. */
static enum fail_code tidy_fingerprint(const char *given, char out[65], struct fail *f)
{
	size_t size = 0;

	for (; *given != '\0'; given++) {
		if (*given == ':')
			continue;
		if (size >= 64 || strchr("0123456789abcdefABCDEF", *given) == NULL)
			return fail_set(f, SG_EUSAGE, "sealgate cert list shows them",
			    "a fingerprint is up to 64 hexadecimal digits");
		out[size++] = str_lower_char(*given);
	}
	out[size] = '\0';
	if (size < CERT_PREFIX_MIN)
		return fail_set(f, SG_EUSAGE, "sealgate cert list shows them",
		    "at least %d digits of the fingerprint are needed", CERT_PREFIX_MIN);
	return SG_OK;
}

/* The one certificate whose fingerprint begins with what was given. */
static enum fail_code find_fingerprint(const struct admin *admin, const char *tenant,
    const char *given, char out[65], struct fail *f)
{
	struct vault_cert *certs = NULL;
	char found[65] = "";
	enum fail_code code;
	size_t count = 0;
	size_t i;

	code = tidy_fingerprint(given, out, f);
	if (code != SG_OK || strlen(out) == 64)
		return code;
	code = vault_cert_list(&admin->vault, tenant, NULL, &certs, &count, f);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (strncmp(certs[i].fingerprint, out, strlen(out)) != 0 ||
		    strcmp(certs[i].fingerprint, found) == 0)
			continue;
		if (found[0] != '\0')
			code = fail_set(f, SG_EUSAGE, "give more of its digits",
			    "several certificates begin with %s", out);
		(void)snprintf(found, sizeof(found), "%s", certs[i].fingerprint);
	}
	vault_certs_free(certs, count);
	if (code == SG_OK && found[0] == '\0')
		code = fail_set(f, SG_ENOTFOUND, "sealgate cert list shows what is there",
		    "no certificate begins with %s", out);
	if (code == SG_OK)
		memcpy(out, found, sizeof(found));
	return code;
}

static enum fail_code show_bio(const struct buf *der, bool pem, BIO *bio, struct fail *f)
{
	const unsigned char *at = der->data;
	X509 *x509 = d2i_X509(NULL, &at, (long)der->size);
	int done;

	if (x509 == NULL)
		return fail_set(f, SG_EFORMAT, NULL, "the stored certificate cannot be read");
	done = pem ? PEM_write_bio_X509(bio, x509) :
	    X509_print_ex(bio, x509, XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB, 0);
	X509_free(x509);
	if (done != 1)
		return fail_set(f, SG_ECRYPTO, NULL, "OpenSSL cannot print the certificate");
	return SG_OK;
}

static enum fail_code show(const struct admin *admin, const char *tenant, const char *given,
    bool pem, struct buf *out, struct fail *f)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char fingerprint[65];
	char *text = NULL;
	enum fail_code code;
	struct buf der;
	long size;

	buf_init(&der, CERT_FILE_MAX);
	code = find_fingerprint(admin, tenant, given, fingerprint, f);
	if (code == SG_OK)
		code = vault_cert_show(&admin->vault, tenant, fingerprint, &der, f);
	if (code == SG_OK)
		code = bio == NULL ? fail_set(f, SG_ENOMEM, NULL, "no memory") :
		    show_bio(&der, pem, bio, f);
	if (code == SG_OK) {
		size = BIO_get_mem_data(bio, &text);
		if (!pem && buf_printf(out, "SHA-256 fingerprint: %s\n", fingerprint) != SG_OK)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory");
		else if (size > 0 && buf_append(out, text, (size_t)size) != SG_OK)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	}
	BIO_free(bio);
	buf_free(&der);
	return code;
}

static enum fail_code show_json(const struct admin *admin, const char *tenant, const char *given,
    struct listing *listing, struct fail *f)
{
	struct vault_cert *certs = NULL;
	char fingerprint[65];
	enum fail_code code;
	size_t count = 0;
	size_t i;

	code = find_fingerprint(admin, tenant, given, fingerprint, f);
	if (code == SG_OK)
		code = vault_cert_list(&admin->vault, tenant, NULL, &certs, &count, f);
	for (i = 0; code == SG_OK && i < count; i++)
		if (strcmp(certs[i].fingerprint, fingerprint) == 0 &&
		    listing_add(listing, tenant, &certs[i], 1) != SG_OK)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	vault_certs_free(certs, count);
	if (code == SG_OK && listing->count == 0)
		code = fail_set(f, SG_ENOTFOUND, "sealgate cert list shows what is there",
		    "no certificate with fingerprint %s", fingerprint);
	return code;
}

static int cert_show(int argc, char *argv[])
{
	struct admin_options options;
	struct listing listing;
	const char *tenant = NULL;
	enum fail_code code;
	struct admin admin;
	struct fail f;
	int first;
	int status;

	status = admin_parse(&cmd_cert, argc, argv, ADMIN_TENANT | ADMIN_PEM | ADMIN_JSON,
	    &options, &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_cert);
	if (argc - first != 1 || (options.pem && options.json))
		return cmd_usage(&cmd_cert);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	fail_clear(&f);
	(void)listing_start(&listing, options.json);
	status = admin_tenant(&admin, COMMAND, options.tenant, &tenant);
	if (status == 0) {
		code = options.json ? show_json(&admin, tenant, argv[first], &listing, &f) :
		    show(&admin, tenant, argv[first], options.pem, &listing.out, &f);
		if (code != SG_OK)
			status = cmd_fail(COMMAND, &f);
		else
			status = options.json ? listing_print(&listing) :
			    admin_print(COMMAND, &listing.out);
	}
	listing_end(&listing);
	admin_close(&admin);
	return status;
}

static int remove_and_say(const struct admin *admin, const char *tenant, const char *address,
    const char *given, bool json)
{
	char fingerprint[65];
	enum fail_code code = SG_OK;
	uint32_t removed = 0;
	struct fail f;

	fail_clear(&f);
	if (given != NULL)
		code = find_fingerprint(admin, tenant, given, fingerprint, &f);
	if (code == SG_OK)
		code = vault_cert_remove(&admin->vault, tenant, address,
		    given == NULL ? NULL : fingerprint, &removed, &f);
	if (code != SG_OK)
		return cmd_fail(COMMAND, &f);
	(void)printf(json ? "{\"removed\": %u}\n" : "removed: %u\n", removed);
	return 0;
}

static int cert_remove(int argc, char *argv[])
{
	struct admin_options options;
	const char *tenant = NULL;
	struct admin admin;
	int first;
	int status;

	status = admin_parse(&cmd_cert, argc, argv, ADMIN_TENANT | ADMIN_ADDRESS | ADMIN_JSON,
	    &options, &first);
	if (status != 0)
		return status;
	if (options.help)
		return cmd_help(&cmd_cert);
	if (argc - first > 1 || (first == argc && options.address == NULL))
		return cmd_usage(&cmd_cert);
	status = admin_open(&admin, COMMAND);
	if (status != 0)
		return status;
	status = admin_tenant(&admin, COMMAND, options.tenant, &tenant);
	if (status == 0)
		status = remove_and_say(&admin, tenant, options.address,
		    first < argc ? argv[first] : NULL, options.json);
	admin_close(&admin);
	return status;
}

static int cert_run(int argc, char *argv[])
{
	static const struct admin_action actions[] = {
		{"add", cert_add},
		{"list", cert_list},
		{"show", cert_show},
		{"remove", cert_remove},
	};

	return admin_dispatch(&cmd_cert, actions, sizeof(actions) / sizeof(actions[0]), argc,
	    argv);
}

const struct cmd cmd_cert = {
	.name = COMMAND,
	.usage = "cert add [--tenant T] [--address A] [--json] FILE ...\n"
	    "cert list [--tenant T] [--json] [ADDRESS]\n"
	    "cert show [--tenant T] [--pem | --json] FINGERPRINT\n"
	    "cert remove [--tenant T] [--json] [--address A] [FINGERPRINT]",
	.help = "certificates of recipients, for envelopes",
	.run = cert_run,
};
