#include "login_fixture.h"

#include <pthread.h>

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
		TEST(fifty_first_logins_at_once_make_one_user_and_one_created),
		TEST(the_limit_of_sessions_holds_for_logins_at_once),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	store_free(store);
	return failed;
}
