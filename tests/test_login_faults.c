/* Logins on a store that fails: at a COMMIT, at every operation, one and two at a time. */
#include "login_fixture.h"

/* ---- a COMMIT without an answer */

static void a_login_whose_commit_got_no_answer_was_done_once(void **state)
{
	static const enum fake_fault faults[] = { FAKE_LOST_DONE, FAKE_LOST,
						  FAKE_BROKEN };
	const struct identity alice = identity_of("alice@example.com", "s-1");

	(void)state;
	for (size_t m = 0; m < COUNT(modes); m++)
		for (size_t i = 0; i < COUNT(faults); i++) {
			const bool none = modes[m] == CONFIG_SESSION_NONE;
			struct login login;

			setup(NULL);
			config.session.mode = modes[m];
			config.session.max_per_user = 1;
			fake_store_fail(store, "commit", 0, 1, faults[i]);
			login = log_in(&alice, NULL);
			assert_true(login.created);
			assert_int_equal(users(), 1);
			assert_int_equal(fake_store_rows(store, FAKE_IDENTITIES), 1);
			assert_int_equal(sessions(), none ? 0 : 1);
			assert_true(none || is_live(&login));
			/* The same again: now it is no first login, whatever is lost. */
			fake_store_fail(store, "commit", 0, 1, faults[i]);
			login = log_in(&alice, NULL);
			assert_false(login.created);
			assert_true(none || is_live(&login));
		}
}

/* What an attempt that went wrong has found out is not forgotten by the one after it. */
static void created_survives_a_lost_commit_and_a_deadlock_after_it(void **state)
{
	static const char *const operations[] = { "user_known", "session_add",
						  "session_drop", "commit" };
	static const unsigned char unknown[SHA256_BYTES] = { 1 };
	const struct identity alice = identity_of("alice@example.com", "s-1");

	(void)state;
	for (size_t i = 0; i < COUNT(operations); i++) {
		/* What the first attempt does as well is passed over there. */
		const unsigned skip = strcmp(operations[i], "commit") != 0;
		struct login login;

		setup(NULL);
		fake_store_fail(store, "commit", 0, 1, FAKE_LOST_DONE);
		fake_store_fail(store, operations[i], skip, 1, FAKE_CONFLICT);
		login = log_in(&alice, unknown);
		assert_int_equal(fake_store_counts(store).faults, 2);
		if (!login.created)
			fail_msg("not after a deadlock in %s", operations[i]);
		assert_true(is_live(&login));
		assert_int_equal(sessions(), 1);
	}
}

struct overtaking {
	const struct identity *identity;
	unsigned begins;
	struct login login;
};

/* While the one waits to start over, another logs in and makes the user. */
static void overtake(void *context, const char *operation)
{
	struct overtaking *o = context;

	if (strcmp(operation, "begin") != 0 || ++o->begins != 2)
		return;
	o->login = log_in(o->identity, NULL);
}

static void created_is_told_to_the_one_whose_commit_was_done(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");

	(void)state;
	for (size_t m = 0; m < COUNT(modes); m++) {
		struct overtaking o = { .identity = &alice };
		struct login login;

		setup(NULL);
		config.session.mode = modes[m];
		/* Mine was lost and not done, so it is theirs. */
		fake_store_fail(store, "commit", 0, 1, FAKE_LOST);
		fake_store_between(store, overtake, &o);
		login = log_in(&alice, NULL);
		assert_true(o.login.created);
		assert_false(login.created);
		assert_int_equal(users(), 1);

		setup(NULL);
		config.session.mode = modes[m];
		o.begins = 0;
		/* Mine was lost and done. */
		fake_store_fail(store, "commit", 0, 1, FAKE_LOST_DONE);
		fake_store_between(store, overtake, &o);
		login = log_in(&alice, NULL);
		assert_false(o.login.created);
		assert_true(login.created);
		assert_int_equal(users(), 1);
	}
}

