/* A verified identity becomes a user and a session: one transaction, one COMMIT. */
#ifndef PINTLE_LOGIN_H
#define PINTLE_LOGIN_H

#include "session.h"
#include "user.h"

struct login_request {
	const struct config *config;
	const struct identity *identity;
	struct session_client client;
	const unsigned char *old_hash; /* of the session that came with it; NULL: none */
	int64_t now;
};

struct login {
	struct store_user user;
	struct session session;
	bool created;	  /* true for exactly one of any number of first logins at once */
	bool has_session; /* false in session mode "none"; with sessions = no it has no id */
};

/*
 * Finds or creates the user, starts a session and ends the one that came along. When it
 * returns true all of it is committed. Problems: as user_find_or_create.
 */
bool login_record(struct store *store, const struct login_request *request,
		  struct login *out, struct problem *p)
	__attribute__((warn_unused_result));

#endif
