#include "fakes/fake_store.h"
#include "fixture.h"
#include "fuzz.h"
#include "json.h"
#include "story.h"

#define REFRESH_GRACE_S 10
#define COOKIE "__Host-session"

/* With the faults set up before, which end with it. */
static struct reply ask(struct story *s, const struct step *step, struct effect *e,
			enum role role, const char *request, struct text body)
{
	char *variables[8] = { 0 }, **next = variables;
	struct arena *a = s->arena;
	struct text path;
	const struct text method = text_before(text_of(request), ' ', &path);
	struct reply r;

#define ADD(...) *next++ = (char *)(uintptr_t)arena_printf(a, __VA_ARGS__).data
	ADD("REQUEST_METHOD=%.*s", TEXT_ARG(method));
	ADD("PATH_INFO=%.*s", TEXT_ARG(path));
	ADD("REMOTE_ADDR=192.0.2.7");
	if (step->cookie)
		ADD("HTTP_COOKIE=" COOKIE "=%.*s", TEXT_ARG(step->cookie->text));
	if (step->refresh)
		ADD("HTTP_COOKIE=" COOKIE "-refresh=%.*s", TEXT_ARG(step->refresh->text));
	if (step->bearer)
		ADD("HTTP_AUTHORIZATION=Bearer %.*s", TEXT_ARG(step->bearer->text));
	if (body.len)
		ADD("CONTENT_TYPE=application/json");
#undef ADD
	fake_store_count_anew(s->app->store);
	r = asking(s->app, a, s->now, role, variables, body);
	e->faults = fake_store_counts(s->app->store).faults > 0;
	s->faults = 0;
	fake_store_heal(s->app->store);
	asking_check(&r, role, false);
	REQUIRE(r.status != 500);
	/* "Not now" is no "no": nobody is logged out by it. */
	if (r.status == 503)
		REQUIRE(!memmem(r.head.data, r.head.len, "Set-Cookie", 10));
	fuzz_through += r.status < 400;
	return r;
}

/* ---- what is in an answer */

static struct text in_body(struct story *s, const struct reply *r, const char *pointer)
{
	const char *why;
	const struct json *body = json_parse(s->arena, r->body, 40, &why), *value;
	struct text text = AS_TEXT("");

	if (json_find(body, pointer, &value))
		json_string(value, &text);
	return text;
}

static struct text in_cookie(struct story *s, const struct reply *r, const char *name)
{
	const char *header = arena_printf(s->arena, "\r\nSet-Cookie: %s=", name).data;
	const char *at = memmem(r->head.data, r->head.len, header, strlen(header));
	struct text rest;

	if (!at)
		return AS_TEXT("");
	at += strlen(header);
	return text_before((struct text){ at, (size_t)(r->head.data + r->head.len - at) },
			   ';', &rest);
}

/* What a login or refresh gave into a client's hands, by session mode. */
static void keep_pieces(struct story *s, const struct reply *r, int session,
			size_t person)
{
	const enum config_session_mode mode = s->app->config->session.mode;
	struct piece piece = { .session = session, .person = person, .from = s->now };
	struct text refresh;

	piece.kind = mode == CONFIG_SESSION_JWT ? PIECE_JWT : PIECE_OPAQUE;
	piece.text = mode == CONFIG_SESSION_COOKIE ? in_cookie(s, r, COOKIE)
						   : in_body(s, r, "/session/token");
	if (mode == CONFIG_SESSION_NONE || mode == CONFIG_SESSION_PROVIDER)
		return;
	REQUIRE(piece.text.len);
	story_keep(s, piece);
	if (mode != CONFIG_SESSION_JWT)
		return;
	refresh = in_body(s, r, "/session/refresh_token");
	REQUIRE(refresh.len && text_equal(refresh, in_cookie(s, r, COOKIE "-refresh")));
	REQUIRE(text_equal(piece.text, in_cookie(s, r, COOKIE)));
	piece.kind = PIECE_REFRESH;
	piece.text = refresh;
	piece.generation = s->sessions[session].row.generation;
	story_keep(s, piece);
}

/* ---- who is there: the first of cookie and bearer that is good */

