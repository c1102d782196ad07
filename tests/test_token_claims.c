/* Tokens from outside: issuer, claims and the person, each attack by its name. */
#include "token_fixture.h"

/* ---- issuer */

static void issuer_is_compared_byte_for_byte(void **state)
{
	static const char *const bad[] = {
		"\"https://www.cotter.app/\"",
		"\"https://www.cotter.ap\"",
		"\"https://www.cotter.app.evil.example\"",
		"\"https://www.cotter.appx\"",
		"\"http://www.cotter.app\"",
		"\"HTTPS://www.cotter.app\"",
		"\"https://WWW.cotter.app\"",
		"\"https://www.cotter.app:443\"",
		"\"https://user@www.cotter.app\"",
		"\"www.cotter.app\"",
		"\" https://www.cotter.app\"",
		"\"https://www.cotter.app#\"",
		"\"\"",
		"\"cotter\"",
		"[\"https://www.cotter.app\"]",
		"{\"a\":\"https://www.cotter.app\"}",
		"1",
		"true",
		"null",
		NULL,
	};

	(void)state;
	refuse_claims("iss", bad, COUNT(bad), PROBLEM_TOKEN_ISSUER);
	accepted("escaped",
		 sign(HEADER(), CLAIMS("iss", "\"https:\\/\\/www.cotter.app\"")));
	accepted("the first of two", sign_other(OTHER("all")));
	accepted("the second of two", sign_other(OTHER("all", "iss", "\"all.example\"")));
}

static void issuer_selects_the_provider_and_its_keys(void **state)
{
	(void)state;
	assert_string_equal(accepted("cotter", good_token()).provider->config->name,
			    "cotter");
	assert_string_equal(
		accepted("all", sign_other(OTHER("all"))).provider->config->name, "all");
	/* Under the kid of the same key at another provider. */
	refused("kid of another provider", sign(HEADER(), OTHER("all")),
		PROBLEM_TOKEN_KEY);
	refused("issuer in the header",
		sign(HEADER("iss", "\"https://www.cotter.app\""), CLAIMS("iss", NULL)),
		PROBLEM_TOKEN_ISSUER);
}

/* ---- claims */

static void times_are_json_numbers_in_range(void **state)
{
	static const char *const bad[] = {
		"\"1795353600\"",
		"\"\"",
		"null",
		"true",
		"[1795353600]",
		"{}",
		"-1",
		"-1e3",
		"1e400",
		"-1e400",
		"9223372036854775808",
		"18446744073709551616",
		"99999999999999999999999999",
		"253402300800",
		"1e12",
	};
	static const char *const malformed[] = { "01795353600", "+1", "0x6b",
						 "1.",		".5", "1e" };
	static const char *const names[] = { "exp", "iat", "nbf" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		refuse_claims(names[i], bad, COUNT(bad), PROBLEM_TOKEN_CLAIMS);
		refuse_claims(names[i], malformed, COUNT(malformed),
			      PROBLEM_TOKEN_MALFORMED);
	}
	refused("no exp", sign(HEADER(), CLAIMS("exp", NULL)), PROBLEM_TOKEN_CLAIMS);
	refused("no iat", sign(HEADER(), CLAIMS("iat", NULL)), PROBLEM_TOKEN_CLAIMS);
	accepted("no nbf", sign(HEADER(), CLAIMS("nbf", NULL)));
	accepted("fraction",
		 sign(HEADER(), CLAIMS("exp", "1795353600.75", "iat", "1795350000.5")));
	accepted("exponent",
		 sign(HEADER(), CLAIMS("exp", "1.7953536e9", "iat", "17953500E2")));
	refused("the year 9999", sign(HEADER(), CLAIMS("exp", "253402300799")),
		PROBLEM_TOKEN_LIVES_TOO_LONG);
	refused("1970", sign(HEADER(), CLAIMS("exp", "0", "iat", "-0")),
		PROBLEM_TOKEN_EXPIRED);
}

