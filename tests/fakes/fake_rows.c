#include "fake_rows.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ATTEMPTS 3
#define LOCK_WAIT_S 3

void fake_misuse(const char *what)
{
	fprintf(stderr, "fake store: %s\n", what);
	abort();
}

struct store *store_new(const struct config *config)
{
	struct store *store = x_alloc(sizeof(*store));

	(void)config;
	pthread_mutex_init(&store->mutex, NULL);
	pthread_cond_init(&store->ended, NULL);
	store->end = &store->rows;
	store->schema = STORE_SCHEMA_VERSION;
	return store;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	while (store->rows) {
		struct row *row = store->rows;

		store->rows = row->next;
		free(row);
	}
	pthread_cond_destroy(&store->ended);
	pthread_mutex_destroy(&store->mutex);
	free(store);
}

void store_thread_start(void)
{
}

void store_thread_end(void)
{
}

/* ---- faults */

static enum fake_fault next_fault(struct store *store, const char *operation)
{
	for (size_t i = 0; i < store->plan_count; i++) {
		struct plan *plan = &store->plans[i];

		if ((*plan->operation && strcmp(plan->operation, operation) != 0) ||
		    !plan->count)
			continue;
		if (plan->skip) {
			plan->skip--;
			continue;
		}
		plan->count--;
		store->counts.faults++;
		return plan->fault;
	}
	return FAKE_FINE;
}

/* Before each operation; the mutex is held afterwards. */
static enum fake_fault enter(struct store *store, const char *operation)
{
	void (*hook)(void *context, const char *operation);
	void *context;

	pthread_mutex_lock(&store->mutex);
	hook = store->hook;
	context = store->hook_context;
	pthread_mutex_unlock(&store->mutex);
	if (hook)
		hook(context, operation);
	sched_yield(); /* so that threads take turns between their statements */
	pthread_mutex_lock(&store->mutex);
	store->counts.operations++;
	return next_fault(store, operation);
}

static bool is_done(enum fake_fault fault)
{
	return fault == FAKE_FINE || fault == FAKE_LOST_DONE || fault == FAKE_BROKEN_DONE;
}

enum store_outcome fake_fail(struct store_tx *tx, enum fake_fault fault,
			     struct problem *p)
{
	tx->failed = true;
	tx->again = fault != FAKE_BROKEN && fault != FAKE_BROKEN_DONE;
	problem(p, DATABASE_AWAY, "fake fault %d", fault);
	return STORE_FAILED;
}

/* ---- transactions and rows */

static bool in_circle(const struct store_tx *tx, const struct store_tx *owner)
{
	for (; owner; owner = owner->waits_for)
		if (owner == tx)
			return true;
	return false;
}

static void give(struct row *row, struct store_tx *tx)
{
	row->owner = tx;
	row->then = row->now;
	row->will_be = row->there;
}

/* Waits until the row is TX's or nobody's. False: a deadlock, or it took too long. */
static bool wait_for(struct store_tx *tx, struct row *row)
{
	struct store *store = tx->store;
	struct timespec until;
	struct store_tx **link;
	bool late = false;

	if (in_circle(tx, row->owner))
		return false;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LOCK_WAIT_S;
	tx->waits_for = row->owner;
	tx->wants = row;
	for (link = &store->waiting; *link; link = &(*link)->next_waiting)
		;
	*link = tx;
	while (tx->waits_for && !late)
		late = pthread_cond_timedwait(&store->ended, &store->mutex, &until) != 0;
	for (link = &store->waiting; *link != tx; link = &(*link)->next_waiting)
		;
	*link = tx->next_waiting;
	tx->next_waiting = NULL;
	late = tx->waits_for != NULL;
	tx->waits_for = NULL;
	return !late;
}

/*
 * To the one that has waited longest; the rest wait for that one. Were it free for all, a
 * transaction that is started over could be faster than those that waited for it.
 */
static void hand_over(struct store *store, struct row *row)
{
	struct store_tx *heir = NULL;

	row->owner = NULL;
	for (struct store_tx *w = store->waiting; w; w = w->next_waiting) {
		if (!w->waits_for || w->wants != row)
			continue;
		w->waits_for = heir;
		if (!heir) {
			heir = w;
			give(row, w);
		}
	}
}

void fake_finish(struct store_tx *tx, bool commit)
{
	struct store *store = tx->store;

	for (struct row *row = store->rows; row; row = row->next) {
		if (row->owner != tx)
			continue;
		if (commit) {
			row->now = row->then;
			row->there = row->will_be;
		}
		hand_over(store, row);
	}
	pthread_cond_broadcast(&store->ended);
}

bool fake_is_there(const struct row *row, const struct store_tx *tx)
{
	return row->owner == tx ? row->will_be : row->there;
}

const struct record *fake_seen(const struct row *row, const struct store_tx *tx)
{
	return row->owner == tx ? &row->then : &row->now;
}

bool fake_claim(struct store_tx *tx, struct row *row)
{
	while (row->owner && row->owner != tx)
		if (!wait_for(tx, row))
			return false;
	if (!row->owner)
		give(row, tx);
	return true;
}

