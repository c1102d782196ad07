#include "json.h"
#include "route.h"
#include "session_request.h"

static void add_facts(struct buffer *b, const struct store_session *s)
{
	if (s->id[0])
		json_add_string(b, "id", text_of(s->id));
	else /* sessions = no: a token by itself */
		json_add_null(b, "id");
	json_add_number(b, "created_at", s->created_at);
	json_add_number(b, "last_seen_at", s->last_seen_at);
	json_add_number(b, "expires_at", s->expires_at);
}

bool handle_session(const struct app *app, const struct request *req,
		    struct response *res, struct problem *p)
{
	struct session session;
	struct store_user user;

	if (!session_request_find(app, req, res, &session, &user, p))
		return false;
	json_begin(&res->body, NULL, '{');
	response_add_user(res, &user);
	json_begin(&res->body, "session", '{');
	add_facts(&res->body, &session.row);
	json_end(&res->body, '}');
	json_end(&res->body, '}');
	return true;
}

struct list {
	struct buffer *body;
	const char *current;
};

static void add_session(void *context, const struct store_session *s)
{
	const struct list *list = context;
	struct buffer *b = list->body;

	json_begin(b, NULL, '{');
	add_facts(b, s);
	json_add_boolean(b, "current", strcmp(s->id, list->current) == 0);
	json_add_string(b, "address", text_of(s->address));
	json_add_string(b, "user_agent", text_of(s->user_agent));
	json_end(b, '}');
}

bool handle_sessions(const struct app *app, const struct request *req,
		     struct response *res, struct problem *p)
{
	struct session session;
	struct store_user user;
	struct list list = { &res->body, NULL };

	if (!session_request_find(app, req, res, &session, &user, p))
		return false;
	list.current = session.row.id;
	json_begin(&res->body, NULL, '{');
	json_begin(&res->body, "sessions", '[');
	if (!app->config->session.stateless &&
	    store_session_each(app->store, user.id, req->now, add_session, &list, p) !=
		    STORE_OK)
		return false;
	json_end(&res->body, ']');
	json_end(&res->body, '}');
	return true;
}

/*
 * Is ID a session of the user? To be asked before it is ended: when the database's answer to
 * that is lost and it is done again, there is nothing left that could be counted.
 */
static bool check_own(const struct app *app, const char *id,
		      const struct store_user *user, struct problem *p)
{
	struct store_session row;
	struct store_user owner;

	switch (store_session_by_id(app->store, id, &row, &owner, p)) {
	case STORE_OK:
		return strcmp(owner.id, user->id) == 0 ||
		       problem(p, NOT_FOUND, "no session of user %s", user->id);
	case STORE_NOT_FOUND:
		return problem(p, NOT_FOUND, "no such session");
	default:
		return false;
	}
}

bool handle_session_end(const struct app *app, const struct request *req,
			struct response *res, struct problem *p)
{
	const struct text segment = route_segment(req);
	struct session session;
	struct store_user user;
	const char *id;
	uint64_t ended;
	int64_t number;

	if (!session_request_find(app, req, res, &session, &user, p))
		return false;
	if (app->config->session.stateless || !text_to_number(segment, &number) ||
	    segment.data[0] == '0')
		return problem(p, NOT_FOUND, "no such session");
	id = arena_printf(req->arena, "%lld", (long long)number).data;
	if (!check_own(app, id, &user, p) ||
	    store_session_end(app->store, user.id, id, false, &ended, p) != STORE_OK)
		return false;
	*res->touch_session = '\0';
	json_begin(&res->body, NULL, '{');
	json_add_number(&res->body, "ended", 1);
	json_end(&res->body, '}');
	return true;
}
