#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store_mysql.h"
#include "store_own.h"

/* With many first logins of one person at once, most start over more than once. */
#define ATTEMPTS 8
/* A connection that was closed meanwhile, a host that is of no use, and one that is. */
#define SINGLE_ATTEMPTS 3

struct store *store_new(const struct config *config)
{
	struct store *store = x_alloc(sizeof(*store));

	store->db = db_new(config);
	store->config = config;
	store->own = own_new(store->db, &config->accounts);
	store->query_timeout_s = config->database.query_timeout_s;
	return store;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	db_free(store->db);
	own_free(store->own);
	free(store);
}

/* ---- transactions */

static bool attempt(struct store_tx *tx,
		    bool (*work)(struct store_tx *tx, void *context, struct problem *p),
		    void *context, struct problem *p)
{
	struct db_link *link = tx->link;

	tx->again = false;
	if (!db_open(tx->store->db, link, p))
		return false;
	if (!store_look(tx->store, link, p) || !db_begin(link, p)) {
		/* Galera waits here for what other nodes have committed: 1205 when in vain. */
		tx->again = db_fault(link) == DB_LOST || db_fault(link) == DB_AGAIN;
		return false;
	}
	if (!work(tx, context, p)) {
		db_roll_back(link);
		return false;
	}
	if (db_commit(link, p))
		return true;
	tx->again = true;
	tx->may_be_done = tx->may_be_done || db_fault(link) == DB_LOST;
	return false;
}

/* Whole seconds would take two that are a moment apart for one that has passed. */
static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Somebody waits for the answer: after slow attempts two are enough. */
static bool is_enough(const struct store *store, int attempt, int most, int64_t started)
{
	return attempt == most ||
	       (attempt > 1 &&
		milliseconds() - started >= store->query_timeout_s * INT64_C(1000));
}

/* A little, and not the same for everybody, before a transaction is started over. */
static void pause_before(int attempt)
{
	unsigned char random;

	secret_random(&random, 1);
	usleep((useconds_t)attempt * 5000 + random * 20u);
}

bool store_transact(struct store *store,
		    bool (*work)(struct store_tx *tx, void *context, struct problem *p),
		    void *context, struct problem *p)
{
	struct store_tx tx = { .store = store,
			       .link = db_take(store->db, DB_TRANSACTION, p) };
	const int64_t started = milliseconds();
	bool done = false;

	if (!tx.link)
		return false;
	for (int i = 1; i <= ATTEMPTS; i++) {
		done = attempt(&tx, work, context, p);
		if (done || !tx.again || is_enough(store, i, ATTEMPTS, started))
			break;
		problem_clear(p);
		pause_before(i);
	}
	db_give_back(store->db, tx.link);
	return done;
}

bool store_tx_again(struct store_tx *tx, struct problem *p)
{
	tx->again = true;
	return problem(p, DATABASE_AWAY,
		       "other transactions were faster, again and again");
}

void store_tx_about(struct store_tx *tx, struct text email, struct text phone,
		    struct text provider, struct text subject)
{
	tx->about = (struct store_about){ email, phone, provider, subject };
}

void store_tx_try(struct store_tx *tx)
{
	tx->is_trial = true;
}

bool store_tx_may_be_done(const struct store_tx *tx)
{
	return tx->may_be_done;
}

enum store_outcome store_run(struct store_tx *tx, struct db_call *call, struct problem *p)
{
	const enum store_outcome outcome = db_run(tx->link, call, p);

	if (outcome == STORE_FAILED)
		tx->again =
			db_fault(tx->link) == DB_LOST || db_fault(tx->link) == DB_AGAIN;
	return outcome;
}

bool store_take_away(struct store_tx *tx, enum sql_statement id, struct db_value in,
		     uint64_t *gone, struct problem *p)
{
	struct db_call call = { .id = id, .values = &in, .value_count = 1 };

	if (store_run(tx, &call, p) != STORE_OK)
		return false;
	if (!store_tx_may_be_done(tx) || call.changed)
		*gone = call.changed;
	return true;
}

/* ---- single statements */

enum store_outcome store_run_single(struct store *store, struct db_call *call,
				    struct problem *p)
{
	struct db_link *link = db_take(store->db, DB_STATEMENTS, p);
	const int64_t started = milliseconds();
	enum store_outcome outcome = STORE_FAILED;
	bool open = false;

	if (!link)
		return STORE_FAILED;
	for (int i = 1; i <= SINGLE_ATTEMPTS; i++) {
		bool looked;

		if (!db_open(store->db, link, p))
			break;
		looked = store_look(store, link, p);
		outcome = looked ? db_run(link, call, p) : STORE_FAILED;
		if (outcome == STORE_NOT_FOUND && !db_is_current(link, p))
			outcome = STORE_FAILED;
		/* As of a COMMIT: any error but a conflict leaves it open whether it was done. */
		if (looked && outcome == STORE_FAILED && db_fault(link) != DB_AGAIN &&
		    db_fault(link) != DB_NO_TABLE)
			open = true;
		if (outcome != STORE_FAILED ||
		    is_enough(store, i, SINGLE_ATTEMPTS, started) ||
		    (db_fault(link) != DB_LOST && db_fault(link) != DB_AGAIN))
			break;
		problem_clear(p);
	}
	if (outcome == STORE_FAILED)
		p->may_be_done = open;
	db_give_back(store->db, link);
	return outcome;
}