static void token_expires_when_exp_and_leeway_are_over(void **state)
{
	const struct text token = good_token();

	(void)state;
	accepted("one second before exp + leeway", with_time("exp", NOW - LEEWAY + 1));
	refused("exp + leeway == now", with_time("exp", NOW - LEEWAY),
		PROBLEM_TOKEN_EXPIRED);
	expect_at(1795353600 + LEEWAY - 1, "the same, later", token, PROBLEM_NONE);
	expect_at(1795353600 + LEEWAY, "the same, later", token, PROBLEM_TOKEN_EXPIRED);
	expect_at(253402300799, "in the year 9999", token, PROBLEM_TOKEN_EXPIRED);
}

static void token_from_the_future_is_refused(void **state)
{
	(void)state;
	accepted("iat = now + leeway", with_time("iat", NOW + LEEWAY));
	refused("iat = now + leeway + 1", with_time("iat", NOW + LEEWAY + 1),
		PROBLEM_TOKEN_ISSUED_IN_FUTURE);
	accepted("nbf = now + leeway", with_time("nbf", NOW + LEEWAY));
	refused("nbf = now + leeway + 1", with_time("nbf", NOW + LEEWAY + 1),
		PROBLEM_TOKEN_NOT_YET_VALID);
	accepted("nbf long over", with_time("nbf", 0));
}

static struct text strict(int64_t iat, int64_t exp)
{
	return sign_other(OTHER("strict", "iat",
				arena_printf(arena, "%lld", (long long)iat).data, "exp",
				arena_printf(arena, "%lld", (long long)exp).data));
}

static void life_is_at_most_max_life(void **state)
{
	(void)state;
	accepted("two days, the default", with_time("exp", 1795350000 + 2 * 86400));
	refused("a second more", with_time("exp", 1795350000 + 2 * 86400 + 1),
		PROBLEM_TOKEN_LIVES_TOO_LONG);
	accepted("an hour, as configured", strict(NOW - 10, NOW - 10 + 3600));
	refused("a second more", strict(NOW - 10, NOW - 10 + 3601),
		PROBLEM_TOKEN_LIVES_TOO_LONG);
	accepted("no time at all", strict(NOW, NOW));
	refused("exp before iat", strict(NOW + 5, NOW + 4), PROBLEM_TOKEN_CLAIMS);
}

static void age_is_at_most_max_age(void **state)
{
	(void)state;
	accepted("ten minutes and the leeway of ten seconds",
		 strict(NOW - 610, NOW + 100));
	refused("a second more", strict(NOW - 611, NOW + 100), PROBLEM_TOKEN_TOO_OLD);
	accepted("no max_age", sign_other(OTHER("all", "iat", "1795265000")));
}

static void leeway_is_the_providers(void **state)
{
	(void)state;
	accepted("exp nine seconds ago", strict(NOW - 100, NOW - 9));
	refused("exp ten seconds ago", strict(NOW - 100, NOW - 10),
		PROBLEM_TOKEN_EXPIRED);
	accepted("the same where it is 60 s", with_time("exp", NOW - 10));
}

