/* Tokens from outside: shape, order of the checks, and what is told of them. */
#include "token_fixture.h"

/* ---- a good token */

static void good_token_says_who_it_is(void **state)
{
	const struct text payload = CLAIMS();
	const struct text token = sign(HEADER(), payload);
	const struct identity i = accepted("good", token);
	unsigned char hash[SHA256_BYTES], again[SHA256_BYTES];

	(void)state;
	assert_string_equal(i.provider->config->name, "cotter");
	assert_true(text_is(i.subject, "11111111-1111-4111-8111-111111111111"));
	assert_true(text_is(i.email, "alice@example.com"));
	assert_true(text_is(i.email_written, "Alice@Example.com"));
	assert_int_equal(i.phone.len, 0);
	assert_int_equal(i.no_email, PROBLEM_NONE);
	assert_int_equal(i.issued_at, 1795350000);
	assert_int_equal(i.expires_at, 1795353600);
	assert_true(text_equal(i.claims, payload));
	secret_sha256(
		(struct text){ token.data, (size_t)((const char *)memrchr(token.data, '.',
									  token.len) -
						    token.data) },
		hash);
	token_identity_hash(&i, again);
	assert_memory_equal(again, hash, sizeof(hash));
}

static void all_nine_algorithms_are_accepted_where_configured(void **state)
{
	static const struct {
		const char *name, *kid;
		enum jws_algorithm algorithm;
		struct maker_key **key;
	} cases[] = {
		{ "ES256", "ec", JWS_ES256, &ec },
		{ "ES384", "ec384", JWS_ES384, &ec384 },
		{ "RS256", "rsa", JWS_RS256, &rsa },
		{ "RS384", "rsa", JWS_RS384, &rsa },
		{ "RS512", "rsa", JWS_RS512, &rsa },
		{ "PS256", "rsa", JWS_PS256, &rsa },
		{ "PS384", "rsa", JWS_PS384, &rsa },
		{ "PS512", "rsa", JWS_PS512, &rsa },
		{ "EdDSA", "ed", JWS_EDDSA, &ed },
	};

	(void)state;
	assert_int_equal(COUNT(cases), JWS_ALGORITHMS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct text head =
			arena_printf(arena, "{\"alg\":\"%s\",\"kid\":\"%s\"}",
				     cases[i].name, cases[i].kid);

		accepted(cases[i].name,
			 maker_token(arena, *cases[i].key, cases[i].algorithm, head,
				     OTHER("all")));
	}
}

static void failure_leaves_the_identity_alone(void **state)
{
	struct identity identity, untouched;

	(void)state;
	memset(&identity, 0x5a, sizeof(identity));
	memset(&untouched, 0x5a, sizeof(untouched));
	assert_int_equal(
		verdict(sign(HEADER(), CLAIMS("identifier", NULL)), NOW, &identity),
		PROBLEM_EMAIL_MISSING);
	assert_memory_equal(&identity, &untouched, sizeof(identity));
	assert_int_equal(verdict(good_token(), NOW, &identity), PROBLEM_NONE);
	assert_memory_not_equal(&identity, &untouched, sizeof(identity));
}

/* ---- shape */

static void number_of_parts_is_three(void **state)
{
	const struct text token = good_token();
	const struct text h = maker_token_part(token, 0), c = maker_token_part(token, 1),
			  s = maker_token_part(token, 2);
	const struct {
		const char *what;
		struct text token;
	} cases[] = {
		{ "nothing", AS_TEXT("") },
		{ "one dot", AS_TEXT(".") },
		{ "two dots", AS_TEXT("..") },
		{ "one part", h },
		{ "two parts", joined(h, ".", c) },
		{ "two parts and a dot (alg none)",
		  joined(h, ".", joined(c, ".", AS_TEXT(""))) },
		{ "trailing dot", joined(token, ".", AS_TEXT("")) },
		{ "leading dot", joined(AS_TEXT(""), ".", token) },
		{ "four parts", joined(token, ".", s) },
		{ "five parts, as of a JWE", joined(token, ".", joined(s, ".", s)) },
		{ "no header", joined(AS_TEXT(""), ".", joined(c, ".", s)) },
		{ "no payload", joined(h, "..", s) },
		{ "doubled dot", joined(h, "..", joined(c, ".", s)) },
	};

	(void)state;
	accepted("three parts", joined(h, ".", joined(c, ".", s)));
	for (size_t i = 0; i < COUNT(cases); i++)
		refused(cases[i].what, cases[i].token, PROBLEM_TOKEN_MALFORMED);
}

