#include "db.h"

#include <mysql.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "autoconf.h"
#include "metrics.h"

#ifndef HAVE_MY_BOOL
typedef bool my_bool; /* MySQL dropped the name in 8.0 */
#endif

#define CHARSET_BINARY 63

static const struct {
	const char *name, *text;
} statements[SQL_STATEMENTS] = {
#define SQL(name, text) [SQL_##name] = { #name, text },
#include "sql.def"
#undef SQL
};

struct db_link {
	MYSQL *mysql; /* NULL: to be opened */
	MYSQL_STMT *prepared[SQL_STATEMENTS];
	enum db_fault fault;
	size_t host; /* where it is, or was */
	bool unfit;  /* that host answers, but cannot serve us */
	struct db_link *next_free;
};

struct db {
	const struct config_database *config;
	const char *ca_file;
	pthread_mutex_t mutex; /* for all below */
	pthread_cond_t returned;
	struct db_link *all, *free;
	size_t host; /* the one that answered last; tried first */
};

/* ---- what an error number means */

#define DUPLICATE_ENTRY 1062

static enum db_fault classify(unsigned number)
{
	switch (number) {
	case 0:
		return DB_FINE;
	case 1020: /* ER_CHECKREAD: MariaDB's snapshot isolation */
	case 1205: /* ER_LOCK_WAIT_TIMEOUT */
	case 1213: /* ER_LOCK_DEADLOCK, also a certification failure in a cluster */
	case 3101: /* ER_TRANSACTION_ROLLBACK_DURING_COMMIT, Group Replication */
		return DB_AGAIN;
	case 1040: /* ER_CON_COUNT_ERROR */
	case 1047: /* WSREP: the node is not part of the cluster */
	case 1053: /* ER_SERVER_SHUTDOWN */
	case 1243: /* ER_UNKNOWN_STMT_HANDLER */
	case 1290: /* ER_OPTION_PREVENTS_STATEMENT: read-only after a failover */
	case 1792: /* ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION */
	case 1836: /* ER_READ_ONLY_MODE */
	case 1927: /* ER_CONNECTION_KILLED */
	case 3169: /* ER_SESSION_WAS_KILLED */
	case 4031: /* ER_CLIENT_INTERACTION_TIMEOUT */
		return DB_LOST;
	case 1146: /* ER_NO_SUCH_TABLE */
		return DB_NO_TABLE;
	default:
		/* The client's own: where its protocol broke is anybody's guess. */
		return (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000)
			       ? DB_LOST
			       : DB_OTHER;
	}
}

/*
 * The host is there, but read-only, leaving, or cut off from its cluster: another one serves
 * meanwhile, and to connect to this one again would work and change nothing.
 */
static bool is_unfit(unsigned number)
{
	return number == 1047 || number == 1053 || number == 1290 || number == 1792 ||
	       number == 1836;
}

/* For the administrator, of the numbers that he can do something about. */
static const char *meaning(unsigned error)
{
	switch (error) {
	case 1040: /* ER_CON_COUNT_ERROR */
		return " (the server has too many connections)";
	case 1044: /* ER_DBACCESS_DENIED_ERROR */
	case 1045: /* ER_ACCESS_DENIED_ERROR */
	case 1698: /* ER_ACCESS_DENIED_NO_PASSWORD_ERROR */
		return " (access denied: database.user or its password)";
	case 1049: /* ER_BAD_DB_ERROR */
		return " (there is no such database)";
	case 1142: /* ER_TABLEACCESS_DENIED_ERROR */
	case 1143: /* ER_COLUMNACCESS_DENIED_ERROR */
		return " (the account lacks a right on the table)";
	case 1146: /* ER_NO_SUCH_TABLE */
		return " (no such table: pintlectl db migrate)";
	case 2002: /* CR_CONNECTION_ERROR */
	case 2003: /* CR_CONN_HOST_ERROR */
		return " (no server answers there)";
	default:
		return "";
	}
}

/* ---- connections */

static void close_link(struct db_link *link)
{
	for (size_t i = 0; i < SQL_STATEMENTS; i++) {
		if (link->prepared[i])
			mysql_stmt_close(link->prepared[i]);
		link->prepared[i] = NULL;
	}
	if (link->mysql)
		mysql_close(link->mysql);
	link->mysql = NULL;
}

static void set_tls(MYSQL *mysql, const struct db *db)
{
	const enum config_tls tls = db->config->tls;

	if (tls == CONFIG_TLS_OFF)
		return;
#if HAVE_DECL_MYSQL_OPT_SSL_MODE
	unsigned mode = tls == CONFIG_TLS_VERIFY ? SSL_MODE_VERIFY_IDENTITY : SSL_MODE_REQUIRED;

	mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
#else
	my_bool yes = 1, verify = tls == CONFIG_TLS_VERIFY;

	mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#endif
	if (db->ca_file)
		mysql_options(mysql, MYSQL_OPT_SSL_CA, db->ca_file);
}

