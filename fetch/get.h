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
	     const struct get_options *options, struct get_answer *answer, struct problem *p)
	__attribute__((warn_unused_result));

#endif
