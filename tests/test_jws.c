/* Signatures and public keys, against keys made here and Wycheproof's vectors. */
#include "jws.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "json.h"

#define MESSAGE AS_TEXT("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI0MiJ9")
#define ALL_RSA                                                                          \
	(1u << JWS_RS256 | 1u << JWS_RS384 | 1u << JWS_RS512 | 1u << JWS_PS256 |         \
	 1u << JWS_PS384 | 1u << JWS_PS512)

static struct arena *arena;

/* ---- keys made here, each as the signer's and as ours */

enum { P256, P384, RSA2048, ED25519, SIGNERS };

static struct signer {
	EVP_PKEY *pkey;
	struct jws_key *key;
} signers[SIGNERS];

static enum jws_algorithm nth(int i)
{
	return (enum jws_algorithm)i;
}

static struct text bytes(const void *data, size_t len)
{
	return arena_copy(arena, (struct text){ data, len });
}

static struct text number(const EVP_PKEY *pkey, const char *name)
{
	unsigned char out[1024];
	BIGNUM *n = NULL;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &n), 1);
	len = BN_bn2bin(n, out);
	BN_free(n);
	return bytes(out, (size_t)len);
}

/* Coordinate WHICH (0: x, 1: y) of an EC key. */
static struct text coordinate(const EVP_PKEY *pkey, size_t which)
{
	unsigned char point[1 + 2 * 48];
	size_t len, half;

	assert_int_equal(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
							 point, sizeof(point), &len),
			 1);
	half = len / 2;
	return bytes(point + 1 + which * half, half);
}

static struct text raw_public(const EVP_PKEY *pkey)
{
	unsigned char out[32];
	size_t len = sizeof(out);

	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, out, &len), 1);
	return bytes(out, len);
}

static struct jws_key *ours(const EVP_PKEY *pkey, const char *curve)
{
	const char *why = "";

	if (curve)
		return jws_key_new_ec(curve, coordinate(pkey, 0), coordinate(pkey, 1),
				      &why);
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return jws_key_new_rsa(number(pkey, "n"), number(pkey, "e"), &why);
	return jws_key_new_ed25519(raw_public(pkey), &why);
}

static void signer_open(struct signer *s, EVP_PKEY *pkey, const char *curve)
{
	assert_non_null(pkey);
	s->pkey = pkey;
	s->key = ours(pkey, curve);
	assert_non_null(s->key);
}

static int open_all(void **state)
{
	(void)state;
	arena = arena_new();
	signer_open(&signers[P256], EVP_EC_gen("P-256"), "P-256");
	signer_open(&signers[P384], EVP_EC_gen("P-384"), "P-384");
	signer_open(&signers[RSA2048], EVP_RSA_gen(2048), NULL);
	signer_open(&signers[ED25519], EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	for (int i = 0; i < SIGNERS; i++) {
		EVP_PKEY_free(signers[i].pkey);
		jws_key_free(signers[i].key);
	}
	arena_free(arena);
	return 0;
}

/* ---- signing, as an issuer does */

static const struct signer *signer_of(enum jws_algorithm algorithm)
{
	return &signers[algorithm == JWS_ES256	 ? P256
			: algorithm == JWS_ES384 ? P384
			: algorithm == JWS_EDDSA ? ED25519
						 : RSA2048];
}

static const char *hash_of(enum jws_algorithm algorithm)
{
	static const char *const hashes[JWS_ALGORITHMS] = {
		"SHA256", "SHA384", "SHA256", "SHA384", "SHA512",
		"SHA256", "SHA384", "SHA512", NULL,
	};

	return hashes[algorithm];
}

/* What EVP makes: DER for ECDSA. SALT is for PSS. */
static struct text evp_sign(EVP_PKEY *pkey, enum jws_algorithm algorithm, int salt,
			    struct text message)
{
	bool pss = algorithm >= JWS_PS256 && algorithm <= JWS_PS512;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey_ctx;
	unsigned char out[1024];
	size_t len = sizeof(out);

	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pkey_ctx, hash_of(algorithm), NULL,
					       NULL, pkey, NULL),
			 1);
	if (pss) {
		EVP_PKEY_CTX_set_rsa_padding(pkey_ctx, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_ctx, salt);
	}
	assert_int_equal(EVP_DigestSign(ctx, out, &len,
					(const unsigned char *)message.data, message.len),
			 1);
	EVP_MD_CTX_free(ctx);
	return bytes(out, len);
}

/* r||s, each of HALF octets. */
static struct text joined(const BIGNUM *r, const BIGNUM *s, int half)
{
	unsigned char out[96];

	assert_int_equal(BN_bn2binpad(r, out, half), half);
	assert_int_equal(BN_bn2binpad(s, out + half, half), half);
	return bytes(out, 2 * (size_t)half);
}

static ECDSA_SIG *der_read(struct text der)
{
	const unsigned char *in = (const unsigned char *)der.data;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &in, (long)der.len);

	assert_non_null(sig);
	return sig;
}

