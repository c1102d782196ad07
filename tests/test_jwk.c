/* Key sets: which entries serve, which are passed over, and which key a token gets. */
#include "jwk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base64url.h"
#include "json.h"

#define BIT(algorithm) (1u << JWS_##algorithm)
#define ALL_RSA                                                                          \
	(BIT(RS256) | BIT(RS384) | BIT(RS512) | BIT(PS256) | BIT(PS384) | BIT(PS512))

/* Cotter's key, as its published tokens tell it. */
#define COTTER_Y "bXRtPK48VAjPb0w6sl0er0gRifOvvtlovMDZC51Lob0"
#define COTTER(y)                                                                        \
	"\"kty\":\"EC\",\"crv\":\"P-256\","                                              \
	"\"x\":\"Wr7OvV5WZnGp4mflhcfqAZCToNeIoLRT3cxJaZTp9kU\","                         \
	"\"y\":\"" y "\""

static struct arena *arena;

/* The members of public keys made here, without braces: "\"kty\":…". */
static struct {
	const char *ec, *ec_other, *ec384, *rsa, *rsa_weak, *ed;
} keys;

/* ---- keys */

static const char *encode(const unsigned char *bytes, size_t len)
{
	char *out = arena_alloc(arena, BASE64URL_ENCODED(len) + 1);

	base64url_encode(bytes, len, out);
	return out;
}

static const char *ec_members(const char *curve)
{
	EVP_PKEY *pkey = EVP_EC_gen(curve);
	unsigned char point[1 + 2 * 48];
	size_t len, half;

	assert_int_equal(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
							 point, sizeof(point), &len),
			 1);
	EVP_PKEY_free(pkey);
	half = len / 2;
	return arena_printf(
		       arena, "\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"",
		       curve, encode(point + 1, half), encode(point + 1 + half, half))
		.data;
}

static const char *rsa_members(unsigned bits)
{
	EVP_PKEY *pkey = EVP_RSA_gen(bits);
	unsigned char n[512];
	BIGNUM *number = NULL;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &number), 1);
	len = BN_bn2bin(number, n);
	BN_free(number);
	EVP_PKEY_free(pkey);
	return arena_printf(arena, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"",
			    encode(n, (size_t)len))
		.data;
}

static const char *ed_members(void)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	unsigned char x[32];
	size_t len = sizeof(x);

	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, x, &len), 1);
	EVP_PKEY_free(pkey);
	return arena_printf(arena, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"",
			    encode(x, len))
		.data;
}

