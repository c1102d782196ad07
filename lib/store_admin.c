#include "store_admin.h"

#include <stdio.h>

#include "store_admin_own.h"
#include "store_mysql.h"

/* A list that found nothing is a list. */
static enum store_outcome run_list(struct store *store, struct db_call *call,
				   struct problem *p)
{
	const enum store_outcome outcome = store_run_single(store, call, p);

	return outcome == STORE_NOT_FOUND ? STORE_OK : outcome;
}

/* A change that changed nothing had nothing to change. */
static enum store_outcome run_removal(struct store *store, struct db_call *call,
				      struct problem *p)
{
	const enum store_outcome outcome = store_run_single(store, call, p);

	return outcome == STORE_OK && !call->changed ? STORE_NOT_FOUND : outcome;
}

/* ---- users */

struct user_row {
	struct store_admin_user row;
	uint64_t active;
	void (*each)(void *context, const struct store_admin_user *user);
	void *context;
};

#define USER_COLUMNS(r)                                                                  \
	DB_TEXT_COLUMN((r).row.user.id), DB_TEXT_COLUMN((r).row.user.email),             \
		DB_TEXT_COLUMN((r).row.user.phone), DB_NUMBER_COLUMN((r).active),        \
		DB_NUMBER_COLUMN((r).row.created_at),                                    \
		DB_NUMBER_COLUMN((r).row.last_login_at)

static void pass_user(void *context)
{
	struct user_row *r = context;

	r->row.user.active = r->active != 0;
	r->each(r->context, &r->row);
}

static void copy_user(void *context, const struct store_admin_user *user)
{
	*(struct store_admin_user *)context = *user;
}

bool store_admin_is_foreign(const struct store *store)
{
	return store->own != NULL;
}

enum store_outcome store_admin_user(struct store *store,
				    const struct store_admin_name *name,
				    const struct store_admin_live *live,
				    struct store_admin_user *out, struct problem *p)
{
	static const enum sql_statement by[] = {
		[STORE_ADMIN_ID] = SQL_ADMIN_USER_BY_ID,
		[STORE_ADMIN_EMAIL] = SQL_ADMIN_USER_BY_EMAIL,
		[STORE_ADMIN_PHONE] = SQL_ADMIN_USER_BY_PHONE,
	};
	const bool is_id = name->key == STORE_ADMIN_ID;
	struct user_row r = { .each = copy_user, .context = out };
	struct db_value in[] = { store_time(live->expires_after),
				 store_time(live->seen_after),
				 is_id ? store_id(name->value)
				       : store_bytes(text_of(name->value)) };
	const struct db_column columns[] = { USER_COLUMNS(r),
					     DB_NUMBER_COLUMN(r.row.identities),
					     DB_NUMBER_COLUMN(r.row.sessions) };
	struct db_call call = { .id = by[name->key],
				.values = in,
				.value_count = COUNT(in),
				.columns = columns,
				.column_count = COUNT(columns),
				.each = pass_user,
				.context = &r };

	return store->own ? own_admin_user(store, name, live, out, p)
			  : store_run_single(store, &call, p);
}

enum store_outcome store_admin_users(struct store *store, const char *prefix,
				     const struct store_admin_page *page,
				     void (*each)(void *context,
						  const struct store_admin_user *user),
				     void *context, struct problem *p)
{
	struct user_row r = { .each = each, .context = context };
	const struct db_column columns[] = { USER_COLUMNS(r) };
	struct db_value by_id[] = { store_id(page->after), store_number(page->limit) };
	struct db_call call = QUERY(ADMIN_USERS, by_id, columns);
	char beyond[256];
	struct db_value by_email[4];

	call.each = pass_user;
	call.context = &r;
	if (prefix) {
		/* Addresses are ASCII: whatever begins with PREFIX is less than this. */
		snprintf(beyond, sizeof(beyond), "%.254s\xff", prefix);
		by_email[0] = store_bytes(text_of(prefix));
		by_email[1] = store_bytes(text_of(beyond));
		by_email[2] = store_bytes(text_of(page->after));
		by_email[3] = store_number(page->limit);
		call.id = SQL_ADMIN_USERS_LIKE;
		call.values = by_email;
		call.value_count = COUNT(by_email);
	}
	return run_list(store, &call, p);
}

