#include "body.h"
#include "cookie.h"
#include "login.h"
#include "route.h"
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

static bool respond(const struct config *config, const struct identity *identity,
		    const struct login *login, struct response *res)
{
	const char *token = login->session.token;
	struct buffer *b = &res->body;

	if (config->session.mode == CONFIG_SESSION_COOKIE)
		response_header(res, "Set-Cookie",
				cookie_print(res->arena, config, text_of(token),
					     config->session.lifetime_s));
	res->provider = identity->provider->config->name;
	res->user_id = arena_copy(res->arena, text_of(login->user.id)).data;
	if (config->login_response_claims) {
		buffer_add(b, identity->claims);
		return true;
	}
	json_begin(b, NULL, '{');
	json_add_boolean(b, "created", login->created);
	response_add_user(res, &login->user);
	if (login->has_session)
		response_add_session(res, "session", &login->session.row,
				     config->session.mode == CONFIG_SESSION_BEARER ? token
										   : NULL);
	else
		json_add_null(b, "session");
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
	struct login_request request = {
		.config = app->config,
		.identity = &identity,
		.client = { req->address, req->user_agent },
		.old_token = session_request_token(app->config, req),
		.now = req->now,
	};

	res->purge = is_time_to_purge();
	return body_parse(req, app->config->body_limit, false, &body, p) &&
	       find_token(app->config, body, &token, p) &&
	       token_verify(&app->rules, token, req->now, req->arena, NULL, &identity, p) &&
	       login_record(app->store, &request, &login, p) &&
	       respond(app->config, &identity, &login, res);
}
