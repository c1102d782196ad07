/*
 * What an administrator asks of the store, beside what logins do: people, their sessions
 * and invitations, page by page; whole people at once.
 *
 * Outcomes as in store.h; a list is STORE_OK or FAILED, and an empty one is OK. EACH is
 * called while the list is read and must not use the store.
 */
#ifndef PINTLE_STORE_ADMIN_H
#define PINTLE_STORE_ADMIN_H

#include "store.h"

/* Which rows of a list: at most LIMIT of those that follow AFTER ("": from the first). */
struct store_admin_page {
	const char *after;
	unsigned limit;
};

/* Which sessions count: those that expire after the one and were seen after the other. */
struct store_admin_live {
	int64_t expires_after, seen_after;
};

/* ---- users */

enum store_admin_key { STORE_ADMIN_ID, STORE_ADMIN_EMAIL, STORE_ADMIN_PHONE };

/* How a user is named: an id, or an email or phone in canonical form. */
struct store_admin_name {
	enum store_admin_key key;
	const char *value;
};

struct store_admin_user {
	struct store_user user;
	int64_t created_at, last_login_at; /* 0: never */
	uint64_t identities, sessions;	   /* how many; 0 in a list */
	bool is_missing; /* not in the users table that is not ours, but we have traces */
};

/*
 * Is the users table not ours (accounts.query_lookup)? Then there is no list of users, and
 * store_admin_set_active and the times of a user are not to be had.
 */
bool store_admin_is_foreign(const struct store *store);

/* STORE_OK, NOT_FOUND or FAILED. Only sessions that are LIVE are counted. */
enum store_outcome store_admin_user(struct store *store,
				    const struct store_admin_name *name,
				    const struct store_admin_live *live,
				    struct store_admin_user *out, struct problem *p);

/*
 * All users in the order of their ids; or, where PREFIX is not NULL, those whose email
 * begins with it in the order of their emails. PAGE's AFTER is an id, or an email.
 */
enum store_outcome store_admin_users(struct store *store, const char *prefix,
				     const struct store_admin_page *page,
				     void (*each)(void *context,
						  const struct store_admin_user *user),
				     void *context, struct problem *p);

/* EMAIL or PHONE may be empty (none), not both. STORE_OK, ALREADY_THERE or FAILED. */
enum store_outcome store_admin_create(struct store *store, struct text email,
				      struct text phone, int64_t now,
				      struct store_admin_user *out, struct problem *p);

/*
 * Disables or enables a user. *ENDED gets how many sessions ended with it: all when the
 * user is disabled, and those that slipped in beside that when it is enabled again. A
 * user who is active stays signed in. STORE_OK, NOT_FOUND or FAILED.
 */
enum store_outcome store_admin_set_active(struct store *store, const char *user_id,
					  bool active, uint64_t *ended,
					  struct problem *p);

struct store_admin_erased {
	uint64_t identities, sessions, invites;
};

/*
 * Everything of a person that is in our tables, in one transaction. STORE_OK, NOT_FOUND or
 * FAILED.
 */
enum store_outcome store_admin_erase(struct store *store, const char *user_id,
				     struct store_admin_erased *out, struct problem *p);

struct store_admin_identity {
	char provider[33];
	char subject[256];
	char email_at_link[255]; /* as the provider wrote it; "" when there was none */
	int64_t created_at;
};

/* All of a user's, in no page: there are few. */
enum store_outcome
store_admin_identities(struct store *store, const char *user_id,
		       void (*each)(void *context, const struct store_admin_identity *i),
		       void *context, struct problem *p);

/* ---- sessions */

struct store_admin_session {
	struct store_user user;
	struct store_session session; /* without its hash */
};

struct store_admin_session_filter {
	const char *user_id; /* NULL: everybody's */
	struct store_admin_live live;
};

/* In the order of their ids; PAGE's AFTER is an id. */
enum store_outcome
store_admin_sessions(struct store *store, const struct store_admin_session_filter *filter,
		     const struct store_admin_page *page,
		     void (*each)(void *context, const struct store_admin_session *s),
		     void *context, struct problem *p);

/* Ends one, whoever's. STORE_OK, NOT_FOUND or FAILED. */
enum store_outcome store_admin_session_end(struct store *store, const char *session_id,
					   struct problem *p);

struct store_admin_purged {
	uint64_t sessions, tokens;
};

/*
 * Removes at most LIMIT sessions, and as many used tokens, that expired before NOW, and
 * adds to OUT how many. *MORE is true when there may be more of them.
 */
enum store_outcome store_admin_purge(struct store *store, int64_t now, unsigned limit,
				     struct store_admin_purged *out, bool *more,
				     struct problem *p);

/* ---- invitations, by email in canonical form */

struct store_admin_invite {
	char email[255];
	int64_t created_at, used_at; /* 0: not used */
};

/* One that is there, used or not, is made new, and *RENEWED true. STORE_OK or FAILED. */
enum store_outcome store_admin_invite_add(struct store *store, struct text email,
					  int64_t now, bool *renewed, struct problem *p);

/* STORE_OK, NOT_FOUND or FAILED. */
enum store_outcome store_admin_invite_find(struct store *store, struct text email,
					   struct store_admin_invite *out,
					   struct problem *p);
enum store_outcome store_admin_invite_remove(struct store *store, struct text email,
					     struct problem *p);

/* In the order of their emails; PAGE's AFTER is an email. */
enum store_outcome
store_admin_invites(struct store *store, const struct store_admin_page *page,
		    void (*each)(void *context, const struct store_admin_invite *invite),
		    void *context, struct problem *p);

#endif
