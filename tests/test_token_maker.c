/*
 * The tests' tokens themselves: does libjwt, as a second opinion, see in them what we do?
 */
#include "token_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jwt.h>

#include "base64url.h"
#include "jwk.h"
#include "scratch.h"
#include "token.h"

#define NOW 1795350100
#define CLAIMS                                                                           \
	"{\"iss\":\"https://issuer.example\",\"aud\":\"us\",\"exp\":1795353600,"         \
	"\"iat\":1795350000,\"sub\":\"s-1\",\"email\":\"alice@example.com\","            \
	"\"email_verified\":true}"

/* What libjwt 1.10 can do of our nine algorithms, and the others. */
static const struct {
	const char *name, *key;
	enum jws_algorithm ours;
	jwt_alg_t theirs; /* JWT_ALG_NONE: unknown to it */
} algorithms[] = {
	{ "ES256", "P-256", JWS_ES256, JWT_ALG_ES256 },
	{ "ES384", "P-384", JWS_ES384, JWT_ALG_ES384 },
	{ "RS256", "RSA-2048", JWS_RS256, JWT_ALG_RS256 },
	{ "RS384", "RSA-2048", JWS_RS384, JWT_ALG_RS384 },
	{ "RS512", "RSA-2048", JWS_RS512, JWT_ALG_RS512 },
	{ "PS256", "RSA-2048", JWS_PS256, JWT_ALG_NONE },
	{ "PS384", "RSA-2048", JWS_PS384, JWT_ALG_NONE },
	{ "PS512", "RSA-2048", JWS_PS512, JWT_ALG_NONE },
	{ "EdDSA", "Ed25519", JWS_EDDSA, JWT_ALG_NONE },
};

#define ALGORITHMS (sizeof(algorithms) / sizeof(*algorithms))

static struct arena *arena;
static struct maker_key *keys[ALGORITHMS], *other_keys[ALGORITHMS];

/* An RSA key takes its time to make: rows of one type share theirs. */
static size_t first_of_type(size_t i)
{
	size_t first = 0;

	while (strcmp(algorithms[first].key, algorithms[i].key) != 0)
		first++;
	return first;
}

static int open_all(void **state)
{
	(void)state;
	arena = arena_new();
	for (size_t i = 0; i < ALGORITHMS; i++) {
		const size_t first = first_of_type(i);

		keys[i] = first < i ? keys[first] : maker_key_new(algorithms[i].key);
		other_keys[i] =
			first < i ? other_keys[first] : maker_key_new(algorithms[i].key);
	}
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (first_of_type(i) < i)
			continue;
		maker_key_free(keys[i]);
		maker_key_free(other_keys[i]);
	}
	arena_free(arena);
	return 0;
}

static struct text our_token(size_t i)
{
	const struct text header = arena_printf(arena, "{\"alg\":\"%s\",\"typ\":\"JWT\"}",
						algorithms[i].name);

	return maker_token(arena, keys[i], algorithms[i].ours, header, AS_TEXT(CLAIMS));
}

static struct text their_token(size_t i)
{
	const char *pem = maker_pem_private(arena, keys[i]);
	struct text copy;
	jwt_t *jwt;
	char *token;

	assert_int_equal(jwt_new(&jwt), 0);
	assert_int_equal(jwt_add_grants_json(jwt, CLAIMS), 0);
	assert_int_equal(jwt_set_alg(jwt, algorithms[i].theirs,
				     (const unsigned char *)pem, (int)strlen(pem)),
			 0);
	token = jwt_encode_str(jwt);
	if (!token)
		fail_msg("libjwt cannot make %s", algorithms[i].name);
	copy = arena_copy(arena, text_of(token));
	free(token);
	jwt_free(jwt);
	return copy;
}

static bool we_accept(size_t i, const struct maker_key *key, struct text token)
{
	const char *document = maker_jwk_set(arena, maker_jwk(arena, key, ""), NULL);
	const struct text part = maker_token_part(token, 2);
	const struct jwk *jwk;
	struct problem p = { 0 };
	struct text signature;
	struct jwk_set set;
	bool good;

	assert_true(jwk_set_parse(arena, text_of(document), &set, &p));
	jwk = jwk_find(&set, NULL, algorithms[i].ours);
	assert_non_null(jwk);
	assert_true(base64url_decode_text(arena, part, &signature));
	good = jws_verify(jwk->key, algorithms[i].ours,
			  (struct text){ token.data, token.len - part.len - 1 },
			  signature);
	jwk_set_close(&set);
	return good;
}

static bool they_accept(const struct maker_key *key, struct text token)
{
	const char *pem = maker_pem_public(arena, key);
	jwt_t *jwt;

	if (jwt_decode(&jwt, token.data, (const unsigned char *)pem, (int)strlen(pem)))
		return false;
	jwt_free(jwt);
	return true;
}