bool fake_same(const struct bytes *a, const struct bytes *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static bool same_key(enum fake_table table, const struct record *a,
		     const struct record *b)
{
	if (table == FAKE_USERS) /* two keys, and NULL is equal to nothing */
		return (a->key[0].len && fake_same(&a->key[0], &b->key[0])) ||
		       (a->key[1].len && fake_same(&a->key[1], &b->key[1]));
	return fake_same(&a->key[0], &b->key[0]) && fake_same(&a->key[1], &b->key[1]);
}

struct row *fake_find_id(struct store_tx *tx, enum fake_table table, uint64_t id)
{
	for (struct row *row = tx->store->rows; row; row = row->next)
		if (row->table == table && fake_is_there(row, tx) && row->now.id == id)
			return row;
	return NULL;
}

struct row *fake_find_key(struct store_tx *tx, enum fake_table table,
			  const struct record *wanted)
{
	for (struct row *row = tx->store->rows; row; row = row->next)
		if (row->table == table && fake_is_there(row, tx) &&
		    same_key(table, wanted, &row->now))
			return row;
	return NULL;
}

/* New rows come at the end, so one that arrives during a wait is looked at as well. */
enum store_outcome fake_add_row(struct store_tx *tx, enum fake_table table,
				struct record *record, struct problem *p)
{
	struct store *store = tx->store;
	struct row *added;

	record->id = ++store->next_id[table]; /* spent even if it fails */
	for (struct row *row = store->rows; row; row = row->next) {
		if (row->table != table || !same_key(table, record, &row->now))
			continue;
		while (row->owner && row->owner != tx)
			if (!wait_for(tx, row))
				return fake_fail(tx, FAKE_CONFLICT, p);
		if (fake_is_there(row, tx))
			return STORE_ALREADY_THERE;
	}
	added = x_alloc(sizeof(*added));
	*added = (struct row){ .table = table,
			       .owner = tx,
			       .will_be = true,
			       .now = *record,
			       .then = *record };
	*store->end = added;
	store->end = &added->next;
	return STORE_OK;
}

static bool attempt(struct store_tx *tx,
		    bool (*work)(struct store_tx *tx, void *context, struct problem *p),
		    void *context, struct problem *p)
{
	struct store *store = tx->store;
	enum fake_fault fault = enter(store, "begin");
	bool good;

	tx->again = tx->failed = false;
	store->counts.begins++;
	if (store->away)
		fault = FAKE_BROKEN;
	if (fault != FAKE_FINE)
		fake_fail(tx, fault, p);
	pthread_mutex_unlock(&store->mutex);
	if (fault != FAKE_FINE)
		return false;
	good = work(tx, context, p);
	if (good && tx->failed)
		fake_misuse("WORK went on after a failure");
	if (!good && p->kind == PROBLEM_NONE)
		fake_misuse("WORK failed without a problem");
	if (good) {
		fault = enter(store, "commit");
		if (fault != FAKE_FINE)
			fake_fail(tx, fault, p);
		/* Whatever else goes wrong there, nobody knows whether it was done. */
		tx->again = fault != FAKE_FINE;
		tx->may_be_done |= tx->again && fault != FAKE_CONFLICT;
	} else {
		pthread_mutex_lock(&store->mutex);
	}
	fake_finish(tx, good && is_done(fault));
	store->counts.commits += good && fault == FAKE_FINE;
	store->counts.rollbacks += !good;
	pthread_mutex_unlock(&store->mutex);
	return good && fault == FAKE_FINE;
}

bool store_transact(struct store *store,
		    bool (*work)(struct store_tx *tx, void *context, struct problem *p),
		    void *context, struct problem *p)
{
	struct store_tx tx = { .store = store };

	for (int i = 1; i <= ATTEMPTS; i++) {
		if (attempt(&tx, work, context, p))
			return true;
		if (!tx.again || i == ATTEMPTS)
			break;
		problem_clear(p);
	}
	return false;
}

bool store_tx_again(struct store_tx *tx, struct problem *p)
{
	tx->again = true;
	return problem(p, DATABASE_AWAY,
		       "other transactions were faster, again and again");
}

bool store_tx_may_be_done(const struct store_tx *tx)
{
	return tx->may_be_done;
}

/* Runs DO, a statement on ARGUMENTS, within TX. */
enum store_outcome fake_run(struct store_tx *tx, const char *operation,
			    fake_statement *statement, void *arguments, struct problem *p)
{
	enum fake_fault fault;
	enum store_outcome outcome;

	if (tx->failed)
		fake_misuse("a statement after a failure");
	fault = enter(tx->store, operation);
	outcome = fault == FAKE_FINE ? statement(tx, arguments, p)
				     : fake_fail(tx, fault, p);
	pthread_mutex_unlock(&tx->store->mutex);
	return outcome;
}

/* A transaction of one statement, done again once when the connection is lost. */
enum store_outcome fake_run_single(struct store *store, const char *operation,
				   fake_statement *statement, void *arguments,
				   struct problem *p)
{
	enum store_outcome outcome = STORE_FAILED;
	bool open = false;

	for (int i = 1; i <= 2; i++) {
		struct store_tx tx = { .store = store };
		enum fake_fault fault = enter(store, operation);

		if (store->away)
			fault = FAKE_BROKEN;
		if (is_done(fault))
			outcome = statement(&tx, arguments, p);
		fake_finish(&tx, !tx.failed);
		if (fault != FAKE_FINE)
			outcome = fake_fail(&tx, fault, p);
		open = open ||
		       (!store->away && fault != FAKE_FINE && fault != FAKE_CONFLICT);
		pthread_mutex_unlock(&store->mutex);
		if (outcome != STORE_FAILED || !tx.again || i == 2)
			break;
		problem_clear(p);
	}
	if (outcome == STORE_FAILED)
		p->may_be_done = open;
	return outcome;
}

/* ---- columns: what does not fit is refused, never cut */

bool fake_put(struct bytes *out, struct text in, size_t limit)
{
	if (in.len > limit)
		return false;
	out->len = in.len;
	if (in.len)
		memcpy(out->data, in.data, in.len);
	return true;
}

uint64_t fake_number_of(const char *id)
{
	const size_t len = strlen(id);

	return len && len <= 20 && strspn(id, "0123456789") == len
		       ? strtoull(id, NULL, 10)
		       : 0;
}
