/*
 * A provider's key set: read from a file, kept parsed, asked to be fetched when due.
 *
 * pintle-fetch writes the file; this reads it, looks once a second whether it changed, and
 * starts pintle-fetch when a set is due. All workers, CGI runs and restarts share the file,
 * so a fetch by one serves all.
 */
#ifndef PINTLE_JWKS_H
#define PINTLE_JWKS_H

#include "config.h"
#include "jwk.h"

struct jwks;

struct jwks *jwks_new(const struct config *config,
		      const struct config_provider *provider);
void jwks_free(struct jwks *jwks);

/* What a token says of its key. */
struct jwks_wanted {
	const struct text *kid; /* NULL: none in the token */
	enum jws_algorithm algorithm;
	struct text issuer, tenant; /* its iss and tid: some keys serve one issuer only */
};

/*
 * The key that is wanted at NOW. An unknown kid may lead to one fetch per key_cooldown over
 * all processes, which the call waits for; a set that is due is fetched while this goes on
 * with the keys at hand. The key lives until the arena is reset. Problems: TOKEN_KEY (known
 * not to be there, or another issuer's), KEYS_AWAY (not known).
 */
bool jwks_find(struct jwks *jwks, const struct jwks_wanted *wanted, int64_t now,
	       struct arena *arena, const struct jws_key **out, struct problem *p)
	__attribute__((warn_unused_result));

/* For /readyz and pintlectl: usable keys at hand and their age in seconds; false if none. */
bool jwks_status(struct jwks *jwks, int64_t now, size_t *keys, int64_t *age_s);

/* Fetches it now, whatever the cool-down says. False and KEYS_AWAY when that did not work. */
bool jwks_refresh(struct jwks *jwks, int64_t now, struct problem *p)
	__attribute__((warn_unused_result));

/* The names of a provider's files in STATE_DIR, shared with pintle-fetch. */
#define JWKS_FILE "%s/jwks/%s.json" /* the last good set */
#define JWKS_TRIED                                                                       \
	"%s/jwks/%s.tried"	    /* the URL; its mtime: when a fetch was last begun */
#define JWKS_LOCK "%s/jwks/%s.lock" /* held while a fetch runs */

/*
 * The text of a JWKS_FILE: one JSON object with "url", "etag", "fetched_at", "fresh_until"
 * and "set", the JWK Set as it came. What pintle-fetch prints and jwks.c reads.
 */
struct jwks_record {
	struct text url, etag;
	int64_t fetched_at, fresh_until;
	struct text keys; /* the JWK Set document */
};
struct text jwks_record_print(struct arena *a, const struct jwks_record *record);
bool jwks_record_parse(struct arena *a, struct text file, struct jwks_record *out,
		       struct problem *p) __attribute__((warn_unused_result));

/*
 * Was a fetch from URL begun less than COOLDOWN_S ago, by any process? TRIED is the path of a
 * JWKS_TRIED file; a change of the URL ends the cool-down.
 */
bool jwks_is_cooling(const char *tried, const char *url, int cooldown_s);

/* Freshness: max-age less Age, between a minute and a day; an hour when nothing was said. */
#define JWKS_LIFE_MIN_S 60
#define JWKS_LIFE_MAX_S 86400
#define JWKS_LIFE_DEFAULT_S 3600

#endif
