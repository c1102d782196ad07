/*
 * Connections to MySQL or MariaDB, and prepared statements on them: ours, which stand in
 * sql.def, and an administrator's own, for a users table that is not ours. For the store.
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

/* The administrator's own come after ours; db_set_own fills them. */
#define DB_OWN_MAX 18
#define SQL_OWN(index) ((enum sql_statement)(SQL_STATEMENTS + (index)))
#define SQL_ALL (SQL_STATEMENTS + DB_OWN_MAX)

/* What the last failure on a connection means. */
enum db_fault {
	DB_FINE,
	DB_LOST,     /* the connection is gone, and closed; open it again */
	DB_AGAIN,    /* a deadlock or lock timeout: the transaction was rolled back */
	DB_NO_TABLE, /* the schema is not there */
	DB_OTHER,
};

struct db;	/* a pool */
struct db_link; /* one connection of it */

struct db *db_new(const struct config *config);
void db_free(struct db *db);

/* Statement SQL_OWN(INDEX): what errors call it, and its text; both outlive DB. */
void db_set_own(struct db *db, size_t index, const char *name, const char *text);

/* Each statement by itself, or from db_begin to db_commit. */
enum db_use { DB_STATEMENTS, DB_TRANSACTION };

/*
 * A connection for this thread alone, opened if need be; waits while all are busy. NULL and
 * problem DATABASE_AWAY when none can be had. It goes back with db_give_back.
 */
struct db_link *db_take(struct db *db, enum db_use use, struct problem *p);
void db_give_back(struct db *db, struct db_link *link);

/* Opens it if it was lost: on the first host of database.hosts that answers. */
bool db_open(struct db *db, struct db_link *link, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * Is what is not there known to be nowhere? Not where the host has become read-only since it
 * was connected to, and another one is written to: then that is a problem, and DB_LOST.
 */
bool db_is_current(struct db_link *link, struct problem *p)
	__attribute__((warn_unused_result));

enum db_fault db_fault(const struct db_link *link);

/* ---- values that go in */

/* BYTES are compared byte for byte, TEXT by the column that it is compared with. */
enum db_type { DB_NULL, DB_BYTES, DB_TEXT, DB_NUMBER, DB_TIME };

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
	size_t *len; /* of the text, which may have a NUL in it; NULL where that is no matter */
};

#define DB_MAX_COLUMNS 16
#define DB_TEXT_COLUMN(field)                                                            \
	{                                                                                \
		(field), sizeof(field), NULL                                             \
	}
#define DB_NUMBER_COLUMN(field)                                                          \
	{                                                                                \
		&(field), 0, NULL                                                        \
	}

/* One statement with what goes in and out. */
struct db_call {
	enum sql_statement id;
	struct db_value *values;
	size_t value_count;
	const struct db_column *columns;
	size_t column_count;	     /* 0: a change, not a query */
	void (*each)(void *context); /* after each row; may be NULL */
	void *context;
	uint64_t changed, new_id; /* out, of a change */
};

/*
 * Runs it. A query: STORE_OK when there was a row, STORE_NOT_FOUND, STORE_FAILED. A change:
 * STORE_OK, STORE_ALREADY_THERE, STORE_FAILED.
 */
enum store_outcome db_run(struct db_link *link, struct db_call *call, struct problem *p);

const char *db_statement_text(enum sql_statement id);

bool db_begin(struct db_link *link, struct problem *p)
	__attribute__((warn_unused_result));
void db_roll_back(struct db_link *link);
/* After a failure with DB_LOST the fate of the transaction is unknown. */
bool db_commit(struct db_link *link, struct problem *p)
	__attribute__((warn_unused_result));

/* One statement of a migration, as it stands. */
bool db_run_text(struct db_link *link, struct text sql, struct problem *p)
	__attribute__((warn_unused_result));

/* A column of a statement's result: its name there, and the column of a table behind it. */
struct db_field {
	char name[65], schema[65], table[65], column[65]; /* "" where there is none */
};

/*
 * Prepares it, unless that was done, and describes its result: the first ROOM columns of
 * *COUNT, 0 of a change. What the server has against an own statement is problem INTERNAL
 * in the server's words.
 */
bool db_prepare(struct db_link *link, enum sql_statement id, struct db_field *fields,
		size_t room, size_t *count, struct problem *p)
	__attribute__((warn_unused_result));

/* A mark for the store: that it has looked at the tables over this connection. */
bool db_is_checked(const struct db_link *link);
void db_set_checked(struct db_link *link);

/* How the server is reached, for people. */
void db_describe(struct db_link *link, char *out, size_t size);

#endif
