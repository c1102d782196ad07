/* What a client gets in its hands when a session starts or is taken on, by session mode. */
#ifndef PINTLE_SESSION_ANSWER_H
#define PINTLE_SESSION_ANSWER_H

#include "app.h"
#include "mint.h"
#include "request.h"
#include "response.h"
#include "session.h"

struct session_answer {
	const struct session *session; /* NULL in mode "none" */
	struct text cookie;	       /* the session cookie's value; empty: none */
	int64_t cookie_life_s;
	struct text token;	   /* "token" of the answer; empty: none */
	int64_t token_expires_at;  /* 0: with the session */
	struct text refresh_token; /* mode "jwt" only */
	int64_t refresh_life_s;
};

/*
 * PROVIDER_TOKEN is what came with the login, for mode "provider". Problem INTERNAL when a
 * token cannot be signed.
 */
bool session_answer_make(const struct app *app, const struct store_user *user,
			 const struct session *session, struct text provider_token,
			 const struct request *req, struct session_answer *out,
			 struct problem *p) __attribute__((warn_unused_result));

/* The Set-Cookie headers. */
void session_answer_add_cookies(const struct app *app,
				const struct session_answer *answer,
				struct response *res);

/* The member "session". */
void session_answer_add(const struct session_answer *answer, struct response *res);

/* Set-Cookie headers that make a browser drop what it has. */
void session_answer_clear(const struct app *app, struct response *res);

#endif