static struct text sign(enum jws_algorithm algorithm, struct text message)
{
	struct text out = evp_sign(signer_of(algorithm)->pkey, algorithm,
				   RSA_PSS_SALTLEN_DIGEST, message);
	ECDSA_SIG *sig;

	if (algorithm != JWS_ES256 && algorithm != JWS_ES384)
		return out;
	sig = der_read(out);
	out = joined(ECDSA_SIG_get0_r(sig), ECDSA_SIG_get0_s(sig),
		     algorithm == JWS_ES256 ? 32 : 48);
	ECDSA_SIG_free(sig);
	return out;
}

static bool verifies(enum jws_algorithm algorithm, struct text signature)
{
	return jws_verify(signer_of(algorithm)->key, algorithm, MESSAGE, signature);
}

static struct text with_flipped_bit(struct text t, size_t bit)
{
	char *copy = (char *)(uintptr_t)bytes(t.data, t.len).data;

	copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
	return (struct text){ copy, t.len };
}

static struct text without_last(struct text t)
{
	return (struct text){ t.data, t.len - 1 };
}

static struct text concat(struct text a, struct text b)
{
	char *out = arena_alloc(arena, a.len + b.len);

	memcpy(out, a.data, a.len);
	memcpy(out + a.len, b.data, b.len);
	return (struct text){ out, a.len + b.len };
}

/* ---- algorithms */

static void nine_algorithms_are_found_by_their_names(void **state)
{
	enum jws_algorithm found;

	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		found = JWS_ALGORITHMS;
		assert_true(
			jws_algorithm_find(text_of(jws_algorithm_name(nth(i))), &found));
		assert_int_equal(found, i);
	}
	assert_string_equal(jws_algorithm_name(JWS_ES256), "ES256");
	assert_string_equal(jws_algorithm_name(JWS_EDDSA), "EdDSA");
}

static void alg_none_hmac_and_look_alikes_are_not_found(void **state)
{
	static const struct text names[] = {
		TEXT("none"),  TEXT("None"),   TEXT("NONE"),   TEXT(""),
		TEXT("HS256"), TEXT("HS384"),  TEXT("HS512"),  TEXT("es256"),
		TEXT("Es256"), TEXT("ES256 "), TEXT(" ES256"), TEXT("ES256\0"),
		TEXT("ES25"),  TEXT("ES2566"), TEXT("ES512"),  TEXT("ES256K"),
		TEXT("eddsa"), TEXT("EDDSA"),  TEXT("Ed448"),  TEXT("RSA-OAEP"),
	};
	enum jws_algorithm found = JWS_PS384;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_false(jws_algorithm_find(names[i], &found));
	assert_int_equal(found, JWS_PS384);
}

static void each_algorithm_verifies_its_own_signature_only(void **state)
{
	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		struct text signature = sign(nth(i), MESSAGE);

		for (int j = 0; j < JWS_ALGORITHMS; j++)
			for (int k = 0; k < SIGNERS; k++)
				assert_int_equal(jws_verify(signers[k].key, nth(j),
							    MESSAGE, signature),
						 i == j && &signers[k] ==
								   signer_of(nth(i)));
	}
}

static void changed_message_or_signature_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		const struct jws_key *key = signer_of(nth(i))->key;
		struct text signature = sign(nth(i), MESSAGE);
		struct text other = with_flipped_bit(MESSAGE, 3);

		assert_true(jws_verify(key, nth(i), MESSAGE, signature));
		assert_false(jws_verify(key, nth(i), other, signature));
		assert_false(jws_verify(key, nth(i), AS_TEXT(""), signature));
		for (size_t bit = 0; bit < signature.len * 8; bit += 37)
			assert_false(verifies(nth(i), with_flipped_bit(signature, bit)));
		/* What was refused leaves nothing behind. */
		assert_true(jws_verify(key, nth(i), MESSAGE, signature));
	}
}

static void empty_message_can_be_signed(void **state)
{
	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		struct text signature = sign(nth(i), AS_TEXT(""));

		assert_true(jws_verify(signer_of(nth(i))->key, nth(i), AS_TEXT(""),
				       signature));
		assert_true(jws_verify(signer_of(nth(i))->key, nth(i),
				       (struct text){ NULL, 0 }, signature));
		assert_false(
			jws_verify(signer_of(nth(i))->key, nth(i), MESSAGE, signature));
	}
}

static void empty_signature_is_refused_by_every_key(void **state)
{
	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++)
		for (int k = 0; k < SIGNERS; k++) {
			assert_false(
				jws_verify(signers[k].key, nth(i), MESSAGE, AS_TEXT("")));
			assert_false(jws_verify(signers[k].key, nth(i), MESSAGE,
						(struct text){ NULL, 0 }));
		}
}

static void keys_fit_by_type_and_curve(void **state)
{
	(void)state;
	assert_int_equal(jws_key_fits(signers[P256].key), 1u << JWS_ES256);
	assert_int_equal(jws_key_fits(signers[P384].key), 1u << JWS_ES384);
	assert_int_equal(jws_key_fits(signers[RSA2048].key), ALL_RSA);
	assert_int_equal(jws_key_fits(signers[ED25519].key), 1u << JWS_EDDSA);
}

/* ---- attacks on ECDSA */

