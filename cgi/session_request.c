#include "session_request.h"

#include <stdio.h>

#include "cookie.h"

struct text session_request_token(const struct config *config, const struct request *req)
{
	struct text token;

	if (config->session.mode == CONFIG_SESSION_BEARER)
		return request_bearer(req);
	return cookie_find(req, config->session.cookie, &token) ? token : AS_TEXT("");
}

bool session_request_find(const struct app *app, const struct request *req,
			  struct response *res, struct session *session,
			  struct store_user *user, struct problem *p)
{
	const struct text token = session_request_token(app->config, req);

	if (!token.len)
		return problem(p, NO_SESSION, "none came with the request");
	if (!session_find(app->store, &app->config->session, token, req->now, session, user, p))
		return false;
	res->user_id = arena_copy(req->arena, text_of(user->id)).data;
	if (session_touch_is_due(&app->config->session, session, req->now))
		snprintf(res->touch_session, sizeof(res->touch_session), "%s",
			 session->row.id);
	return true;
}
