/* Tokens from outside: header, key and signature, each attack by its name. */
#include "token_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- header */

static void algorithm_none_in_any_spelling_is_refused(void **state)
{
	static const char *const names[] = {
		"\"none\"",  "\"None\"",  "\"NONE\"", "\"nOnE\"",
		"\"none \"", "\" none\"", "\"\"",
	};

	(void)state;
	refuse_headers("alg", names, COUNT(names), PROBLEM_TOKEN_ALGORITHM);
	/* And as it would be sent: with a signature of any kind, for lack of an empty
	 * one. */
	refused("none, signature of no meaning",
		joined(maker_base64url(arena, HEADER("alg", "\"none\"")), ".",
		       joined(maker_base64url(arena, CLAIMS()), ".", AS_TEXT("AAAA"))),
		PROBLEM_TOKEN_ALGORITHM);
	accepted("ES256", good_token());
}

static void hmac_under_the_public_key_is_refused(void **state)
{
	const char *const secrets[] = {
		maker_pem_public(arena, ec),
		maker_jwk(arena, ec, "\"kid\":\"" KID "\""),
		maker_jwk_set(arena, maker_jwk(arena, ec, "\"kid\":\"" KID "\""), NULL),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(secrets); i++) {
		const struct text secret = text_of(secrets[i]);

		refused("HS256",
			maker_token_hs256(arena, secret, HEADER("alg", "\"HS256\""),
					  CLAIMS()),
			PROBLEM_TOKEN_ALGORITHM);
		refused("said to be ES256",
			maker_token_hs256(arena, secret, HEADER(), CLAIMS()),
			PROBLEM_TOKEN_SIGNATURE);
	}
	refused("HS256 under the RSA key",
		maker_token_hs256(arena, text_of(maker_pem_public(arena, rsa)),
				  HEADER("alg", "\"HS256\"", "kid", "\"rsa\""),
				  OTHER("all")),
		PROBLEM_TOKEN_ALGORITHM);
	refused("said to be RS256",
		maker_token_hs256(arena, text_of(maker_pem_public(arena, rsa)),
				  HEADER("alg", "\"RS256\"", "kid", "\"rsa\""),
				  OTHER("all")),
		PROBLEM_TOKEN_SIGNATURE);
}

static void algorithm_is_compared_byte_for_byte(void **state)
{
	static const char *const names[] = {
		"\"es256\"",   "\"Es256\"",	"\"ES256 \"",
		"\" ES256\"",  "\"ES256\\n\"",	"\"ES2560\"",
		"\"ES25\"",    "\"HS256\"",	"\"ES512\"",
		"\"ES256K\"",  "\"RSA-OAEP\"",	"\"dir\"",
		"[\"ES256\"]", "{\"ES256\":1}", "256",
		"true",	       "null",		NULL,
	};

	(void)state;
	refuse_headers("alg", names, COUNT(names), PROBLEM_TOKEN_ALGORITHM);
	accepted("an escape that means the same byte",
		 sign(HEADER("alg", "\"\\u0045S256\""), CLAIMS()));
}

static void algorithm_of_another_provider_is_refused(void **state)
{
	const struct text head = HEADER("alg", "\"RS256\"", "kid", "\"rsa\"");

	(void)state;
	/* The RSA key is in the set of either provider. */
	refused("cotter", maker_token(arena, rsa, JWS_RS256, head, CLAIMS()),
		PROBLEM_TOKEN_ALGORITHM);
	accepted("all", maker_token(arena, rsa, JWS_RS256, head, OTHER("all")));
}