static int open_all(void **state)
{
	(void)state;
	arena = arena_new();
	keys.ec = ec_members("P-256");
	keys.ec_other = ec_members("P-256");
	keys.ec384 = ec_members("P-384");
	keys.rsa = rsa_members(2048);
	keys.rsa_weak = rsa_members(1024);
	keys.ed = ed_members();
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* An entry: MEMBERS and more of them, as JSON. */
static const char *entry(const char *members, const char *more)
{
	return arena_printf(arena, "{%s%s%s}", members, *more ? "," : "", more).data;
}

/* T with its first NEEDLE replaced. */
static const char *replaced(const char *t, const char *needle, const char *with)
{
	const char *at = strstr(t, needle);

	assert_non_null(at);
	return arena_printf(arena, "%.*s%s%s", (int)(at - t), t, with,
			    at + strlen(needle))
		.data;
}

/* ---- sets */

static struct jwk_set parse(const char *document)
{
	struct arena *scratch = arena_new();
	struct problem p = { 0 };
	struct jwk_set set;

	if (!jwk_set_parse(scratch, text_of(document), &set, &p))
		fail_msg("refused (%s): %.200s", p.detail, document);
	/* Nothing of the set may live in the scratch arena. */
	arena_free(scratch);
	assert_int_equal(p.kind, PROBLEM_NONE);
	return set;
}

static struct jwk_set parse_entries(const char *a, const char *b, const char *c)
{
	return parse(arena_printf(arena, "{\"keys\":[%s%s%s%s%s]}", a, b ? "," : "",
				  b ? b : "", c ? "," : "", c ? c : "")
			     .data);
}

static const struct jwk *find(const struct jwk_set *set, const char *kid,
			      enum jws_algorithm algorithm)
{
	struct text t = text_of(kid);

	return jwk_find(set, kid ? &t : NULL, algorithm);
}

/* Alone it is passed over with that reason; a good key beside it serves all the same. */
static void expect_skipped(const char *members, const char *more, const char *why)
{
	const char *bad = entry(members, more),
		   *good = entry(keys.ec, "\"kid\":\"good\"");
	struct jwk_set set = parse_entries(bad, NULL, NULL);

	assert_int_equal(set.count, 0);
	assert_int_equal(set.skipped, 1);
	assert_string_equal(set.skipped_why, why);
	jwk_set_close(&set);
	set = parse_entries(bad, good, bad);
	assert_int_equal(set.count, 1);
	assert_int_equal(set.skipped, 2);
	assert_non_null(find(&set, "good", JWS_ES256));
	jwk_set_close(&set);
}

static void expect_usable(const char *members, const char *more, jws_algorithm_set fits)
{
	struct jwk_set set = parse_entries(entry(members, more), NULL, NULL);

	if (set.skipped)
		fail_msg("passed over: %s: %s", set.skipped_why, more);
	assert_int_equal(set.count, 1);
	assert_int_equal(set.keys[0].fits, fits);
	assert_string_equal(set.skipped_why, "");
	assert_false(set.keys[0].contradicted);
	jwk_set_close(&set);
}

static void expect_refused(struct text document, const char *detail)
{
	struct arena *scratch = arena_new();
	struct problem p = { 0 };
	struct jwk_set set, untouched;

	memset(&set, 0x5a, sizeof(set));
	memset(&untouched, 0x5a, sizeof(untouched));
	assert_false(jwk_set_parse(scratch, document, &set, &p));
	assert_int_equal(p.kind, PROBLEM_KEYS_AWAY);
	if (!strstr(p.detail, detail))
		fail_msg("\"%s\" is not in \"%s\"", detail, p.detail);
	assert_memory_equal(&set, &untouched, sizeof(set));
	arena_free(scratch);
}

/* ---- documents */

static void empty_set_is_a_set(void **state)
{
	struct jwk_set set = parse("{\"keys\":[]}");

	(void)state;
	assert_int_equal(set.count, 0);
	assert_int_equal(set.skipped, 0);
	assert_string_equal(set.skipped_why, "");
	assert_null(find(&set, NULL, JWS_ES256));
	assert_null(find(&set, "a", JWS_ES256));
	jwk_set_close(&set);
	assert_null(set.keys);
	jwk_set_close(&set);
}

static void html_and_other_documents_are_refused(void **state)
{
	static const char *const no_keys[] = {
		"{}",
		"[]",
		"null",
		"42",
		"\"keys\"",
		"{\"keys\":null}",
		"{\"keys\":{}}",
		"{\"keys\":\"x\"}",
		"{\"Keys\":[]}",
		"[{\"keys\":[]}]",
		"{\"status\":200,\"jwks\":{\"keys\":[]}}",
	};
	static const char *const no_json[] = {
		"",
		" ",
		"<!DOCTYPE html><html><body>Sign in to the network</body></html>",
		"{\"keys\":[]",
		"{\"keys\":[]}x",
		"{\"keys\":[]}{\"keys\":[]}",
		"{'keys':[]}",
		"{\"keys\":[],}",
		"\xef\xbb\xbf{\"keys\":[]}",
		"{\"keys\":[],\"keys\":[]}",
		"{\"keys\":[{\"kid\":\"\xff\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(no_keys) / sizeof(*no_keys); i++)
		expect_refused(text_of(no_keys[i]), "key set without an array of keys");
	for (size_t i = 0; i < sizeof(no_json) / sizeof(*no_json); i++)
		expect_refused(text_of(no_json[i]), "key set: ");
}

static void deep_json_is_refused(void **state)
{
	struct jwk_set set = parse("{\"x\":[[[[[[[1]]]]]]],\"keys\":[]}");

	(void)state;
	jwk_set_close(&set);
	expect_refused(AS_TEXT("{\"x\":[[[[[[[[1]]]]]]]],\"keys\":[]}"), "key set: ");
	expect_refused(AS_TEXT("{\"keys\":[{\"x\":[[[[[[1]]]]]]}]}"), "key set: ");
}

static void document_over_256_kib_is_refused(void **state)
{
	static const char start[] = "{\"keys\":[]}";
	char *document = arena_alloc(arena, JWK_SET_MAX_BYTES + 2);
	struct jwk_set set;

	(void)state;
	memset(document, ' ', JWK_SET_MAX_BYTES);
	memcpy(document, start, strlen(start));
	set = parse(document);
	jwk_set_close(&set);
	document[JWK_SET_MAX_BYTES] = ' ';
	expect_refused(text_of(document), "key set of 262145 bytes");
}

static const char *set_of(size_t count)
{
	char *document = arena_alloc(arena, 32 + count * 256), *at = document;

	at += sprintf(at, "{\"keys\":[");
	for (size_t i = 0; i < count; i++)
		at += sprintf(at, "%s{%s,\"kid\":\"%zu\"}", i ? "," : "", keys.ec, i);
	sprintf(at, "]}");
	return document;
}

static void set_of_101_keys_is_refused(void **state)
{
	struct jwk_set set = parse(set_of(100));

	(void)state;
	assert_int_equal(set.count, 100);
	assert_non_null(find(&set, "99", JWS_ES256));
	jwk_set_close(&set);
	expect_refused(text_of(set_of(101)), "key set of 101 keys");
}

/* ---- entries */

static void keys_without_alg_use_or_kid_serve(void **state)
{
	(void)state;
	expect_usable(keys.ec, "", BIT(ES256));
	expect_usable(keys.ec384, "", BIT(ES384));
	expect_usable(keys.rsa, "", ALL_RSA);
	expect_usable(keys.ed, "", BIT(EDDSA));
	expect_usable(COTTER(COTTER_Y),
		      "\"kid\":\"SPACE_JWT_PUBLIC:8028AAA3-EC2D-4BAA-BE7A-7C8359CCB9F9\"",
		      BIT(ES256));
}

static void alg_narrows_what_a_key_is_for(void **state)
{
	struct jwk_set set = parse_entries(
		entry(keys.rsa, "\"kid\":\"a\",\"alg\":\"PS256\""), NULL, NULL);

	(void)state;
	assert_int_equal(set.keys[0].fits, BIT(PS256));
	assert_ptr_equal(find(&set, "a", JWS_PS256), &set.keys[0]);
	assert_null(find(&set, "a", JWS_RS256));
	assert_ptr_equal(find(&set, NULL, JWS_PS256), &set.keys[0]);
	assert_null(find(&set, NULL, JWS_RS256));
	jwk_set_close(&set);
	expect_usable(keys.ec, "\"alg\":\"ES256\"", BIT(ES256));
	expect_usable(keys.ed, "\"alg\":\"EdDSA\"", BIT(EDDSA));
}

static void p256_key_with_alg_es384_is_skipped(void **state)
{
	static const char unfit[] = "alg does not fit the key";

	(void)state;
	expect_skipped(keys.ec, "\"alg\":\"ES384\"", unfit);
	expect_skipped(keys.ec384, "\"alg\":\"ES256\"", unfit);
	expect_skipped(keys.ec, "\"alg\":\"RS256\"", unfit);
	expect_skipped(keys.rsa, "\"alg\":\"ES256\"", unfit);
	expect_skipped(keys.rsa, "\"alg\":\"EdDSA\"", unfit);
	expect_skipped(keys.ed, "\"alg\":\"ES256\"", unfit);
	expect_usable(keys.ec384, "\"alg\":\"ES384\"", BIT(ES384));
}

static void alg_of_hmac_none_or_encryption_is_skipped(void **state)
{
	static const char none[] = "alg is none of ours";

	(void)state;
	expect_skipped(keys.rsa, "\"alg\":\"HS256\"", none);
	expect_skipped(keys.rsa, "\"alg\":\"none\"", none);
	expect_skipped(keys.rsa, "\"alg\":\"RSA-OAEP\"", none);
	expect_skipped(keys.rsa, "\"alg\":\"rs256\"", none);
	expect_skipped(keys.rsa, "\"alg\":\"\"", none);
	expect_skipped(keys.rsa, "\"alg\":null", none);
	expect_skipped(keys.rsa, "\"alg\":[\"RS256\"]", none);
	expect_usable(keys.rsa, "\"alg\":\"RS256\"", BIT(RS256));
}

static void encryption_key_is_skipped(void **state)
{
	static const char use[] = "use is not sig",
			  operations[] = "key_ops is without verify";

	(void)state;
	expect_skipped(keys.rsa, "\"use\":\"enc\"", use);
	expect_skipped(keys.rsa, "\"use\":\"SIG\"", use);
	expect_skipped(keys.rsa, "\"use\":\"\"", use);
	expect_skipped(keys.rsa, "\"use\":null", use);
	expect_skipped(keys.rsa, "\"use\":1", use);
	expect_usable(keys.rsa, "\"use\":\"sig\"", ALL_RSA);
	expect_skipped(keys.rsa, "\"key_ops\":[\"encrypt\",\"wrapKey\"]", operations);
	expect_skipped(keys.rsa, "\"key_ops\":[\"sign\"]", operations);
	expect_skipped(keys.rsa, "\"key_ops\":[]", operations);
	expect_skipped(keys.rsa, "\"key_ops\":\"verify\"", operations);
	expect_skipped(keys.rsa, "\"key_ops\":null", operations);
	expect_skipped(keys.rsa, "\"use\":\"enc\",\"key_ops\":[\"verify\"]", use);
	expect_usable(keys.rsa, "\"key_ops\":[1,\"sign\",\"verify\"]", ALL_RSA);
}

/* Beside its signing key Keycloak lists one for RSA-OAEP. */
static void keycloak_set_serves_its_signing_key(void **state)
{
	struct jwk_set set = parse_entries(
		entry(keys.rsa, "\"kid\":\"enc\",\"use\":\"enc\",\"alg\":\"RSA-OAEP\","
				"\"x5c\":[\"MIIC\"],\"x5t\":\"c\",\"x5t#S256\":\"d\""),
		entry(keys.rsa, "\"kid\":\"sig\",\"use\":\"sig\",\"alg\":\"RS256\","
				"\"x5c\":[\"MIIC\"],\"x5t\":\"c\",\"x5t#S256\":\"d\""),
		NULL);

	(void)state;
	assert_int_equal(set.count, 1);
	assert_int_equal(set.skipped, 1);
	assert_non_null(find(&set, "sig", JWS_RS256));
	assert_non_null(find(&set, NULL, JWS_RS256));
	assert_null(find(&set, "enc", JWS_RS256));
	jwk_set_close(&set);
}

static void oct_key_is_skipped(void **state)
{
	static const char why[] = "a private or symmetric key";

	(void)state;
	expect_skipped("\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"", "", why);
	expect_skipped("\"kty\":\"oct\",\"k\":\"AAEC\"", "\"alg\":\"RS256\"", why);
	expect_skipped("\"kty\":\"oct\"", "", why);
	expect_skipped(keys.ec, "\"k\":\"AAEC\"", why);
}

static void private_key_is_skipped(void **state)
{
	static const char *const names[] = { "d", "p", "q", "dp", "dq", "qi", "oth" };
	static const char why[] = "a private or symmetric key";

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *more = arena_printf(arena, "\"%s\":\"AQAB\"", names[i]).data;

		expect_skipped(keys.rsa, more, why);
	}
	expect_skipped(keys.ec, "\"d\":\"AQAB\"", why);
	expect_skipped(keys.ed, "\"d\":null", why);
	expect_usable(keys.rsa, "\"D\":\"AQAB\",\"dd\":1", ALL_RSA);
}

static void unknown_types_and_curves_are_skipped(void **state)
{
	static const char type[] = "unknown kty", curve[] = "unknown curve";
	static const char *const curves[] = { "P-521", "secp256k1", "p-256", "Ed25519",
					      "" };
	static const char *const okp[] = { "Ed448", "X25519", "X448", "P-256",
					   "ed25519" };

	(void)state;
	expect_skipped(replaced(keys.ec, "\"EC\"", "\"ec\""), "", type);
	expect_skipped(replaced(keys.ec, "\"EC\"", "null"), "", type);
	expect_skipped(replaced(keys.ec, "\"EC\"", "\"AKP\""), "", type);
	expect_skipped(replaced(keys.ec, "kty", "type"), "", type);
	expect_skipped(replaced(keys.ec, "crv", "curve"), "", curve);
	expect_skipped(replaced(keys.ec, "\"P-256\"", "256"), "", curve);
	expect_skipped(replaced(keys.ed, "\"crv\":\"Ed25519\",", ""), "", curve);
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++)
		expect_skipped(replaced(keys.ec, "P-256", curves[i]), "", curve);
	for (size_t i = 0; i < sizeof(okp) / sizeof(*okp); i++)
		expect_skipped(replaced(keys.ed, "Ed25519", okp[i]), "", curve);
}

static void weak_or_broken_key_is_skipped(void **state)
{
	static const char length[] = "coordinate of a wrong length";

	(void)state;
	expect_skipped(keys.rsa_weak, "", "modulus too short");
	expect_skipped(replaced(keys.rsa, "AQAB", "AQ"), "", "exponent too small");
	expect_skipped(replaced(keys.rsa, "AQAB", "AQAA"), "", "even exponent");
	expect_usable(replaced(keys.rsa, "AQAB", "Aw"), "", ALL_RSA);
	expect_usable(replaced(keys.rsa, "AQAB", "AAEAAQ"), "", ALL_RSA);
	expect_skipped(replaced(keys.ec, "P-256", "P-384"), "", length);
	expect_skipped(replaced(keys.ec384, "P-384", "P-256"), "", length);
	expect_skipped(replaced(keys.ed, "\"x\":\"", "\"x\":\"AAAA"), "", length);
	expect_skipped(COTTER("bXRtPK48VAjPb0w6sl0er0gRifOvvtlovMDZC51LobQ"), "",
		       "point not on the curve");
	expect_skipped(COTTER("bXRtPK48VAjPb0w6sl0er0gRifOvvtlovMDZC51Lob0A"), "",
		       length);
}

static void numbers_in_other_spellings_are_skipped(void **state)
{
	static const char ec[] = "x or y is absent or not base64url";
	static const char rsa[] = "n or e is absent or not base64url";
	static const char ed[] = "x is absent or not base64url";

	(void)state;
	expect_skipped(replaced(keys.rsa, "AQAB", "AQAB\\n"), "", rsa);
	expect_skipped(replaced(keys.rsa, "AQAB", " AQAB"), "", rsa);
	expect_skipped(replaced(keys.rsa, "AQAB", "AAEAAQ=="), "", rsa);
	expect_skipped(replaced(keys.rsa, "AQAB", "AAEAAR"), "", rsa);
	expect_skipped(replaced(keys.rsa, "AQAB", "AQA+"), "", rsa);
	expect_skipped(replaced(keys.rsa, "\"AQAB\"", "65537"), "", rsa);
	expect_skipped(replaced(keys.rsa, "\"n\"", "\"m\""), "", rsa);
	expect_skipped(replaced(keys.rsa, "\"e\"", "\"E\""), "", rsa);
	expect_skipped(replaced(keys.ec, "\"x\"", "\"X\""), "", ec);
	expect_skipped(replaced(keys.ec, "\"y\":", "\"y\":null,\"z\":"), "", ec);
	expect_skipped(replaced(keys.ec, "\"x\":\"", "\"x\":\"="), "", ec);
	/* Spare bits that are not zero. */
	expect_skipped(COTTER("bXRtPK48VAjPb0w6sl0er0gRifOvvtlovMDZC51Lob1"), "", ec);
	expect_usable(COTTER(COTTER_Y), "", BIT(ES256));
	expect_skipped(replaced(keys.ed, "\"x\":", "\"x\":[],\"y\":"), "", ed);
}

static void kid_is_1_to_256_printable_characters(void **state)
{
	static const char why[] = "kid is not 1 to 256 printable ASCII characters";
	char kid[258];

	(void)state;
	expect_skipped(keys.ec, "\"kid\":\"\"", why);
	expect_skipped(keys.ec, "\"kid\":null", why);
	expect_skipped(keys.ec, "\"kid\":1", why);
	expect_skipped(keys.ec, "\"kid\":[\"a\"]", why);
	expect_skipped(keys.ec, "\"kid\":\"a\\nb\"", why);
	expect_skipped(keys.ec, "\"kid\":\"a\\u001b\"", why);
	expect_skipped(keys.ec, "\"kid\":\"a\177\"", why);
	expect_skipped(keys.ec, "\"kid\":\"\xc3\xa9\"", why);
	expect_usable(keys.ec, "\"kid\":\" !~\\\"\\\\\"", BIT(ES256));
	memset(kid, 'k', sizeof(kid));
	kid[257] = '\0';
	expect_skipped(keys.ec, arena_printf(arena, "\"kid\":\"%s\"", kid).data, why);
	expect_usable(keys.ec, arena_printf(arena, "\"kid\":\"%s\"", kid + 1).data,
		      BIT(ES256));
}

/* The scanner lets no NUL through, so it costs the document and not just the key. */
static void nul_in_kid_refuses_the_document(void **state)
{
	const char *with_nul = entry(keys.ec, "\"kid\":\"a\\u0000b\"");

	(void)state;
	expect_refused(arena_printf(arena, "{\"keys\":[%s]}", with_nul), "key set: ");
	expect_usable(keys.ec, "\"kid\":\"a0000b\"", BIT(ES256));
}

static void entries_that_are_no_objects_are_skipped(void **state)
{
	static const char *const others[] = {
		"null", "1", "\"x\"", "[]", "true", "[{}]"
	};
	struct jwk_set set;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		set = parse_entries(others[i], entry(keys.ec, "\"kid\":\"a\""), "{}");
		assert_int_equal(set.count, 1);
		assert_int_equal(set.skipped, 2);
		assert_string_equal(set.skipped_why, "not an object");
		jwk_set_close(&set);
	}
	set = parse_entries("{}", others[0], NULL);
	assert_string_equal(set.skipped_why, "unknown kty");
	jwk_set_close(&set);
}

