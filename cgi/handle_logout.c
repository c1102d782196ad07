#include "body.h"
#include "route.h"
#include "session_answer.h"
#include "session_request.h"

enum scope { SCOPE_THIS, SCOPE_OTHERS, SCOPE_ALL };

static bool read_scope(const struct json *body, enum scope *out, struct problem *p)
{
	static const char *const names[] = { "this", "others", "all" };
	const struct json *value;
	struct text name;

	*out = SCOPE_THIS;
	if (!body || !json_member(body, "scope", &value))
		return true;
	if (json_string(value, &name))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (text_is(name, names[i])) {
				*out = (enum scope)i;
				return true;
			}
	return problem(p, BAD_MEMBER, "scope is not this, others or all");
}

/* How many sessions of the user were ended. After this no request succeeds with them. */
static bool end_sessions(const struct app *app, const struct request *req,
			 const struct json *body, struct response *res, enum scope scope,
			 uint64_t *ended, struct problem *p)
{
	struct session session;
	struct store_user user;

	if (!session_request_find_to_end(app, req, body, res, &session, &user, p))
		return false;
	*res->touch_session = '\0';
	return store_session_end(app->store, user.id,
				 scope == SCOPE_ALL ? NULL : session.row.id,
				 scope == SCOPE_OTHERS, ended, p) == STORE_OK;
}

bool handle_logout(const struct app *app, const struct request *req, struct response *res,
		   struct problem *p)
{
	const struct json *body;
	enum scope scope;
	uint64_t ended = 0;

	if (!body_parse(req, app->config->body_limit, true, &body, p) ||
	    !read_scope(body, &scope, p))
		return false;
	/* A token by itself can be forgotten by this browser, and by nobody else. */
	if (app->config->session.stateless && scope != SCOPE_THIS)
		return problem(p, BAD_MEMBER,
			       "scope: with sessions = no none can be ended");
	if (!app->config->session.stateless &&
	    !end_sessions(app, req, body, res, scope, &ended, p)) {
		/* Logging out twice is no error: this session is known to be gone. */
		if (p->kind != PROBLEM_NO_SESSION || scope != SCOPE_THIS)
			return false;
		problem_clear(p);
	}
	if (scope != SCOPE_OTHERS)
		session_answer_clear(app, res);
	json_begin(&res->body, NULL, '{');
	json_add_number(&res->body, "ended", (int64_t)ended);
	json_end(&res->body, '}');
	return true;
}