static MYSQL *new_handle(const struct db *db)
{
	const struct config_database *config = db->config;
	unsigned connect_s = (unsigned)config->connect_timeout_s;
	unsigned query_s = (unsigned)config->query_timeout_s, no = 0;
	MYSQL *mysql = mysql_init(NULL);

	if (!mysql)
		abort(); /* out of memory */
	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &query_s);
	mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &query_s);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* Or a server in another's hands may ask for any file that we can read. */
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no);
	set_tls(mysql, db);
	if (config->defaults_file) {
		mysql_options(mysql, MYSQL_READ_DEFAULT_FILE, config->defaults_file);
		mysql_options(mysql, MYSQL_READ_DEFAULT_GROUP, "pintle");
	}
	return mysql;
}

/* Whatever the server's defaults are, each connection of ours behaves the same. */
static bool set_session(MYSQL *mysql, const struct config_database *config)
{
	char sql[512];

	/*
	 * A lock is waited for less long than an answer, so that it ends as 1205. With
	 * unique_checks off some servers let one address be there twice.
	 */
	snprintf(sql, sizeof(sql),
		 "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
		 "innodb_lock_wait_timeout = %d, time_zone = '+00:00', autocommit = 1, "
		 "unique_checks = 1, foreign_key_checks = 1, completion_type = 'NO_CHAIN'",
		 config->query_timeout_s > 1 ? config->query_timeout_s - 1 : 1);
	if (mysql_query(mysql, sql) ||
	    mysql_query(mysql, "SET SESSION TRANSACTION"
			       " ISOLATION LEVEL READ COMMITTED, READ WRITE"))
		return false;
	/* What another node of a cluster has committed is seen here: no session is "gone". */
	return !mysql_query(mysql, "SET SESSION wsrep_sync_wait = 7") ||
	       mysql_errno(mysql) == 1193; /* ER_UNKNOWN_SYSTEM_VARIABLE: no Galera */
}

/* MariaDB's client goes on in the clear with a server that offers no TLS, unless it verifies. */
static bool is_encrypted_as_set(MYSQL *mysql, const struct config_database *config)
{
	return config->tls == CONFIG_TLS_OFF || mysql_get_ssl_cipher(mysql) != NULL;
}

static bool connect_to(struct db *db, struct db_link *link, const char *host,
		       unsigned *error)
{
	const struct config_database *config = db->config;
	const bool local = strcmp(host, "localhost") == 0;

	link->mysql = new_handle(db);
	if (mysql_real_connect(link->mysql, *host ? host : NULL, config->user,
			       config->password, config->name, (unsigned)config->port,
			       local ? config->socket : NULL, 0) &&
	    is_encrypted_as_set(link->mysql, config) && set_session(link->mysql, config))
		return true;
	*error = mysql_errno(link->mysql);
	if (!*error)
		*error = 2026; /* CR_SSL_CONNECTION_ERROR */
	close_link(link);
	return false;
}

bool db_open(struct db *db, struct db_link *link, struct problem *p)
{
	const struct config_list *hosts = &db->config->hosts;
	unsigned error = 0;
	size_t first;

	if (link->mysql)
		return true;
	pthread_mutex_lock(&db->mutex);
	if (link->unfit && db->host == link->host)
		db->host = (db->host + 1) % hosts->count;
	first = db->host;
	pthread_mutex_unlock(&db->mutex);
	link->unfit = false;
	for (size_t i = 0; i < hosts->count; i++) {
		const size_t host = (first + i) % hosts->count;

		if (!connect_to(db, link, hosts->items[host], &error))
			continue;
		link->host = host;
		pthread_mutex_lock(&db->mutex);
		db->host = host;
		pthread_mutex_unlock(&db->mutex);
		return true;
	}
	link->fault = DB_LOST;
	metrics_db(METRICS_DB_CONNECT);
	return problem(p, DATABASE_AWAY, "cannot connect: error %u%s", error, meaning(error));
}

struct db *db_new(const struct config *config)
{
	struct db *db = x_alloc(sizeof(*db));
	pthread_condattr_t attributes;

	mysql_library_init(0, NULL, NULL);
	db->config = &config->database;
	db->ca_file = config->ca_file;
	pthread_mutex_init(&db->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&db->returned, &attributes);
	pthread_condattr_destroy(&attributes);
	db->all = x_alloc((size_t)db->config->pool * sizeof(*db->all));
	for (int i = 0; i < db->config->pool; i++) {
		db->all[i].next_free = db->free;
		db->free = &db->all[i];
	}
	return db;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < db->config->pool; i++)
		close_link(&db->all[i]);
	pthread_cond_destroy(&db->returned);
	pthread_mutex_destroy(&db->mutex);
	free(db->all);
	free(db);
}

