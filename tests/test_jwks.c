/* Key sets in files: how soon a change is seen, and when one is due. */
#include "jwks_file_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
