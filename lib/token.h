/* A compact JWT (RFC 7519, RFC 7515) from outside, to the identity that it vouches for. */
#ifndef PINTLE_TOKEN_H
#define PINTLE_TOKEN_H

#include "metrics.h"
#include "json.h"
#include "provider.h"
#include "secret.h"

/* What a verified token says. Everything is in the request's arena. */
struct identity {
	const struct provider *provider;
	struct text subject;	    /* empty if the token has none */
	struct text email;	    /* canonical and verified; empty if there is none */
	struct text email_written;  /* as the provider spelt it, for display */
	struct text phone;	    /* E.164 and verified; empty if there is none */
	enum problem_kind no_email; /* why both are empty; only with match = "subject" */
	int64_t issued_at, expires_at;
	struct text claims;	     /* the payload, as JSON text */
	const struct json *document; /* and parsed */
	struct text
		signed_bytes; /* what the signature is about: the same however it is spelt */
};

/*
 * The hash by which a verified token is known: of the bytes that are signed, since an ECDSA
 * signature has two spellings. Only who needs it pays for it (20,000 instructions).
 */
void token_identity_hash(const struct identity *identity,
			 unsigned char out[SHA256_BYTES]);

/* Of the shape of a JWT rather than of an opaque token? */
static inline bool token_looks_like_jwt(struct text token)
{
	return token.len && memchr(token.data, '.', token.len);
}

/* Called after each check, in order; SAW is what was looked at, for `pintlectl explain`. */
struct token_trace {
	void (*check)(void *context, const char *name, bool passed, struct text saw);
	void *context;
};

struct token_rules {
	struct providers *providers;
	size_t token_limit;
	bool phone;		    /* people may be known by phone number alone */
	enum metrics_issuer issuer; /* whose tokens they are, for the counts */
};

/*
 * Checks TOKEN in the order of SPEC section 3, cheap checks first: nothing reaches the keys
 * before everything above has passed. Problems: TOKEN_*, EMAIL_*, KEYS_AWAY. TRACE may be
 * NULL.
 */
bool token_verify(const struct token_rules *rules, struct text token, int64_t now,
		  struct arena *arena, const struct token_trace *trace,
		  struct identity *out, struct problem *p)
	__attribute__((warn_unused_result));

#endif
