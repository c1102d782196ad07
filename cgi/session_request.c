#include "session_request.h"

#include <stdio.h>

#include "cookie.h"
#include "mint.h"

static struct access_credentials read_credentials(const struct app *app,
						  const struct request *req)
{
	struct access_credentials c = { .bearer = request_bearer(req) };

	if (app->config->session.mode != CONFIG_SESSION_BEARER &&
	    !cookie_find(req, app->config->session.cookie, &c.cookie))
		c.cookie = AS_TEXT("");
	return c;
}

static bool find_access(const struct app *app, const struct request *req, bool at_gate,
			struct response *res, struct access *out, struct problem *p)
{
	struct access_credentials credentials = read_credentials(app, req);
	const struct config_session *config = &app->config->session;

	credentials.at_gate = at_gate;
	if (!access_find(app, &credentials, req->now, req->arena, out, p))
		return false;
	res->user_id = arena_copy(req->arena, text_of(out->user.id)).data;
	if (out->has_session && out->session.row.id[0] &&
	    session_touch_is_due(config, &out->session, req->now))
		snprintf(res->touch_session, sizeof(res->touch_session), "%s",
			 out->session.row.id);
	return true;
}

bool session_request_access(const struct app *app, const struct request *req,
			    struct response *res, struct access *out, struct problem *p)
{
	return find_access(app, req, true, res, out, p);
}

bool session_request_find(const struct app *app, const struct request *req,
			  struct response *res, struct session *session,
			  struct store_user *user, struct problem *p)
{
	struct access access;

	if (!find_access(app, req, false, res, &access, p))
		return false;
	if (!access.has_session)
		return problem(p, NO_SESSION, "a good token, but no session");
	*session = access.session;
	*user = access.user;
	return true;
}

/* From the body's "refresh_token" or, for a browser, from the cookie. */
static bool find_refresh_token(const struct app *app, const struct request *req,
			       const struct json *body, struct text *out,
			       struct problem *p)
{
	const struct json *value;

	if (body && json_member(body, "refresh_token", &value))
		return json_string(value, out) ||
		       problem(p, BAD_MEMBER, "refresh_token is no string");
	return cookie_find(req, session_request_refresh_cookie(app, req->arena), out) ||
	       problem(p, NO_SESSION, "no refresh token");
}

/* Is TOKEN what we made for this session at GENERATION? */
static bool is_ours(const struct app *app, const struct session *session,
		    uint64_t generation, struct text token, struct problem *p)
{
	char expected[MINT_REFRESH_SIZE];

	if (!mint_refresh(app->mint, &session->row, generation, expected, p))
		return false;
	if (token.len == strlen(expected) &&
	    secret_equal((const unsigned char *)token.data,
			 (const unsigned char *)expected, token.len))
		return true;
	return problem(p, NO_SESSION, "not a refresh token of ours");
}

bool session_request_refresh(const struct app *app, const struct request *req,
			     const struct json *body, struct session *session,
			     struct store_user *user, uint64_t *generation,
			     struct problem *p)
{
	char session_id[STORE_ID_SIZE];
	struct text token;

	if (!find_refresh_token(app, req, body, &token, p))
		return false;
	if (!mint_refresh_parse(token, session_id, generation))
		return problem(p, NO_SESSION, "not of a refresh token's shape");
	return session_find_by_id(app->store, &app->config->session, session_id, req->now,
				  session, user, p) &&
	       is_ours(app, session, *generation, token, p);
}

bool session_request_find_to_end(const struct app *app, const struct request *req,
				 const struct json *body, struct response *res,
				 struct session *session, struct store_user *user,
				 struct problem *p)
{
	uint64_t generation;

	if (session_request_find(app, req, res, session, user, p))
		return true;
	if (!app->mint || p->kind != PROBLEM_NO_SESSION)
		return false;
	problem_clear(p);
	return session_request_refresh(app, req, body, session, user, &generation, p);
}

/* In mode "jwt" only our own check can say which session a token names. */
static bool old_by_own_token(const struct app *app, const struct request *req,
			     unsigned char hash[SHA256_BYTES], const unsigned char **out,
			     struct problem *p)
{
	struct problem why = { 0 };
	struct response unused = { .arena = req->arena };
	struct store_user user;
	struct session session;

	if (session_request_find_to_end(app, req, NULL, &unused, &session, &user, &why)) {
		memcpy(hash, session.row.hash, SHA256_BYTES);
		*out = hash;
	} else if (why.kind == PROBLEM_DATABASE_AWAY) {
		/* Not known is not absent: the login would leave behind what it replaces. */
		*p = why;
		return false;
	}
	return true;
}

/*
 * Only with its signature does a provider's token stand for its session: the rest of it may be
 * known to others, and a login of theirs must not end what is not theirs.
 */
static const unsigned char *old_by_provider_token(const struct app *app,
						  const struct request *req,
						  struct text token,
						  unsigned char hash[SHA256_BYTES])
{
	struct problem ignored = { 0 };
	struct identity identity;

	if (!token_looks_like_jwt(token) ||
	    !token_verify(&app->rules, token, req->now, req->arena, NULL, &identity,
			  &ignored))
		return NULL;
	token_identity_hash(&identity, hash);
	return hash;
}

bool session_request_old(const struct app *app, const struct request *req,
			 unsigned char hash[SHA256_BYTES], const unsigned char **out,
			 struct problem *p)
{
	const struct access_credentials c = read_credentials(app, req);
	const struct text token = c.cookie.len ? c.cookie : c.bearer;

	*out = NULL;
	switch (app->config->session.mode) {
	case CONFIG_SESSION_COOKIE:
	case CONFIG_SESSION_BEARER:
		if (!secret_is_token(token))
			break;
		secret_sha256(token, hash);
		*out = hash;
		break;
	case CONFIG_SESSION_PROVIDER:
		*out = old_by_provider_token(app, req, token, hash);
		break;
	case CONFIG_SESSION_JWT:
		return app->config->session.stateless ||
		       old_by_own_token(app, req, hash, out, p);
	case CONFIG_SESSION_NONE:
		break;
	}
	return true;
}

const char *session_request_refresh_cookie(const struct app *app, struct arena *arena)
{
	return arena_printf(arena, "%s-refresh", app->config->session.cookie).data;
}
