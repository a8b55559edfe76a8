#include "milter/services.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/step.h"

#define VAULT_TIMEOUT_MS 20000	/* below Postfix' 30 s for a command; a restart takes one */
/* above tls.timeout of any configuration; at the end of data Postfix waits 300 s */
#define TLS_TIMEOUT_MS 65000

static void do_scan(void *context, int fd, size_t size, const struct wire_wait *wait,
    struct scan_result *result_out)
{
	const struct services *services = context;
	int64_t began = counters_begin(services->table.counters, COUNTERS_SCAN);

	STEP("scan");
	scan_message(services->scan_path, fd, size, wait, result_out);
	counters_end(services->table.counters, COUNTERS_SCAN, began);
	STEP("scanned");
}

static enum fail_code do_plan(void *context, const char *tenant, const char *const *recipients,
    size_t count, struct vault_possible *possible_out, struct fail *f)
{
	const struct services *services = context;
	int64_t began = counters_begin(services->table.counters, COUNTERS_PLAN);
	enum fail_code code;

	STEP("plan");
	code = vault_plan(&services->vault, tenant, recipients, count, possible_out, f);
	counters_end(services->table.counters, COUNTERS_PLAN, began);
	return code;
}

static enum fail_code do_certificate(void *context, const char *tenant, const char *recipient,
    struct buf *der_out, struct fail *f)
{
	const struct services *services = context;

	return vault_certificate(&services->vault, tenant, recipient, der_out, f);
}

static enum fail_code do_password(void *context, const char *tenant, const char *recipient,
    struct secret *password_out, struct fail *f)
{
	const struct services *services = context;

	return vault_password(&services->vault, tenant, recipient, password_out, f);
}

static enum fail_code do_mark_make(void *context, const struct vault_decision *decision,
    const unsigned char digest[VAULT_DIGEST_SIZE], int64_t life_ms,
    char mark_out[VAULT_MARK_MAX], struct fail *f)
{
	const struct services *services = context;

	STEP("mark");
	return vault_mark_make(&services->vault, decision, digest, life_ms, mark_out, f);
}

static enum fail_code do_mark_check(void *context, const char *mark,
    const unsigned char digest[VAULT_DIGEST_SIZE], struct vault_decision *decision_out,
    struct fail *f)
{
	const struct services *services = context;

	STEP("mark-check");
	return vault_mark_check(&services->vault, mark, digest, decision_out, f);
}

static enum fail_code do_record(void *context, const struct record *records, size_t count,
    struct fail *f)
{
	const struct services *services = context;
	int64_t began = counters_begin(services->table.counters, COUNTERS_RECORD);
	enum fail_code code;

	STEP("record");
	code = vault_record(&services->vault, records, count, f);
	counters_end(services->table.counters, COUNTERS_RECORD, began);
	return code;
}

static enum fail_code do_record_once(void *context, const char *mark, const char *recipient,
    const struct record *records, size_t count, struct fail *f)
{
	const struct services *services = context;

	return vault_record_once(&services->vault, mark, recipient, records, count, f);
}

static enum fail_code do_password_try(void *context, const char *tenant,
    const struct secret *password, const char *const *addresses, size_t count, struct fail *f)
{
	const struct services *services = context;

	return vault_password_try(&services->vault, tenant, password, addresses, count, f);
}

static enum fail_code do_record_told(void *context, const struct vault_told *told,
    const struct record *records, size_t count, struct fail *f)
{
	const struct services *services = context;
	int64_t began = counters_begin(services->table.counters, COUNTERS_RECORD);
	enum fail_code code = vault_record_told(&services->vault, told, records, count, f);

	counters_end(services->table.counters, COUNTERS_RECORD, began);
	return code;
}

static enum fail_code do_waiting(void *context, const char *queue_id, const char *recipient,
    struct vault_waiting *waiting_out, struct fail *f)
{
	const struct services *services = context;

	STEP("waiting");
	return vault_waiting(&services->vault, queue_id, recipient, waiting_out, f);
}

static enum fail_code do_proof(void *context, const struct tls_hop *hops, size_t count,
    struct tls_proof *proofs_out, struct fail *f)
{
	const struct services *services = context;
	int64_t began = counters_begin(services->table.counters, COUNTERS_PROOF);
	enum fail_code code;

	STEP("proof");
	code = tls_proof(&services->tls, hops, count, proofs_out, f);
	counters_end(services->table.counters, COUNTERS_PROOF, began);
	return code;
}

static void do_count(void *context, enum tls_event event)
{
	const struct services *services = context;

	tls_count(&services->tls, event);
}

static enum fail_code do_pdf(void *context, const struct pdfenc_request *request,
    const struct wire_wait *wait, struct pdfenc_result *result_out, struct fail *f)
{
	const struct services *services = context;
	int64_t began = counters_begin(services->table.counters, COUNTERS_PDF);
	enum fail_code code;

	STEP("pdf");
	code = pdfenc_seal(services->pdf_path, request, wait, result_out, f);
	counters_end(services->table.counters, COUNTERS_PDF, began);
	return code;
}

enum fail_code services_init(struct services *services, const struct conf *conf,
    struct counters *counters, struct fail *f)
{
	memset(services, 0, sizeof(*services));
	services->scan_path = conf_run_path(conf, CONF_SOCKET_SCAN);
	services->pdf_path = conf_run_path(conf, CONF_SOCKET_PDF);
	services->vault_path = conf_run_path(conf, CONF_SOCKET_VAULT);
	services->tls_path = conf_run_path(conf, CONF_SOCKET_TLS);
	if (services->scan_path == NULL || services->pdf_path == NULL ||
	    services->vault_path == NULL || services->tls_path == NULL) {
		services_free(services);
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	}
	/* without memory for it, certificates are parsed each time */
	services->cache = envelope_cache_new();
	services->vault.path = services->vault_path;
	services->vault.timeout_ms = VAULT_TIMEOUT_MS;
	services->tls.path = services->tls_path;
	services->tls.timeout_ms = TLS_TIMEOUT_MS;
	services->table = (struct session_services){
		.context = services, .scan = do_scan, .plan = do_plan,
		.certificate = do_certificate, .password = do_password,
		.mark_make = do_mark_make, .mark_check = do_mark_check, .record = do_record,
		.record_once = do_record_once, .password_try = do_password_try,
		.record_told = do_record_told, .waiting = do_waiting, .proof = do_proof,
		.count = do_count, .pdf = do_pdf, .cache = services->cache, .counters = counters,
		.clock = clock_system(),
	};
	return SG_OK;
}

void services_free(struct services *services)
{
	free(services->scan_path);
	free(services->pdf_path);
	free(services->vault_path);
	free(services->tls_path);
	envelope_cache_free(services->cache);
	memset(services, 0, sizeof(*services));
}