/* A token that was posted before has its session there; a lost COMMIT must not take it for new. */
static void a_lost_commit_does_not_answer_with_an_older_session(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	struct login login;

	(void)state;
	config.session.mode = CONFIG_SESSION_PROVIDER;
	log_in(&alice, NULL);
	fake_store_fail(store, "commit", 0, 1, FAKE_LOST);
	login = log_in(&alice, NULL);
	assert_true(is_live(&login));
	assert_int_equal(sessions(), 1);
	fake_store_fail(store, "commit", 0, 1, FAKE_LOST_DONE);
	login = log_in(&alice, NULL);
	assert_true(is_live(&login));
	assert_int_equal(sessions(), 1);
}

static void a_commit_that_is_lost_again_and_again_is_no_answer(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	struct login untouched = { .user = { .id = "untouched" } };
	struct problem p = { 0 };
	struct login login;

	(void)state;
	fake_store_fail(store, "commit", 0, 3, FAKE_LOST_DONE);
	assert_false(log_in_at(NOW, &alice, NULL, &untouched, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_string_equal(untouched.user.id, "untouched");
	assert_int_equal(users(), 1);
	assert_int_equal(sessions(), 1);
	login = log_in(&alice, NULL);
	assert_true(is_live(&login));
	assert_int_equal(users(), 1);
}

static void two_deadlocks_are_survived_and_three_are_try_again(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	struct problem p = { 0 };
	struct login login;

	(void)state;
	fake_store_fail(store, "session_add", 0, 3, FAKE_CONFLICT);
	assert_false(log_in_at(NOW, &alice, NULL, &login, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_int_equal(users(), 0);
	assert_int_equal(sessions(), 0);
	fake_store_fail(store, "session_add", 0, 2, FAKE_CONFLICT);
	login = log_in(&alice, NULL);
	assert_true(login.created);
	assert_true(is_live(&login));
}

/* ---- faults at every operation, one and two at a time */

enum scene {
	SCENE_NEW, /* nobody there */
	SCENE_KNOWN,
	SCENE_LINK, /* the address is known, the subject is not */
	SCENE_INVITED,
	SCENE_OLD,	/* with the session of somebody else */
	SCENE_USED,	/* the token is noted, sessions are limited */
	SCENE_PROVIDER, /* the token was posted before */
	SCENE_NONE,	/* no sessions */
	SCENES
};

struct stage {
	struct identity identity;
	struct login old;
	bool has_old, is_known;
	size_t others; /* sessions that stay, whatever happens */
};

static void set_stage(enum scene scene, struct stage *s)
{
	const struct identity without_subject = identity_of("alice@example.com", "");
	const struct identity bob = identity_of("bob@example.com", "s-2");

	setup(NULL);
	*s = (struct stage){ .identity = identity_of("alice@example.com", "s-1") };
	switch (scene) {
	case SCENE_KNOWN:
		log_in(&s->identity, NULL);
		s->is_known = true;
		s->others = 1;
		break;
	case SCENE_LINK:
		log_in(&without_subject, NULL);
		s->is_known = true;
		s->others = 1;
		break;
	case SCENE_INVITED:
		config.accounts.signup = CONFIG_SIGNUP_INVITED;
		fake_store_invite(store, AS_TEXT("alice@example.com"));
		break;
	case SCENE_OLD:
		s->old = log_in(&bob, NULL);
		s->has_old = true;
		break;
	case SCENE_USED:
		config.session.max_per_user = 1;
		provider_config.single_use_s = 60;
		break;
	case SCENE_PROVIDER:
		config.session.mode = CONFIG_SESSION_PROVIDER;
		s->old = log_in(&s->identity, NULL);
		s->is_known = true;
		break;
	case SCENE_NONE:
		config.session.mode = CONFIG_SESSION_NONE;
		break;
	default:
		break;
	}
	fake_store_count_anew(store);
}

static size_t alices(void)
{
	char *dump = fake_store_dump(store);
	size_t count = 0;

	for (const char *at = dump; (at = strstr(at, "email=alice@example.com phone"));
	     at++)
		count++;
	free(dump);
	return count;
}

/* Afterwards: was what was answered done, and was what was not answered not half done? */
static void judge(enum scene scene, const struct stage *s, bool good,
		  const struct login *login, const struct problem *p, const char *what)
{
	const bool keeps = scene != SCENE_NONE;

	if (alices() > 1)
		fail_msg("%s: two users", what);
	if (!good) {
		if (p->kind != PROBLEM_DATABASE_AWAY)
			fail_msg("%s: %s", what, problem_row(p->kind)->name);
		if (alices() == 0 && sessions() != s->has_old)
			fail_msg("%s: a session without its user, or one ended", what);
		return;
	}
	if (alices() != 1)
		fail_msg("%s: no user", what);
	if (login->created == s->is_known)
		fail_msg("%s: created is %d", what, login->created);
	if (keeps && !is_live(login))
		fail_msg("%s: no session", what);
	if (s->has_old && is_live(&s->old))
		fail_msg("%s: the old session lives", what);
	if (keeps && sessions() != s->others + 1)
		fail_msg("%s: %zu sessions", what, sessions());
}

/* COUNT faults after SKIP operations, and one more after SKIP_2. True: there was one. */
static bool play(enum scene scene, const enum fake_fault faults[2], unsigned skip,
		 unsigned count, int skip_2)
{
	struct problem p = { 0 };
	struct login login;
	struct stage stage;
	char what[80];
	bool good, met;

	set_stage(scene, &stage);
	snprintf(what, sizeof(what), "scene %d, fault %d at %u (%u), %d at %d", scene,
		 faults[0], skip, count, faults[1], skip_2);
	fake_store_fail(store, NULL, skip, count, faults[0]);
	if (skip_2 >= 0)
		fake_store_fail(store, NULL, (unsigned)skip_2, 1, faults[1]);
	good = log_in_at(NOW, &stage.identity,
			 stage.has_old ? stage.old.session.row.hash : NULL, &login, &p);
	met = fake_store_counts(store).faults > 0;
	fake_store_heal(store);
	judge(scene, &stage, good, &login, &p, what);
	/* And the next login gets in, whatever happened to this one. */
	login = log_in(&stage.identity, NULL);
	if (alices() != 1)
		fail_msg("%s: the next login made another user", what);
	return met;
}

static const enum fake_fault all_faults[] = { FAKE_LOST, FAKE_LOST_DONE, FAKE_CONFLICT,
					      FAKE_BROKEN };

static void a_fault_at_any_operation_leaves_nothing_half_done(void **state)
{
	unsigned played = 0;

	(void)state;
	for (enum scene scene = 0; scene < SCENES; scene++)
		for (size_t f = 0; f < COUNT(all_faults); f++)
			for (unsigned count = 1; count <= 3; count++) {
				const enum fake_fault faults[2] = { all_faults[f] };
				unsigned skip = 0;

				while (play(scene, faults, skip, count, -1)) {
					skip++;
					played++;
				}
				assert_true(skip >= 1);
			}
	assert_true(played > 8 * 4 * 5);
}

static void two_faults_at_any_operations_leave_nothing_half_done(void **state)
{
	unsigned played = 0;

	(void)state;
	for (enum scene scene = 0; scene < SCENES; scene++)
		for (size_t f = 0; f < COUNT(all_faults) * COUNT(all_faults); f++) {
			const enum fake_fault faults[2] = {
				all_faults[f / COUNT(all_faults)],
				all_faults[f % COUNT(all_faults)]
			};

			for (unsigned skip = 0; skip < 9; skip++)
				for (int skip_2 = 0; skip_2 < 18; skip_2++)
					played += play(scene, faults, skip, 1, skip_2);
		}
	assert_true(played > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_whose_commit_got_no_answer_was_done_once),
		TEST(created_survives_a_lost_commit_and_a_deadlock_after_it),
		TEST(created_is_told_to_the_one_whose_commit_was_done),
		TEST(a_lost_commit_does_not_answer_with_an_older_session),
		TEST(a_commit_that_is_lost_again_and_again_is_no_answer),
		TEST(two_deadlocks_are_survived_and_three_are_try_again),
		TEST(a_fault_at_any_operation_leaves_nothing_half_done),
		TEST(two_faults_at_any_operations_leave_nothing_half_done),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	store_free(store);
	return failed;
}
