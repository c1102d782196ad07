/* The store on a real server: logins on the real store, and locks. */
#include "mysql_fixture.h"

/* ---- a login on the real store */

struct statements {
	uint64_t prepared, executed, begun, committed, rolled_back, others;
};

static struct statements statements_now(void)
{
	return (struct statements){
		.prepared = mariadb_status("COM_STMT_PREPARE"),
		.executed = mariadb_status("COM_STMT_EXECUTE"),
		.begun = mariadb_status("COM_BEGIN"),
		.committed = mariadb_status("COM_COMMIT"),
		.rolled_back = mariadb_status("COM_ROLLBACK"),
		.others = mariadb_status("COM_SET_OPTION"),
	};
}

/*
 * A login of somebody known: found and seen in one, the old session ended, the new one stored.
 * Any more would cost every login of every site.
 */
static void a_login_prepares_nothing_and_commits_once(void **state)
{
	struct config config = config_to(contract_database);
	const struct identity alice = identity_of("alice@example.com", "alice");
	const struct identity first = identity_of("first@example.com", "first");
	const struct identity bob = identity_of("bob@example.com", "bob");
	struct statements before, after;
	struct problem p = { 0 };
	struct store *store;
	struct login login, next;

	(void)state;
	clear();
	config.database.pool = 1;
	store = store_new(&config);
	assert_true(log_in(store, &config, &first, NULL, &login, &p));
	assert_true(log_in(store, &config, &alice, login.session.row.hash, &login, &p));
	assert_true(log_in(store, &config, &alice, NULL, &login, &p));

	before = statements_now();
	assert_true(log_in(store, &config, &alice, login.session.row.hash, &next, &p));
	after = statements_now();
	assert_false(next.created);
	assert_int_equal(after.prepared, before.prepared);
	assert_int_equal(after.begun, before.begun);
	assert_int_equal(after.committed, before.committed + 1);
	assert_int_equal(after.rolled_back, before.rolled_back);
	assert_int_equal(after.executed, before.executed + 3);
	assert_int_equal(after.others, before.others);

	/* A new user: not known, looked for, the subject too, added, linked, and the session. */
	before = after;
	assert_true(log_in(store, &config, &bob, NULL, &login, &p));
	after = statements_now();
	assert_true(login.created);
	assert_int_equal(after.prepared, before.prepared);
	assert_int_equal(after.begun, before.begun);
	assert_int_equal(after.committed, before.committed + 1);
	assert_int_equal(after.rolled_back, before.rolled_back);
	assert_int_equal(after.executed, before.executed + 6);
	assert_int_equal(after.others, before.others);
	store_free(store);
}

/* Logins and the gate by turns; tells how often a connection had to be set to the other. */
static uint64_t settings_of(const struct config *config, struct store *store)
{
	const struct identity alice = identity_of("alice@example.com", "alice");
	uint64_t before = 0;

	for (int i = 0; i < 4; i++) {
		struct session session;
		struct problem p = { 0 };
		struct store_user user;
		struct login login;

		if (i == 2)
			before = statements_now().others;
		assert_true(log_in(store, config, &alice, NULL, &login, &p));
		/* Also by another connection: so the login is not left in a transaction. */
		assert_int_equal(rows(CONTRACT_SESSIONS), i + 1);
		assert_true(session_find(store, &config->session,
					 text_of(login.session.token), NOW, &session,
					 &user, &p));
		assert_true(store_session_touch(store, session.row.id, NOW + 1 + i, &p) ==
			    STORE_OK);
		/* And so is what was written by itself. */
		assert_int_equal(mariadb_run("SELECT COUNT(*) FROM %s.sessions WHERE"
					     " last_seen_at = FROM_UNIXTIME(%lld)",
					     contract_database, (long long)NOW + 1 + i),
				 1);
	}
	return statements_now().others - before;
}

/* Within a transaction, so that it takes another connection. */
static bool ping_beside(struct store_tx *tx, void *context, struct problem *p)
{
	(void)tx;
	return store_ping(context, p);
}

static void logins_and_the_gate_have_connections_of_their_own(void **state)
{
	struct problem p = { 0 };
	struct config config = config_to(contract_database);
	struct store *store;

	(void)state;
	clear();
	config.database.pool = 1;
	store = store_new(&config);
	assert_int_equal(settings_of(&config, store), 4);
	store_free(store);

	clear();
	config.database.pool = 2;
	store = store_new(&config);
	assert_true(store_transact(store, ping_beside, store, &p));
	assert_int_equal(settings_of(&config, store), 0);
	store_free(store);
}

