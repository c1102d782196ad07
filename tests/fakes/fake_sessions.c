/* Sessions of the fake store: found, listed, ended. */
#include "fake_rows.h"

#include <stdlib.h>

#define SESSIONS_LISTED 1000

static void copy_session(const struct row *row, const struct store_tx *tx,
			 struct store_session *out)
{
	const struct record *r = fake_seen(row, tx);

	*out = r->session;
	fake_print_id(out->id, r->id);
	memcpy(out->hash, r->key[0].data, SHA256_BYTES);
}

static enum store_outcome find_session(struct store_tx *tx, void *arguments,
				       struct problem *p)
{
	struct fake_change *c = arguments;
	const struct row *row = fake_find_one(tx, c);
	const struct row *user =
		row ? fake_find_id(tx, FAKE_USERS, row->now.user_id) : NULL;

	(void)p;
	if (!user)
		return STORE_NOT_FOUND;
	copy_session(row, tx, c->session);
	fake_copy_user(user, tx, c->user);
	return STORE_OK;
}

enum store_outcome store_session_find(struct store *store,
				      const unsigned char hash[SHA256_BYTES],
				      struct store_session *session,
				      struct store_user *user, struct problem *p)
{
	struct fake_change c = { .table = FAKE_SESSIONS,
				 .session = session,
				 .user = user };

	fake_put(&c.key.key[0], (struct text){ (const char *)hash, SHA256_BYTES },
		 SHA256_BYTES);
	return fake_run_single(store, "session_find", find_session, &c, p);
}

enum store_outcome store_session_by_id(struct store *store, const char *session_id,
				       struct store_session *session,
				       struct store_user *user, struct problem *p)
{
	struct fake_change c = { .table = FAKE_SESSIONS,
				 .id = fake_number_of(session_id),
				 .session = session,
				 .user = user };

	if (!c.id)
		return STORE_NOT_FOUND;
	return fake_run_single(store, "session_by_id", find_session, &c, p);
}

static bool is_newer(const struct row *a, const struct row *b)
{
	const int64_t difference = a->now.session.created_at - b->now.session.created_at;

	return difference > 0 || (difference == 0 && a->now.id > b->now.id);
}

/* The user's newest session older than BEFORE (NULL: of all). */
static struct row *next_session(struct store_tx *tx, uint64_t user_id,
				const struct row *before)
{
	struct row *newest = NULL;

	for (struct row *row = tx->store->rows; row; row = row->next)
		if (row->table == FAKE_SESSIONS && row->now.user_id == user_id &&
		    fake_is_there(row, tx) && (!before || is_newer(before, row)) &&
		    (!newest || is_newer(row, newest)))
			newest = row;
	return newest;
}

/* Ends the session; *ENDED counts it unless another was faster. */
static bool end_row(struct store_tx *tx, struct row *row, uint64_t *ended)
{
	if (!fake_claim(tx, row))
		return false;
	*ended += row->will_be;
	row->will_be = false;
	return true;
}

static enum store_outcome end_sessions(struct store_tx *tx, void *arguments,
				       struct problem *p)
{
	struct fake_change *c = arguments;
	const bool by_hash = c->key.key[0].len != 0;

	c->changed = 0;
	for (struct row *row = tx->store->rows; row; row = row->next) {
		const struct record *r = &row->now;

		if (row->table != FAKE_SESSIONS || !fake_is_there(row, tx) ||
		    (by_hash ? !fake_same(&r->key[0], &c->key.key[0])
			     : r->user_id != c->user_id || (r->id == c->id) == c->others))
			continue;
		if (!end_row(tx, row, &c->changed))
			return fake_fail(tx, FAKE_CONFLICT, p);
	}
	return STORE_OK;
}

enum store_outcome store_session_drop(struct store_tx *tx,
				      const unsigned char hash[SHA256_BYTES],
				      struct problem *p)
{
	struct fake_change c = { 0 };

	fake_put(&c.key.key[0], (struct text){ (const char *)hash, SHA256_BYTES },
		 SHA256_BYTES);
	return fake_run(tx, "session_drop", end_sessions, &c, p);
}

