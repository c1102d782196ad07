/*
 * For the tests of presets.def: of each provider a block as somebody would write it, a
 * token as it makes them, and a login with one.
 */
#ifndef PINTLE_PRESET_PROFILES_H
#define PINTLE_PRESET_PROFILES_H

#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "buffer.h"
#include "fake_store.h"
#include "log.h"
#include "scratch.h"
#include "token_maker.h"
#include "user.h"

#define NOW 1795350100
#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define SITE "public_url = \"https://www.example.com/auth\"\nstate_dir = \"@\"\n"

struct member {
	const char *name, *json; /* NULL: left out */
};

#define MEMBERS_MAX 24

struct profile {
	const char *preset;
	const char *block;    /* beside preset and the keys */
	const char *jwks_url; /* NULL: by discovery */
	enum jws_algorithm algorithm;
	int life_s;
	const char *audience_claim;
	struct member
		verified; /* the claim that says so, as it must not be; "" if none does */
	const char *subject, *email;
	struct member claims[MEMBERS_MAX]; /* less iat and exp */
};

#define EMAIL                                                                            \
	{                                                                                \
		"email", "\"Alice@Example.com\""                                         \
	}
#define ALICE "alice@example.com"
#define NOT_VERIFIED                                                                     \
	{                                                                                \
		"email_verified", "false"                                                \
	}
#define TENANT "5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a3b4c5"
#define OTHER_TENANT "9188040d-6c67-4c5b-b112-36a304b66dad"
#define ENTRA "https://login.microsoftonline.com/"
#define ENTRA_ID "2e8f6a70-1111-4222-8333-44445555abcd"
#define STYTCH_ID "project-live-0a1b2c3d-0000-4000-8000-0123456789ab"
#define SUPABASE "https://abcdefghijklmnopqrst.supabase.co/auth/v1"
#define KEYCLOAK "https://sso.example.com/realms/staff"
#define FACTORS(list)                                                                    \
	"{\"id\":\"session-live-1\",\"started_at\":\"2026-11-22T12:00:00Z\","            \
	"\"attributes\":{\"ip_address\":\"192.0.2.7\"},"                                 \
	"\"authentication_factors\":[" list "]}"
#define FACTOR(type, delivery, more)                                                     \
	"{\"type\":\"" type "\",\"delivery_method\":\"" delivery                         \
	"\",\"last_authenticated_at\":\"2026-11-22T12:00:00Z\"" more "}"
#define TO_EMAIL                                                                         \
	",\"email_factor\":{\"email_id\":\"email-live-1\","                              \
	"\"email_address\":\"Alice@Example.com\"}"