/* The spellings of one part that sloppy decoders read as the same bytes. */
static size_t misspell(struct text good, struct text out[], const char *what[])
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-_";
	char *copy = (char *)(uintptr_t)arena_copy(arena, good).data;
	size_t n = 0;

#define ADD(name, text) (what[n] = (name), out[n++] = (text))
	ADD("padding =", joined(good, "=", AS_TEXT("")));
	ADD("padding ==", joined(good, "==", AS_TEXT("")));
	ADD("blank behind", joined(good, " ", AS_TEXT("")));
	ADD("blank before", joined(AS_TEXT(""), " ", good));
	ADD("line end behind", joined(good, "\n", AS_TEXT("")));
	ADD("CR LF inside", joined((struct text){ good.data, 4 }, "\r\n",
				   (struct text){ good.data + 4, good.len - 4 }));
	ADD("tab inside", joined((struct text){ good.data, 4 }, "\t",
				 (struct text){ good.data + 4, good.len - 4 }));
	ADD("foreign character inside",
	    joined((struct text){ good.data, 4 }, "!",
		   (struct text){ good.data + 4, good.len - 4 }));
	ADD("byte above 127 inside",
	    joined((struct text){ good.data, 4 }, "\xc3\xa9",
		   (struct text){ good.data + 4, good.len - 4 }));
	ADD("percent escape", joined(good, "%3D", AS_TEXT("")));
	ADD("NUL behind", ((struct text){ arena_copy(arena, good).data, good.len + 1 }));
	/* Every part is given with spare bits in its last character. */
	copy[good.len - 1] =
		alphabet[strchr(alphabet, copy[good.len - 1]) - alphabet + 1];
	ADD("spare bits", ((struct text){ copy, good.len }));
#undef ADD
	return n;
}

#define MISSPELLINGS 16

/* JSON with blanks behind it, of a length that leaves spare bits when encoded. */
static struct text with_spare_bits(struct text json)
{
	while (json.len % 3 == 0)
		json = joined(json, " ", AS_TEXT(""));
	return maker_base64url(arena, json);
}

static void header_has_one_spelling(void **state)
{
	const struct text good = with_spare_bits(HEADER());
	const struct text payload = maker_base64url(arena, CLAIMS());
	struct text bad[MISSPELLINGS];
	const char *what[MISSPELLINGS];
	const size_t count = misspell(good, bad, what);

	(void)state;
	accepted("canonical", maker_token_of_parts(arena, ec, JWS_ES256, good, payload));
	for (size_t i = 0; i < count; i++)
		refused(what[i],
			maker_token_of_parts(arena, ec, JWS_ES256, bad[i], payload),
			PROBLEM_TOKEN_MALFORMED);
}

static void payload_has_one_spelling(void **state)
{
	const struct text good = with_spare_bits(CLAIMS());
	const struct text head = maker_base64url(arena, HEADER());
	struct text bad[MISSPELLINGS];
	const char *what[MISSPELLINGS];
	const size_t count = misspell(good, bad, what);

	(void)state;
	accepted("canonical", maker_token_of_parts(arena, ec, JWS_ES256, head, good));
	for (size_t i = 0; i < count; i++)
		refused(what[i], maker_token_of_parts(arena, ec, JWS_ES256, head, bad[i]),
			PROBLEM_TOKEN_MALFORMED);
}

static void signature_has_one_spelling(void **state)
{
	const struct text token = good_token(), good = maker_token_part(token, 2);
	const struct text signed_ = { token.data, token.len - good.len - 1 };
	struct text bad[MISSPELLINGS];
	const char *what[MISSPELLINGS];
	const size_t count = misspell(good, bad, what);

	(void)state;
	accepted("canonical", joined(signed_, ".", good));
	for (size_t i = 0; i < count; i++)
		refused(what[i], joined(signed_, ".", bad[i]), PROBLEM_TOKEN_MALFORMED);
}

