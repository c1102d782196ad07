/* base64url without padding (RFC 4648, 5; RFC 7515, 2), strict in both directions. */
#ifndef PINTLE_BASE64URL_H
#define PINTLE_BASE64URL_H

#include "arena.h"

/* Bytes that N encoded characters stand for, and the other way round. */
#define BASE64URL_DECODED(n) ((n) / 4 * 3 + ((n) % 4 ? (n) % 4 - 1 : 0))
#define BASE64URL_ENCODED(n) (((n)*4 + 2) / 3)

/*
 * Decodes ENCODED into OUT, which has room for BASE64URL_DECODED(encoded.len) bytes.
 * False, OUT undefined, on any character outside the alphabet, padding, an impossible
 * length, or spare bits that are not zero: each byte string has exactly one spelling.
 */
bool base64url_decode(struct text encoded, unsigned char *out);

/* The same into the arena; a NUL follows the bytes. */
bool base64url_decode_text(struct arena *a, struct text encoded, struct text *out);

/* Writes BASE64URL_ENCODED(len) characters and a NUL. */
void base64url_encode(const unsigned char *bytes, size_t len, char *out);

#endif
