#include "claims.h"
#include "fuzz.h"

/* A line with a rule, "claim=value|value" or "!claim…", then claims as JSON. */
void fuzz_claims(struct arena *a, struct text input)
{
	struct text document, values;
	const struct text line = text_before(input, '\n', &document);
	const struct text claim = text_before(line, '=', &values);
	const char *name = arena_copy(a, claim).data, *why;
	const char *list[] = { arena_copy(a, values).data, "us" };
	const struct claim_rule rule = { name, list[0] };
	const struct claim_rule forbids = { arena_printf(a, "!%s", name).data, list[0] };
	const struct json *claims = json_parse(a, document, 32, &why), *found;
	bool present = false, holds;
	int64_t when = -1;

	if (json_type(claims) != JSON_OBJECT || !*name ||
	    memchr(claim.data, '\0', claim.len))
		return;
	holds = claims_hold(claims, &rule);
	fuzz_through += holds;
	/* What is demanded and forbidden at once is never so. */
	if (*name != '!')
		REQUIRE(!(holds && claims_hold(claims, &forbids)));
	if (claims_time(claims, name, &present, &when))
		REQUIRE(!present || (when >= 0 && when <= 253402300799));
	else
		REQUIRE(!present && when == -1);
	if (json_find(claims, name, &found) && claims_audience(found, list, 2))
		REQUIRE(json_type(found) == JSON_STRING ||
			json_type(found) == JSON_ARRAY);
	if (holds && *name != '!')
		REQUIRE(json_find(claims, name, &found) &&
			json_type(found) != JSON_OBJECT);
}
