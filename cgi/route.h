/* Which handler answers which request. */
#ifndef PINTLE_ROUTE_H
#define PINTLE_ROUTE_H

#include "app.h"
#include "request.h"
#include "response.h"

typedef bool handler(const struct app *app, const struct request *req, struct response *res,
		     struct problem *p);

struct route {
	enum role role;
	const char *method; /* "*": any */
	const char *path;   /* "*" at its end stands for one segment; "*" alone for any path */
	bool changes;		   /* something: the origin must be right */
	handler *handle;
};

/*
 * The route of a request; HEAD finds GET's. NULL and a problem when there is none: NOT_FOUND,
 * or METHOD_NOT_ALLOWED. *METHODS gets the methods that the path knows, for Allow and CORS;
 * NULL for a path that is not there.
 */
const struct route *route_find(const struct request *req, const char **methods,
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

#endif
