#include <stdio.h>

#include "store_mysql.h"
#include "store_own.h"

/* ---- sessions, within a transaction */

enum store_outcome store_session_add(struct store_tx *tx, const char *user_id,
				     const unsigned char hash[SHA256_BYTES],
				     struct store_session *session, struct problem *p)
{
	struct db_value in[] = {
		store_owner(tx->store, user_id),
		store_bytes_or_null(text_of(tx->known_as)), /* with an own table alone */
		store_hash(hash),
		store_bytes(text_of(session->provider)),
		store_time(session->created_at),
		store_time(session->last_seen_at),
		store_time(session->expires_at),
		store_bytes(text_of(session->address)),
		store_bytes(text_of(session->user_agent)),
	};
	struct db_call call = CALL(OWN_SESSION_ADD, in);
	enum store_outcome outcome;

	if (!tx->store->own) {
		call.id = SQL_SESSION_ADD;
		in[1] = in[0];
		call.values++;
		call.value_count--;
	}
	outcome = store_run(tx, &call, p);
	if (outcome == STORE_OK)
		snprintf(session->id, sizeof(session->id), "%llu",
			 (unsigned long long)call.new_id);
	return outcome;
}

enum store_outcome store_session_trim(struct store_tx *tx, const char *user_id,
				      const char *newest_id, int keep, struct problem *p)
{
	uint64_t id;
	int64_t created_at;
	const struct db_column out[] = { DB_NUMBER_COLUMN(id),
					 DB_NUMBER_COLUMN(created_at) };
	const struct db_value owner = store_owner(tx->store, user_id),
			      newest = store_id(newest_id);
	/* The newest is one of those that are kept. */
	struct db_value in[] = { owner, newest, store_number((uint64_t)keep - 1) };
	struct db_call find = QUERY(SESSION_BEYOND, in, out);
	enum store_outcome outcome;

	find.id = OWNED(tx->store, SESSION_BEYOND);
	outcome = store_run(tx, &find, p);
	if (outcome == STORE_OK) {
		/* The first that is one too many, and all that are older. */
		struct db_value rest[] = { owner, newest, store_time(created_at),
					   store_time(created_at), store_number(id) };
		struct db_call end = CALL(SESSION_END_OLDER, rest);

		end.id = OWNED(tx->store, SESSION_END_OLDER);
		return store_run(tx, &end, p);
	}
	return outcome == STORE_NOT_FOUND ? STORE_OK : outcome;
}

enum store_outcome store_session_drop(struct store_tx *tx,
				      const unsigned char hash[SHA256_BYTES],
				      struct problem *p)
{
	struct db_value in[] = { store_hash(hash) };
	struct db_call call = CALL(SESSION_DROP, in);

	return store_run(tx, &call, p);
}

enum store_outcome store_token_use(struct store_tx *tx,
				   const unsigned char hash[SHA256_BYTES], int64_t now,
				   int64_t expires_at, int64_t *first_used_at,
				   struct problem *p)
{
	int64_t used_at;
	struct db_value key[] = { store_hash(hash) };
	const struct db_column out[] = { DB_NUMBER_COLUMN(used_at) };
	struct db_call find = QUERY(TOKEN_FIND, key, out);
	struct db_value in[] = { store_hash(hash), store_time(now),
				 store_time(expires_at) };
	struct db_call add = CALL(TOKEN_ADD, in);
	enum store_outcome outcome = store_run(tx, &find, p);

	if (outcome == STORE_NOT_FOUND) {
		used_at = now;
		outcome = store_run(tx, &add, p);
	}
	if (outcome == STORE_OK)
		*first_used_at = used_at;
	return outcome;
}

/* ---- single statements */

