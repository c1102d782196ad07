#include <stdio.h>

#include "store_mysql.h"
#include "store_own.h"

/*
 * No collation may decide who somebody is. A key that is compared by one, or is not UNIQUE,
 * lets one person in as another; so nothing is served over a connection before this has
 * looked, and a table that is altered later is found by the next connection.
 */

bool store_check_is_exact(const char *collation)
{
	const struct text name = text_of(collation);
	const struct text nopad = AS_TEXT("_nopad_bin");

	/* utf8mb4_bin is not: it takes "alice " for "alice". */
	return !name.len || text_is(name, "utf8mb4_0900_bin") ||
	       (name.len > nopad.len &&
		text_equal((struct text){ name.data + name.len - nopad.len, nopad.len },
			   nopad));
}

/* The columns of a table's unique indexes go by, one after the other. */
struct key_search {
	const char *const *columns;
	char index[65], column[65], collation[65];
	uint64_t part; /* characters of a prefix; 0: the whole column */
	char current[65];
	char inexact[65]; /* a collation that a column of the key has */
	bool fits, unique;
};

static bool is_wanted(const struct key_search *k)
{
	for (int i = 0; i < 2 && k->columns[i]; i++)
		if (text_equal_nocase(text_of(k->column), text_of(k->columns[i])))
			return true;
	return false;
}

static void note_column(void *context)
{
	struct key_search *k = context;

	if (strcmp(k->index, k->current) != 0) {
		/* The one before is over: all its columns were of the key, or it does not count. */
		k->unique |= k->fits;
		snprintf(k->current, sizeof(k->current), "%s", k->index);
		k->fits = true;
	}
	if (!is_wanted(k) || k->part)
		k->fits = false;
	else if (!store_check_is_exact(k->collation))
		snprintf(k->inexact, sizeof(k->inexact), "%s", k->collation);
}

bool store_check_key(struct db_link *link, const char *schema, const char *table,
		     const char *const columns[2], bool *unique, char inexact[65],
		     struct problem *p)
{
	struct key_search k = { .columns = columns };
	const struct db_value where = store_text_or_null(text_of(schema));
	const struct db_value what = store_text_or_null(text_of(table));
	struct db_value in[] = { where, what, where, what };
	const struct db_column out[] = { DB_TEXT_COLUMN(k.index),
					 DB_TEXT_COLUMN(k.column),
					 DB_TEXT_COLUMN(k.collation),
					 DB_NUMBER_COLUMN(k.part) };
	struct db_call call = QUERY(TABLE_KEYS, in, out);

	call.each = note_column;
	call.context = &k;
	if (db_run(link, &call, p) == STORE_FAILED)
		return false;
	*unique = k.unique || k.fits;
	snprintf(inexact, 65, "%s", k.inexact);
	return true;
}

static const struct key {
	enum store_use use;
	const char *table;
	const char *columns[2];
} keys[] = {
	{ STORE_USERS, "users", { "email", NULL } },
	{ STORE_USERS, "users", { "phone", NULL } },
	{ STORE_IDENTITIES, "identities", { "provider", "subject" } },
	{ STORE_OWN_IDENTITIES, "own_identities", { "provider", "subject" } },
	{ STORE_SESSIONS, "sessions", { "token_hash", NULL } },
	{ STORE_INVITES, "invites", { "email", NULL } },
	{ STORE_TOKENS, "used_tokens", { "token_hash", NULL } },
};

/* With a users table that is not ours, only what is in use must be there. */
bool store_uses(const struct store *store, enum store_use use)
{
	const struct config *config = store->config;

	if (!store->own)
		return use != STORE_OWN_IDENTITIES;
	switch (use) {
	case STORE_USERS:
	case STORE_IDENTITIES:
		return false;
	case STORE_OWN_IDENTITIES:
		return !config->accounts.forget_subjects;
	case STORE_SESSIONS:
		return config->session.mode != CONFIG_SESSION_NONE &&
		       !config->session.stateless;
	case STORE_INVITES:
		return config->accounts.signup == CONFIG_SIGNUP_INVITED;
	case STORE_TOKENS:
		break;
	}
	for (size_t i = 0; i < config->provider_count; i++)
		if (config->providers[i].single_use_s)
			return true;
	return false;
}

static bool check_one(struct db_link *link, const struct key *key, struct problem *p)
{
	const char *second = key->columns[1] ? key->columns[1] : "";
	const char *comma = *second ? ", " : "";
	char inexact[65];
	bool unique;

	if (!store_check_key(link, NULL, key->table, key->columns, &unique, inexact, p))
		return false;
	if (!unique)
		return problem(p, INTERNAL, "%s (%s%s%s) is not UNIQUE", key->table,
			       key->columns[0], comma, second);
	return !*inexact ||
	       problem(p, INTERNAL, "%s (%s%s%s) is compared by %s, not byte for byte",
		       key->table, key->columns[0], comma, second, inexact);
}

bool store_needs_tables(const struct store *store)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (store_uses(store, keys[i].use))
			return true;
	return false;
}

/* Without our tables there is nothing wrong with their keys yet: that is cured by migrating. */
static bool check_version(const struct store *store, struct db_link *link,
			  struct problem *p)
{
	const int needed = store->own ? STORE_SCHEMA_VERSION : 1;
	int version;

	if (!store_read_version(link, &version, p))
		return false;
	return version >= needed ||
	       problem(p, DATABASE_AWAY,
		       "schema version is %d, needed is %d: pintlectl db migrate",
		       version, STORE_SCHEMA_VERSION);
}

bool store_look(struct store *store, struct db_link *link, struct problem *p)
{
	if (db_is_checked(link))
		return true;
	if (store_needs_tables(store) && !check_version(store, link, p))
		return false;
	for (size_t i = 0; i < COUNT(keys); i++)
		if (store_uses(store, keys[i].use) && !check_one(link, &keys[i], p))
			return false;
	if (store->own && !own_check(store, link, p))
		return false;
	db_set_checked(link);
	return true;
}

bool store_check(struct store *store, struct problem *p)
{
	struct db_link *link = db_take(store->db, DB_STATEMENTS, p);
	bool good;

	if (!link)
		return false;
	good = store_look(store, link, p);
	if (!good && db_fault(link) == DB_LOST) {
		problem_clear(p);
		good = db_open(store->db, link, p) && store_look(store, link, p);
	}
	db_give_back(store->db, link);
	return good;
}
