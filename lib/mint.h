/*
 * Tokens that we sign ourselves: session mode "jwt". The only file that knows libjwt.
 *
 * A session JWT lives MINT_LIFE_S seconds; behind it stands an opaque refresh token that is
 * taken on at each use. Keys are in keys_dir: one PEM file per signing key (the newest that
 * jwks.json knows signs), refresh.key, and jwks.json with the public halves, which also
 * serves GET /jwks and our own verifier. Nobody else may write there.
 */
#ifndef PINTLE_MINT_H
#define PINTLE_MINT_H

#include "arena.h"
#include "config.h"
#include "problem.h"
#include "store.h"

#define MINT_LIFE_S 600
#define MINT_REFRESH_SIZE 96
#define MINT_JWKS_FILE "jwks.json"
#define MINT_REFRESH_FILE "refresh.key"

struct mint;

/* Reads nothing yet. CONFIG must outlive it. */
struct mint *mint_new(const struct config *config);
void mint_free(struct mint *mint);

/*
 * Can tokens be made? To be asked before something is written for which there must be one.
 * INTERNAL when keys_dir holds no usable key.
 */
bool mint_check(struct mint *mint, struct problem *p) __attribute__((warn_unused_result));

/*
 * A JWT for this user and session: iss and aud are public_url, sub the user, sid the session.
 * *EXPIRES_AT gets its exp. INTERNAL when keys_dir holds no usable key.
 */
bool mint_token(struct mint *mint, const struct store_user *user, const char *session_id,
		int64_t now, struct arena *arena, struct text *out, int64_t *expires_at,
		struct problem *p) __attribute__((warn_unused_result));

/*
 * The refresh token of SESSION at GENERATION: the session's id, the generation, and a MAC over
 * both and the session's hash with our key. So a spent one is known as what it is, its
 * successor is always the same, and neither the database nor our key alone is enough to
 * make one.
 */
bool mint_refresh(struct mint *mint, const struct store_session *session,
		  uint64_t generation, char out[MINT_REFRESH_SIZE], struct problem *p)
	__attribute__((warn_unused_result));

/* Takes apart what mint_refresh made, without looking whether we did. */
bool mint_refresh_parse(struct text token, char session_id[STORE_ID_SIZE],
			uint64_t *generation);

/* The public keys, as a JWK Set document. */
bool mint_jwks(struct mint *mint, struct arena *arena, struct text *out,
	       struct problem *p) __attribute__((warn_unused_result));

/* ---- for pintlectl keys */

/* Calls EACH for every signing key, the newest first: its kid and when it was made. */
bool mint_each_key(const char *keys_dir,
		   void (*each)(void *context, const char *kid, int64_t created_at,
				bool signs),
		   void *context, struct problem *p) __attribute__((warn_unused_result));

/*
 * Makes a new key, which signs from now on, and forgets those whose last token has expired.
 * KID gets its name. What is written belongs to the owner of keys_dir.
 */
bool mint_rotate(const char *keys_dir, int64_t now, char kid[64], struct problem *p)
	__attribute__((warn_unused_result));

#endif
