/* Key sets (RFC 7517, 5; RFC 7518, 6; RFC 8037, 2) to public keys. Pure. */
#ifndef PINTLE_JWK_H
#define PINTLE_JWK_H

#include "arena.h"
#include "jws.h"
#include "problem.h"

#define JWK_SET_MAX_KEYS 100
#define JWK_SET_MAX_BYTES (256 * 1024)

/* A usable key of a set. */
struct jwk {
	char *kid;    /* NULL when it has none */
	char *issuer; /* Microsoft pins some keys to one issuer; NULL otherwise */
	jws_algorithm_set fits; /* by type, curve, and "alg" where present */
	struct jws_key *key;
	bool contradicted; /* another key stands under the same kid: serves nobody */
};

struct jwk_set {
	struct jwk *keys;
	size_t count; /* usable keys */
	size_t skipped; /* entries passed over: for encryption, of unknown type, weak, private */
	char skipped_why[80]; /* why the first of them was, for the log; "" if none */
};

/*
 * Reads a JWK Set document: an object whose member "keys" is an array of at most
 * JWK_SET_MAX_KEYS objects. A key that cannot be used is passed over, not fatal. "use" other
 * than "sig" and "key_ops" without "verify" exclude a key; "alg", "use" and "kid" may be
 * absent. A symmetric or private key is passed over. SCRATCH is needed only during the call.
 * On failure (no JWK Set at all) false, problem KEYS_AWAY, OUT untouched.
 */
bool jwk_set_parse(struct arena *scratch, struct text document, struct jwk_set *out,
		   struct problem *p) __attribute__((warn_unused_result));

/* Frees what OUT of jwk_set_parse holds. */
void jwk_set_close(struct jwk_set *set);

/*
 * The key for a token: KID (NULL: the token has none) and ALGORITHM. Without a kid, only
 * when exactly one key of the set is fit. NULL when there is none, or when two different
 * keys stand under that kid.
 */
const struct jwk *jwk_find(const struct jwk_set *set, const struct text *kid,
			   enum jws_algorithm algorithm);

#endif
