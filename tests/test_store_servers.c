/* The store on a real server: servers with settings of their own, that go and come back, or are encrypted. */
#include "mysql_fixture.h"

#include <limits.h>

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

/*
 * Whether it is still written to cannot be said: a cluster that waits in vain for the others
 * answers 1205 to the question, a statement that is killed 1317. What is opened then is opened
 * in the place of the old connection: a login whose statements went to the one and whose
 * COMMIT to the other would be acknowledged and lost.
 */
static void a_look_that_fails_does_not_leave_half_a_connection(void **state)
{
	static const unsigned errors[] = { 1205, 1317 };
	const struct identity alice = identity_of("alice@example.com", "alice");
	char *hosts[] = { localhost, localhost, NULL };
	struct config config;
	struct store *store;
	struct login login;

	(void)state;
	clear();
	store_free(open_through_proxy(&config));
	config.database.query_timeout_s = 5;
	config.database.hosts = (struct config_list){ hosts, 2 };
	config.database.pool = 1;
	store = store_new(&config);
	for (size_t i = 0; i <= COUNT(errors); i++) {
		struct problem p = { 0 };

		if (i) {
			usleep(1100000); /* it looks again after a second */
			store_proxy_refuse(proxy, "SELECT @@GLOBAL.read_only",
					   errors[i - 1], 1);
		}
		if (!log_in(store, &config, &alice, NULL, &login, &p))
			fail_msg("%s", p.detail);
		assert_int_equal(rows(CONTRACT_SESSIONS), i + 1);
		assert_int_equal(mariadb_run("SELECT COUNT(*) FROM %s.sessions"
					     " WHERE id = %s",
					     contract_database, login.session.row.id),
				 1);
	}
	store_proxy_refuse(proxy, "", 0, 0);
	store_free(store);
}

/* Killed by hand, say; twice in a row is nobody's accident, and other errors stay. */
static void a_connection_cut_while_it_is_set_up_is_opened_once_more(void **state)
{
	static const struct {
		unsigned error, times;
		bool good;
	} cases[] = { { 1927, 1, true },  { 1317, 1, true },  { 3169, 1, true },
		      { 1927, 2, false }, { 1045, 1, false }, { 1053, 1, false } };
	struct config config;

	(void)state;
	store_free(open_through_proxy(&config));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct store *store = store_new(&config);
		struct problem p = { 0 };

		store_proxy_refuse(proxy, "SET SESSION sql_mode", cases[i].error,
				   cases[i].times);
		if (store_ping(store, &p) != cases[i].good)
			fail_msg("error %u, %u times: %s", cases[i].error, cases[i].times,
				 p.detail);
		store_proxy_refuse(proxy, "", 0, 0);
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
	 * 11.4 and later do: what is asked for is not silently left out. MySQL has no have_ssl.
	 */
	config.database.tls = CONFIG_TLS_REQUIRE;
	assert_config(&config, mariadb_run("SELECT VERSION() LIKE '%%MariaDB%%'") &&
				       mariadb_run("SELECT @@GLOBAL.have_ssl = 'YES'"));
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
	static const unsigned errors[] = {
		1047, 1053, 1290, 1792, 1836, 3032, 3100, 3797
	};
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
		store_proxy_refuse(proxy, "SET autocommit = 0", errors[i], UINT_MAX);
		assert_added(store, &a, 1, add_user);
		store_proxy_refuse(proxy, "", 0, 0);
		store_free(store);
	}
	mariadb_run("DROP USER %s@127.0.0.1", server->user);
}

int test_store_servers(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_connection_that_the_server_closes_is_no_error),
		cmocka_unit_test(a_server_that_may_only_be_read_is_away_for_writing),
		cmocka_unit_test(one_of_several_that_may_only_be_read_is_not_asked),
		cmocka_unit_test(one_of_several_that_became_read_only_calls_nothing_gone),
		cmocka_unit_test(a_look_that_fails_does_not_leave_half_a_connection),
		cmocka_unit_test(a_connection_cut_while_it_is_set_up_is_opened_once_more),
		cmocka_unit_test(a_full_server_is_away),
		cmocka_unit_test(the_store_outlives_its_server),
		cmocka_unit_test(encryption_is_had_or_there_is_no_connection),
		cmocka_unit_test(a_certificate_is_verified_where_that_is_set),
		cmocka_unit_test(a_host_that_answers_but_cannot_serve_is_left),
	};

	return cmocka_run_group_tests_name("servers", tests, open_resilience,
					   close_resilience);
}