static void a_request_with_a_session_is_one_statement(void **state)
{
	struct config config = config_to(contract_database);
	const struct identity alice = identity_of("alice@example.com", "alice");
	struct statements before, after;
	struct session session;
	struct problem p = { 0 };
	struct store_user user;
	struct store *store;
	struct login login;

	(void)state;
	clear();
	config.database.pool = 1;
	store = store_new(&config);
	assert_true(log_in(store, &config, &alice, NULL, &login, &p));
	assert_true(session_find(store, &config.session, text_of(login.session.token),
				 NOW, &session, &user, &p));
	before = statements_now();
	assert_true(session_find(store, &config.session, text_of(login.session.token),
				 NOW, &session, &user, &p));
	after = statements_now();
	assert_int_equal(after.prepared, before.prepared);
	assert_int_equal(after.executed, before.executed + 1);
	assert_int_equal(after.begun, before.begun);
	assert_int_equal(after.committed, before.committed);
	assert_int_equal(after.others, before.others);
	store_free(store);
}

static void a_login_whose_commit_got_no_answer_is_done_once(void **state)
{
	static const enum store_proxy_cut cuts[] = { PROXY_CUT_AFTER, PROXY_CUT_BEFORE };
	const struct identity alice = identity_of("alice@example.com", "alice");
	struct config config;
	struct store *store = open_through_proxy(&config);

	(void)state;
	for (size_t i = 0; i < COUNT(cuts); i++) {
		struct session session;
		struct problem p = { 0 };
		struct store_user user;
		struct login login;

		clear();
		store_proxy_cut(proxy, cuts[i], 1);
		if (!log_in(store, &config, &alice, NULL, &login, &p))
			fail_msg("%s", p.detail);
		assert_true(login.created);
		assert_int_equal(rows(CONTRACT_USERS), 1);
		assert_int_equal(rows(CONTRACT_IDENTITIES), 1);
		assert_int_equal(rows(CONTRACT_SESSIONS), 1);
		assert_true(session_find(store, &config.session,
					 text_of(login.session.token), NOW, &session,
					 &user, &p));
		assert_string_equal(session.row.id, login.session.row.id);
		assert_string_equal(user.id, login.user.id);
		assert_true(log_in(store, &config, &alice, NULL, &login, &p));
		assert_false(login.created);
	}
	store_free(store);
}

struct login_thread {
	pthread_barrier_t *start;
	const struct config *config;
	const struct identity *identity;
	struct login login;
	bool good;
};

static void *log_in_thread(void *context)
{
	struct login_thread *t = context;
	struct problem p = { 0 };

	store_thread_start();
	pthread_barrier_wait(t->start);
	t->good = log_in(contract.store, t->config, t->identity, NULL, &t->login, &p);
	store_thread_end();
	return NULL;
}

/* Tabs of one browser, or the same person's devices: SPEC section 5, "exactly one user". */
static void fifty_first_logins_at_once_say_created_once(void **state)
{
	const struct config config = config_to(contract_database);
	const struct identity alice = identity_of("alice@example.com", "alice");
	static struct login_thread threads[50];
	pthread_t ids[COUNT(threads)];
	pthread_barrier_t start;
	unsigned created = 0;

	(void)state;
	clear();
	pthread_barrier_init(&start, NULL, COUNT(threads));
	for (size_t i = 0; i < COUNT(threads); i++) {
		threads[i] = (struct login_thread){
			&start, &config, &alice, { .user = { "" } }, false
		};
		assert_int_equal(
			pthread_create(&ids[i], NULL, log_in_thread, &threads[i]), 0);
	}
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(ids[i], NULL);
	pthread_barrier_destroy(&start);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_true(threads[i].good);
		created += threads[i].login.created;
	}
	assert_int_equal(created, 1);
	assert_int_equal(rows(CONTRACT_USERS), 1);
	assert_int_equal(rows(CONTRACT_SESSIONS), COUNT(threads));
}

/* ---- locks */

static const char *seen_id;

static bool see_user(struct store_tx *tx, void *context, struct problem *p)
{
	unsigned *calls = context;

	++*calls;
	return store_user_seen(tx, seen_id, NOW + 1, p) == STORE_OK;
}

static void hold(const char *email)
{
	mariadb_run("START TRANSACTION");
	mariadb_run("SELECT id FROM %s.users WHERE email = '%s' FOR UPDATE",
		    contract_database, email);
}