enum store_outcome store_token_used(struct store *store,
				    const unsigned char hash[SHA256_BYTES],
				    int64_t *first_used_at, struct problem *p)
{
	int64_t used_at;
	struct db_value in[] = { store_hash(hash) };
	const struct db_column out[] = { DB_NUMBER_COLUMN(used_at) };
	struct db_call call = QUERY(TOKEN_FIND, in, out);
	const enum store_outcome outcome = store_run_single(store, &call, p);

	if (outcome == STORE_OK)
		*first_used_at = used_at;
	return outcome;
}

/* What a session's columns are read into before they are a struct store_session. */
struct session_row {
	struct store_session session;
	char hash[SHA256_BYTES + 1]; /* 32 bytes, and the NUL that ends every text */
};

#define SESSION_COLUMNS(row)                                                             \
	DB_TEXT_COLUMN((row).session.id), DB_TEXT_COLUMN((row).session.provider),        \
		DB_TEXT_COLUMN((row).session.address),                                   \
		DB_TEXT_COLUMN((row).session.user_agent),                                \
		DB_NUMBER_COLUMN((row).session.created_at),                              \
		DB_NUMBER_COLUMN((row).session.last_seen_at),                            \
		DB_NUMBER_COLUMN((row).session.expires_at),                              \
		DB_NUMBER_COLUMN((row).session.generation),                              \
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
		SESSION_COLUMNS(row),	  DB_TEXT_COLUMN(u.id),
		DB_TEXT_COLUMN(u.email),  DB_TEXT_COLUMN(u.phone),
		DB_NUMBER_COLUMN(active),
	};
	struct db_call call = { .id = id,
				.values = in,
				.value_count = COUNT(in),
				.columns = out,
				.column_count = COUNT(out) };
	const enum store_outcome outcome = store_run_single(store, &call, p);

	if (outcome != STORE_OK)
		return outcome;
	u.active = active != 0;
	*session = *finish_session(&row);
	*user = u;
	return STORE_OK;
}

/* With a users table that is not ours: the session as it stands, and its user from there. */
static enum store_outcome read_own_session(struct store *store, enum sql_statement id,
					   struct db_value key,
					   struct store_session *session,
					   struct store_user *user, struct problem *p)
{
	struct session_row row = { 0 };
	char user_id[STORE_ID_SIZE], known_as[255];
	struct db_value in[] = { key };
	const struct db_column out[] = { SESSION_COLUMNS(row), DB_TEXT_COLUMN(user_id),
					 DB_TEXT_COLUMN(known_as) };
	struct db_call call = { .id = id,
				.values = in,
				.value_count = COUNT(in),
				.columns = out,
				.column_count = COUNT(out) };
	enum store_outcome outcome = store_run_single(store, &call, p);

	if (outcome == STORE_OK)
		outcome = own_by_id(store, NULL, user_id, known_as, user, p);
	if (outcome == STORE_OK)
		*session = *finish_session(&row);
	return outcome;
}

enum store_outcome store_session_find(struct store *store,
				      const unsigned char hash[SHA256_BYTES],
				      struct store_session *session,
				      struct store_user *user, struct problem *p)
{
	return store->own ? read_own_session(store, SQL_OWN_SESSION_FIND,
					     store_hash(hash), session, user, p)
			  : read_session(store, SQL_SESSION_FIND, store_hash(hash),
					 session, user, p);
}

enum store_outcome store_session_by_id(struct store *store, const char *session_id,
				       struct store_session *session,
				       struct store_user *user, struct problem *p)
{
	return store->own ? read_own_session(store, SQL_OWN_SESSION_BY_ID,
					     store_id(session_id), session, user, p)
			  : read_session(store, SQL_SESSION_BY_ID, store_id(session_id),
					 session, user, p);
}

enum store_outcome store_session_rotate(struct store *store, const char *session_id,
					uint64_t from, int64_t now, struct problem *p)
{
	struct db_value in[] = { store_time(now), store_time(now), store_id(session_id),
				 store_number(from) };
	struct db_call call = CALL(SESSION_ROTATE, in);
	const enum store_outcome outcome = store_run_single(store, &call, p);

	return outcome == STORE_OK && !call.changed ? STORE_NOT_FOUND : outcome;
}

