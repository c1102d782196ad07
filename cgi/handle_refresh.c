#include "body.h"
#include "json.h"
#include "mint.h"
#include "refresh.h"
#include "route.h"
#include "session_answer.h"
#include "session_request.h"

/*
 * The pair is made before the old token is spent: with signing keys that cannot be read the
 * answer is 500 and nothing has happened.
 */
static bool take_on(const struct app *app, const struct request *req, uint64_t generation,
		    struct session *session, struct store_user *user,
		    struct session_answer *answer, struct problem *p)
{
	struct session *next = arena_alloc(req->arena, sizeof(*next));

	*next = *session;
	next->row.generation = generation + 1;
	return refresh_check(app, generation, req->now, session, user, p) &&
	       session_answer_make(app, user, next, AS_TEXT(""), req, answer, p) &&
	       refresh_spend(app, generation, req->now, session, user, p);
}

bool handle_refresh(const struct app *app, const struct request *req,
		    struct response *res, struct problem *p)
{
	const struct json *body;
	struct session session;
	struct session_answer answer;
	struct store_user user;
	uint64_t generation;

	if (!app->mint || app->config->session.stateless)
		return problem(p, NOT_FOUND, "no refresh tokens in this session mode");
	if (!body_parse(req, app->config->body_limit, true, &body, p) ||
	    !session_request_refresh(app, req, body, &session, &user, &generation, p) ||
	    !take_on(app, req, generation, &session, &user, &answer, p))
		return false;
	res->user_id = arena_copy(req->arena, text_of(user.id)).data;
	session_answer_add_cookies(app, &answer, res);
	json_begin(&res->body, NULL, '{');
	response_add_user(res, &user);
	session_answer_add(&answer, res);
	json_end(&res->body, '}');
	return true;
}

bool handle_jwks(const struct app *app, const struct request *req, struct response *res,
		 struct problem *p)
{
	struct text keys;

	if (!app->mint)
		return problem(p, NOT_FOUND, "session mode is not jwt");
	if (!mint_jwks(app->mint, req->arena, &keys, p))
		return false;
	buffer_add(&res->body, keys);
	return true;
}