static void issuer_of_a_key_is_kept(void **state)
{
	struct jwk_set set = parse_entries(
		entry(keys.ec,
		      "\"kid\":\"a\",\"issuer\":\"https://login.example/{tenantid}\""),
		entry(keys.ec_other, "\"kid\":\"b\",\"issuer\":7"),
		entry(keys.ec384, "\"kid\":\"c\""));

	(void)state;
	assert_string_equal(find(&set, "a", JWS_ES256)->issuer,
			    "https://login.example/{tenantid}");
	assert_null(find(&set, "b", JWS_ES256)->issuer);
	assert_null(find(&set, "c", JWS_ES384)->issuer);
	jwk_set_close(&set);
}

/* ---- several keys */

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

/* ---- whole tokens: RFC 7515, RFC 8037 and Wycheproof */

/* NULL, and a line that says so, where the corpus is absent. */
static const struct json *corpus_parse(struct arena *a, const char *name)
{
	const char *corpora = getenv("PINTLE_CORPORA"), *top = getenv("top_srcdir");
	const char *path = corpora ? arena_printf(a, "%s/%s", corpora, name).data
				   : arena_printf(a, "%s/../shared/corpora/%s",
						  top ? top : ".", name)
					     .data;
	const char *why = NULL;
	FILE *file = fopen(path, "rb");
	const struct json *document;
	char *data;
	size_t len;

	if (!file) {
		print_message("skipped: %s (corpus absent)\n", name);
		return NULL;
	}
	data = arena_alloc(a, 1 << 20);
	len = fread(data, 1, 1 << 20, file);
	fclose(file);
	assert_true(len >= 1 && len < 1 << 20);
	document = json_parse(a, (struct text){ data, len }, 12, &why);
	if (!document)
		fail_msg("%s: %s", name, why);
	return document;
}

