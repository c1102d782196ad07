#include "get.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

#include "buffer.h"
#include "freshness.h"

#define CONNECT_TIMEOUT_MS 3000L
#define HEADERS_MAX 16384

struct transfer {
	struct arena *arena;
	struct buffer body;
	size_t max_bytes, header_bytes;
	struct freshness freshness;
};

/* CURLOPT_MAXFILESIZE does not see a chunked body: the limit has to be here. */
static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct transfer *t = context;
	const size_t len = size * count;

	if (t->body.len + len > t->max_bytes)
		return CURL_WRITEFUNC_ERROR;
	buffer_add(&t->body, (struct text){ data, len });
	return len;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	struct transfer *t = context;
	const size_t len = size * count;

	t->header_bytes += len;
	if (t->header_bytes > HEADERS_MAX)
		return 0;
	freshness_take(&t->freshness, t->arena, (struct text){ data, len });
	return len;
}

/*
 * Without TLS from this machine only, whoever named the URL. By libcurl's own parser: what
 * it connects to must be what was looked at here.
 */
static bool is_loopback(const char *url)
{
	CURLU *parts = curl_url();
	char *host = NULL;
	bool is;

	if (!parts)
		abort(); /* out of memory */
	is = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	     curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	     (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	      (strncmp(host, "127.", 4) == 0 && !host[strspn(host, "0123456789.")]));
	curl_free(host);
	curl_url_cleanup(parts);
	return is;
}

/* ALSO_PLAIN: http even to another machine. */
static CURL *new_handle(const char *url, bool also_plain,
			const struct get_options *options, struct transfer *t)
{
	const bool plain =
		text_starts(text_of(url), "http:") && (also_plain || is_loopback(url));
	CURL *curl = curl_easy_init();

	if (!curl)
		abort(); /* out of memory */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (options->ca_file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
		/* Where libcurl was built with a directory as well, that would still count. */
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, NULL);
	curl_easy_setopt(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, options->timeout_s * 1000L);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)options->max_bytes);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "pintle");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	return curl;
}

static bool judge(CURL *curl, CURLcode code, struct transfer *t,
		  struct get_answer *answer, struct problem *p)
{
	long status = 0;

	if (code != CURLE_OK)
		return problem(p, KEYS_AWAY, "%s", curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200 && status != 304)
		return problem(p, KEYS_AWAY, "the answer's status is %ld", status);
	answer->not_modified = status == 304;
	answer->body = buffer_text(&t->body);
	answer->etag = t->freshness.etag;
	answer->max_age_s = freshness_life(&t->freshness);
	return true;
}

bool get_url(struct arena *a, const char *url, struct text etag,
	     const struct get_options *options, struct get_answer *answer,
	     struct problem *p)
{
	struct transfer t = { .arena = a,
			      .body = buffer_new(a, 16384),
			      .max_bytes = options->max_bytes,
			      .freshness = FRESHNESS_START };
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	CURL *curl;
	bool good;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	curl = new_handle(url, false, options, &t);
	if (etag.len)
		headers = curl_slist_append(
			headers,
			arena_printf(a, "If-None-Match: %.*s", TEXT_ARG(etag)).data);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	good = judge(curl, curl_easy_perform(curl), &t, answer, p);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return good;
}

/* ---- for pintlectl doctor */

/* What is wrong with a certificate is told by OpenSSL's X509_V_ERR numbers. */
static const char *tls_fault(CURL *curl)
{
	long result = 0;

	curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &result);
	switch (result) {
	case 9:	 /* X509_V_ERR_CERT_NOT_YET_VALID */
	case 10: /* X509_V_ERR_CERT_HAS_EXPIRED */
		return "tls_date";
	case 62: /* X509_V_ERR_HOSTNAME_MISMATCH */
	case 64: /* X509_V_ERR_IP_ADDRESS_MISMATCH */
	case 0:	 /* the chain was not come to: curl itself compares the name before */
	case 1:
		return "tls_name";
	default:
		return "tls_untrusted";
	}
}

static const char *fault_of(CURL *curl, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return "";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "dns";
	case CURLE_COULDNT_CONNECT:
		return "connect";
	case CURLE_OPERATION_TIMEDOUT:
		return "timeout";
	case CURLE_PEER_FAILED_VERIFICATION:
		return tls_fault(curl);
	case CURLE_SSL_CACERT_BADFILE:
		return "ca_file";
	case CURLE_SSL_CONNECT_ERROR:
		return "tls";
	case CURLE_WRITE_ERROR:
	case CURLE_FILESIZE_EXCEEDED:
		return "too_large";
	default:
		return "other";
	}
}

static const char *header(struct arena *a, CURL *curl, const char *name)
{
	struct curl_header *found;

	return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK
		       ? arena_copy(a, text_of(found->value)).data
		       : "";
}

static void send_request(CURL *curl, const struct get_probe *probe)
{
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, probe->method);
	if (!probe->body.len)
		return;
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)probe->body.len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, probe->body.data);
}

void get_probe(struct arena *a, const struct get_probe *probe, struct get_probed *out)
{
	struct transfer t = { .arena = a,
			      .body = buffer_new(a, 16384),
			      .max_bytes = probe->options.max_bytes,
			      .freshness = FRESHNESS_START };
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
	char error[CURL_ERROR_SIZE] = "";
	long status = 0;
	CURLcode code;
	CURL *curl;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	curl = new_handle(probe->url, probe->anywhere, &probe->options, &t);
	for (size_t i = 0; i < probe->header_count; i++)
		headers = curl_slist_append(headers, probe->headers[i]);
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	send_request(curl, probe);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	out->fault = fault_of(curl, code);
	out->detail =
		*error ? arena_copy(a, text_of(error)).data : curl_easy_strerror(code);
	out->status = status;
	out->type = header(a, curl, "Content-Type");
	out->server = header(a, curl, "Server");
	out->location = header(a, curl, "Location");
	out->date = curl_getdate(header(a, curl, "Date"), NULL);
	if (out->date < 0)
		out->date = 0;
	out->body = buffer_text(&t.body);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
}
