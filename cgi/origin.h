/* Requests from other origins: which may change something, and CORS (Fetch standard). Pure. */
#ifndef PINTLE_ORIGIN_H
#define PINTLE_ORIGIN_H

#include "config.h"
#include "request.h"
#include "response.h"

/*
 * For a request that changes something: ORIGIN_REFUSED if it carries an Origin that is
 * neither ours nor listed, or Sec-Fetch-Site: cross-site without such an origin.
 */
bool origin_check(const struct config *config, const struct request *req, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * Adds the CORS headers to any answer, errors included: Vary always, the rest for listed
 * origins only; never "*", never "null". METHODS, for a preflight, may be NULL.
 */
void origin_add_headers(const struct config *config, const struct request *req,
			const char *methods, struct response *res);

#endif
