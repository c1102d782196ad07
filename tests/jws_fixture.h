/* For the tests of signatures: keys made here, each as the signer's and as ours, and signing. */
#ifndef PINTLE_JWS_FIXTURE_H
#define PINTLE_JWS_FIXTURE_H

#include "jws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "arena.h"

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

static inline enum jws_algorithm nth(int i)
{
	return (enum jws_algorithm)i;
}

static inline struct text bytes(const void *data, size_t len)
{
	return arena_copy(arena, (struct text){ data, len });
}

static inline struct text number(const EVP_PKEY *pkey, const char *name)
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
static inline struct text coordinate(const EVP_PKEY *pkey, size_t which)
{
	unsigned char point[1 + 2 * 48];
	size_t len, half;

	assert_int_equal(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
							 point, sizeof(point), &len),
			 1);
	half = len / 2;
	return bytes(point + 1 + which * half, half);
}

static inline struct text raw_public(const EVP_PKEY *pkey)
{
	unsigned char out[32];
	size_t len = sizeof(out);

	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, out, &len), 1);
	return bytes(out, len);
}

static inline struct jws_key *ours(const EVP_PKEY *pkey, const char *curve)
{
	const char *why = "";

	if (curve)
		return jws_key_new_ec(curve, coordinate(pkey, 0), coordinate(pkey, 1),
				      &why);
	if (EVP_PKEY_is_a(pkey, "RSA"))
		return jws_key_new_rsa(number(pkey, "n"), number(pkey, "e"), &why);
	return jws_key_new_ed25519(raw_public(pkey), &why);
}

static inline void signer_open(struct signer *s, EVP_PKEY *pkey, const char *curve)
{
	assert_non_null(pkey);
	s->pkey = pkey;
	s->key = ours(pkey, curve);
	assert_non_null(s->key);
}

static inline int open_all(void **state)
{
	(void)state;
	arena = arena_new();
	signer_open(&signers[P256], EVP_EC_gen("P-256"), "P-256");
	signer_open(&signers[P384], EVP_EC_gen("P-384"), "P-384");
	signer_open(&signers[RSA2048], EVP_RSA_gen(2048), NULL);
	signer_open(&signers[ED25519], EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
	return 0;
}

static inline int close_all(void **state)
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

static inline const struct signer *signer_of(enum jws_algorithm algorithm)
{
	return &signers[algorithm == JWS_ES256	 ? P256
			: algorithm == JWS_ES384 ? P384
			: algorithm == JWS_EDDSA ? ED25519
						 : RSA2048];
}

static inline const char *hash_of(enum jws_algorithm algorithm)
{
	static const char *const hashes[JWS_ALGORITHMS] = {
		"SHA256", "SHA384", "SHA256", "SHA384", "SHA512",
		"SHA256", "SHA384", "SHA512", NULL,
	};

	return hashes[algorithm];
}

/* What EVP makes: DER for ECDSA. SALT is for PSS. */
static inline struct text evp_sign(EVP_PKEY *pkey, enum jws_algorithm algorithm, int salt,
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
static inline struct text joined(const BIGNUM *r, const BIGNUM *s, int half)
{
	unsigned char out[96];

	assert_int_equal(BN_bn2binpad(r, out, half), half);
	assert_int_equal(BN_bn2binpad(s, out + half, half), half);
	return bytes(out, 2 * (size_t)half);
}

static inline ECDSA_SIG *der_read(struct text der)
{
	const unsigned char *in = (const unsigned char *)der.data;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &in, (long)der.len);

	assert_non_null(sig);
	return sig;
}

static inline struct text sign(enum jws_algorithm algorithm, struct text message)
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

static inline bool verifies(enum jws_algorithm algorithm, struct text signature)
{
	return jws_verify(signer_of(algorithm)->key, algorithm, MESSAGE, signature);
}

static inline struct text with_flipped_bit(struct text t, size_t bit)
{
	char *copy = (char *)(uintptr_t)bytes(t.data, t.len).data;

	copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
	return (struct text){ copy, t.len };
}

static inline struct text without_last(struct text t)
{
	return (struct text){ t.data, t.len - 1 };
}

static inline struct text concat(struct text a, struct text b)
{
	char *out = arena_alloc(arena, a.len + b.len);

	memcpy(out, a.data, a.len);
	memcpy(out + a.len, b.data, b.len);
	return (struct text){ out, a.len + b.len };
}

#endif
