/*
 * For the tests of token.c: providers with keys of ours, tokens with faults of our choice,
 * and what is thought of them.
 */
#ifndef PINTLE_TOKEN_FIXTURE_H
#define PINTLE_TOKEN_FIXTURE_H

#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "buffer.h"
#include "log.h"
#include "scratch.h"
#include "token_maker.h"

#define NOW 1795350100
#define LEEWAY 60
#define AUDIENCE "7d1c2b3a-0000-4000-8000-0123456789ab"
#define KID "SPACE_JWT_PUBLIC:8028AAA3-EC2D-4BAA-BE7A-7C8359CCB9F9"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char configuration[] =
	"public_url = \"https://www.example.com/auth\"\n"
	"state_dir = \"@\"\n"
	"provider \"cotter\" {\n"
	"  preset = \"cotter\" audience = \"" AUDIENCE "\" jwks_file = \"@/cotter.json\"\n"
	"}\n"
	/* The same tokens; its keys are at a place where nobody answers. */
	"provider \"away\" {\n"
	"  preset = \"cotter\" issuer = \"https://away.example\" audience = \"" AUDIENCE "\"\n"
	"  jwks_url = \"http://127.0.0.1:1/jwks\"\n"
	"}\n"
	"provider \"all\" {\n"
	"  issuer = {\"https://all.example\", \"all.example\"} audience = {\"us\", \"us-2\"}\n"
	"  jwks_file = \"@/all.json\" verified = \"always\"\n"
	"  algorithms = {\"ES256\", \"ES384\", \"RS256\", \"RS384\", \"RS512\", \"PS256\",\n"
	"                \"PS384\", \"PS512\", \"EdDSA\"}\n"
	"}\n"
	"provider \"one\" {\n"
	"  issuer = \"https://one.example\" audience = \"us\" jwks_file = \"@/one.json\"\n"
	"  verified = \"always\"\n"
	"}\n"
	"provider \"two\" {\n"
	"  issuer = \"https://two.example\" audience = \"us\" jwks_file = \"@/two.json\"\n"
	"  verified = \"always\"\n"
	"}\n"
	"provider \"strict\" {\n"
	"  issuer = \"https://strict.example\" audience = \"us\" jwks_file = \"@/all.json\"\n"
	"  verified = \"always\" max_age = \"10m\" max_life = \"1h\" leeway = \"10s\"\n"
	"}\n"
	"provider \"azp\" {\n"
	"  issuer = \"https://azp.example\" audience = \"us\" jwks_file = \"@/all.json\"\n"
	"  verified = \"always\" audience_claim = \"azp\"\n"
	"}\n"
	"provider \"subject\" {\n"
	"  issuer = \"https://subject.example\" audience = \"us\" jwks_file = \"@/all.json\"\n"
	"  match = \"subject\"\n"
	"}\n"
	"provider \"deep\" {\n"
	"  issuer = \"https://deep.example\" audience = \"us\" jwks_file = \"@/all.json\"\n"
	"  email_claim = \"/email/address\" verified = \"/email/is_verified=true\"\n"
	"}\n"
	"provider \"never\" {\n"
	"  issuer = \"https://never.example\" audience = \"us\" jwks_file = \"@/all.json\"\n"
	"  verified = \"never\"\n"
	"}\n";

static struct arena *arena; /* of the test at hand */
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
	scratch_write("two.json",
		      text_of(maker_jwk_set(
			      a, maker_jwk(a, ec, "\"kid\":\"a\""),
			      maker_jwk(a, stranger, "\"kid\":\"b\""),
			      maker_jwk(a, ec, "\"kid\":\"same\""),
			      maker_jwk(a, stranger, "\"kid\":\"same\""),
			      maker_jwk(a, ec384, "\"kid\":\"enc\",\"use\":\"enc\""), NULL)));
	config = scratch_config(configuration);
	rules = (struct token_rules){ provider_list_new(config), config->token_limit, false };
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

/* ---- tokens, most of them from good members with a few replaced */

struct member {
	const char *name, *json; /* NULL: left out */
};

#define MEMBERS_MAX 24

