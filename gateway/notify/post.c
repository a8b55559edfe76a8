#include "gateway/notify/post.h"

#include <curl/curl.h>
#include <string.h>

#define TOKEN_FIELD "Authorization: Bearer "

static size_t drop(char *data, size_t size, size_t count, void *context)
{
	(void)data;
	(void)context;
	return size * count;
}

/* libcurl's copy of the token is wiped before it is freed. */
static void free_fields(struct curl_slist *fields)
{
	for (struct curl_slist *at = fields; at != NULL; at = at->next)
		secret_wipe(at->data, strlen(at->data));
	curl_slist_free_all(fields);
}

static struct curl_slist *add_field(struct curl_slist *fields, const char *field)
{
	struct curl_slist *more = fields == NULL ? NULL : curl_slist_append(fields, field);

	if (more == NULL)
		free_fields(fields);
	return more;
}

/* NULL: no memory. */
static struct curl_slist *make_fields(const struct secret *token)
{
	/* without Expect a server need not say 100 first */
	struct curl_slist *fields = add_field(curl_slist_append(NULL,
	    "Content-Type: application/json"), "Expect:");
	struct buf field;

	if (fields == NULL || token->size == 0)
		return fields;
	buf_init(&field, SECRET_MAX + sizeof(TOKEN_FIELD));
	if (buf_append_str(&field, TOKEN_FIELD) != SG_OK ||
	    buf_append(&field, token->data, token->size) != SG_OK || buf_str(&field) == NULL) {
		free_fields(fields);
		fields = NULL;
	} else {
		fields = add_field(fields, buf_str(&field));
	}
	buf_free(&field);
	return fields;
}

static void set_options(CURL *curl, const struct post *post, const struct buf *json)
{
	(void)curl_easy_setopt(curl, CURLOPT_URL, post->url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "sealgate-notify");
	(void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(curl, CURLOPT_CAINFO, post->ca_file);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)json->size);
	(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json->data);
}

void post_json(const struct post *post, const struct buf *json, struct hook_answer *answer)
{
	struct curl_slist *fields = make_fields(post->token);
	CURL *curl = fields == NULL ? NULL : curl_easy_init();
	char trouble[CURL_ERROR_SIZE] = "";
	CURLcode failed;
	long status = 0;

	if (curl == NULL) {
		hook_say(answer, HOOK_AGAIN, "no memory to ask the server");
		free_fields(fields);
		return;
	}
	set_options(curl, post, json);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, trouble);
	failed = curl_easy_perform(curl);
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (failed == CURLE_OK)
		hook_replied(status, answer);
	else
		hook_say(answer, HOOK_AGAIN, "the server: %.130s",
		    trouble[0] != '\0' ? trouble : curl_easy_strerror(failed));
	curl_easy_cleanup(curl);
	free_fields(fields);
}
