/* Who is behind a request: a session, or the bearer of a token. */
#ifndef PINTLE_ACCESS_H
#define PINTLE_ACCESS_H

#include "app.h"
#include "session.h"

/* What came with the request; empty where nothing did. */
struct access_credentials {
	struct text cookie; /* the session cookie */
	struct text bearer; /* from Authorization */
	bool at_gate; /* gate_cache counts; where sessions are shown or ended it does not */
};

struct access {
	struct store_user user;
	bool has_session; /* false for a provider's token that no session stands behind */
	struct session session;
};

/*
 * By session mode (SPEC section 6): the opaque token of a session, our own JWT with the
 * session behind it, the provider's token with the session that its login started; in any
 * mode a provider's token as Bearer, for a user who is there and whom a login would let in:
 * domains, on_subject_change and single_use count, and nothing is written. Problems:
 * NO_SESSION when it is known that nobody is; DATABASE_AWAY, KEYS_AWAY when it is not known.
 */
bool access_find(const struct app *app, const struct access_credentials *credentials,
		 int64_t now, struct arena *arena, struct access *out, struct problem *p)
	__attribute__((warn_unused_result));

#endif
