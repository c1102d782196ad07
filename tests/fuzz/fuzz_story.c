/*
 * Several requests one after the other on one store, with what earlier ones gave out: the
 * cookie of one session beside the token of another, refresh tokens again, after a logout,
 * with the clock moved and the database failing in the middle. After each, what SPEC says.
 */
#include <unistd.h>

#include "fakes/fake_store.h"
#include "fixture.h"
#include "fuzz.h"
#include "scratch.h"
#include "story.h"

#define STEP_BYTES 4
#define STORY_MODES 7 /* those of which each session is a row */
#define STEPS_MAX 48
#define FAULTS_MAX 4 /* at once */

static void move_clock(struct story *s, const struct step *step)
{
	static const int64_t by[] = {
		1,    9,     11,     60,      301, 599, 606,  3599,
		3661, 86400, 604800, 2592000, -1,  -30, -700, -3600
	};

	s->now += by[step->choice % (sizeof(by) / sizeof(*by))];
}

static void administrate(struct story *s, const struct step *step)
{
	struct person *person = &s->persons[step->person];

	fake_store_heal(s->app->store);
	if (!person->there)
		return;
	if (step->choice % 4 == 0) {
		fake_store_erase(s->app->store, person->user.id);
		person->there = false;
	} else {
		fake_store_set_active(s->app->store, person->user.id,
				      step->choice % 4 > 1);
	}
	story_look(s);
}

static void set_up_fault(struct story *s, const unsigned char bytes[STEP_BYTES])
{
	static const char *const operations[] = {
		NULL,
		"begin",
		"commit",
		"session_find",
		"session_by_id",
		"session_rotate",
		"session_end",
		"session_add",
		"user_add",
		"user_by_email",
		"session_drop",
		"user_find",
	};

	if (s->faults++ >= FAULTS_MAX)
		return;
	fake_store_fail(s->app->store,
			operations[bytes[1] % (sizeof(operations) / sizeof(*operations))],
			bytes[2] & 3, 1 + (bytes[2] >> 2) % 8,
			(enum fake_fault)(FAKE_LOST + bytes[3] % 4));
}

/* Nobody's session ends but those that this step was about. */
static void check_effect(struct story *s, const struct effect *e, const bool *there)
{
	story_look(s);
	for (size_t i = 0; i < s->session_count; i++) {
		const struct known_session *known = &s->sessions[i];

		if (there[i] && !known->there)
			REQUIRE(e->may_end[i]);
		if (e->must_end[i])
			REQUIRE(!known->there);
	}
}

static void do_request(struct story *s, unsigned char what, const struct step *step)
{
	static void (*const requests[])(struct story *, const struct step *,
					struct effect *, struct reply *) = {
		story_login,  story_session, story_gate,  story_refresh,
		story_logout, story_end_one, story_login, story_refresh,
	};
	bool there[STORY_SESSIONS];
	struct effect e = { 0 };
	struct reply r = { 0 };

	for (size_t i = 0; i < STORY_SESSIONS; i++)
		there[i] = i < s->session_count && s->sessions[i].there;
	requests[what % 8](s, step, &e, &r);
	if (!r.status)
		return;
	check_effect(s, &e, there);
	/* By chance, which request it is; here by what is tried. */
	r.res.purge = what & 8;
	for (size_t i = 0; r.res.purge && i < s->session_count; i++) {
		there[i] = s->sessions[i].there;
		e.may_end[i] = s->sessions[i].row.expires_at < s->now;
		e.must_end[i] = false;
	}
	answer_after(s->app, &r.res, s->now);
	if (r.res.purge)
		check_effect(s, &e, there);
	story_look(s);
}

/* ---- the story */

static const struct piece *choose(const struct story *s, unsigned nibble)
{
	return nibble && nibble <= s->piece_count ? &s->pieces[s->piece_count - nibble]
						  : NULL;
}

static void take_step(struct story *s, const unsigned char bytes[STEP_BYTES])
{
	const struct step step = {
		.cookie = choose(s, bytes[1] & 15),
		.bearer = choose(s, bytes[1] >> 4),
		.refresh = choose(s, bytes[2] & 15),
		.person = bytes[2] / 16 % STORY_PERSONS,
		.session = s->session_count ? bytes[3] / 4 % s->session_count : 0,
		.choice = bytes[3],
	};

	if (bytes[0] < 0x80)
		do_request(s, bytes[0], &step);
	else if (bytes[0] < 0xc0)
		move_clock(s, &step);
	else if (bytes[0] < 0xe0)
		set_up_fault(s, bytes);
	else
		administrate(s, &step);
}

/* A byte for the session mode, then four for each step. */
void fuzz_story(struct arena *a, struct text input)
{
	struct story s = { .arena = a, .now = FIXTURE_NOW };
	const unsigned char *bytes = (const unsigned char *)input.data;

	if (!input.len)
		return;
	s.app = fixture_app_in_mode(*bytes % STORY_MODES);
	s.persons[0].email = "a@example.com";
	s.persons[1].email = "b@example.com";
	s.persons[2].email = "a@example.com.example";
	unlink(scratch_path(a, "in-doubt"));
	store_free(s.app->store);
	s.app->store = store_new(s.app->config);
	for (size_t i = 1, n = 0; i + STEP_BYTES <= input.len && n < STEPS_MAX;
	     i += STEP_BYTES, n++)
		take_step(&s, bytes + i);
}