/* CHANGES: name and JSON text in turn, NULL after the last; a JSON of NULL takes out. */
static inline struct text object(const struct member *base, size_t count, va_list changes)
{
	struct member all[MEMBERS_MAX];
	struct buffer b = buffer_new(arena, 1024);
	const char *name;

	memcpy(all, base, count * sizeof(*base));
	while ((name = va_arg(changes, const char *))) {
		size_t i = 0;

		while (i < count && strcmp(all[i].name, name) != 0)
			i++;
		all[i] = (struct member){ name, va_arg(changes, const char *) };
		count += i == count;
		assert_true(count < MEMBERS_MAX);
	}
	buffer_add_char(&b, '{');
	for (size_t i = 0; i < count; i++)
		if (all[i].json)
			buffer_printf(&b, "%s\"%s\":%s", b.len > 1 ? "," : "", all[i].name,
				      all[i].json);
	buffer_add_char(&b, '}');
	return arena_copy(arena, buffer_text(&b));
}

/* As Cotter writes them. */
static inline struct text __attribute__((sentinel)) claims(const char *dummy, ...)
{
	static const struct member base[] = {
		{ "client_user_id", "\"11111111-1111-4111-8111-111111111111\"" },
		{ "authentication_method", "\"OTP\"" },
		{ "type", "\"client_access_token\"" },
		{ "scope", "\"access\"" },
		{ "identifier", "\"Alice@Example.com\"" },
		{ "aud", "\"" AUDIENCE "\"" },
		{ "exp", "1795353600" },
		{ "jti", "\"22222222-2222-4222-8222-222222222222\"" },
		{ "iat", "1795350000" },
		{ "iss", "\"https://www.cotter.app\"" },
		{ "sub", "\"11111111-1111-4111-8111-111111111111\"" },
	};
	struct text text;
	va_list changes;

	(void)dummy;
	va_start(changes, dummy);
	text = object(base, COUNT(base), changes);
	va_end(changes);
	return text;
}

/* Of one of the other providers. */
static inline struct text __attribute__((sentinel)) other_claims(const char *provider, ...)
{
	const struct member base[] = {
		{ "iss", arena_printf(arena, "\"https://%s.example\"", provider).data },
		{ "aud", "\"us\"" },
		{ "exp", "1795353600" },
		{ "iat", "1795350000" },
		{ "sub", "\"s-1\"" },
		{ "email", "\"alice@example.com\"" },
	};
	struct text text;
	va_list changes;

	va_start(changes, provider);
	text = object(base, COUNT(base), changes);
	va_end(changes);
	return text;
}

static inline struct text __attribute__((sentinel)) header(const char *dummy, ...)
{
	static const struct member base[] = {
		{ "alg", "\"ES256\"" },
		{ "kid", "\"" KID "\"" },
		{ "typ", "\"JWT\"" },
	};
	struct text text;
	va_list changes;

	(void)dummy;
	va_start(changes, dummy);
	text = object(base, COUNT(base), changes);
	va_end(changes);
	return text;
}

#define CLAIMS(...) claims("", ##__VA_ARGS__, NULL)
#define HEADER(...) header("", ##__VA_ARGS__, NULL)
#define OTHER(provider, ...) other_claims(provider, ##__VA_ARGS__, NULL)

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

static inline struct text joined(struct text a, const char *between, struct text b)
{
	struct buffer buffer = buffer_new(arena, a.len + b.len + 8);

	buffer_add(&buffer, a);
	buffer_add(&buffer, text_of(between));
	buffer_add(&buffer, b);
	return arena_copy(arena, buffer_text(&buffer));
}

static inline struct text with_time(const char *name, int64_t when)
{
	return sign(HEADER(),
		    CLAIMS(name, arena_printf(arena, "%lld", (long long)when).data));
}

/* ---- verdicts */

static inline enum problem_kind verdict(struct text token, int64_t now, struct identity *identity)
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
static inline void refuse_headers(const char *name, const char *const *values, size_t count,
			   enum problem_kind kind)
{
	for (size_t i = 0; i < count; i++)
		refused(values[i] ? values[i] : "absent", sign(HEADER(name, values[i]), CLAIMS()),
		       kind);
}

static inline void refuse_claims(const char *name, const char *const *values, size_t count,
			  enum problem_kind kind)
{
	for (size_t i = 0; i < count; i++)
		refused(values[i] ? values[i] : "absent", sign(HEADER(), CLAIMS(name, values[i])),
		       kind);
}

static inline void accept_claims(const char *name, const char *const *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		accepted(values[i] ? values[i] : "absent",
		       sign(HEADER(), CLAIMS(name, values[i])));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

#endif
