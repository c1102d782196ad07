/* For the tests of the store on a real server: what test_store_mysql.c opens and its parts use. */
#ifndef PINTLE_MYSQL_FIXTURE_H
#define PINTLE_MYSQL_FIXTURE_H

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

extern const struct mariadb *server;

/* ---- configurations and stores */

/* Not 127.0.0.1: MariaDB's client of 11.4 and later verifies no certificate from there. */
extern char localhost[], loopback[];
extern char *local_host[];

static inline struct config config_to(const char *database)
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

extern unsigned migrated;

static inline void note_migration(const struct store_migration *m)
{
	(void)m;
	migrated++;
}

static inline void migrate(struct store *store)
{
	struct problem p = { 0 };

	if (!store_migrate(store, migrations, migration_count, NOW, note_migration, &p))
		fail_msg("%s", p.detail);
}

/* A database of its own for a test that spoils it. */
static inline void make_database(const char *name)
{
	mariadb_run("DROP DATABASE IF EXISTS %s", name);
	mariadb_run("CREATE DATABASE %s", name);
}

static inline double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void assert_answers(struct store *store)
{
	struct problem p = { 0 };

	if (!store_ping(store, &p))
		fail_msg("%s", p.detail);
	assert_int_equal(p.kind, PROBLEM_NONE);
}

static inline void assert_away(struct store *store)
{
	struct problem p = { 0 };

	assert_false(store_ping(store, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
}

/* Does a store of this configuration answer? */
static inline void assert_config(const struct config *config, bool good)
{
	struct store *store = store_new(config);

	if (good)
		assert_answers(store);
	else
		assert_away(store);
	store_free(store);
}

/* A port of 127.0.0.2 where nobody listens. */
static inline int dead_port(void)
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

/* ---- the contract */

extern struct store_contract contract;
extern char contract_database[32];

static inline void clear(void)
{
	mariadb_run("DELETE FROM %s.users", contract_database);
	mariadb_run("DELETE FROM %s.invites", contract_database);
	mariadb_run("DELETE FROM %s.used_tokens", contract_database);
}

static inline void invite(struct text email)
{
	mariadb_run(
		"INSERT INTO %s.invites (email, created_at) VALUES (%s, '2026-01-01')",
		contract_database, mariadb_literal(email));
}

static inline void set_active(const char *user_id, bool active)
{
	mariadb_run("UPDATE %s.users SET status = '%s' WHERE id = %s", contract_database,
		    active ? "active" : "disabled", user_id);
}

static inline void erase(const char *user_id)
{
	mariadb_run("DELETE FROM %s.users WHERE id = %s", contract_database, user_id);
}

static inline size_t rows(enum contract_table table)
{
	static const char *const names[] = { "users", "identities", "sessions",
					     "used_tokens" };

	return mariadb_run("SELECT COUNT(*) FROM %s.%s", contract_database, names[table]);
}

/* Makes DATABASE anew and opens a store to it, for the contract or for tests like it. */
static inline void open_contract(const char *database, const struct config *config)
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

/* ---- a login */

static struct config_provider provider_config = { .name = (char *)(uintptr_t) "google",
						  .match = CONFIG_MATCH_EMAIL };
static const struct provider provider = { .config = &provider_config };

static inline struct identity identity_of(const char *email, const char *subject)
{
	return (struct identity){ .provider = &provider,
				  .subject = text_of(subject),
				  .email = text_of(email),
				  .email_written = text_of(email) };
}

static inline bool log_in(struct store *store, const struct config *config,
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

/* ---- a row that is added while connections are lost */

struct add {
	const char *email;
	void (*between)(struct add *a); /* after the INSERT, at the first call */
	unsigned calls;
	bool may_be_done, was_there;
};

static inline bool add_user(struct store_tx *tx, void *context, struct problem *p)
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

static inline bool add_user_last(struct store_tx *tx, void *context, struct problem *p)
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

static inline void cut_all(struct add *a)
{
	(void)a;
	assert_true(mariadb_kill_connections() > 0);
}

static inline void assert_added(struct store *store, struct add *a, unsigned calls,
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

/* ---- through a proxy that loses what it is told to */

extern struct store_proxy *proxy;
extern char proxy_path[64];

static inline struct store *open_through_proxy(struct config *config)
{
	*config = config_to(contract_database);
	config->database.socket = proxy_path;
	config->database.query_timeout_s = 1;
	config->database.connect_timeout_s = 1;
	return store_new(config);
}

static inline int open_resilience(void **state)
{
	static struct config config;

	(void)state;
	config = config_to("pintle_tests");
	open_contract("pintle_tests", &config);
	snprintf(proxy_path, sizeof(proxy_path), "/tmp/store-proxy.%ld", (long)getpid());
	proxy = store_proxy_open(proxy_path, server->socket);
	return 0;
}

static inline int close_resilience(void **state)
{
	(void)state;
	store_proxy_close(proxy);
	unlink(proxy_path);
	store_free(contract.store);
	return 0;
}

/* ---- the parts: how many of their tests failed */

int test_store_schema(void);
int test_store_losses(void);
int test_store_logins(void);
int test_store_servers(void);

#endif