enum store_outcome store_session_touch(struct store *store, const char *session_id,
				       int64_t now, struct problem *p)
{
	struct db_value in[] = { store_time(now), store_id(session_id) };
	struct db_call call = CALL(SESSION_TOUCH, in);

	return store_run_single(store, &call, p);
}

/* STORE_OK: there is one of those that were to end. */
static enum store_outcome find_left(struct store *store, const char *user_id,
				    const char *session_id, bool others,
				    struct problem *p)
{
	struct store_session session;
	struct store_user user;
	uint64_t id;
	int64_t created_at;
	struct db_value in[] = { store_owner(store, user_id),
				 store_id(session_id ? session_id : "0"),
				 store_number(0) };
	const struct db_column out[] = { DB_NUMBER_COLUMN(id),
					 DB_NUMBER_COLUMN(created_at) };
	struct db_call call = QUERY(SESSION_BEYOND, in, out);
	enum store_outcome outcome;

	call.id = OWNED(store, SESSION_BEYOND);
	if (!session_id || others)
		return store_run_single(store, &call, p);
	outcome = store_session_by_id(store, session_id, &session, &user, p);
	if (outcome == STORE_OK && strcmp(user.id, user_id) != 0)
		outcome = STORE_NOT_FOUND;
	return outcome;
}

/*
 * To a DELETE that is killed, by hand or for its time, MariaDB answers now and then that no row
 * was there, and no error; never so to a SELECT. So that is asked before "ended" is said of a
 * session that goes on.
 */
enum store_outcome store_session_end(struct store *store, const char *user_id,
				     const char *session_id, bool others, uint64_t *ended,
				     struct problem *p)
{
	struct db_value in[] = { store_id(session_id ? session_id : "0"),
				 store_owner(store, user_id) };
	struct db_call call = CALL(SESSION_END_ONE, in);
	enum store_outcome outcome;

	call.id = session_id && !others ? OWNED(store, SESSION_END_ONE)
					: OWNED(store, SESSION_END_OTHERS);
	for (int i = 1; i <= 2; i++) {
		outcome = store_run_single(store, &call, p);
		if (outcome == STORE_OK)
			*ended = call.changed;
		if (outcome != STORE_OK || call.changed)
			return outcome;
		outcome = find_left(store, user_id, session_id, others, p);
		if (outcome != STORE_OK)
			return outcome == STORE_NOT_FOUND ? STORE_OK : outcome;
	}
	problem(p, DATABASE_AWAY, "a session that was to end is still there");
	return STORE_FAILED;
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

enum store_outcome
store_session_each(struct store *store, const char *user_id, int64_t now,
		   void (*each)(void *context, const struct store_session *session),
		   void *context, struct problem *p)
{
	struct session_list list = { .each = each, .context = context };
	struct db_value in[] = { store_owner(store, user_id), store_time(now) };
	const struct db_column out[] = { SESSION_COLUMNS(list.row) };
	struct db_call call = QUERY(SESSION_LIST, in, out);
	enum store_outcome outcome;

	call.id = OWNED(store, SESSION_LIST);
	call.each = pass_on;
	call.context = &list;
	outcome = store_run_single(store, &call, p);
	return outcome == STORE_NOT_FOUND ? STORE_OK : outcome;
}

enum store_outcome store_session_purge(struct store *store, int64_t now, unsigned limit,
				       uint64_t *removed, struct problem *p)
{
	struct db_value in[] = { store_time(now), store_number(limit) };
	struct db_call sessions = CALL(SESSION_PURGE, in), tokens = CALL(TOKEN_PURGE, in);

	*removed = 0;
	if (store_uses(store, STORE_SESSIONS) &&
	    store_run_single(store, &sessions, p) != STORE_OK)
		return STORE_FAILED;
	*removed = sessions.changed;
	return store_uses(store, STORE_TOKENS) ? store_run_single(store, &tokens, p)
					       : STORE_OK;
}
