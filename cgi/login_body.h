/* What a login request posts: JSON, or a provider's form. */
#ifndef PINTLE_LOGIN_BODY_H
#define PINTLE_LOGIN_BODY_H

#include "app.h"
#include "request.h"

struct login_body {
	struct text token;
	bool is_form;	       /* answered with a redirect instead of JSON */
	struct text return_to; /* of a form: a path of this site */
};

/*
 * The token of the body and nothing else: all beside it is untrusted decoration. Problems: of
 * body_parse, NO_TOKEN, BAD_FORM.
 */
bool login_body_parse(const struct app *app, const struct request *req,
		      struct login_body *out, struct problem *p)
	__attribute__((warn_unused_result));

#endif
