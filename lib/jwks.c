#include "jwks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fetcher.h"
#include "log.h"

#define RETRY_SOON_S 2 /* while a fetch runs */
#define RECORD_MAX_BYTES (JWK_SET_MAX_BYTES + 4096)

/* A set in use; stays whole until its last user lets go, whatever is loaded meanwhile. */
struct snapshot {
	struct jwk_set set;
	atomic_uint users;
	int64_t fetched_at, fresh_until; /* 0, 0 for a pinned file */
};

struct jwks {
	const struct config *config;
	const struct config_provider *provider;
	char *file;
	bool pinned;
	struct fetcher *fetcher; /* NULL for a pinned file */

	pthread_mutex_t mutex; /* for all below */
	struct snapshot *current;
	struct stat loaded; /* the file that CURRENT, or the last complaint, came from */
	time_t looked_at;   /* CLOCK_MONOTONIC */
};

static void snapshot_release(void *handle)
{
	struct snapshot *s = handle;

	if (s && atomic_fetch_sub(&s->users, 1) == 1) {
		jwk_set_close(&s->set);
		free(s);
	}
}

struct jwks *jwks_new(const struct config *config, const struct config_provider *provider)
{
	struct jwks *jwks = x_alloc(sizeof(*jwks));
	struct arena *scratch = arena_new();

	jwks->config = config;
	jwks->provider = provider;
	jwks->pinned = provider->jwks_file != NULL;
	if (jwks->pinned) {
		jwks->file = x_copy(text_of(provider->jwks_file));
	} else {
		jwks->file = x_copy(arena_printf(scratch, JWKS_FILE, config->state_dir,
						 provider->name));
		jwks->fetcher = fetcher_new(config, provider);
	}
	pthread_mutex_init(&jwks->mutex, NULL);
	arena_free(scratch);
	return jwks;
}

void jwks_free(struct jwks *jwks)
{
	if (!jwks)
		return;
	snapshot_release(jwks->current);
	fetcher_free(jwks->fetcher);
	pthread_mutex_destroy(&jwks->mutex);
	free(jwks->file);
	free(jwks);
}

/* ---- the file */

/* We, root, or, when root looks at the workers' files, the owner of state_dir. */
static bool is_trusted_owner(const struct jwks *jwks, uid_t owner)
{
	struct stat st;

	return owner == geteuid() || owner == 0 ||
	       (geteuid() == 0 && !jwks->pinned &&
		stat(jwks->config->state_dir, &st) == 0 && owner == st.st_uid);
}

/* The whole file into the arena, if it is what it should be and nobody else could write it. */
static bool read_file(const struct jwks *jwks, struct arena *a, struct stat *st,
		      struct text *out, struct problem *p)
{
	/* Where an administrator points a link is his affair; in state_dir there are none. */
	int fd = open(jwks->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
					  (jwks->pinned ? 0 : O_NOFOLLOW));
	size_t len = 0;
	char *data;

	if (fd < 0) {
		/* Short of descriptors for a moment: this is not the file's answer, ask again. */
		if (errno == EMFILE || errno == ENFILE)
			memset(st, 0, sizeof(*st));
		return problem(p, KEYS_AWAY, "key file cannot be opened: error %d",
			       errno);
	}
	if (fstat(fd, st) || !S_ISREG(st->st_mode) || st->st_size > RECORD_MAX_BYTES ||
	    !is_trusted_owner(jwks, st->st_uid) || (st->st_mode & 022)) {
		close(fd);
		return problem(p, KEYS_AWAY, "key file: owner, mode or size");
	}
	data = arena_alloc(a, (size_t)st->st_size + 1);
	while (len < (size_t)st->st_size) {
		ssize_t got = read(fd, data + len, (size_t)st->st_size - len);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	close(fd);
	*out = (struct text){ data, len };
	return true;
}

static struct snapshot *snapshot_read(const struct jwks *jwks, struct stat *st,
				      struct problem *p)
{
	struct arena *scratch = arena_new();
	struct snapshot *s = x_alloc(sizeof(*s));
	struct jwks_record record = { 0 };
	bool good = read_file(jwks, scratch, st, &record.keys, p);

	if (good && !jwks->pinned)
		good = jwks_record_parse(scratch, record.keys, &record, p);
	/* A file left from another configuration is none of this provider's. */
	if (good && !jwks->pinned && !fetcher_url_is(jwks->fetcher, record.url))
		good = problem(p, KEYS_AWAY, "key file is from another URL");
	good = good && jwk_set_parse(scratch, record.keys, &s->set, p);
	arena_free(scratch);
	if (!good) {
		free(s);
		return NULL;
	}
	atomic_init(&s->users, 1);
	s->fetched_at = record.fetched_at;
	s->fresh_until = record.fresh_until;
	return s;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	/* Not the time of modification: a file refused for its mode is tried again after chmod. */
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	       a->st_size == b->st_size && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Loads the file if it changed. Called with the mutex held. */
static void look(struct jwks *jwks, bool at_once)
{
	struct timespec clock;
	struct snapshot *fresh;
	struct stat st;
	struct problem p = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &clock);
	if (!at_once && jwks->looked_at && clock.tv_sec == jwks->looked_at)
		return;
	jwks->looked_at = clock.tv_sec;
	if (stat(jwks->file, &st) || same_file(&st, &jwks->loaded))
		return;
	fresh = snapshot_read(jwks, &st, &p);
	jwks->loaded = st;
	if (!fresh) {
		log_event(CONFIG_LOG_WARNING, "keys", "provider %s: %s; %s",
			  jwks->provider->name, p.detail,
			  jwks->current ? "the keys read before stay in use" : "no keys");
		return;
	}
	if (fresh->set.skipped)
		log_event(CONFIG_LOG_INFO, "keys",
			  "provider %s: %zu keys, %zu passed over (%s)",
			  jwks->provider->name, fresh->set.count, fresh->set.skipped,
			  fresh->set.skipped_why);
	snapshot_release(jwks->current);
	jwks->current = fresh;
}

/* The set to use at NOW, held until the arena is reset; NULL if there is none. */
static struct snapshot *acquire(struct jwks *jwks, int64_t now, bool at_once,
				struct arena *arena)
{
	struct snapshot *s;

