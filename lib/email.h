/* One spelling of an address; pure. */
#ifndef PINTLE_EMAIL_H
#define PINTLE_EMAIL_H

#include "arena.h"
#include "problem.h"

#define EMAIL_MAX 254 /* RFC 5321, 4.5.3.1.3 less the angle brackets */
#define PHONE_MAX 16  /* "+" and 15 digits, E.164 */

/*
 * The canonical form of an address: a dot-atom of at most 64 bytes (RFC 5322, 3.2.3), one
 * "@", a domain of LDH labels of at most 63 bytes with at least one dot (RFC 1123, 2.1),
 * ASCII, at most EMAIL_MAX bytes; all lower-cased. Anything else is EMAIL_REFUSED: quoted
 * and internationalised local parts, literals, blanks, controls, a trailing dot.
 * OUT is in the arena; untouched on failure.
 */
bool email_normalise(struct arena *a, struct text written, struct text *out,
		     struct problem *p) __attribute__((warn_unused_result));

/* The part after the "@" of a normalised address. */
struct text email_domain(struct text email);

/* E.164: "+", a digit from 1 to 9, at most 14 more digits, at least 7 in all. */
bool phone_is_valid(struct text phone);

#endif
