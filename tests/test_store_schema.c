/* The store on a real server: the schema, the keys' comparison, and how a server is found. */
#include "mysql_fixture.h"

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

int test_store_schema(void)
{
	const struct CMUnitTest tests[] = {
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

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