struct creation {
	struct text email, phone;
	int64_t now;
	struct store_user user;
	enum store_outcome outcome;
};

static enum store_outcome lock_user(struct store_tx *tx, const char *user_id,
				    struct store_user *out, struct problem *p)
{
	struct db_value in[] = { store_id(user_id) };
	struct store_user user = { 0 };
	uint64_t active = 0;
	const struct db_column columns[] = { DB_TEXT_COLUMN(user.id),
					     DB_TEXT_COLUMN(user.email),
					     DB_TEXT_COLUMN(user.phone),
					     DB_NUMBER_COLUMN(active) };
	struct db_call call = QUERY(ADMIN_USER_LOCK, in, columns);
	const enum store_outcome outcome = store_run(tx, &call, p);

	user.active = active != 0;
	if (outcome == STORE_OK)
		*out = user;
	return outcome;
}

/* Is the user that is in the way the one whom an earlier attempt made after all? */
static bool was_done(struct store_tx *tx, const struct creation *c, struct problem *p)
{
	struct store_user there;

	return c->user.id[0] && lock_user(tx, c->user.id, &there, p) == STORE_OK &&
	       text_is(c->email, there.email) && text_is(c->phone, there.phone);
}

static bool create(struct store_tx *tx, void *context, struct problem *p)
{
	struct creation *c = context;
	struct db_value in[] = { store_bytes_or_null(c->email),
				 store_bytes_or_null(c->phone), store_time(c->now) };
	struct db_call call = CALL(ADMIN_USER_ADD, in);

	c->outcome = store_run(tx, &call, p);
	if (c->outcome == STORE_OK)
		snprintf(c->user.id, sizeof(c->user.id), "%llu",
			 (unsigned long long)call.new_id);
	else if (c->outcome == STORE_ALREADY_THERE && was_done(tx, c, p))
		c->outcome = STORE_OK;
	return p->kind == PROBLEM_NONE;
}

enum store_outcome store_admin_create(struct store *store, struct text email,
				      struct text phone, int64_t now,
				      struct store_admin_user *out, struct problem *p)
{
	struct creation c = { .email = email, .phone = phone, .now = now };

	if (store->own)
		return own_admin_create(store, email, phone, out, p);
	if (!store_transact(store, create, &c, p))
		return STORE_FAILED;
	if (c.outcome != STORE_OK)
		return c.outcome;
	c.user.active = true;
	snprintf(c.user.email, sizeof(c.user.email), "%.*s", TEXT_ARG(email));
	snprintf(c.user.phone, sizeof(c.user.phone), "%.*s", TEXT_ARG(phone));
	*out = (struct store_admin_user){ .user = c.user, .created_at = now };
	return STORE_OK;
}

/* ---- a user and what hangs on it, at once */

struct change {
	const char *user_id;
	bool active;
	struct store_admin_erased gone;
	enum store_outcome outcome;
};

static bool set_active(struct store_tx *tx, void *context, struct problem *p)
{
	struct change *c = context;
	struct db_value in[] = { store_id(c->user_id) };
	struct db_call disable = CALL(ADMIN_USER_DISABLE, in),
		       enable = CALL(ADMIN_USER_ENABLE, in);
	struct store_user user;

	c->outcome = lock_user(tx, c->user_id, &user, p);
	if (c->outcome != STORE_OK)
		return c->outcome == STORE_NOT_FOUND;
	if (c->active && user.active)
		return true;
	/*
	 * Also when the user is enabled: a login that read "active" before the user was
	 * disabled can have added its session after it. That one must not come to life.
	 */
	return store_run(tx, c->active ? &enable : &disable, p) == STORE_OK &&
	       store_take_away(tx, SQL_ADMIN_SESSIONS_ERASE, store_id(c->user_id),
			       &c->gone.sessions, p);
}

enum store_outcome store_admin_set_active(struct store *store, const char *user_id,
					  bool active, uint64_t *ended, struct problem *p)
{
	struct change c = { .user_id = user_id, .active = active };

	if (!store_transact(store, set_active, &c, p))
		return STORE_FAILED;
	if (c.outcome == STORE_OK)
		*ended = c.gone.sessions;
	return c.outcome;
}