static const struct profile profiles[] = {
	{ "cotter",
	  "audience = \"7d1c2b3a-0000-4000-8000-0123456789ab\"",
	  "https://www.cotter.app/api/v0/token/jwks",
	  JWS_ES256,
	  3600,
	  "aud",
	  { "authentication_method", "\"TRUSTED_DEVICE\"" },
	  "11111111-1111-4111-8111-111111111111",
	  ALICE,
	  { { "iss", "\"https://www.cotter.app\"" },
	    { "aud", "\"7d1c2b3a-0000-4000-8000-0123456789ab\"" },
	    { "sub", "\"11111111-1111-4111-8111-111111111111\"" },
	    { "client_user_id", "\"11111111-1111-4111-8111-111111111111\"" },
	    { "authentication_method", "\"OTP\"" },
	    { "type", "\"client_access_token\"" },
	    { "scope", "\"access\"" },
	    { "identifier", "\"Alice@Example.com\"" },
	    { "jti", "\"22222222-2222-4222-8222-222222222222\"" } } },
	{ "google",
	  "audience = \"407-web.apps.googleusercontent.com\"",
	  "https://www.googleapis.com/oauth2/v3/certs",
	  JWS_RS256,
	  3600,
	  "aud",
	  NOT_VERIFIED,
	  "110169484474386276334",
	  ALICE,
	  { { "iss", "\"https://accounts.google.com\"" },
	    { "azp", "\"407-android.apps.googleusercontent.com\"" },
	    { "aud", "\"407-web.apps.googleusercontent.com\"" },
	    { "sub", "\"110169484474386276334\"" },
	    { "hd", "\"example.com\"" },
	    EMAIL,
	    { "email_verified", "true" },
	    { "nbf", "1795349700" },
	    { "name", "\"Alice Example\"" },
	    { "picture", "\"https://lh3.googleusercontent.com/a/x\"" },
	    { "jti", "\"161e2a4f6a0c\"" } } },
	{ "apple",
	  "audience = {\"com.example.web\", \"com.example.app\"}",
	  "https://appleid.apple.com/auth/keys",
	  JWS_RS256,
	  86400,
	  "aud",
	  { "email_verified", "\"false\"" },
	  "001234.0b1c2d3e4f5a.0815",
	  "k7x2m9q4wd@privaterelay.appleid.com",
	  { { "iss", "\"https://appleid.apple.com\"" },
	    { "aud", "\"com.example.web\"" },
	    { "sub", "\"001234.0b1c2d3e4f5a.0815\"" },
	    { "c_hash", "\"WqB0gJmVq1kcQ1tHVvUu0g\"" },
	    { "email", "\"k7x2m9q4wd@privaterelay.appleid.com\"" },
	    { "email_verified", "\"true\"" },
	    { "is_private_email", "\"true\"" },
	    { "auth_time", "1795349990" },
	    { "nonce_supported", "true" } } },
	{ "microsoft",
	  "audience = \"" ENTRA_ID "\"",
	  "https://login.microsoftonline.com/common/discovery/v2.0/keys",
	  JWS_RS256,
	  3900,
	  "aud",
	  { "xms_edov", "false" },
	  "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
	  ALICE,
	  { { "ver", "\"2.0\"" },
	    { "iss", "\"" ENTRA TENANT "/v2.0\"" },
	    { "sub", "\"AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ\"" },
	    { "aud", "\"" ENTRA_ID "\"" },
	    { "nbf", "1795349700" },
	    { "name", "\"Alice Example\"" },
	    { "preferred_username", "\"alice@example.onmicrosoft.com\"" },
	    { "oid", "\"00000000-0000-0000-66f3-3332eca7ea81\"" },
	    { "tid", "\"" TENANT "\"" },
	    EMAIL,
	    { "xms_edov", "true" },
	    { "uti", "\"a-b_c\"" },
	    { "rh", "\"0.AAAA\"" } } },
	{ "firebase",
	  "audience = \"example-app\"",
	  "https://www.googleapis.com/service_accounts/v1/jwk/"
	  "securetoken@system.gserviceaccount.com",
	  JWS_RS256,
	  3600,
	  "aud",
	  NOT_VERIFIED,
	  "kXv3Y9q0abcDEF",
	  ALICE,
	  { { "iss", "\"https://securetoken.google.com/example-app\"" },
	    { "aud", "\"example-app\"" },
	    { "auth_time", "1795340000" },
	    { "user_id", "\"kXv3Y9q0abcDEF\"" },
	    { "sub", "\"kXv3Y9q0abcDEF\"" },
	    EMAIL,
	    { "email_verified", "true" },
	    { "firebase", "{\"identities\":{\"email\":[\"Alice@Example.com\"]},"
			  "\"sign_in_provider\":\"password\"}" } } },
	{ "auth0",
	  "audience = \"aB3dE5fG7hJ9\" issuer = \"https://example.eu.auth0.com/\"",
	  "https://example.eu.auth0.com/.well-known/jwks.json",
	  JWS_RS256,
	  36000,
	  "aud",
	  NOT_VERIFIED,
	  "auth0|5f7c8ec7c33c6c004bbafe82",
	  ALICE,
	  { { "nickname", "\"alice\"" },
	    { "updated_at", "\"2026-11-22T12:00:00.000Z\"" },
	    EMAIL,
	    { "email_verified", "true" },
	    { "iss", "\"https://example.eu.auth0.com/\"" },
	    { "sub", "\"auth0|5f7c8ec7c33c6c004bbafe82\"" },
	    { "aud", "\"aB3dE5fG7hJ9\"" },
	    { "sid", "\"kQ1\"" },
	    { "nonce", "\"n-0S6_WzA2Mj\"" } } },
	{ "supabase",
	  "issuer = \"" SUPABASE "\" verified = \"always\"",
	  SUPABASE "/.well-known/jwks.json",
	  JWS_ES256,
	  3600,
	  "aud",
	  { "", "" },
	  "6d1e0b7a-3333-4444-8555-666677778888",
	  ALICE,
	  { { "iss", "\"" SUPABASE "\"" },
	    { "sub", "\"6d1e0b7a-3333-4444-8555-666677778888\"" },
	    { "aud", "\"authenticated\"" },
	    EMAIL,
	    { "phone", "\"\"" },
	    { "app_metadata", "{\"provider\":\"email\",\"providers\":[\"email\"]}" },
	    { "user_metadata",
	      "{\"email\":\"eve@example.com\",\"email_verified\":true}" },
	    { "role", "\"authenticated\"" },
	    { "aal", "\"aal1\"" },
	    { "amr", "[{\"method\":\"password\",\"timestamp\":1795349000}]" },
	    { "session_id", "\"0a1b2c3d-3333-4444-8555-666677778888\"" },
	    { "is_anonymous", "false" } } },
	{ "stytch",
	  "audience = \"" STYTCH_ID "\"",
	  "https://api.stytch.com/v1/sessions/jwks/" STYTCH_ID,
	  JWS_RS256,
	  300,
	  "aud",
	  { "https://stytch.com/session",
	    FACTORS(FACTOR("magic_link", "embedded", TO_EMAIL)) },
	  "user-live-7b3a",
	  ALICE,
	  { { "aud", "[\"" STYTCH_ID "\"]" },
	    { "https://stytch.com/session",
	      FACTORS(FACTOR("magic_link", "email", TO_EMAIL)) },
	    { "iss", "\"stytch.com/" STYTCH_ID "\"" },
	    { "nbf", "1795350000" },
	    { "sub", "\"user-live-7b3a\"" } } },
	{ "hanko",
	  "audience = \"example.com\" issuer = \"https://f4c1.hanko.io\"",
	  "https://f4c1.hanko.io/.well-known/jwks.json",
	  JWS_RS256,
	  43200,
	  "aud",
	  { "email", "{\"address\":\"Alice@Example.com\",\"is_primary\":true,"
		     "\"is_verified\":false}" },
	  "c339547d-e17d-4ba7-8a1d-b3d5a4d17c1c",
	  ALICE,
	  { { "iss", "\"https://f4c1.hanko.io\"" },
	    { "aud", "[\"example.com\"]" },
	    { "sub", "\"c339547d-e17d-4ba7-8a1d-b3d5a4d17c1c\"" },
	    { "session_id", "\"5a1f\"" },
	    { "email", "{\"address\":\"Alice@Example.com\",\"is_primary\":true,"
		       "\"is_verified\":true}" } } },
	{ "keycloak",
	  "audience = \"shop\" issuer = \"" KEYCLOAK "\"",
	  KEYCLOAK "/protocol/openid-connect/certs",
	  JWS_RS256,
	  300,
	  "azp",
	  NOT_VERIFIED,
	  "f3b1a0c2-aaaa-4bbb-8ccc-ddddeeeeffff",
	  ALICE,
	  { { "auth_time", "1795340000" },
	    { "jti", "\"1\"" },
	    { "iss", "\"" KEYCLOAK "\"" },
	    { "aud", "\"shop\"" },
	    { "sub", "\"f3b1a0c2-aaaa-4bbb-8ccc-ddddeeeeffff\"" },
	    { "typ", "\"ID\"" },
	    { "azp", "\"shop\"" },
	    { "sid", "\"s\"" },
	    { "acr", "\"1\"" },
	    { "email_verified", "true" },
	    { "preferred_username", "\"alice\"" },
	    EMAIL } },
	{ "clerk",
	  "audience = \"https://www.example.com\" issuer = \"https://clerk.example.com\"",
	  "https://clerk.example.com/.well-known/jwks.json",
	  JWS_RS256,
	  60,
	  "azp",
	  NOT_VERIFIED,
	  "user_2NNEqL2nrIRdJ194ndJqAHwEfxC",
	  ALICE,
	  { { "azp", "\"https://www.example.com\"" },
	    { "fva", "[0,-1]" },
	    { "iss", "\"https://clerk.example.com\"" },
	    { "nbf", "1795350090" },
	    { "sid", "\"sess_2\"" },
	    { "sts", "\"active\"" },
	    { "sub", "\"user_2NNEqL2nrIRdJ194ndJqAHwEfxC\"" },
	    { "v", "2" },
	    EMAIL,
	    { "email_verified", "true" } } },
	{ "descope",
	  "audience = \"P2Pq03wpnnjxJajSUKDuy2xviLNV\"",
	  "https://api.descope.com/P2Pq03wpnnjxJajSUKDuy2xviLNV/.well-known/jwks.json",
	  JWS_RS256,
	  600,
	  "iss",
	  { "amr", "[\"oauth\"]" },
	  "U2Pq1",
	  ALICE,
	  { { "amr", "[\"email\"]" },
	    { "drn", "\"DS\"" },
	    { "iss", "\"P2Pq03wpnnjxJajSUKDuy2xviLNV\"" },
	    { "rexp", "\"2026-12-20T12:00:00Z\"" },
	    { "sub", "\"U2Pq1\"" },
	    EMAIL } },
	{ "corbado",
	  "audience = \"pro-4268394291597054564\" verified = \"always\"",
	  "https://pro-4268394291597054564.frontendapi.cloud.corbado.io/.well-known/jwks",
	  JWS_RS256,
	  300,
	  "iss",
	  { "", "" },
	  "usr-7709",
	  ALICE,
	  { { "iss", "\"https://pro-4268394291597054564.frontendapi.cloud.corbado.io\"" },
	    { "sub", "\"usr-7709\"" },
	    { "jti", "\"ses-1\"" },
	    { "nbf", "1795350000" },
	    { "name", "\"Alice Example\"" },
	    EMAIL } },
	{ "linkedin",
	  "audience = \"77abcdefgh1234\"",
	  NULL,
	  JWS_RS256,
	  3600,
	  "aud",
	  { "email_verified", "\"false\"" },
	  "782bbtaQ",
	  ALICE,
	  { { "iss", "\"https://www.linkedin.com/oauth\"" },
	    { "aud", "\"77abcdefgh1234\"" },
	    { "sub", "\"782bbtaQ\"" },
	    { "name", "\"Alice Example\"" },
	    EMAIL,
	    { "email_verified", "\"true\"" },
	    { "locale", "\"en_US\"" } } },
	{ "oidc",
	  "audience = \"us\" issuer = \"https://id.example.com/tenant\"",
	  NULL,
	  JWS_ES256,
	  3600,
	  "aud",
	  NOT_VERIFIED,
	  "s-1",
	  ALICE,
	  { { "iss", "\"https://id.example.com/tenant\"" },
	    { "aud", "[\"us\",\"https://api.example.com\"]" },
	    { "azp", "\"us\"" },
	    { "sub", "\"s-1\"" },
	    EMAIL,
	    { "email_verified", "true" } } },
};

