#include "answer.h"

#include <stdio.h>

#include "log.h"
#include "metrics.h"
#include "origin.h"
#include "route.h"

/* Expired rows go in batches small enough to be in nobody's way. */
#define PURGE_ROWS 100

/* What was asked for; an authorizer is asked about pages that are not ours. */
static struct text logged_path(const struct request *req)
{
	struct text query;

	return req->role == ROLE_AUTHORIZER ? text_before(req->uri, '?', &query)
					    : req->path;
}

static void write_log_line(const struct request *req, const struct response *res,
			   const struct problem *p, uint64_t microseconds)
{
	const struct problem_row *row = problem_row(p->kind);
	const bool failed = p->kind != PROBLEM_NONE;
	char place[96] = "";

	if (failed)
		snprintf(place, sizeof(place), "%s:%d", p->file, p->line);
	log_request(&(struct log_request){
		.request_id = req->id,
		.method = req->method,
		.path = logged_path(req),
		.address = req->address,
		.status = res->status,
		.error = failed ? row->error : NULL,
		.cause = failed ? row->cause : NULL,
		.detail = p->detail,
		.place = place,
		.provider = res->provider,
		.user_id = res->user_id,
		.milliseconds = (double)microseconds / 1e3,
	});
}

/*
 * ROUTE is that of "*" or none. Of a page that is guarded a server may ask with the client's
 * own method: a yes to OPTIONS would open it, so only our own path has preflights.
 */
static bool is_preflight(const struct request *req, const struct route *route,
			 const char *methods)
{
	return methods && text_is(req->method, "OPTIONS") &&
	       (!route || (req->role == ROLE_RESPONDER && req->is_direct));
}

/* From the request to a filled response, or to a problem. */
static bool respond(const struct app *app, const struct request *req,
		    struct response *res, struct route_path *path, struct problem *p)
{
	const struct route *route = route_find(req, path, p);

	if (is_preflight(req, route, path->methods)) {
		problem_clear(p);
		res->status = 204; /* its headers follow for all answers */
		res->bodiless = true;
		return true;
	}
	if (!route)
		return false;
	return (!route->changes || origin_check(app->config, req, route->forms, p)) &&
	       route->handle(app, req, res, p);
}

static void count(const struct request *req, const struct response *res,
		  enum metrics_path path, const struct problem *p, uint64_t microseconds)
{
	metrics_request(path, res->status, microseconds);
	if (path == METRICS_PATH_LOGIN && text_is(req->method, "POST"))
		metrics_login(p->kind, res->created);
}

void answer(const struct app *app, struct arena *arena, int64_t now,
	    const struct door *door, struct response *res, struct text *out)
{
	const uint64_t started = metrics_clock();
	struct route_path path;
	struct problem p = { 0 };
	struct request req;
	uint64_t took;

	request_read(&req, door, arena, now);
	if (req.role == ROLE_RESPONDER)
		request_read_body(&req, door, app->config->body_limit);
	response_start(res, arena);
	res->without_body = text_is(req.method, "HEAD");
	if (!respond(app, &req, res, &path, &p)) {
		response_problem(res, &p, req.id);
		if (p.kind == PROBLEM_METHOD_NOT_ALLOWED)
			response_header(res, "Allow", text_of(path.methods));
	}
	/* An authorizer's headers end up at the page it guards: none of CORS belong there. */
	if (req.role == ROLE_RESPONDER)
		origin_add_headers(app->config, &req,
				   text_is(req.method, "OPTIONS") ? path.methods : NULL,
				   res);
	*out = response_print(res);
	took = metrics_clock() - started;
	count(&req, res, path.counted, &p, took);
	write_log_line(&req, res, &p, took);
}

void answer_after(const struct app *app, const struct response *res, int64_t now)
{
	struct problem p = { 0 };
	uint64_t removed;

	if (*res->touch_session)
		store_session_touch(app->store, res->touch_session, now, &p);
	if (res->purge)
		store_session_purge(app->store, now, PURGE_ROWS, &removed, &p);
}