static bool erase(struct store_tx *tx, void *context, struct problem *p)
{
	struct change *c = context;
	const struct db_value id = store_id(c->user_id);
	struct store_user user;
	uint64_t users = 0;

	/* First, so that no login adds anything until it is over. */
	c->outcome = lock_user(tx, c->user_id, &user, p);
	if (c->outcome == STORE_OK)
		return store_take_away(tx, SQL_ADMIN_SESSIONS_ERASE, id,
				       &c->gone.sessions, p) &&
		       store_take_away(tx, SQL_ADMIN_IDENTITIES_ERASE, id,
				       &c->gone.identities, p) &&
		       store_take_away(tx, SQL_ADMIN_INVITE_REMOVE,
				       store_bytes(text_of(user.email)), &c->gone.invites,
				       p) &&
		       store_take_away(tx, SQL_ADMIN_USER_ERASE, id, &users, p) &&
		       /* It is there: only a DELETE that was killed finds nobody. */
		       (users || store_tx_again(tx, p));
	if (c->outcome == STORE_NOT_FOUND && store_tx_may_be_done(tx))
		c->outcome = STORE_OK;
	return c->outcome != STORE_FAILED;
}

enum store_outcome store_admin_erase(struct store *store, const char *user_id,
				     struct store_admin_erased *out, struct problem *p)
{
	struct change c = { .user_id = user_id };

	if (store->own)
		return own_admin_erase(store, user_id, out, p);
	if (!store_transact(store, erase, &c, p))
		return STORE_FAILED;
	if (c.outcome == STORE_OK)
		*out = c.gone;
	return c.outcome;
}

struct identity_row {
	struct store_admin_identity row;
	void (*each)(void *context, const struct store_admin_identity *i);
	void *context;
};

static void pass_identity(void *context)
{
	struct identity_row *r = context;

	r->each(r->context, &r->row);
}

enum store_outcome
store_admin_identities(struct store *store, const char *user_id,
		       void (*each)(void *context, const struct store_admin_identity *i),
		       void *context, struct problem *p)
{
	struct identity_row r = { .each = each, .context = context };
	struct db_value in[] = { store_owner(store, user_id) };
	const struct db_column columns[] = { DB_TEXT_COLUMN(r.row.provider),
					     DB_TEXT_COLUMN(r.row.subject),
					     DB_TEXT_COLUMN(r.row.email_at_link),
					     DB_NUMBER_COLUMN(r.row.created_at) };
	struct db_call call = QUERY(ADMIN_IDENTITIES, in, columns);

	call.id = store->own ? SQL_OWN_IDENTITIES : SQL_ADMIN_IDENTITIES;
	if (!store_needs_tables(store))
		return STORE_OK;
	call.each = pass_identity;
	call.context = &r;
	return run_list(store, &call, p);
}

/* ---- sessions */

struct session_row {
	struct store_admin_session row;
	uint64_t active;
	void (*each)(void *context, const struct store_admin_session *s);
	void *context;
};

static void pass_session(void *context)
{
	struct session_row *r = context;

	r->row.user.active = r->active != 0;
	r->each(r->context, &r->row);
}

enum store_outcome
store_admin_sessions(struct store *store, const struct store_admin_session_filter *filter,
		     const struct store_admin_page *page,
		     void (*each)(void *context, const struct store_admin_session *s),
		     void *context, struct problem *p)
{
	struct session_row r = { .each = each, .context = context };
	struct store_session *s = &r.row.session;
	struct db_value in[5] = { store_id(page->after),
				  store_time(filter->live.expires_after),
				  store_time(filter->live.seen_after) };
	const struct db_column columns[] = {
		DB_TEXT_COLUMN(s->id),
		DB_TEXT_COLUMN(s->provider),
		DB_TEXT_COLUMN(s->address),
		DB_TEXT_COLUMN(s->user_agent),
		DB_NUMBER_COLUMN(s->created_at),
		DB_NUMBER_COLUMN(s->last_seen_at),
		DB_NUMBER_COLUMN(s->expires_at),
		DB_NUMBER_COLUMN(s->generation),
		DB_NUMBER_COLUMN(s->rotated_at),
		DB_TEXT_COLUMN(r.row.user.id),
		DB_TEXT_COLUMN(r.row.user.email),
		DB_TEXT_COLUMN(r.row.user.phone),
		DB_NUMBER_COLUMN(r.active),
	};
	struct db_call call = QUERY(ADMIN_SESSIONS, in, columns);

	call.id = store->own ? SQL_OWN_SESSIONS : SQL_ADMIN_SESSIONS;
	if (!store_uses(store, STORE_SESSIONS))
		return STORE_OK;
	call.each = pass_session;
	call.context = &r;
	call.value_count = 3;
	if (filter->user_id) {
		call.id = store->own ? SQL_OWN_SESSIONS_OF : SQL_ADMIN_SESSIONS_OF;
		in[call.value_count++] = store_owner(store, filter->user_id);
	}
	in[call.value_count++] = store_number(page->limit);
	return run_list(store, &call, p);
}

