/* The store's contract: fifty at once, and two who cross. */
#include "contract_fixture.h"

#include <pthread.h>

#define THREADS 50

/* ---- races; threads only note what they saw, and it is judged afterwards */

struct racer {
	pthread_barrier_t *start;
	unsigned number;
	void (*run)(struct racer *r);
	const char *id;
	bool good, won;
	char user_id[STORE_ID_SIZE];
};

static void *race_thread(void *context)
{
	struct racer *r = context;

	store_thread_start();
	pthread_barrier_wait(r->start);
	r->run(r);
	store_thread_end();
	return NULL;
}

static void race(struct racer racers[THREADS], void (*run)(struct racer *r),
		 const char *id)
{
	pthread_t threads[THREADS];
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){
			.start = &start, .number = i, .run = run, .id = id
		};
		assert_int_equal(
			pthread_create(&threads[i], NULL, race_thread, &racers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
}

static unsigned winners(const struct racer racers[THREADS])
{
	unsigned count = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		if (!racers[i].good)
			fail_msg("thread %u got no answer", i);
		count += racers[i].won;
	}
	return count;
}

/* As a login does it: looked for, added, and where somebody was faster started over. */
static bool find_or_add(struct store_tx *tx, void *context, struct problem *p)
{
	const struct text email = TEXT("new@example.com"), provider = TEXT("p"),
			  subject = TEXT("s");
	struct racer *r = context;
	struct store_match match;
	enum store_outcome outcome;

	r->won = false;
	outcome = store_user_by_email(tx, email, provider, subject, &match, p);
	if (outcome == STORE_NOT_FOUND) {
		r->won = true;
		outcome = store_user_add(tx, email, AS_TEXT(""), NOW, &match.user, p);
		if (outcome == STORE_OK)
			outcome = store_identity_add(tx, match.user.id, provider, subject,
						     email, NOW, p);
		if (outcome == STORE_ALREADY_THERE)
			return store_tx_again(tx, p);
	} else if (outcome == STORE_OK) {
		outcome = store_user_seen(tx, match.user.id, NOW, p);
	}
	if (outcome == STORE_OK) {
		struct store_session session = session_from(NOW);

		outcome = store_session_add(tx, match.user.id, hash_number(r->number),
					    &session, p);
	}
	if (outcome != STORE_OK)
		return false;
	snprintf(r->user_id, sizeof(r->user_id), "%s", match.user.id);
	return true;
}

static void race_to_add(struct racer *r)
{
	struct problem p = { 0 };

	r->good = store_transact(the->store, find_or_add, r, &p);
}

static void fifty_first_logins_at_once_make_one_user(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	race(racers, race_to_add, NULL);
	assert_int_equal(winners(racers), 1);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_string_equal(racers[i].user_id, racers[0].user_id);
		assert_true(has_session(i));
	}
	assert_int_equal(the->rows(CONTRACT_USERS), 1);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), 1);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), THREADS);
}

static void race_to_use_an_invite(struct racer *r)
{
	struct op op = { run_invite_use, .email = TEXT("a@example.com"),
			 .now = r->number };
	struct problem p = { 0 };

	r->good = store_transact(the->store, run_op, &op, &p);
	r->won = op.outcome == STORE_OK;
}

static void fifty_at_once_use_an_invitation_once(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	the->invite(AS_TEXT("a@example.com"));
	race(racers, race_to_use_an_invite, NULL);
	assert_int_equal(winners(racers), 1);
}

static void race_to_rotate(struct racer *r)
{
	struct problem p = { 0 };
	const enum store_outcome outcome =
		store_session_rotate(the->store, r->id, 0, NOW, &p);

	r->good = outcome != STORE_FAILED;
	r->won = outcome == STORE_OK;
}

static bool use_or_again(struct store_tx *tx, void *context, struct problem *p)
{
	struct racer *r = context;
	int64_t first;

	/* Only the one that was first is told its own time. */
	switch (store_token_use(tx, hash_number(1), NOW + r->number, NOW + 999, &first,
				p)) {
	case STORE_OK:
		r->won = first == NOW + r->number;
		return true;
	case STORE_ALREADY_THERE:
		return store_tx_again(tx, p);
	default:
		return false;
	}
}

