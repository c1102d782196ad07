#include "../lib/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct json *parse(struct arena *a, const char *document)
{
	const char *why = NULL;
	const struct json *value = json_parse(a, text_of(document), 32, &why);

	if (!value)
		fail_msg("%s: %s", document, why);
	return value;
}

static bool holds(struct arena *a, const char *claims, const char *claim,
		  const char *values)
{
	struct claim_rule rule = { claim, values };

	return claims_hold(parse(a, claims), &rule);
}

/* ---- rules */

static void a_string_must_equal_one_value_byte_for_byte(void **state)
{
	static const char *const wrong[] = {
		"access",
		"ACCESS_TOKEN",
		"access_token ",
		" access_token",
		"access_tokens",
		"refresh",
		"ccess_token",
		"access_token\\u00ad",
		"client_access_token|access_token",
	};
	static const char values[] = "client_access_token|access_token";

	assert_true(holds(*state, "{\"type\":\"access_token\"}", "type", values));
	assert_true(holds(*state, "{\"type\":\"client_access_token\"}", "type", values));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct text claims = arena_printf(*state, "{\"type\":\"%s\"}", wrong[i]);

		if (holds(*state, claims.data, "type", values))
			fail_msg("held: %s", claims.data);
	}
}

static void booleans_hold_as_words(void **state)
{
	assert_true(holds(*state, "{\"v\":true}", "v", "true"));
	assert_true(holds(*state, "{\"v\":false}", "v", "true|false"));
	assert_false(holds(*state, "{\"v\":false}", "v", "true"));
	assert_false(holds(*state, "{\"v\":true}", "v", "1"));
	assert_false(holds(*state, "{\"v\":true}", "v", "True"));
	/* Some issuers write it as a string, and the rule says so by the same word. */
	assert_true(holds(*state, "{\"v\":\"true\"}", "v", "true"));
	assert_false(holds(*state, "{\"v\":\"True\"}", "v", "true"));
	assert_false(holds(*state, "{\"v\":1}", "v", "true"));
}

static void whole_numbers_hold_as_their_digits(void **state)
{
	assert_true(holds(*state, "{\"n\":1}", "n", "1"));
	assert_true(holds(*state, "{\"n\":0}", "n", "0"));
	assert_true(holds(*state, "{\"n\":-7}", "n", "3|-7"));
	assert_true(holds(*state, "{\"n\":9007199254740991}", "n", "9007199254740991"));
	assert_true(holds(*state, "{\"n\":-9007199254740991}", "n", "-9007199254740991"));
	assert_true(holds(*state, "{\"n\":1e3}", "n", "1000"));
	assert_false(holds(*state, "{\"n\":1}", "n", "01"));
	assert_false(holds(*state, "{\"n\":1}", "n", "1.0"));
	assert_false(holds(*state, "{\"n\":10}", "n", "1"));
	assert_false(holds(*state, "{\"n\":1.5}", "n", "1"));
	assert_false(holds(*state, "{\"n\":1.5}", "n", "1.5"));
	assert_false(holds(*state, "{\"n\":1e400}", "n", "inf"));
}

/* Two tenants whose numbers are one double apart are not one tenant. */
static void numbers_beyond_double_precision_never_hold(void **state)
{
	assert_false(holds(*state, "{\"n\":9007199254740993}", "n", "9007199254740992"));
	assert_false(holds(*state, "{\"n\":9007199254740993}", "n", "9007199254740993"));
	assert_false(holds(*state, "{\"n\":99999999999999999999}", "n",
			   "9223372036854775807"));
	assert_true(
		holds(*state, "{\"n\":\"9007199254740993\"}", "n", "9007199254740993"));
}

static void one_element_of_an_array_is_enough(void **state)
{
	assert_true(holds(*state, "{\"amr\":[\"pwd\",\"otp\"]}", "amr", "otp|mfa"));
	assert_true(holds(*state, "{\"amr\":[null,{},1,true]}", "amr", "true"));
	assert_true(holds(*state, "{\"amr\":[null,{},1,false]}", "amr", "1"));
	assert_false(holds(*state, "{\"amr\":[\"pwd\"]}", "amr", "otp|mfa"));
	assert_false(holds(*state, "{\"amr\":[]}", "amr", "otp"));
	assert_false(holds(*state, "{\"amr\":[[\"otp\"]]}", "amr", "otp"));
	assert_false(holds(*state, "{\"amr\":[{\"x\":\"otp\"}]}", "amr", "otp"));
}

