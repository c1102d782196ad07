#include "json.h"
#include "login.h"
#include "login_body.h"
#include "route.h"
#include "session_answer.h"
#include "session_request.h"

static void redirect(const struct login_body *body, struct response *res)
{
	res->status = 303;
	response_header(res, "Location", body->return_to);
}

/*
 * One login in 64 also removes expired sessions, and more of them (PURGE_ROWS of answer.c) than
 * can have begun in between. Request ids are random already, two hexadecimal digits a byte.
 */
static bool is_time_to_purge(const struct request *req)
{
	return req->id[0] == '7' && req->id[1] < '4';
}

static bool respond(const struct app *app, const struct request *req,
		    const struct login_body *body, const struct identity *identity,
		    const struct login *login, struct response *res, struct problem *p)
{
	struct buffer *b = &res->body;
	struct session_answer answer;

	if (!session_answer_make(app, &login->user,
				 login->has_session ? &login->session : NULL, body->token,
				 req, &answer, p))
		return false;
	session_answer_add_cookies(app, &answer, res);
	/* Not for a token that was refused: whoever sends it gets no work out of the database. */
	res->purge = is_time_to_purge(req);
	res->provider = identity->provider->config->name;
	res->created = login->created;
	res->user_id = arena_copy(res->arena, text_of(login->user.id)).data;
	if (body->is_form)
		redirect(body, res);
	if (app->config->login_response_claims) {
		buffer_add(b, identity->claims);
		return true;
	}
	json_begin(b, NULL, '{');
	json_add_boolean(b, "created", login->created);
	response_add_user(res, &login->user);
	session_answer_add(&answer, res);
	json_add_raw(b, "claims", identity->claims);
	json_end(b, '}');
	return true;
}

/* Looks for the session that came along only now: a refused token asks nothing of the store. */
static bool record(const struct app *app, const struct request *req,
		   const struct identity *identity, struct login *login,
		   struct problem *p)
{
	unsigned char old_hash[SHA256_BYTES];
	struct login_request request = {
		.config = app->config,
		.identity = identity,
		.client = { req->address, req->user_agent },
		.now = req->now,
	};

	return session_request_old(app, req, old_hash, &request.old_hash, p) &&
	       login_record(app->store, &request, login, p);
}

bool handle_login(const struct app *app, const struct request *req, struct response *res,
		  struct problem *p)
{
	struct login_body body;
	struct identity identity;
	struct login login;

	return rate_allow(app->rate, req->address, req->now, p) &&
	       login_body_parse(app, req, &body, p) &&
	       token_verify(&app->rules, body.token, req->now, req->arena, NULL,
			    &identity, p) &&
	       login_body_check_form(app, req, &body, &identity, p) &&
	       /* Or there would be a session that nobody has, in the place of the old one. */
	       (!app->mint || mint_check(app->mint, p)) &&
	       record(app, req, &identity, &login, p) &&
	       respond(app, req, &body, &identity, &login, res, p);
}
