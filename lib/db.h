/*
 * Connections to MySQL or MariaDB, and prepared statements on them. The only file that
 * knows mysql.h; used by store_mysql.c alone.
 */
#ifndef PINTLE_DB_H
#define PINTLE_DB_H

#include "store.h"

enum sql_statement {
#define SQL(name, text) SQL_##name,
#include "sql.def"
#undef SQL
	SQL_STATEMENTS
};

/* What the last failure on a connection means. */
enum db_fault {
	DB_FINE,
	DB_LOST,     /* the connection is gone, and closed; open it again */
	DB_AGAIN,    /* a deadlock or lock timeout: the transaction was rolled back */
	DB_NO_TABLE, /* the schema is not there */
	DB_OTHER,
};

struct db;   /* a pool */
struct db_link; /* one connection of it */

struct db *db_new(const struct config *config);
void db_free(struct db *db);

/*
 * A connection for this thread alone, opened if need be; waits while all are busy. NULL and
 * problem DATABASE_AWAY when none can be had. It goes back with db_give_back.
 */
struct db_link *db_take(struct db *db, struct problem *p);
void db_give_back(struct db *db, struct db_link *link);

/* Opens it if it was lost: on the first host of database.hosts that answers. */
bool db_open(struct db *db, struct db_link *link, struct problem *p)
	__attribute__((warn_unused_result));

enum db_fault db_fault(const struct db_link *link);

/* ---- values that go in */

enum db_type { DB_NULL, DB_BYTES, DB_NUMBER, DB_TIME };

struct db_value {
	enum db_type type;
	struct text bytes;
	uint64_t number;
	char time[TEXT_TIME_SIZE]; /* DB_TIME: as text, UTC */
};

/* ---- columns that come out: text, ended with NUL ("" for NULL), or a number (0 for NULL) */

struct db_column {
	void *out;
	size_t size; /* 0: OUT is an int64_t or uint64_t */
};

#define DB_MAX_COLUMNS 16
#define DB_TEXT_COLUMN(field) { (field), sizeof(field) }
#define DB_NUMBER_COLUMN(field) { &(field), 0 }

/* One statement with what goes in and out. */
struct db_call {
	enum sql_statement id;
	struct db_value *values;
	size_t value_count;
	const struct db_column *columns;
	size_t column_count; /* 0: a change, not a query */
	void (*each)(void *context); /* after each row; may be NULL */
	void *context;
	uint64_t changed, new_id; /* out, of a change */
};

/*
 * Runs it. A query: STORE_OK when there was a row, STORE_NOT_FOUND, STORE_FAILED. A change:
 * STORE_OK, STORE_ALREADY_THERE, STORE_FAILED.
 */
enum store_outcome db_run(struct db_link *link, struct db_call *call, struct problem *p);

bool db_begin(struct db_link *link, struct problem *p) __attribute__((warn_unused_result));
void db_roll_back(struct db_link *link);
/* After a failure with DB_LOST the fate of the transaction is unknown. */
bool db_commit(struct db_link *link, struct problem *p) __attribute__((warn_unused_result));

/* One statement of a migration, as it stands. */
bool db_run_text(struct db_link *link, struct text sql, struct problem *p)
	__attribute__((warn_unused_result));

/* How the server is reached, for people. */
void db_describe(struct db_link *link, char *out, size_t size);

/* USER_BY_EMAIL's column that must be compared byte for byte and be UNIQUE. */
#define DB_EMAIL_COLUMN 1

#endif
