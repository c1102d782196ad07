/* What the files behind store.h share. */
#ifndef PINTLE_STORE_MYSQL_H
#define PINTLE_STORE_MYSQL_H

#include <stdlib.h>

#include "db.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct store_own; /* store_own.c: a users table that is not ours */

struct store {
	struct db *db;
	const struct config *config;
	struct store_own *own; /* NULL: the users are in our table */
	int query_timeout_s;
};

/* What a login's token says; texts of the caller. */
struct store_about {
	struct text email, phone, provider, subject;
};

struct store_tx {
	struct store *store;
	struct db_link *link;
	bool again;	  /* start over: a deadlock, a lost connection, or asked for */
	bool may_be_done; /* an earlier attempt's COMMIT had no answer */
	bool is_trial;
	unsigned duplicates; /* how often query_create met a UNIQUE index */
	struct store_about about;
	char known_as[255]; /* the address or number of the user who was found or made */
};

/*
 * Before the first use of a connection that is open: store_check's look at the tables that it
 * leads to. INTERNAL, DATABASE_AWAY.
 */
bool store_look(struct store *store, struct db_link *link, struct problem *p)
	__attribute__((warn_unused_result));

/* store_check.c: is the table used? */
enum store_use {
	STORE_USERS,
	STORE_IDENTITIES,
	STORE_OWN_IDENTITIES,
	STORE_SESSIONS,
	STORE_INVITES,
	STORE_TOKENS
};
bool store_uses(const struct store *store, enum store_use use);

/*
 * *UNIQUE: is there a unique index on no more than these columns? INEXACT gets a collation
 * by which one of them is compared, "" where all are compared byte for byte.
 */
bool store_check_key(struct db_link *link, const char *schema, const char *table,
		     const char *const columns[2], bool *unique, char inexact[65],
		     struct problem *p) __attribute__((warn_unused_result));
/* Does this collation ("" for none) compare byte for byte, blanks at the end included? */
bool store_check_is_exact(const char *collation);

/* store_schema.c: *VERSION is 0 when there is no schema at all. */
bool store_read_version(struct db_link *link, int *version, struct problem *p)
	__attribute__((warn_unused_result));

/* Runs a statement and notes what its failure means for the transaction around it. */
enum store_outcome store_run(struct store_tx *tx, struct db_call *call,
			     struct problem *p);

/*
 * Runs a removal for IN; *GONE gets how many rows. An attempt that finds none, since the
 * one before was committed after all, leaves the number as it was.
 */
bool store_take_away(struct store_tx *tx, enum sql_statement id, struct db_value in,
		     uint64_t *gone, struct problem *p);

/*
 * Runs a statement by itself. It must be one that may be done twice without harm: when its
 * connection is lost, or it meets a deadlock, it is repeated, twice at most.
 */
enum store_outcome store_run_single(struct store *store, struct db_call *call,
				    struct problem *p);

/* ---- values */

static inline struct db_value store_bytes(struct text t)
{
	return (struct db_value){ .type = DB_BYTES, .bytes = t };
}

static inline struct db_value store_bytes_or_null(struct text t)
{
	return t.len ? store_bytes(t) : (struct db_value){ .type = DB_NULL };
}

static inline struct db_value store_hash(const unsigned char hash[SHA256_BYTES])
{
	return store_bytes((struct text){ (const char *)hash, SHA256_BYTES });
}

static inline struct db_value store_number(uint64_t n)
{
	return (struct db_value){ .type = DB_NUMBER, .number = n };
}

/* What is no decimal number is nobody's id: strtoull takes " 12", "+12" and "12x" for 12. */
static inline struct db_value store_id(const char *id)
{
	const size_t len = strlen(id);
	const bool good = len && len <= 20 && strspn(id, "0123456789") == len;

	return store_number(good ? strtoull(id, NULL, 10) : 0);
}

static inline struct db_value store_time(int64_t when)
{
	struct db_value v = { .type = DB_TIME };

	text_print_time(when, ' ', v.time);
	return v;
}

/* Text for the administrator's own statements: the column that it meets says how to compare. */
static inline struct db_value store_text_or_null(struct text t)
{
	return (struct db_value){ .type = t.len ? DB_TEXT : DB_NULL, .bytes = t };
}

/* Whose something is: users.id, or the id in a table that is not ours. */
static inline struct db_value store_owner(const struct store *store, const char *user_id)
{
	return store->own ? store_bytes(text_of(user_id)) : store_id(user_id);
}

/* The statement for our users table, or its sister for another. */
#define OWNED(store, statement) ((store)->own ? SQL_OWN_##statement : SQL_##statement)

#define CALL(statement, in)                                                              \
	{                                                                                \
		.id = SQL_##statement, .values = (in), .value_count = COUNT(in)          \
	}
#define QUERY(statement, in, out)                                                        \
	{                                                                                \
		.id = SQL_##statement, .values = (in), .value_count = COUNT(in),         \
		.columns = (out), .column_count = COUNT(out)                             \
	}

#endif