static void type_is_that_of_a_jwt_or_access_token(void **state)
{
	static const char *const good[] = {
		"\"JWT\"",
		"\"jwt\"",
		"\"Jwt\"",
		"\"at+jwt\"",
		"\"AT+JWT\"",
		"\"application/at+jwt\"",
		"\"application/jwt\"",
		"\"Application/JWT\"",
		NULL,
	};
	static const char *const bad[] = {
		"\"dpop+jwt\"",
		"\"logout+jwt\"",
		"\"secevent+jwt\"",
		"\"JWS\"",
		"\"JOSE\"",
		"\"at+jwt \"",
		"\" JWT\"",
		"\"\"",
		"\"application/\"",
		"\"text/jwt\"",
		"\"application/application/jwt\"",
		"\"at-jwt\"",
		"\"jwt+at\"",
		"1",
		"null",
		"[\"JWT\"]",
		"true",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		accepted(good[i] ? good[i] : "absent",
			 sign(HEADER("typ", good[i]), CLAIMS()));
	refuse_headers("typ", bad, COUNT(bad), PROBLEM_TOKEN_KIND);
}

static void header_members_that_change_the_meaning_are_refused(void **state)
{
	static const char *const names[] = { "crit", "b64", "zip", "enc", "cty" };
	static const char *const values[] = {
		"[\"exp\"]", "[]", "true", "false", "\"DEF\"", "\"JWT\"", "null", "{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		refuse_headers(names[i], values, COUNT(values), PROBLEM_TOKEN_MALFORMED);
	accepted("unknown member", sign(HEADER("x-trace", "[\"exp\"]"), CLAIMS()));
	accepted("as claims",
		 sign(HEADER(), CLAIMS("crit", "[\"exp\"]", "cty", "\"JWT\"")));
}

static int listen_somewhere(unsigned short *port)
{
	struct sockaddr_in where = { .sin_family = AF_INET };
	socklen_t len = sizeof(where);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &len), 0);
	*port = ntohs(where.sin_port);
	return fd;
}

