/* One GET over TLS, with limits of size, time and trust. The only file that knows libcurl. */
#ifndef PINTLE_GET_H
#define PINTLE_GET_H

#include "arena.h"
#include "problem.h"

struct get_options {
	const char *ca_file; /* NULL: the system's */
	int timeout_s;
	size_t max_bytes;
};

struct get_answer {
	bool not_modified; /* 304: the ETag sent still holds */
	struct text body, etag;
	int64_t max_age_s; /* max-age less Age; -1 when nothing was said */
};

/*
 * Fetches URL: https, or http from a loopback address; no redirects, no proxies, no
 * compression, nothing over MAX_BYTES. ETAG, if not empty, is sent as If-None-Match.
 * Anything but 200 or 304 is problem KEYS_AWAY. ANSWER is in the arena.
 */
bool get_url(struct arena *a, const char *url, struct text etag,
	     const struct get_options *options, struct get_answer *answer,
	     struct problem *p) __attribute__((warn_unused_result));

/* ---- for pintlectl doctor: any request, and all that can be said of how it went */

#define GET_PROBE_HEADERS 16

struct get_probe {
	const char *url, *method;
	bool anywhere; /* http also to other machines: a site of ours, with nothing secret */
	const char *headers[GET_PROBE_HEADERS];
	size_t header_count;
	struct text body; /* empty: none is sent */
	struct get_options options;
};

struct get_probed {
	/*
	 * "" if there was an answer, whatever it was; else "dns", "connect", "timeout",
	 * "tls_untrusted", "tls_name", "tls_date", "tls", "ca_file", "too_large" or "other".
	 */
	const char *fault;
	const char *detail;   /* curl's words */
	int64_t status, date; /* the Date header; 0: none */
	const char *type, *server, *location;
	struct text body;
};

void get_probe(struct arena *a, const struct get_probe *probe, struct get_probed *out);

#endif
