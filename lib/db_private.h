/*
 * What the files behind db.h share; the only one that includes mysql.h.
 *
 *   db.c             the pool, transactions
 *   db_connect.c     a connection: to which host, how it is set, whether it still serves
 *   db_error.c       what an error number means
 *   db_statement.c   statements: prepared, bound, run, described
 */
#ifndef PINTLE_DB_PRIVATE_H
#define PINTLE_DB_PRIVATE_H

#include <mysql.h>
#include <pthread.h>

#include "autoconf.h"
#include "db.h"

#ifndef HAVE_MY_BOOL
typedef bool my_bool; /* MySQL dropped the name in 8.0 */
#endif

struct db_text {
	const char *name, *text;
};

/*
 * What the library tells about the columns of the row at hand. It outlives the call that reads
 * the row: at the next execution of a statement libmysqlclient writes to where the lengths of
 * the last one went, before anything else can be bound.
 */
struct db_row {
	unsigned long lens[DB_MAX_COLUMNS];
	my_bool nulls[DB_MAX_COLUMNS];
};

struct db_link {
	const struct db *db;
	MYSQL *mysql; /* NULL: to be opened */
	MYSQL_STMT *prepared[SQL_ALL];
	struct db_row row;
	enum db_fault fault;
	size_t host;	    /* where it is, or was */
	bool unfit;	    /* that host answers, but cannot serve us */
	uint64_t looked_at; /* when it was last seen to be written to, by metrics_clock */
	bool checked;	    /* the store has found its tables to be good */
	bool manual;	    /* autocommit is off: any statement begins a transaction */
	struct db_link *next_free;
};

struct db {
	const struct config_database *config;
	const char *ca_file;
	struct db_text own[DB_OWN_MAX];
	pthread_mutex_t mutex; /* for all below */
	pthread_cond_t returned;
	struct db_link *all, *free;
	size_t host; /* the one that answered last; tried first */
};

/* ---- db_connect.c */

/* Closes it, with its statements; it can be opened again. */
void db_close(struct db_link *link);

/* ---- db_error.c */

#define DB_DUPLICATE_ENTRY 1062
#define DB_NO_TLS 2026 /* CR_SSL_CONNECTION_ERROR */

/* For the administrator, of the numbers that he can do something about; else "". */
const char *db_error_meaning(unsigned error);

/* Of DB_NO_TLS, by the client library's words for it, which are not repeated. */
const char *db_tls_meaning(const char *words);

/* Would the statement with these values fail again, however often it is tried? */
bool db_error_is_ours(unsigned error);

/*
 * Notes a failure and what it means; a connection that is lost is closed. The server's text
 * may hold data, or come from somebody in between: only its number is logged. False.
 */
bool db_fail(struct db_link *link, unsigned error, const char *what, struct problem *p);

#endif
