/* Key sets of several keys: which of them a token gets. */
#include "jwk_fixture.h"

static void key_is_found_by_its_whole_kid(void **state)
{
	struct jwk_set set = parse_entries(entry(keys.ec, "\"kid\":\"a\""),
					   entry(keys.ec_other, "\"kid\":\"ab\""),
					   entry(keys.rsa, "\"kid\":\"abc\""));
	const struct text with_nul = TEXT("a\0");

	(void)state;
	assert_ptr_equal(find(&set, "a", JWS_ES256), &set.keys[0]);
	assert_ptr_equal(find(&set, "ab", JWS_ES256), &set.keys[1]);
	assert_ptr_equal(find(&set, "abc", JWS_RS512), &set.keys[2]);
	assert_null(find(&set, "abc", JWS_ES256));
	assert_null(find(&set, "A", JWS_ES256));
	assert_null(find(&set, "b", JWS_ES256));
	assert_null(find(&set, "", JWS_ES256));
	assert_null(jwk_find(&set, &with_nul, JWS_ES256));
	jwk_set_close(&set);
}

static void token_without_kid_gets_the_only_fit_key(void **state)
{
	struct jwk_set set = parse_entries(entry(keys.ec, "\"kid\":\"a\""),
					   entry(keys.rsa, "\"kid\":\"b\""),
					   entry(keys.ec_other, "\"use\":\"enc\""));

	(void)state;
	assert_ptr_equal(find(&set, NULL, JWS_ES256), &set.keys[0]);
	assert_ptr_equal(find(&set, NULL, JWS_RS256), &set.keys[1]);
	assert_null(find(&set, NULL, JWS_EDDSA));
	jwk_set_close(&set);
	set = parse_entries(entry(keys.ec, "\"kid\":\"a\""), entry(keys.ec_other, ""),
			    NULL);
	assert_int_equal(set.count, 2);
	assert_null(find(&set, NULL, JWS_ES256));
	assert_ptr_equal(find(&set, "a", JWS_ES256), &set.keys[0]);
	jwk_set_close(&set);
}

static void key_without_kid_is_only_for_tokens_without(void **state)
{
	struct jwk_set set = parse_entries(entry(keys.ec, ""), NULL, NULL);

	(void)state;
	assert_null(set.keys[0].kid);
	assert_ptr_equal(find(&set, NULL, JWS_ES256), &set.keys[0]);
	assert_null(find(&set, "a", JWS_ES256));
	assert_null(find(&set, "", JWS_ES256));
	jwk_set_close(&set);
	/* Two of them do not contradict each other, but neither is the only one. */
	set = parse_entries(entry(keys.ec, ""), entry(keys.ec_other, ""), NULL);
	assert_int_equal(set.count, 2);
	assert_false(set.keys[0].contradicted);
	assert_null(find(&set, NULL, JWS_ES256));
	jwk_set_close(&set);
	set = parse_entries(entry(keys.ec, ""), entry(keys.ec, ""), NULL);
	assert_int_equal(set.count, 1);
	assert_non_null(find(&set, NULL, JWS_ES256));
	jwk_set_close(&set);
}

static void expect_contradiction(const char *a, const char *b, const char *c)
{
	struct jwk_set set = parse_entries(a, b, c);

	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		assert_null(find(&set, "same", (enum jws_algorithm)i));
		assert_null(find(&set, NULL, (enum jws_algorithm)i));
	}
	for (size_t i = 0; i < set.count; i++)
		assert_true(set.keys[i].contradicted);
	assert_true(set.count >= 2);
	jwk_set_close(&set);
}

