#include "session_request.h"

#include <stdio.h>

#include "cookie.h"

static struct access_credentials read_credentials(const struct app *app,
						  const struct request *req)
{
	struct access_credentials c = { .bearer = request_bearer(req) };

	if (app->config->session.mode != CONFIG_SESSION_BEARER &&
	    !cookie_find(req, app->config->session.cookie, &c.cookie))
		c.cookie = AS_TEXT("");
	return c;
}

bool session_request_access(const struct app *app, const struct request *req,
			    struct response *res, struct access *out, struct problem *p)
{
	const struct access_credentials credentials = read_credentials(app, req);
	const struct config_session *config = &app->config->session;

	if (!access_find(app, &credentials, req->now, req->arena, out, p))
		return false;
	res->user_id = arena_copy(req->arena, text_of(out->user.id)).data;
	if (out->has_session && session_touch_is_due(config, &out->session, req->now))
		snprintf(res->touch_session, sizeof(res->touch_session), "%s",
			 out->session.row.id);
	return true;
}

bool session_request_find(const struct app *app, const struct request *req,
			  struct response *res, struct session *session,
			  struct store_user *user, struct problem *p)
{
	struct access access;

	if (!session_request_access(app, req, res, &access, p))
		return false;
	if (!access.has_session)
		return problem(p, NO_SESSION, "a good token, but no session");
	*session = access.session;
	*user = access.user;
	return true;
}

const unsigned char *session_request_old(const struct app *app, const struct request *req,
					 unsigned char hash[SHA256_BYTES])
{
	const struct access_credentials c = read_credentials(app, req);
	const struct text token = c.cookie.len ? c.cookie : c.bearer;
	struct problem ignored = { 0 };
	struct access access;

	switch (app->config->session.mode) {
	case CONFIG_SESSION_COOKIE:
	case CONFIG_SESSION_BEARER:
		if (!secret_is_token(token))
			return NULL;
		secret_sha256(token, hash);
		return hash;
	case CONFIG_SESSION_PROVIDER:
		if (!token_looks_like_jwt(token))
			return NULL;
		token_hash(token, hash);
		return hash;
	case CONFIG_SESSION_JWT:
		/* Only our own check can say which session a token names. */
		if (!token.len || !access_find(app, &c, req->now, req->arena, &access, &ignored) ||
		    !access.has_session)
			return NULL;
		memcpy(hash, access.session.row.hash, SHA256_BYTES);
		return hash;
	case CONFIG_SESSION_NONE:
		break;
	}
	return NULL;
}

const char *session_request_refresh_cookie(const struct app *app, struct arena *arena)
{
	return arena_printf(arena, "%s-refresh", app->config->session.cookie).data;
}
