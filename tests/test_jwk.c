/* Key sets: which documents and which entries serve, and which are passed over. */
#include "jwk_fixture.h"

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
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
