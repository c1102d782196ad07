/* What the files of the fake store share: rows, transactions, faults. */
#ifndef PINTLE_FAKE_ROWS_H
#define PINTLE_FAKE_ROWS_H

#include <pthread.h>

#include "fake_store.h"

#define FAKE_MAX_PLANS 8

/* A column of the widest type; binary. */
struct bytes {
	size_t len;
	char data[256];
};

/* A row of any table; each table uses its part. */
struct record {
	uint64_t id, user_id;
	struct bytes key[2];  /* email, phone; provider, subject; hash; email; hash */
	struct bytes written; /* of an identity */
	bool active, used;
	int64_t created_at, seen_at, expires_at;
	struct store_session session;
};

/* While it has an owner, others see it as it was before. */
struct row {
	struct row *next;
	enum fake_table table;
	struct store_tx *owner;
	bool there, will_be;
	struct record now, then;
};

struct store_tx {
	struct store *store;
	bool again, may_be_done, failed;
	struct store_tx *waits_for, *next_waiting;
	struct row *wants; /* while it waits */
};

struct plan {
	char operation[24];
	unsigned skip, count;
	enum fake_fault fault;
};

struct store {
	pthread_mutex_t mutex; /* for all below */
	pthread_cond_t ended;  /* some transaction */
	struct row *rows, **end;
	struct store_tx *waiting;
	uint64_t next_id[FAKE_TABLES];
	struct plan plans[FAKE_MAX_PLANS];
	size_t plan_count;
	bool away;
	int schema;
	struct fake_counts counts;
	void (*hook)(void *context, const char *operation);
	void *hook_context;
};

/* A test or the program under it did what no store forgives: says so and ends the process. */
void fake_misuse(const char *what) __attribute__((noreturn));

/* One statement; runs with the store's mutex held. */
typedef enum store_outcome fake_statement(struct store_tx *tx, void *arguments,
					  struct problem *p);

/* Within a transaction; and as a transaction of its own, once more if the connection is lost. */
enum store_outcome fake_run(struct store_tx *tx, const char *operation,
			    fake_statement *statement, void *arguments,
			    struct problem *p);
enum store_outcome fake_run_single(struct store *store, const char *operation,
				   fake_statement *statement, void *arguments,
				   struct problem *p);

/* ---- within a statement */

/* The transaction fails; it is started over unless FAULT is FAKE_BROKEN. STORE_FAILED. */
enum store_outcome fake_fail(struct store_tx *tx, enum fake_fault fault,
			     struct problem *p);

/* Rows as TX sees them. */
bool fake_is_there(const struct row *row, const struct store_tx *tx);
const struct record *fake_seen(const struct row *row, const struct store_tx *tx);
struct row *fake_find_id(struct store_tx *tx, enum fake_table table, uint64_t id);
struct row *fake_find_key(struct store_tx *tx, enum fake_table table,
			  const struct record *wanted);

/* Makes the row TX's own; waits while it is another's. False: a deadlock. */
bool fake_claim(struct store_tx *tx, struct row *row);

/* RECORD gets its id. STORE_OK, ALREADY_THERE or FAILED. */
enum store_outcome fake_add_row(struct store_tx *tx, enum fake_table table,
				struct record *record, struct problem *p);

/* Ends a transaction and lets go of its rows. */
void fake_finish(struct store_tx *tx, bool commit);

/* ---- rows that are found or changed: one by its id or key, or those of a user */

struct fake_change {
	enum fake_table table;
	uint64_t id; /* 0: by key */
	struct record key;
	uint64_t user_id; /* 0: anybody's */
	int64_t now;
	uint64_t from; /* a generation */
	int keep;
	struct store_session *session;
	struct store_user *user;
	bool others;
	uint64_t changed;
};

struct row *fake_find_one(struct store_tx *tx, const struct fake_change *c);

void fake_copy_user(const struct row *row, const struct store_tx *tx,
		    struct store_user *out);

/* ---- values */

void fake_print_id(char out[STORE_ID_SIZE], uint64_t id);

bool fake_same(const struct bytes *a, const struct bytes *b);

/* False: longer than LIMIT. */
bool fake_put(struct bytes *out, struct text in, size_t limit);

/* An id is a number in decimal; anything else is nobody's: 0. */
uint64_t fake_number_of(const char *id);

#endif