static void es256_with_a_p384_key_is_refused(void **state)
{
	/* Hash and key are right for what was signed: only the curve is wrong. */
	struct text der = evp_sign(signers[P384].pkey, JWS_ES256, 0, MESSAGE);
	ECDSA_SIG *sig = der_read(der);
	struct text raw = joined(ECDSA_SIG_get0_r(sig), ECDSA_SIG_get0_s(sig), 48);

	(void)state;
	ECDSA_SIG_free(sig);
	assert_false(jws_verify(signers[P384].key, JWS_ES256, MESSAGE, raw));
	assert_false(jws_verify(signers[P384].key, JWS_ES384, MESSAGE, raw));
	assert_true(verifies(JWS_ES384, sign(JWS_ES384, MESSAGE)));
}

/* Zeros before r and s give them the length of ES384, and do not change the numbers. */
static void es384_with_a_p256_key_is_refused(void **state)
{
	ECDSA_SIG *sig = der_read(evp_sign(signers[P256].pkey, JWS_ES384, 0, MESSAGE));
	struct text raw = joined(ECDSA_SIG_get0_r(sig), ECDSA_SIG_get0_s(sig), 48);

	(void)state;
	ECDSA_SIG_free(sig);
	assert_false(jws_verify(signers[P256].key, JWS_ES384, MESSAGE, raw));
	assert_true(verifies(JWS_ES256, sign(JWS_ES256, MESSAGE)));
}

static void der_in_place_of_r_and_s_is_refused(void **state)
{
	(void)state;
	assert_false(
		verifies(JWS_ES256, evp_sign(signers[P256].pkey, JWS_ES256, 0, MESSAGE)));
	assert_false(
		verifies(JWS_ES384, evp_sign(signers[P384].pkey, JWS_ES384, 0, MESSAGE)));
	assert_true(verifies(JWS_ES256, sign(JWS_ES256, MESSAGE)));
	assert_true(verifies(JWS_ES384, sign(JWS_ES384, MESSAGE)));
}

static void es256_signature_of_63_65_or_128_octets_is_refused(void **state)
{
	struct text good = sign(JWS_ES256, MESSAGE);
	struct text r = { good.data, 32 }, s = { good.data + 32, 32 };
	const struct text zero = TEXT("\0"), zeros = { arena_alloc(arena, 32), 32 };

	(void)state;
	assert_int_equal(good.len, 64);
	assert_true(verifies(JWS_ES256, good));
	assert_false(verifies(JWS_ES256, without_last(good)));
	assert_false(verifies(JWS_ES256, concat(good, zero)));
	assert_false(verifies(JWS_ES256, concat(zero, good)));
	assert_false(verifies(JWS_ES256, concat(good, good)));
	/* The same two numbers, wider. */
	assert_false(verifies(JWS_ES256, concat(concat(zero, r), concat(zero, s))));
	assert_false(verifies(JWS_ES256, concat(concat(zeros, r), concat(zeros, s))));
}

static BIGNUM *order(int nid)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	BIGNUM *n = BN_dup(EC_GROUP_get0_order(group));

	EC_GROUP_free(group);
	return n;
}

/* Every pair out of 0, 1, n-1, n, n+1 and all ones, and each beside a good half. */
static void refuse_special_halves(enum jws_algorithm algorithm, int nid, int half)
{
	struct text good = sign(algorithm, MESSAGE);
	BIGNUM *special[8];
	int count = 0;

	assert_true(verifies(algorithm, good));
	for (int i = 0; i < 5; i++)
		special[i] = i < 2 ? BN_new() : order(nid);
	BN_one(special[1]);
	BN_sub_word(special[2], 1);
	BN_add_word(special[4], 1);
	special[5] = BN_new();
	BN_set_bit(special[5], half * 8);
	BN_sub_word(special[5], 1);
	special[6] = BN_bin2bn((const unsigned char *)good.data, half, NULL);
	special[7] = BN_bin2bn((const unsigned char *)good.data + half, half, NULL);
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < 8; j++, count++)
			assert_int_equal(
				verifies(algorithm, joined(special[i], special[j], half)),
				i == 6 && j == 7);
	assert_int_equal(count, 64);
	for (int i = 0; i < 8; i++)
		BN_free(special[i]);
}

static void psychic_signature_of_zeros_n_or_swapped_halves_is_refused(void **state)
{
	(void)state;
	refuse_special_halves(JWS_ES256, NID_X9_62_prime256v1, 32);
	refuse_special_halves(JWS_ES384, NID_secp384r1, 48);
}

/* (r, n-s) is a signature by the rules: a search for replays must not go by its text. */
static void second_spelling_with_n_less_s_is_accepted(void **state)
{
	struct text good = sign(JWS_ES256, MESSAGE), other;
	BIGNUM *n = order(NID_X9_62_prime256v1);
	BIGNUM *r = BN_bin2bn((const unsigned char *)good.data, 32, NULL);
	BIGNUM *s = BN_bin2bn((const unsigned char *)good.data + 32, 32, NULL);

	(void)state;
	BN_sub(s, n, s);
	other = joined(r, s, 32);
	assert_false(text_equal(good, other));
	assert_true(verifies(JWS_ES256, other));
	BN_add_word(s, 1);
	assert_false(verifies(JWS_ES256, joined(r, s, 32)));
	BN_free(n);
	BN_free(r);
	BN_free(s);
}