static void audience_is_compared_byte_for_byte(void **state)
{
	static const char *const good[] = {
		"\"" AUDIENCE "\"",
		"[\"" AUDIENCE "\"]",
		"[\"other\",\"" AUDIENCE "\"]",
		"[\"" AUDIENCE "\",\"other\"]",
		"[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\","
		"\"12\","
		"\"13\",\"14\",\"15\",\"" AUDIENCE "\"]",
	};
	static const char *const bad[] = {
		NULL,
		"\"\"",
		"null",
		"1",
		"true",
		"{}",
		"[]",
		"[[]]",
		"{\"aud\":\"" AUDIENCE "\"}",
		"\"" AUDIENCE "x\"",
		"\"x" AUDIENCE "\"",
		"\"7d1c2b3a-0000-4000-8000-0123456789a\"",
		"\"7D1C2B3A-0000-4000-8000-0123456789AB\"",
		"\" " AUDIENCE "\"",
		"\"" AUDIENCE ",other\"",
		"\"" AUDIENCE " other\"",
		"[[\"" AUDIENCE "\"]]",
		"[{\"a\":\"" AUDIENCE "\"}]",
		"[\"" AUDIENCE "\",1]",
		"[1,\"" AUDIENCE "\"]",
		"[\"" AUDIENCE "\",null]",
		"[\"" AUDIENCE "\",[\"" AUDIENCE "\"]]",
		"[\"other\",\"another\"]",
		/* 17 of them */
		"[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\","
		"\"12\","
		"\"13\",\"14\",\"15\",\"16\",\"" AUDIENCE "\"]",
	};

	(void)state;
	accept_claims("aud", good, COUNT(good));
	refuse_claims("aud", bad, COUNT(bad), PROBLEM_TOKEN_AUDIENCE);
	accepted("the second of two configured",
		 sign_other(OTHER("all", "aud", "\"us-2\"")));
}

static void azp_counts_only_where_so_configured(void **state)
{
	(void)state;
	accepted("azp", sign_other(OTHER("azp", "aud", "\"account\"", "azp", "\"us\"")));
	accepted("azp without any aud",
		 sign_other(OTHER("azp", "aud", NULL, "azp", "\"us\"")));
	refused("aud alone", sign_other(OTHER("azp")), PROBLEM_TOKEN_AUDIENCE);
	refused("azp of another", sign_other(OTHER("azp", "azp", "\"them\"")),
		PROBLEM_TOKEN_AUDIENCE);
	refused("azp where aud is asked for",
		sign_other(OTHER("all", "aud", "\"them\"", "azp", "\"us\"")),
		PROBLEM_TOKEN_AUDIENCE);
}

static void id_token_in_place_of_an_access_token_is_refused(void **state)
{
	static const char *const bad[] = {
		"\"client_id_token\"",
		"\"id_token\"",
		"\"refresh_token\"",
		"\"\"",
		"\"Client_access_token\"",
		"\"client_access_token|access_token\"",
		"\"access\"",
		"{}",
		"1",
		"true",
		"null",
		"[]",
		NULL,
	};

	(void)state;
	refused("Cotter's ID token",
		sign(HEADER(), CLAIMS("type", "\"client_id_token\"", "scope", NULL,
				      "authentication_method", NULL, "auth_time",
				      "\"-62135596800\"")),
		PROBLEM_TOKEN_KIND);
	refuse_claims("type", bad, COUNT(bad), PROBLEM_TOKEN_KIND);
	accepted("client_access_token", good_token());
	accepted("access_token", sign(HEADER(), CLAIMS("type", "\"access_token\"")));
}

static void scope_is_access_and_nothing_else(void **state)
{
	static const char *const bad[] = {
		"\"access admin\"",
		"\"Access\"",
		"\"acces\"",
		"\"accessx\"",
		"\"\"",
		"[]",
		"[\"admin\"]",
		"null",
		"1",
		NULL,
	};
	static const char *const good[] = { "\"access\"", "[\"access\"]" };

	(void)state;
	refuse_claims("scope", bad, COUNT(bad), PROBLEM_TOKEN_KIND);
	accept_claims("scope", good, COUNT(good));
}

/* ---- the person */