static void keys_that_a_token_brings_are_neither_used_nor_fetched(void **state)
{
	const char *own_key = maker_jwk(arena, stranger, "\"kid\":\"" KID "\"");
	unsigned short port;
	const int listener = listen_somewhere(&port);
	const char *url = arena_printf(arena, "\"http://127.0.0.1:%d/jwks\"", port).data;
	const struct member brought[] = {
		{ "jwk", own_key },	 { "jku", url },	{ "x5u", url },
		{ "x5c", "[\"MIIB\"]" }, { "x5t", "\"AAAA\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(brought); i++) {
		const struct text head = HEADER(brought[i].name, brought[i].json);
		const struct text unnamed =
			HEADER(brought[i].name, brought[i].json, "kid", NULL);
		const struct text unknown =
			HEADER(brought[i].name, brought[i].json, "kid", "\"new\"");

		accepted(brought[i].name, sign(head, CLAIMS()));
		refused(brought[i].name,
			maker_token(arena, stranger, JWS_ES256, head, CLAIMS()),
			PROBLEM_TOKEN_SIGNATURE);
		refused(brought[i].name,
			maker_token(arena, stranger, JWS_ES256, unnamed, CLAIMS()),
			PROBLEM_TOKEN_SIGNATURE);
		refused(brought[i].name,
			maker_token(arena, stranger, JWS_ES256, unknown, CLAIMS()),
			PROBLEM_TOKEN_KEY);
	}
	assert_int_equal(accept4(listener, NULL, NULL, SOCK_CLOEXEC), -1);
	assert_int_equal(errno, EAGAIN);
	close(listener);
}

/* ---- the key */

static void kid_is_a_string_of_1_to_256_printable_characters(void **state)
{
	static const char *const bad[] = {
		"\"\"",		  "1",
		"true",		  "null",
		"[\"" KID "\"]",  "{}",
		"\"" KID "\\n\"", "\"\\u0001\"",
		"\"\\u007f\"",	  "\"" KID "\xc3\xa9\"",
	};
	char longest[256 + 3] = "\"";

	(void)state;
	refuse_headers("kid", bad, COUNT(bad), PROBLEM_TOKEN_KEY);
	memset(longest + 1, 'k', 256);
	longest[257] = '"';
	scratch_write("cotter.json.256",
		      text_of(maker_jwk_set(
			      arena,
			      maker_jwk(arena, ec,
					arena_printf(arena, "\"kid\":%s", longest).data),
			      NULL)));
	/* With a set that has such a kid, the length alone makes the difference. */
	{
		struct config *long_config = scratch_config(
			"public_url = \"https://www.example.com/auth\"\n"
			"provider \"cotter\" { preset = \"cotter\" audience = \"" AUDIENCE
			"\"\n"
			"  jwks_file = \"@/cotter.json.256\" }\n");
		struct token_rules saved = rules;

		rules.providers = provider_list_new(long_config);
		accepted("256 bytes", sign(HEADER("kid", longest), CLAIMS()));
		provider_list_free(rules.providers);
		config_free(long_config);
		rules = saved;
	}
	refused("257 bytes",
		sign(HEADER("kid", arena_printf(arena, "\"k%s", longest + 1).data),
		     CLAIMS()),
		PROBLEM_TOKEN_KEY);
}

static void kid_that_is_a_path_or_a_statement_is_an_unknown_kid(void **state)
{
	static const char *const bad[] = {
		"\"../../../../dev/null\"",
		"\"/etc/passwd\"",
		"\"cotter.json\"",
		"\"' OR 1=1 -- \"",
		"\"x' UNION SELECT 'key\"",
		"\"$(id)\"",
		"\"%s%s%s%n\"",
		"\"http://127.0.0.1/jwks\"",
		"\"" KID " \"",
		"\"" KID "/\"",
		"\"space_jwt_public:8028aaa3-ec2d-4baa-be7a-7c8359ccb9f9\"",
		"\"SPACE_JWT_PUBLIC:8028AAA3-EC2D-4BAA-BE7A-7C8359CCB9F\"",
	};

	(void)state;
	refuse_headers("kid", bad, COUNT(bad), PROBLEM_TOKEN_KEY);
	accepted("the kid", good_token());
}

static void token_without_kid_needs_exactly_one_fit_key(void **state)
{
	const struct text head = HEADER("kid", NULL);

	(void)state;
	accepted("one P-256 key beside one of P-384", sign(head, OTHER("one")));
	refused("two fit keys", sign(head, OTHER("two")), PROBLEM_TOKEN_KEY);
	accepted("the same with its kid", sign(HEADER("kid", "\"a\""), OTHER("two")));
	refused("another key than the one",
		maker_token(arena, stranger, JWS_ES256, head, OTHER("one")),
		PROBLEM_TOKEN_SIGNATURE);
	refused("a kid where the set has none",
		sign(HEADER("kid", "\"a\""), OTHER("one")), PROBLEM_TOKEN_KEY);
}

static void two_keys_under_one_kid_serve_nobody(void **state)
{
	const struct text head = HEADER("kid", "\"same\"");

	(void)state;
	refused("one", sign(head, OTHER("two")), PROBLEM_TOKEN_KEY);
	refused("the other", maker_token(arena, stranger, JWS_ES256, head, OTHER("two")),
		PROBLEM_TOKEN_KEY);
	accepted("each under its own", maker_token(arena, stranger, JWS_ES256,
						   HEADER("kid", "\"b\""), OTHER("two")));
}

static void key_has_to_fit_the_algorithm(void **state)
{
	(void)state;
	refused("ES256 and an RSA key", sign(HEADER("kid", "\"rsa\""), OTHER("all")),
		PROBLEM_TOKEN_KEY);
	refused("ES256 and a P-384 key", sign(HEADER("kid", "\"ec384\""), OTHER("all")),
		PROBLEM_TOKEN_KEY);
	refused("RS256 and a P-256 key",
		maker_token(arena, rsa, JWS_RS256,
			    HEADER("alg", "\"RS256\"", "kid", "\"ec\""), OTHER("all")),
		PROBLEM_TOKEN_KEY);
	refused("ES384 and a P-256 key",
		maker_token(arena, ec384, JWS_ES384,
			    HEADER("alg", "\"ES384\"", "kid", "\"ec\""), OTHER("all")),
		PROBLEM_TOKEN_KEY);
	refused("EdDSA and a P-256 key",
		maker_token(arena, ed, JWS_EDDSA,
			    HEADER("alg", "\"EdDSA\"", "kid", "\"ec\""), OTHER("all")),
		PROBLEM_TOKEN_KEY);
	refused("a key for encryption", sign(HEADER("kid", "\"enc\""), OTHER("two")),
		PROBLEM_TOKEN_KEY);
	accepted("ES256 and a P-256 key", sign_other(OTHER("all")));
}

/* ---- the signature */

static void signature_is_over_the_very_bytes(void **state)
{
	const struct text token = good_token(),
			  other = sign(HEADER(), CLAIMS("jti", "\"other\""));
	const struct text h = maker_token_part(token, 0), c = maker_token_part(token, 1),
			  s = maker_token_part(token, 2);
	/* The same claims, told in another order. */
	const struct text respelt =
		maker_base64url(arena, joined(CLAIMS(), " ", AS_TEXT("")));

	(void)state;
	refused("payload of another token",
		joined(h, ".", joined(maker_token_part(other, 1), ".", s)),
		PROBLEM_TOKEN_SIGNATURE);
	refused("signature of another token",
		joined(h, ".", joined(c, ".", maker_token_part(other, 2))),
		PROBLEM_TOKEN_SIGNATURE);
	refused("the same claims in other bytes", joined(h, ".", joined(respelt, ".", s)),
		PROBLEM_TOKEN_SIGNATURE);
	refused("a stranger's key",
		maker_token(arena, stranger, JWS_ES256, HEADER(), CLAIMS()),
		PROBLEM_TOKEN_SIGNATURE);
	accepted("untouched", joined(h, ".", joined(c, ".", s)));
}

static void signature_of_another_length_or_of_zeros_is_refused(void **state)
{
	const struct text token = good_token(), s = maker_token_part(token, 2);
	const struct text signed_ = { token.data, token.len - s.len - 1 };
	const struct text raw = maker_unbase64url(arena, s);
	char longer[66] = { 0 }, zeros[64] = { 0 };

	(void)state;
	memcpy(longer, raw.data, 64);
	accepted("64 bytes", joined(signed_, ".", maker_base64url(arena, raw)));
	for (size_t len = 60; len <= 66; len++)
		if (len != 64)
			refused("another length",
				joined(signed_, ".",
				       maker_base64url(arena,
						       (struct text){ longer, len })),
				PROBLEM_TOKEN_SIGNATURE);
	refused("r = s = 0 (CVE-2022-21449)",
		joined(signed_, ".", maker_base64url(arena, (struct text){ zeros, 64 })),
		PROBLEM_TOKEN_SIGNATURE);
}

/* What a good header says is kept for the next token that has the same. */
static void a_header_like_the_last_is_no_other(void **state)
{
	static const char twin[] =
		"\"SPACE_JWT_PUBLIC:8028AAA3-EC2D-4BAA-BE7A-7C8359CCB9F8\"";
	const struct text good = good_token();

	(void)state;
	for (int i = 0; i < 2; i++) {
		accepted("good", good);
		refused("another kid, as long", sign(HEADER("kid", twin), CLAIMS()),
			PROBLEM_TOKEN_KEY);
		refused("the same again", sign(HEADER("kid", twin), CLAIMS()),
			PROBLEM_TOKEN_KEY);
		accepted("good again", good);
		refused("with a member more", sign(HEADER("crit", "[\"b64\"]"), CLAIMS()),
			PROBLEM_TOKEN_MALFORMED);
		refused("cut short",
			joined(maker_base64url(arena, AS_TEXT("{\"alg\":\"ES256\"")), ".",
			       AS_TEXT("e30.AAAA")),
			PROBLEM_TOKEN_MALFORMED);
		accepted("without a kid, where one key fits",
			 sign(HEADER("kid", NULL), OTHER("one")));
	}
}

struct hash {
	unsigned char bytes[SHA256_BYTES];
};

static struct hash hash_of(const struct identity *identity)
{
	struct hash hash;

	token_identity_hash(identity, hash.bytes);
	return hash;
}

static void twin_signature_is_the_same_token(void **state)
{
	const struct text token = good_token(), twin = maker_token_twin(arena, token);
	const struct identity first = accepted("r||s", token);
	const struct identity second = accepted("r||(n-s)", twin);
	const struct identity third =
		accepted("another token", sign(HEADER(), CLAIMS("jti", "\"other\"")));
	const struct identity fourth = accepted("again", good_token());
	const struct hash a = hash_of(&first), b = hash_of(&second),
			  other = hash_of(&third);
	const struct hash again = hash_of(&fourth);

	(void)state;
	assert_false(text_equal(token, twin));
	assert_memory_equal(a.bytes, b.bytes, SHA256_BYTES);
	assert_memory_not_equal(a.bytes, other.bytes, SHA256_BYTES);
	/* Signed anew, as a login a moment later would be: the bytes are the same. */
	assert_memory_equal(again.bytes, a.bytes, SHA256_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(algorithm_none_in_any_spelling_is_refused),
		TEST(a_header_like_the_last_is_no_other),
		TEST(hmac_under_the_public_key_is_refused),
		TEST(algorithm_is_compared_byte_for_byte),
		TEST(algorithm_of_another_provider_is_refused),
		TEST(type_is_that_of_a_jwt_or_access_token),
		TEST(header_members_that_change_the_meaning_are_refused),
		TEST(keys_that_a_token_brings_are_neither_used_nor_fetched),
		TEST(kid_is_a_string_of_1_to_256_printable_characters),
		TEST(kid_that_is_a_path_or_a_statement_is_an_unknown_kid),
		TEST(token_without_kid_needs_exactly_one_fit_key),
		TEST(two_keys_under_one_kid_serve_nobody),
		TEST(key_has_to_fit_the_algorithm),
		TEST(signature_is_over_the_very_bytes),
		TEST(signature_of_another_length_or_of_zeros_is_refused),
		TEST(twin_signature_is_the_same_token),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