/* ---- attacks on RSA */

static void rsa_signature_of_another_length_is_refused(void **state)
{
	(void)state;
	for (int i = JWS_RS256; i <= JWS_PS512; i++) {
		struct text good = sign(nth(i), MESSAGE);

		assert_int_equal(good.len, 256);
		assert_true(verifies(nth(i), good));
		assert_false(verifies(nth(i), without_last(good)));
		assert_false(verifies(nth(i), concat(good, AS_TEXT("\0"))));
		assert_false(verifies(nth(i), concat(AS_TEXT("\0"), good)));
		assert_false(verifies(nth(i), (struct text){ good.data, 64 }));
	}
}

/* A signature that starts with a zero octet must keep it. */
static void rsa_signature_without_its_leading_zero_is_refused(void **state)
{
	struct text message, signature;
	uint32_t i = 0;

	(void)state;
	do {
		message = arena_printf(arena, "message %u", i++);
		signature = sign(JWS_RS256, message);
	} while (*signature.data && i < 10000);
	assert_int_equal(*signature.data, 0);
	assert_true(jws_verify(signers[RSA2048].key, JWS_RS256, message, signature));
	signature.data++;
	signature.len--;
	assert_false(jws_verify(signers[RSA2048].key, JWS_RS256, message, signature));
}

static void rsa_signature_0_1_or_n_less_1_is_refused(void **state)
{
	struct text n = number(signers[RSA2048].pkey, "n");
	char *zero = arena_alloc(arena, 256), *one = arena_alloc(arena, 256);

	(void)state;
	one[255] = 1;
	for (int i = JWS_RS256; i <= JWS_PS512; i++) {
		assert_false(verifies(nth(i), (struct text){ zero, 256 }));
		assert_false(verifies(nth(i), (struct text){ one, 256 }));
		assert_false(verifies(nth(i), n));
		assert_false(verifies(nth(i), with_flipped_bit(n, 255 * 8)));
		assert_true(verifies(nth(i), sign(nth(i), MESSAGE)));
	}
}

static void pss_signature_under_rs256_and_the_reverse_are_refused(void **state)
{
	(void)state;
	assert_false(verifies(JWS_RS256, sign(JWS_PS256, MESSAGE)));
	assert_false(verifies(JWS_PS256, sign(JWS_RS256, MESSAGE)));
	assert_true(verifies(JWS_PS256, sign(JWS_PS256, MESSAGE)));
	assert_true(verifies(JWS_RS256, sign(JWS_RS256, MESSAGE)));
}

static void pss_salt_of_another_length_is_refused(void **state)
{
	EVP_PKEY *pkey = signers[RSA2048].pkey;

	(void)state;
	assert_true(verifies(JWS_PS256, evp_sign(pkey, JWS_PS256, 32, MESSAGE)));
	assert_false(verifies(JWS_PS256, evp_sign(pkey, JWS_PS256, 0, MESSAGE)));
	assert_false(verifies(JWS_PS256, evp_sign(pkey, JWS_PS256, 31, MESSAGE)));
	assert_false(verifies(JWS_PS256, evp_sign(pkey, JWS_PS256, 48, MESSAGE)));
	assert_false(verifies(JWS_PS256,
			      evp_sign(pkey, JWS_PS256, RSA_PSS_SALTLEN_MAX, MESSAGE)));
}

/* ---- public keys */

static bool refused(struct jws_key *key, const char *why, const char *expected)
{
	bool none = !key;

	jws_key_free(key);
	if (none && strcmp(why, expected) != 0)
		print_error("refused with \"%s\", not \"%s\"\n", why, expected);
	return none && strcmp(why, expected) == 0;
}

/* BITS long, odd or not, after ZEROS octets of 0; whether a product of primes or not. */
static struct text modulus(size_t bits, bool odd, size_t zeros)
{
	size_t len = (bits + 7) / 8;
	char *out = arena_alloc(arena, zeros + len);

	memset(out + zeros, 0x5b, len);
	out[zeros] = (char)(1u << (bits - 1) % 8);
	out[zeros + len - 1] = (char)(0x5a | odd);
	return (struct text){ out, zeros + len };
}

static bool rsa_refused(struct text n, struct text e, const char *expected)
{
	const char *why = "";
	struct jws_key *key = jws_key_new_rsa(n, e, &why);

	return refused(key, why, expected);
}

static bool rsa_accepted(struct text n, struct text e)
{
	const char *why = "";
	struct jws_key *key = jws_key_new_rsa(n, e, &why);
	bool there = key && jws_key_fits(key) == ALL_RSA;

	jws_key_free(key);
	return there;
}

#define E65537 AS_TEXT("\1\0\1")

