/* Questions to a token's claims; pure. */
#ifndef PINTLE_CLAIMS_H
#define PINTLE_CLAIMS_H

#include "json.h"

/*
 * "claim=value" or "claim=a|b" from the configuration; or what must not be so, "!claim=a|b",
 * and what must not be there, "!claim".
 */
struct claim_rule {
	const char
		*claim; /* a member name or a JSON Pointer, "!" before it if it forbids */
	const char *values; /* as written, "a|b"; empty in "!claim" */
};

/*
 * Does the rule hold? A string claim must equal one of the values byte for byte; a boolean
 * counts as "true" or "false", a whole number as its digits; of an array one element must.
 * One that forbids holds where the claim is absent, or can be compared and is none of these.
 */
bool claims_hold(const struct json *claims, const struct claim_rule *rule);

/*
 * Is ISSUER the one of PATTERN, byte for byte? "{tenantid}" in PATTERN stands for TENANT,
 * which must be a GUID of lower-case hex digits.
 */
bool claims_issuer(const char *pattern, struct text issuer, struct text tenant);
#define CLAIMS_TENANT "{tenantid}"

/* Does the string, or an element of the array of strings (RFC 7519, 4.1.3), equal one of LIST? */
bool claims_audience(const struct json *claim, const char *const *list, size_t count);

/* A NumericDate (RFC 7519, 2) from 0 to 253402300799; fractions are cut off. */
bool claims_time(const struct json *claims, const char *name, bool *present,
		 int64_t *out);

#endif
