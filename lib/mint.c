#include "mint.h"

#include <errno.h>
#include <jwt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base64url.h"
#include "mint_keys.h"

struct mint {
	const struct config *config;
	pthread_mutex_t mutex;	 /* for all below */
	time_t looked_at;	 /* CLOCK_MONOTONIC */
	struct timespec changed; /* of keys_dir, when what follows was read */
	char kid[64];
	struct text pem; /* "" while there is none */
	unsigned char refresh_key[SECRET_BYTES];
	bool has_refresh_key;
};

struct mint *mint_new(const struct config *config)
{
	struct mint *m = x_alloc(sizeof(*m));

	m->config = config;
	pthread_mutex_init(&m->mutex, NULL);
	return m;
}

static void forget(struct mint *m)
{
	if (m->pem.len) {
		secret_wipe((char *)(uintptr_t)m->pem.data, m->pem.len);
		free((char *)(uintptr_t)m->pem.data);
	}
	m->pem = (struct text){ 0 };
	secret_wipe(m->refresh_key, sizeof(m->refresh_key));
	m->has_refresh_key = false;
}

void mint_free(struct mint *m)
{
	if (!m)
		return;
	forget(m);
	pthread_mutex_destroy(&m->mutex);
	free(m);
}

/* ---- loading */

/* A file can be a PEM file by its name and hold anything: it is tried. */
static bool can_sign(struct text pem)
{
	char *encoded = NULL;
	jwt_t *jwt;
	bool good;

	if (jwt_new(&jwt))
		abort(); /* out of memory */
	if (!jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)pem.data,
			 (int)pem.len))
		encoded = jwt_encode_str(jwt);
	jwt_free(jwt);
	good = encoded != NULL;
	free(encoded);
	return good;
}

static bool load(struct mint *m, struct problem *p)
{
	struct arena *scratch = arena_new();
	struct mint_keys keys;
	bool good;

	forget(m);
	good = mint_keys_load(m->config->session.keys_dir, scratch, &keys, p);
	if (good && !can_sign(keys.pem))
		good = problem(p, INTERNAL, "keys_dir: %s does not sign", keys.kid);
	if (good) {
		m->pem = (struct text){ x_copy(keys.pem), keys.pem.len };
		memcpy(m->refresh_key, keys.refresh_key, SECRET_BYTES);
		m->has_refresh_key = true;
		snprintf(m->kid, sizeof(m->kid), "%s", keys.kid);
	}
	secret_wipe(&keys, sizeof(keys));
	arena_free(scratch);
	return good;
}

/* Loads keys_dir if it changed since; looks at most once a second. With the mutex held. */
static bool look(struct mint *m, struct problem *p)
{
	struct timespec clock;
	struct stat st;

	clock_gettime(CLOCK_MONOTONIC, &clock);
	if (m->has_refresh_key && m->looked_at == clock.tv_sec)
		return true;
	if (stat(m->config->session.keys_dir, &st))
		return problem(p, INTERNAL, "keys_dir: %s", strerror(errno));
	m->looked_at = clock.tv_sec;
	if (m->has_refresh_key && st.st_mtim.tv_sec == m->changed.tv_sec &&
	    st.st_mtim.tv_nsec == m->changed.tv_nsec)
		return true;
	m->changed = st.st_mtim;
	return load(m, p);
}

bool mint_check(struct mint *m, struct problem *p)
{
	bool good;

	pthread_mutex_lock(&m->mutex);
	good = look(m, p);
	pthread_mutex_unlock(&m->mutex);
	return good;
}

/* ---- tokens */

static void free_jwt(void *jwt)
{
	jwt_free(jwt);
}

static bool fill(jwt_t *jwt, const char *issuer, const struct store_user *user,
		 const char *session_id, int64_t now, const char *kid)
{
	return !jwt_add_header(jwt, "kid", kid) && !jwt_add_grant(jwt, "iss", issuer) &&
	       !jwt_add_grant(jwt, "aud", issuer) &&
	       !jwt_add_grant(jwt, "sub", user->id) &&
	       (!*session_id || !jwt_add_grant(jwt, "sid", session_id)) &&
	       !jwt_add_grant(jwt, "type", "session") &&
	       (!*user->email || !jwt_add_grant(jwt, "email", user->email)) &&
	       !jwt_add_grant_int(jwt, "iat", (long)now) &&
	       !jwt_add_grant_int(jwt, "exp", (long)(now + MINT_LIFE_S));
}

bool mint_token(struct mint *m, const struct store_user *user, const char *session_id,
		int64_t now, struct arena *arena, struct text *out, int64_t *expires_at,
		struct problem *p)
{
	jwt_t *jwt = NULL;
	char *encoded = NULL;
	bool good;

	if (jwt_new(&jwt))
		abort(); /* out of memory */
	arena_defer(arena, free_jwt, jwt);
	pthread_mutex_lock(&m->mutex);
	good = look(m, p) &&
	       fill(jwt, m->config->public_url, user, session_id, now, m->kid) &&
	       !jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)m->pem.data,
			    (int)m->pem.len);
	pthread_mutex_unlock(&m->mutex);
	if (good)
		encoded = jwt_encode_str(jwt);
	if (!encoded)
		return problem(p, INTERNAL, "a session token could not be signed");
	*out = arena_copy(arena, text_of(encoded));
	secret_wipe(encoded, strlen(encoded));
	free(encoded);
	*expires_at = now + MINT_LIFE_S;
	return true;
}

bool mint_refresh(struct mint *m, const struct store_session *session,
		  uint64_t generation, char out[MINT_REFRESH_SIZE], struct problem *p)
{
	unsigned char message[STORE_ID_SIZE + 32 + SHA256_BYTES], mac[SHA256_BYTES];
	char encoded[SECRET_TEXT_LEN + 1];
	size_t len;
	bool good;

	len = (size_t)snprintf((char *)message, sizeof(message), "%s.%llu.", session->id,
			       (unsigned long long)generation);
	memcpy(message + len, session->hash, SHA256_BYTES);
	pthread_mutex_lock(&m->mutex);
	good = look(m, p);
	if (good)
		secret_hmac(m->refresh_key, sizeof(m->refresh_key),
			    (struct text){ (char *)message, len + SHA256_BYTES }, mac);
	pthread_mutex_unlock(&m->mutex);
	if (!good)
		return false;
	base64url_encode(mac, sizeof(mac), encoded);
	snprintf(out, MINT_REFRESH_SIZE, "%.20s.%llu.%s", session->id,
		 (unsigned long long)generation, encoded);
	return true;
}

bool mint_refresh_parse(struct text token, char session_id[STORE_ID_SIZE],
			uint64_t *generation)
{
	struct text rest, mac;
	const struct text id = text_before(token, '.', &rest);
	const struct text number = text_before(rest, '.', &mac);
	int64_t id_number, n;

	if (!text_to_number(id, &id_number) || !text_to_number(number, &n) ||
	    !secret_is_token(mac))
		return false;
	snprintf(session_id, STORE_ID_SIZE, "%.*s", TEXT_ARG(id));
	*generation = (uint64_t)n;
	return true;
}

bool mint_jwks(struct mint *m, struct arena *arena, struct text *out, struct problem *p)
{
	return mint_keys_jwks(m->config->session.keys_dir, arena, out, p);
}
