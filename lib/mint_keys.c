#include "mint_keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base64url.h"
#include "json.h"
#include "jws.h"

#define FILE_MAX_BYTES 65536
#define PEM_SUFFIX ".pem"
#define JWK_SUFFIX ".jwk"
#define KEYS_MAX 64
#define JWKS_DEPTH 8
/* A key is kept for its last token's life, and for clocks that differ. */
#define RETIRE_AFTER_S (MINT_LIFE_S + 300)

/* ---- files of keys_dir */

static bool path_of(const char *dir, const char *name, const char *suffix, char out[512])
{
	return snprintf(out, 512, "%s/%s%s", dir, name, suffix) < 512;
}

/* Ours, root's or, when root looks at the workers' files, the directory's owner's. */
static bool is_trusted_owner(const char *dir, uid_t owner)
{
	struct stat st;

	return owner == geteuid() || owner == 0 ||
	       (geteuid() == 0 && stat(dir, &st) == 0 && owner == st.st_uid);
}

/* Who could write there could put in a key of his own, and sign as us. */
static bool check_dir(const char *dir, struct problem *p)
{
	struct stat st;

	if (stat(dir, &st) || !S_ISDIR(st.st_mode))
		return problem(p, INTERNAL, "keys_dir %s: %s", dir, strerror(errno));
	return (is_trusted_owner(dir, st.st_uid) && !(st.st_mode & 022)) ||
	       problem(p, INTERNAL, "keys_dir %s: others can write there", dir);
}

/* The whole of a small file of DIR; PRIVATE: of one that nobody else can read. */
static bool read_file(struct arena *a, const char *dir, const char *path, bool private,
		      struct text *out, struct problem *p)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char *data = arena_alloc(a, FILE_MAX_BYTES);
	struct stat st;
	ssize_t len;

	if (fd < 0)
		return problem(p, INTERNAL, "%s: %s", path, strerror(errno));
	len = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, data, FILE_MAX_BYTES)
							 : -1;
	close(fd);
	if (len <= 0)
		return problem(p, INTERNAL, "%s: cannot be read", path);
	if ((st.st_mode & (private ? 077 : 022)) || !is_trusted_owner(dir, st.st_uid))
		return problem(p, INTERNAL, "%s: others can get at it", path);
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

/* Of another name it is none of ours: a copy laid aside, or an editor's. */
static bool is_kid(const char *name, size_t len)
{
	static const char shape[] = "99999999T999999Z-ffffffff";

	if (len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		const bool digit = name[i] >= '0' && name[i] <= '9';
		const bool letter = name[i] >= 'a' && name[i] <= 'f';

		if (shape[i] == '9'   ? !digit
		    : shape[i] == 'f' ? !digit && !letter
				      : name[i] != shape[i])
			return false;
	}
	return true;
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
	while ((entry = readdir(d))) {
		const size_t len = strlen(entry->d_name);

		if (len <= suffix_len || !is_kid(entry->d_name, len - suffix_len) ||
		    strcmp(entry->d_name + len - suffix_len, suffix) != 0)
			continue;
		if (out->count == KEYS_MAX) {
			closedir(d);
			return problem(p, INTERNAL, "keys_dir %s: more than %d keys", dir,
				       KEYS_MAX);
		}
		memcpy(out->names[out->count], entry->d_name, len - suffix_len);
		out->names[out->count++][len - suffix_len] = '\0';
	}
	closedir(d);
	qsort(out->names, out->count, sizeof(out->names[0]), newest_first);
	return true;
}

static bool has_key(const struct key_names *keys, const char *kid)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->names[i], kid) == 0)
			return true;
	return false;
}

static int64_t created_at(const char *kid)
{
	struct tm tm = { 0 };

	return strptime(kid, "%Y%m%dT%H%M%SZ", &tm) ? (int64_t)timegm(&tm) : 0;
}

/* ---- reading */

/* The newest key of which everybody has the public half: a token of another is refused. */
static bool choose_key(const char *dir, const struct key_names *keys,
		       struct arena *scratch, const char **out, struct problem *p)
{
	const struct json *set, *all, *kid;
	struct text document, name;
	const char *why = "no key set";
	char path[512];

	if (!path_of(dir, MINT_JWKS_FILE, "", path) ||
	    !read_file(scratch, dir, path, false, &document, p))
		return false;
	set = json_parse(scratch, document, JWKS_DEPTH, &why);
	if (!json_member(set, "keys", &all))
		return problem(p, INTERNAL, "%s: %s", path, why);
	for (size_t i = 0; i < keys->count; i++)
		for (size_t j = 0; j < json_array_length(all); j++)
			if (json_member(json_array_at(all, j), "kid", &kid) &&
			    json_string(kid, &name) && text_is(name, keys->names[i])) {
				*out = keys->names[i];
				return true;
			}
	return problem(p, INTERNAL, "keys_dir %s: no key that is in " MINT_JWKS_FILE,
		       dir);
}

bool mint_keys_load(const char *dir, struct arena *a, struct mint_keys *out,
		    struct problem *p)
{
	struct key_names keys;
	struct text pem, key;
	const char *kid =
		NULL; /* set where choose_key succeeds, which not every gcc sees */
	char path[512];

	if (!check_dir(dir, p) || !list_keys(dir, PEM_SUFFIX, &keys, p))
		return false;
	if (!keys.count)
		return problem(p, INTERNAL, "keys_dir %s is empty: pintlectl keys rotate",
			       dir);
	if (!choose_key(dir, &keys, a, &kid, p) || !path_of(dir, kid, PEM_SUFFIX, path) ||
	    !read_file(a, dir, path, true, &pem, p) ||
	    !path_of(dir, MINT_REFRESH_FILE, "", path) ||
	    !read_file(a, dir, path, true, &key, p))
		return false;
	if (key.len != SECRET_BYTES)
		return problem(p, INTERNAL, "%s does not hold 32 bytes", path);
	snprintf(out->kid, sizeof(out->kid), "%s", kid);
	out->pem = pem;
	memcpy(out->refresh_key, key.data, SECRET_BYTES);
	return true;
}