static void race_to_use_a_token(struct racer *r)
{
	struct problem p = { 0 };

	r->good = store_transact(the->store, use_or_again, r, &p);
}

static void fifty_at_once_use_a_token_first_once(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	race(racers, race_to_use_a_token, NULL);
	assert_int_equal(winners(racers), 1);
	assert_int_equal(the->rows(CONTRACT_USED_TOKENS), 1);
}

static void fifty_at_once_take_a_refresh_token_on_once(void **state)
{
	struct racer racers[THREADS];
	struct store_session s;

	(void)state;
	s = add_session(user_with("a@example.com").id, 1, NOW);
	race(racers, race_to_rotate, s.id);
	assert_int_equal(winners(racers), 1);
}

static bool add_and_trim(struct store_tx *tx, void *context, struct problem *p)
{
	struct racer *r = context;
	struct store_session session = session_from(NOW);

	return store_user_seen(tx, r->id, NOW, p) == STORE_OK &&
	       store_session_add(tx, r->id, hash_number(r->number), &session, p) ==
		       STORE_OK &&
	       store_session_trim(tx, r->id, session.id, 3, p) == STORE_OK;
}

static void race_to_trim(struct racer *r)
{
	struct problem p = { 0 };

	r->good = store_transact(the->store, add_and_trim, r, &p);
}

/* Each sees the sessions of those before, since user_seen holds the user. */
static void fifty_logins_at_once_keep_to_the_limit_of_sessions(void **state)
{
	const struct store_user a = user_with("a@example.com");
	struct racer racers[THREADS];

	(void)state;
	race(racers, race_to_trim, a.id);
	assert_int_equal(winners(racers), 0);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 3);
}

static void race_to_end(struct racer *r)
{
	struct problem p = { 0 };
	uint64_t ended = 0;

	r->good =
		store_session_end(the->store, r->id, NULL, false, &ended, &p) == STORE_OK;
	r->won = ended != 0;
}

static void fifty_logouts_at_once_are_all_answered(void **state)
{
	const struct store_user a = user_with("a@example.com");
	struct racer racers[THREADS];

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		add_session(a.id, i, NOW);
	race(racers, race_to_end, a.id);
	assert_true(winners(racers) >= 1);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 0);
}

/* ---- a deadlock */

struct crossing {
	pthread_barrier_t *met;
	const char *first, *second;
	unsigned calls;
	bool good;
};

static bool see_both(struct store_tx *tx, void *context, struct problem *p)
{
	struct crossing *c = context;

	if (store_user_seen(tx, c->first, NOW, p) != STORE_OK)
		return false;
	if (c->calls++ == 0)
		pthread_barrier_wait(
			c->met); /* both hold their first and want the other */
	return store_user_seen(tx, c->second, NOW, p) == STORE_OK;
}

static void *cross(void *context)
{
	struct crossing *c = context;
	struct problem p = { 0 };

	store_thread_start();
	c->good = store_transact(the->store, see_both, c, &p);
	store_thread_end();
	return NULL;
}

static void a_deadlock_is_started_over_and_both_get_through(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	pthread_barrier_t met;
	struct crossing one = { &met, a.id, b.id, 0, false };
	struct crossing other = { &met, b.id, a.id, 0, false };
	pthread_t thread;

	(void)state;
	pthread_barrier_init(&met, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, cross, &other), 0);
	cross(&one);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&met);
	assert_true(one.good && other.good);
	assert_true(one.calls + other.calls >= 3); /* one of them was the victim */
}

int store_contract_races(const struct store_contract *contract)
{
	const struct CMUnitTest tests[] = {
		TEST(fifty_first_logins_at_once_make_one_user),
		TEST(fifty_at_once_use_an_invitation_once),
		TEST(fifty_at_once_use_a_token_first_once),
		TEST(fifty_at_once_take_a_refresh_token_on_once),
		TEST(fifty_logins_at_once_keep_to_the_limit_of_sessions),
		TEST(fifty_logouts_at_once_are_all_answered),
		TEST(a_deadlock_is_started_over_and_both_get_through),
	};

	return RUN(contract, tests);
}
