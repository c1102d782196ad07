/*
 * Signatures over bytes (RFC 7518, 3; RFC 8037, 3.1), checked with OpenSSL's EVP interface.
 * The only file that includes OpenSSL's EVP headers. Keys are parsed once and kept.
 */
#ifndef PINTLE_JWS_H
#define PINTLE_JWS_H

#include "text.h"

enum jws_algorithm {
	JWS_ES256,
	JWS_ES384,
	JWS_RS256,
	JWS_RS384,
	JWS_RS512,
	JWS_PS256,
	JWS_PS384,
	JWS_PS512,
	JWS_EDDSA, /* Ed25519 only */
	JWS_ALGORITHMS
};

/* A set of algorithms: bit 1 << algorithm. */
typedef unsigned jws_algorithm_set;

/* Byte for byte (RFC 7515, 4.1.1); false for any other name, "none" and HS256 among them. */
bool jws_algorithm_find(struct text name, enum jws_algorithm *out);
const char *jws_algorithm_name(enum jws_algorithm algorithm);

/* A public key. Immutable; may be used by several threads at once. */
struct jws_key;

/*
 * Makers. NULL, and *WHY gets a constant phrase, for a key that cannot be trusted: a point
 * off its curve or a coordinate of the wrong length; a modulus below 2048 or above 8192
 * bits, an even modulus, an exponent that is even, below 3 or above 2^32-1. Big-endian.
 */
struct jws_key *jws_key_new_ec(const char *curve, struct text x, struct text y,
			       const char **why);
struct jws_key *jws_key_new_rsa(struct text n, struct text e, const char **why);
struct jws_key *jws_key_new_ed25519(struct text x, const char **why);
void jws_key_free(struct jws_key *key);

/* The algorithms that this key is fit for by type and curve. */
jws_algorithm_set jws_key_fits(const struct jws_key *key);

/* The same public key? Decides whether two entries under one kid contradict each other. */
bool jws_key_equal(const struct jws_key *a, const struct jws_key *b);

/*
 * Does SIGNATURE sign SIGNED under ALGORITHM? False as well when the key is not fit for it,
 * or the signature's length is not exactly that of the algorithm and key.
 */
bool jws_verify(const struct jws_key *key, enum jws_algorithm algorithm,
		struct text signed_, struct text signature)
	__attribute__((warn_unused_result));

/*
 * A new P-256 key pair: the private half as PEM (the caller wipes and frees it), the public
 * one as coordinates.
 */
char *jws_generate_es256(unsigned char x[32], unsigned char y[32]);

#endif
