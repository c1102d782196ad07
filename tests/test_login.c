#include "../lib/login.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fakes/fake_store.h"

#define NOW INT64_C(1795000000)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct store *store;
static struct config config;
static struct config_provider provider_config;
static const struct provider provider = { .config = &provider_config };

static int setup(void **state)
{
	static char name[] = "google";

	(void)state;
	config = (struct config){ .session = { .mode = CONFIG_SESSION_COOKIE,
					       .lifetime_s = 2592000,
					       .idle_s = 604800 } };
	provider_config = (struct config_provider){ .name = name };
	store_free(store);
	store = store_new(&config);
	return 0;
}

static struct identity identity_of(const char *email, const char *subject)
{
	struct identity identity = { .provider = &provider,
				     .subject = text_of(subject),
				     .email = text_of(email),
				     .email_written = text_of(email),
				     .issued_at = NOW,
				     .expires_at = NOW + 3600 };

	identity.signed_bytes = identity.email;
	return identity;
}

static bool log_in_at(int64_t now, const struct identity *identity,
		      const unsigned char *old_hash, struct login *out, struct problem *p)
{
	const struct login_request request = {
		.config = &config,
		.identity = identity,
		.client = { TEXT("192.0.2.1"), TEXT("Browser/1.0") },
		.old_hash = old_hash,
		.now = now,
	};

	return login_record(store, &request, out, p);
}

static struct login log_in(const struct identity *identity, const unsigned char *old_hash)
{
	struct problem p = { 0 };
	struct login login;

	if (!log_in_at(NOW, identity, old_hash, &login, &p))
		fail_msg("%s", p.detail);
	assert_int_equal(p.kind, PROBLEM_NONE);
	return login;
}

/* Is this the session that was answered, of the user that was answered? */
static bool is_live(const struct login *login)
{
	struct problem p = { 0 };
	struct session session;
	struct store_user user;

	if (!session_find_by_hash(store, &config.session, login->session.row.hash, NOW,
				  &session, &user, &p)) {
		assert_int_equal(p.kind, PROBLEM_NO_SESSION);
		return false;
	}
	assert_string_equal(user.id, login->user.id);
	assert_string_equal(session.row.id, login->session.row.id);
	return true;
}

static size_t users(void)
{
	return fake_store_rows(store, FAKE_USERS);
}

static size_t sessions(void)
{
	return fake_store_rows(store, FAKE_SESSIONS);
}

/* ---- one login */

static void a_login_is_one_transaction_with_one_commit(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	struct fake_counts counts;
	struct login login;

	(void)state;
	config.session.max_per_user = 3;
	for (int i = 0; i < 3; i++) {
		fake_store_count_anew(store);
		login = log_in(&alice, i ? login.session.row.hash : NULL);
		counts = fake_store_counts(store);
		assert_int_equal(counts.begins, 1);
		assert_int_equal(counts.commits, 1);
		assert_int_equal(counts.rollbacks, 0);
		assert_true(counts.operations <= 9);
	}
	fake_store_count_anew(store);
	log_in(&alice, NULL);
	/* begin, user_known, session_add, session_trim, commit */
	assert_int_equal(fake_store_counts(store).operations, 5);
}

static void a_first_login_answers_user_and_session_that_are_there(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	const struct login login = log_in(&alice, NULL);

	(void)state;
	assert_true(login.created);
	assert_true(login.has_session);
	assert_string_equal(login.user.email, "alice@example.com");
	assert_true(secret_is_token(text_of(login.session.token)));
	assert_true(*login.session.row.id);
	assert_int_equal(login.session.row.expires_at, NOW + 2592000);
	assert_string_equal(login.session.row.provider, "google");
	assert_true(is_live(&login));
	assert_int_equal(users(), 1);
	assert_int_equal(sessions(), 1);
}

static void each_login_makes_a_new_session_for_the_same_user(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	const struct login first = log_in(&alice, NULL), second = log_in(&alice, NULL);

	(void)state;
	assert_true(first.created);
	assert_false(second.created);
	assert_string_equal(first.user.id, second.user.id);
	assert_string_not_equal(first.session.token, second.session.token);
	assert_string_not_equal(first.session.row.id, second.session.row.id);
	assert_true(is_live(&first) && is_live(&second));
}

