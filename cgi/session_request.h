/* The session that a request comes with. */
#ifndef PINTLE_SESSION_REQUEST_H
#define PINTLE_SESSION_REQUEST_H

#include "access.h"
#include "app.h"
#include "request.h"
#include "response.h"
#include "session.h"

/*
 * Who sent the request, for the gate. Also notes the user in RES for the log, and that
 * last-seen is due to be written. Problems: NO_SESSION, DATABASE_AWAY, KEYS_AWAY.
 */
bool session_request_access(const struct app *app, const struct request *req,
			    struct response *res, struct access *out, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * The same, where only a session will do, and gate_cache does not count: a bearer without
 * one is NO_SESSION.
 */
bool session_request_find(const struct app *app, const struct request *req,
			  struct response *res, struct session *session,
			  struct store_user *user, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * In mode "jwt": the session of the refresh token that came with the request, in BODY (may be
 * NULL) or as a cookie, and its user. It may be a spent one: *GENERATION says which. Problems:
 * BAD_MEMBER, NO_SESSION, DATABASE_AWAY, INTERNAL.
 */
bool session_request_refresh(const struct app *app, const struct request *req,
			     const struct json *body, struct session *session,
			     struct store_user *user, uint64_t *generation,
			     struct problem *p) __attribute__((warn_unused_result));

/*
 * The session that a request wants to end: as session_request_find or, where a JWT has
 * expired while the session behind it has not, by the refresh token.
 */
bool session_request_find_to_end(const struct app *app, const struct request *req,
				 const struct json *body, struct response *res,
				 struct session *session, struct store_user *user,
				 struct problem *p) __attribute__((warn_unused_result));

/*
 * The hash of the session that a login came with, for it to be ended: *OUT is HASH, or NULL if
 * there is none. False when that cannot be known, with DATABASE_AWAY.
 */
bool session_request_old(const struct app *app, const struct request *req,
			 unsigned char hash[SHA256_BYTES], const unsigned char **out,
			 struct problem *p) __attribute__((warn_unused_result));

/* In mode "jwt": the name of the cookie with the refresh token. */
const char *session_request_refresh_cookie(const struct app *app, struct arena *arena);

#endif
