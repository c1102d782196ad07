/*
 * Keys and tokens for tests. It signs whatever it is given, so that the fault under test
 * is the only one in a token: even malformed ones carry a right signature.
 */
#ifndef PINTLE_TOKEN_MAKER_H
#define PINTLE_TOKEN_MAKER_H

#include "arena.h"
#include "jws.h"

struct maker_key;

/* A fresh key; TYPE is "P-256", "P-384", "Ed25519", or "RSA-" and a number of bits. */
struct maker_key *maker_key_new(const char *type);
void maker_key_free(struct maker_key *key);

/* The public key as a JWK, with MORE members ("\"kid\":\"a\"", or "") at its end. */
const char *maker_jwk(struct arena *a, const struct maker_key *key, const char *more);

/* The JWKs, NULL after the last, as a JWK Set. */
const char *maker_jwk_set(struct arena *a, const char *first, ...)
	__attribute__((sentinel));

/* PEM text: SubjectPublicKeyInfo, or PKCS #8. */
const char *maker_pem_public(struct arena *a, const struct maker_key *key);
const char *maker_pem_private(struct arena *a, const struct maker_key *key);

struct text maker_base64url(struct arena *a, struct text bytes);
/* Of what is base64url; a test that gives it anything else ends. */
struct text maker_unbase64url(struct arena *a, struct text encoded);

/* A compact token of these texts; the key must fit the algorithm. */
struct text maker_token(struct arena *a, const struct maker_key *key,
			enum jws_algorithm algorithm, struct text header,
			struct text payload);

/* The same of a first and second part as they are to stand in the token. */
struct text maker_token_of_parts(struct arena *a, const struct maker_key *key,
				 enum jws_algorithm algorithm, struct text header,
				 struct text payload);

/* The same with HMAC-SHA256 under SECRET. */
struct text maker_token_hs256(struct arena *a, struct text secret, struct text header,
			      struct text payload);

/* An ES256 token with the other signature that r||s always brings along: r||(n-s). */
struct text maker_token_twin(struct arena *a, struct text token);

/* Part 0, 1 or 2 of a token, as it stands there. */
struct text maker_token_part(struct text token, int part);

#endif
