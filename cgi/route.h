/* Which handler answers which request. */
#ifndef PINTLE_ROUTE_H
#define PINTLE_ROUTE_H

#include "app.h"
#include "metrics.h"
#include "request.h"
#include "response.h"

typedef bool handler(const struct app *app, const struct request *req,
		     struct response *res, struct problem *p);

struct route {
	enum role role;
	const char *method; /* "*": any */
	const char
		*path; /* "*" at its end stands for one segment; "*" alone for any path */
	bool changes;  /* something: the origin must be right */
	bool forms;    /* may come from the page of a provider with form = yes */
	enum metrics_path counted; /* as what: this very path */
	handler *handle;
};

/* What is known of a path, whatever the method: also where there is no route. */
struct route_path {
	const char *methods; /* for Allow and CORS; NULL for a path that is not there */
	enum metrics_path counted;
};

/*
 * The route of a request; HEAD finds GET's. NULL and a problem when there is none: NOT_FOUND,
 * or METHOD_NOT_ALLOWED. *PATH is set in any case.
 */
const struct route *route_find(const struct request *req, struct route_path *path,
			       struct problem *p);

/* What stands in the place of the "*" of a path. */
struct text route_segment(const struct request *req);

handler handle_login;
handler handle_session;
handler handle_sessions;
handler handle_session_end;
handler handle_logout;
handler handle_refresh;
handler handle_jwks;
handler handle_authorize;
handler handle_authorizer;
handler handle_health;
handler handle_ready;
handler handle_metrics;
handler handle_doctor;

#endif
