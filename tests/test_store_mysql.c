/* The real store with a real server: run it with scripts/with-mariadb. */
#include "../lib/store.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "autoconf.h"
#include "login.h"
#include "mariadb.h"
#include "migrations.h"
#include "store_contract.h"
#include "store_proxy.h"

#define NOW INT64_C(1795000000)
#define POOL 8
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct mariadb *server;

/* ---- configurations and stores */

/* Not 127.0.0.1: MariaDB's client of 11.4 and later verifies no certificate from there. */
static char localhost[] = "localhost", loopback[] = "127.0.0.2";
static char *local_host[] = { localhost, NULL };

static struct config config_to(const char *database)
{
	struct config config = { 0 };
	struct config_database *d = &config.database;

	d->hosts = (struct config_list){ local_host, 1 };
	d->port = 1;
	d->socket = (char *)(uintptr_t)server->socket;
	d->user = (char *)(uintptr_t)server->user;
	d->name = (char *)(uintptr_t)database;
	d->connect_timeout_s = 2;
	d->query_timeout_s = 5;
	d->pool = POOL;
	config.session.mode = CONFIG_SESSION_COOKIE;
	config.session.lifetime_s = 2592000;
	config.session.idle_s = 604800;
	return config;
}

static unsigned migrated;

static void note_migration(const struct store_migration *m)
{
	(void)m;
	migrated++;
}

static void migrate(struct store *store)
{
	struct problem p = { 0 };

	if (!store_migrate(store, migrations, migration_count, NOW, note_migration, &p))
		fail_msg("%s", p.detail);
}

