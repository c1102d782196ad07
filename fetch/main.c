/*
 * pintle-fetch: gets one provider's key set into state_dir.
 *
 * The one program of the three that goes out and parses what the network says; it knows
 * neither the database nor the configuration. The other two start it when a set is due.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "get.h"
#include "json.h"
#include "jwks.h"
#include "log.h"
#include "metrics.h"
#include "probe.h"
#include "sandbox.h"

#define EXIT_USAGE 64
#define EXIT_TRY_AGAIN 75
#define DISCOVERY_MAX_BYTES (64 * 1024)
#define DISCOVERY_DEPTH 16

struct job {
	const char *provider, *url, *issuer, *state_dir;
	int cooldown_s;
	bool unconfined, probe;
	struct get_options get;
	struct arena *arena;
	const char *file, *tried, *lock;
	bool not_modified;
	uid_t owner; /* of state_dir: what root writes there must stay usable for it */
	gid_t group;
};

/* ---- files in state_dir */

/* Opens PATH for us alone. -1 with a problem. */
static int open_file(const char *path, int flags, struct problem *p)
{
	int fd = open(path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		problem(p, KEYS_AWAY, "%s cannot be written: %s", path, strerror(errno));
	return fd;
}

static bool open_directory(struct job *job, struct problem *p)
{
	const char *dir = arena_printf(job->arena, "%s/jwks", job->state_dir).data;
	struct stat st;

	if (stat(job->state_dir, &st))
		return problem(p, KEYS_AWAY, "state_dir %s: %s", job->state_dir,
			       strerror(errno));
	job->owner = st.st_uid;
	job->group = st.st_gid;
	/* Whoever owns state_dir can make anything of the names in it: as root we are them. */
	if (geteuid() == 0 && job->owner != 0 &&
	    (setgroups(0, NULL) || setgid(job->group) || setuid(job->owner)))
		return problem(p, KEYS_AWAY, "uid %u: %s", job->owner, strerror(errno));
	if (mkdir(dir, 0700) && errno != EEXIST)
		return problem(p, KEYS_AWAY, "%s: %s", dir, strerror(errno));
	if (lstat(dir, &st) || !S_ISDIR(st.st_mode))
		return problem(p, KEYS_AWAY, "%s: %s", dir, strerror(errno));
	if (st.st_mode & 022)
		return problem(p, KEYS_AWAY, "%s: others can write there", dir);
	job->file =
		arena_printf(job->arena, JWKS_FILE, job->state_dir, job->provider).data;
	job->tried =
		arena_printf(job->arena, JWKS_TRIED, job->state_dir, job->provider).data;
	job->lock =
		arena_printf(job->arena, JWKS_LOCK, job->state_dir, job->provider).data;
	return true;
}

/* Where the set comes from, as our caller names it. */
static const char *source(const struct job *job)
{
	return job->issuer ? job->issuer : job->url;
}

/* Where it cannot be noted that a fetch was begun, none is: the cool-down must hold. */
static bool note_begin(const struct job *job, struct problem *p)
{
	const int fd = open_file(job->tried, O_WRONLY | O_TRUNC, p);
	const size_t len = strlen(source(job));
	bool noted;

	if (fd < 0)
		return false;
	noted = write(fd, source(job), len) == (ssize_t)len && futimens(fd, NULL) == 0;
	close(fd);
	return noted || problem(p, KEYS_AWAY, "%s: %s", job->tried, strerror(errno));
}

/* Whole or not at all: a reader sees the old set or the new one. */
static bool write_record(const struct job *job, struct text record, struct problem *p)
{
	const char *temporary = arena_printf(job->arena, "%s.new", job->file).data;
	const int fd = open_file(temporary, O_WRONLY | O_TRUNC, p);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, record.data, record.len) == (ssize_t)record.len &&
		  fsync(fd) == 0;
	written = close(fd) == 0 && written;
	if (written && rename(temporary, job->file) == 0)
		return true;
	unlink(temporary);
	return problem(p, KEYS_AWAY, "%s cannot be written: %s", job->file,
		       strerror(errno));
}

/* As jwks.c believes it: a 304 would make keys that others wrote there ours. */
static bool is_ours(const struct job *job, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 022) &&
	       (st.st_uid == geteuid() || st.st_uid == job->owner || st.st_uid == 0);
}

