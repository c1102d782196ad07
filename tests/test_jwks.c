/*
 * Key sets in files: which are believed, how soon a change is seen, and when one is due.
 */
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

static int open_all(void **state)
{
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };

	(void)state;
	log_open(&quiet, "test");
	key = maker_key_new("P-256");
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	maker_key_free(key);
	return 0;
}

static int open_one(void **state)
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

static int close_one(void **state)
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
static void begin_cool_down(void)
{
	scratch_write("jwks/p.tried", AS_TEXT(URL));
}

static struct text record_of(const char *url, int64_t fetched_at, const char *set)
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

static void write_set(const char *set)
{
	scratch_write(FILE_NAME, record_of(URL, NOW, set));
}

static enum problem_kind find_at(struct jwks *set, const char *kid, int64_t now)
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

static enum problem_kind find(const char *kid)
{
	return find_at(jwks, kid, NOW);
}

static void pause_ms(long ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* Is KIND what a search for KID comes to, at once or within a second and a bit? */
static void expect_soon(struct jwks *set, const char *kid, enum problem_kind kind)
{
	for (int i = 0; find_at(set, kid, NOW) != kind; i++) {
		if (i == 26)
			fail_msg("%s: not %s even after 1.3 s", kid,
				 problem_row(kind)->name);
		pause_ms(50);
	}
}

/* What all children that have ended took: more if another one was there. */
static long children_took(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
	return usage.ru_minflt;
}

/* Has this process a child? */
static bool has_child(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
	       errno != ECHILD;
}

/* ---- records */

static void record_is_read_as_it_was_printed(void **state)
{
	const struct jwks_record written = {
		.url = AS_TEXT("https://issuer.example/keys?a=\"b\"&c=\\"),
		.etag = AS_TEXT("W/\"\x01\xe9 x\""),
		.fetched_at = NOW,
		.fresh_until = NOW + 300,
		.keys = text_of(a_and_b),
	};
	struct jwks_record read = { 0 };
	struct problem p = { 0 };

	(void)state;
	assert_true(
		jwks_record_parse(arena, jwks_record_print(arena, &written), &read, &p));
	assert_true(text_equal(read.url, written.url));
	assert_int_equal(read.fetched_at, NOW);
	assert_int_equal(read.fresh_until, NOW + 300);
	assert_true(text_is(read.keys, a_and_b));
	/* A byte that is no UTF-8 must not spoil the file. */
	assert_true(text_is(read.etag, "W/\"\x01\xef\xbf\xbd x\""));
}

static void record_makes_no_set_live_longer_than_a_fetch_could(void **state)
{
	struct jwks_record record = {
		.url = AS_TEXT(URL),
		.etag = AS_TEXT(""),
		.fetched_at = NOW,
		.fresh_until = NOW + JWKS_LIFE_MAX_S,
		.keys = text_of(only_a),
	};
	struct jwks_record read;
	struct problem p = { 0 };

	(void)state;
	assert_true(
		jwks_record_parse(arena, jwks_record_print(arena, &record), &read, &p));
	assert_int_equal(read.fresh_until, NOW + JWKS_LIFE_MAX_S);
	record.fresh_until = 253402300799;
	assert_true(
		jwks_record_parse(arena, jwks_record_print(arena, &record), &read, &p));
	assert_int_equal(read.fresh_until, NOW + JWKS_LIFE_MAX_S);
}

static void damaged_record_is_refused(void **state)
{
#define URL_ETAG "\"url\":\"u\",\"etag\":\"\","
#define TIMES "\"fetched_at\":1,\"fresh_until\":2,"
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"keys\":[]}",
		"{" URL_ETAG TIMES "\"set\":{\"keys\":[]}",
		"{" URL_ETAG TIMES "\"set\":{\"keys\":[]}}}",
		"{" URL_ETAG TIMES "\"keys\":[]}",
		"{\"etag\":\"\"," TIMES "\"set\":{}}",
		"{\"url\":\"u\"," TIMES "\"set\":{}}",
		"{\"url\":1,\"etag\":\"\"," TIMES "\"set\":{}}",
		"{" URL_ETAG "\"fetched_at\":\"1\",\"fresh_until\":2,\"set\":{}}",
		"{" URL_ETAG "\"fetched_at\":-1,\"fresh_until\":2,\"set\":{}}",
		"{" URL_ETAG "\"fetched_at\":1,\"fresh_until\":1e400,\"set\":{}}",
		"{" URL_ETAG "\"fetched_at\":1,\"set\":{}}",
		"{" URL_ETAG URL_ETAG TIMES "\"set\":{}}",
	};
	struct jwks_record read, untouched;

	(void)state;
	memset(&read, 0x5a, sizeof(read));
	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct problem p = { 0 };

		if (jwks_record_parse(arena, text_of(bad[i]), &read, &p))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(p.kind, PROBLEM_KEYS_AWAY);
		assert_memory_equal(&read, &untouched, sizeof(read));
	}
	{
		struct problem p = { 0 };

		assert_true(jwks_record_parse(
			arena, AS_TEXT("{" URL_ETAG TIMES "\"set\":{\"keys\":[]}}"),
			&read, &p));
	}
}

