/* The session that a request comes with. */
#ifndef PINTLE_SESSION_REQUEST_H
#define PINTLE_SESSION_REQUEST_H

#include "app.h"
#include "request.h"
#include "response.h"
#include "session.h"

/* The session token, from where the session mode has it; empty if there is none. */
struct text session_request_token(const struct config *config, const struct request *req);

/*
 * The session and its user. Also notes them in RES for the log, and that last-seen is due
 * to be written. Problems: NO_SESSION, DATABASE_AWAY.
 */
bool session_request_find(const struct app *app, const struct request *req,
			  struct response *res, struct session *session,
			  struct store_user *user, struct problem *p)
	__attribute__((warn_unused_result));

#endif
