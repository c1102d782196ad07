/* Key sets in files: which are believed. */
#include "jwks_file_fixture.h"

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
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
