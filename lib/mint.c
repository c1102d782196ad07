#include "mint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jwt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base64url.h"
#include "jws.h"
#include "json.h"
#include "secret.h"

#define FILE_MAX_BYTES 65536
#define PEM_SUFFIX ".pem"
#define JWK_SUFFIX ".jwk"
#define KEYS_MAX 64
/* A key is kept for its last token's life, and for clocks that differ. */
#define RETIRE_AFTER_S (MINT_LIFE_S + 300)

struct mint {
	const struct config *config;
	pthread_mutex_t mutex; /* for all below */
	time_t looked_at;      /* CLOCK_MONOTONIC */
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

/* ---- files of keys_dir */

static bool path_of(const char *dir, const char *name, const char *suffix, char out[512])
{
	return snprintf(out, 512, "%s/%s%s", dir, name, suffix) < 512;
}

/* The whole of a small file; PRIVATE: of one that nobody else can read. */
static bool read_file(struct arena *a, const char *path, bool private, struct text *out,
		      struct problem *p)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *data = arena_alloc(a, FILE_MAX_BYTES);
	struct stat st;
	ssize_t len;

	if (fd < 0)
		return problem(p, INTERNAL, "%s: %s", path, strerror(errno));
	len = fstat(fd, &st) == 0 ? read(fd, data, FILE_MAX_BYTES) : -1;
	close(fd);
	if (len <= 0 || (st.st_mode & (private ? 077 : 022)))
		return problem(p, INTERNAL, "%s: %s", path,
			       len > 0 ? "others can get at it" : "cannot be read");
	*out = (struct text){ data, (size_t)len };
	return true;
}

/* Whole or not at all, with the owner of the directory. */
static bool write_file(const char *dir, const char *path, mode_t mode, struct text text,
		       struct problem *p)
{
	char temporary[520];
	struct stat st;
	bool written;
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return problem(p, INTERNAL, "%s: %s", temporary, strerror(errno));
	written = write(fd, text.data, text.len) == (ssize_t)text.len && fsync(fd) == 0 &&
		  fchmod(fd, mode) == 0;
	if (written && geteuid() == 0)
		written = stat(dir, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0;
	written = close(fd) == 0 && written && rename(temporary, path) == 0;
	if (!written)
		unlink(temporary);
	return written || problem(p, INTERNAL, "%s: %s", path, strerror(errno));
}

/* ---- the names of signing keys: "YYYYMMDDTHHMMSSZ-xxxxxxxx", so that they sort by age */

struct key_names {
	char names[KEYS_MAX][64];
	size_t count;
};

static int newest_first(const void *a, const void *b)
{
	return strcmp(b, a);
}

static bool list_keys(const char *dir, const char *suffix, struct key_names *out,
		      struct problem *p)
{
	const size_t suffix_len = strlen(suffix);
	DIR *d = opendir(dir);
	const struct dirent *entry;