/* ---- files that are believed, and others */

static void key_is_found_in_the_file_of_the_state_directory(void **state)
{
	size_t keys;
	int64_t age;

	(void)state;
	begin_cool_down();
	assert_false(jwks_status(jwks, NOW, &keys, &age));
	write_set(a_and_b);
	expect_soon(jwks, "a", PROBLEM_NONE);
	assert_int_equal(find("b"), PROBLEM_NONE);
	assert_int_equal(find("c"), PROBLEM_TOKEN_KEY);
	assert_true(jwks_status(jwks, NOW + 7, &keys, &age));
	assert_int_equal(keys, 2);
	assert_int_equal(age, 7);
}

static void without_a_file_one_fetch_is_tried_per_cool_down(void **state)
{
	const long before = children_took();

	(void)state;
	begin_cool_down();
	assert_int_equal(find("a"), PROBLEM_KEYS_AWAY);
	assert_int_equal(find(NULL), PROBLEM_KEYS_AWAY);
	assert_int_equal(children_took(), before);
	unlink(scratch_path(arena, "jwks/p.tried"));
	assert_int_equal(find("a"), PROBLEM_KEYS_AWAY);
	assert_true(children_took() > before);
}

/* With this file, and with the same one put right. */
static void expect_disbelief(const char *what)
{
	struct jwks *fresh = jwks_new(config, &config->providers[0]);

	if (find_at(fresh, "a", NOW) != PROBLEM_KEYS_AWAY)
		fail_msg("believed: %s", what);
	write_set(only_a);
	assert_int_equal(find_at(fresh, "a", NOW), PROBLEM_NONE);
	jwks_free(fresh);
}

static void file_that_others_can_write_is_refused(void **state)
{
	static const mode_t bad[] = { 0620, 0602, 0622, 0666 };
	static const mode_t good[] = { 0600, 0400, 0640, 0644, 0444 };
	const char *path = scratch_path(arena, FILE_NAME);

	(void)state;
	begin_cool_down();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		write_set(a_and_b);
		chmod(path, bad[i]);
		expect_disbelief("writable by others");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct jwks *fresh = jwks_new(config, &config->providers[0]);

		write_set(only_a);
		chmod(path, good[i]);
		assert_int_equal(find_at(fresh, "a", NOW), PROBLEM_NONE);
		jwks_free(fresh);
	}
}

static void file_refused_for_its_mode_is_read_after_chmod(void **state)
{
	const char *path = scratch_path(arena, "pinned.json");
	struct jwks *pinned = jwks_new(config, &config->providers[1]);

	(void)state;
	scratch_write("pinned.json", text_of(only_a));
	chmod(path, 0666);
	assert_int_equal(find_at(pinned, "a", NOW), PROBLEM_KEYS_AWAY);
	chmod(path, 0644);
	assert_int_equal(find_at(pinned, "a", NOW), PROBLEM_NONE);
	jwks_free(pinned);
}

static void file_of_another_owner_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message(
			"skipped: file of another owner (only root can make one)\n");
		return;
	}
	begin_cool_down();
	write_set(a_and_b);
	assert_int_equal(chown(scratch_path(arena, FILE_NAME), 65534, 65534), 0);
	expect_disbelief("of another owner");
}