/* The connection used last is given out first: the others may close for being idle. */
struct db_link *db_take(struct db *db, struct problem *p)
{
	struct timespec until;
	struct db_link *link;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += db->config->query_timeout_s;
	pthread_mutex_lock(&db->mutex);
	while (!db->free)
		if (pthread_cond_timedwait(&db->returned, &db->mutex, &until))
			break;
	link = db->free;
	if (link)
		db->free = link->next_free;
	pthread_mutex_unlock(&db->mutex);
	if (!link) {
		metrics_db(METRICS_DB_BUSY);
		problem(p, DATABASE_AWAY, "all %d connections are busy", db->config->pool);
	} else if (!db_open(db, link, p)) {
		db_give_back(db, link);
		link = NULL;
	}
	return link;
}

void db_give_back(struct db *db, struct db_link *link)
{
	pthread_mutex_lock(&db->mutex);
	link->next_free = db->free;
	db->free = link;
	pthread_cond_signal(&db->returned);
	pthread_mutex_unlock(&db->mutex);
}

enum db_fault db_fault(const struct db_link *link)
{
	return link->fault;
}

void store_thread_start(void)
{
	mysql_thread_init();
}

void store_thread_end(void)
{
	mysql_thread_end();
}

/* ---- statements */

/*
 * Notes a failure and what it means. The server's text may hold data, or come from somebody
 * in between: only its number is logged.
 */
static bool fail(struct db_link *link, unsigned error, const char *what, struct problem *p)
{
	static const enum metrics_db counted[] = {
		[DB_LOST] = METRICS_DB_LOST,	     [DB_AGAIN] = METRICS_DB_AGAIN,
		[DB_NO_TABLE] = METRICS_DB_NO_TABLE, [DB_OTHER] = METRICS_DB_OTHER,
		[DB_FINE] = METRICS_DB_OTHER,
	};

	link->fault = classify(error);
	link->unfit = is_unfit(error);
	metrics_db(counted[link->fault]);
	if (link->fault == DB_LOST)
		close_link(link);
	return problem(p, DATABASE_AWAY, "%s: error %u%s", what, error, meaning(error));
}

/* The key column must be compared byte for byte and be UNIQUE; its metadata says so. */
static bool check_key_column(struct db_link *link, MYSQL_STMT *statement, struct problem *p)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(statement);
	const MYSQL_FIELD *email = meta ? mysql_fetch_field_direct(meta, DB_EMAIL_COLUMN) : NULL;
	const bool good = email && email->charsetnr == CHARSET_BINARY &&
			  (email->flags & UNIQUE_KEY_FLAG);

	if (meta)
		mysql_free_result(meta);
	if (good)
		return true;
	link->fault = DB_OTHER;
	return problem(p, INTERNAL, "users.email is not compared byte for byte or not UNIQUE");
}

static MYSQL_STMT *prepare(struct db_link *link, enum sql_statement id, struct problem *p)
{
	const char *text = statements[id].text;
	MYSQL_STMT *statement = link->prepared[id];
	unsigned error;

	if (statement)
		return statement;
	statement = mysql_stmt_init(link->mysql);
	if (!statement)
		abort(); /* out of memory */
	if (mysql_stmt_prepare(statement, text, strlen(text))) {
		error = mysql_stmt_errno(statement);
		mysql_stmt_close(statement);
		fail(link, error, statements[id].name, p);
		return NULL;
	}
	if (id == SQL_USER_BY_EMAIL && !check_key_column(link, statement, p)) {
		mysql_stmt_close(statement);
		return NULL;
	}
	link->prepared[id] = statement;
	return statement;
}

static bool bind_values(MYSQL_STMT *statement, const struct db_call *call)
{
	MYSQL_BIND binds[DB_MAX_COLUMNS];

	memset(binds, 0, sizeof(binds));
	for (size_t i = 0; i < call->value_count; i++) {
		struct db_value *in = &call->values[i];

		switch (in->type) {
		case DB_NULL:
			binds[i].buffer_type = MYSQL_TYPE_NULL;
			break;
		case DB_BYTES:
			binds[i].buffer_type = MYSQL_TYPE_BLOB;
			binds[i].buffer = (void *)(uintptr_t)in->bytes.data;
			binds[i].buffer_length = in->bytes.len;
			break;
		case DB_TIME:
			binds[i].buffer_type = MYSQL_TYPE_STRING;
			binds[i].buffer = in->time;
			binds[i].buffer_length = strlen(in->time);
			break;
		case DB_NUMBER:
			binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
			binds[i].buffer = &in->number;
			binds[i].is_unsigned = 1;
			break;
		}
	}
	return !mysql_stmt_bind_param(statement, binds);
}