/* TOKEN with one character of part PART replaced by a neighbour, spare bits untouched. */
static struct text spoiled(struct text token, int part)
{
	char *copy = (char *)(uintptr_t)arena_copy(arena, token).data;
	char *at = copy + (maker_token_part(token, part).data - token.data) + 12;

	*at = *at == 'A' ? 'Q' : 'A';
	return (struct text){ copy, token.len };
}

static void expect_verdict(size_t i, const struct maker_key *key, struct text token,
			   bool good, const char *what)
{
	if (we_accept(i, key, token) != good)
		fail_msg("%s, %s: we think otherwise", algorithms[i].name, what);
	if (algorithms[i].theirs != JWT_ALG_NONE && they_accept(key, token) != good)
		fail_msg("%s, %s: libjwt thinks otherwise", algorithms[i].name, what);
}

static void tokens_of_all_algorithms_are_accepted_by_us_and_libjwt(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALGORITHMS; i++)
		expect_verdict(i, keys[i], our_token(i), true, "our token");
}

static void tokens_of_libjwt_are_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (algorithms[i].theirs != JWT_ALG_NONE)
			expect_verdict(i, keys[i], their_token(i), true,
				       "libjwt's token");
}

static void both_refuse_a_changed_payload_and_a_changed_signature(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALGORITHMS; i++) {
		const struct text token = our_token(i);

		expect_verdict(i, keys[i], token, true, "untouched");
		expect_verdict(i, keys[i], spoiled(token, 1), false, "changed payload");
		expect_verdict(i, keys[i], spoiled(token, 2), false, "changed signature");
	}
}

static void both_refuse_another_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALGORITHMS; i++) {
		const struct text token = our_token(i);

		expect_verdict(i, keys[i], token, true, "the key it was made with");
		expect_verdict(i, other_keys[i], token, false, "another key");
	}
}

static void both_accept_the_other_spelling_of_an_ecdsa_signature(void **state)
{
	const struct text token = our_token(0), twin = maker_token_twin(arena, token);

	(void)state;
	assert_int_equal(twin.len, token.len);
	assert_false(text_equal(token, twin));
	assert_true(text_equal(maker_token_part(token, 1), maker_token_part(twin, 1)));
	expect_verdict(0, keys[0], twin, true, "r||(n-s)");
	assert_true(text_equal(maker_token_twin(arena, twin), token));
}

static void base64url_of_the_maker_and_of_the_library_agree(void **state)
{
	unsigned char bytes[67];
	char encoded[BASE64URL_ENCODED(sizeof(bytes)) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + 201);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		const struct text raw = { (const char *)bytes, len };
		const struct text made = maker_base64url(arena, raw);

		base64url_encode(bytes, len, encoded);
		assert_string_equal(made.data, encoded);
		assert_true(text_equal(maker_unbase64url(arena, made), raw));
	}
}

/* ---- from a whole token to who it is */

static void whole_tokens_of_libjwt_name_the_same_person_as_ours(void **state)
{
	struct token_rules rules = { .token_limit = 16384 };
	struct config *config;

	(void)state;
	scratch_open();
	scratch_write("keys.json",
		      text_of(maker_jwk_set(arena, maker_jwk(arena, keys[0], ""),
					    maker_jwk(arena, keys[2], ""), NULL)));
	config = scratch_config("public_url = \"https://www.example.com/auth\"\n"
				"provider \"p\" {\n issuer = \"https://issuer.example\"\n"
				" audience = \"us\"\n jwks_file = \"@/keys.json\"\n"
				" algorithms = {\"ES256\", \"RS256\"}\n}\n");
	rules.providers = provider_list_new(config);
	for (size_t i = 0; i < ALGORITHMS; i++) {
		struct identity ours, theirs;
		struct problem p = { 0 };

		if (algorithms[i].ours != JWS_ES256 && algorithms[i].ours != JWS_RS256)
			continue;
		assert_true(
			token_verify(&rules, our_token(i), NOW, arena, NULL, &ours, &p));
		if (!token_verify(&rules, their_token(i), NOW, arena, NULL, &theirs, &p))
			fail_msg("%s: %s", algorithms[i].name, p.detail);
		assert_true(text_equal(ours.email, theirs.email));
		assert_true(text_equal(ours.subject, theirs.subject));
		assert_int_equal(ours.expires_at, theirs.expires_at);
		assert_true(text_is(theirs.email, "alice@example.com"));
	}
	provider_list_free(rules.providers);
	config_free(config);
	scratch_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_of_the_maker_and_of_the_library_agree),
		cmocka_unit_test(tokens_of_all_algorithms_are_accepted_by_us_and_libjwt),
		cmocka_unit_test(tokens_of_libjwt_are_accepted),
		cmocka_unit_test(both_refuse_a_changed_payload_and_a_changed_signature),
		cmocka_unit_test(both_refuse_another_key),
		cmocka_unit_test(both_accept_the_other_spelling_of_an_ecdsa_signature),
		cmocka_unit_test(whole_tokens_of_libjwt_name_the_same_person_as_ours),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