static void symbolic_link_in_the_state_directory_is_refused(void **state)
{
	const char *path = scratch_path(arena, FILE_NAME);

	(void)state;
	begin_cool_down();
	scratch_write("elsewhere.json", record_of(URL, NOW, a_and_b));
	assert_int_equal(symlink("../elsewhere.json", path), 0);
	expect_disbelief("a symbolic link");
}

static void pinned_file_may_be_a_symbolic_link(void **state)
{
	struct jwks *pinned = jwks_new(config, &config->providers[1]);

	(void)state;
	scratch_write("elsewhere.json", text_of(only_a));
	assert_int_equal(symlink("elsewhere.json", scratch_path(arena, "pinned.json")),
			 0);
	assert_int_equal(find_at(pinned, "a", NOW), PROBLEM_NONE);
	jwks_free(pinned);
}

static void what_is_no_regular_file_is_refused_at_once(void **state)
{
	const char *path = scratch_path(arena, FILE_NAME);

	(void)state;
	begin_cool_down();
	/* With nobody at its other end a FIFO would hold whoever opens it. */
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_disbelief("a FIFO");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(find("a"), PROBLEM_KEYS_AWAY);
}

static void file_of_another_url_is_refused(void **state)
{
	struct jwks *oidc = jwks_new(config, &config->providers[2]);

	(void)state;
	begin_cool_down();
	scratch_write(FILE_NAME, record_of("http://127.0.0.1:1/other", NOW, a_and_b));
	expect_disbelief("from another URL");
	scratch_write(FILE_NAME, record_of(URL "/", NOW, a_and_b));
	expect_disbelief("from nearly the same URL");
	/* With discovery it is the issuer that stands there. */
	scratch_write("jwks/oidc.tried", AS_TEXT("https://oidc.example"));
	scratch_write("jwks/oidc.json", record_of(URL, NOW, a_and_b));
	assert_int_equal(find_at(oidc, "a", NOW), PROBLEM_KEYS_AWAY);
	scratch_write("jwks/oidc.json", record_of("https://oidc.example", NOW, a_and_b));
	assert_int_equal(find_at(oidc, "a", NOW), PROBLEM_NONE);
	jwks_free(oidc);
}

static void oversized_file_is_refused(void **state)
{
	char *blanks = arena_alloc(arena, 300 * 1024);
	struct buffer b = buffer_new(arena, 320 * 1024);

	(void)state;
	begin_cool_down();
	memset(blanks, ' ', 300 * 1024);
	buffer_add(&b, record_of(URL, NOW, a_and_b));
	buffer_add(&b, (struct text){ blanks, 300 * 1024 });
	scratch_write(FILE_NAME, buffer_text(&b));
	expect_disbelief("over 260 KiB");
}

/* ---- changes */

static void damaged_file_keeps_the_keys_read_before(void **state)
{
	static const char *const bad[] = {
		"", "{", "{\"keys\":[]}", "<html>", "\177ELF",
	};
	size_t keys;
	int64_t age;

	(void)state;
	begin_cool_down();
	write_set(a_and_b);
	assert_int_equal(find("b"), PROBLEM_NONE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		scratch_write(FILE_NAME, text_of(bad[i]));
		/* An unknown kid has the file looked at here and now. */
		assert_int_equal(find("unknown"), PROBLEM_TOKEN_KEY);
		assert_int_equal(find("b"), PROBLEM_NONE);
	}
	assert_int_equal(unlink(scratch_path(arena, FILE_NAME)), 0);
	assert_int_equal(find("unknown"), PROBLEM_TOKEN_KEY);
	assert_int_equal(find("b"), PROBLEM_NONE);
	assert_true(jwks_status(jwks, NOW, &keys, &age));
	/* And a good one after all these is taken. */
	write_set(only_a);
	assert_int_equal(find("unknown"), PROBLEM_TOKEN_KEY);
	assert_int_equal(find("b"), PROBLEM_TOKEN_KEY);
}

static void withdrawn_key_is_refused_within_a_second_of_the_refresh(void **state)
{
	(void)state;
	begin_cool_down();
	write_set(a_and_b);
	assert_int_equal(find("b"), PROBLEM_NONE);
	write_set(only_a);
	expect_soon(jwks, "b", PROBLEM_TOKEN_KEY);
	assert_int_equal(find("a"), PROBLEM_NONE);
}

