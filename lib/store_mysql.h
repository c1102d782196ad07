/* What the files behind store.h share. */
#ifndef PINTLE_STORE_MYSQL_H
#define PINTLE_STORE_MYSQL_H

#include <stdlib.h>

#include "db.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct store {
	struct db *db;
	int query_timeout_s;
};

struct store_tx {
	struct store *store;
	struct db_link *link;
	bool again;	  /* start over: a deadlock, a lost connection, or asked for */
	bool may_be_done; /* an earlier attempt's COMMIT had no answer */
};

/* Runs a statement and notes what its failure means for the transaction around it. */
enum store_outcome store_run(struct store_tx *tx, struct db_call *call, struct problem *p);

/*
 * Runs a statement by itself. It must be one that may be done twice without harm: when its
 * connection is lost, or it meets a deadlock, it is repeated once.
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

#define CALL(statement, in) \
	{ .id = SQL_##statement, .values = (in), .value_count = COUNT(in) }
#define QUERY(statement, in, out)                                            \
	{ .id = SQL_##statement, .values = (in), .value_count = COUNT(in),   \
	  .columns = (out), .column_count = COUNT(out) }

#endif