enum store_outcome store_admin_session_end(struct store *store, const char *session_id,
					   struct problem *p)
{
	struct db_value in[] = { store_id(session_id) };
	struct db_call call = CALL(ADMIN_SESSION_END, in);

	return run_removal(store, &call, p);
}

enum store_outcome store_admin_purge(struct store *store, int64_t now, unsigned limit,
				     struct store_admin_purged *out, bool *more,
				     struct problem *p)
{
	struct db_value in[] = { store_time(now), store_number(limit) };
	struct db_call sessions = CALL(SESSION_PURGE, in), tokens = CALL(TOKEN_PURGE, in);

	if (store_uses(store, STORE_SESSIONS) &&
	    store_run_single(store, &sessions, p) != STORE_OK)
		return STORE_FAILED;
	out->sessions += sessions.changed;
	if (store_uses(store, STORE_TOKENS) &&
	    store_run_single(store, &tokens, p) != STORE_OK)
		return STORE_FAILED;
	out->tokens += tokens.changed;
	*more = sessions.changed >= limit || tokens.changed >= limit;
	return STORE_OK;
}

/* ---- invitations */

enum store_outcome store_admin_invite_add(struct store *store, struct text email,
					  int64_t now, bool *renewed, struct problem *p)
{
	struct db_value in[] = { store_bytes(email), store_time(now), store_time(now) };
	struct db_call call = CALL(ADMIN_INVITE_ADD, in);
	const enum store_outcome outcome = store_run_single(store, &call, p);

	/* An added row counts as 1, a changed one as 2, one that was just so as 0. */
	if (outcome == STORE_OK)
		*renewed = call.changed != 1;
	return outcome;
}

struct invite_row {
	struct store_admin_invite row;
	void (*each)(void *context, const struct store_admin_invite *invite);
	void *context;
};

#define INVITE_COLUMNS(r)                                                                \
	DB_TEXT_COLUMN((r).email), DB_NUMBER_COLUMN((r).created_at),                     \
		DB_NUMBER_COLUMN((r).used_at)

static void pass_invite(void *context)
{
	struct invite_row *r = context;

	r->each(r->context, &r->row);
}

enum store_outcome
store_admin_invites(struct store *store, const struct store_admin_page *page,
		    void (*each)(void *context, const struct store_admin_invite *invite),
		    void *context, struct problem *p)
{
	struct invite_row r = { .each = each, .context = context };
	struct db_value in[] = { store_bytes(text_of(page->after)),
				 store_number(page->limit) };
	const struct db_column columns[] = { INVITE_COLUMNS(r.row) };
	struct db_call call = QUERY(ADMIN_INVITES, in, columns);

	call.each = pass_invite;
	call.context = &r;
	return run_list(store, &call, p);
}

enum store_outcome store_admin_invite_find(struct store *store, struct text email,
					   struct store_admin_invite *out,
					   struct problem *p)
{
	struct store_admin_invite row = { 0 };
	struct db_value in[] = { store_bytes(email) };
	const struct db_column columns[] = { INVITE_COLUMNS(row) };
	struct db_call call = QUERY(ADMIN_INVITE, in, columns);
	const enum store_outcome outcome = store_run_single(store, &call, p);

	if (outcome == STORE_OK)
		*out = row;
	return outcome;
}

enum store_outcome store_admin_invite_remove(struct store *store, struct text email,
					     struct problem *p)
{
	struct db_value in[] = { store_bytes(email) };
	struct db_call call = CALL(ADMIN_INVITE_REMOVE, in);

	return run_removal(store, &call, p);
}