static void plus_and_slash_are_not_minus_and_underscore(void **state)
{
	const struct text head = maker_base64url(arena, HEADER());
	const struct text good = maker_base64url(arena, CLAIMS("x", "\"~?~?~?~?~?~?\""));
	char *plain = (char *)(uintptr_t)arena_copy(arena, good).data;

	(void)state;
	assert_non_null(memchr(good.data, '-', good.len));
	assert_non_null(memchr(good.data, '_', good.len));
	accepted("- and _", maker_token_of_parts(arena, ec, JWS_ES256, head, good));
	for (char *c = plain; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	refused("+ and /",
		maker_token_of_parts(arena, ec, JWS_ES256, head,
				     (struct text){ plain, good.len }),
		PROBLEM_TOKEN_MALFORMED);
}

static void token_limit_is_the_longest_that_is_looked_at(void **state)
{
	const struct text token = good_token();

	(void)state;
	rules.token_limit = token.len;
	accepted("exactly the limit", token);
	rules.token_limit = token.len - 1;
	refused("one byte more", token, PROBLEM_TOKEN_MALFORMED);
}

static void header_is_one_json_object(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"null",
		"true",
		"1",
		"\"ES256\"",
		"[]",
		"[{\"alg\":\"ES256\",\"kid\":\"" KID "\"}]",
		"{\"alg\":\"ES256\",\"kid\":\"" KID "\"}x",
		"{\"alg\":\"ES256\",\"kid\":\"" KID "\"}{}",
		"{\"alg\":\"ES256\",\"kid\":\"" KID "\",}",
		"{'alg':'ES256','kid':'" KID "'}",
		"{\"alg\":\"ES256\",\"kid\":\"" KID "\"",
		"\xef\xbb\xbf{\"alg\":\"ES256\",\"kid\":\"" KID "\"}",
		"{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"x\":[[[[[[[[1]]]]]]]]}",
	};

	(void)state;
	accepted("with blanks around",
		 sign(AS_TEXT(" {\"alg\":\"ES256\",\"kid\":\"" KID "\"}\n"), CLAIMS()));
	accepted("seven levels more", sign(HEADER("x", "[[[[[[[1]]]]]]]"), CLAIMS()));
	for (size_t i = 0; i < COUNT(bad); i++)
		refused(bad[i], sign(text_of(bad[i]), CLAIMS()), PROBLEM_TOKEN_MALFORMED);
}

static void payload_is_one_json_object(void **state)
{
	static const char *const bad[] = {
		"", " ", "null", "true", "0", "\"x\"", "[]",
	};
	const struct text good = CLAIMS();

	(void)state;
	accepted("with blanks around",
		 sign(HEADER(),
		      joined(joined(AS_TEXT("\t"), " ", good), "\r\n", AS_TEXT(""))));
	for (size_t i = 0; i < COUNT(bad); i++)
		refused(bad[i], sign(HEADER(), text_of(bad[i])), PROBLEM_TOKEN_MALFORMED);
	refused("array of claims",
		sign(HEADER(), joined(AS_TEXT("["), "", joined(good, "]", AS_TEXT("")))),
		PROBLEM_TOKEN_MALFORMED);
	refused("two objects", sign(HEADER(), joined(good, "", good)),
		PROBLEM_TOKEN_MALFORMED);
	refused("something behind", sign(HEADER(), joined(good, "x", AS_TEXT(""))),
		PROBLEM_TOKEN_MALFORMED);
	refused("cut short", sign(HEADER(), (struct text){ good.data, good.len - 1 }),
		PROBLEM_TOKEN_MALFORMED);
	refused("byte order mark",
		sign(HEADER(), joined(AS_TEXT("\xef\xbb\xbf"), "", good)),
		PROBLEM_TOKEN_MALFORMED);
	refused("NaN", sign(HEADER(), CLAIMS("x", "NaN")), PROBLEM_TOKEN_MALFORMED);
	refused("comment", sign(HEADER(), CLAIMS("x", "1/**/")), PROBLEM_TOKEN_MALFORMED);
}

static const char *nested(unsigned levels)
{
	char *text = arena_alloc(arena, 2 * levels + 2);

	memset(text, '[', levels);
	memset(text + levels, ']', levels);
	return text;
}

static void deep_payload_is_refused(void **state)
{
	(void)state;
	accepted("32 levels", sign(HEADER(), CLAIMS("x", nested(31))));
	refused("33 levels", sign(HEADER(), CLAIMS("x", nested(32))),
		PROBLEM_TOKEN_MALFORMED);
}