static void null_objects_and_absence_never_hold(void **state)
{
	static const char *const values[] = { "", "null", "{}", "[]", "|", "0", "false" };

	for (size_t i = 0; i < COUNT(values); i++) {
		assert_false(holds(*state, "{\"c\":null}", "c", values[i]));
		assert_false(holds(*state, "{\"c\":{}}", "c", values[i]));
		assert_false(holds(*state, "{\"c\":[]}", "c", values[i]));
		assert_false(holds(*state, "{\"c\":[null,{},[]]}", "c", values[i]));
		assert_false(holds(*state, "{}", "c", values[i]));
		assert_false(holds(*state, "[]", "c", values[i]));
		assert_false(holds(*state, "null", "c", values[i]));
	}
}

/* "OTP|" in a configuration must not verify an empty authentication method. */
static void an_empty_claim_holds_for_no_stray_bar(void **state)
{
	static const char *const values[] = {
		"", "|", "OTP|", "|OTP", "OTP||LINK", "||"
	};

	for (size_t i = 0; i < COUNT(values); i++)
		assert_false(holds(*state, "{\"m\":\"\"}", "m", values[i]));
	assert_true(holds(*state, "{\"m\":\"OTP\"}", "m", "OTP|"));
	assert_true(holds(*state, "{\"m\":\"OTP\"}", "m", "|OTP"));
	assert_true(holds(*state, "{\"m\":\"LINK\"}", "m", "OTP||LINK"));
}

static void a_rule_may_point_into_the_claims(void **state)
{
	static const char claims[] =
		"{\"firebase\":{\"sign_in_provider\":\"google.com\"},"
		"\"/firebase\":\"x\",\"l\":[\"a\",\"b\"]}";

	assert_true(holds(*state, claims, "/firebase/sign_in_provider", "google.com"));
	assert_true(holds(*state, claims, "/l/1", "b"));
	assert_false(holds(*state, claims, "/l/2", "b"));
	assert_false(holds(*state, claims, "firebase/sign_in_provider", "google.com"));
	assert_false(holds(*state, claims, "sign_in_provider", "google.com"));
	assert_false(holds(*state, claims, "/firebase", "x"));
}

