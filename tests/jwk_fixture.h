/* For the tests of key sets: keys made here as members of JSON, and what becomes of sets of them. */
#ifndef PINTLE_JWK_FIXTURE_H
#define PINTLE_JWK_FIXTURE_H

#include "jwk.h"

#include <setjmp.h>
#include <stdarg.h>
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

static inline const char *encode(const unsigned char *bytes, size_t len)
{
	char *out = arena_alloc(arena, BASE64URL_ENCODED(len) + 1);

	base64url_encode(bytes, len, out);
	return out;
}

static inline const char *ec_members(const char *curve)
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

static inline const char *rsa_members(unsigned bits)
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

static inline const char *ed_members(void)
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

static inline int open_all(void **state)
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

static inline int close_all(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* An entry: MEMBERS and more of them, as JSON. */
static inline const char *entry(const char *members, const char *more)
{
	return arena_printf(arena, "{%s%s%s}", members, *more ? "," : "", more).data;
}

/* T with its first NEEDLE replaced. */
static inline const char *replaced(const char *t, const char *needle, const char *with)
{
	const char *at = strstr(t, needle);

	assert_non_null(at);
	return arena_printf(arena, "%.*s%s%s", (int)(at - t), t, with,
			    at + strlen(needle))
		.data;
}

/* ---- sets */

static inline struct jwk_set parse(const char *document)
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

static inline struct jwk_set parse_entries(const char *a, const char *b, const char *c)
{
	return parse(arena_printf(arena, "{\"keys\":[%s%s%s%s%s]}", a, b ? "," : "",
				  b ? b : "", c ? "," : "", c ? c : "")
			     .data);
}

static inline const struct jwk *find(const struct jwk_set *set, const char *kid,
				     enum jws_algorithm algorithm)
{
	struct text t = text_of(kid);

	return jwk_find(set, kid ? &t : NULL, algorithm);
}

/* Alone it is passed over with that reason; a good key beside it serves all the same. */
static inline void expect_skipped(const char *members, const char *more, const char *why)
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

static inline void expect_usable(const char *members, const char *more,
				 jws_algorithm_set fits)
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

static inline void expect_refused(struct text document, const char *detail)
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

#endif
