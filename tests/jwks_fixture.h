/*
 * For the tests of key sets from an issuer, by pintle-fetch: a provider whose issuer answers
 * what a test says, and what the state directory holds.
 */
#ifndef PINTLE_JWKS_FIXTURE_H
#define PINTLE_JWKS_FIXTURE_H

#include "jwks.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "raw_server.h"
#include "scratch.h"
#include "token_maker.h"

#define FILE_NAME "jwks/p.json"
#define TRIED "jwks/p.tried"

static struct arena *arena;
static struct config *config;
static struct maker_key *key, *other_key;
static const char *a_and_b, *only_a;
static struct jwks *jwks;
static unsigned short port;

static inline int open_all(void **state)
{
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };

	(void)state;
	log_open(&quiet, "test");
	key = maker_key_new("P-256");
	other_key = maker_key_new("P-256");
	port = raw_server_start(0);
	return 0;
}

static inline int close_all(void **state)
{
	(void)state;
	raw_server_stop();
	maker_key_free(key);
	maker_key_free(other_key);
	return 0;
}

static inline int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	scratch_open();
	config = scratch_config(
		arena_printf(arena,
			     "public_url = \"https://www.example.com/auth\"\n"
			     "state_dir = \"@\"\n"
			     "threads = 4\n"
			     "fetch_timeout = \"1s\"\n"
			     "key_cooldown = \"60s\"\n"
			     "provider \"p\" { issuer = \"https://p.example\" audience = "
			     "\"us\"\n"
			     "  jwks_url = \"http://127.0.0.1:%d/jwks\" }\n"
			     "provider \"q\" { issuer = \"https://q.example\" audience = "
			     "\"us\"\n"
			     "  jwks_url = \"http://127.0.0.1:%d/jwks\" }\n",
			     port, port)
			.data);
	only_a = maker_jwk_set(arena, maker_jwk(arena, key, "\"kid\":\"a\""), NULL);
	a_and_b = maker_jwk_set(arena, maker_jwk(arena, key, "\"kid\":\"a\""),
				maker_jwk(arena, key, "\"kid\":\"b\""), NULL);
	jwks = jwks_new(config, &config->providers[0]);
	raw_server_serve(arena, "", only_a);
	raw_server_requests();
	return 0;
}

static inline int close_one(void **state)
{
	(void)state;
	jwks_free(jwks);
	config_free(config);
	while (waitpid(-1, NULL, 0) > 0)
		;
	raw_server_answer(AS_TEXT(""), RAW_CLOSE, 0);
	arena_free(arena);
	scratch_close();
	return 0;
}

static inline void end_cool_down(void)
{
	unlink(scratch_path(arena, TRIED));
}

/* As if the last fetch had been begun 90 seconds ago. */
static inline void end_cool_down_keeping_the_stamp(void)
{
	const struct timespec when[2] = { { .tv_nsec = UTIME_OMIT },
					  { .tv_sec = time(NULL) - 90 } };

	assert_int_equal(utimensat(AT_FDCWD, scratch_path(arena, TRIED), when, 0), 0);
}

/* From now on a fetch takes as long as it may, and that is SECONDS. */
static inline void make_issuer_slow(int seconds)
{
	config->fetch_timeout_s = seconds;
	jwks_free(jwks);
	jwks = jwks_new(config, &config->providers[0]);
	raw_server_answer(AS_TEXT("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"),
			  RAW_DRIP, 0);
}

static inline bool fetch_runs(void)
{
	const int fd = open(scratch_path(arena, "jwks/p.lock"), O_RDONLY);
	const bool runs = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;

	if (fd >= 0)
		close(fd);
	return runs;
}

/* That a fetch that lasts still runs shows that nobody has waited for it. How often it asked. */
static inline unsigned expect_that_it_still_runs(void)
{
	unsigned asked = raw_server_requests();

	for (int i = 0; i < 900 && !(asked && fetch_runs()); i++) {
		usleep(10000);
		asked += raw_server_requests();
	}
	assert_true(fetch_runs());
	/* The rest of it is of no interest. */
	raw_server_stop();
	while (waitpid(-1, NULL, 0) > 0)
		;
	raw_server_start(port);
	return asked;
}

static inline double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline enum problem_kind find_in(struct jwks *set, const char *kid)
{
	struct arena *a = arena_new();
	const struct text text = text_of(kid);
	const struct jwks_wanted wanted = { .kid = &text, .algorithm = JWS_ES256 };
	const struct jws_key *found;
	struct problem p = { 0 };
	const bool good = jwks_find(set, &wanted, time(NULL), a, &found, &p);

	arena_free(a);
	return good ? PROBLEM_NONE : p.kind;
}

static inline enum problem_kind find(const char *kid)
{
	return find_in(jwks, kid);
}

static inline bool refresh(void)
{
	struct problem p = { 0 };

	/* The last fetch's second has to be over for a new one to show. */
	return jwks_refresh(jwks, time(NULL), &p);
}

/* A set that was fetched AGE seconds ago. */
static inline void write_set(const char *set, int age)
{
	const int64_t now = time(NULL);
	const struct jwks_record record = {
		.url = arena_printf(arena, "http://127.0.0.1:%d/jwks", port),
		.etag = AS_TEXT(""),
		.fetched_at = now - age,
		.fresh_until = now - age + 3600,
		.keys = text_of(set),
	};

	mkdir(scratch_path(arena, "jwks"), 0700);
	scratch_write(FILE_NAME, jwks_record_print(arena, &record));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

#endif
