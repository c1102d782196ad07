#include "db_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "metrics.h"

/* By metrics_clock: a second each. */
#define LOOK_EVERY 1000000
#define AT_ONCE 1000000

void db_close(struct db_link *link)
{
	for (size_t i = 0; i < SQL_ALL; i++) {
		if (link->prepared[i])
			mysql_stmt_close(link->prepared[i]);
		link->prepared[i] = NULL;
	}
	if (link->mysql)
		mysql_close(link->mysql);
	link->mysql = NULL;
	link->checked = false;
	link->manual = false;
}

/* At least what is set; an option file may have asked for more. */
static void set_tls(MYSQL *mysql, const struct db *db)
{
	const enum config_tls tls = db->config->tls;
#if HAVE_DECL_MYSQL_OPT_SSL_MODE
	unsigned mode = 0, wanted = tls == CONFIG_TLS_VERIFY ? SSL_MODE_VERIFY_IDENTITY
							     : SSL_MODE_REQUIRED;

	if (tls == CONFIG_TLS_OFF)
		return;
	mysql_get_option(mysql, MYSQL_OPT_SSL_MODE, &mode);
	if (mode < wanted)
		mysql_options(mysql, MYSQL_OPT_SSL_MODE, &wanted);
#else
	my_bool yes = 1;

	if (tls != CONFIG_TLS_OFF)
		mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	if (tls == CONFIG_TLS_VERIFY)
		mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
#endif
	if (db->ca_file && tls != CONFIG_TLS_OFF) {
		mysql_options(mysql, MYSQL_OPT_SSL_CA, db->ca_file);
		mysql_options(mysql, MYSQL_OPT_SSL_CAPATH, NULL);
	}
}

/*
 * The libraries read an option file within mysql_real_connect, over all that was set before: a
 * line of it could switch verification off, or LOCAL INFILE on. So it is read by an attempt
 * that comes to nothing: /dev/null is no socket, and should a line ask for TCP, it is port 1
 * of this machine, and a name and password that are nobody's. What is set then stays.
 */
static void read_defaults_file(MYSQL *mysql, const char *path)
{
	mysql_options(mysql, MYSQL_READ_DEFAULT_FILE, path);
	mysql_options(mysql, MYSQL_READ_DEFAULT_GROUP, "pintle");
	/* Should it succeed, the next one fails: it is connected. */
	(void)mysql_real_connect(mysql, "localhost", "nobody", "", NULL, 1, "/dev/null",
				 CLIENT_REMEMBER_OPTIONS);
}

static void set_limits(MYSQL *mysql, const struct config_database *config)
{
	unsigned connect_s = (unsigned)config->connect_timeout_s;
	unsigned query_s = (unsigned)config->query_timeout_s, no = 0;

	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &query_s);
	mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &query_s);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* Or a server in another's hands may ask for any file that we can read. */
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no);
}

/* MariaDB's client only: how it begins, before an option file says otherwise. */
static void set_defaults(MYSQL *mysql)
{
#if !HAVE_DECL_MYSQL_OPT_SSL_MODE
	const my_bool no = 0;

	/* That of 11.4 and later verifies by itself. */
	mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &no);
	mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
#else
	(void)mysql;
#endif
}

/* One that opens itself again would lose half a transaction, and what a session is set to. */
static void set_no_reconnect(MYSQL *mysql)
{
#if !HAVE_DECL_MYSQL_OPT_SSL_MODE
	const my_bool no = 0;

	mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
#else
	(void)mysql; /* MySQL's client no longer can */
#endif
}

static MYSQL *new_handle(const struct db *db)
{
	MYSQL *mysql = mysql_init(NULL);

	if (!mysql)
		abort(); /* out of memory */
	set_defaults(mysql);
	if (db->config->defaults_file)
		read_defaults_file(mysql, db->config->defaults_file);
	set_tls(mysql, db);
	set_limits(mysql, db->config);
	set_no_reconnect(mysql);
	return mysql;
}

#define NO_SUCH_VARIABLE 1193 /* ER_UNKNOWN_SYSTEM_VARIABLE */

/*
 * What another node of a cluster has committed is seen here: no session is "gone". With Group
 * Replication it takes more than read_only to know that: a primary that was frozen answers, as
 * it wakes, by what it knew then, and learns only later that it is none any more.
 */
static bool set_causal_reads(MYSQL *mysql)
{
	static const char *const statements[] = {
		"SET SESSION wsrep_sync_wait = 7",
		"SET SESSION group_replication_consistency ="
		" IF(@@SESSION.group_replication_consistency LIKE '%AFTER',"
		" 'BEFORE_AND_AFTER', 'BEFORE')",
	};

	/* A server knows one of the two, or none: it is alone, or a source with replicas. */
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++) {
		if (!mysql_query(mysql, statements[i]))
			return true;
		if (mysql_errno(mysql) != NO_SUCH_VARIABLE)
			return false;
	}
	return true;
}

/* Whatever the server's defaults are, each connection of ours behaves the same. */
static bool set_session(MYSQL *mysql, const struct config_database *config)
{
	char sql[512];

	/*
	 * A lock is waited for less long than an answer, so that it ends as 1205. With
	 * unique_checks off some servers let one address be there twice.
	 */
	snprintf(
		sql, sizeof(sql),
		"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
		"innodb_lock_wait_timeout = %d, time_zone = '+00:00', autocommit = 1, "
		"unique_checks = 1, foreign_key_checks = 1, completion_type = 'NO_CHAIN'",
		config->query_timeout_s > 1 ? config->query_timeout_s - 1 : 1);
	if (mysql_query(mysql, sql) ||
	    mysql_query(mysql, "SET SESSION TRANSACTION"
			       " ISOLATION LEVEL READ COMMITTED, READ WRITE"))
		return false;
	return set_causal_reads(mysql);
}