struct candidates {
	struct allowed cookie, bearer;
};

static struct candidates candidates(const struct story *s, const struct step *step,
				    bool at_gate)
{
	struct candidates c = { story_allows(s, step->cookie, true, at_gate),
				story_allows(s, step->bearer, false, at_gate) };

	/* A provider's token has no session to be shown or ended, but in mode "provider". */
	if (!at_gate && c.bearer.session < 0 &&
	    s->app->config->session.mode != CONFIG_SESSION_PROVIDER)
		c.bearer.verdict = NO;
	/* Only the first that is good counts. */
	if (c.cookie.verdict == YES)
		c.bearer.verdict = NO;
	if (c.cookie.verdict == MAYBE && c.bearer.verdict == YES)
		c.bearer.verdict = MAYBE;
	return c;
}

static bool is(const struct story *s, const struct allowed *a, struct text user,
	       struct text session)
{
	if (a->verdict == NO)
		return false;
	if (a->session < 0)
		return text_is(user, s->persons[a->person].user.id);
	return text_is(user, s->sessions[a->session].user_id) &&
	       (!session.len || text_is(session, s->sessions[a->session].row.id));
}

/* 2xx to who may come in and as whom; "no" only to who is known not to. */
static void check_access(const struct story *s, const struct candidates *c,
			 const struct effect *e, const struct reply *r, struct text user,
			 struct text session)
{
	if (r->status < 300)
		REQUIRE(is(s, &c->cookie, user, session) ||
			is(s, &c->bearer, user, session));
	else if (r->status == 401)
		REQUIRE(c->cookie.verdict != YES && c->bearer.verdict != YES);
	else
		REQUIRE(r->status == 503 && e->faults);
}

/* ---- the steps */

/* The token that is posted: a new one, or one that was there before. */
static struct piece choose_token(struct story *s, const struct step *step)
{
	struct piece token = { .kind = PIECE_PROVIDER,
			       .session = -1,
			       .person = step->person,
			       .from = s->now };

	if (step->choice % 4 == 3 && step->bearer && step->bearer->kind == PIECE_PROVIDER)
		return *step->bearer;
	token.once = step->choice & 8;
	token.text = fixture_token_of(
		s->arena, token.once ? "https://once.example" : "https://www.cotter.app",
		s->persons[step->person].email, s->now, ++s->tokens);
	return token;
}

/* A login ends the session that came along, and what max_per_user has no room for. */
static void mark_replaced(const struct story *s, const struct step *step,
			  const struct piece *token, struct effect *e)
{
	const enum config_session_mode mode = s->app->config->session.mode;
	const struct candidates c = candidates(s, step, false);
	const struct piece *shown[] = { step->cookie, step->bearer, step->refresh,
					token };
	const struct allowed *good[] = { &c.cookie, &c.bearer };

	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		if (shown[i] && shown[i]->session >= 0)
			e->may_end[shown[i]->session] = true;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (good[i]->verdict == YES && good[i]->session >= 0 &&
		    !(mode == CONFIG_SESSION_PROVIDER && i == 1 && step->cookie))
			e->must_end[good[i]->session] = true;
	if (token->session >= 0)
		e->must_end[token->session] = true;
	for (size_t i = 0; i < s->session_count; i++)
		if (s->app->config->session.max_per_user &&
		    s->sessions[i].person == token->person)
			e->may_end[i] = true;
}

static void note_login(struct story *s, struct piece token, const struct reply *r)
{
	const enum config_session_mode mode = s->app->config->session.mode;
	int session = -1;

	if (mode != CONFIG_SESSION_NONE)
		session = story_add_session(
			s, token.person,
			arena_copy(s->arena, in_body(s, r, "/session/id")).data);
	story_look(s);
	if (session >= 0) {
		/* What was answered is there. */
		REQUIRE(story_session_is_good(s, session) == YES ||
			mode == CONFIG_SESSION_PROVIDER);
		keep_pieces(s, r, session, token.person);
	}
	if (mode == CONFIG_SESSION_PROVIDER)
		for (size_t i = 0; i < s->piece_count; i++)
			if (text_equal(s->pieces[i].text, token.text))
				s->pieces[i].session = session;
	token.session = mode == CONFIG_SESSION_PROVIDER ? session : -1;
	story_keep(s, token);
}

