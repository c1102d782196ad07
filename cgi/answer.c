#include "answer.h"

#include <stdio.h>
#include <time.h>

#include "log.h"
#include "origin.h"
#include "route.h"

/* Expired rows go in batches small enough to be in nobody's way. */
#define PURGE_ROWS 100

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What was asked for; an authorizer is asked about pages that are not ours. */
static struct text logged_path(const struct request *req)
{
	struct text query;

	return req->role == ROLE_AUTHORIZER ? text_before(req->uri, '?', &query) : req->path;
}

static void write_log_line(const struct request *req, const struct response *res,
			   const struct problem *p, double started)
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
		.milliseconds = milliseconds() - started,
	});
}

/* From the request to a filled response, or to a problem. */
static bool respond(const struct app *app, const struct request *req, struct response *res,
		    const char **methods, struct problem *p)
{
	const struct route *route = route_find(req, methods, p);

	if (!route) {
		if (!*methods || !text_is(req->method, "OPTIONS"))
			return false;
		problem_clear(p);
		res->status = 204; /* a preflight; its headers follow for all answers */
		res->bodiless = true;
		return true;
	}
	return (!route->changes || origin_check(app->config, req, p)) &&
	       route->handle(app, req, res, p);
}

void answer(const struct app *app, struct arena *arena, int64_t now, const struct door *door,
	    struct response *res, struct text *out)
{
	const double started = milliseconds();
	const char *methods = NULL;
	struct problem p = { 0 };
	struct request req;

	request_read(&req, door, arena, now);
	if (req.role == ROLE_RESPONDER)
		request_read_body(&req, door, app->config->body_limit);
	response_start(res, arena);
	res->without_body = text_is(req.method, "HEAD");
	if (!respond(app, &req, res, &methods, &p)) {
		response_problem(res, &p, req.id);
		if (p.kind == PROBLEM_METHOD_NOT_ALLOWED)
			response_header(res, "Allow", text_of(methods));
	}
	/* An authorizer's headers end up at the page it guards: none of CORS belong there. */
	if (req.role == ROLE_RESPONDER)
		origin_add_headers(app->config, &req,
				   text_is(req.method, "OPTIONS") ? methods : NULL, res);
	*out = response_print(res);
	write_log_line(&req, res, &p, started);
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