static struct arena *arena;		      /* of the test at hand */
static struct maker_key *ec, *rsa, *stranger; /* the last is an RSA key */
static struct config *config;
static struct token_rules rules;
static struct store *store;

static inline int open_all(void **state)
{
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };
	struct arena *a = arena_new();

	(void)state;
	log_open(&quiet, "test");
	ec = maker_key_new("P-256");
	rsa = maker_key_new("RSA-2048");
	stranger = maker_key_new("RSA-2048");
	scratch_open();
	/* As all of them together publish: no alg here, a key for encryption there. */
	scratch_write("keys.json",
		      text_of(maker_jwk_set(
			      a, maker_jwk(a, rsa, "\"kid\":\"rsa\",\"use\":\"sig\""),
			      maker_jwk(a, ec, "\"kid\":\"ec\",\"alg\":\"ES256\""),
			      maker_jwk(a, rsa,
					"\"kid\":\"enc\",\"use\":\"enc\","
					"\"alg\":\"RSA-OAEP\",\"x5tS256\":\"x\""),
			      NULL)));
	scratch_write("stranger.json",
		      text_of(maker_jwk_set(a, maker_jwk(a, stranger, "\"kid\":\"rsa\""),
					    NULL)));
	arena_free(a);
	return 0;
}

static inline int close_all(void **state)
{
	(void)state;
	scratch_close();
	maker_key_free(ec);
	maker_key_free(rsa);
	maker_key_free(stranger);
	return 0;
}