static void forbidding_rule_holds_for_what_is_absent_or_something_else(void **state)
{
	static const char *const fine[] = {
		"{}",
		"{\"x\":\"a\"}",
		"{\"c\":\"b\"}",
		"{\"c\":\"A\"}",
		"{\"c\":false}",
		"{\"c\":1}",
		"{\"c\":[]}",
		"{\"c\":[\"b\",2,true]}",
	};
	static const char *const wrong[] = {
		"{\"c\":\"a\"}",     "{\"c\":[\"b\",\"a\"]}", "{\"c\":null}",
		"{\"c\":{}}",	     "{\"c\":{\"a\":\"a\"}}", "{\"c\":[null]}",
		"{\"c\":[[\"a\"]]}",
	};

	for (size_t i = 0; i < COUNT(fine); i++) {
		if (!holds(*state, fine[i], "!c", "a|z"))
			fail_msg("refused: %s", fine[i]);
		/* Without values it must not be there at all. */
		assert_int_equal(holds(*state, fine[i], "!c", ""), i < 2);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (holds(*state, wrong[i], "!c", "a|z") ||
		    holds(*state, wrong[i], "!c", ""))
			fail_msg("accepted: %s", wrong[i]);
	assert_false(holds(*state, "{\"c\":{\"d\":true}}", "!/c/d", "true"));
	assert_true(holds(*state, "{\"c\":{\"d\":true}}", "!/c/e", "true"));
	assert_true(holds(*state, "{\"!c\":\"a\"}", "/!c", "a"));
}

#define GUID "5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a3b4c5"

static bool is_issuer(const char *pattern, const char *issuer, const char *tenant)
{
	return claims_issuer(pattern, text_of(issuer), text_of(tenant));
}

static void issuer_of_a_tenant_is_bound_to_it(void **state)
{
	static const char *const no_guids[] = {
		"",
		"x",
		"5F3A9C1E-0B7D-4E2A-8C46-D1E0F2A3B4C5",
		"5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a3b4c",
		"5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a3b4c55",
		"5f3a9c1e_0b7d_4e2a_8c46_d1e0f2a3b4c5",
		"5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a3b4cg",
		"-f3a9c1e-0b7d-4e2a-8c46-d1e0f2a3b4c5",
		"5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a3b4c/",
		"{tenantid}",
	};
	static const char pattern[] = "https://l.example/{tenantid}/v2.0";

	assert_true(is_issuer(pattern, "https://l.example/" GUID "/v2.0", GUID));
	assert_true(is_issuer("{tenantid}", GUID, GUID));
	for (size_t i = 0; i < COUNT(no_guids); i++)
		if (is_issuer(
			    pattern,
			    arena_printf(*state, "https://l.example/%s/v2.0", no_guids[i])
				    .data,
			    no_guids[i]))
			fail_msg("accepted: %s", no_guids[i]);
	assert_false(is_issuer(pattern, "https://l.example/" GUID "/v2.0",
			       "9188040d-6c67-4c5b-b112-36a304b66dad"));
	assert_false(is_issuer(pattern, "https://l.example/" GUID "/v2.0/", GUID));
	assert_false(is_issuer(pattern, "https://l.example/" GUID "/v2.", GUID));
	assert_false(is_issuer(pattern, "http://l.example/" GUID "/v2.0", GUID));
	assert_false(is_issuer(pattern, "https://l.example/" GUID GUID "/v2.0", GUID));
	assert_false(is_issuer(pattern, pattern, GUID));
	/* Without a place for it a tenant means nothing. */
	assert_true(is_issuer("https://l.example", "https://l.example", ""));
	assert_true(is_issuer("https://l.example", "https://l.example", GUID));
	assert_false(is_issuer("https://l.example", "https://l.example/", ""));
	assert_false(claims_issuer("a", (struct text){ "a\0b", 3 }, text_of("")));
}

/* ---- audience */

static const char *const ours[] = { "7d1c2b3a-0000-4000-8000-0123456789ab", "second" };

static bool audience(struct arena *a, const char *claim)
{
	const struct json *list = parse(a, arena_printf(a, "[%s]", claim).data);

	return claims_audience(json_array_at(list, 0), ours, COUNT(ours));
}

static void an_audience_is_a_listed_string_or_an_array_holding_one(void **state)
{
	static const char *const good[] = {
		"\"7d1c2b3a-0000-4000-8000-0123456789ab\"",
		"\"second\"",
		"[\"second\"]",
		"[\"other\",\"second\"]",
		"[\"second\",\"other\"]",
		"[\"second\",\"second\"]",
		"[\"\",\"second\"]",
		"\"s\\u0065cond\"",
	};

	for (size_t i = 0; i < COUNT(good); i++)
		if (!audience(*state, good[i]))
			fail_msg("refused: %s", good[i]);
}

/* Another customer's token of the same issuer (RFC 8725, 2.7). */
static void a_foreign_or_malformed_audience_is_refused(void **state)
{
	static const char *const bad[] = {
		"\"other\"",
		"\"\"",
		"\"SECOND\"",
		"\"second \"",
		"\"secon\"",
		"\"seconds\"",
		"\"second,other\"",
		"\"second other\"",
		"\"7d1c2b3a-0000-4000-8000-0123456789aB\"",
		"[]",
		"[\"\"]",
		"[\"other\"]",
		"[[\"second\"]]",
		"[\"second\",[\"second\"]]",
		"[\"second\",null]",
		"[null,\"second\"]",
		"[\"second\",1]",
		"[{},\"second\"]",
		"{\"aud\":\"second\"}",
		"{\"second\":\"second\"}",
		"null",
		"true",
		"0",
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		if (audience(*state, bad[i]))
			fail_msg("accepted: %s", bad[i]);
	assert_false(claims_audience(NULL, ours, COUNT(ours)));
}

static void an_audience_has_at_most_sixteen_entries(void **state)
{
	static const char seven[] = "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"";
	struct text sixteen =
		arena_printf(*state, "[%s,%s,\"a\",\"second\"]", seven, seven);
	struct text seventeen =
		arena_printf(*state, "[\"second\",%s,%s,\"a\",\"a\"]", seven, seven);

	assert_true(audience(*state, sixteen.data));
	assert_false(audience(*state, seventeen.data));
}

static void without_a_list_there_is_no_audience(void **state)
{
	static const char *const empty[] = { "" };

	assert_false(claims_audience(parse(*state, "\"second\""), ours, 0));
	assert_false(claims_audience(parse(*state, "[\"second\"]"), NULL, 0));
	assert_false(claims_audience(parse(*state, "\"\""), empty, 1));
	assert_false(claims_audience(parse(*state, "[\"\"]"), empty, 1));
}

/* ---- times */

static void a_time_is_a_number_in_range(void **state)
{
	static const struct {
		const char *claim;
		int64_t seconds;
	} times[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "1", 1 },
		{ "1797942000", 1797942000 },
		{ "1797942000.0", 1797942000 },
		{ "1797942000.999999", 1797942000 },
		{ "1.797942e9", 1797942000 },
		{ "0.9", 0 },
		{ "1e-400", 0 },
		{ "4294967296", 4294967296 },
		{ "253402300799", 253402300799 },
	};

	for (size_t i = 0; i < COUNT(times); i++) {
		struct text claims = arena_printf(*state, "{\"exp\":%s}", times[i].claim);
		bool present = false;
		int64_t seconds = -1;

		if (!claims_time(parse(*state, claims.data), "exp", &present, &seconds))
			fail_msg("refused: %s", claims.data);
		assert_true(present);
		assert_true(seconds == times[i].seconds);
	}
}

/* A token that never expires, by way of overflow, type or sign. */
static void what_is_no_time_is_refused(void **state)
{
	static const char *const wrong[] = {
		"\"1797942000\"",
		"\"never\"",
		"null",
		"true",
		"false",
		"[1797942000]",
		"[]",
		"{}",
		"{\"exp\":1}",
		"\"\"",
		"-1",
		"-0.5",
		"-1797942000",
		"253402300800",
		"253402300799.5",
		"1797942000000",
		"9223372036854775807",
		"9223372036854775808",
		"18446744073709551615",
		"18446744073709551616",
		"18446744075507493616",
		"-9223372036854775809",
		"99999999999999999999999",
		"1e19",
		"1e400",
		"-1e400",
		"1e308",
	};

	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct text claims = arena_printf(*state, "{\"exp\":%s}", wrong[i]);
		bool present = true;
		int64_t seconds = -7;

		if (claims_time(parse(*state, claims.data), "exp", &present, &seconds))
			fail_msg("accepted: %s", claims.data);
		assert_true(seconds == -7);
	}
}