/* Session fixation: what came with the request is no longer worth anything. */
static void the_session_that_came_along_is_ended(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	const struct identity mallory = identity_of("mallory@example.com", "s-2");
	const struct login planted = log_in(&mallory, NULL),
			   other = log_in(&mallory, NULL);
	const struct login login = log_in(&alice, planted.session.row.hash);
	const unsigned char unknown[SHA256_BYTES] = { 1 };

	(void)state;
	assert_false(is_live(&planted));
	assert_true(is_live(&login) && is_live(&other));
	assert_false(log_in(&alice, unknown).created);
	assert_true(is_live(&login));
}

static void a_login_that_is_refused_ends_no_session(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	const struct identity bob = identity_of("bob@example.com", "s-2");
	const struct login old = log_in(&bob, NULL);
	struct login untouched = { .user = { .id = "untouched" } };
	struct problem p = { 0 };

	(void)state;
	config.accounts.signup = CONFIG_SIGNUP_CLOSED;
	assert_false(log_in_at(NOW, &alice, old.session.row.hash, &untouched, &p));
	assert_int_equal(p.kind, PROBLEM_SIGNUP_CLOSED);
	assert_string_equal(untouched.user.id, "untouched");
	assert_true(is_live(&old));
	config.accounts.signup = CONFIG_SIGNUP_OPEN;
	log_in(&alice, old.session.row.hash);
	assert_false(is_live(&old));
}

static void a_login_keeps_to_the_limit_of_sessions(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	struct login logins[4];

	(void)state;
	config.session.max_per_user = 2;
	for (size_t i = 0; i < COUNT(logins); i++)
		logins[i] = log_in(&alice, NULL);
	assert_false(is_live(&logins[0]) || is_live(&logins[1]));
	assert_true(is_live(&logins[2]) && is_live(&logins[3]));
	/* The one that came along makes room before another has to. */
	logins[0] = log_in(&alice, logins[3].session.row.hash);
	assert_true(is_live(&logins[2]) && is_live(&logins[0]));
}

/* ---- modes */

static void without_sessions_a_login_is_user_alone(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	struct login login;

	(void)state;
	config.session.mode = CONFIG_SESSION_NONE;
	login = log_in(&alice, NULL);
	assert_true(login.created);
	assert_false(login.has_session);
	assert_string_equal(login.session.token, "");
	assert_false(log_in(&alice, NULL).created);
	assert_int_equal(sessions(), 0);
	assert_int_equal(users(), 1);
}

static void a_providers_token_is_its_own_session_until_it_expires(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	unsigned char hash[SHA256_BYTES];
	struct login first, second;

	(void)state;
	config.session.mode = CONFIG_SESSION_PROVIDER;
	first = log_in(&alice, NULL);
	assert_string_equal(first.session.token, "");
	token_identity_hash(&alice, hash);
	assert_memory_equal(first.session.row.hash, hash, SHA256_BYTES);
	assert_int_equal(first.session.row.expires_at, NOW + 3600);
	assert_true(is_live(&first));
	/* Posted again it starts its session anew; there is never a second one. */
	second = log_in(&alice, NULL);
	assert_false(second.created);
	assert_string_not_equal(first.session.row.id, second.session.row.id);
	assert_true(is_live(&second));
	assert_int_equal(sessions(), 1);
	second = log_in(&alice, second.session.row.hash);
	assert_true(is_live(&second));
	assert_int_equal(sessions(), 1);
}

/* ---- single_use */

static void a_token_is_good_for_a_while_after_its_first_use(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	const struct identity bob = identity_of("bob@example.com", "s-2");
	struct problem p = { 0 };
	struct login login;

	(void)state;
	provider_config.single_use_s = 10;
	assert_true(log_in_at(NOW, &alice, NULL, &login, &p));
	assert_true(log_in_at(NOW + 10, &alice, NULL, &login, &p));
	assert_false(log_in_at(NOW + 11, &alice, NULL, &login, &p));
	assert_int_equal(p.kind, PROBLEM_TOKEN_REPLAYED);
	assert_int_equal(sessions(), 2);
	problem_clear(&p);
	assert_true(log_in_at(NOW + 11, &bob, NULL, &login, &p));
	provider_config.single_use_s = 0;
	assert_true(log_in_at(NOW + 11, &alice, NULL, &login, &p));
}

