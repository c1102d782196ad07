#include "story.h"

#include <stdio.h>

#include "fakes/fake_store.h"
#include "fuzz.h"
#include "mint.h"
#include "token_maker.h"

#define OWN_LEEWAY_S 5
#define PROVIDER_LIFE_S 3600
#define PROVIDER_LEEWAY_S 60
#define ONCE_S 60 /* as fixture.c has them */
#define ONCE_MAX_AGE_S 600

enum verdict story_session_is_good(const struct story *s, int session)
{
	const struct config_session *config = &s->app->config->session;
	const struct known_session *known = &s->sessions[session];

	if (session < 0 || !known->there || !known->active ||
	    known->row.expires_at <= s->now ||
	    (config->idle_s && known->row.last_seen_at + config->idle_s <= s->now))
		return NO;
	return YES;
}

/* Is a token made at FROM to live so long? Within the leeway it may be either. */
static enum verdict is_of_now(const struct story *s, int64_t from, int life_s,
			      int leeway_s)
{
	if (s->now < from - leeway_s || s->now >= from + life_s + leeway_s)
		return NO;
	return s->now >= from && s->now < from + life_s ? YES : MAYBE;
}

static enum verdict token_is_of_now(const struct story *s, const struct piece *token)
{
	return is_of_now(s, token->from,
			 token->once ? ONCE_MAX_AGE_S + 1 : PROVIDER_LIFE_S,
			 PROVIDER_LEEWAY_S);
}

static bool is_spent(const struct story *s, const struct piece *token)
{
	return token->first_used && s->now - token->first_used > ONCE_S;
}

enum verdict story_token_opens(const struct story *s, const struct piece *token)
{
	return is_spent(s, token) ? NO : token_is_of_now(s, token);
}

static enum verdict least(enum verdict a, enum verdict b)
{
	return a < b ? a : b;
}

static enum verdict by_own_jwt(const struct story *s, const struct piece *piece,
			       bool at_gate)
{
	const struct config_session *config = &s->app->config->session;
	const enum verdict alive = is_of_now(s, piece->from, MINT_LIFE_S, OWN_LEEWAY_S);

	if (at_gate && s->now - piece->from < config->gate_cache_s)
		return alive;
	return least(alive, story_session_is_good(s, piece->session));
}

static struct allowed by_provider(const struct story *s, const struct piece *piece)
{
	const struct person *person = &s->persons[piece->person];
	struct allowed a = { token_is_of_now(s, piece), -1, piece->person };

	if (s->app->config->session.mode == CONFIG_SESSION_PROVIDER) {
		a.session = piece->session;
		/* Without one a login may have got no answer, and have been done. */
		a.verdict = least(a.verdict,
				  piece->session < 0
					  ? MAYBE
					  : story_session_is_good(s, piece->session));
	} else if (!person->there || !person->user.active || is_spent(s, piece)) {
		a.verdict = NO;
	}
	return a;
}

struct allowed story_allows(const struct story *s, const struct piece *piece, bool cookie,
			    bool at_gate)
{
	const enum config_session_mode mode = s->app->config->session.mode;
	const struct allowed nobody = { NO, -1, 0 };
	struct allowed a = nobody;

	if (!piece)
		return nobody;
	a.session = piece->session;
	a.person = piece->person;
	switch (piece->kind) {
	case PIECE_OPAQUE:
		if (mode == (cookie ? CONFIG_SESSION_COOKIE : CONFIG_SESSION_BEARER))
			a.verdict = story_session_is_good(s, piece->session);
		return a;
	case PIECE_JWT:
		if (mode == CONFIG_SESSION_JWT)
			a.verdict = by_own_jwt(s, piece, at_gate);
		return a;
	case PIECE_PROVIDER:
		return cookie && mode != CONFIG_SESSION_PROVIDER ? nobody
								 : by_provider(s, piece);
	case PIECE_REFRESH:
		break;
	}
	return nobody;
}

void story_keep(struct story *s, struct piece piece)
{
	if (s->piece_count < STORY_PIECES)
		s->pieces[s->piece_count++] = piece;
}

int story_add_session(struct story *s, size_t person, const char *id)
{
	struct known_session *known = &s->sessions[s->session_count];

	if (s->session_count == STORY_SESSIONS)
		return -1;
	*known = (struct known_session){ .person = person, .there = true };
	snprintf(known->row.id, sizeof(known->row.id), "%s", id);
	return (int)s->session_count++;
}

static void look_at_person(struct story *s, struct person *person)
{
	struct store_user user = { 0 };
	struct problem p = { 0 };
	const enum store_outcome outcome =
		store_user_find(s->app->store, false, text_of(person->email), AS_TEXT(""),
				AS_TEXT("cotter"), AS_TEXT(""), &user, &p);

	REQUIRE(outcome == STORE_OK || outcome == STORE_NOT_FOUND);
	/* One user for an address: the same for good, until somebody erases it. */
	if (outcome == STORE_OK && person->there)
		REQUIRE(strcmp(user.id, person->user.id) == 0);
	REQUIRE(!person->there || outcome == STORE_OK);
	person->there = outcome == STORE_OK;
	person->user = user;
}

static void look_at_session(struct story *s, struct known_session *known)
{
	struct store_session row = { 0 };
	struct store_user user = { 0 };
	struct problem p = { 0 };
	const enum store_outcome outcome =
		store_session_by_id(s->app->store, known->row.id, &row, &user, &p);

	REQUIRE(outcome == STORE_OK || outcome == STORE_NOT_FOUND);
	REQUIRE(known->there || outcome == STORE_NOT_FOUND);
	known->there = outcome == STORE_OK;
	if (!known->there)
		return;
	REQUIRE(strcmp(user.id, s->persons[known->person].user.id) == 0);
	memcpy(known->user_id, user.id, sizeof(user.id));
	REQUIRE(row.generation >= known->row.generation);
	known->row = row;
	known->active = user.active;
}

static void look_at_token(struct story *s, struct piece *token)
{
	const struct text signature = maker_token_part(token->text, 2);
	unsigned char hash[SHA256_BYTES];
	struct problem p = { 0 };
	enum store_outcome outcome;

	secret_sha256(
		(struct text){ token->text.data, token->text.len - signature.len - 1 },
		hash);
	outcome = store_token_used(s->app->store, hash, &token->first_used, &p);
	REQUIRE(outcome == STORE_OK || outcome == STORE_NOT_FOUND);
	if (outcome == STORE_NOT_FOUND)
		token->first_used = 0;
}

void story_look(struct story *s)
{
	size_t there = 0;

	for (size_t i = 0; i < STORY_PERSONS; i++) {
		look_at_person(s, &s->persons[i]);
		there += s->persons[i].there;
	}
	REQUIRE(fake_store_rows(s->app->store, FAKE_USERS) == there);
	for (size_t i = 0; i < s->session_count; i++)
		look_at_session(s, &s->sessions[i]);
	for (size_t i = 0; i < s->piece_count; i++)
		if (s->pieces[i].once)
			look_at_token(s, &s->pieces[i]);
}