static void duplicate_members_are_refused(void **state)
{
	static const char *const heads[] = {
		"{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"" KID "\"}",
		"{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"alg\":\"none\"}",
		"{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"\\u0061lg\":\"ES256\"}",
		"{\"alg\":\"ES256\",\"kid\":\"x\",\"kid\":\"" KID "\"}",
	};
	static const char *const names[] = {
		"iss",	      "\\u0069ss",	  "aud", "exp", "\\u0065x\\u0070", "sub",
		"identifier", "i\\u0064entifier",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++)
		refused(heads[i], sign(text_of(heads[i]), CLAIMS()),
			PROBLEM_TOKEN_MALFORMED);
	/* The second one of each says the same as the first: even that is refused. */
	refused("iss twice",
		sign(HEADER(), CLAIMS("\\u0069ss", "\"https://www.cotter.app\"")),
		PROBLEM_TOKEN_MALFORMED);
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct text good = CLAIMS();
		const struct text twice =
			joined((struct text){ good.data, good.len - 1 }, "",
			       arena_printf(arena, ",\"%s\":\"x\"}", names[i]));

		refused(names[i], sign(HEADER(), twice), PROBLEM_TOKEN_MALFORMED);
	}
	refused("within a claim", sign(HEADER(), CLAIMS("x", "{\"a\":1,\"a\":1}")),
		PROBLEM_TOKEN_MALFORMED);
	refused("within an array",
		sign(HEADER(), CLAIMS("x", "[{\"a\":1,\"\\u0061\":2}]")),
		PROBLEM_TOKEN_MALFORMED);
	accepted("the same name on two levels",
		 sign(HEADER(), CLAIMS("x", "{\"iss\":{\"iss\":1}}")));
	accepted("names of another case", sign(HEADER(), CLAIMS("Iss", "1", "EXP", "1")));
}

static void nul_in_names_and_values_is_refused(void **state)
{
	static const char raw[] = "{\"alg\":\"ES256\",\"kid\":\"" KID "\0\"}";
	const struct text good = CLAIMS();
	const struct text nul = { "\0", 1 };

	(void)state;
	refused("name iss NUL", sign(HEADER(), CLAIMS("iss\\u0000x", "1")),
		PROBLEM_TOKEN_MALFORMED);
	refused("value of iss",
		sign(HEADER(), CLAIMS("iss", "\"https://www.cotter.app\\u0000\"")),
		PROBLEM_TOKEN_MALFORMED);
	refused("value of identifier",
		sign(HEADER(),
		     CLAIMS("identifier", "\"alice@example.com\\u0000.evil.example\"")),
		PROBLEM_TOKEN_MALFORMED);
	refused("deep within", sign(HEADER(), CLAIMS("x", "[{\"a\":\"\\u0000\"}]")),
		PROBLEM_TOKEN_MALFORMED);
	refused("alg", sign(HEADER("alg", "\"ES256\\u0000\""), CLAIMS()),
		PROBLEM_TOKEN_MALFORMED);
	refused("kid", sign(HEADER("kid", "\"" KID "\\u0000x\""), CLAIMS()),
		PROBLEM_TOKEN_MALFORMED);
	refused("raw, in the header",
		sign((struct text){ raw, sizeof(raw) - 1 }, CLAIMS()),
		PROBLEM_TOKEN_MALFORMED);
	refused("raw, behind the payload", sign(HEADER(), joined(good, "", nul)),
		PROBLEM_TOKEN_MALFORMED);
	accepted("U+0001 in a claim of no meaning",
		 sign(HEADER(), CLAIMS("x", "\"\\u0001\"")));
}

static void invalid_utf8_is_refused(void **state)
{
	static const char *const bad[] = {
		"\"\xff\"",	    "\"\xc3\"",		  "\"\xc0\x80\"",
		"\"\xe0\x80\xaf\"", "\"\xed\xa0\x80\"",	  "\"\xf4\x90\x80\x80\"",
		"\"\\ud800\"",	    "\"\\udc00\\ud800\"",
	};
	static const char *const good[] = {
		"\"\xc3\xa9\"",
		"\"\xf0\x9f\x98\x80\"",
		"\"\\ud83d\\ude00\"",
		"\"\\u00e9\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		refused("claim", sign(HEADER(), CLAIMS("x", bad[i])),
			PROBLEM_TOKEN_MALFORMED);
		refused("header", sign(HEADER("x", bad[i]), CLAIMS()),
			PROBLEM_TOKEN_MALFORMED);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		accepted(good[i], sign(HEADER(), CLAIMS("x", good[i])));
		accepted(good[i], sign(HEADER("x", good[i]), CLAIMS()));
	}
}