/* MariaDB's client goes on in the clear with a server that offers no TLS, unless it verifies. */
static bool is_encrypted_as_set(MYSQL *mysql, const struct config_database *config)
{
	return config->tls == CONFIG_TLS_OFF || mysql_get_ssl_cipher(mysql) != NULL;
}

/*
 * A replica, or the primary of yesterday: it would answer reads, by what it knows so far, and
 * call a session of a moment ago gone. Where there is but one host there is none to ask instead.
 */
static bool is_written_to(MYSQL *mysql, const struct config_database *config,
			  unsigned *error)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	bool written;

	if (config->hosts.count == 1)
		return true;
	if (mysql_query(mysql, "SELECT @@GLOBAL.read_only"))
		return false;
	result = mysql_store_result(mysql);
	row = result ? mysql_fetch_row(result) : NULL;
	/* A number on most servers, a word on some. */
	written =
		row && row[0] && (strcmp(row[0], "0") == 0 || strcmp(row[0], "OFF") == 0);
	if (!written)
		*error = 1290; /* ER_OPTION_PREVENTS_STATEMENT */
	mysql_free_result(result);
	return written;
}

/* Why a host would not do. */
struct refusal {
	unsigned error;
	const char *meaning;
	bool cut; /* it had let us in, and cut the connection off at once: killed by hand, say */
};

static bool is_cut(unsigned error)
{
	return error == 1317 || /* ER_QUERY_INTERRUPTED */
	       error == 1927 || /* ER_CONNECTION_KILLED */
	       error == 3169 || /* ER_SESSION_WAS_KILLED */
	       error == 2006 || /* CR_SERVER_GONE_ERROR */
	       error == 2013;	/* CR_SERVER_LOST */
}

static bool set_up(MYSQL *mysql, const struct config_database *config, unsigned *error)
{
	return is_encrypted_as_set(mysql, config) && set_session(mysql, config) &&
	       is_written_to(mysql, config, error);
}

static bool connect_to(struct db *db, struct db_link *link, const char *host,
		       struct refusal *why)
{
	const struct config_database *config = db->config;
	const bool local = strcmp(host, "localhost") == 0;
	uint64_t let_in = 0;

	*why = (struct refusal){ 0 };
	link->mysql = new_handle(db);
	if (mysql_real_connect(link->mysql, *host ? host : NULL, config->user,
			       config->password, config->name, (unsigned)config->port,
			       local ? config->socket : NULL, 0)) {
		let_in = metrics_clock();
		if (set_up(link->mysql, config, &why->error))
			return true;
	}
	if (!why->error)
		why->error = mysql_errno(link->mysql);
	if (!why->error)
		why->error = DB_NO_TLS;
	why->meaning = why->error == DB_NO_TLS ? db_tls_meaning(mysql_error(link->mysql))
					       : db_error_meaning(why->error);
	why->cut = let_in && metrics_clock() - let_in < AT_ONCE && is_cut(why->error);
	db_close(link);
	return false;
}

bool db_is_current(struct db_link *link, struct problem *p)
{
	const struct config_database *config = link->db->config;
	unsigned error = 0;

	if (config->hosts.count == 1)
		return true;
	link->looked_at = metrics_clock();
	if (is_written_to(link->mysql, config, &error))
		return true;
	db_fail(link, error ? error : mysql_errno(link->mysql), "read_only", p);
	/* Also where it could not be asked, as in a cluster that waits in vain: 1205. */
	db_close(link);
	link->fault = DB_LOST;
	return false;
}

/*
 * The source of yesterday goes on to answer reads, and nothing would tell a process that only
 * reads. So it is asked once a second whether it still is what it was.
 */
static bool is_open(struct db_link *link)
{
	struct problem ignored = { 0 };

	return link->mysql && (metrics_clock() - link->looked_at < LOOK_EVERY ||
			       db_is_current(link, &ignored));
}

bool db_open(struct db *db, struct db_link *link, struct problem *p)
{
	const struct config_list *hosts = &db->config->hosts;
	struct refusal why = { .meaning = "" };
	size_t first;

	if (is_open(link))
		return true;
	pthread_mutex_lock(&db->mutex);
	if (link->unfit && db->host == link->host)
		db->host = (db->host + 1) % hosts->count;
	first = db->host;
	pthread_mutex_unlock(&db->mutex);
	link->unfit = false;
	for (size_t i = 0; i < hosts->count; i++) {
		const size_t host = (first + i) % hosts->count;

		if (!connect_to(db, link, hosts->items[host], &why) &&
		    !(why.cut && connect_to(db, link, hosts->items[host], &why)))
			continue;
		link->host = host;
		link->looked_at = metrics_clock();
		pthread_mutex_lock(&db->mutex);
		db->host = host;
		pthread_mutex_unlock(&db->mutex);
		return true;
	}
	link->fault = DB_LOST;
	metrics_db(METRICS_DB_CONNECT);
	return problem(p, DATABASE_AWAY, "cannot connect: error %u%s", why.error,
		       why.meaning);
}
