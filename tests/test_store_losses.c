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

/* ---- statements that are killed */

struct killer {
	unsigned long long connection;
	_Atomic bool stop;
};

static void *go_on_killing(void *context)
{
	struct killer *k = context;

	while (!k->stop) {
		mariadb_try("KILL QUERY %llu", k->connection);
		usleep(1000); /* most are done before they are killed */
	}
	return NULL;
}

/* MariaDB says "no rows" and no error to one DELETE in a hundred of those that are killed. */
static void no_session_goes_on_that_was_said_to_have_ended(void **state)
{
	const struct identity alice = identity_of("alice@example.com", "alice");
	struct config config = config_to(contract_database);
	struct killer killer = { 0 };
	struct problem p = { 0 };
	unsigned long long first, last;
	uint64_t ended;
	struct store *store;
	struct login login;
	pthread_t thread;

	(void)state;
	clear();
	config.database.pool = 1;
	store = store_new(&config);
	assert_true(log_in(store, &config, &alice, NULL, &login, &p));
	for (int i = 0; i < 11; i++) /* 2048 */
		mariadb_run(
			"INSERT INTO %s.sessions (user_id, token_hash, provider,"
			" created_at, last_seen_at, expires_at, address, user_agent)"
			" SELECT user_id, UNHEX(SHA2(CONCAT(id, ' %d'), 256)), provider,"
			" created_at, last_seen_at, expires_at, address, user_agent"
			" FROM %s.sessions",
			contract_database, i, contract_database);
	assert_int_equal(rows(CONTRACT_SESSIONS), 2048);
	first = mariadb_run("SELECT MIN(id) FROM %s.sessions", contract_database);
	last = mariadb_run("SELECT MAX(id) FROM %s.sessions", contract_database);
	killer.connection =
		mariadb_run("SELECT MAX(id) FROM information_schema.processlist"
			    " WHERE user = '%s'",
			    server->user);
	assert_int_equal(pthread_create(&thread, NULL, go_on_killing, &killer), 0);
	for (unsigned long long n = first; n <= last; n++) {
		char id[STORE_ID_SIZE];

		snprintf(id, sizeof(id), "%llu", n);
		while (store_session_end(store, login.user.id, id, false, &ended, &p) !=
		       STORE_OK) {
			assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
			problem_clear(&p);
		}
	}
	killer.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(rows(CONTRACT_SESSIONS), 0);
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
		cmocka_unit_test(no_session_goes_on_that_was_said_to_have_ended),
	};

	return cmocka_run_group_tests_name("losses", tests, open_resilience,
					   close_resilience);
}
