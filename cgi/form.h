/* Form posts: application/x-www-form-urlencoded (WHATWG URL, 5.1). Pure. */
#ifndef PINTLE_FORM_H
#define PINTLE_FORM_H

#include "problem.h"
#include "request.h"

/* Is this the media type of the request's body? */
bool form_is(const struct request *req);

/*
 * Does FORM mean the same to everybody: at most 32 fields, no name twice, no NUL and no
 * broken escape? BAD_FORM otherwise.
 */
bool form_check(struct arena *a, struct text form, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * The decoded value of the field NAME of FORM. False when it is absent, is there twice, or
 * holds a NUL or a broken escape: then it means nothing certain.
 */
bool form_field(struct arena *a, struct text form, const char *name, struct text *out);

#endif