static void two_keys_under_one_kid_serve_nobody(void **state)
{
	const char *a = entry(keys.ec, "\"kid\":\"same\"");
	const char *b = entry(keys.ec_other, "\"kid\":\"same\"");
	const char *rsa = entry(keys.rsa, "\"kid\":\"same\"");
	struct jwk_set set;

	(void)state;
	expect_contradiction(a, b, NULL);
	expect_contradiction(a, rsa, NULL);
	expect_contradiction(a, a, b);
	expect_contradiction(a, b, a);
	expect_contradiction(b, a, a);
	expect_contradiction(a, b, rsa);
	/* A third under a kid of its own goes on serving. */
	set = parse_entries(a, b, entry(keys.ec384, "\"kid\":\"own\""));
	assert_null(find(&set, "same", JWS_ES256));
	assert_ptr_equal(find(&set, "own", JWS_ES384), &set.keys[2]);
	assert_ptr_equal(find(&set, NULL, JWS_ES384), &set.keys[2]);
	jwk_set_close(&set);
	/* For a token without kid the two count: it is unclear which is meant. */
	set = parse_entries(a, rsa, entry(keys.ec_other, "\"kid\":\"own\""));
	assert_null(find(&set, NULL, JWS_ES256));
	assert_ptr_equal(find(&set, "own", JWS_ES256), &set.keys[2]);
	jwk_set_close(&set);
}

static void one_key_listed_twice_stays_one(void **state)
{
	struct jwk_set set =
		parse_entries(entry(keys.rsa, "\"kid\":\"same\",\"alg\":\"RS256\""),
			      entry(keys.rsa, "\"kid\":\"same\",\"alg\":\"PS256\""),
			      entry(replaced(keys.rsa, "AQAB", "AAEAAQ"),
				    "\"alg\":\"RS256\",\"kid\":\"same\""));

	(void)state;
	assert_int_equal(set.count, 1);
	assert_int_equal(set.skipped, 0);
	assert_int_equal(set.keys[0].fits, BIT(RS256) | BIT(PS256));
	assert_non_null(find(&set, "same", JWS_PS256));
	assert_non_null(find(&set, NULL, JWS_RS256));
	assert_null(find(&set, "same", JWS_RS512));
	jwk_set_close(&set);
}

static void one_key_for_two_issuers_serves_nobody(void **state)
{
	const char *any = entry(keys.ec, "\"kid\":\"same\"");
	const char *a =
		entry(keys.ec, "\"kid\":\"same\",\"issuer\":\"https://a.example\"");
	const char *b =
		entry(keys.ec, "\"kid\":\"same\",\"issuer\":\"https://b.example\"");
	struct jwk_set set = parse_entries(a, a, NULL);

	(void)state;
	assert_int_equal(set.count, 1);
	assert_non_null(find(&set, "same", JWS_ES256));
	jwk_set_close(&set);
	expect_contradiction(a, b, NULL);
	expect_contradiction(a, any, NULL);
	expect_contradiction(any, b, NULL);
}

static void unusable_key_contradicts_nobody(void **state)
{
	static const char *const more[] = { "\"use\":\"enc\"", "\"alg\":\"RSA-OAEP\"",
					    "\"d\":\"AQAB\"",
					    "\"key_ops\":[\"encrypt\"]" };

	(void)state;
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		const char *bad =
			entry(keys.rsa,
			      arena_printf(arena, "\"kid\":\"same\",%s", more[i]).data);
		struct jwk_set set =
			parse_entries(bad, entry(keys.ec, "\"kid\":\"same\""), bad);

		assert_int_equal(set.count, 1);
		assert_int_equal(set.skipped, 2);
		assert_non_null(find(&set, "same", JWS_ES256));
		jwk_set_close(&set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_is_found_by_its_whole_kid),
		cmocka_unit_test(token_without_kid_gets_the_only_fit_key),
		cmocka_unit_test(key_without_kid_is_only_for_tokens_without),
		cmocka_unit_test(two_keys_under_one_kid_serve_nobody),
		cmocka_unit_test(one_key_listed_twice_stays_one),
		cmocka_unit_test(one_key_for_two_issuers_serves_nobody),
		cmocka_unit_test(unusable_key_contradicts_nobody),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