static const struct json *member(const struct json *object, const char *name)
{
	const struct json *value = NULL;

	if (!json_member(object, name, &value))
		fail_msg("no member %s", name);
	return value;
}

static struct text string(const struct json *object, const char *name)
{
	struct text out = { NULL, 0 };

	assert_true(json_string(member(object, name), &out));
	return out;
}

/* A key set, or a key of its own, as the corpus holds it. */
static struct jwk_set set_from(struct arena *a, const struct json *value)
{
	struct text t = json_print(a, value);
	const struct json *list;

	if (!json_member(value, "keys", &list))
		t = arena_printf(a, "{\"keys\":[%.*s]}", TEXT_ARG(t));
	return parse(t.data);
}

static bool split(struct text token, struct text part[3])
{
	struct text rest;
	size_t dots = 0;

	for (size_t i = 0; i < token.len; i++)
		dots += token.data[i] == '.';
	part[0] = text_before(token, '.', &rest);
	part[1] = text_before(rest, '.', &part[2]);
	return dots == 2;
}

/* Three parts, strictly encoded; the header names algorithm and perhaps kid. */
static bool token_holds(struct arena *a, const struct jwk_set *set, struct text token)
{
	struct text part[3], decoded[3], kid, t, signed_;
	const struct json *header, *value;
	enum jws_algorithm algorithm;
	const struct jwk *jwk;
	const char *why;
	bool has_kid;

	if (!split(token, part))
		return false;
	for (int i = 0; i < 3; i++)
		if (!base64url_decode_text(a, part[i], &decoded[i]))
			return false;
	header = json_parse(a, decoded[0], 8, &why);
	if (!header || !json_member(header, "alg", &value) || !json_string(value, &t) ||
	    !jws_algorithm_find(t, &algorithm))
		return false;
	has_kid = json_member(header, "kid", &value);
	if (has_kid && !json_string(value, &kid))
		return false;
	jwk = jwk_find(set, has_kid ? &kid : NULL, algorithm);
	signed_ = (struct text){ token.data, part[0].len + 1 + part[1].len };
	return jwk && jws_verify(jwk->key, algorithm, signed_, decoded[2]);
}

