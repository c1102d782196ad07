/* Form posts: application/x-www-form-urlencoded (WHATWG URL, 5.1). Pure. */
#ifndef PINTLE_FORM_H
#define PINTLE_FORM_H

#include "problem.h"
#include "request.h"

/* Is this the media type of the request's body? */
bool form_is(const struct request *req);

/*
 * The decoded value of the field NAME of TEXT. False when it is absent, is there twice, or
 * holds a NUL or a broken escape: then it means nothing certain.
 */
bool form_field(struct arena *a, struct text form, const char *name, struct text *out);

#endif