static void pinned_file_is_read_again_within_a_second(void **state)
{
	struct jwks *pinned = jwks_new(config, &config->providers[1]);

	(void)state;
	assert_int_equal(find_at(pinned, "a", NOW), PROBLEM_KEYS_AWAY);
	scratch_write("pinned.json", text_of(a_and_b));
	assert_int_equal(find_at(pinned, "b", NOW), PROBLEM_NONE);
	scratch_write("pinned.json", text_of(only_a));
	expect_soon(pinned, "b", PROBLEM_TOKEN_KEY);
	assert_int_equal(find_at(pinned, "a", NOW), PROBLEM_NONE);
	scratch_write("pinned.json", AS_TEXT("{\"keys\":"));
	pause_ms(1050);
	assert_int_equal(find_at(pinned, "a", NOW), PROBLEM_NONE);
	assert_int_equal(find_at(pinned, "c", NOW), PROBLEM_TOKEN_KEY);
	jwks_free(pinned);
}

static void pinned_file_never_leads_to_a_fetch_and_never_goes_stale(void **state)
{
	struct jwks *pinned = jwks_new(config, &config->providers[1]);

	(void)state;
	scratch_write("pinned.json", text_of(only_a));
	assert_int_equal(find_at(pinned, "a", NOW), PROBLEM_NONE);
	assert_int_equal(find_at(pinned, "a", 253402300799), PROBLEM_NONE);
	assert_int_equal(find_at(pinned, "x", NOW), PROBLEM_TOKEN_KEY);
	assert_int_equal(find_at(pinned, NULL, NOW), PROBLEM_NONE);
	assert_false(has_child());
	assert_false(scratch_exists("jwks/pinned.tried"));
	jwks_free(pinned);
}

static void set_loaded_by_one_request_outlives_a_change_during_it(void **state)
{
	struct arena *request = arena_new();
	const struct text kid = AS_TEXT("b");
	const struct jwks_wanted wanted = { .kid = &kid, .algorithm = JWS_ES256 };
	const struct jws_key *found;
	struct problem p = { 0 };

	(void)state;
	begin_cool_down();
	write_set(a_and_b);
	assert_true(jwks_find(jwks, &wanted, NOW, request, &found, &p));
	write_set(only_a);
	assert_int_equal(find("unknown"), PROBLEM_TOKEN_KEY);
	assert_int_equal(find("b"), PROBLEM_TOKEN_KEY);
	/* Under the sanitizer this would tell of a key that is gone. */
	assert_true(jws_key_fits(found) & 1u << JWS_ES256);
	arena_free(request);
}

/* ---- age */

static void last_good_keys_serve_until_they_are_too_stale(void **state)
{
	const int64_t end = NOW + LIFE + MAX_STALE;

	(void)state;
	begin_cool_down();
	write_set(only_a);
	assert_int_equal(find_at(jwks, "a", NOW), PROBLEM_NONE);
	assert_int_equal(find_at(jwks, "a", NOW + LIFE + 1), PROBLEM_NONE);
	assert_int_equal(find_at(jwks, "a", end), PROBLEM_NONE);
	assert_int_equal(find_at(jwks, "a", end + 1), PROBLEM_KEYS_AWAY);
	assert_int_equal(find_at(jwks, "a", NOW), PROBLEM_NONE);
	assert_false(has_child());
}

static void unknown_kid_is_refused_only_on_the_word_of_a_recent_fetch(void **state)
{
	(void)state;
	begin_cool_down();
	write_set(only_a);
	assert_int_equal(find_at(jwks, "new", NOW + config->key_cooldown_s),
			 PROBLEM_TOKEN_KEY);
	/*
	 * Older than the cool-down, and no fetch may be made: it may well be a new key.
	 */
	assert_int_equal(find_at(jwks, "new", NOW + config->key_cooldown_s + 1),
			 PROBLEM_KEYS_AWAY);
}