static void rfc_7515_and_8037_examples(void **state)
{
	struct arena *a = arena_new();
	const struct json *document = corpus_parse(a, "rfc/rfc7515_8037.json");
	const struct json *vectors = document ? member(document, "vectors") : NULL;
	unsigned held = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < json_array_length(vectors); i++) {
		const struct json *vector = json_array_at(vectors, i);
		struct jwk_set set = set_from(a, member(vector, "jwk"));
		struct text token = string(vector, "jws");
		/* A.1 is signed with HS256. */
		bool symmetric = text_is(string(vector, "name"), "RFC7515 A.1");
		char *changed = (char *)(uintptr_t)arena_copy(a, token).data;

		assert_int_equal(token_holds(a, &set, token), !symmetric);
		assert_int_equal(set.count, !symmetric);
		assert_false(token_holds(a, &set, string(document, "unsecured_A5")));
		strchr(changed, '.')[1] ^= 1;
		assert_false(token_holds(a, &set, (struct text){ changed, token.len }));
		held += !symmetric;
		refused += symmetric;
		jwk_set_close(&set);
	}
	if (document) {
		print_message("rfc7515_8037: %u hold, %u refused\n", held, refused);
		assert_int_equal(held, 3);
		assert_int_equal(refused, 1);
	}
	arena_free(a);
}