/* ---- order */

#define K16 "kkkkkkkkkkkkkkkk"
#define K64 K16 K16 K16 K16

/* One fault each, in the order in which they are to be found. */
static const struct fault {
	bool in_header;
	const char *name, *json;
	enum problem_kind kind;
	bool cheap; /* found before any key is asked for */
} faults[] = {
	{ false, "x", "{\"a\":1,\"a\":1}", PROBLEM_TOKEN_MALFORMED, true },
	{ true, "alg", "\"none\"", PROBLEM_TOKEN_ALGORITHM, true },
	{ true, "typ", "\"dpop+jwt\"", PROBLEM_TOKEN_KIND, true },
	{ true, "crit", "[\"exp\"]", PROBLEM_TOKEN_MALFORMED, true },
	{ true, "kid", "1", PROBLEM_TOKEN_KEY, true },
	{ true, "kid", "\"\"", PROBLEM_TOKEN_KEY, true },
	{ true, "kid", "\"" K64 K64 K64 K64 "k\"", PROBLEM_TOKEN_KEY, true },
	{ false, "iss", "\"https://www.cotter.app/\"", PROBLEM_TOKEN_ISSUER, true },
	{ true, "alg", "\"RS256\"", PROBLEM_TOKEN_ALGORITHM, true },
	{ false, "exp", "\"1795353600\"", PROBLEM_TOKEN_CLAIMS, true },
	{ false, "exp", "1795340000", PROBLEM_TOKEN_EXPIRED, true },
	{ false, "iat", "1795350161", PROBLEM_TOKEN_ISSUED_IN_FUTURE, true },
	{ false, "nbf", "1795350161", PROBLEM_TOKEN_NOT_YET_VALID, true },
	{ false, "exp", "1795999999", PROBLEM_TOKEN_LIVES_TOO_LONG, true },
	{ false, "aud", "\"other\"", PROBLEM_TOKEN_AUDIENCE, true },
	{ false, "type", "\"client_id_token\"", PROBLEM_TOKEN_KIND, true },
	{ true, "kid", "\"\\u0001\"", PROBLEM_TOKEN_KEY, true },
	{ true, "kid", "\"unknown\"", PROBLEM_TOKEN_KEY, false },
	{ true, NULL, NULL, PROBLEM_TOKEN_SIGNATURE, false },
	{ false, "sub", "1", PROBLEM_TOKEN_CLAIMS, false },
	{ false, "identifier", "\"alice\"", PROBLEM_EMAIL_REFUSED, false },
	{ false, "authentication_method", "\"PIN\"", PROBLEM_EMAIL_UNVERIFIED, false },
};

/* A token with two faults; they are not of one member. */
static struct text faulty(const struct fault *a, const struct fault *b,
			  const char *issuer)
{
	const char *head[4] = { 0 }, *payload[4] = { 0 };
	size_t heads = 0, payloads = 0;
	struct maker_key *key = ec;
	const struct fault *both[] = { a, b };

	for (size_t i = 0; i < 2; i++) {
		const struct fault *f = both[i];

		if (!f->name)
			key = stranger;
		else if (f->in_header)
			head[heads++] = f->name, head[heads++] = f->json;
		else
			payload[payloads++] = f->name, payload[payloads++] = f->json;
	}
	return maker_token(arena, key, JWS_ES256,
			   header("", head[0], head[1], head[2], head[3], NULL),
			   claims("", "iss", issuer, payload[0], payload[1], payload[2],
				  payload[3], NULL));
}

static bool same_member(const struct fault *a, const struct fault *b)
{
	return a == b || (a->name && b->name && a->in_header == b->in_header &&
			  strcmp(a->name, b->name) == 0);
}

static void earlier_of_two_faults_is_reported(void **state)
{
	size_t pairs = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++)
		for (size_t k = i + 1; k < COUNT(faults); k++) {
			if (same_member(&faults[i], &faults[k]))
				continue;
			refused(arena_printf(arena, "faults %zu and %zu", i, k).data,
				faulty(&faults[i], &faults[k],
				       "\"https://www.cotter.app\""),
				faults[i].kind);
			pairs++;
		}
	assert_true(pairs > 150);
}