static void set_is_asked_for_when_four_fifths_of_its_life_are_over(void **state)
{
	(void)state;
	write_set(only_a);
	assert_int_equal(find_at(jwks, "a", NOW), PROBLEM_NONE);
	assert_int_equal(find_at(jwks, "a", NOW + LIFE / 5 * 4 - 1), PROBLEM_NONE);
	assert_false(has_child());
	assert_int_equal(find_at(jwks, "a", NOW + LIFE / 5 * 4), PROBLEM_NONE);
	assert_true(has_child());
}

static void set_from_the_future_is_asked_for(void **state)
{
	(void)state;
	write_set(only_a);
	assert_int_equal(find_at(jwks, "a", NOW - 1), PROBLEM_NONE);
	assert_true(has_child());
}

static void set_that_is_due_is_asked_for_once_per_cool_down(void **state)
{
	(void)state;
	begin_cool_down();
	write_set(only_a);
	assert_int_equal(find_at(jwks, "a", NOW + LIFE), PROBLEM_NONE);
	assert_false(has_child());
}

/* With the stamp SECONDS ago. */
static bool is_cooling(int seconds, const char *url)
{
	const char *tried = scratch_path(arena, "jwks/p.tried");
	const struct timespec when[2] = { { .tv_nsec = UTIME_OMIT },
					  { .tv_sec = time(NULL) - seconds } };

	begin_cool_down();
	assert_int_equal(utimensat(AT_FDCWD, tried, when, 0), 0);
	return jwks_is_cooling(tried, url, 60);
}

static void cool_down_is_of_one_url_and_ends(void **state)
{
	(void)state;
	assert_true(is_cooling(0, URL));
	assert_true(is_cooling(57, URL));
	assert_false(is_cooling(60, URL));
	assert_false(is_cooling(0, URL "/"));
	assert_false(is_cooling(0, "http://127.0.0.1:1/jwk"));
	/* A clock that was set back must not keep keys from being fetched for hours. */
	assert_false(is_cooling(-60, URL));
	assert_int_equal(unlink(scratch_path(arena, "jwks/p.tried")), 0);
	assert_false(jwks_is_cooling(scratch_path(arena, "jwks/p.tried"), URL, 60));
}

static void kid_of_unprintable_characters_asks_for_nothing(void **state)
{
	static const char *const bad[] = { "\x01", "a\n", "\x7f", "\xc3\xa9", "a\tb" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(find(bad[i]), PROBLEM_TOKEN_KEY);
	assert_false(has_child());
	/* One of printable ones does, as there are no keys at all. */
	assert_int_equal(find("a b~"), PROBLEM_KEYS_AWAY);
	assert_true(scratch_exists("jwks/p.tried"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(record_is_read_as_it_was_printed),
		TEST(record_makes_no_set_live_longer_than_a_fetch_could),
		TEST(damaged_record_is_refused),
		TEST(key_is_found_in_the_file_of_the_state_directory),
		TEST(without_a_file_one_fetch_is_tried_per_cool_down),
		TEST(file_that_others_can_write_is_refused),
		TEST(file_refused_for_its_mode_is_read_after_chmod),
		TEST(file_of_another_owner_is_refused),
		TEST(symbolic_link_in_the_state_directory_is_refused),
		TEST(pinned_file_may_be_a_symbolic_link),
		TEST(what_is_no_regular_file_is_refused_at_once),
		TEST(file_of_another_url_is_refused),
		TEST(oversized_file_is_refused),
		TEST(damaged_file_keeps_the_keys_read_before),
		TEST(withdrawn_key_is_refused_within_a_second_of_the_refresh),
		TEST(pinned_file_is_read_again_within_a_second),
		TEST(pinned_file_never_leads_to_a_fetch_and_never_goes_stale),
		TEST(set_loaded_by_one_request_outlives_a_change_during_it),
		TEST(last_good_keys_serve_until_they_are_too_stale),
		TEST(unknown_kid_is_refused_only_on_the_word_of_a_recent_fetch),
		TEST(set_is_asked_for_when_four_fifths_of_its_life_are_over),
		TEST(set_from_the_future_is_asked_for),
		TEST(set_that_is_due_is_asked_for_once_per_cool_down),
		TEST(cool_down_is_of_one_url_and_ends),
		TEST(kid_of_unprintable_characters_asks_for_nothing),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