/*
 * Where we differ from json_web_signature_test.json:
 *  - 346, 350: the figure of RFC 7520 is PS384, the JWK says "alg": "PS256". The file
 *    calls that valid; we take an issuer at its word.
 *  - 347, 351: P-521, which we do not have (and "ES521" is no algorithm).
 * Those on oct keys, 357 to 377 among them, are refused whatever the file says of them.
 */
static const unsigned refused_signatures[] = { 346, 347, 350, 351, 0 };

/*
 * And from json_web_key_test.json:
 *  - 7: a modulus of the ROCA kind, which is a matter for whoever makes the keys.
 */
static const unsigned accepted_keys[] = { 7, 0 };
static const unsigned none[] = { 0 };

static bool is_among(unsigned id, const unsigned *list)
{
	while (*list && *list != id)
		list++;
	return *list != 0;
}

struct tally {
	const unsigned *refused, *accepted; /* unlike the file; 0 ends them */
	unsigned held, failed, symmetric, wrong, differing;
};

static void run_group(struct arena *a, const struct json *group, struct tally *tally)
{
	const struct json *tests = member(group, "tests"), *public = NULL;
	bool asymmetric = json_member(group, "public", &public);
	struct jwk_set private = set_from(a, member(group, "private"));
	struct jwk_set set = set_from(a, asymmetric ? public : member(group, "private"));

	for (size_t i = 0; i < json_array_length(tests); i++) {
		const struct json *test = json_array_at(tests, i);
		bool valid = text_is(string(test, "result"), "valid"), expected, holds;
		double number = 0;
		unsigned id;

		assert_true(json_number(member(test, "tcId"), &number));
		id = (unsigned)number;
		expected = asymmetric && (valid || is_among(id, tally->accepted)) &&
			   !is_among(id, tally->refused);
		tally->differing += asymmetric && expected != valid;
		holds = token_holds(a, &set, string(test, "jws"));
		if (holds != expected) {
			print_error("tcId %u should %s\n", id,
				    expected ? "hold" : "fail");
			tally->wrong++;
		}
		assert_false(token_holds(a, &private, string(test, "jws")));
		tally->held += holds;
		tally->failed += !holds;
		tally->symmetric += !asymmetric;
	}
	jwk_set_close(&private);
	jwk_set_close(&set);
}

