#include <jwt.h>

#include "base64url.h"
#include "email.h"
#include "fixture.h"
#include "fuzz.h"
#include "token.h"

#define NOW FIXTURE_NOW

/* As explain shows it: the checks in order, the last one that failed. */
struct told {
	unsigned passed, failed;
};

static void tell(void *context, const char *name, bool passed, struct text saw)
{
	struct told *told = context;

	REQUIRE(*name && !told->failed && (saw.data || !saw.len));
	*(passed ? &told->passed : &told->failed) += 1;
}

/* The verdict, twice the same, and told as it is. */
static enum problem_kind verdict(struct arena *a, struct text token, struct identity *out)
{
	struct told told = { 0 };
	const struct token_trace trace = { tell, &told };
	struct problem p = { 0 }, again = { 0 };
	const bool good =
		token_verify(&fixture_app()->rules, token, NOW, a, NULL, out, &p);

	REQUIRE(good == (p.kind == PROBLEM_NONE));
	REQUIRE(token_verify(&fixture_app()->rules, token, NOW, a, &trace, out, &again) ==
		good);
	REQUIRE(told.failed == !good && (good ? told.passed == 10 : told.passed < 10));
	REQUIRE(p.kind == again.kind && strcmp(p.detail, again.detail) == 0);
	/* Neither our fault nor the database's, whatever a client sends. */
	REQUIRE(p.kind != PROBLEM_INTERNAL && p.kind != PROBLEM_DATABASE_AWAY &&
		p.kind != PROBLEM_KEYS_AWAY);
	return p.kind;
}

/* Lines, to be encoded and put together. */
static struct text compose(struct arena *a, struct text input)
{
	struct text payload, signature;
	const struct text header = text_before(input, '\n', &payload);

	payload = text_before(payload, '\n', &signature);
	return arena_printf(a, "%.*s.%.*s.%.*s", TEXT_ARG(maker_base64url(a, header)),
			    TEXT_ARG(maker_base64url(a, payload)),
			    TEXT_ARG(maker_base64url(a, signature)));
}

/* Bytes as a token; or, with lines, three parts. Nobody guesses a signature. */
void fuzz_token(struct arena *a, struct text input)
{
	struct identity identity;

	if (memchr(input.data, '\n', input.len))
		input = compose(a, input);
	REQUIRE(verdict(a, input, &identity) != PROBLEM_NONE);
}

/* What must be so of any token that got in, asked once more, and of json.c alone. */
static void check_accepted(struct arena *a, struct text payload,
			   const struct identity *id)
{
	const char *why;
	const struct json *claims = json_parse(a, payload, 32, &why), *value;
	double exp = 0, iat = 0;
	struct problem p = { 0 };
	struct text issuer, again;

	REQUIRE(json_type(claims) == JSON_OBJECT);
	REQUIRE(json_member(claims, "exp", &value) && json_number(value, &exp));
	REQUIRE(json_member(claims, "iat", &value) && json_number(value, &iat));
	REQUIRE(exp > NOW - 61 && exp <= 253402300799.0 && iat >= 0 && iat < NOW + 61);
	REQUIRE(exp - iat <= 2 * 86400 + 1);
	if (json_member(claims, "nbf", &value))
		REQUIRE(json_number(value, &exp) && exp < NOW + 61);
	REQUIRE(json_member(claims, "iss", &value) && json_string(value, &issuer));
	REQUIRE(json_member(claims, "aud", &value) || json_member(claims, "azp", &value));
	REQUIRE(text_equal(id->claims, payload));
	REQUIRE(id->email.len || id->phone.len || id->no_email);
	if (id->email.len) {
		REQUIRE(email_normalise(a, id->email, &again, &p) &&
			text_equal(id->email, again));
	}
	REQUIRE(!id->phone.len || phone_is_valid(id->phone));
}

/* Digits beyond an int64, or an exponent: jansson has no room for some of them. */
static bool has_long_number(struct text t)
{
	size_t run = 0;

	for (size_t i = 0; i < t.len; i++) {
		const char c = t.data[i];

		if (run && (run >= 19 || c == 'e' || c == 'E'))
			return true;
		run = c >= '0' && c <= '9' ? run + 1 : 0;
	}
	return false;
}

/*
 * libjwt checks less than we do, so what we take it takes: but for a "typ" that it does not
 * know, and long numbers.
 */
static void ask_libjwt(struct arena *a, struct text token, struct text header,
		       struct text payload)
{
	static const char *pem;
	jwt_t *jwt = NULL;

	if (!pem)
		pem = maker_pem_public(fuzz_forever(), fixture_key());
	if (memmem(header.data, header.len, "typ", 3) ||
	    memchr(header.data, '\\', header.len) || has_long_number(header) ||
	    has_long_number(payload))
		return;
	REQUIRE(jwt_decode(&jwt, arena_copy(a, token).data, (const unsigned char *)pem,
			   (int)strlen(pem)) == 0);
	REQUIRE(jwt_get_alg(jwt) == JWT_ALG_ES256);
	jwt_free(jwt);
}

/* A line with the header, or an empty one for a good header, then the payload; signed. */
void fuzz_token_signed(struct arena *a, struct text input)
{
	struct text payload, token;
	struct text header = text_before(input, '\n', &payload);
	struct identity identity;

	if (!header.len)
		header = AS_TEXT(FIXTURE_HEADER);
	token = fixture_sign(a, header, payload);
	if (verdict(a, token, &identity) != PROBLEM_NONE)
		return;
	fuzz_through++;
	check_accepted(a, payload, &identity);
	ask_libjwt(a, token, header, payload);
	/* One bit of it makes it another. */
	((char *)(uintptr_t)token.data)[token.len - 10] ^= 1;
	REQUIRE(verdict(a, token, &identity) != PROBLEM_NONE);
}
