#include "claims.h"

#include <inttypes.h>
#include <stdio.h>

#define TIME_MAX 253402300799.0	     /* the end of the year 9999 */
#define WHOLE_MAX 9007199254740991.0 /* above it a double stands for several integers */
#define AUDIENCES_MAX 16

static bool is_one_of(struct text claim, const char *values)
{
	struct text rest = text_of(values), value;

	while (rest.len) {
		value = text_before(rest, '|', &rest);
		/* A stray "|" must not let an empty claim through. */
		if (value.len && text_equal(value, claim))
			return true;
	}
	return false;
}

static bool number_holds(double number, const char *values)
{
	char digits[24];

	/* Also false for NaN; and an integer that a double cannot tell from its neighbour
	 * must not be taken for it. */
	if (!(number >= -WHOLE_MAX && number <= WHOLE_MAX) ||
	    (double)(int64_t)number != number)
		return false;
	snprintf(digits, sizeof(digits), "%" PRId64, (int64_t)number);
	return is_one_of(text_of(digits), values);
}

static bool scalar_holds(const struct json *claim, const char *values)
{
	struct text string;
	double number;
	bool truth;

	if (json_string(claim, &string))
		return is_one_of(string, values);
	if (json_boolean(claim, &truth))
		return is_one_of(truth ? AS_TEXT("true") : AS_TEXT("false"), values);
	return json_number(claim, &number) && number_holds(number, values);
}

static bool claim_holds(const struct json *claim, const char *values)
{
	for (size_t i = 0; i < json_array_length(claim); i++)
		if (scalar_holds(json_array_at(claim, i), values))
			return true;
	return scalar_holds(claim, values);
}

static bool is_comparable(const struct json *claim)
{
	struct text string;
	double number;
	bool truth;

	return json_string(claim, &string) || json_boolean(claim, &truth) ||
	       json_number(claim, &number);
}

bool claims_hold(const struct json *claims, const struct claim_rule *rule)
{
	const bool forbids = rule->claim[0] == '!';
	const struct json *claim;

	if (!json_find(claims, rule->claim + forbids, &claim))
		return forbids;
	if (!forbids)
		return claim_holds(claim, rule->values);
	/* What cannot be compared must not pass for something else. */
	for (size_t i = 0; i < json_array_length(claim); i++)
		if (!is_comparable(json_array_at(claim, i)))
			return false;
	return *rule->values &&
	       (json_type(claim) == JSON_ARRAY || is_comparable(claim)) &&
	       !claim_holds(claim, rule->values);
}

/* Lower case only: an issuer has one spelling. */
static bool is_guid(struct text t)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (t.len != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (form[i] == '-' ? t.data[i] != '-'
				   : !t.data[i] || !strchr("0123456789abcdef", t.data[i]))
			return false;
	return true;
}

bool claims_issuer(const char *pattern, struct text issuer, struct text tenant)
{
	const char *place = strstr(pattern, CLAIMS_TENANT);
	struct text head, tail;

	if (!place)
		return text_is(issuer, pattern);
	head = (struct text){ pattern, (size_t)(place - pattern) };
	tail = text_of(place + strlen(CLAIMS_TENANT));
	return is_guid(tenant) && issuer.len == head.len + tenant.len + tail.len &&
	       memcmp(issuer.data, head.data, head.len) == 0 &&
	       memcmp(issuer.data + head.len, tenant.data, tenant.len) == 0 &&
	       memcmp(issuer.data + head.len + tenant.len, tail.data, tail.len) == 0;
}

static bool is_listed(struct text audience, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (audience.len && text_is(audience, list[i]))
			return true;
	return false;
}

bool claims_audience(const struct json *claim, const char *const *list, size_t count)
{
	size_t length = json_array_length(claim);
	struct text audience;
	bool listed = false;

	if (json_string(claim, &audience))
		return is_listed(audience, list, count);
	if (length > AUDIENCES_MAX)
		return false;
	/* To the end even after a match: an element that is no string spoils them all. */
	for (size_t i = 0; i < length; i++) {
		if (!json_string(json_array_at(claim, i), &audience))
			return false;
		listed = listed || is_listed(audience, list, count);
	}
	return listed;
}

bool claims_time(const struct json *claims, const char *name, bool *present, int64_t *out)
{
	const struct json *claim;
	double seconds;

	if (!json_member(claims, name, &claim)) {
		*present = false;
		return true;
	}
	if (!json_number(claim, &seconds) || !(seconds >= 0 && seconds <= TIME_MAX))
		return false;
	*present = true;
	*out = (int64_t)seconds;
	return true;
}
