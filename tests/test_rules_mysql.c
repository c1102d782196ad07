/* doc/identity-rules over a real database, and over a users table that is not ours. */
#include "../lib/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "identity_rules.h"
#include "mariadb.h"
#include "migrations.h"

#define NOW INT64_C(1795350100)
/* One case in so many: all are over the store in memory, and here by `make check-rules`. */
#define STEP 7

static const struct mariadb *server;
static char localhost[] = "localhost";
static char *hosts[] = { localhost, NULL };
static const char *database;
static bool is_own;

static struct config config_to(const char *name)
{
	struct config config = { 0 };
	struct config_database *d = &config.database;

	d->hosts = (struct config_list){ hosts, 1 };
	d->port = 1;
	d->socket = (char *)(uintptr_t)server->socket;
	d->user = (char *)(uintptr_t)server->user;
	d->name = (char *)(uintptr_t)name;
	d->connect_timeout_s = 30;
	d->query_timeout_s = 60;
	d->pool = 1;
	config.session.mode = CONFIG_SESSION_COOKIE;
	config.session.lifetime_s = 3600;
	config.accounts.signup = CONFIG_SIGNUP_OPEN;
	return config;
}

static void clear(void)
{
	mariadb_run("DELETE FROM %s.sessions", database);
	mariadb_run("DELETE FROM %s.invites", database);
	mariadb_run("DELETE FROM %s.%s", database,
		    is_own ? "own_identities" : "identities");
	mariadb_run("DELETE FROM %s.%s", database, is_own ? "members" : "users");
}

static void invite(struct text email)
{
	mariadb_run(
		"INSERT INTO %s.invites (email, created_at) VALUES (%s, '2026-01-01')",
		database, mariadb_literal(email));
}

static void set_active(const char *user_id, bool active)
{
	mariadb_run("UPDATE %s.%s SET status = '%s' WHERE id = '%s'", database,
		    is_own ? "members" : "users", active ? "active" : "disabled",
		    user_id);
}

static size_t rows(enum contract_table table)
{
	static const char *const names[][2] = {
		[CONTRACT_USERS] = { "users", "members" },
		[CONTRACT_IDENTITIES] = { "identities", "own_identities" },
		[CONTRACT_SESSIONS] = { "sessions", "sessions" },
		[CONTRACT_USED_TOKENS] = { "used_tokens", "used_tokens" },
	};

	return mariadb_run("SELECT COUNT(*) FROM %s.%s", database, names[table][is_own]);
}

static unsigned step(void)
{
	const char *set = getenv("PINTLE_RULES_STEP");

	return set ? (unsigned)strtoul(set, NULL, 10) : STEP;
}

static void ignore(const struct store_migration *m)
{
	(void)m;
}

static void check_rules(const char *name, const struct config *config)
{
	struct store_contract contract = { .name = name,
					   .store = store_new(config),
					   .clear = clear,
					   .invite = invite,
					   .set_active = set_active,
					   .rows = rows };
	struct problem p = { 0 };

	if (!store_migrate(contract.store, migrations, migration_count, NOW, ignore,
			   &p) ||
	    !store_check(contract.store, &p))
		fail_msg("%s", p.detail);
	assert_int_equal(identity_rules_run(&contract, step()), 0);
	store_free(contract.store);
}

static void make_database(const char *name, bool own)
{
	database = name;
	is_own = own;
	mariadb_run("DROP DATABASE IF EXISTS %s", name);
	mariadb_run("CREATE DATABASE %s", name);
}

static void our_table_is_as_the_table_says(void **state)
{
	const struct config config = config_to("pintle_rules");

	(void)state;
	make_database("pintle_rules", false);
	check_rules("our tables", &config);
}

static char
	lookup[] = "SELECT id, email, phone, status FROM members"
		   " WHERE email = :email OR phone = :phone OR id = :user_id",
	create[] =
		"INSERT INTO members (id, email, phone) VALUES (UUID(), :email, :phone)",
	seen[] = "UPDATE members SET seen = seen + 1 WHERE id = :user_id";

static void another_table_is_as_the_table_says(void **state)
{
	struct config config = config_to("pintle_own_rules");

	(void)state;
	make_database("pintle_own_rules", true);
	mariadb_run(
		"CREATE TABLE pintle_own_rules.members (id CHAR(36) NOT NULL PRIMARY KEY,"
		" email VARBINARY(254) NULL UNIQUE, phone VARBINARY(16) NULL UNIQUE,"
		" status VARCHAR(10) NOT NULL DEFAULT 'active', seen INT NOT NULL "
		"DEFAULT 0)"
		" ENGINE = InnoDB");
	config.accounts.query_lookup = lookup;
	config.accounts.query_create = create;
	config.accounts.query_seen = seen;
	check_rules("another table", &config);
	assert_true(rows(CONTRACT_USERS) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_table_is_as_the_table_says),
		cmocka_unit_test(another_table_is_as_the_table_says),
	};
	int failed;

	server = mariadb_open();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	mariadb_close();
	return failed;
}
