/*
 * A users table that is not ours: accounts.query_lookup, query_create and query_seen.
 *
 * Its users are found by address or, where the lookup asks for :user_id, by id; made; and
 * told that they were seen. What a lookup gives is compared byte for byte with what was
 * looked for, after both were brought to the one spelling.
 */
#ifndef PINTLE_STORE_OWN_H
#define PINTLE_STORE_OWN_H

#include "store_mysql.h"

/* NULL when the users are in our own table. */
struct store_own *own_new(struct db *db, const struct config_accounts *accounts);
void own_free(struct store_own *own);

/* Prepares the queries and checks what they give; INTERNAL, in the server's words. */
bool own_check(struct store *store, struct db_link *link, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * The user with ABOUT's email or, if that is empty, phone. TX may be NULL: a statement by
 * itself. STORE_OK, NOT_FOUND or FAILED; IDENTITY_CONFLICT when a collation found somebody
 * else.
 */
enum store_outcome own_find(struct store *store, struct store_tx *tx,
			    const struct store_about *about, struct store_user *out,
			    struct problem *p);

/* Does the lookup ask for :user_id, so that own_by_id knows for sure who is gone? */
bool own_finds_by_id(const struct store *store);

/*
 * The user of this id, last known by the address or number KNOWN_AS (may be empty). Where
 * the lookup does not ask for ids, NOT_FOUND also means that KNOWN_AS is not, or is no
 * longer, this user's.
 */
enum store_outcome own_by_id(struct store *store, struct store_tx *tx,
			     const char *user_id, const char *known_as,
			     struct store_user *out, struct problem *p);

/* Makes the user of TX's about and looks it up. STORE_OK, ALREADY_THERE or FAILED. */
enum store_outcome own_create(struct store_tx *tx, struct store_user *out,
			      struct problem *p);

enum store_outcome own_seen(struct store_tx *tx, const char *user_id, struct problem *p);

/* The one spelling of an address as somebody wrote it; "" if it has none. */
void own_canonical(const char *written, char out[255]);

#endif
