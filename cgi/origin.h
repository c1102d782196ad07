/* Requests from other origins: which may change something, and CORS (Fetch standard). Pure. */
#ifndef PINTLE_ORIGIN_H
#define PINTLE_ORIGIN_H

#include "config.h"
#include "request.h"
#include "response.h"

/*
 * For a request that changes something: ORIGIN_REFUSED if it carries an Origin that is
 * neither ours nor listed, or Sec-Fetch-Site: cross-site without such an origin. With FORMS
 * a form post may also come from the page of a provider with form = yes, of its issuer's
 * origin; such an origin gets no CORS headers and may send nothing else.
 */
bool origin_check(const struct config *config, const struct request *req, bool forms,
		  struct problem *p) __attribute__((warn_unused_result));

/* The same for a form post of which it is known whose token it brought: PROVIDER's. */
bool origin_check_form(const struct config *config, const struct request *req,
		       const struct config_provider *provider, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * Adds the CORS headers to any answer, errors included: Vary always, the rest for listed
 * origins only; never "*", never "null". METHODS, for a preflight, may be NULL.
 */
void origin_add_headers(const struct config *config, const struct request *req,
			const char *methods, struct response *res);

#endif
