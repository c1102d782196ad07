/*
 * For the tests of token.c: providers with keys of ours, tokens with faults of our
 * choice, and what is thought of them.
 */
#ifndef PINTLE_TOKEN_FIXTURE_H
#define PINTLE_TOKEN_FIXTURE_H

#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "log.h"
#include "scratch.h"
#include "token_maker.h"
#include "token_texts.h"

#define LEEWAY 60

static const char configuration[] =
	"public_url = \"https://www.example.com/auth\"\n"
	"state_dir = \"@\"\n"
	"provider \"cotter\" {\n"
	"  preset = \"cotter\" audience = \"" AUDIENCE
	"\" jwks_file = \"@/cotter.json\"\n"
	"}\n"
	/* The same tokens; its keys are at a place where nobody answers. */
	"provider \"away\" {\n"
	"  preset = \"cotter\" issuer = \"https://away.example\" audience = \"" AUDIENCE
	"\"\n"
	"  jwks_url = \"http://127.0.0.1:1/jwks\"\n"
	"}\n"
	"provider \"all\" {\n"
	"  issuer = {\"https://all.example\", \"all.example\"} audience = {\"us\", "
	"\"us-2\"}\n"
	"  jwks_file = \"@/all.json\" verified = \"always\"\n"
	"  algorithms = {\"ES256\", \"ES384\", \"RS256\", \"RS384\", \"RS512\", "
	"\"PS256\",\n"
	"                \"PS384\", \"PS512\", \"EdDSA\"}\n"
	"}\n"
	"provider \"one\" {\n"
	"  issuer = \"https://one.example\" audience = \"us\" jwks_file = "
	"\"@/one.json\"\n"
	"  verified = \"always\"\n"
	"}\n"
	"provider \"two\" {\n"
	"  issuer = \"https://two.example\" audience = \"us\" jwks_file = "
	"\"@/two.json\"\n"
	"  verified = \"always\"\n"
	"}\n"
	"provider \"strict\" {\n"
	"  issuer = \"https://strict.example\" audience = \"us\" jwks_file = "
	"\"@/all.json\"\n"
	"  verified = \"always\" max_age = \"10m\" max_life = \"1h\" leeway = \"10s\"\n"
	"}\n"
	"provider \"azp\" {\n"
	"  issuer = \"https://azp.example\" audience = \"us\" jwks_file = "
	"\"@/all.json\"\n"
	"  verified = \"always\" audience_claim = \"azp\"\n"
	"}\n"
	"provider \"subject\" {\n"
	"  issuer = \"https://subject.example\" audience = \"us\" jwks_file = "
	"\"@/all.json\"\n"
	"  match = \"subject\"\n"
	"}\n"
	"provider \"deep\" {\n"
	"  issuer = \"https://deep.example\" audience = \"us\" jwks_file = "
	"\"@/all.json\"\n"
	"  email_claim = \"/email/address\" verified = \"/email/is_verified=true\"\n"
	"}\n"
	"provider \"never\" {\n"
	"  issuer = \"https://never.example\" audience = \"us\" jwks_file = "
	"\"@/all.json\"\n"
	"  verified = \"never\"\n"
	"}\n";

static struct maker_key *ec, *stranger, *ec384, *rsa, *ed;
static struct config *config;
static struct token_rules rules;

