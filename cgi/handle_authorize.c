#include "json.h"
#include "return_to.h"
#include "route.h"
#include "session_request.h"

/* The variables and headers that tell an application who is there. */
static void add_identity(const struct access *access, const char *const names[3],
			 struct response *res)
{
	response_header(res, names[0], text_of(access->user.id));
	response_header(res, names[1], text_of(access->user.email));
	response_header(res, names[2],
			text_of(access->has_session ? access->session.row.id : ""));
}

/* A browser that was sent to a page, and not a program or a script. */
static bool is_navigation(const struct request *req)
{
	if (!text_is(req->method, "GET") && !text_is(req->method, "HEAD"))
		return false;
	if (req->fetch_mode.len)
		return text_equal_nocase(req->fetch_mode, AS_TEXT("navigate"));
	return req->accept.len &&
	       memmem(req->accept.data, req->accept.len, "text/html", 9) != NULL;
}

/* A browser that is not signed in is sent there; empty for whoever else, or for another no. */
static struct text find_sign_in(const struct app *app, const struct request *req,
				const struct problem *p)
{
	const char *page = app->config->login_page;
	struct buffer b = buffer_new(req->arena, 256);

	if (p->kind != PROBLEM_NO_SESSION || !page || !is_navigation(req))
		return AS_TEXT("");
	buffer_add(&b, text_of(page));
	buffer_add_char(&b, strchr(page, '?') ? '&' : '?');
	buffer_add(&b, AS_TEXT("return_to="));
	return_to_add_escaped(&b, return_to_safe(req->uri));
	return buffer_text(&b);
}

/*
 * ---- GET /authorize, for nginx auth_request: 204 or 401. That takes no redirect, so where a
 * browser is to be sent is in a header of the 401, for nginx to do it.
 */

bool handle_authorize(const struct app *app, const struct request *req,
		      struct response *res, struct problem *p)
{
	static const char *const names[] = { "X-Pintle-User-Id", "X-Pintle-Email",
					     "X-Pintle-Session-Id" };
	struct access access;
	struct text sign_in;

	if (!session_request_access(app, req, res, &access, p)) {
		sign_in = find_sign_in(app, req, p);
		response_problem(res, p, req->id);
		if (sign_in.len)
			response_header(res, "X-Pintle-Sign-In", sign_in);
		return true;
	}
	add_identity(&access, names, res);
	res->status = 204;
	res->bodiless = true;
	return true;
}

/* ---- FastCGI authorizer, for Apache and lighttpd */

static void redirect(struct text where, struct response *res)
{
	res->status = 302;
	response_header(res, "Location", where);
	json_begin(&res->body, NULL, '{');
	json_add_string(&res->body, "error", AS_TEXT("no_session"));
	json_end(&res->body, '}');
}

bool handle_authorizer(const struct app *app, const struct request *req,
		       struct response *res, struct problem *p)
{
	static const char *const names[] = { "Variable-PINTLE_USER_ID",
					     "Variable-PINTLE_EMAIL",
					     "Variable-PINTLE_SESSION_ID" };
	struct access access;
	struct text sign_in;

	if (session_request_access(app, req, res, &access, p)) {
		add_identity(&access, names, res);
		res->bodiless = true;
		return true;
	}
	sign_in = find_sign_in(app, req, p);
	if (!sign_in.len)
		return false;
	problem_clear(p);
	redirect(sign_in, res);
	return true;
}
