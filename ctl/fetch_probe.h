/* One HTTP request made by pintle-fetch: pintlectl itself does not go out. */
#ifndef PINTLE_CTL_PROBE_H
#define PINTLE_CTL_PROBE_H

#include "arena.h"
#include "json.h"
#include "problem.h"

#define PROBE_HEADERS 8

struct probe {
	const char *url, *method;	    /* NULL: GET */
	bool plain;			    /* http also to another machine */
	const char *headers[PROBE_HEADERS]; /* NULL after the last, if there is room */
	const char *body;		    /* NULL: none */
	size_t length; /* the body is filled up with blanks to this */
	const char *ca_file;
	int timeout_s;
};

struct probed {
	const char *fault, *detail; /* "" : there was an answer. See fetch/get.h */
	int status;
	int64_t date;		       /* of the Date header; 0: none */
	int64_t asked_at, answered_at; /* by our clock */
	const char *type, *server, *location;
	const struct json *body; /* NULL: it was no JSON */
};

/* False, and problem INTERNAL, when pintle-fetch could not be run. */
bool probe_ask(struct arena *a, const struct probe *probe, struct probed *out,
	       struct problem *p) __attribute__((warn_unused_result));

#endif
