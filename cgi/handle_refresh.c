#include "body.h"
#include "in_doubt.h"
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
	return problem(p, NO_SESSION, "user %s: a spent refresh token came again",
		       user->id);
}

/*
 * The token of GENERATION is the one of now, or the one before it that may still come: within
 * the grace, or after a refresh of which the database never said whether it was done. That
 * lasts until the successor is used: then this one is two generations old.
 */
static bool check_spent(const struct app *app, const struct request *req,
			uint64_t generation, const struct session *session,
			const struct store_user *user, struct problem *p)
{
	const struct store_session *row = &session->row;

	if (generation == row->generation)
		return true;
	if (generation + 1 == row->generation &&
	    (req->now - row->rotated_at <= GRACE_S ||
	     in_doubt_find(app->config->state_dir, row->id, generation)))
		return true;
	return end_family(app, user, session, p);
}

/* Takes the session on to the successor of GENERATION, which several may do at once. */
static bool rotate(const struct app *app, const struct request *req, uint64_t generation,
		   struct session *session, struct store_user *user, struct problem *p)
{
	if (generation != session->row.generation)
		return true;
	switch (store_session_rotate(app->store, session->row.id, generation, req->now,
				     p)) {
	case STORE_OK:
		return true;
	case STORE_NOT_FOUND: /* another tab was faster, or somebody logged out */
		return session_find_by_id(app->store, &app->config->session,
					  session->row.id, req->now, session, user, p) &&
		       check_spent(app, req, generation, session, user, p);
	default:
		in_doubt_note(app->config->state_dir, session->row.id, generation);
		return false;
	}
}

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
	return check_spent(app, req, generation, session, user, p) &&
	       session_answer_make(app, user, next, AS_TEXT(""), req, answer, p) &&
	       rotate(app, req, generation, session, user, p);
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