/* What was fetched before from the same place, for its ETag. Absent or bad: none. */
static bool read_record(const struct job *job, struct jwks_record *out)
{
	const int fd = open(job->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const size_t size = 2 * JWK_SET_MAX_BYTES;
	struct problem ignored = { 0 };
	struct text text = { 0 };
	char *data;
	ssize_t got;

	if (fd < 0)
		return false;
	data = arena_alloc(job->arena, size);
	while (is_ours(job, fd) && text.len < size &&
	       (got = read(fd, data + text.len, size - text.len)) > 0)
		text.len += (size_t)got;
	close(fd);
	text.data = data;
	return jwks_record_parse(job->arena, text, out, &ignored) &&
	       text_is(out->url, source(job));
}

/* ---- the fetch */

/* Without TLS only from the very place where the issuer is: config.c sees to that it is here. */
static bool is_fetchable(struct text url, struct text issuer)
{
	size_t origin_len = strlen("http://");

	if (text_starts(url, "https://"))
		return true;
	if (!text_starts(issuer, "http://"))
		return false;
	while (origin_len < issuer.len && issuer.data[origin_len] != '/')
		origin_len++;
	return url.len > origin_len && url.data[origin_len] == '/' &&
	       memcmp(url.data, issuer.data, origin_len) == 0;
}

/* RFC 8414, 3 and OpenID Connect Discovery 1.0, 4: where the issuer says its keys are. */
static const char *discover(const struct job *job, struct problem *p)
{
	const struct text issuer = text_of(job->issuer);
	const bool slash = issuer.len && issuer.data[issuer.len - 1] == '/';
	const char *url = arena_printf(job->arena, "%s%s.well-known/openid-configuration",
				       job->issuer, slash ? "" : "/")
				  .data;
	struct get_options get = job->get;
	const struct json *document, *value;
	struct get_answer answer;
	struct text text;
	const char *why = "";

	get.max_bytes = DISCOVERY_MAX_BYTES;
	if (!get_url(job->arena, url, AS_TEXT(""), &get, &answer, p))
		return NULL;
	document = json_parse(job->arena, answer.body, DISCOVERY_DEPTH, &why);
	if (!json_member(document, "issuer", &value) || !json_string(value, &text) ||
	    !text_equal(text, issuer)) {
		problem(p, KEYS_AWAY, "discovery: the document is not of this issuer");
		return NULL;
	}
	if (!json_member(document, "jwks_uri", &value) || !json_string(value, &text) ||
	    !is_fetchable(text, issuer)) {
		problem(p, KEYS_AWAY, "discovery: no jwks_uri under https");
		return NULL;
	}
	return arena_copy(job->arena, text).data;
}

static int64_t clamp_life(int64_t max_age)
{
	if (max_age < 0)
		return JWKS_LIFE_DEFAULT_S;
	if (max_age < JWKS_LIFE_MIN_S)
		return JWKS_LIFE_MIN_S;
	return max_age < JWKS_LIFE_MAX_S ? max_age : JWKS_LIFE_MAX_S;
}

/* An answer that is no key set must not replace one that is. */
static bool check_set(const struct job *job, struct text document, struct problem *p)
{
	struct jwk_set set;

	if (!jwk_set_parse(job->arena, document, &set, p))
		return false;
	log_event(CONFIG_LOG_INFO, "fetch", "provider %s: %zu keys, %zu passed over%s%s",
		  job->provider, set.count, set.skipped, set.skipped ? ": " : "",
		  set.skipped_why);
	jwk_set_close(&set);
	return true;
}

static bool fetch(struct job *job, struct problem *p)
{
	struct jwks_record record = { 0 }, old = { 0 };
	/* An ETag says nothing at another URL, and discovery may have found one. */
	const struct text etag =
		read_record(job, &old) && !job->issuer ? old.etag : AS_TEXT("");
	const char *url = job->issuer ? discover(job, p) : job->url;
	struct get_answer answer;

	if (!url || !get_url(job->arena, url, etag, &job->get, &answer, p))
		return false;
	/* Unasked for, it would keep alive what the issuer may have withdrawn. */
	if (answer.not_modified && !etag.len)
		return problem(p, KEYS_AWAY, "304 to a request without an ETag");
	job->not_modified = answer.not_modified;
	record.keys = answer.not_modified ? old.keys : answer.body;
	if (!check_set(job, record.keys, p))
		return false;
	record.url = text_of(source(job));
	record.etag = answer.not_modified ? old.etag : answer.etag;
	record.fetched_at = time(NULL);
	record.fresh_until = record.fetched_at + clamp_life(answer.max_age_s);
	return write_record(job, jwks_record_print(job->arena, &record), p);
}

/*
 * What reads the network's bytes has no business but this: the directory of key sets, the
 * ports where they are, no program. A discovery document may name another place, but only
 * on the issuer's port or https' own.
 */
static void confine(const struct job *job)
{
	struct sandbox *s = sandbox_new();

	sandbox_may_write(s, arena_printf(job->arena, "%s/jwks", job->state_dir).data);
	sandbox_may_resolve(s);
	sandbox_may_verify(s, job->get.ca_file);
	sandbox_may_connect_url(s, source(job));
	if (job->issuer)
		sandbox_may_connect_url(s, "https://");
	/* Whoever started us says at its own start what cannot be done here. */
	sandbox_enter(s, CONFIG_LOG_DEBUG);
	sandbox_free(s);
}

static bool fetch_and_count(struct job *job, struct problem *p)
{
	const uint64_t started = metrics_clock();
	const bool good = fetch(job, p);

	metrics_fetch(!good		  ? METRICS_FETCH_FAILED
		      : job->not_modified ? METRICS_FETCH_NOT_MODIFIED
					  : METRICS_FETCH_FETCHED,
		      metrics_clock() - started);
	return good;
}

static bool run(struct job *job, struct problem *p)
{
	int lock;

	if (!open_directory(job, p))
		return false;
	/* While the file can still be opened: it is not below jwks/. */
	metrics_open(job->state_dir);
	if (!job->unconfined)
		confine(job);
	lock = open_file(job->lock, O_RDONLY, p);
	if (lock < 0)
		return false;
	/* Held until we end, however we end. Whoever waited here looks at the cool-down anew. */
	if (flock(lock, LOCK_EX))
		return problem(p, KEYS_AWAY, "%s: %s", job->lock, strerror(errno));
	return jwks_is_cooling(job->tried, source(job), job->cooldown_s) ||
	       (note_begin(job, p) && fetch_and_count(job, p));
}

static int usage(void)
{
	fputs("usage: pintle-fetch --provider NAME --url URL | --issuer ISSUER\n"
	      "                    --state-dir DIR [--ca-file FILE] [--timeout SECONDS]\n"
	      "                    [--cooldown SECONDS] [--sandbox on|off]\n"
	      "       pintle-fetch --probe <REQUEST.json\n",
	      stderr);
	return EXIT_USAGE;
}

static bool parse_options(int argc, char **argv, struct job *job)
{
	static const struct option known[] = {
		{ "provider", required_argument, NULL, 'p' },
		{ "url", required_argument, NULL, 'u' },
		{ "issuer", required_argument, NULL, 'i' },
		{ "state-dir", required_argument, NULL, 's' },
		{ "ca-file", required_argument, NULL, 'a' },
		{ "timeout", required_argument, NULL, 't' },
		{ "cooldown", required_argument, NULL, 'c' },
		{ "sandbox", required_argument, NULL, 'b' },
		{ "probe", no_argument, NULL, 'r' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'p':
			job->provider = optarg;
			break;
		case 'u':
			job->url = optarg;
			break;
		case 'i':
			job->issuer = optarg;
			break;
		case 's':
			job->state_dir = optarg;
			break;
		case 'a':
			job->get.ca_file = optarg;
			break;
		case 't':
			job->get.timeout_s = atoi(optarg);
			break;
		case 'c':
			job->cooldown_s = atoi(optarg);
			break;
		case 'b':
			job->unconfined = strcmp(optarg, "off") == 0;
			break;
		case 'r':
			job->probe = true;
			break;
		default:
			return false;
		}
	}
	if (job->probe)
		return argc == 2;
	return optind == argc && job->provider && job->state_dir &&
	       !job->url != !job->issuer && job->get.timeout_s > 0;
}

int main(int argc, char **argv)
{
	struct job job = { .get = { .timeout_s = 5, .max_bytes = JWK_SET_MAX_BYTES } };
	struct problem p = { 0 };
	bool good;

	if (!parse_options(argc, argv, &job))
		return usage();
	if (job.probe)
		return probe_run();
	umask(077);
	signal(SIGXFSZ,
	       SIG_IGN); /* no room is an error that is told, and cleaned up after */
	job.arena = arena_new();
	good = run(&job, &p);
	if (!good)
		log_event(CONFIG_LOG_WARNING, "fetch", "provider %s: %s", job.provider,
			  p.detail);
	arena_free(job.arena);
	return good ? 0 : EXIT_TRY_AGAIN;
}
