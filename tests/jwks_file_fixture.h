/* For the tests of key sets in files: a state directory, providers, and what is found when. */
#ifndef PINTLE_JWKS_FILE_FIXTURE_H
#define PINTLE_JWKS_FILE_FIXTURE_H

#include "jwks.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "buffer.h"
#include "log.h"
#include "scratch.h"
#include "token_maker.h"

#define NOW 1795350100
#define URL "http://127.0.0.1:1/jwks" /* nobody answers there */
#define LIFE 3600
#define MAX_STALE 86400
#define FILE_NAME "jwks/p.json"

static const char configuration[] =
	"public_url = \"https://www.example.com/auth\"\n"
	"state_dir = \"@\"\n"
	"keys_max_stale = \"1d\"\n"
	"provider \"p\" { issuer = \"https://p.example\" audience = \"us\"\n"
	"  jwks_url = \"" URL "\" }\n"
	"provider \"pinned\" { issuer = \"https://pinned.example\" audience = \"us\"\n"
	"  jwks_file = \"@/pinned.json\" }\n"
	"provider \"oidc\" { issuer = \"https://oidc.example\" audience = \"us\"\n"
	"  discovery = \"yes\" }\n";

static struct arena *arena;
static struct config *config;
static struct maker_key *key;
static const char *a_and_b, *only_a; /* key sets: kids "a" and "b", and without "b" */
static struct jwks *jwks;

static inline int open_all(void **state)
{
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };

	(void)state;
	log_open(&quiet, "test");
	key = maker_key_new("P-256");
	return 0;
}

static inline int close_all(void **state)
{
	(void)state;
	maker_key_free(key);
	return 0;
}

static inline int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	scratch_open();
	assert_int_equal(mkdir(scratch_path(arena, "jwks"), 0700), 0);
	config = scratch_config(configuration);
	only_a = maker_jwk_set(arena, maker_jwk(arena, key, "\"kid\":\"a\""), NULL);
	a_and_b = maker_jwk_set(arena, maker_jwk(arena, key, "\"kid\":\"a\""),
				maker_jwk(arena, key, "\"kid\":\"b\""), NULL);
	jwks = jwks_new(config, &config->providers[0]);
	return 0;
}

static inline int close_one(void **state)
{
	(void)state;
	jwks_free(jwks);
	config_free(config);
	arena_free(arena);
	/* A fetch that still runs would write into the directory, or count as the next
	 * test's. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	scratch_close();
	return 0;
}

/* As if a fetch had just been begun: none is, for the cool-down. */
static inline void begin_cool_down(void)
{
	scratch_write("jwks/p.tried", AS_TEXT(URL));
}

static inline struct text record_of(const char *url, int64_t fetched_at, const char *set)
{
	const struct jwks_record record = {
		.url = text_of(url),
		.etag = AS_TEXT("\"v1\""),
		.fetched_at = fetched_at,
		.fresh_until = fetched_at + LIFE,
		.keys = text_of(set),
	};

	return jwks_record_print(arena, &record);
}

static inline void write_set(const char *set)
{
	scratch_write(FILE_NAME, record_of(URL, NOW, set));
}

static inline enum problem_kind find_at(struct jwks *set, const char *kid, int64_t now)
{
	struct arena *a = arena_new();
	const struct jws_key *found = NULL;
	const struct text text = text_of(kid);
	const struct jwks_wanted wanted = { .kid = kid ? &text : NULL,
					    .algorithm = JWS_ES256 };
	struct problem p = { 0 };

	if (jwks_find(set, &wanted, now, a, &found, &p))
		assert_non_null(found);
	else
		assert_int_not_equal(p.kind, PROBLEM_NONE);
	arena_free(a);
	return p.kind;
}

static inline enum problem_kind find(const char *kid)
{
	return find_at(jwks, kid, NOW);
}

static inline void pause_ms(long ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* Is KIND what a search for KID comes to, at once or within a second and a bit? */
static inline void expect_soon(struct jwks *set, const char *kid, enum problem_kind kind)
{
	for (int i = 0; find_at(set, kid, NOW) != kind; i++) {
		if (i == 26)
			fail_msg("%s: not %s even after 1.3 s", kid,
				 problem_row(kind)->name);
		pause_ms(50);
	}
}

/* What all children that have ended took: more if another one was there. */
static inline long children_took(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
	return usage.ru_minflt;
}

/* Has this process a child? */
static inline bool has_child(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
	       errno != ECHILD;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

#endif
