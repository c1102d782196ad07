/* The files of keys_dir, for mint.c alone. */
#ifndef PINTLE_MINT_KEYS_H
#define PINTLE_MINT_KEYS_H

#include "mint.h"
#include "secret.h"

struct mint_keys {
	char kid[64];
	struct text pem; /* of the key that signs */
	unsigned char refresh_key[SECRET_BYTES];
};

/*
 * The newest key of which everybody has the public half, and the key of the refresh tokens.
 * INTERNAL when the directory or a file in it is not there, or others could have written it.
 */
bool mint_keys_load(const char *dir, struct arena *a, struct mint_keys *out,
		    struct problem *p) __attribute__((warn_unused_result));

/* The public halves, as a JWK Set document. */
bool mint_keys_jwks(const char *dir, struct arena *a, struct text *out, struct problem *p)
	__attribute__((warn_unused_result));

#endif