bool mint_keys_jwks(const char *dir, struct arena *a, struct text *out, struct problem *p)
{
	char path[512];
	const char *why;

	if (!path_of(dir, MINT_JWKS_FILE, "", path) ||
	    !read_file(a, dir, path, false, out, p))
		return false;
	/* It goes out as it is. */
	why = json_scan(*out, JWKS_DEPTH, NULL);
	return !why || problem(p, INTERNAL, "%s: %s", path, why);
}

/* ---- for pintlectl keys */

/* Those that sign or have signed: only with both halves does a key do that. */
static bool list_whole_keys(const char *dir, struct key_names *out, struct problem *p)
{
	struct key_names public, private;

	if (!list_keys(dir, JWK_SUFFIX, &public, p) ||
	    !list_keys(dir, PEM_SUFFIX, &private, p))
		return false;
	out->count = 0;
	for (size_t i = 0; i < private.count; i++)
		if (has_key(&public, private.names[i]))
			memcpy(out->names[out->count++], private.names[i],
			       sizeof(private.names[i]));
	return true;
}

bool mint_each_key(const char *keys_dir,
		   void (*each)(void *context, const char *kid, int64_t created_at,
				bool signs),
		   void *context, struct problem *p)
{
	struct key_names keys;

	if (!list_whole_keys(keys_dir, &keys, p))
		return false;
	for (size_t i = 0; i < keys.count; i++)
		each(context, keys.names[i], created_at(keys.names[i]), i == 0);
	return true;
}

static bool write_public(const char *dir, const char *kid, const unsigned char x[32],
			 const unsigned char y[32], struct arena *scratch,
			 struct problem *p)
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

/*
 * Those to publish: all but the ones whose successor has been signing for longer than their
 * last token can live. What a rotation that was cut short left is no successor.
 */
static void leave_out_retired(int64_t now, struct key_names *signing)
{
	while (signing->count > 1 &&
	       created_at(signing->names[signing->count - 2]) + RETIRE_AFTER_S < now)
		signing->count--;
}

/* Not a private half by itself, which never was one of ours. */
static void remove_all_but(const char *dir, const struct key_names *kept)
{
	struct problem ignored = { 0 };
	struct key_names there;
	char path[512];

	if (!list_keys(dir, JWK_SUFFIX, &there, &ignored))
		return;
	for (size_t i = 0; i < there.count; i++) {
		if (has_key(kept, there.names[i]))
			continue;
		if (path_of(dir, there.names[i], PEM_SUFFIX, path))
			unlink(path);
		if (path_of(dir, there.names[i], JWK_SUFFIX, path))
			unlink(path);
	}
}

static bool write_jwks(const char *dir, const struct key_names *keys,
		       struct arena *scratch, struct problem *p)
{
	struct buffer b = buffer_new(scratch, 4096);
	struct text jwk;
	char path[512];

	json_begin(&b, NULL, '{');
	json_begin(&b, "keys", '[');
	for (size_t i = 0; i < keys->count; i++) {
		if (!path_of(dir, keys->names[i], JWK_SUFFIX, path) ||
		    !read_file(scratch, dir, path, false, &jwk, p))
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

/* One rotation at a time: the lock is the directory's own, and ends with us. -1: a problem. */
static int lock_dir(const char *dir, struct problem *p)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	problem(p, INTERNAL, "keys_dir %s: %s", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/*
 * In an order in which it can be cut short anywhere: first the public half, for everybody to
 * have; then the private one, which signs from then on; what has retired goes last.
 */
static bool add_key(const char *dir, const char *kid, int64_t now, struct arena *scratch,
		    struct problem *p)
{
	unsigned char x[32], y[32];
	char *pem = jws_generate_es256(x, y), path[512];
	struct key_names keys;
	bool good;

	good = ensure_refresh_key(dir, p) && list_whole_keys(dir, &keys, p);
	if (good)
		leave_out_retired(now, &keys);
	if (good && keys.count == KEYS_MAX)
		good = problem(p, INTERNAL, "keys_dir %s: %d keys are in use", dir,
			       KEYS_MAX);
	if (good) {
		memmove(keys.names[1], keys.names[0],
			keys.count++ * sizeof(keys.names[0]));
		snprintf(keys.names[0], sizeof(keys.names[0]), "%s", kid);
	}
	good = good && write_public(dir, kid, x, y, scratch, p) &&
	       write_jwks(dir, &keys, scratch, p) &&
	       path_of(dir, kid, PEM_SUFFIX, path) &&
	       write_file(dir, path, 0600, text_of(pem), p);
	secret_wipe(pem, strlen(pem));
	free(pem);
	if (good)
		remove_all_but(dir, &keys);
	return good;
}

bool mint_rotate(const char *keys_dir, int64_t now, char kid[64], struct problem *p)
{
	struct arena *scratch = arena_new();
	const int lock = check_dir(keys_dir, p) ? lock_dir(keys_dir, p) : -1;
	struct key_names keys;
	bool good = lock >= 0 && list_whole_keys(keys_dir, &keys, p);

	/* Names sort by age, so no two keys are of the same second. */
	if (good && keys.count && created_at(keys.names[0]) >= now)
		now = created_at(keys.names[0]) + 1;
	name_key(now, kid);
	good = good && add_key(keys_dir, kid, now, scratch, p);
	if (lock >= 0)
		close(lock);
	arena_free(scratch);
	return good;
}
