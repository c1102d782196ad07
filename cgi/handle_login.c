#include "body.h"
#include "login.h"
#include "route.h"
#include "session_answer.h"
#include "session_request.h"

/* One login in so many also removes expired sessions: more than one can expire in between. */
#define PURGE_EVERY 16

/* The first of token_places that is there decides: it holds a token, or the body is bad. */
static bool find_token(const struct config *config, const struct json *body,
		       struct text *token, struct problem *p)
{
	for (size_t i = 0; i < config->token_places.count; i++) {
		const char *place = config->token_places.items[i];
		const struct json *value;

		if (!json_find(body, place, &value))
			continue;
		return json_string(value, token) ||
		       problem(p, NO_TOKEN, "%s is no string", place);
	}
	return problem(p, NO_TOKEN, "at none of the token_places");
}

static bool respond(const struct app *app, const struct request *req,
		    const struct text token, const struct identity *identity,
		    const struct login *login, struct response *res, struct problem *p)
{
	struct buffer *b = &res->body;
	struct session_answer answer;

	if (!session_answer_make(app, &login->user, login->has_session ? &login->session : NULL,
				 token, req, &answer, p))
		return false;
	session_answer_add_cookies(app, &answer, res);
	res->provider = identity->provider->config->name;
	res->user_id = arena_copy(res->arena, text_of(login->user.id)).data;
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

static bool is_time_to_purge(void)
{
	unsigned char random;

	secret_random(&random, 1);
	return random % PURGE_EVERY == 0;
}

bool handle_login(const struct app *app, const struct request *req, struct response *res,
		  struct problem *p)
{
	const struct json *body;
	struct text token;
	struct identity identity;
	struct login login;
	unsigned char old_hash[SHA256_BYTES];
	struct login_request request = {
		.config = app->config,
		.identity = &identity,
		.client = { req->address, req->user_agent },
		.old_hash = session_request_old(app, req, old_hash),
		.now = req->now,
	};

	res->purge = is_time_to_purge();
	return body_parse(req, app->config->body_limit, false, &body, p) &&
	       find_token(app->config, body, &token, p) &&
	       token_verify(&app->rules, token, req->now, req->arena, NULL, &identity, p) &&
	       login_record(app->store, &request, &login, p) &&
	       respond(app, req, token, &identity, &login, res, p);
}