enum store_outcome store_session_end(struct store *store, const char *user_id,
				     const char *session_id, bool others, uint64_t *ended,
				     struct problem *p)
{
	struct fake_change c = { .user_id = fake_number_of(user_id),
				 .id = session_id ? fake_number_of(session_id) : 0,
				 .others = others || !session_id };
	const enum store_outcome outcome =
		fake_run_single(store, "session_end", end_sessions, &c, p);

	if (outcome == STORE_OK)
		*ended = c.changed;
	return outcome;
}

static enum store_outcome trim(struct store_tx *tx, void *arguments, struct problem *p)
{
	struct fake_change *c = arguments;
	struct row *row = next_session(tx, c->user_id, NULL);
	uint64_t ended = 0;

	for (int i = 0; row;) {
		struct row *older = next_session(tx, c->user_id, row);

		if (row->now.id != c->id && i++ >= c->keep && !end_row(tx, row, &ended))
			return fake_fail(tx, FAKE_CONFLICT, p);
		row = older;
	}
	return STORE_OK;
}

enum store_outcome store_session_trim(struct store_tx *tx, const char *user_id,
				      const char *newest_id, int keep, struct problem *p)
{
	struct fake_change c = { .user_id = fake_number_of(user_id),
				 .id = fake_number_of(newest_id),
				 .keep = keep - 1 };

	return fake_run(tx, "session_trim", trim, &c, p);
}

static int64_t expiry(const struct row *row)
{
	return row->table == FAKE_SESSIONS ? row->now.session.expires_at
					   : row->now.expires_at;
}

static enum store_outcome purge(struct store_tx *tx, void *arguments, struct problem *p)
{
	struct fake_change *c = arguments;

	c->changed = 0;
	while (c->changed < (uint64_t)c->keep) {
		struct row *oldest = NULL;

		for (struct row *row = tx->store->rows; row; row = row->next)
			if (row->table == c->table && fake_is_there(row, tx) &&
			    expiry(row) < c->now &&
			    (!oldest || expiry(row) < expiry(oldest)))
				oldest = row;
		if (!oldest)
			break;
		if (!end_row(tx, oldest, &c->changed))
			return fake_fail(tx, FAKE_CONFLICT, p);
	}
	return STORE_OK;
}

enum store_outcome store_session_purge(struct store *store, int64_t now, unsigned limit,
				       uint64_t *removed, struct problem *p)
{
	struct fake_change c = { .table = FAKE_SESSIONS, .now = now, .keep = (int)limit };
	const enum store_outcome outcome =
		fake_run_single(store, "session_purge", purge, &c, p);

	if (outcome != STORE_OK)
		return outcome;
	*removed = c.changed;
	c.table = FAKE_USED_TOKENS;
	return fake_run_single(store, "token_purge", purge, &c, p);
}

struct list {
	uint64_t user_id;
	int64_t now;
	size_t count;
	struct store_session *sessions;
};

static enum store_outcome list_sessions(struct store_tx *tx, void *arguments,
					struct problem *p)
{
	struct list *list = arguments;
	const struct row *row = NULL;

	(void)p;
	list->count = 0;
	while (list->count < SESSIONS_LISTED &&
	       (row = next_session(tx, list->user_id, row)) != NULL)
		if (row->now.session.expires_at > list->now)
			copy_session(row, tx, &list->sessions[list->count++]);
	return STORE_OK;
}

/* EACH is called with nothing locked: it may use the store. */
enum store_outcome
store_session_each(struct store *store, const char *user_id, int64_t now,
		   void (*each)(void *context, const struct store_session *session),
		   void *context, struct problem *p)
{
	struct list list = { .user_id = fake_number_of(user_id), .now = now };
	enum store_outcome outcome;

	list.sessions = x_alloc(SESSIONS_LISTED * sizeof(*list.sessions));
	outcome = fake_run_single(store, "session_each", list_sessions, &list, p);
	for (size_t i = 0; outcome == STORE_OK && i < list.count; i++)
		each(context, &list.sessions[i]);
	free(list.sessions);
	return outcome;
}
