#include "gateway/notify/send.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

struct upload {
	const struct buf *message;
	size_t at;
};

static size_t give(char *room, size_t size, size_t count, void *context)
{
	struct upload *upload = context;
	size_t left = upload->message->size - upload->at;
	size_t n = size * count < left ? size * count : left;

	memcpy(room, upload->message->data + upload->at, n);
	upload->at += n;
	return n;
}

/* The last line that the server said. */
static size_t hear(char *data, size_t size, size_t count, void *context)
{
	char *reply = context;
	size_t n = size * count;

	n = n < SEND_REPLY_MAX ? n : SEND_REPLY_MAX - 1;
	memcpy(reply, data, n);
	reply[str_trim_end(data, n)] = 0;
	return size * count;
}

static size_t drop(char *data, size_t size, size_t count, void *context)
{
	(void)data;
	(void)context;
	return size * count;
}

static enum fail_code perform(CURL *curl, const char *server, const char *reply, struct fail *f)
{
	CURLcode failed = curl_easy_perform(curl);
	long status = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (failed == CURLE_OK && status >= 200 && status < 300)
		return SG_OK;
	if (status >= 400)
		(void)fail_set(f, SG_EPEER, "see the log of Postfix and of the filter",
		    "%.100s says %.200s", server, reply);
	else
		(void)fail_set(f, SG_EPEER, "it is notify.server in sealgate.conf", "%.100s: %s",
		    server, curl_easy_strerror(failed));
	return status >= 500 ? fail_set_kind(f, FAIL_PERMANENT) : f->code;
}

static void set_options(CURL *curl, const char *url, struct upload *upload, char *reply)
{
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, SEND_MS);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, hear);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<>");
	(void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	(void)curl_easy_setopt(curl, CURLOPT_READDATA, upload);
}

enum fail_code send_message(const char *server, const char *domain, const char *to,
    const struct buf *message, char reply_out[SEND_REPLY_MAX], struct fail *f)
{
	/* the path is the name in EHLO */
	char *url = str_printf("smtp://%s/%s", server, domain);
	char *recipient = str_printf("<%s>", to);
	struct curl_slist *recipients = recipient == NULL ? NULL :
	    curl_slist_append(NULL, recipient);
	CURL *curl = url == NULL ? NULL : curl_easy_init();
	struct upload upload = {message, 0};
	enum fail_code code;

	reply_out[0] = 0;
	if (curl == NULL || recipients == NULL) {
		code = fail_set(f, SG_ENOMEM, NULL, "no memory to send a mail");
	} else {
		set_options(curl, url, &upload, reply_out);
		(void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
		code = perform(curl, server, reply_out, f);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(recipients);
	free(recipient);
	free(url);
	return code;
}
