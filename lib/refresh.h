/*
 * Refresh tokens, which stand behind the JWTs of session mode "jwt": each is spent once, for
 * its successor (RFC 9700, 4.14.2). A token is told by its session and GENERATION.
 */
#ifndef PINTLE_REFRESH_H
#define PINTLE_REFRESH_H

#include "app.h"
#include "session.h"

/*
 * May the token of GENERATION be taken on? It may when it is that of now, or the one before
 * and may still come: within the grace, or after a refresh of which the database never said
 * whether it was done. Else somebody has what was spent long ago: the session of USER is
 * ended, and the problem is NO_SESSION.
 */
bool refresh_check(const struct app *app, uint64_t generation, int64_t now,
		   const struct session *session, const struct store_user *user,
		   struct problem *p) __attribute__((warn_unused_result));

/*
 * Takes SESSION on to the successor of GENERATION, which several may do at once: all get the
 * same. SESSION and USER may be read anew.
 */
bool refresh_spend(const struct app *app, uint64_t generation, int64_t now,
		   struct session *session, struct store_user *user, struct problem *p)
	__attribute__((warn_unused_result));

#endif
