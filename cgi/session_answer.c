#include "session_answer.h"

#include "cookie.h"
#include "json.h"
#include "session_request.h"

/* A JWT, and the refresh token that stands behind it; with sessions = no none does. */
static bool make_pair(const struct app *app, const struct store_user *user,
		      const struct request *req, struct session_answer *out,
		      struct problem *p)
{
	const struct store_session *row = &out->session->row;
	char refresh[MINT_REFRESH_SIZE];

	if (!mint_token(app->mint, user, row->id, req->now, req->arena, &out->token,
			&out->token_expires_at, p))
		return false;
	out->cookie = out->token;
	out->cookie_life_s = MINT_LIFE_S;
	if (app->config->session.stateless)
		return true;
	if (!mint_refresh(app->mint, row, row->generation, refresh, p))
		return false;
	out->refresh_token = arena_copy(req->arena, text_of(refresh));
	out->refresh_life_s = row->expires_at - req->now;
	return true;
}

bool session_answer_make(const struct app *app, const struct store_user *user,
			 const struct session *session, struct text provider_token,
			 const struct request *req, struct session_answer *out,
			 struct problem *p)
{
	struct session_answer a = { .session = session };

	switch (app->config->session.mode) {
	case CONFIG_SESSION_COOKIE:
		a.cookie = arena_copy(req->arena, text_of(session->token));
		a.cookie_life_s = session->row.expires_at - req->now;
		break;
	case CONFIG_SESSION_BEARER:
		a.token = arena_copy(req->arena, text_of(session->token));
		break;
	case CONFIG_SESSION_JWT:
		if (!make_pair(app, user, req, &a, p))
			return false;
		break;
	case CONFIG_SESSION_PROVIDER:
		a.cookie = provider_token;
		a.cookie_life_s = session->row.expires_at - req->now;
		break;
	case CONFIG_SESSION_NONE:
		break;
	}
	*out = a;
	return true;
}

static void add_cookie(const struct app *app, const char *name, struct text value,
		       int64_t life_s, struct response *res)
{
	response_header(res, "Set-Cookie",
			cookie_print(res->arena, app->config, name, value, life_s));
}

void session_answer_add_cookies(const struct app *app, const struct session_answer *a,
				struct response *res)
{
	if (a->cookie.len)
		add_cookie(app, app->config->session.cookie, a->cookie, a->cookie_life_s,
			   res);
	if (a->refresh_token.len)
		add_cookie(app, session_request_refresh_cookie(app, res->arena),
			   a->refresh_token, a->refresh_life_s, res);
}

void session_answer_add(const struct session_answer *a, struct response *res)
{
	struct buffer *b = &res->body;
	const struct store_session *row;

	if (!a->session) {
		json_add_null(b, "session");
		return;
	}
	row = &a->session->row;
	json_begin(b, "session", '{');
	if (row->id[0])
		json_add_string(b, "id", text_of(row->id));
	else
		json_add_null(b, "id");
	if (a->token.len)
		json_add_string(b, "token", a->token);
	if (a->token_expires_at)
		json_add_number(b, "token_expires_at", a->token_expires_at);
	if (a->refresh_token.len)
		json_add_string(b, "refresh_token", a->refresh_token);
	json_add_number(b, "created_at", row->created_at);
	json_add_number(b, "expires_at",
			row->id[0] ? row->expires_at : a->token_expires_at);
	json_end(b, '}');
}

void session_answer_clear(const struct app *app, struct response *res)
{
	const enum config_session_mode mode = app->config->session.mode;

	if (mode == CONFIG_SESSION_BEARER || mode == CONFIG_SESSION_NONE)
		return;
	add_cookie(app, app->config->session.cookie, AS_TEXT(""), 0, res);
	if (mode == CONFIG_SESSION_JWT)
		add_cookie(app, session_request_refresh_cookie(app, res->arena),
			   AS_TEXT(""), 0, res);
}
