/* The session cookie, in and out (RFC 6265); pure. */
#ifndef PINTLE_COOKIE_H
#define PINTLE_COOKIE_H

#include "config.h"
#include "request.h"

/*
 * The value of the cookie NAME over all Cookie headers. False when there is none, and as
 * well when there are several: somebody else's page may have planted the second.
 */
bool cookie_find(const struct request *req, const char *name, struct text *out);

/* The value of a Set-Cookie header. With an empty VALUE the browser drops its cookie. */
struct text cookie_print(struct arena *a, const struct config *config, const char *name,
			 struct text value, int64_t max_age_s);

#endif
