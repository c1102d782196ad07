/* An answer under construction; pure. */
#ifndef PINTLE_RESPONSE_H
#define PINTLE_RESPONSE_H

#include "buffer.h"
#include "problem.h"
#include "session.h"
#include "store.h"

struct response {
	struct arena *arena;
	int status;
	struct buffer headers; /* lines that end in CR LF */
	struct buffer body;
	const char *content_type; /* of the body; at first JSON */
	bool without_body;	  /* the answer to HEAD */
	bool bodiless; /* there is none to speak of: 204, or an authorizer's yes */

	/* for the log line */
	const char *provider, *user_id;
	bool created; /* by this login; to be counted */

	/* what is left to be done once the answer is out */
	char touch_session[STORE_ID_SIZE]; /* "" : nothing */
	bool purge;
};

void response_start(struct response *res, struct arena *arena);

/*
 * Adds a header line. A value with a control character, which could start another header,
 * is left out altogether.
 */
void response_header(struct response *res, const char *name, struct text value);

/* Makes it the answer to a problem, whatever it was before. */
void response_problem(struct response *res, const struct problem *p,
		      const char *request_id);

/* {"id", "email", "phone"} as member "user". */
void response_add_user(struct response *res, const struct store_user *user);

/* The whole answer as CGI wants it (RFC 3875, 6): "Status:" first. */
struct text response_print(const struct response *res);

#endif
