/* A request's body: is it what the route takes, and what does it say? Pure. */
#ifndef PINTLE_BODY_H
#define PINTLE_BODY_H

#include "json.h"
#include "problem.h"
#include "request.h"

/*
 * The body as one JSON object. Problems: MEDIA_TYPE (not application/json, not UTF-8, or
 * compressed), BODY_TOO_LARGE, BAD_LENGTH, BODY_SHORT, BAD_JSON. When EMPTY_IS_FINE, no
 * body at all gives NULL.
 */
bool body_parse(const struct request *req, size_t limit, bool empty_is_fine,
		const struct json **out, struct problem *p)
	__attribute__((warn_unused_result));

/* The length alone, for other kinds of body. BODY_TOO_LARGE, BAD_LENGTH, BODY_SHORT. */
bool body_check_length(const struct request *req, size_t limit, struct problem *p)
	__attribute__((warn_unused_result));

#endif
