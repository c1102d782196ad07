#include "route.h"

static const struct route routes[] = {
	{ ROLE_RESPONDER, "POST", "/login", true, true, METRICS_PATH_LOGIN,
	  handle_login },
	{ ROLE_RESPONDER, "GET", "/session", false, false, METRICS_PATH_SESSION,
	  handle_session },
	{ ROLE_RESPONDER, "POST", "/logout", true, false, METRICS_PATH_LOGOUT,
	  handle_logout },
	{ ROLE_RESPONDER, "GET", "/sessions", false, false, METRICS_PATH_SESSIONS,
	  handle_sessions },
	{ ROLE_RESPONDER, "DELETE", "/sessions/*", true, false, METRICS_PATH_SESSIONS_ID,
	  handle_session_end },
	{ ROLE_RESPONDER, "POST", "/refresh", true, false, METRICS_PATH_REFRESH,
	  handle_refresh },
	{ ROLE_RESPONDER, "GET", "/jwks", false, false, METRICS_PATH_JWKS, handle_jwks },
	{ ROLE_RESPONDER, "*", "/authorize", false, false, METRICS_PATH_AUTHORIZE,
	  handle_authorize },
	{ ROLE_AUTHORIZER, "*", "*", false, false, METRICS_PATH_AUTHORIZER,
	  handle_authorizer },
	{ ROLE_RESPONDER, "GET", "/healthz", false, false, METRICS_PATH_HEALTHZ,
	  handle_health },
	{ ROLE_RESPONDER, "GET", "/readyz", false, false, METRICS_PATH_READYZ,
	  handle_ready },
	{ ROLE_RESPONDER, "GET", "/metrics", false, false, METRICS_PATH_METRICS,
	  handle_metrics },
	{ ROLE_RESPONDER, "POST", "/doctor", false, false, METRICS_PATH_DOCTOR,
	  handle_doctor },
};

#define ROUTES (sizeof(routes) / sizeof(*routes))

struct text route_segment(const struct request *req)
{
	struct text rest, segment = req->path;

	for (text_before(segment, '/', &rest); rest.len; text_before(segment, '/', &rest))
		segment = rest;
	return segment;
}

static bool matches(const struct route *route, const struct request *req)
{
	const size_t len = strlen(route->path);
	struct text tail;

	if (req->role != route->role)
		return false;
	if (strcmp(route->path, "*") == 0)
		return true;
	if (route->path[len - 1] != '*')
		return text_is(req->path, route->path);
	if (req->path.len < len || memcmp(req->path.data, route->path, len - 1) != 0)
		return false;
	tail = (struct text){ req->path.data + len - 1, req->path.len - len + 1 };
	return !memchr(tail.data, '/', tail.len);
}

static const char *allowed(const struct route *route)
{
	return strcmp(route->method, "GET") == 0    ? "GET, HEAD, OPTIONS"
	       : strcmp(route->method, "*") == 0    ? "GET, HEAD, OPTIONS"
	       : strcmp(route->method, "POST") == 0 ? "POST, OPTIONS"
						    : "DELETE, OPTIONS";
}

const struct route *route_find(const struct request *req, struct route_path *path,
			       struct problem *p)
{
	*path = (struct route_path){ NULL, METRICS_PATH_OTHER };
	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *route = &routes[i];

		if (!matches(route, req))
			continue;
		*path = (struct route_path){ allowed(route), route->counted };
		if (strcmp(route->method, "*") == 0 ||
		    text_is(req->method, route->method) ||
		    (text_is(req->method, "HEAD") && strcmp(route->method, "GET") == 0))
			return route;
		problem(p, METHOD_NOT_ALLOWED, "%.*s", TEXT_ARG(req->method));
		return NULL;
	}
	problem(p, NOT_FOUND, "no route");
	return NULL;
}