static void rsa_key_of_1024_bits_is_refused(void **state)
{
	static const char shorter[] = "modulus too short", longer[] = "modulus too long";

	(void)state;
	assert_true(rsa_refused(modulus(1024, true, 0), E65537, shorter));
	assert_true(rsa_refused(modulus(2047, true, 0), E65537, shorter));
	assert_true(rsa_refused(modulus(2047, true, 99), E65537, shorter));
	assert_true(rsa_accepted(modulus(2048, true, 0), E65537));
	assert_true(rsa_accepted(modulus(2049, true, 0), E65537));
	assert_true(rsa_accepted(modulus(8192, true, 0), E65537));
	assert_true(rsa_refused(modulus(8193, true, 0), E65537, longer));
	assert_true(rsa_refused(modulus(80000, true, 0), E65537, longer));
	assert_true(rsa_refused(AS_TEXT(""), E65537, shorter));
	assert_true(rsa_refused(AS_TEXT("\0\0"), E65537, shorter));
	assert_true(rsa_refused(modulus(2048, false, 0), E65537, "even modulus"));
}

static void rsa_exponent_1_even_or_huge_is_refused(void **state)
{
	struct text n = modulus(2048, true, 0);

	(void)state;
	assert_true(rsa_refused(n, AS_TEXT("\1"), "exponent too small"));
	assert_true(rsa_refused(n, AS_TEXT("\0\0\1"), "exponent too small"));
	assert_true(rsa_refused(n, AS_TEXT(""), "even exponent"));
	assert_true(rsa_refused(n, AS_TEXT("\0"), "even exponent"));
	assert_true(rsa_refused(n, AS_TEXT("\2"), "even exponent"));
	assert_true(rsa_refused(n, AS_TEXT("\1\0\0"), "even exponent"));
	assert_true(rsa_accepted(n, AS_TEXT("\3")));
	assert_true(rsa_accepted(n, AS_TEXT("\0\0\0\0\1\0\1")));
	assert_true(rsa_accepted(n, AS_TEXT("\xff\xff\xff\xff")));
	assert_true(rsa_refused(n, AS_TEXT("\1\0\0\0\1"), "exponent too large"));
}

static void leading_zeros_of_rsa_numbers_do_not_count(void **state)
{
	const EVP_PKEY *pkey = signers[RSA2048].pkey;
	struct text n = number(pkey, "n"), signature = sign(JWS_RS256, MESSAGE);
	const char *why = "";
	struct jws_key *key =
		jws_key_new_rsa(concat(AS_TEXT("\0"), n), AS_TEXT("\0\1\0\1"), &why);

	(void)state;
	assert_non_null(key);
	assert_true(jws_key_equal(key, signers[RSA2048].key));
	assert_true(jws_verify(key, JWS_RS256, MESSAGE, signature));
	assert_false(jws_verify(key, JWS_RS256, MESSAGE, with_flipped_bit(signature, 9)));
	jws_key_free(key);
}

static bool ec_refused(const char *curve, struct text x, struct text y,
		       const char *expected)
{
	const char *why = "";
	struct jws_key *key = jws_key_new_ec(curve, x, y, &why);

	return refused(key, why, expected);
}

static void point_off_the_curve_is_refused(void **state)
{
	static const char off[] = "point not on the curve";
	static const char *const curves[] = { "P-256", "P-384" };
	char *zeros = arena_alloc(arena, 48);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const EVP_PKEY *pkey = signers[i].pkey;
		struct text x = coordinate(pkey, 0), y = coordinate(pkey, 1);
		struct jws_key *same = ours(pkey, curves[i]);

		assert_non_null(same);
		jws_key_free(same);
		assert_true(ec_refused(curves[i], x, with_flipped_bit(y, 0), off));
		assert_true(ec_refused(curves[i], with_flipped_bit(x, 100), y, off));
		assert_true(ec_refused(curves[i], (struct text){ zeros, x.len },
				       (struct text){ zeros, x.len }, off));
	}
}

/* x + p means the same as x, and is a second spelling of a key. */
static void coordinate_above_the_field_is_refused(void **state)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = EC_POINT_new(group);
	BIGNUM *x = BN_new(), *y = BN_new(), *p = BN_new();
	unsigned char x_bytes[32], y_bytes[32];
	const char *why = "";
	struct jws_key *key;

	(void)state;
	assert_int_equal(EC_GROUP_get_curve(group, p, NULL, NULL, NULL), 1);
	/* The first small x that has a point. */
	do
		BN_add_word(x, 1);
	while (EC_POINT_set_compressed_coordinates(group, point, x, 0, NULL) != 1);
	ERR_clear_error();
	EC_POINT_get_affine_coordinates(group, point, NULL, y, NULL);
	BN_bn2binpad(x, x_bytes, 32);
	BN_bn2binpad(y, y_bytes, 32);
	key = jws_key_new_ec("P-256", bytes(x_bytes, 32), bytes(y_bytes, 32), &why);
	assert_non_null(key);
	jws_key_free(key);
	BN_add(x, x, p);
	BN_bn2binpad(x, x_bytes, 32);
	assert_true(ec_refused("P-256", bytes(x_bytes, 32), bytes(y_bytes, 32),
			       "point not on the curve"));
	BN_free(x);
	BN_free(y);
	BN_free(p);
	EC_POINT_free(point);
	EC_GROUP_free(group);
}

