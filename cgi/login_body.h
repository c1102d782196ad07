/* What a login request posts: JSON, or a provider's form. */
#ifndef PINTLE_LOGIN_BODY_H
#define PINTLE_LOGIN_BODY_H

#include "app.h"
#include "request.h"

struct login_body {
	struct text token;
	bool is_form;	       /* answered with a redirect instead of JSON */
	struct text return_to; /* of a form: a path of this site */
	bool has_google_csrf;  /* of a form: its g_csrf_token is that of the cookie */
};

/*
 * The token of the body and nothing else: all beside it is untrusted decoration. Problems: of
 * body_parse, NO_TOKEN, BAD_FORM.
 */
bool login_body_parse(const struct app *app, const struct request *req,
		      struct login_body *out, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * What can only be asked once it is known whose token it is: a form is taken from a provider
 * that says so, from its page, and, with Google, with the g_csrf_token. Apple has none: its
 * page's origin is what tells its form from another's. Problems: MEDIA_TYPE, ORIGIN_REFUSED,
 * BAD_FORM.
 */
bool login_body_check_form(const struct app *app, const struct request *req,
			   const struct login_body *body, const struct identity *identity,
			   struct problem *p) __attribute__((warn_unused_result));

#endif