/* A database of its own for a test that spoils it. */
static void make_database(const char *name)
{
	mariadb_run("DROP DATABASE IF EXISTS %s", name);
	mariadb_run("CREATE DATABASE %s", name);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void assert_answers(struct store *store)
{
	struct problem p = { 0 };

	if (!store_ping(store, &p))
		fail_msg("%s", p.detail);
	assert_int_equal(p.kind, PROBLEM_NONE);
}

static void assert_away(struct store *store)
{
	struct problem p = { 0 };

	assert_false(store_ping(store, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
}

/* Does a store of this configuration answer? */
static void assert_config(const struct config *config, bool good)
{
	struct store *store = store_new(config);

	if (good)
		assert_answers(store);
	else
		assert_away(store);
	store_free(store);
}

/* ---- the contract */

static struct store_contract contract;
static char contract_database[32];

static void clear(void)
{
	mariadb_run("DELETE FROM %s.users", contract_database);
	mariadb_run("DELETE FROM %s.invites", contract_database);
	mariadb_run("DELETE FROM %s.used_tokens", contract_database);
}

static void invite(struct text email)
{
	mariadb_run(
		"INSERT INTO %s.invites (email, created_at) VALUES (%s, '2026-01-01')",
		contract_database, mariadb_literal(email));
}

static void set_active(const char *user_id, bool active)
{
	mariadb_run("UPDATE %s.users SET status = '%s' WHERE id = %s", contract_database,
		    active ? "active" : "disabled", user_id);
}

static void erase(const char *user_id)
{
	mariadb_run("DELETE FROM %s.users WHERE id = %s", contract_database, user_id);
}

static size_t rows(enum contract_table table)
{
	static const char *const names[] = { "users", "identities", "sessions",
					     "used_tokens" };

	return mariadb_run("SELECT COUNT(*) FROM %s.%s", contract_database, names[table]);
}

/* Makes DATABASE anew and opens a store to it, for the contract or for tests like it. */
static void open_contract(const char *database, const struct config *config)
{
	make_database(database);
	snprintf(contract_database, sizeof(contract_database), "%s", database);
	contract = (struct store_contract){
		.name = database,
		.store = store_new(config),
		.clear = clear,
		.invite = invite,
		.set_active = set_active,
		.erase = erase,
		.rows = rows,
	};
	migrate(contract.store);
}

static int run_contract(const char *database)
{
	const struct config config = config_to(database);
	int failed;

	open_contract(database, &config);
	failed = store_contract_run(&contract);
	store_free(contract.store);
	return failed;
}

/* ---- the schema */

static void the_schema_is_applied_once(void **state)
{
	const struct config config = config_to("pintle_schema");
	struct store *store;
	struct problem p = { 0 };
	char described[128];
	char major[24];
	int version = -1;

	(void)state;
	make_database("pintle_schema");
	store = store_new(&config);
	assert_true(store_schema_version(store, &version, &p));
	assert_int_equal(version, 0);
	assert_away(store); /* no schema is the wrong schema */
	migrated = 0;
	migrate(store);
	assert_int_equal(migrated, migration_count);
	assert_true(store_schema_version(store, &version, &p));
	assert_int_equal(version, STORE_SCHEMA_VERSION);
	assert_answers(store);
	migrated = 0;
	migrate(store);
	assert_int_equal(migrated, 0);
	assert_true(store_describe(store, described, sizeof(described), &p));
	/* "10.11.19-MariaDB", as a number, is its first part. */
	snprintf(major, sizeof(major), "%llu.",
		 (unsigned long long)mariadb_run("SELECT VERSION()"));
	assert_non_null(strstr(described, major));
	assert_non_null(strstr(described, "socket"));
	store_free(store);
}

static void a_schema_ahead_or_behind_is_not_good(void **state)
{
	const struct config config = config_to("pintle_schema");
	struct store *store = store_new(&config);

	(void)state;
	assert_answers(store);
	mariadb_run("INSERT INTO pintle_schema.schema_version VALUES (%d, '2026-01-01')",
		    STORE_SCHEMA_VERSION + 1);
	assert_away(store);
	mariadb_run("DELETE FROM pintle_schema.schema_version WHERE version = %d",
		    STORE_SCHEMA_VERSION + 1);
	assert_answers(store);
	mariadb_run("DELETE FROM pintle_schema.schema_version WHERE version = %d",
		    STORE_SCHEMA_VERSION);
	assert_away(store);
	mariadb_run("DROP TABLE pintle_schema.schema_version");
	assert_away(store);
	migrate(store); /* over the tables that are there */
	assert_answers(store);
	store_free(store);
}

static const char extra_good[] = "-- A comment; with a semicolon;\n"
				 "CREATE TABLE IF NOT EXISTS extra (a INT\n"
				 "-- inside\n"
				 ");\n"
				 "\n"
				 "INSERT IGNORE INTO extra VALUES (1);\n"
				 "-- last";
static const char extra_bad[] = "CREATE TABLE IF NOT EXISTS extra (a INT);\n"
				"INSERT INTO nowhere VALUES (1);\n"
				"INSERT INTO extra VALUES (2);\n";

static void a_migration_that_broke_is_done_again(void **state)
{
	const struct config config = config_to("pintle_schema");
	struct store *store = store_new(&config);
	struct store_migration two[] = { migrations[0],
					 migrations[1],
					 { STORE_SCHEMA_VERSION + 1, "extra",
					   extra_bad } };
	struct problem p = { 0 };
	int version;

	(void)state;
	migrated = 0;
	assert_false(store_migrate(store, two, COUNT(two), NOW, note_migration, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_int_equal(migrated, 0);
	problem_clear(&p);
	assert_true(store_schema_version(store, &version, &p));
	assert_int_equal(version, STORE_SCHEMA_VERSION);
	assert_int_equal(mariadb_run("SELECT COUNT(*) FROM pintle_schema.extra"), 0);
	two[2].sql = extra_good;
	assert_true(store_migrate(store, two, COUNT(two), NOW, note_migration, &p));
	assert_int_equal(migrated, 1);
	assert_true(store_schema_version(store, &version, &p));
	assert_int_equal(version, STORE_SCHEMA_VERSION + 1);
	assert_int_equal(mariadb_run("SELECT COUNT(*) FROM pintle_schema.extra"), 1);
	store_free(store);
}

static void *migrate_beside(void *context)
{
	struct problem p = { 0 };
	bool *good = context;
	const struct config config = config_to("pintle_schema");
	struct store *store;

	store_thread_start();
	store = store_new(&config);
	*good = store_migrate(store, migrations, migration_count, NOW, note_migration,
			      &p);
	store_free(store);
	store_thread_end();
	return NULL;
}

static void two_may_migrate_at_once(void **state)
{
	const struct config config = config_to("pintle_schema");
	pthread_t threads[4];
	struct store *store;
	bool good[4];

	(void)state;
	make_database("pintle_schema");
	for (int i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, migrate_beside, &good[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++)
		assert_true(good[i]);
	store = store_new(&config);
	assert_answers(store);
	store_free(store);
}

/* ---- whoever compares by a collation, or lets one address be there twice, is refused */

static enum store_outcome outcome_of_find;

static bool find_alice(struct store_tx *tx, void *context, struct problem *p)
{
	(void)context;
	struct store_match match;

	outcome_of_find = store_user_by_email(tx, AS_TEXT("alice@example.com"),
					      AS_TEXT("p"), AS_TEXT("s"), &match, p);
	return outcome_of_find != STORE_FAILED;
}

static void assert_email_column(bool good)
{
	const struct config config = config_to("pintle_keys");
	struct store *store = store_new(&config);
	struct problem p = { 0 };

	assert_int_equal(store_transact(store, find_alice, NULL, &p), good);
	assert_int_equal(p.kind, good ? PROBLEM_NONE : PROBLEM_INTERNAL);
	store_free(store);
}

static void a_key_column_that_compares_by_a_collation_is_refused(void **state)
{
	static const char *const collations[] = {
		"utf8mb4 COLLATE utf8mb4_general_ci",
		"utf8mb4 COLLATE utf8mb4_bin",
		"latin1 COLLATE latin1_general_cs",
		"ascii COLLATE ascii_bin",
	};
	const struct config config = config_to("pintle_keys");
	struct store *store;

	(void)state;
	make_database("pintle_keys");
	store = store_new(&config);
	migrate(store);
	store_free(store);
	assert_email_column(true);
	for (size_t i = 0; i < COUNT(collations); i++) {
		mariadb_run("ALTER TABLE pintle_keys.users MODIFY email"
			    " VARCHAR(254) CHARACTER SET %s",
			    collations[i]);
		assert_email_column(false);
	}
	mariadb_run("ALTER TABLE pintle_keys.users MODIFY email VARBINARY(254)");
	assert_email_column(true);
}

static void a_key_column_that_is_not_unique_is_refused(void **state)
{
	(void)state;
	mariadb_run("ALTER TABLE pintle_keys.users DROP KEY users_email");
	assert_email_column(false);
	mariadb_run("ALTER TABLE pintle_keys.users ADD KEY users_email (email)");
	assert_email_column(false);
	mariadb_run("ALTER TABLE pintle_keys.users DROP KEY users_email,"
		    " ADD UNIQUE KEY users_email (email, phone)");
	assert_email_column(false);
	mariadb_run("ALTER TABLE pintle_keys.users DROP KEY users_email,"
		    " ADD UNIQUE KEY users_email (email)");
	assert_email_column(true);
}

/* Columns that somebody made wider may hold what there is no room for. */
static void what_is_too_long_for_us_is_refused_and_not_cut(void **state)
{
	const struct config config = config_to("pintle_keys");
	struct store *store = store_new(&config);
	struct problem p = { 0 };

	(void)state;
	mariadb_run("ALTER TABLE pintle_keys.users MODIFY phone VARBINARY(400)");
	mariadb_run("INSERT INTO pintle_keys.users (email, phone, created_at) VALUES"
		    " ('alice@example.com', REPEAT('1', 19), '2026-01-01')");
	assert_true(store_transact(store, find_alice, NULL, &p));
	assert_int_equal(outcome_of_find, STORE_OK);
	mariadb_run("UPDATE pintle_keys.users SET phone = REPEAT('1', 20)");
	assert_false(store_transact(store, find_alice, NULL, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	mariadb_run("UPDATE pintle_keys.users SET phone = REPEAT('1', 400)");
	problem_clear(&p);
	assert_false(store_transact(store, find_alice, NULL, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	mariadb_run("UPDATE pintle_keys.users SET phone = NULL");
	problem_clear(&p);
	assert_true(store_transact(store, find_alice, NULL, &p));
	store_free(store);
}

/* ---- how a server is found */

static void without_a_server_it_starts_and_says_so(void **state)
{
	struct config config = config_to(server->name);
	char nowhere[] = "/nonexistent/socket";

	(void)state;
	assert_config(&config, true);
	config.database.socket = nowhere;
	assert_config(&config, false);
}

static void a_wrong_password_or_database_is_no_connection(void **state)
{
	struct config config = config_to(server->name);
	char wrong[] = "wrong", nobody[] = "nobody", none[] = "pintle_none";

	(void)state;
	config.database.password = wrong;
	assert_config(&config, false);
	config.database.password = NULL;
	assert_config(&config, true);
	config.database.user = nobody;
	assert_config(&config, false);
	config = config_to(none);
	assert_config(&config, false);
}

/* A port of 127.0.0.2 where nobody listens. */
static int dead_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		fail_msg("no port");
	close(fd);
	return ntohs(a.sin_port);
}

static void the_first_host_that_answers_is_used(void **state)
{
	struct config config = config_to(server->name);
	char *dead_first[] = { loopback, localhost, NULL };
	char *dead_last[] = { localhost, loopback, NULL };
	char *all_dead[] = { loopback, loopback, NULL };

	(void)state;
	config.database.port = dead_port();
	config.database.hosts = (struct config_list){ dead_first, 2 };
	assert_config(&config, true);
	config.database.hosts = (struct config_list){ dead_last, 2 };
	assert_config(&config, true);
	config.database.hosts = (struct config_list){ all_dead, 2 };
	assert_config(&config, false);
}

/* ---- connections that are lost */

struct add {
	const char *email;
	void (*between)(struct add *a); /* after the INSERT, at the first call */
	unsigned calls;
	bool may_be_done, was_there;
};

static bool add_user(struct store_tx *tx, void *context, struct problem *p)
{
	struct add *a = context;
	struct store_user user;

	a->calls++;
	a->may_be_done = store_tx_may_be_done(tx);
	switch (store_user_add(tx, text_of(a->email), AS_TEXT(""), NOW, &user, p)) {
	case STORE_OK:
		a->was_there = false;
		break;
	case STORE_ALREADY_THERE:
		a->was_there = true;
		return a->may_be_done || problem(p, INTERNAL, "taken");
	default:
		return false;
	}
	if (a->calls == 1 && a->between)
		a->between(a);
	return store_user_seen(tx, user.id, NOW, p) == STORE_OK;
}

static bool add_user_last(struct store_tx *tx, void *context, struct problem *p)
{
	struct add *a = context;
	void (*between)(struct add * a) = a->between;
	bool good;

	a->between = NULL;
	good = add_user(tx, a, p);
	if (good && a->calls == 1)
		between(a);
	return good;
}

static void cut_all(struct add *a)
{
	(void)a;
	assert_true(mariadb_kill_connections() > 0);
}

static void assert_added(struct store *store, struct add *a, unsigned calls,
			 bool (*work)(struct store_tx *tx, void *context,
				      struct problem *p))
{
	struct problem p = { 0 };

	if (!store_transact(store, work, a, &p))
		fail_msg("%s", p.detail);
	assert_int_equal(p.kind, PROBLEM_NONE);
	assert_int_equal(a->calls, calls);
	assert_int_equal(mariadb_run("SELECT COUNT(*) FROM %s.users WHERE email = '%s'",
				     contract_database, a->email),
			 1);
}

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

static struct store_proxy *proxy;
static char proxy_path[64];

static struct store *open_through_proxy(struct config *config)
{
	*config = config_to(contract_database);
	config->database.socket = proxy_path;
	config->database.query_timeout_s = 1;
	config->database.connect_timeout_s = 1;
	return store_new(config);
}

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

static int open_resilience(void **state)
{
	static struct config config;

	(void)state;
	config = config_to("pintle_tests");
	open_contract("pintle_tests", &config);
	snprintf(proxy_path, sizeof(proxy_path), "/tmp/store-proxy.%ld", (long)getpid());
	proxy = store_proxy_open(proxy_path, server->socket);
	return 0;
}

static int close_resilience(void **state)
{
	(void)state;
	store_proxy_close(proxy);
	unlink(proxy_path);
	store_free(contract.store);
	return 0;
}

/* ---- a login on the real store */

static struct config_provider provider_config = { .name = (char *)(uintptr_t) "google",
						  .match = CONFIG_MATCH_EMAIL };
static const struct provider provider = { .config = &provider_config };

static struct identity identity_of(const char *email, const char *subject)
{
	return (struct identity){ .provider = &provider,
				  .subject = text_of(subject),
				  .email = text_of(email),
				  .email_written = text_of(email) };
}

static bool log_in(struct store *store, const struct config *config,
		   const struct identity *identity, const unsigned char *old_hash,
		   struct login *out, struct problem *p)
{
	const struct login_request request = {
		.config = config,
		.identity = identity,
		.old_hash = old_hash,
		.now = NOW,
		.client = { TEXT("192.0.2.1"), TEXT("Browser/1.0") },
	};

	return login_record(store, &request, out, p);
}

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

/* ---- a server with settings of its own */

static void an_idle_connection_that_the_server_closes_is_no_error(void **state)
{
	const struct config config = config_to(contract_database);
	struct store *store;
	struct add a = { .email = "waits@example.com" };

	(void)state;
	clear();
	mariadb_run("SET GLOBAL wait_timeout = 1");
	store = store_new(&config);
	assert_answers(store);
	sleep(2);
	assert_added(store, &a, 1, add_user);
	store_free(store);
	mariadb_run("SET GLOBAL wait_timeout = DEFAULT");
}

/* After a failover the old primary may go on as a replica. */
static void a_server_that_may_only_be_read_is_away_for_writing(void **state)
{
	struct add a = { .email = "readonly@example.com" };
	struct problem p = { 0 };

	(void)state;
	clear();
	mariadb_run("SET GLOBAL read_only = 1");
	assert_answers(contract.store);
	assert_false(store_transact(contract.store, add_user, &a, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	mariadb_run("SET GLOBAL read_only = 0");
	problem_clear(&p);
	a.calls = 0;
	assert_added(contract.store, &a, 1, add_user);
}

/* With others to ask: what it says of a session may be old. */
static void one_of_several_that_may_only_be_read_is_not_asked(void **state)
{
	struct config config = config_to(contract_database);
	char *hosts[] = { localhost, localhost, NULL };

	(void)state;
	mariadb_run("SET GLOBAL read_only = 1");
	assert_config(&config, true);
	config.database.hosts = (struct config_list){ hosts, 2 };
	assert_config(&config, false);
	mariadb_run("SET GLOBAL read_only = 0");
	assert_config(&config, true);
}

/* It was written to when it was connected to: what it does not know may be known elsewhere. */
static void one_of_several_that_became_read_only_calls_nothing_gone(void **state)
{
	static const unsigned char hash[SHA256_BYTES] = "of no session";
	struct config config = config_to(contract_database);
	char *hosts[] = { localhost, localhost, NULL };

	(void)state;
	for (size_t count = 1; count <= 2; count++) {
		struct store *store;
		struct store_session session;
		struct store_user user;
		struct problem p = { 0 };

		config.database.hosts = (struct config_list){ hosts, count };
		store = store_new(&config);
		for (uint64_t only_read = 0; only_read <= 1; only_read++) {
			mariadb_run("SET GLOBAL read_only = %u", (unsigned)only_read);
			assert_int_equal(
				store_session_find(store, hash, &session, &user, &p),
				only_read && count > 1 ? STORE_FAILED : STORE_NOT_FOUND);
			assert_int_equal(p.kind, only_read && count > 1
							 ? PROBLEM_DATABASE_AWAY
							 : PROBLEM_NONE);
		}
		mariadb_run("SET GLOBAL read_only = 0");
		problem_clear(&p);
		assert_int_equal(store_session_find(store, hash, &session, &user, &p),
				 STORE_NOT_FOUND);
		store_free(store);
	}
}

static void a_full_server_is_away(void **state)
{
	const struct config config = config_to(contract_database);
	const uint64_t limit = mariadb_run("SELECT @@GLOBAL.max_user_connections");

	(void)state;
	mariadb_run("ALTER USER %s@localhost WITH MAX_USER_CONNECTIONS 1", server->user);
	mariadb_kill_connections();
	assert_answers(contract.store);
	assert_config(&config, false);
	mariadb_run("ALTER USER %s@localhost WITH MAX_USER_CONNECTIONS %llu",
		    server->user, (unsigned long long)limit);
	mariadb_run("FLUSH PRIVILEGES");
	assert_config(&config, true);
}

/* ---- the server goes and comes back */

/* A login that was acknowledged is there after the death of the server. */
static void the_store_outlives_its_server(void **state)
{
	static const int signals[] = { SIGKILL, SIGTERM };
	const struct identity alice = identity_of("alice@example.com", "alice");
	const struct config config = config_to(contract_database);

	(void)state;
	clear();
	for (size_t i = 0; i < COUNT(signals); i++) {
		struct session session;
		struct problem p = { 0 };
		struct store_user user;
		struct login login, refused;

		assert_true(log_in(contract.store, &config, &alice, NULL, &login, &p));
		mariadb_stop(signals[i]);
		assert_away(contract.store);
		assert_false(log_in(contract.store, &config, &alice, NULL, &refused, &p));
		assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
		problem_clear(&p);
		assert_false(session_find(contract.store, &config.session,
					  text_of(login.session.token), NOW, &session,
					  &user, &p));
		assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY); /* not NO_SESSION */
		mariadb_start(NULL);
		problem_clear(&p);
		assert_true(session_find(contract.store, &config.session,
					 text_of(login.session.token), NOW, &session,
					 &user, &p));
		assert_string_equal(user.id, login.user.id);
	}
	assert_int_equal(rows(CONTRACT_USERS), 1);
	assert_int_equal(rows(CONTRACT_SESSIONS), 2);
}

/* ---- encryption */

static char ca_file[128], other_file[128];

static void make_certificate(const char *path, const char *key, const char *name)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
		 " -days 2 -subj /CN=%s -addext subjectAltName=DNS:%s,IP:127.0.0.2"
		 " -keyout %s -out %s >/dev/null 2>&1",
		 name, name, key, path);
	if (system(command) != 0)
		fail_msg("openssl req");
}

static void start_with_tls(int port)
{
	char cert[160], key[160], number[32], key_file[128];
	const char *options[] = {
		cert,
		key,
		"--skip-networking=0",
		"--bind-address=127.0.0.2",
		number,
		"--tls-version=TLSv1.2,TLSv1.3",
		"--loose-ssl",
		NULL /* MySQL has no --ssl */
	};

	snprintf(ca_file, sizeof(ca_file), "%s/cert.pem", server->dir);
	snprintf(key_file, sizeof(key_file), "%s/key.pem", server->dir);
	make_certificate(ca_file, key_file, "localhost");
	snprintf(cert, sizeof(cert), "--ssl-cert=%s", ca_file);
	snprintf(key, sizeof(key), "--ssl-key=%s", key_file);
	snprintf(number, sizeof(number), "--port=%d", port);
	snprintf(other_file, sizeof(other_file), "%s/other.pem", server->dir);
	snprintf(key_file, sizeof(key_file), "%s/other-key.pem", server->dir);
	make_certificate(other_file, key_file, "localhost");
	mariadb_stop(SIGTERM);
	mariadb_start(options);
	mariadb_run("CREATE USER IF NOT EXISTS %s@127.0.0.1 IDENTIFIED BY ''",
		    server->user);
	mariadb_run("GRANT ALL ON `pintle\\_%%`.* TO %s@127.0.0.1", server->user);
}

static void encryption_is_had_or_there_is_no_connection(void **state)
{
	struct config config = config_to(contract_database);
	char *hosts[] = { loopback, NULL };

	(void)state;
	/*
	 * So far the server knows no TLS, but where it makes a certificate of its own, as MariaDB
	 * 11.4 and later do: what is asked for is not silently left out.
	 */
	config.database.tls = CONFIG_TLS_REQUIRE;
	assert_config(&config, mariadb_run("SELECT @@GLOBAL.have_ssl = 'YES'") == 1);
	config.database.tls = CONFIG_TLS_OFF;
	assert_config(&config, true);

	config.database.port = dead_port();
	config.database.hosts = (struct config_list){ hosts, 1 };
	start_with_tls(config.database.port);
	assert_config(&config, true);
	config.database.tls = CONFIG_TLS_REQUIRE;
	assert_config(&config, true);
	/* The account is told to take nothing else: so the connection was encrypted. */
	mariadb_run("ALTER USER %s@127.0.0.1 REQUIRE SSL", server->user);
	assert_config(&config, true);
	/* libmysqlclient encrypts where it can, also when nobody asks it to. */
	config.database.tls = CONFIG_TLS_OFF;
	assert_config(&config, HAVE_DECL_MYSQL_OPT_SSL_MODE);
	mariadb_run("DROP USER %s@127.0.0.1", server->user);
}

static void a_certificate_is_verified_where_that_is_set(void **state)
{
	struct config config = config_to(contract_database);
	char *hosts[] = { loopback, NULL };

	(void)state;
	config.database.hosts = (struct config_list){ hosts, 1 };
	config.database.port = (int)mariadb_run("SELECT @@GLOBAL.port");
	config.database.tls = CONFIG_TLS_VERIFY;
	mariadb_run("CREATE USER IF NOT EXISTS %s@127.0.0.1 IDENTIFIED BY ''",
		    server->user);
	mariadb_run("GRANT ALL ON `pintle\\_%%`.* TO %s@127.0.0.1", server->user);
	config.ca_file = ca_file;
	assert_config(&config, true);
	config.ca_file = other_file; /* signed by somebody else */
	assert_config(&config, false);
	config.ca_file = NULL; /* by nobody that the system trusts */
	assert_config(&config, false);
	mariadb_run("DROP USER %s@127.0.0.1", server->user);
}

/* The node of a cluster that is cut off from the others, or a primary that was set down. */
static void a_host_that_answers_but_cannot_serve_is_left(void **state)
{
	static const unsigned errors[] = { 1047, 1053, 1290, 1792, 1836 };
	struct config config = config_to(contract_database);
	char *hosts[] = { localhost, loopback, NULL };

	(void)state;
	clear();
	mariadb_run("CREATE USER IF NOT EXISTS %s@127.0.0.1 IDENTIFIED BY ''",
		    server->user);
	mariadb_run("GRANT ALL ON `pintle\\_%%`.* TO %s@127.0.0.1", server->user);
	config.database.socket = proxy_path;
	config.database.hosts = (struct config_list){ hosts, 2 };
	config.database.port = (int)mariadb_run("SELECT @@GLOBAL.port");
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct store *store = store_new(&config);
		char email[] = "node0@example.com";
		struct add a = { .email = email };

		email[4] += (char)i;
		store_proxy_refuse(proxy, errors[i]);
		assert_added(store, &a, 1, add_user);
		store_proxy_refuse(proxy, 0);
		store_free(store);
	}
	mariadb_run("DROP USER %s@127.0.0.1", server->user);
}

/* ---- hostile defaults */

/* What somebody may have set for the other programs on the same server. */
static const char *hostile[] = {
	"--character-set-server=latin1",
	"--collation-server=latin1_swedish_ci",
	"--loose-skip-character-set-client-handshake", /* MySQL 9 has it no more */
	"--sql-mode=",
	"--default-time-zone=+05:30",
	"--transaction-isolation=SERIALIZABLE",
	"--transaction-read-only=1",
	"--autocommit=0",
	"--default-storage-engine=MyISAM",
	"--innodb-lock-wait-timeout=1",
	"--innodb-rollback-on-timeout=1",
	"--lower-case-table-names=1", /* the last: MySQL takes it only for new data */
	NULL,
};

static bool is_mariadb(void)
{
	return mariadb_run("SELECT VERSION() LIKE '%%MariaDB%%'") != 0;
}

/* And two that can only be set while it runs. */
static int run_hostile(void)
{
	int failed;

	if (!is_mariadb())
		hostile[COUNT(hostile) - 2] = NULL;
	mariadb_stop(SIGTERM);
	mariadb_start(hostile);
	mariadb_run("SET GLOBAL unique_checks = 0, GLOBAL foreign_key_checks = 0");
	mariadb_run("SET GLOBAL sql_safe_updates = 1");
	failed = run_contract("pintle_hostile");
	mariadb_stop(SIGTERM);
	mariadb_start(NULL);
	return failed;
}

int main(void)
{
	const struct CMUnitTest schema[] = {
		cmocka_unit_test(the_schema_is_applied_once),
		cmocka_unit_test(a_schema_ahead_or_behind_is_not_good),
		cmocka_unit_test(a_migration_that_broke_is_done_again),
		cmocka_unit_test(two_may_migrate_at_once),
		cmocka_unit_test(a_key_column_that_compares_by_a_collation_is_refused),
		cmocka_unit_test(a_key_column_that_is_not_unique_is_refused),
		cmocka_unit_test(what_is_too_long_for_us_is_refused_and_not_cut),
		cmocka_unit_test(without_a_server_it_starts_and_says_so),
		cmocka_unit_test(a_wrong_password_or_database_is_no_connection),
		cmocka_unit_test(the_first_host_that_answers_is_used),
	};
	const struct CMUnitTest resilience[] = {
		cmocka_unit_test(a_connection_cut_while_idle_is_opened_again),
		cmocka_unit_test(a_connection_cut_within_a_transaction_starts_it_over),
		cmocka_unit_test(a_connection_cut_before_the_commit_leaves_it_open),
		cmocka_unit_test(a_commit_whose_answer_is_lost_was_done),
		cmocka_unit_test(a_commit_that_never_arrived_was_not_done),
		cmocka_unit_test(commits_that_are_lost_again_and_again_are_no_answer),
		cmocka_unit_test(a_server_that_hangs_is_waited_for_no_longer_than_set),
		cmocka_unit_test(a_login_prepares_nothing_and_commits_once),
		cmocka_unit_test(logins_and_the_gate_have_connections_of_their_own),
		cmocka_unit_test(a_request_with_a_session_is_one_statement),
		cmocka_unit_test(a_login_whose_commit_got_no_answer_is_done_once),
		cmocka_unit_test(fifty_first_logins_at_once_say_created_once),
		cmocka_unit_test(a_lock_that_is_held_on_to_ends_in_try_again),
		cmocka_unit_test(a_lock_that_is_let_go_is_waited_for),
		cmocka_unit_test(when_all_connections_are_busy_it_waits_and_says_so),
		cmocka_unit_test(an_idle_connection_that_the_server_closes_is_no_error),
		cmocka_unit_test(a_server_that_may_only_be_read_is_away_for_writing),
		cmocka_unit_test(one_of_several_that_may_only_be_read_is_not_asked),
		cmocka_unit_test(one_of_several_that_became_read_only_calls_nothing_gone),
		cmocka_unit_test(a_full_server_is_away),
		cmocka_unit_test(the_store_outlives_its_server),
		cmocka_unit_test(encryption_is_had_or_there_is_no_connection),
		cmocka_unit_test(a_certificate_is_verified_where_that_is_set),
		cmocka_unit_test(a_host_that_answers_but_cannot_serve_is_left),
	};
	const struct config config = { 0 };
	int failed;

	(void)config;
	signal(SIGPIPE, SIG_IGN);
	server = mariadb_open();
	{
		const struct config first = config_to(server->name);
		struct store *store = store_new(&first);

		migrate(store);
		store_free(store);
	}
	failed = cmocka_run_group_tests_name("schema and servers", schema, NULL, NULL);
	failed += run_contract("pintle_contract");
	failed += cmocka_run_group_tests_name("losses, logins, locks", resilience,
					      open_resilience, close_resilience);
	failed += run_hostile();
	mariadb_close();
	return failed;
}