static void coordinate_of_31_or_33_octets_is_refused(void **state)
{
	static const char wrong[] = "coordinate of a wrong length";
	struct text x = coordinate(signers[P256].pkey, 0);
	struct text y = coordinate(signers[P256].pkey, 1);
	struct text x384 = coordinate(signers[P384].pkey, 0);
	struct text y384 = coordinate(signers[P384].pkey, 1);

	(void)state;
	assert_true(ec_refused("P-256", without_last(x), y, wrong));
	assert_true(ec_refused("P-256", x, without_last(y), wrong));
	assert_true(ec_refused("P-256", concat(AS_TEXT("\0"), x), y, wrong));
	assert_true(ec_refused("P-256", x, concat(AS_TEXT("\0"), y), wrong));
	assert_true(ec_refused("P-256", AS_TEXT(""), AS_TEXT(""), wrong));
	assert_true(ec_refused("P-384", x, y, wrong));
	assert_true(ec_refused("P-256", x384, y384, wrong));
}

static void other_curves_are_refused(void **state)
{
	static const char *const curves[] = { "P-521",	   "P-224", "p-256",
					      "secp256k1", "",	    "prime256v1",
					      "Ed25519",   "X25519" };
	struct text x = coordinate(signers[P256].pkey, 0);
	struct text y = coordinate(signers[P256].pkey, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++)
		assert_true(ec_refused(curves[i], x, y, "unknown curve"));
	assert_true(ec_refused(NULL, x, y, "unknown curve"));
}

static bool ed25519_refused(struct text x, const char *expected)
{
	const char *why = "";
	struct jws_key *key = jws_key_new_ed25519(x, &why);

	return refused(key, why, expected);
}

static void ed25519_key_of_31_or_33_octets_is_refused(void **state)
{
	static const char wrong[] = "coordinate of a wrong length";
	struct text x = raw_public(signers[ED25519].pkey);

	(void)state;
	assert_true(ed25519_refused(without_last(x), wrong));
	assert_true(ed25519_refused(concat(x, AS_TEXT("\0")), wrong));
	assert_true(ed25519_refused(AS_TEXT(""), wrong));
}

#define ZEROS_28 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ONES_28                                                                          \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"   \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff"

/* Under such a key anybody signs everything with R = the point itself or 1, and S = 0. */
static void ed25519_key_of_small_order_or_off_the_curve_is_refused(void **state)
{
	static const struct text points[] = {
		TEXT("\0\0\0\0" ZEROS_28),	     /* order 4 */
		TEXT("\0\0\0" ZEROS_28 "\x80"),	     /* order 4, other sign */
		TEXT("\1\0\0\0" ZEROS_28),	     /* order 1 */
		TEXT("\xec\xff\xff" ONES_28 "\x7f"), /* order 2 */
		TEXT("\xed\xff\xff" ONES_28 "\x7f"), /* p, for 0 */
		TEXT("\xee\xff\xff" ONES_28 "\x7f"), /* p + 1, for 1 */
		TEXT("\xf0\xff\xff" ONES_28 "\x7f"), /* p + 3, for 3 */
		TEXT("\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
		     "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"),
		TEXT("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
		     "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"),
		TEXT("\2\0\0\0" ZEROS_28), /* no point */
		TEXT("\7\0\0\0" ZEROS_28), /* no point */
	};
	static const struct text neighbours[] = {
		TEXT("\3\0\0\0" ZEROS_28),
		TEXT("\3\0\0" ZEROS_28 "\x80"),
		TEXT("\4\0\0\0" ZEROS_28),
	};
	const char *why = "";

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		assert_true(ed25519_refused(points[i],
					    "point not on the curve or of small order"));
	for (size_t i = 0; i < sizeof(neighbours) / sizeof(*neighbours); i++) {
		struct jws_key *key = jws_key_new_ed25519(neighbours[i], &why);

		assert_non_null(key);
		jws_key_free(key);
	}
}

static void same_public_key_is_equal_and_no_other(void **state)
{
	const char *why = "";
	struct text n = number(signers[RSA2048].pkey, "n");
	struct jws_key *e3 = jws_key_new_rsa(n, AS_TEXT("\3"), &why);
	struct signer again = { 0 };

	(void)state;
	for (int i = 0; i < SIGNERS; i++) {
		struct jws_key *copy = ours(signers[i].pkey, i == P256	 ? "P-256"
							     : i == P384 ? "P-384"
									 : NULL);

		for (int j = 0; j < SIGNERS; j++)
			assert_int_equal(jws_key_equal(copy, signers[j].key), i == j);
		jws_key_free(copy);
	}
	signer_open(&again, EVP_EC_gen("P-256"), "P-256");
	assert_false(jws_key_equal(again.key, signers[P256].key));
	assert_non_null(e3);
	assert_false(jws_key_equal(e3, signers[RSA2048].key));
	jws_key_free(e3);
	jws_key_free(again.key);
	EVP_PKEY_free(again.pkey);
	jws_key_free(NULL);
}