static void an_absent_time_is_no_error(void **state)
{
	bool present = true;
	int64_t seconds = -7;

	assert_true(claims_time(parse(*state, "{\"iat\":1}"), "exp", &present, &seconds));
	assert_false(present);
	assert_true(seconds == -7);
	assert_true(claims_time(parse(*state, "{\"iat\":1}"), "iat", &present, &seconds));
	assert_true(present && seconds == 1);
	/* The name is a name, never a pointer. */
	assert_true(claims_time(parse(*state, "{\"a\":{\"exp\":1}}"), "/a/exp", &present,
				&seconds));
	assert_false(present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ARENA(a_string_must_equal_one_value_byte_for_byte),
		IN_ARENA(booleans_hold_as_words),
		IN_ARENA(whole_numbers_hold_as_their_digits),
		IN_ARENA(numbers_beyond_double_precision_never_hold),
		IN_ARENA(one_element_of_an_array_is_enough),
		IN_ARENA(null_objects_and_absence_never_hold),
		IN_ARENA(an_empty_claim_holds_for_no_stray_bar),
		IN_ARENA(a_rule_may_point_into_the_claims),
		IN_ARENA(forbidding_rule_holds_for_what_is_absent_or_something_else),
		IN_ARENA(issuer_of_a_tenant_is_bound_to_it),
		IN_ARENA(an_audience_is_a_listed_string_or_an_array_holding_one),
		IN_ARENA(a_foreign_or_malformed_audience_is_refused),
		IN_ARENA(an_audience_has_at_most_sixteen_entries),
		IN_ARENA(without_a_list_there_is_no_audience),
		IN_ARENA(a_time_is_a_number_in_range),
		IN_ARENA(what_is_no_time_is_refused),
		IN_ARENA(an_absent_time_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
