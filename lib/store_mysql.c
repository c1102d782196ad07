#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store_mysql.h"

#define ATTEMPTS 3

struct store_tx {
	struct store *store;
	struct db_link *link;
	bool again;	  /* start over: a deadlock, a lost connection, or asked for */
	bool may_be_done; /* an earlier attempt's COMMIT had no answer */
};

struct store *store_new(const struct config *config)
{
	struct store *store = x_alloc(sizeof(*store));

	store->db = db_new(config);
	return store;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	db_free(store->db);
	free(store);
}

/* ---- values */

static struct db_value bytes(struct text t)
{
	return (struct db_value){ .type = DB_BYTES, .bytes = t };
}

static struct db_value bytes_or_null(struct text t)
{
	return t.len ? bytes(t) : (struct db_value){ .type = DB_NULL };
}

static struct db_value hash_of(const unsigned char hash[SHA256_BYTES])
{
	return bytes((struct text){ (const char *)hash, SHA256_BYTES });
}

static struct db_value number(uint64_t n)
{
	return (struct db_value){ .type = DB_NUMBER, .number = n };
}

static struct db_value id_of(const char *id)
{
	return number(strtoull(id, NULL, 10));
}

static struct db_value time_of(int64_t when)
{
	struct db_value v = { .type = DB_TIME };

	text_print_time(when, ' ', v.time);
	return v;
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
	bool done = false;