/* ---- company: other threads, and other users of OpenSSL */

static void errors_of_others_stay_and_ours_go(void **state)
{
	struct text bad = with_flipped_bit(sign(JWS_RS256, MESSAGE), 77);
	struct text x = coordinate(signers[P256].pkey, 0);

	(void)state;
	ERR_clear_error();
	assert_false(verifies(JWS_RS256, bad));
	assert_true(ec_refused("P-256", x, x, "point not on the curve"));
	assert_false(jws_key_equal(signers[P256].key, signers[RSA2048].key));
	assert_int_equal(ERR_peek_error(), 0);
	ERR_raise(ERR_LIB_USER, 42);
	assert_false(verifies(JWS_RS256, bad));
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
	assert_int_equal(ERR_get_error(), 0);
}

#define THREADS 4
#define ROUNDS 200

struct shared {
	const struct jws_key *key;
	enum jws_algorithm algorithm;
	struct text good, bad;
	unsigned wrong[THREADS];
};

struct thread {
	struct shared *shared;
	int number;
};

static void *verify_many(void *context)
{
	struct thread *t = context;
	struct shared *s = t->shared;

	for (int i = 0; i < ROUNDS; i++) {
		if (!jws_verify(s->key, s->algorithm, MESSAGE, s->good))
			s->wrong[t->number]++;
		if (jws_verify(s->key, s->algorithm, MESSAGE, s->bad))
			s->wrong[t->number]++;
	}
	return NULL;
}

static void four_threads_share_one_key(void **state)
{
	static const enum jws_algorithm with[] = { JWS_ES256, JWS_PS256, JWS_EDDSA };
	struct thread threads[THREADS];
	pthread_t ids[THREADS];

	(void)state;
	for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++) {
		const struct signer *signer = signer_of(with[i]);
		/* A fresh key, so that all four race to make its template. */
		struct jws_key *key =
			ours(signer->pkey, with[i] == JWS_ES256 ? "P-256" : NULL);
		struct shared s = { .key = key, .algorithm = with[i] };

		s.good = sign(with[i], MESSAGE);
		s.bad = with_flipped_bit(s.good, 40);
		for (int n = 0; n < THREADS; n++) {
			threads[n] = (struct thread){ &s, n };
			assert_int_equal(
				pthread_create(&ids[n], NULL, verify_many, &threads[n]),
				0);
		}
		for (int n = 0; n < THREADS; n++)
			assert_int_equal(pthread_join(ids[n], NULL), 0);
		for (int n = 0; n < THREADS; n++)
			assert_int_equal(s.wrong[n], 0);
		jws_key_free(key);
	}
}

/* ---- Wycheproof */

static const char *corpus(const char *name)
{
	const char *corpora = getenv("PINTLE_CORPORA"), *top = getenv("top_srcdir");

	if (corpora)
		return arena_printf(arena, "%s/%s", corpora, name).data;
	return arena_printf(arena, "%s/../shared/corpora/%s", top ? top : ".", name).data;
}

