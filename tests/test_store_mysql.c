/* The real store with a real server: run it with scripts/with-mariadb. */
#include "mysql_fixture.h"

char localhost[] = "localhost", loopback[] = "127.0.0.2";
char *local_host[] = { localhost, NULL };
const struct mariadb *server;
unsigned migrated;
struct store_contract contract;
char contract_database[32];
struct store_proxy *proxy;
char proxy_path[64];

static int run_contract(const char *database)
{
	const struct config config = config_to(database);
	int failed;

	open_contract(database, &config);
	failed = store_contract_run(&contract);
	store_free(contract.store);
	return failed;
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
	int failed;

	signal(SIGPIPE, SIG_IGN);
	server = mariadb_open();
	{
		const struct config first = config_to(server->name);
		struct store *store = store_new(&first);

		migrate(store);
		store_free(store);
	}
	failed = test_store_schema();
	failed += run_contract("pintle_contract");
	failed += test_store_losses() + test_store_logins() + test_store_servers();
	failed += run_hostile();
	mariadb_close();
	return failed;
}
