#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store_mysql.h"

/* With many first logins of one person at once, most start over more than once. */
#define ATTEMPTS 8

struct store *store_new(const struct config *config)
{
	struct store *store = x_alloc(sizeof(*store));

	store->db = db_new(config);
	store->query_timeout_s = config->database.query_timeout_s;
	return store;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	db_free(store->db);
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
	if (!db_begin(link, p)) {
		tx->again = db_fault(link) == DB_LOST;
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

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
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
	struct store_tx tx = { .store = store, .link = db_take(store->db, p) };
	const time_t started = seconds();
	bool done = false;

	if (!tx.link)
		return false;
	for (int i = 1; i <= ATTEMPTS; i++) {
		done = attempt(&tx, work, context, p);
		/* Somebody waits for the answer: after slow attempts two are enough. */
		if (done || !tx.again || i == ATTEMPTS ||
		    (i > 1 && seconds() - started >= store->query_timeout_s))
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
	return problem(p, DATABASE_AWAY, "other transactions were faster, again and again");
}

bool store_tx_may_be_done(const struct store_tx *tx)
{
	return tx->may_be_done;
}

enum store_outcome store_run(struct store_tx *tx, struct db_call *call, struct problem *p)
{
	const enum store_outcome outcome = db_run(tx->link, call, p);

	if (outcome == STORE_FAILED)
		tx->again = db_fault(tx->link) == DB_LOST || db_fault(tx->link) == DB_AGAIN;
	return outcome;
}

/* ---- single statements */

enum store_outcome store_run_single(struct store *store, struct db_call *call,
				     struct problem *p)
{
	struct db_link *link = db_take(store->db, p);
	enum store_outcome outcome = STORE_FAILED;

	if (!link)
		return STORE_FAILED;
	for (int i = 1; i <= 2; i++) {
		if (!db_open(store->db, link, p))
			break;
		outcome = db_run(link, call, p);
		if (outcome != STORE_FAILED || i == 2 ||
		    (db_fault(link) != DB_LOST && db_fault(link) != DB_AGAIN))
			break;
		problem_clear(p);
	}
	db_give_back(store->db, link);
	return outcome;
}

/* ---- users */

/* What USER_BY_... gives, before it is a struct store_match. */
struct match_row {
	struct store_match match;
	uint64_t active, subject, other;
};

#define MATCH_COLUMNS(row)                                                                 \
	DB_TEXT_COLUMN((row).match.user.id), DB_TEXT_COLUMN((row).match.user.email),       \
		DB_TEXT_COLUMN((row).match.user.phone), DB_NUMBER_COLUMN((row).active),    \
		DB_NUMBER_COLUMN((row).subject), DB_NUMBER_COLUMN((row).other)

static const struct store_match *finish_match(struct match_row *row)
{
	row->match.user.active = row->active != 0;
	row->match.subject_is_theirs = row->subject == 1;
	row->match.subject_is_anothers = row->subject == 0;
	row->match.has_other_subject = row->other != 0;
	return &row->match;
}

static enum store_outcome find_user(struct store_tx *tx, enum sql_statement id,
				    struct db_value *in, size_t count,
				    struct store_match *out, struct problem *p)
{
	struct match_row row = { 0 };
	const struct db_column columns[] = { MATCH_COLUMNS(row) };
	struct db_call call = { .id = id, .values = in, .value_count = count,
				.columns = columns, .column_count = COUNT(columns) };
	const enum store_outcome outcome = store_run(tx, &call, p);

	if (outcome == STORE_OK)
		*out = *finish_match(&row);
	return outcome;
}

enum store_outcome store_user_by_email(struct store_tx *tx, struct text email,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p)
{
	struct db_value in[] = { store_bytes(provider), store_bytes(subject), store_bytes(provider),
				 store_bytes(subject), store_bytes(email) };

	return find_user(tx, SQL_USER_BY_EMAIL, in, COUNT(in), out, p);
}

enum store_outcome store_user_by_phone(struct store_tx *tx, struct text phone,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p)
{
	struct db_value in[] = { store_bytes(provider), store_bytes(subject), store_bytes(provider),
				 store_bytes(subject), store_bytes(phone) };

	return find_user(tx, SQL_USER_BY_PHONE, in, COUNT(in), out, p);
}

enum store_outcome store_user_by_subject(struct store_tx *tx, struct text provider,
					 struct text subject, struct store_match *out,
					 struct problem *p)
{
	struct db_value in[] = { store_bytes(provider), store_bytes(subject) };

	return find_user(tx, SQL_USER_BY_SUBJECT, in, COUNT(in), out, p);
}

enum store_outcome store_user_add(struct store_tx *tx, struct text email, struct text phone,
				  int64_t now, struct store_user *out, struct problem *p)
{
	struct db_value in[] = { store_bytes_or_null(email), store_bytes_or_null(phone), store_time(now),
				 store_time(now) };
	struct db_call call = CALL(USER_ADD, in);
	struct store_user user = { .active = true };
	const enum store_outcome outcome = store_run(tx, &call, p);

	if (outcome != STORE_OK)
		return outcome;
	snprintf(user.id, sizeof(user.id), "%llu", (unsigned long long)call.new_id);
	snprintf(user.email, sizeof(user.email), "%.*s", TEXT_ARG(email));
	snprintf(user.phone, sizeof(user.phone), "%.*s", TEXT_ARG(phone));
	*out = user;
	return STORE_OK;
}

enum store_outcome store_user_seen(struct store_tx *tx, const char *user_id, int64_t now,
				   struct problem *p)
{
	struct db_value in[] = { store_time(now), store_id(user_id) };
	struct db_call call = CALL(USER_SEEN, in);

	return store_run(tx, &call, p);
}

enum store_outcome store_identity_add(struct store_tx *tx, const char *user_id,
				      struct text provider, struct text subject,
				      struct text email_as_written, int64_t now,
				      struct problem *p)
{
	struct db_value in[] = { store_id(user_id), store_bytes(provider), store_bytes(subject),
				 store_bytes_or_null(email_as_written), store_time(now) };
	struct db_call call = CALL(IDENTITY_ADD, in);

	return store_run(tx, &call, p);
}

enum store_outcome store_invite_use(struct store_tx *tx, struct text email, int64_t now,
				    struct problem *p)
{
	struct db_value in[] = { store_time(now), store_bytes(email) };
	struct db_call call = CALL(INVITE_USE, in);
	const enum store_outcome outcome = store_run(tx, &call, p);

	return outcome == STORE_OK && !call.changed ? STORE_NOT_FOUND : outcome;
}

enum store_outcome store_user_find(struct store *store, bool by_subject, struct text email,
				   struct text phone, struct text provider,
				   struct text subject, struct store_user *out,
				   struct problem *p)
{
	struct match_row row = { 0 };
	const struct db_column columns[] = { MATCH_COLUMNS(row) };
	struct db_value in[] = { store_bytes(provider), store_bytes(subject), store_bytes(provider),
				 store_bytes(subject), store_bytes(email.len ? email : phone) };
	struct db_call call = {
		.id = by_subject ? SQL_USER_BY_SUBJECT
		      : email.len ? SQL_USER_BY_EMAIL
				  : SQL_USER_BY_PHONE,
		.values = in,
		.value_count = by_subject ? 2 : COUNT(in),
		.columns = columns,
		.column_count = COUNT(columns),
	};
	const enum store_outcome outcome = store_run_single(store, &call, p);

	if (outcome == STORE_OK)
		*out = finish_match(&row)->user;
	return outcome;
}