	pthread_mutex_lock(&jwks->mutex);
	look(jwks, at_once);
	s = jwks->current;
	if (s && !jwks->pinned && now > s->fresh_until + jwks->config->keys_max_stale_s)
		s = NULL;
	if (s)
		atomic_fetch_add(&s->users, 1);
	pthread_mutex_unlock(&jwks->mutex);
	if (s)
		arena_defer(arena, snapshot_release, s);
	return s;
}

/* ---- finding a key */

/* Asked for when four fifths of its life are over, so that no login waits for it. */
static bool is_due(const struct jwks *jwks, const struct snapshot *s, int64_t now)
{
	const int64_t early = (s->fresh_until - s->fetched_at) / 5;

	return !jwks->pinned && (now >= s->fresh_until - early || now < s->fetched_at);
}

/*
 * Has it expired unnoticed, in a night without logins? Then its keys may long be withdrawn,
 * and one fetch is waited for. Not with the issuer away: that has been tried since.
 */
static bool is_forgotten(const struct jwks *jwks, const struct snapshot *s, int64_t now)
{
	return !jwks->pinned && now > s->fresh_until &&
	       !fetcher_has_tried(jwks->fetcher, s->fresh_until);
}

static bool kid_is_usable(const struct text *kid)
{
	for (size_t i = 0; kid && i < kid->len; i++)
		if (kid->data[i] < ' ' || kid->data[i] > '~')
			return false;
	return true;
}

/* No key, and nothing more to be done about it in this request. */
static bool give_up(const struct jwks *jwks, const struct snapshot *s, int64_t now,
		    struct problem *p)
{
	const int cooldown_s = jwks->config->key_cooldown_s;

	/* Only a set fetched since the cool-down began says that a new kid is invented. */
	if (s && (jwks->pinned || s->fetched_at + cooldown_s >= now))
		return problem(p, TOKEN_KEY, "not among %zu keys", s->set.count);
	/* Nothing is fetched before the cool-down is over: to come back earlier is no use. */
	p->retry_after_s = jwks->pinned			    ? 0
			   : fetcher_is_busy(jwks->fetcher) ? RETRY_SOON_S
							    : (unsigned)cooldown_s;
	if (!s)
		return problem(p, KEYS_AWAY, "provider %s has no keys",
			       jwks->provider->name);
	return problem(p, KEYS_AWAY, "the key set of provider %s could not be fetched",
		       jwks->provider->name);
}

bool jwks_find(struct jwks *jwks, const struct jwks_wanted *wanted, int64_t now,
	       struct arena *arena, const struct jws_key **out, struct problem *p)
{
	struct snapshot *s;

	if (!kid_is_usable(wanted->kid))
		return problem(p, TOKEN_KEY, "kid is not printable ASCII");
	for (int fetched = 0;; fetched++) {
		const struct jwk *key;

		s = acquire(jwks, now, fetched > 0, arena);
		key = s ? jwk_find(&s->set, wanted->kid, wanted->algorithm) : NULL;
		if (key && (fetched || !is_forgotten(jwks, s, now))) {
			if (is_due(jwks, s, now))
				fetcher_start(jwks->fetcher);
			if (key->issuer &&
			    !claims_issuer(key->issuer, wanted->issuer, wanted->tenant))
				return problem(p, TOKEN_KEY, "it serves another issuer");
			*out = key->key;
			return true;
		}
		if (fetched)
			return give_up(jwks, s, now, p);
		/*
		 * Fetched here or not, the file is looked at once more: another worker's fetch
		 * may have ended, or a pinned file been replaced, since it last was.
		 */
		if (!jwks->pinned)
			fetcher_wait(jwks->fetcher);
	}
}

bool jwks_status(struct jwks *jwks, int64_t now, size_t *keys, int64_t *age_s)
{
	struct arena *scratch = arena_new();
	const struct snapshot *s = acquire(jwks, now, false, scratch);
	const bool have = s != NULL;

	if (have) {
		*keys = s->set.count;
		*age_s = jwks->pinned ? 0 : now - s->fetched_at;
	}
	arena_free(scratch);
	return have;
}

bool jwks_refresh(struct jwks *jwks, int64_t now, struct problem *p)
{
	size_t keys;
	int64_t age_s;

	if (jwks->pinned)
		return true;
	if (!fetcher_force(jwks->fetcher))
		return problem(p, KEYS_AWAY, "provider %s: the fetch failed; see above",
			       jwks->provider->name);
	pthread_mutex_lock(&jwks->mutex);
	look(jwks, true);
	pthread_mutex_unlock(&jwks->mutex);
	return jwks_status(jwks, now, &keys, &age_s) ||
	       problem(p, KEYS_AWAY, "provider %s: no usable file in state_dir",
		       jwks->provider->name);
}