static inline int open_all(void **state)
{
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };
	struct arena *a = arena_new();

	(void)state;
	log_open(&quiet, "test");
	ec = maker_key_new("P-256");
	stranger = maker_key_new("P-256");
	ec384 = maker_key_new("P-384");
	rsa = maker_key_new("RSA-2048");
	ed = maker_key_new("Ed25519");
	scratch_open();
	scratch_write("cotter.json",
		      text_of(maker_jwk_set(a, maker_jwk(a, ec, "\"kid\":\"" KID "\""),
					    maker_jwk(a, rsa, "\"kid\":\"rsa\""), NULL)));
	scratch_write("all.json",
		      text_of(maker_jwk_set(a, maker_jwk(a, ec, "\"kid\":\"ec\""),
					    maker_jwk(a, ec384, "\"kid\":\"ec384\""),
					    maker_jwk(a, rsa, "\"kid\":\"rsa\""),
					    maker_jwk(a, ed, "\"kid\":\"ed\""), NULL)));
	scratch_write("one.json", text_of(maker_jwk_set(a, maker_jwk(a, ec, ""),
							maker_jwk(a, ec384, ""), NULL)));
	scratch_write(
		"two.json",
		text_of(maker_jwk_set(
			a, maker_jwk(a, ec, "\"kid\":\"a\""),
			maker_jwk(a, stranger, "\"kid\":\"b\""),
			maker_jwk(a, ec, "\"kid\":\"same\""),
			maker_jwk(a, stranger, "\"kid\":\"same\""),
			maker_jwk(a, ec384, "\"kid\":\"enc\",\"use\":\"enc\""), NULL)));
	config = scratch_config(configuration);
	rules = (struct token_rules){ .providers = provider_list_new(config),
				      .token_limit = config->token_limit,
				      .phone = false };
	arena_free(a);
	return 0;
}

static inline int close_all(void **state)
{
	(void)state;
	provider_list_free(rules.providers);
	config_free(config);
	scratch_close();
	maker_key_free(ec);
	maker_key_free(stranger);
	maker_key_free(ec384);
	maker_key_free(rsa);
	maker_key_free(ed);
	return 0;
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
	arena_free(arena);
	rules.phone = false;
	rules.token_limit = config->token_limit;
	return 0;
}

/* ---- tokens */

static inline struct text sign(struct text head, struct text payload)
{
	return maker_token(arena, ec, JWS_ES256, head, payload);
}

/* A token of one of the other providers, under its key "ec". */
static inline struct text sign_other(struct text payload)
{
	return sign(HEADER("kid", "\"ec\""), payload);
}

static inline struct text good_token(void)
{
	return sign(HEADER(), CLAIMS());
}

static inline struct text with_time(const char *name, int64_t when)
{
	return sign(HEADER(),
		    CLAIMS(name, arena_printf(arena, "%lld", (long long)when).data));
}

/* ---- verdicts */

static inline enum problem_kind verdict(struct text token, int64_t now,
					struct identity *identity)
{
	struct problem p = { 0 };

	if (token_verify(&rules, token, now, arena, NULL, identity, &p)) {
		assert_int_equal(p.kind, PROBLEM_NONE);
		return PROBLEM_NONE;
	}
	assert_int_not_equal(p.kind, PROBLEM_NONE);
	return p.kind;
}

static inline void expect_at(int64_t now, const char *what, struct text token,
			     enum problem_kind kind)
{
	struct identity identity;
	const enum problem_kind found = verdict(token, now, &identity);

	if (found != kind)
		fail_msg("%s: %s instead of %s", what, problem_row(found)->name,
			 problem_row(kind)->name);
}

static inline void refused(const char *what, struct text token, enum problem_kind kind)
{
	expect_at(NOW, what, token, kind);
}

static inline struct identity accepted(const char *what, struct text token)
{
	struct identity identity;
	const enum problem_kind found = verdict(token, NOW, &identity);

	if (found != PROBLEM_NONE)
		fail_msg("%s: refused, %s", what, problem_row(found)->name);
	return identity;
}

/* A member of the header, or a claim, with each of these values. */
static inline void refuse_headers(const char *name, const char *const *values,
				  size_t count, enum problem_kind kind)
{
	for (size_t i = 0; i < count; i++)
		refused(values[i] ? values[i] : "absent",
			sign(HEADER(name, values[i]), CLAIMS()), kind);
}

static inline void refuse_claims(const char *name, const char *const *values,
				 size_t count, enum problem_kind kind)
{
	for (size_t i = 0; i < count; i++)
		refused(values[i] ? values[i] : "absent",
			sign(HEADER(), CLAIMS(name, values[i])), kind);
}

static inline void accept_claims(const char *name, const char *const *values,
				 size_t count)
{
	for (size_t i = 0; i < count; i++)
		accepted(values[i] ? values[i] : "absent",
			 sign(HEADER(), CLAIMS(name, values[i])));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

#endif