static void subject_is_a_string_of_at_most_255_bytes(void **state)
{
	static const char *const bad[] = { "1", "null", "true", "[\"x\"]", "{}" };
	char longest[256 + 3] = "\"";

	(void)state;
	refuse_claims("sub", bad, COUNT(bad), PROBLEM_TOKEN_CLAIMS);
	memset(longest + 1, 's', 255);
	longest[256] = '"';
	assert_int_equal(
		accepted("255", sign(HEADER(), CLAIMS("sub", longest))).subject.len, 255);
	refused("256",
		sign(HEADER(),
		     CLAIMS("sub", arena_printf(arena, "\"s%s", longest + 1).data)),
		PROBLEM_TOKEN_CLAIMS);
	assert_int_equal(
		accepted("absent", sign(HEADER(), CLAIMS("sub", NULL))).subject.len, 0);
	assert_int_equal(
		accepted("empty", sign(HEADER(), CLAIMS("sub", "\"\""))).subject.len, 0);
}

static void method_that_proves_no_address_is_unverified(void **state)
{
	static const char *const good[] = {
		"\"OTP\"",
		"\"MAGIC_LINK\"",
		"\"WEBAUTHN\"",
		"\"SOCIAL_LOGIN\"",
	};
	static const char *const bad[] = {
		"\"TRUSTED_DEVICE\"",
		"\"PIN\"",
		"\"BIOMETRIC\"",
		"\"otp\"",
		"\"OTP \"",
		"\"\"",
		"\"OTP|MAGIC_LINK\"",
		"\"|\"",
		"\"NEW_METHOD\"",
		"true",
		"1",
		"null",
		"{}",
		"[]",
		"[\"PIN\"]",
		NULL,
	};

	(void)state;
	accept_claims("authentication_method", good, COUNT(good));
	refuse_claims("authentication_method", bad, COUNT(bad), PROBLEM_EMAIL_UNVERIFIED);
}

static void address_comes_from_the_signed_claim_alone(void **state)
{
	static const char *const missing[] = {
		NULL,
		"\"\"",
		"null",
		"1",
		"true",
		"[\"alice@example.com\"]",
		"{\"address\":\"alice@example.com\"}",
	};
	static const char *const bad[] = {
		"\"alice\"",
		"\"alice@\"",
		"\"alice@localhost\"",
		"\"alice@example.com\\n\"",
		"\"alice@example.com,bob@example.com\"",
		"\"alice@@example.com\"",
		("\"al\xc3\xad"
		 "ce@example.com\""),
		"\"Alice <alice@example.com>\"",
	};
	const struct text elsewhere =
		CLAIMS("identifier", NULL, "email", "\"alice@example.com\"",
		       "email_verified", "true");

	(void)state;
	refuse_claims("identifier", missing, COUNT(missing), PROBLEM_EMAIL_MISSING);
	refuse_claims("identifier", bad, COUNT(bad), PROBLEM_EMAIL_REFUSED);
	refused("in another claim", sign(HEADER(), elsewhere), PROBLEM_EMAIL_MISSING);
	accepted("in its claim", good_token());
}

static void phone_number_counts_only_where_phones_are_allowed(void **state)
{
	const struct text token =
		sign(HEADER(), CLAIMS("identifier", "\"+12025550123\""));
	const struct text device =
		sign(HEADER(), CLAIMS("identifier", "\"+12025550123\"",
				      "authentication_method", "\"TRUSTED_DEVICE\""));
	struct identity i;

	(void)state;
	refused("phone = no", token, PROBLEM_EMAIL_MISSING);
	refused("phone = no", device, PROBLEM_EMAIL_MISSING);
	rules.phone = true;
	i = accepted("phone = yes", token);
	assert_true(text_is(i.phone, "+12025550123"));
	assert_int_equal(i.email.len, 0);
	assert_int_equal(i.email_written.len, 0);
	refused("a method that proves nothing", device, PROBLEM_EMAIL_UNVERIFIED);
	refused("no number of E.164",
		sign(HEADER(), CLAIMS("identifier", "\"+02025550123\"")),
		PROBLEM_EMAIL_REFUSED);
	refused("a user name", sign(HEADER(), CLAIMS("identifier", "\"alice\"")),
		PROBLEM_EMAIL_REFUSED);
	i = accepted("an address all the same", good_token());
	assert_int_equal(i.phone.len, 0);
}

