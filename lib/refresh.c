#include "refresh.h"

#include "in_doubt.h"

/*
 * For this long after a refresh token was used, its second use gives the same successor:
 * the tabs of one browser refresh at once, and each must get in.
 */
#define GRACE_S 10

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

bool refresh_check(const struct app *app, uint64_t generation, int64_t now,
		   const struct session *session, const struct store_user *user,
		   struct problem *p)
{
	const struct store_session *row = &session->row;

	if (generation == row->generation)
		return true;
	/* In doubt until the successor is used: then this one is two generations old. */
	if (generation + 1 == row->generation &&
	    (now - row->rotated_at <= GRACE_S ||
	     in_doubt_find(app->config->state_dir, row->id, generation)))
		return true;
	return end_family(app, user, session, p);
}

/*
 * Another tab was faster, or we ourselves, in an attempt that got no answer; or somebody logged
 * out. Until that has been read whoever has the token must be able to come again with it.
 */
static bool look_again(const struct app *app, uint64_t generation, int64_t now,
		       struct session *session, struct store_user *user,
		       struct problem *p)
{
	if (session_find_by_id(app->store, &app->config->session, session->row.id, now,
			       session, user, p))
		return refresh_check(app, generation, now, session, user, p);
	if (p->kind == PROBLEM_DATABASE_AWAY)
		in_doubt_note(app->config->state_dir, session->row.id, generation);
	return false;
}

bool refresh_spend(const struct app *app, uint64_t generation, int64_t now,
		   struct session *session, struct store_user *user, struct problem *p)
{
	if (generation != session->row.generation)
		return true;
	switch (store_session_rotate(app->store, session->row.id, generation, now, p)) {
	case STORE_OK:
		return true;
	case STORE_NOT_FOUND:
		return look_again(app, generation, now, session, user, p);
	default:
		/* Noted only where it may have been done: elsewhere it would help a thief. */
		if (p->may_be_done)
			in_doubt_note(app->config->state_dir, session->row.id,
				      generation);
		return false;
	}
}