static void nothing_cheap_reaches_the_keys_or_the_network(void **state)
{
	static const char issuer[] = "\"https://away.example\"";

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].cheap)
			refused(arena_printf(arena, "fault %zu", i).data,
				faulty(&faults[i], &faults[i], issuer), faults[i].kind);
	/* pintle-fetch would have made it. */
	assert_false(scratch_exists("jwks"));
	refused("without a fault", sign(HEADER(), CLAIMS("iss", issuer)),
		PROBLEM_KEYS_AWAY);
	assert_true(scratch_exists("jwks/away.tried"));
	for (size_t i = 0; i < COUNT(faults); i++)
		if (!faults[i].cheap)
			refused(arena_printf(arena, "fault %zu", i).data,
				faulty(&faults[i], &faults[i], issuer),
				PROBLEM_KEYS_AWAY);
}

/* ---- trace */

struct trace {
	char lines[512];
	struct text saw; /* of the last check */
};

static void note(void *context, const char *name, bool passed, struct text saw)
{
	struct trace *t = context;

	snprintf(t->lines + strlen(t->lines), sizeof(t->lines) - strlen(t->lines),
		 "%s%s ", name, passed ? "" : "!");
	t->saw = saw;
}

static void expect_trace(struct text token, const char *lines, const char *saw)
{
	struct trace trace = { .lines = "" };
	const struct token_trace callback = { note, &trace };
	struct identity identity;
	struct problem p = { 0 };
	const bool good =
		token_verify(&rules, token, NOW, arena, &callback, &identity, &p);

	assert_string_equal(trace.lines, lines);
	assert_int_equal(good, strchr(lines, '!') == NULL);
	if (!text_is(trace.saw, saw))
		fail_msg("saw \"%.*s\"", TEXT_ARG(trace.saw));
}

static void trace_tells_each_check_in_order(void **state)
{
#define UNTIL_ISSUER "shape header issuer"
#define UNTIL_REQUIRED UNTIL_ISSUER " algorithm times audience required"
	(void)state;
	expect_trace(good_token(), UNTIL_REQUIRED " signature subject address ",
		     "Alice@Example.com");
	expect_trace(AS_TEXT("x"), "shape! ", "1 bytes");
	expect_trace(sign(HEADER("alg", "\"none\""), CLAIMS()), "shape header! ", "none");
	expect_trace(sign(HEADER(), CLAIMS("iss", "\"https://evil.example\"")),
		     UNTIL_ISSUER "! ", "https://evil.example");
	expect_trace(sign(HEADER("alg", "\"RS256\""), CLAIMS()),
		     UNTIL_ISSUER " algorithm! ", "RS256");
	expect_trace(with_time("exp", NOW - 100), UNTIL_ISSUER " algorithm times! ",
		     "issued 100 s ago, expires in -100 s");
	expect_trace(sign(HEADER(), CLAIMS("aud", "[\"a\", \"b\"]")),
		     UNTIL_ISSUER " algorithm times audience! ", "[\"a\",\"b\"]");
	expect_trace(sign(HEADER(), CLAIMS("type", "\"client_id_token\"")),
		     UNTIL_REQUIRED "! ", "type");
	expect_trace(sign(HEADER("kid", "\"unknown\""), CLAIMS()),
		     UNTIL_REQUIRED " signature! ", "unknown");
	expect_trace(sign(HEADER(), CLAIMS("sub", "1")),
		     UNTIL_REQUIRED " signature subject! ", "no sub");
	expect_trace(sign(HEADER(), CLAIMS("identifier", "\"alice\"")),
		     UNTIL_REQUIRED " signature subject address! ", "alice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_token_says_who_it_is),
		TEST(all_nine_algorithms_are_accepted_where_configured),
		TEST(failure_leaves_the_identity_alone),
		TEST(number_of_parts_is_three),
		TEST(header_has_one_spelling),
		TEST(payload_has_one_spelling),
		TEST(signature_has_one_spelling),
		TEST(plus_and_slash_are_not_minus_and_underscore),
		TEST(token_limit_is_the_longest_that_is_looked_at),
		TEST(header_is_one_json_object),
		TEST(payload_is_one_json_object),
		TEST(deep_payload_is_refused),
		TEST(duplicate_members_are_refused),
		TEST(nul_in_names_and_values_is_refused),
		TEST(invalid_utf8_is_refused),
		TEST(earlier_of_two_faults_is_reported),
		TEST(nothing_cheap_reaches_the_keys_or_the_network),
		TEST(trace_tells_each_check_in_order),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
