/* Sessions: start, find, end; lifetimes. Only hashes are at rest. */
#ifndef PINTLE_SESSION_H
#define PINTLE_SESSION_H

#include "config.h"
#include "store.h"

/* Where a session is used from; both are kept for the list of one's sessions only. */
struct session_client {
	struct text address, user_agent;
};

struct session {
	struct store_session row; /* its hash is the one that the session is found by */
	char token[SECRET_TEXT_LEN + 1]; /* only after session_prepare; else "" */
	int64_t valid_until;		 /* when it ends if it is not used again */
};

/* A fresh token and the row that goes with it; nothing is stored yet. */
void session_prepare(const struct config_session *config, struct text provider,
		     const struct session_client *client, int64_t now,
		     struct session *out);

/* Makes a prepared session one that is found by another token's hash, until that expires. */
void session_bind(struct session *session, const unsigned char hash[SHA256_BYTES],
		  int64_t expires_at);

/*
 * Stores a prepared session for USER_ID within a transaction and ends the user's oldest
 * ones beyond max_per_user. It may stand there already, if an earlier attempt of the same
 * transaction was committed after all.
 */
bool session_start(struct store_tx *tx, const struct config_session *config,
		   const char *user_id, struct session *session, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * The session of this token and its user. NO_SESSION when it is known to be absent, ended
 * or expired, or its user is disabled; DATABASE_AWAY when that is not known.
 */
bool session_find(struct store *store, const struct config_session *config,
		  struct text token, int64_t now, struct session *out,
		  struct store_user *user, struct problem *p)
	__attribute__((warn_unused_result));

/* The same by the hash, and by the session's id. */
bool session_find_by_hash(struct store *store, const struct config_session *config,
			  const unsigned char hash[SHA256_BYTES], int64_t now,
			  struct session *out, struct store_user *user, struct problem *p)
	__attribute__((warn_unused_result));
bool session_find_by_id(struct store *store, const struct config_session *config,
			const char *id, int64_t now, struct session *out,
			struct store_user *user, struct problem *p)
	__attribute__((warn_unused_result));

/* Is last_seen_at so old that it should be written again? */
bool session_touch_is_due(const struct config_session *config,
			  const struct session *session, int64_t now);

#endif