/* What the library tells about the columns of the row at hand. */
struct row {
	unsigned long lens[DB_MAX_COLUMNS];
	my_bool nulls[DB_MAX_COLUMNS];
};

static bool bind_columns(MYSQL_STMT *statement, const struct db_call *call, struct row *row)
{
	MYSQL_BIND binds[DB_MAX_COLUMNS];

	memset(binds, 0, sizeof(binds));
	for (size_t i = 0; i < call->column_count; i++) {
		const struct db_column *out = &call->columns[i];

		binds[i].buffer_type = out->size ? MYSQL_TYPE_STRING : MYSQL_TYPE_LONGLONG;
		binds[i].buffer = out->out;
		binds[i].buffer_length = out->size;
		binds[i].length = &row->lens[i];
		binds[i].is_null = &row->nulls[i];
	}
	return !mysql_stmt_bind_result(statement, binds);
}

/* Ends texts with NUL; one that does not fit is a fault, never cut. */
static bool finish_row(const struct db_call *call, const struct row *row)
{
	for (size_t i = 0; i < call->column_count; i++) {
		const struct db_column *out = &call->columns[i];
		const unsigned long len = row->nulls[i] ? 0 : row->lens[i];

		if (out->size && len >= out->size)
			return false;
		if (out->size)
			((char *)out->out)[len] = '\0';
		else if (row->nulls[i])
			*(uint64_t *)out->out = 0;
	}
	return true;
}

static enum store_outcome fetch_rows(struct db_link *link, MYSQL_STMT *statement,
				     struct db_call *call, struct problem *p)
{
	const char *name = statements[call->id].name;
	enum store_outcome outcome = STORE_NOT_FOUND;
	struct row row;
	int fetched;

	if (!bind_columns(statement, call, &row) || mysql_stmt_store_result(statement)) {
		fail(link, mysql_stmt_errno(statement), name, p);
		return STORE_FAILED;
	}
	while ((fetched = mysql_stmt_fetch(statement)) == 0 ||
	       fetched == MYSQL_DATA_TRUNCATED) {
		if (!finish_row(call, &row)) {
			problem(p, INTERNAL, "%s: a column is too long", name);
			link->fault = DB_OTHER;
			outcome = STORE_FAILED;
			break;
		}
		outcome = STORE_OK;
		if (call->each)
			call->each(call->context);
	}
	if (fetched == 1) {
		fail(link, mysql_stmt_errno(statement), name, p);
		return STORE_FAILED;
	}
	mysql_stmt_free_result(statement);
	return outcome;
}

enum store_outcome db_run(struct db_link *link, struct db_call *call, struct problem *p)
{
	MYSQL_STMT *statement = prepare(link, call->id, p);
	unsigned error;

	if (!statement)
		return STORE_FAILED;
	link->fault = DB_FINE;
	if (!bind_values(statement, call) || mysql_stmt_execute(statement)) {
		error = mysql_stmt_errno(statement);
		if (error == DUPLICATE_ENTRY)
			return STORE_ALREADY_THERE;
		fail(link, error, statements[call->id].name, p);
		return STORE_FAILED;
	}
	if (call->column_count)
		return fetch_rows(link, statement, call, p);
	call->changed = mysql_stmt_affected_rows(statement);
	call->new_id = mysql_stmt_insert_id(statement);
	return STORE_OK;
}

/* ---- transactions and texts */

bool db_begin(struct db_link *link, struct problem *p)
{
	return db_run_text(link, AS_TEXT("START TRANSACTION"), p);
}

void db_roll_back(struct db_link *link)
{
	/* Where it cannot be said that nothing is left open, the connection goes. */
	if (link->mysql && mysql_rollback(link->mysql))
		close_link(link);
}

bool db_commit(struct db_link *link, struct problem *p)
{
	const uint64_t started = metrics_clock();

	if (!mysql_commit(link->mysql)) {
		metrics_commit(metrics_clock() - started);
		return true;
	}
	fail(link, mysql_errno(link->mysql), "COMMIT", p);
	/* Any other error than a conflict leaves it open whether it was done. */
	if (link->fault != DB_AGAIN)
		link->fault = DB_LOST;
	close_link(link);
	return false;
}

bool db_run_text(struct db_link *link, struct text sql, struct problem *p)
{
	char what[48];

	link->fault = DB_FINE;
	if (!mysql_real_query(link->mysql, sql.data, sql.len))
		return true;
	/* The first words of a statement of ours, for the log. */
	snprintf(what, sizeof(what), "%.*s", (int)(sql.len < 40 ? sql.len : 40), sql.data);
	return fail(link, mysql_errno(link->mysql), what, p);
}

void db_describe(struct db_link *link, char *out, size_t size)
{
	snprintf(out, size, "%s, %s", mysql_get_server_info(link->mysql),
		 mysql_get_host_info(link->mysql));
}