static void a_token_whose_login_was_refused_is_not_used_up(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	struct problem p = { 0 };
	struct login login;

	(void)state;
	provider_config.single_use_s = 10;
	config.accounts.signup = CONFIG_SIGNUP_CLOSED;
	assert_false(log_in_at(NOW, &alice, NULL, &login, &p));
	config.accounts.signup = CONFIG_SIGNUP_OPEN;
	problem_clear(&p);
	assert_true(log_in_at(NOW + 60, &alice, NULL, &login, &p));
}

/* ---- a COMMIT without an answer */

static const enum config_session_mode modes[] = { CONFIG_SESSION_COOKIE,
						  CONFIG_SESSION_BEARER,
						  CONFIG_SESSION_PROVIDER,
						  CONFIG_SESSION_NONE };

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

/* ---- many at once */

struct racer {
	pthread_barrier_t *start;
	struct login login;
	bool good;
};

static void *race_thread(void *context)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	struct racer *r = context;
	struct problem p = { 0 };

	store_thread_start();
	pthread_barrier_wait(r->start);
	r->good = log_in_at(NOW, &alice, NULL, &r->login, &p);
	store_thread_end();
	return NULL;
}

static void race(struct racer *racers, size_t count)
{
	pthread_t threads[64];
	pthread_barrier_t start;

	assert_true(count <= COUNT(threads));
	pthread_barrier_init(&start, NULL, (unsigned)count);
	for (size_t i = 0; i < count; i++) {
		racers[i] = (struct racer){ .start = &start };
		assert_int_equal(
			pthread_create(&threads[i], NULL, race_thread, &racers[i]), 0);
	}
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
}

static void fifty_first_logins_at_once_make_one_user_and_one_created(void **state)
{
	static struct racer racers[50];

	(void)state;
	for (size_t m = 0; m < COUNT(modes); m++) {
		unsigned created = 0;

		setup(NULL);
		config.session.mode = modes[m];
		provider_config.single_use_s = 60;
		race(racers, COUNT(racers));
		for (size_t i = 0; i < COUNT(racers); i++) {
			assert_true(racers[i].good);
			created += racers[i].login.created;
			if (modes[m] == CONFIG_SESSION_COOKIE)
				assert_true(is_live(&racers[i].login));
		}
		assert_int_equal(created, 1);
		assert_int_equal(users(), 1);
		assert_int_equal(sessions(), modes[m] == CONFIG_SESSION_NONE	   ? 0
					     : modes[m] == CONFIG_SESSION_PROVIDER ? 1
										   : 50);
	}
}

static void the_limit_of_sessions_holds_for_logins_at_once(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "s-1");
	static struct racer racers[50];
	size_t live = 0;

	(void)state;
	config.session.max_per_user = 4;
	log_in(&alice, NULL);
	race(racers, COUNT(racers));
	for (size_t i = 0; i < COUNT(racers); i++) {
		assert_true(racers[i].good);
		live += is_live(&racers[i].login);
	}
	assert_int_equal(live, 4);
	assert_int_equal(sessions(), 4);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_is_one_transaction_with_one_commit),
		TEST(a_first_login_answers_user_and_session_that_are_there),
		TEST(each_login_makes_a_new_session_for_the_same_user),
		TEST(the_session_that_came_along_is_ended),
		TEST(a_login_that_is_refused_ends_no_session),
		TEST(a_login_keeps_to_the_limit_of_sessions),
		TEST(without_sessions_a_login_is_user_alone),
		TEST(a_providers_token_is_its_own_session_until_it_expires),
		TEST(a_token_is_good_for_a_while_after_its_first_use),
		TEST(a_token_whose_login_was_refused_is_not_used_up),
		TEST(a_login_whose_commit_got_no_answer_was_done_once),
		TEST(created_survives_a_lost_commit_and_a_deadlock_after_it),
		TEST(created_is_told_to_the_one_whose_commit_was_done),
		TEST(a_lost_commit_does_not_answer_with_an_older_session),
		TEST(a_commit_that_is_lost_again_and_again_is_no_answer),
		TEST(two_deadlocks_are_survived_and_three_are_try_again),
		TEST(a_fault_at_any_operation_leaves_nothing_half_done),
		TEST(two_faults_at_any_operations_leave_nothing_half_done),
		TEST(fifty_first_logins_at_once_make_one_user_and_one_created),
		TEST(the_limit_of_sessions_holds_for_logins_at_once),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	store_free(store);
	return failed;
}