/* Two users, and a store that waits two seconds for an answer. */
static struct store *open_locks(struct config *config, char held[STORE_ID_SIZE],
				char other[STORE_ID_SIZE])
{
	*config = config_to(contract_database);
	config->database.query_timeout_s = 2;
	clear();
	mariadb_run("INSERT INTO %s.users (email, created_at) VALUES"
		    " ('held@example.com', '2026-01-01'), ('other@example.com', "
		    "'2026-01-01')",
		    contract_database);
	snprintf(held, STORE_ID_SIZE, "%llu",
		 (unsigned long long)mariadb_run("SELECT id FROM %s.users"
						 " WHERE email = 'held@example.com'",
						 contract_database));
	snprintf(other, STORE_ID_SIZE, "%llu", strtoull(held, NULL, 10) + 1);
	return store_new(config);
}

/* Each of three attempts waits a second less than an answer may take. */
static void a_lock_that_is_held_on_to_ends_in_try_again(void **state)
{
	char held[STORE_ID_SIZE], other[STORE_ID_SIZE];
	struct problem p = { 0 };
	struct config config;
	struct store *store = open_locks(&config, held, other);
	unsigned calls = 0;
	double begun;

	(void)state;
	hold("held@example.com");
	seen_id = held;
	begun = seconds();
	assert_false(store_transact(store, see_user, &calls, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_true(calls > 1);
	assert_true(seconds() - begun < 60);
	/* Meanwhile others come and go. */
	seen_id = other;
	problem_clear(&p);
	assert_true(store_transact(store, see_user, &calls, &p));
	mariadb_run("ROLLBACK");
	seen_id = held;
	assert_true(store_transact(store, see_user, &calls, &p));
	store_free(store);
}

static void *release_later(void *context)
{
	(void)context;
	usleep(1500000); /* the first attempt has given up by then */
	mariadb_run("ROLLBACK");
	return NULL;
}

static void a_lock_that_is_let_go_is_waited_for(void **state)
{
	char held[STORE_ID_SIZE], other[STORE_ID_SIZE];
	struct problem p = { 0 };
	struct config config;
	struct store *store = open_locks(&config, held, other);
	unsigned calls = 0;
	pthread_t thread;
	bool good;

	(void)state;
	hold("held@example.com");
	seen_id = held;
	assert_int_equal(pthread_create(&thread, NULL, release_later, NULL), 0);
	good = store_transact(store, see_user, &calls, &p);
	pthread_join(thread, NULL);
	if (!good)
		fail_msg("%s", p.detail);
	assert_int_equal(calls, 2);
	store_free(store);
}

struct holder {
	pthread_barrier_t *at;
	struct store *store;
};

static bool hold_connection(struct store_tx *tx, void *context, struct problem *p)
{
	const struct holder *h = context;

	(void)tx, (void)p;
	pthread_barrier_wait(h->at);
	pthread_barrier_wait(h->at);
	return true;
}

static void *hold_thread(void *context)
{
	struct holder *h = context;
	struct problem p = { 0 };

	store_thread_start();
	if (!store_transact(h->store, hold_connection, h, &p))
		abort();
	store_thread_end();
	return NULL;
}

static void when_all_connections_are_busy_it_waits_and_says_so(void **state)
{
	struct config config = config_to(contract_database);
	pthread_barrier_t at;
	struct holder h = { .at = &at };
	pthread_t thread;
	double begun;

	(void)state;
	config.database.pool = 1;
	config.database.query_timeout_s = 1;
	h.store = store_new(&config);
	pthread_barrier_init(&at, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, hold_thread, &h), 0);
	pthread_barrier_wait(&at);
	begun = seconds();
	assert_away(h.store);
	assert_true(seconds() - begun > 0.9 && seconds() - begun < 60);
	pthread_barrier_wait(&at);
	assert_answers(h.store); /* waits until the other is done */
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&at);
	store_free(h.store);
}

int test_store_logins(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_prepares_nothing_and_commits_once),
		cmocka_unit_test(logins_and_the_gate_have_connections_of_their_own),
		cmocka_unit_test(a_request_with_a_session_is_one_statement),
		cmocka_unit_test(a_login_whose_commit_got_no_answer_is_done_once),
		cmocka_unit_test(fifty_first_logins_at_once_say_created_once),
		cmocka_unit_test(a_lock_that_is_held_on_to_ends_in_try_again),
		cmocka_unit_test(a_lock_that_is_let_go_is_waited_for),
		cmocka_unit_test(when_all_connections_are_busy_it_waits_and_says_so),
	};

	return cmocka_run_group_tests_name("logins", tests, open_resilience,
					   close_resilience);
}