static inline void close_providers(void)
{
	provider_list_free(rules.providers);
	config_free(config);
	store_free(store);
	rules.providers = NULL;
	config = NULL;
	store = NULL;
}

static inline void open_providers(const char *text)
{
	close_providers();
	config = scratch_config(text);
	rules = (struct token_rules){ .providers = provider_list_new(config),
				      .token_limit = config->token_limit };
	store = store_new(config);
}

static inline int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static inline int close_one(void **state)
{
	(void)state;
	close_providers();
	arena_free(arena);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

static inline const struct profile *profile_of(const char *preset)
{
	for (size_t i = 0; i < COUNT(profiles); i++)
		if (strcmp(profiles[i].preset, preset) == 0)
			return &profiles[i];
	fail_msg("no profile %s", preset);
	return NULL;
}

/* The profile's block under its preset's name, with MORE in it. */
static inline const char *block_of(const struct profile *p, const char *more)
{
	return arena_printf(arena, "provider \"%s\" { preset = \"%s\" %s %s }\n",
			    p->preset, p->preset, p->block, more)
		.data;
}

#define PINNED "jwks_file = \"@/keys.json\""

/* That provider alone, its keys pinned to ours. */
static inline void open_profile(const struct profile *p)
{
	open_providers(arena_printf(arena, SITE "%s", block_of(p, PINNED)).data);
}

/* ---- tokens */

static inline const char *in_seconds(int seconds)
{
	return arena_printf(arena, "%d", NOW + seconds).data;
}

static inline const struct member *member_of(const struct profile *p, const char *name)
{
	for (size_t i = 0; p->claims[i].name; i++)
		if (strcmp(p->claims[i].name, name) == 0)
			return &p->claims[i];
	return NULL;
}

/* CHANGES: up to a nameless one; what is not among the profile's claims is added. */
static inline struct text claims_of(const struct profile *p, const struct member *changes)
{
	struct member all[MEMBERS_MAX + 8] = { { "iat", in_seconds(-10) },
					       { "exp", in_seconds(p->life_s - 10) } };
	struct buffer b = buffer_new(arena, 1024);
	size_t count = 2;

	for (size_t i = 0; p->claims[i].name; i++)
		all[count++] = p->claims[i];
	for (; changes && changes->name; changes++) {
		size_t i = 0;

		while (i < count && strcmp(all[i].name, changes->name) != 0)
			i++;
		count += i == count;
		assert_true(count <= COUNT(all));
		all[i] = *changes;
	}
	for (size_t i = 0; i < count; i++)
		if (all[i].json)
			buffer_printf(&b, "%c\"%s\":%s", b.len ? ',' : '{', all[i].name,
				      all[i].json);
	buffer_add_char(&b, '}');
	return arena_copy(arena, buffer_text(&b));
}

static inline struct text header_of(enum jws_algorithm algorithm, const char *kid)
{
	return arena_printf(arena, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
			    jws_algorithm_name(algorithm), kid);
}

static inline struct text token_of(const struct profile *p, const struct member *changes)
{
	const bool is_ec = p->algorithm == JWS_ES256;

	return maker_token(arena, is_ec ? ec : rsa, p->algorithm,
			   header_of(p->algorithm, is_ec ? "ec" : "rsa"),
			   claims_of(p, changes));
}

/* ---- logins */

struct visit {
	struct identity identity;
	struct store_user user;
	bool created;
	struct problem p;
};

static inline bool visit_work(struct store_tx *tx, void *context, struct problem *p)
{
	struct visit *v = context;

	struct user_decision d;

	if (!user_find_or_create(tx, &config->accounts, &v->identity, NOW, &d, p))
		return false;
	v->user = d.user;
	v->created = d.created;
	return true;
}

/* All that a login does with a token. */
static inline enum problem_kind visit(struct text token, struct visit *v)
{
	*v = (struct visit){ 0 };
	if (token_verify(&rules, token, NOW, arena, NULL, &v->identity, &v->p) &&
	    store_transact(store, visit_work, v, &v->p))
		assert_int_equal(v->p.kind, PROBLEM_NONE);
	return v->p.kind;
}

/* With nobody known as yet. */
static inline void expect_kind(const char *what, struct text token,
			       enum problem_kind kind)
{
	struct visit v;
	enum problem_kind found;

	store_free(store);
	store = store_new(config);
	found = visit(token, &v);
	if (found != kind)
		fail_msg("%s: %s (%s) instead of %s", what, problem_row(found)->name,
			 v.p.detail, problem_row(kind)->name);
	if (kind != PROBLEM_NONE)
		assert_int_equal(fake_store_rows(store, FAKE_USERS), 0);
}

#endif
