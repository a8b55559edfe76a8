#include "gateway/tls/report_send.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upload {
	const struct buf *data;
	size_t at;
};

static size_t give(char *room, size_t size, size_t count, void *context)
{
	struct upload *upload = context;
	size_t left = upload->data->size - upload->at;
	size_t n = size * count < left ? size * count : left;

	if (n > 0)
		memcpy(room, upload->data->data + upload->at, n);
	upload->at += n;
	return n;
}

/* What the other side says beyond its status is not wanted. */
static size_t drop(char *data, size_t size, size_t count, void *context)
{
	(void)data;
	(void)context;
	return size * count;
}

static CURL *new_transfer(const char *url)
{
	CURL *curl = curl_easy_init();

	if (curl == NULL)
		return NULL;
	if (curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK) {
		curl_easy_cleanup(curl);
		return NULL;
	}
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, REPORT_SEND_MS);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	return curl;
}

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory to send a report");
}

static enum fail_code perform(CURL *curl, const char *to, struct fail *f)
{
	CURLcode failed = curl_easy_perform(curl);
	long status = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (failed != CURLE_OK)
		return fail_set(f, SG_EPEER, NULL, "%.200s: %s", to, curl_easy_strerror(failed));
	if (status < 200 || status >= 300)
		return fail_set(f, SG_EPEER, NULL, "%.200s answers %ld", to, status);
	return SG_OK;
}

/* --- HTTPS --- */

static char *uri_part(const char *uri, CURLUPart part)
{
	CURLU *url = curl_url();
	char *text = NULL;
	char *copy = NULL;

	if (url != NULL && curl_url_set(url, CURLUPART_URL, uri, 0) == CURLUE_OK &&
	    curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK)
		copy = str_dup(text);
	curl_free(text);
	curl_url_cleanup(url);
	return copy;
}

char *report_host(const char *uri)
{
	return uri_part(uri, CURLUPART_HOST);
}

/* "HOST:PORT:ADDRESS,ADDRESS": libcurl asks no resolver then. */
static struct curl_slist *resolve_list(const char *uri, const struct str_list *addresses)
{
	char *host = uri_part(uri, CURLUPART_HOST);
	char *port = uri_part(uri, CURLUPART_PORT);
	struct curl_slist *list = NULL;
	struct buf line;
	size_t i;

	buf_init(&line, 16 * 1024);
	if (host != NULL && port != NULL && addresses->count > 0 &&
	    buf_printf(&line, "%s:%s:", host, port) == SG_OK) {
		for (i = 0; i < addresses->count; i++)
			if (buf_printf(&line, strchr(addresses->items[i], ':') != NULL ? "%s[%s]" :
			    "%s%s", i == 0 ? "" : ",", addresses->items[i]) != SG_OK)
				break;
		list = i == addresses->count && buf_str(&line) != NULL ?
		    curl_slist_append(NULL, buf_str(&line)) : NULL;
	}
	buf_free(&line);
	free(host);
	free(port);
	return list;
}

enum fail_code report_post(const char *uri, const struct str_list *addresses,
    const char *ca_file, const struct buf *zipped, struct fail *f)
{
	struct curl_slist *headers = curl_slist_append(NULL,
	    "Content-Type: application/tlsrpt+gzip");
	struct curl_slist *resolve = resolve_list(uri, addresses);
	CURL *curl = new_transfer(uri);
	enum fail_code code;

	if (resolve == NULL) {
		code = fail_set(f, SG_EFORMAT, NULL, "%.200s: no such host", uri);
	} else if (curl == NULL || headers == NULL) {
		code = no_memory(f);
	} else {
		(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
		(void)curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
		(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)zipped->data);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)zipped->size);
		code = perform(curl, uri, f);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(resolve);
	curl_slist_free_all(headers);
	return code;
}

/* --- mail --- */

enum fail_code report_submit(const char *server, const char *from, const char *to,
    const struct buf *message, struct fail *f)
{
	const char *domain = strrchr(from, '@');
	/* the path is the name in EHLO */
	char *url = str_printf("smtp://%s/%s", server, domain == NULL ? from : domain + 1);
	char *sender = str_printf("<%s>", from);
	char *recipient = str_printf("<%s>", to);
	struct curl_slist *recipients = recipient == NULL ? NULL :
	    curl_slist_append(NULL, recipient);
	CURL *curl = url == NULL ? NULL : new_transfer(url);
	struct upload upload = {message, 0};
	enum fail_code code;

	if (curl == NULL || sender == NULL || recipients == NULL) {
		code = no_memory(f);
	} else {
		(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
		(void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender);
		(void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
		(void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
		(void)curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
		code = perform(curl, to, f);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(recipients);
	free(recipient);
	free(sender);
	free(url);
	return code;
}
