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

/* ---- GET /authorize, for nginx auth_request: 204 or 401 */

bool handle_authorize(const struct app *app, const struct request *req, struct response *res,
		      struct problem *p)
{
	static const char *const names[] = { "X-Pintle-User-Id", "X-Pintle-Email",
					     "X-Pintle-Session-Id" };
	struct access access;

	if (!session_request_access(app, req, res, &access, p))
		return false;
	add_identity(&access, names, res);
	res->status = 204;
	res->bodiless = true;
	return true;
}

/* ---- FastCGI authorizer, for Apache and lighttpd */

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

static void send_to_login(const char *login_page, const struct request *req,
			  struct response *res)
{
	struct buffer location = buffer_new(req->arena, 256);

	buffer_add(&location, text_of(login_page));
	buffer_add_char(&location, strchr(login_page, '?') ? '&' : '?');
	buffer_add(&location, AS_TEXT("return_to="));
	return_to_add_escaped(&location, return_to_safe(req->uri));
	res->status = 302;
	response_header(res, "Location", buffer_text(&location));
	json_begin(&res->body, NULL, '{');
	json_add_string(&res->body, "error", AS_TEXT("no_session"));
	json_end(&res->body, '}');
}

bool handle_authorizer(const struct app *app, const struct request *req, struct response *res,
		       struct problem *p)
{
	static const char *const names[] = { "Variable-PINTLE_USER_ID", "Variable-PINTLE_EMAIL",
					     "Variable-PINTLE_SESSION_ID" };
	struct access access;

	if (session_request_access(app, req, res, &access, p)) {
		add_identity(&access, names, res);
		res->bodiless = true;
		return true;
	}
	if (p->kind != PROBLEM_NO_SESSION || !app->config->login_page || !is_navigation(req))
		return false;
	problem_clear(p);
	send_to_login(app->config->login_page, req, res);
	return true;
}