void story_login(struct story *s, const struct step *step, struct effect *e,
		 struct reply *r)
{
	const size_t before = fake_store_rows(s->app->store, FAKE_USERS);
	const struct piece token = choose_token(s, step);
	const struct person *person = &s->persons[token.person];
	const bool active = !person->there || person->user.active;
	const enum verdict opens = story_token_opens(s, &token);
	size_t users;

	mark_replaced(s, step, &token, e);
	*r = ask(s, step, e, ROLE_RESPONDER, "POST /login",
		 arena_printf(s->arena, "{\"token\":\"%.*s\"}", TEXT_ARG(token.text)));
	users = fake_store_rows(s->app->store, FAKE_USERS);
	if (r->status == 200) {
		REQUIRE(active && opens != NO);
		/* Made now, and once. */
		REQUIRE(users - before == (memmem(r->body.data, r->body.len,
						  "\"created\":true", 14) != NULL));
		note_login(s, token, r);
		return;
	}
	REQUIRE((r->status == 403 && (!active || opens != YES)) ||
		(r->status == 503 && e->faults));
	memset(e->must_end, 0, sizeof(e->must_end));
	/* In mode "provider" nobody knows now what stands behind it. */
	for (size_t i = 0; r->status == 503 && i < s->piece_count; i++)
		if (text_equal(s->pieces[i].text, token.text))
			s->pieces[i].session = -1;
	if (token.session < 0)
		story_keep(s, token);
}

void story_session(struct story *s, const struct step *step, struct effect *e,
		   struct reply *r)
{
	const struct candidates c = candidates(s, step, false);

	*r = ask(s, step, e, ROLE_RESPONDER, "GET /session", AS_TEXT(""));
	check_access(s, &c, e, r, in_body(s, r, "/user/id"),
		     in_body(s, r, "/session/id"));
}

void story_gate(struct story *s, const struct step *step, struct effect *e,
		struct reply *r)
{
	const struct candidates c = candidates(s, step, true);
	const bool authorizer = step->choice & 1;
	unsigned count;

	*r = authorizer ? ask(s, step, e, ROLE_AUTHORIZER, "GET /page", AS_TEXT(""))
			: ask(s, step, e, ROLE_RESPONDER, "GET /authorize", AS_TEXT(""));
	check_access(
		s, &c, e, r,
		asking_header(r,
			      authorizer ? "Variable-PINTLE_USER_ID" : "X-Pintle-User-Id",
			      &count),
		asking_header(r,
			      authorizer ? "Variable-PINTLE_SESSION_ID"
					 : "X-Pintle-Session-Id",
			      &count));
	REQUIRE(count == (r->status < 300));
}

/* Whose session a logout is about: it also knows it by its refresh token, however old. */
static struct allowed by_refresh(const struct story *s, const struct piece *piece)
{
	struct allowed a = { NO, -1, 0 };

	if (piece && piece->kind == PIECE_REFRESH) {
		a.session = piece->session;
		a.person = piece->person;
		a.verdict = story_session_is_good(s, piece->session);
	}
	return a;
}

static void mark_scope(const struct story *s, struct effect *e, const struct allowed *a,
		       unsigned scope, bool done)
{
	if (a->verdict == NO || a->session < 0)
		return;
	for (size_t i = 0; i < s->session_count; i++) {
		const bool is_this = i == (size_t)a->session;

		if (s->sessions[i].person != a->person || (scope == 1 && is_this) ||
		    (scope == 0 && !is_this))
			continue;
		e->may_end[i] = true;
		e->must_end[i] |= done && a->verdict == YES;
	}
}

void story_logout(struct story *s, const struct step *step, struct effect *e,
		  struct reply *r)
{
	static const char *const bodies[] = { "{\"scope\":\"this\"}",
					      "{\"scope\":\"others\"}",
					      "{\"scope\":\"all\"}" };
	const unsigned scope = step->choice % 3;
	struct candidates c = candidates(s, step, false);
	struct allowed behind = by_refresh(s, step->refresh);
	bool done;