	if (!tx.link)
		return false;
	for (int i = 1; i <= ATTEMPTS; i++) {
		done = attempt(&tx, work, context, p);
		if (done || !tx.again || i == ATTEMPTS)
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

/* Runs a statement and notes what its failure means for the transaction around it. */
static enum store_outcome run(struct store_tx *tx, struct db_call *call, struct problem *p)
{
	const enum store_outcome outcome = db_run(tx->link, call, p);

	if (outcome == STORE_FAILED)
		tx->again = db_fault(tx->link) == DB_LOST || db_fault(tx->link) == DB_AGAIN;
	return outcome;
}

#define CALL(statement, in) \
	{ .id = SQL_##statement, .values = (in), .value_count = COUNT(in) }
#define QUERY(statement, in, out)                                            \
	{ .id = SQL_##statement, .values = (in), .value_count = COUNT(in),   \
	  .columns = (out), .column_count = COUNT(out) }

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
	const enum store_outcome outcome = run(tx, &call, p);

	if (outcome == STORE_OK)
		*out = *finish_match(&row);
	return outcome;
}

enum store_outcome store_user_by_email(struct store_tx *tx, struct text email,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p)
{
	struct db_value in[] = { bytes(provider), bytes(subject), bytes(provider),
				 bytes(subject), bytes(email) };

	return find_user(tx, SQL_USER_BY_EMAIL, in, COUNT(in), out, p);
}

enum store_outcome store_user_by_phone(struct store_tx *tx, struct text phone,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p)
{
	struct db_value in[] = { bytes(provider), bytes(subject), bytes(provider),
				 bytes(subject), bytes(phone) };

	return find_user(tx, SQL_USER_BY_PHONE, in, COUNT(in), out, p);
}

enum store_outcome store_user_by_subject(struct store_tx *tx, struct text provider,
					 struct text subject, struct store_match *out,
					 struct problem *p)
{
	struct db_value in[] = { bytes(provider), bytes(subject) };

	return find_user(tx, SQL_USER_BY_SUBJECT, in, COUNT(in), out, p);
}

enum store_outcome store_user_add(struct store_tx *tx, struct text email, struct text phone,
				  int64_t now, struct store_user *out, struct problem *p)
{
	struct db_value in[] = { bytes_or_null(email), bytes_or_null(phone), time_of(now),
				 time_of(now) };
	struct db_call call = CALL(USER_ADD, in);
	struct store_user user = { .active = true };
	const enum store_outcome outcome = run(tx, &call, p);

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
	struct db_value in[] = { time_of(now), id_of(user_id) };
	struct db_call call = CALL(USER_SEEN, in);

	return run(tx, &call, p);
}

enum store_outcome store_identity_add(struct store_tx *tx, const char *user_id,
				      struct text provider, struct text subject,
				      struct text email_as_written, int64_t now,
				      struct problem *p)
{
	struct db_value in[] = { id_of(user_id), bytes(provider), bytes(subject),
				 bytes_or_null(email_as_written), time_of(now) };
	struct db_call call = CALL(IDENTITY_ADD, in);

	return run(tx, &call, p);
}

enum store_outcome store_invite_use(struct store_tx *tx, struct text email, int64_t now,
				    struct problem *p)
{
	struct db_value in[] = { time_of(now), bytes(email) };
	struct db_call call = CALL(INVITE_USE, in);
	const enum store_outcome outcome = run(tx, &call, p);

	return outcome == STORE_OK && !call.changed ? STORE_NOT_FOUND : outcome;
}

/* ---- sessions, within a transaction */

enum store_outcome store_session_add(struct store_tx *tx, const char *user_id,
				     const unsigned char hash[SHA256_BYTES],
				     struct store_session *session, struct problem *p)
{
	struct db_value in[] = {
		id_of(user_id),
		hash_of(hash),
		bytes(text_of(session->provider)),
		time_of(session->created_at),
		time_of(session->last_seen_at),
		time_of(session->expires_at),
		bytes(text_of(session->address)),
		bytes(text_of(session->user_agent)),
	};
	struct db_call call = CALL(SESSION_ADD, in);
	const enum store_outcome outcome = run(tx, &call, p);

	if (outcome == STORE_OK)
		snprintf(session->id, sizeof(session->id), "%llu",
			 (unsigned long long)call.new_id);
	return outcome;
}

enum store_outcome store_session_trim(struct store_tx *tx, const char *user_id, int keep,
				      struct problem *p)
{
	for (;;) {
		uint64_t oldest;
		const struct db_column out[] = { DB_NUMBER_COLUMN(oldest) };
		struct db_value in[] = { id_of(user_id), number((uint64_t)keep) };
		struct db_call find = QUERY(SESSION_BEYOND, in, out);
		enum store_outcome outcome = run(tx, &find, p);

		if (outcome == STORE_NOT_FOUND)
			return STORE_OK;
		if (outcome == STORE_OK) {
			struct db_value victim[] = { number(oldest), id_of(user_id) };
			struct db_call end = CALL(SESSION_END_ONE, victim);

			outcome = run(tx, &end, p);
		}
		if (outcome != STORE_OK)
			return outcome;
	}
}

enum store_outcome store_session_drop(struct store_tx *tx,
				      const unsigned char hash[SHA256_BYTES],
				      struct problem *p)
{
	struct db_value in[] = { hash_of(hash) };
	struct db_call call = CALL(SESSION_DROP, in);

	return run(tx, &call, p);
}

/* ---- single statements */

/*
 * Each of these may be done twice without harm, so one whose connection was lost, or that
 * met a deadlock, is repeated once.
 */
static enum store_outcome run_single(struct store *store, struct db_call *call,
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

/* What a session's columns are read into before they are a struct store_session. */
struct session_row {
	struct store_session session;
	char hash[SHA256_BYTES + 1]; /* 32 bytes, and the NUL that ends every text */
};

#define SESSION_COLUMNS(row)                                                               \
	DB_TEXT_COLUMN((row).session.id), DB_TEXT_COLUMN((row).session.provider),          \
		DB_TEXT_COLUMN((row).session.address),                                     \
		DB_TEXT_COLUMN((row).session.user_agent),                                  \
		DB_NUMBER_COLUMN((row).session.created_at),                                \
		DB_NUMBER_COLUMN((row).session.last_seen_at),                              \
		DB_NUMBER_COLUMN((row).session.expires_at),                                \
		DB_NUMBER_COLUMN((row).session.generation),                                \
		DB_NUMBER_COLUMN((row).session.rotated_at), DB_TEXT_COLUMN((row).hash)

static const struct store_session *finish_session(struct session_row *row)
{
	memcpy(row->session.hash, row->hash, SHA256_BYTES);
	return &row->session;
}

static enum store_outcome read_session(struct store *store, enum sql_statement id,
				       struct db_value key, struct store_session *session,
				       struct store_user *user, struct problem *p)
{
	struct session_row row = { 0 };
	struct store_user u;
	uint64_t active;
	struct db_value in[] = { key };
	const struct db_column out[] = {
		SESSION_COLUMNS(row),	 DB_TEXT_COLUMN(u.id),	   DB_TEXT_COLUMN(u.email),
		DB_TEXT_COLUMN(u.phone), DB_NUMBER_COLUMN(active),
	};
	struct db_call call = { .id = id, .values = in, .value_count = COUNT(in),
				.columns = out, .column_count = COUNT(out) };
	const enum store_outcome outcome = run_single(store, &call, p);

	if (outcome != STORE_OK)
		return outcome;
	u.active = active != 0;
	*session = *finish_session(&row);
	*user = u;
	return STORE_OK;
}

enum store_outcome store_session_find(struct store *store,
				      const unsigned char hash[SHA256_BYTES],
				      struct store_session *session, struct store_user *user,
				      struct problem *p)
{
	return read_session(store, SQL_SESSION_FIND, hash_of(hash), session, user, p);
}

enum store_outcome store_session_by_id(struct store *store, const char *session_id,
				       struct store_session *session,
				       struct store_user *user, struct problem *p)
{
	return read_session(store, SQL_SESSION_BY_ID, id_of(session_id), session, user, p);
}

enum store_outcome store_session_rotate(struct store *store, const char *session_id,
					uint64_t from, int64_t now, struct problem *p)
{
	struct db_value in[] = { time_of(now), time_of(now), id_of(session_id), number(from) };
	struct db_call call = CALL(SESSION_ROTATE, in);
	const enum store_outcome outcome = run_single(store, &call, p);

	return outcome == STORE_OK && !call.changed ? STORE_NOT_FOUND : outcome;
}

enum store_outcome store_user_find(struct store *store, bool by_subject, struct text email,
				   struct text phone, struct text provider,
				   struct text subject, struct store_user *out,
				   struct problem *p)
{
	struct match_row row = { 0 };
	const struct db_column columns[] = { MATCH_COLUMNS(row) };
	struct db_value in[] = { bytes(provider), bytes(subject), bytes(provider),
				 bytes(subject), bytes(email.len ? email : phone) };
	struct db_call call = {
		.id = by_subject ? SQL_USER_BY_SUBJECT
		      : email.len ? SQL_USER_BY_EMAIL
				  : SQL_USER_BY_PHONE,
		.values = in,
		.value_count = by_subject ? 2 : COUNT(in),
		.columns = columns,
		.column_count = COUNT(columns),
	};
	const enum store_outcome outcome = run_single(store, &call, p);

	if (outcome == STORE_OK)
		*out = finish_match(&row)->user;
	return outcome;
}

enum store_outcome store_session_touch(struct store *store, const char *session_id,
				       int64_t now, struct problem *p)
{
	struct db_value in[] = { time_of(now), id_of(session_id) };
	struct db_call call = CALL(SESSION_TOUCH, in);

	return run_single(store, &call, p);
}

enum store_outcome store_session_end(struct store *store, const char *user_id,
				     const char *session_id, bool others, uint64_t *ended,
				     struct problem *p)
{
	struct db_value in[] = { id_of(session_id ? session_id : "0"), id_of(user_id) };
	struct db_call one = CALL(SESSION_END_ONE, in), rest = CALL(SESSION_END_OTHERS, in);
	struct db_call *call = session_id && !others ? &one : &rest;
	const enum store_outcome outcome = run_single(store, call, p);

	if (outcome == STORE_OK)
		*ended = call->changed;
	return outcome;
}

struct session_list {
	struct session_row row;
	void (*each)(void *context, const struct store_session *session);
	void *context;
};

static void pass_on(void *context)
{
	struct session_list *list = context;

	list->each(list->context, finish_session(&list->row));
}

enum store_outcome store_session_each(struct store *store, const char *user_id, int64_t now,
				      void (*each)(void *context,
						   const struct store_session *session),
				      void *context, struct problem *p)
{
	struct session_list list = { .each = each, .context = context };
	struct db_value in[] = { id_of(user_id), time_of(now) };
	const struct db_column out[] = { SESSION_COLUMNS(list.row) };
	struct db_call call = QUERY(SESSION_LIST, in, out);
	enum store_outcome outcome;

	call.each = pass_on;
	call.context = &list;
	outcome = run_single(store, &call, p);
	return outcome == STORE_NOT_FOUND ? STORE_OK : outcome;
}

enum store_outcome store_session_purge(struct store *store, int64_t now, unsigned limit,
				       uint64_t *removed, struct problem *p)
{
	struct db_value in[] = { time_of(now), number(limit) };
	struct db_call call = CALL(SESSION_PURGE, in);
	const enum store_outcome outcome = run_single(store, &call, p);

	if (outcome == STORE_OK)
		*removed = call.changed;
	return outcome;
}