static void run_file(const char *name, const unsigned *refused, const unsigned *accepted,
		     unsigned differing)
{
	struct arena *a = arena_new();
	const struct json *document = corpus_parse(a, name);
	const struct json *groups = document ? member(document, "testGroups") : NULL;
	struct tally t = { .refused = refused, .accepted = accepted };

	for (size_t i = 0; i < json_array_length(groups); i++)
		run_group(a, json_array_at(groups, i), &t);
	if (document) {
		print_message("%s: %u hold, %u fail (%u of them on oct keys)\n", name,
			      t.held, t.failed, t.symmetric);
		assert_true(t.held > 0 && t.failed > 0);
		assert_int_equal(t.differing, differing);
	}
	assert_int_equal(t.wrong, 0);
	arena_free(a);
}

static void wycheproof_tokens(void **state)
{
	(void)state;
	run_file("wycheproof/json_web_signature_test.json", refused_signatures, none, 4);
}

static void wycheproof_key_sets(void **state)
{
	(void)state;
	run_file("wycheproof/json_web_key_test.json", none, accepted_keys, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_set_is_a_set),
		cmocka_unit_test(html_and_other_documents_are_refused),
		cmocka_unit_test(deep_json_is_refused),
		cmocka_unit_test(document_over_256_kib_is_refused),
		cmocka_unit_test(set_of_101_keys_is_refused),
		cmocka_unit_test(keys_without_alg_use_or_kid_serve),
		cmocka_unit_test(alg_narrows_what_a_key_is_for),
		cmocka_unit_test(p256_key_with_alg_es384_is_skipped),
		cmocka_unit_test(alg_of_hmac_none_or_encryption_is_skipped),
		cmocka_unit_test(encryption_key_is_skipped),
		cmocka_unit_test(keycloak_set_serves_its_signing_key),
		cmocka_unit_test(oct_key_is_skipped),
		cmocka_unit_test(private_key_is_skipped),
		cmocka_unit_test(unknown_types_and_curves_are_skipped),
		cmocka_unit_test(weak_or_broken_key_is_skipped),
		cmocka_unit_test(numbers_in_other_spellings_are_skipped),
		cmocka_unit_test(kid_is_1_to_256_printable_characters),
		cmocka_unit_test(nul_in_kid_refuses_the_document),
		cmocka_unit_test(entries_that_are_no_objects_are_skipped),
		cmocka_unit_test(issuer_of_a_key_is_kept),
		cmocka_unit_test(key_is_found_by_its_whole_kid),
		cmocka_unit_test(token_without_kid_gets_the_only_fit_key),
		cmocka_unit_test(key_without_kid_is_only_for_tokens_without),
		cmocka_unit_test(two_keys_under_one_kid_serve_nobody),
		cmocka_unit_test(one_key_listed_twice_stays_one),
		cmocka_unit_test(one_key_for_two_issuers_serves_nobody),
		cmocka_unit_test(unusable_key_contradicts_nobody),
		cmocka_unit_test(rfc_7515_and_8037_examples),
		cmocka_unit_test(wycheproof_tokens),
		cmocka_unit_test(wycheproof_key_sets),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
