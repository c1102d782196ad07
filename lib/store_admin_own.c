#include "store_admin_own.h"

#include <stdio.h>

#include "store_own.h"

/* What our tables have of the user; 0 where they are not used. */
static enum store_outcome count_traces(struct store *store, const char *user_id,
				       const struct store_admin_live *live,
				       struct store_admin_user *out, struct problem *p)
{
	const struct db_value key = store_bytes(text_of(user_id));
	struct db_value in[] = { key, key, store_time(live->expires_after),
				 store_time(live->seen_after) };
	const struct db_column columns[] = { DB_NUMBER_COLUMN(out->identities),
					     DB_NUMBER_COLUMN(out->sessions) };
	struct db_call call = QUERY(OWN_TRACES, in, columns);

	return store_needs_tables(store) ? store_run_single(store, &call, p) : STORE_OK;
}

/* The address or number under which the user was last here; "" if none is known. */
static bool find_known_as(struct store *store, const char *user_id, char out[255],
			  struct problem *p)
{
	const struct db_value key = store_bytes(text_of(user_id));
	char written[255] = "";
	struct db_value in[] = { key, key };
	const struct db_column columns[] = { DB_TEXT_COLUMN(written) };
	struct db_call call = QUERY(OWN_KNOWN_AS, in, columns);

	if (store_needs_tables(store) &&
	    store_run_single(store, &call, p) == STORE_FAILED)
		return false;
	if (written[0] == '+')
		snprintf(out, 255, "%s", written);
	else
		own_canonical(written, out);
	return true;
}

static enum store_outcome find_by_id(struct store *store, const char *user_id,
				     struct store_user *out, struct problem *p)
{
	char known_as[255];

	if (!find_known_as(store, user_id, known_as, p))
		return STORE_FAILED;
	return own_by_id(store, NULL, user_id, known_as, out, p);
}

enum store_outcome own_admin_user(struct store *store,
				  const struct store_admin_name *name,
				  const struct store_admin_live *live,
				  struct store_admin_user *out, struct problem *p)
{
	static const struct store_admin_live ever = { 0 };
	const bool is_id = name->key == STORE_ADMIN_ID;
	struct store_about about = { 0 };
	struct store_admin_user user = { 0 };
	enum store_outcome outcome;

	*(name->key == STORE_ADMIN_PHONE ? &about.phone : &about.email) =
		text_of(name->value);
	outcome = is_id ? find_by_id(store, name->value, &user.user, p)
			: own_find(store, NULL, &about, &user.user, p);
	if (outcome == STORE_FAILED || (outcome == STORE_NOT_FOUND && !is_id))
		return outcome;
	if (outcome == STORE_NOT_FOUND) {
		user.is_missing = true;
		snprintf(user.user.id, sizeof(user.user.id), "%.64s", name->value);
	}
	/* Of one who is missing all of it counts, also what has expired and still stands there. */
	if (count_traces(store, user.user.id, user.is_missing ? &ever : live, &user, p) !=
	    STORE_OK)
		return STORE_FAILED;
	if (user.is_missing && !user.identities && !user.sessions)
		return STORE_NOT_FOUND;
	*out = user;
	return STORE_OK;
}

struct creation {
	struct text email, phone;
	struct store_user user;
	enum store_outcome outcome;
};

static bool create(struct store_tx *tx, void *context, struct problem *p)
{
	struct creation *c = context;
	struct store_user there;

	store_tx_about(tx, c->email, c->phone, AS_TEXT(""), AS_TEXT(""));
	switch (own_find(tx->store, tx, &tx->about, &there, p)) {
	case STORE_OK:
		/* Or the very one whom an attempt before made after all. */
		c->outcome = store_tx_may_be_done(tx) && strcmp(there.id, c->user.id) == 0
				     ? STORE_OK
				     : STORE_ALREADY_THERE;
		return true;
	case STORE_NOT_FOUND:
		break;
	default:
		return false;
	}
	c->outcome = own_create(tx, &c->user, p);
	return c->outcome != STORE_FAILED;
}

enum store_outcome own_admin_create(struct store *store, struct text email,
				    struct text phone, struct store_admin_user *out,
				    struct problem *p)
{
	struct creation c = { .email = email, .phone = phone };

	if (!store_transact(store, create, &c, p))
		return STORE_FAILED;
	if (c.outcome == STORE_OK)
		*out = (struct store_admin_user){ .user = c.user };
	return c.outcome;
}

struct removal {
	const char *user_id, *email;
	struct store_admin_erased gone;
};

static bool erase(struct store_tx *tx, void *context, struct problem *p)
{
	struct removal *r = context;
	const struct db_value key = store_bytes(text_of(r->user_id));

	return store_take_away(tx, SQL_OWN_SESSIONS_ERASE, key, &r->gone.sessions, p) &&
	       store_take_away(tx, SQL_OWN_IDENTITIES_ERASE, key, &r->gone.identities,
			       p) &&
	       store_take_away(tx, SQL_ADMIN_INVITE_REMOVE,
			       store_bytes(text_of(r->email)), &r->gone.invites, p);
}

enum store_outcome own_admin_erase(struct store *store, const char *user_id,
				   struct store_admin_erased *out, struct problem *p)
{
	struct store_user user = { 0 };
	struct removal r = { .user_id = user_id, .email = user.email };

	*out = r.gone;
	if (!store_needs_tables(store))
		return STORE_OK;
	if (find_by_id(store, user_id, &user, p) == STORE_FAILED ||
	    !store_transact(store, erase, &r, p))
		return STORE_FAILED;
	*out = r.gone;
	return STORE_OK;
}