	*r = ask(s, step, e, ROLE_RESPONDER, "POST /logout", text_of(bodies[scope]));
	REQUIRE(r->status == 200 || r->status == 401 || (r->status == 503 && e->faults));
	done = r->status == 200;
	if (c.cookie.verdict == YES || c.bearer.verdict == YES)
		behind.verdict = NO;
	else if (behind.verdict == YES && (c.cookie.verdict || c.bearer.verdict))
		behind.verdict = MAYBE;
	mark_scope(s, e, &c.cookie, scope, done);
	mark_scope(s, e, &c.bearer, scope, done);
	mark_scope(s, e, &behind, scope, done);
	if (r->status == 401)
		REQUIRE(scope != 0 && c.cookie.verdict != YES &&
			c.bearer.verdict != YES && behind.verdict != YES);
}

/* What is to become of a refresh token. */
static enum verdict may_refresh(const struct story *s, const struct piece *piece)
{
	const struct known_session *known;

	if (!piece || piece->kind != PIECE_REFRESH ||
	    story_session_is_good(s, piece->session) == NO)
		return NO;
	known = &s->sessions[piece->session];
	if (piece->generation == known->row.generation)
		return YES;
	if (piece->generation + 1 != known->row.generation)
		return NO;
	if (s->now - known->row.rotated_at <= REFRESH_GRACE_S)
		return YES;
	if (known->doubtful == piece->generation + 1)
		return known->was_done ? YES : MAYBE;
	return NO;
}

void story_refresh(struct story *s, const struct step *step, struct effect *e,
		   struct reply *r)
{
	const struct piece *piece = step->refresh;
	const enum verdict verdict = may_refresh(s, piece);
	struct known_session *known = piece && piece->kind == PIECE_REFRESH
					      ? &s->sessions[piece->session]
					      : NULL;

	*r = ask(s, step, e, ROLE_RESPONDER, "POST /refresh", AS_TEXT(""));
	if (s->app->config->session.mode != CONFIG_SESSION_JWT) {
		REQUIRE(r->status == 404);
		return;
	}
	/* What was spent and comes again ends the session: one of two has stolen it. */
	if (known && verdict != YES)
		e->may_end[piece->session] = true;
	if (r->status == 200) {
		REQUIRE(verdict != NO);
		story_look(s);
		REQUIRE(known->row.generation == piece->generation + 1);
		keep_pieces(s, r, piece->session, piece->person);
	} else if (r->status == 401) {
		REQUIRE(verdict != YES);
		if (known && verdict == NO)
			e->must_end[piece->session] =
				story_session_is_good(s, piece->session) == YES;
	} else {
		REQUIRE(r->status == 503 && e->faults);
		if (known && piece->generation == known->row.generation) {
			known->doubtful = piece->generation + 1;
			story_look(s);
			known->was_done = known->row.generation == known->doubtful;
		}
	}
}

void story_end_one(struct story *s, const struct step *step, struct effect *e,
		   struct reply *r)
{
	const struct candidates c = candidates(s, step, false);
	const struct known_session *wanted = &s->sessions[step->session];
	bool own;

	if (!s->session_count)
		return;
	*r = ask(s, step, e, ROLE_RESPONDER,
		 arena_printf(s->arena, "DELETE /sessions/%s", wanted->row.id).data,
		 AS_TEXT(""));
	own = wanted->there &&
	      ((c.cookie.verdict != NO && c.cookie.person == wanted->person) ||
	       (c.bearer.verdict != NO && c.bearer.person == wanted->person));
	if (own)
		e->may_end[step->session] = true;
	if (r->status == 200) {
		REQUIRE(own);
		e->must_end[step->session] = true;
	} else if (r->status != 404) {
		check_access(s, &c, e, r, AS_TEXT(""), AS_TEXT(""));
	} else {
		REQUIRE(c.cookie.verdict != NO || c.bearer.verdict != NO);
		REQUIRE(!own || c.cookie.verdict == MAYBE || c.bearer.verdict == MAYBE);
	}
}