/* NULL, and a line that says so, where the corpus is absent. */
static const struct json *corpus_parse(struct arena *a, const char *name)
{
	const char *why = NULL;
	FILE *file = fopen(corpus(name), "rb");
	const struct json *document;
	size_t len;
	char *data;

	if (!file) {
		print_message("skipped: %s (corpus absent)\n", name);
		return NULL;
	}
	data = arena_alloc(a, 1 << 20);
	len = fread(data, 1, 1 << 20, file);
	fclose(file);
	assert_true(len >= 1 && len < 1 << 20);
	document = json_parse(a, (struct text){ data, len }, 8, &why);
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

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static struct text unhex(struct arena *a, struct text hex)
{
	char *out = arena_alloc(a, hex.len / 2 + 1);

	assert_int_equal(hex.len % 2, 0);
	for (size_t i = 0; i < hex.len; i += 2)
		out[i / 2] = (char)(digit(hex.data[i]) << 4 | digit(hex.data[i + 1]));
	return (struct text){ out, hex.len / 2 };
}

static struct jws_key *vector_key(struct arena *a, const struct json *group,
				  enum jws_algorithm algorithm)
{
	const struct json *key = member(group, "publicKey");
	const char *why = "";
	struct jws_key *out;
	struct text t;

	if (algorithm == JWS_EDDSA) {
		out = jws_key_new_ed25519(unhex(a, string(key, "pk")), &why);
	} else if (algorithm == JWS_ES256 || algorithm == JWS_ES384) {
		t = unhex(a, string(key, "uncompressed"));
		out = jws_key_new_ec(algorithm == JWS_ES256 ? "P-256" : "P-384",
				     (struct text){ t.data + 1, t.len / 2 },
				     (struct text){ t.data + 1 + t.len / 2, t.len / 2 },
				     &why);
	} else {
		out = jws_key_new_rsa(unhex(a, string(key, "modulus")),
				      unhex(a, string(key, "publicExponent")), &why);
	}
	if (!out)
		fail_msg("key refused: %s", why);
	return out;
}

struct tally {
	unsigned valid, invalid, acceptable, wrong;
};

static void run_group(struct arena *a, const struct json *group,
		      enum jws_algorithm algorithm, struct tally *tally)
{
	struct jws_key *key = vector_key(a, group, algorithm);
	const struct json *tests = member(group, "tests");

	for (size_t i = 0; i < json_array_length(tests); i++) {
		const struct json *test = json_array_at(tests, i);
		struct text result = string(test, "result");
		bool valid = text_is(result, "valid");
		double id = 0;

		if (jws_verify(key, algorithm, unhex(a, string(test, "msg")),
			       unhex(a, string(test, "sig"))) != valid) {
			json_number(member(test, "tcId"), &id);
			print_error("tcId %.0f should be %.*s\n", id, TEXT_ARG(result));
			tally->wrong++;
		}
		tally->valid += valid;
		tally->invalid += text_is(result, "invalid");
		/*
		 * One in each PKCS #1 file: the hash's name without its NULL parameter.
		 * RFC 8017, 9.2 lets a verifier take it; a second spelling helps nobody.
		 */
		tally->acceptable += text_is(result, "acceptable");
	}
	jws_key_free(key);
}

static void wycheproof(void **state)
{
	static const struct {
		const char *name;
		enum jws_algorithm algorithm;
	} files[] = {
		{ "ecdsa_secp256r1_sha256_p1363", JWS_ES256 },
		{ "ecdsa_secp384r1_sha384_p1363", JWS_ES384 },
		{ "ed25519", JWS_EDDSA },
		{ "rsa_pss_2048_sha256_mgf1_32", JWS_PS256 },
		{ "rsa_pss_2048_sha384_mgf1_48", JWS_PS384 },
		{ "rsa_pss_4096_sha512_mgf1_64", JWS_PS512 },
		{ "rsa_signature_2048_sha256", JWS_RS256 },
		{ "rsa_signature_2048_sha384", JWS_RS384 },
		{ "rsa_signature_2048_sha512", JWS_RS512 },
		{ "rsa_signature_3072_sha256", JWS_RS256 },
		{ "rsa_signature_4096_sha256", JWS_RS256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct arena *a = arena_new();
		const char *name =
			arena_printf(a, "wycheproof/%s_test.json", files[i].name).data;
		const struct json *document = corpus_parse(a, name);
		const struct json *groups =
			document ? member(document, "testGroups") : NULL;
		struct tally t = { 0 };

		for (size_t g = 0; g < json_array_length(groups); g++)
			run_group(a, json_array_at(groups, g), files[i].algorithm, &t);
		if (document) {
			print_message("%s: %u valid, %u invalid, %u acceptable refused\n",
				      files[i].name, t.valid, t.invalid, t.acceptable);
			assert_true(t.valid > 0 && t.invalid > 0);
		}
		assert_int_equal(t.wrong, 0);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nine_algorithms_are_found_by_their_names),
		cmocka_unit_test(alg_none_hmac_and_look_alikes_are_not_found),
		cmocka_unit_test(each_algorithm_verifies_its_own_signature_only),
		cmocka_unit_test(changed_message_or_signature_is_refused),
		cmocka_unit_test(empty_message_can_be_signed),
		cmocka_unit_test(empty_signature_is_refused_by_every_key),
		cmocka_unit_test(keys_fit_by_type_and_curve),
		cmocka_unit_test(es256_with_a_p384_key_is_refused),
		cmocka_unit_test(es384_with_a_p256_key_is_refused),
		cmocka_unit_test(der_in_place_of_r_and_s_is_refused),
		cmocka_unit_test(es256_signature_of_63_65_or_128_octets_is_refused),
		cmocka_unit_test(
			psychic_signature_of_zeros_n_or_swapped_halves_is_refused),
		cmocka_unit_test(second_spelling_with_n_less_s_is_accepted),
		cmocka_unit_test(rsa_signature_of_another_length_is_refused),
		cmocka_unit_test(rsa_signature_without_its_leading_zero_is_refused),
		cmocka_unit_test(rsa_signature_0_1_or_n_less_1_is_refused),
		cmocka_unit_test(pss_signature_under_rs256_and_the_reverse_are_refused),
		cmocka_unit_test(pss_salt_of_another_length_is_refused),
		cmocka_unit_test(rsa_key_of_1024_bits_is_refused),
		cmocka_unit_test(rsa_exponent_1_even_or_huge_is_refused),
		cmocka_unit_test(leading_zeros_of_rsa_numbers_do_not_count),
		cmocka_unit_test(point_off_the_curve_is_refused),
		cmocka_unit_test(coordinate_above_the_field_is_refused),
		cmocka_unit_test(coordinate_of_31_or_33_octets_is_refused),
		cmocka_unit_test(other_curves_are_refused),
		cmocka_unit_test(ed25519_key_of_31_or_33_octets_is_refused),
		cmocka_unit_test(ed25519_key_of_small_order_or_off_the_curve_is_refused),
		cmocka_unit_test(same_public_key_is_equal_and_no_other),
		cmocka_unit_test(errors_of_others_stay_and_ours_go),
		cmocka_unit_test(four_threads_share_one_key),
		cmocka_unit_test(wycheproof),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
