/* Random tokens, their hashes, and forgetting them. */
#ifndef PINTLE_SECRET_H
#define PINTLE_SECRET_H

#include "text.h"

#define SECRET_BYTES 32
#define SECRET_TEXT_LEN 43 /* 256 bits in base64url */
#define SHA256_BYTES 32

/* LEN bytes from the system's generator; there is no fallback: without it the process ends. */
void secret_random(unsigned char *out, size_t len);

/* A fresh 256-bit token as base64url, NUL-terminated. */
void secret_token(char out[SECRET_TEXT_LEN + 1]);

/* Is TEXT of the shape that secret_token makes? */
bool secret_is_token(struct text text);

void secret_sha256(struct text text, unsigned char out[SHA256_BYTES]);

/* HMAC-SHA-256 (RFC 2104). */
void secret_hmac(const unsigned char *key, size_t key_len, struct text text,
		 unsigned char out[SHA256_BYTES]);

/* Equal, in time that does not depend on where they differ. */
bool secret_equal(const unsigned char *a, const unsigned char *b, size_t len);

/* Overwrites in a way that the compiler keeps. */
void secret_wipe(void *memory, size_t len);

#endif
