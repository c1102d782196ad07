/* The store on a real server: connections and answers that are lost. */
#include "mysql_fixture.h"

/* ---- connections that are lost */

static void a_connection_cut_while_idle_is_opened_again(void **state)
{
	struct add a = { .email = "idle@example.com" };
	const unsigned char hash[SHA256_BYTES] = { 1 };
	struct store_session session;
	struct problem p = { 0 };
	struct store_user user;
	uint64_t ended;

	(void)state;
	clear();
	assert_answers(contract.store);
	assert_true(mariadb_kill_connections() > 0);
	assert_answers(contract.store);
	mariadb_kill_connections();
	assert_int_equal(store_session_find(contract.store, hash, &session, &user, &p),
			 STORE_NOT_FOUND);
	mariadb_kill_connections();
	assert_int_equal(store_session_end(contract.store, "1", NULL, false, &ended, &p),
			 STORE_OK);
	mariadb_kill_connections();
	assert_added(contract.store, &a, 1, add_user);
	assert_false(a.may_be_done);
}

static void a_connection_cut_within_a_transaction_starts_it_over(void **state)
{
	struct add a = { .email = "within@example.com", .between = cut_all };

	(void)state;
	clear();
	assert_added(contract.store, &a, 2, add_user);
	assert_false(a.may_be_done);
}

static void a_connection_cut_before_the_commit_leaves_it_open(void **state)
{
	struct add a = { .email = "before@example.com", .between = cut_all };

	(void)state;
	clear();
	assert_added(contract.store, &a, 2, add_user_last);
	assert_true(a.may_be_done);
	assert_false(a.was_there);
}

/* ---- a COMMIT without an answer */

static void a_commit_whose_answer_is_lost_was_done(void **state)
{
	struct add a = { .email = "done@example.com" };
	struct config config;
	struct store *store = open_through_proxy(&config);

	(void)state;
	clear();
	store_proxy_cut(proxy, PROXY_CUT_AFTER, 1);
	assert_added(store, &a, 2, add_user);
	assert_true(a.may_be_done);
	assert_true(a.was_there);
	store_free(store);
}

static void a_commit_that_never_arrived_was_not_done(void **state)
{
	struct add a = { .email = "undone@example.com" };
	struct config config;
	struct store *store = open_through_proxy(&config);

	(void)state;
	clear();
	store_proxy_cut(proxy, PROXY_CUT_BEFORE, 1);
	assert_added(store, &a, 2, add_user);
	assert_true(a.may_be_done);
	assert_false(a.was_there);
	store_free(store);
}

static void commits_that_are_lost_again_and_again_are_no_answer(void **state)
{
	struct add a = { .email = "lost@example.com" };
	struct problem p = { 0 };
	struct config config;
	struct store *store = open_through_proxy(&config);

	(void)state;
	clear();
	store_proxy_cut(proxy, PROXY_CUT_BEFORE, 100);
	assert_false(store_transact(store, add_user, &a, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	store_proxy_cut(proxy, PROXY_PASS, 0);
	assert_int_equal(rows(CONTRACT_USERS), 0);
	a.calls = 0;
	assert_added(store, &a, 1, add_user);
	store_free(store);
}

static void a_server_that_hangs_is_waited_for_no_longer_than_set(void **state)
{
	struct add a = { .email = "hangs@example.com" };
	struct problem p = { 0 };
	struct config config;
	struct store *store = open_through_proxy(&config);
	double begun;

	(void)state;
	clear();
	assert_answers(store);
	store_proxy_stall(proxy, true);
	begun = seconds();
	assert_false(store_transact(store, add_user, &a, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_true(seconds() - begun < 60); /* and not for ever */
	begun = seconds();
	assert_away(store);
	assert_true(seconds() - begun < 60); /* and not for ever */
	store_proxy_stall(proxy, false);
	problem_clear(&p);
	a.calls = 0;
	assert_added(store, &a, 1, add_user);
	store_free(store);
}

int test_store_losses(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_cut_while_idle_is_opened_again),
		cmocka_unit_test(a_connection_cut_within_a_transaction_starts_it_over),
		cmocka_unit_test(a_connection_cut_before_the_commit_leaves_it_open),
		cmocka_unit_test(a_commit_whose_answer_is_lost_was_done),
		cmocka_unit_test(a_commit_that_never_arrived_was_not_done),
		cmocka_unit_test(commits_that_are_lost_again_and_again_are_no_answer),
		cmocka_unit_test(a_server_that_hangs_is_waited_for_no_longer_than_set),
	};

	return cmocka_run_group_tests_name("losses", tests, open_resilience,
					   close_resilience);
}