static void address_and_its_rule_may_be_json_pointers(void **state)
{
	static const char *const unverified[] = {
		"{\"address\":\"alice@example.com\",\"is_verified\":false}",
		"{\"address\":\"alice@example.com\",\"is_verified\":\"yes\"}",
		"{\"address\":\"alice@example.com\",\"is_verified\":1}",
		"{\"address\":\"alice@example.com\",\"is_verified\":null}",
		"{\"address\":\"alice@example.com\"}",
	};
	static const char *const verified[] = {
		"{\"address\":\"alice@example.com\",\"is_verified\":true}",
		"{\"address\":\"alice@example.com\",\"is_verified\":\"true\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(verified); i++)
		assert_true(
			text_is(accepted(verified[i],
					 sign_other(OTHER("deep", "email", verified[i])))
					.email,
				"alice@example.com"));
	for (size_t i = 0; i < COUNT(unverified); i++)
		refused(unverified[i], sign_other(OTHER("deep", "email", unverified[i])),
			PROBLEM_EMAIL_UNVERIFIED);
	refused("the rule beside the object",
		sign_other(OTHER("deep", "email", unverified[4], "is_verified", "true")),
		PROBLEM_EMAIL_UNVERIFIED);
	refused("no object", sign_other(OTHER("deep")), PROBLEM_EMAIL_MISSING);
}

static void verified_never_means_never(void **state)
{
	(void)state;
	refused("never", sign_other(OTHER("never", "email_verified", "true")),
		PROBLEM_EMAIL_UNVERIFIED);
	accepted("always", sign_other(OTHER("all", "email_verified", "false")));
}

static void known_subject_needs_no_address(void **state)
{
	struct identity i;

	(void)state;
	i = accepted("verified", sign_other(OTHER("subject", "email_verified", "true")));
	assert_true(text_is(i.email, "alice@example.com"));
	assert_int_equal(i.no_email, PROBLEM_NONE);
	i = accepted("unverified",
		     sign_other(OTHER("subject", "email_verified", "false")));
	assert_int_equal(i.email.len, 0);
	assert_int_equal(i.no_email, PROBLEM_EMAIL_UNVERIFIED);
	i = accepted("missing", sign_other(OTHER("subject", "email", NULL)));
	assert_int_equal(i.email.len, 0);
	assert_int_equal(i.no_email, PROBLEM_EMAIL_MISSING);
	i = accepted("refused", sign_other(OTHER("subject", "email", "\"alice\"")));
	assert_int_equal(i.email.len, 0);
	assert_int_equal(i.no_email, PROBLEM_EMAIL_REFUSED);
	refused("no sub", sign_other(OTHER("subject", "sub", NULL)),
		PROBLEM_TOKEN_CLAIMS);
	refused("empty sub", sign_other(OTHER("subject", "sub", "\"\"")),
		PROBLEM_TOKEN_CLAIMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(issuer_is_compared_byte_for_byte),
		TEST(issuer_selects_the_provider_and_its_keys),
		TEST(times_are_json_numbers_in_range),
		TEST(token_expires_when_exp_and_leeway_are_over),
		TEST(token_from_the_future_is_refused),
		TEST(life_is_at_most_max_life),
		TEST(age_is_at_most_max_age),
		TEST(leeway_is_the_providers),
		TEST(audience_is_compared_byte_for_byte),
		TEST(azp_counts_only_where_so_configured),
		TEST(id_token_in_place_of_an_access_token_is_refused),
		TEST(scope_is_access_and_nothing_else),
		TEST(subject_is_a_string_of_at_most_255_bytes),
		TEST(method_that_proves_no_address_is_unverified),
		TEST(address_comes_from_the_signed_claim_alone),
		TEST(phone_number_counts_only_where_phones_are_allowed),
		TEST(address_and_its_rule_may_be_json_pointers),
		TEST(verified_never_means_never),
		TEST(known_subject_needs_no_address),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