	out->count = 0;
	if (!d)
		return problem(p, INTERNAL, "keys_dir %s: %s", dir, strerror(errno));
	while ((entry = readdir(d)) && out->count < KEYS_MAX) {
		const size_t len = strlen(entry->d_name);

		if (len <= suffix_len || len - suffix_len >= sizeof(out->names[0]) ||
		    strcmp(entry->d_name + len - suffix_len, suffix) != 0)
			continue;
		memcpy(out->names[out->count], entry->d_name, len - suffix_len);
		out->names[out->count++][len - suffix_len] = '\0';
	}
	closedir(d);
	qsort(out->names, out->count, sizeof(out->names[0]), newest_first);
	return true;
}

static int64_t created_at(const char *kid)
{
	struct tm tm = { 0 };

	return strptime(kid, "%Y%m%dT%H%M%SZ", &tm) ? (int64_t)timegm(&tm) : 0;
}

/* ---- loading */

static bool load(struct mint *m, struct problem *p)
{
	const char *dir = m->config->session.keys_dir;
	struct arena *scratch = arena_new();
	struct key_names keys;
	struct text pem, key;
	char path[512];
	bool good;

	forget(m);
	good = list_keys(dir, PEM_SUFFIX, &keys, p);
	if (good && !keys.count)
		good = problem(p, INTERNAL, "keys_dir %s is empty: pintlectl keys rotate", dir);
	good = good && path_of(dir, keys.names[0], PEM_SUFFIX, path) &&
	       read_file(scratch, path, true, &pem, p) &&
	       path_of(dir, MINT_REFRESH_FILE, "", path) &&
	       read_file(scratch, path, true, &key, p);
	if (good && key.len != SECRET_BYTES)
		good = problem(p, INTERNAL, "%s does not hold 32 bytes", path);
	if (good) {
		m->pem = (struct text){ x_copy(pem), pem.len };
		memcpy(m->refresh_key, key.data, SECRET_BYTES);
		m->has_refresh_key = true;
		snprintf(m->kid, sizeof(m->kid), "%s", keys.names[0]);
	}
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

/* ---- tokens */

static void free_jwt(void *jwt)
{
	jwt_free(jwt);
}

static bool fill(jwt_t *jwt, const char *issuer, const struct store_user *user,
		 const char *session_id, int64_t now, const char *kid)
{
	return !jwt_add_header(jwt, "kid", kid) && !jwt_add_grant(jwt, "iss", issuer) &&
	       !jwt_add_grant(jwt, "aud", issuer) && !jwt_add_grant(jwt, "sub", user->id) &&
	       !jwt_add_grant(jwt, "sid", session_id) &&
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

bool mint_refresh(struct mint *m, const struct store_session *session, uint64_t generation,
		  char out[MINT_REFRESH_SIZE], struct problem *p)
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
	char path[512];

	return path_of(m->config->session.keys_dir, MINT_JWKS_FILE, "", path) &&
	       read_file(arena, path, false, out, p);
}

/* ---- for pintlectl keys */

bool mint_each_key(const char *keys_dir,
		   void (*each)(void *context, const char *kid, int64_t created_at, bool signs),
		   void *context, struct problem *p)
{
	struct key_names keys;

	if (!list_keys(keys_dir, PEM_SUFFIX, &keys, p))
		return false;
	for (size_t i = 0; i < keys.count; i++)
		each(context, keys.names[i], created_at(keys.names[i]), i == 0);
	return true;
}

static bool write_public(const char *dir, const char *kid, const unsigned char x[32],
			 const unsigned char y[32], struct arena *scratch, struct problem *p)
{
	char x_text[SECRET_TEXT_LEN + 1], y_text[SECRET_TEXT_LEN + 1], path[512];
	struct buffer jwk = buffer_new(scratch, 256);

	base64url_encode(x, 32, x_text);
	base64url_encode(y, 32, y_text);
	json_begin(&jwk, NULL, '{');
	json_add_string(&jwk, "kty", AS_TEXT("EC"));
	json_add_string(&jwk, "crv", AS_TEXT("P-256"));
	json_add_string(&jwk, "x", text_of(x_text));
	json_add_string(&jwk, "y", text_of(y_text));
	json_add_string(&jwk, "kid", text_of(kid));
	json_add_string(&jwk, "use", AS_TEXT("sig"));
	json_add_string(&jwk, "alg", AS_TEXT("ES256"));
	json_end(&jwk, '}');
	return path_of(dir, kid, JWK_SUFFIX, path) &&
	       write_file(dir, path, 0644, buffer_text(&jwk), p);
}

/* Those whose successor has been signing for longer than their last token can live. */
static void remove_retired(const char *dir, int64_t now, struct key_names *keys)
{
	for (size_t i = keys->count; i-- > 1;) {
		char path[512];

		if (created_at(keys->names[i - 1]) + RETIRE_AFTER_S >= now)
			continue;
		if (path_of(dir, keys->names[i], PEM_SUFFIX, path))
			unlink(path);
		if (path_of(dir, keys->names[i], JWK_SUFFIX, path))
			unlink(path);
		keys->count--;
	}
}

static bool write_jwks(const char *dir, const struct key_names *keys, struct arena *scratch,
		       struct problem *p)
{
	struct buffer b = buffer_new(scratch, 4096);
	struct text jwk;
	char path[512];

	json_begin(&b, NULL, '{');
	json_begin(&b, "keys", '[');
	for (size_t i = 0; i < keys->count; i++) {
		if (!path_of(dir, keys->names[i], JWK_SUFFIX, path) ||
		    !read_file(scratch, path, false, &jwk, p))
			return false;
		json_add_raw(&b, NULL, jwk);
	}
	json_end(&b, ']');
	json_end(&b, '}');
	return path_of(dir, MINT_JWKS_FILE, "", path) &&
	       write_file(dir, path, 0644, buffer_text(&b), p);
}

static bool ensure_refresh_key(const char *dir, struct problem *p)
{
	unsigned char key[SECRET_BYTES];
	char path[512];
	bool good;

	if (!path_of(dir, MINT_REFRESH_FILE, "", path) || access(path, F_OK) == 0)
		return true;
	secret_random(key, sizeof(key));
	good = write_file(dir, path, 0600, (struct text){ (char *)key, sizeof(key) }, p);
	secret_wipe(key, sizeof(key));
	return good;
}

static void name_key(int64_t now, char kid[64])
{
	const time_t seconds = (time_t)now;
	unsigned char random[4];
	char when[32];
	struct tm tm;

	secret_random(random, sizeof(random));
	gmtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(kid, 64, "%s-%02x%02x%02x%02x", when, random[0], random[1], random[2],
		 random[3]);
}

bool mint_rotate(const char *keys_dir, int64_t now, char kid[64], struct problem *p)
{
	struct arena *scratch = arena_new();
	struct key_names keys;
	unsigned char x[32], y[32];
	char *pem = jws_generate_es256(x, y), path[512];
	bool good;

	good = list_keys(keys_dir, JWK_SUFFIX, &keys, p);
	/* Names sort by age, so no two keys are of the same second. */
	if (good && keys.count && created_at(keys.names[0]) >= now)
		now = created_at(keys.names[0]) + 1;
	name_key(now, kid);
	good = good && ensure_refresh_key(keys_dir, p) && write_public(keys_dir, kid, x, y, scratch, p) &&
	       list_keys(keys_dir, JWK_SUFFIX, &keys, p);
	if (good)
		remove_retired(keys_dir, now, &keys);
	/* The private half last: a key must not sign before everybody can check it. */
	good = good && write_jwks(keys_dir, &keys, scratch, p) &&
	       path_of(keys_dir, kid, PEM_SUFFIX, path) &&
	       write_file(keys_dir, path, 0600, text_of(pem), p);
	secret_wipe(pem, strlen(pem));
	free(pem);
	arena_free(scratch);
	return good;
}
