#include "body.h"
#include "json.h"
#include "mint.h"
#include "route.h"
#include "session_answer.h"
#include "session_request.h"

/*
 * For this long after a refresh token was used, its second use gives the same successor:
 * the tabs of one browser refresh at once, and each must get in.
 */
#define GRACE_S 10

/* Somebody has a refresh token that was spent long ago: the whole family ends. */
static bool end_family(const struct app *app, const struct store_user *user,
		       const struct session *session, struct problem *p)
{
	uint64_t ended;

	if (store_session_end(app->store, user->id, session->row.id, false, &ended, p) !=
	    STORE_OK)
		return false;
	return problem(p, NO_SESSION, "user %s: a spent refresh token came again", user->id);
}

/* Takes the session on to the successor of GENERATION, which several may do at once. */
static bool rotate(const struct app *app, const struct request *req, uint64_t generation,
		   struct session *session, struct store_user *user, struct problem *p)
{
	const struct config_session *config = &app->config->session;

	if (generation == session->row.generation) {
		switch (store_session_rotate(app->store, session->row.id, generation, req->now,
					     p)) {
		case STORE_OK:
			session->row.generation++;
			return true;
		case STORE_NOT_FOUND: /* another tab was faster, or somebody logged out */
			if (!session_find_by_id(app->store, config, session->row.id, req->now,
						session, user, p))
				return false;
			break;
		default:
			return false;
		}
	}
	if (generation + 1 == session->row.generation &&
	    req->now - session->row.rotated_at <= GRACE_S)
		return true;
	return end_family(app, user, session, p);
}

bool handle_refresh(const struct app *app, const struct request *req, struct response *res,
		    struct problem *p)
{
	const struct json *body;
	struct session session;
	struct session_answer answer;
	struct store_user user;
	uint64_t generation;

	if (!app->mint)
		return problem(p, NOT_FOUND, "session mode is not jwt");
	if (!body_parse(req, app->config->body_limit, true, &body, p) ||
	    !session_request_refresh(app, req, body, &session, &user, &generation, p) ||
	    !rotate(app, req, generation, &session, &user, p) ||
	    !session_answer_make(app, &user, &session, AS_TEXT(""), req, &answer, p))
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
