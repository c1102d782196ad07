/* Our own signing keys: which one signs, and rotations, cut short and at once. */
#include "mint.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "json.h"
#include "scratch.h"
#include "token_maker.h"

#define NOW 1795350000
#define MINUTE 60

static struct arena *arena;
static const char *dir;

static int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	dir = scratch_open();
	return 0;
}

static int close_one(void **state)
{
	(void)state;
	scratch_close();
	arena_free(arena);
	return 0;
}

static const char *rotate(int64_t now)
{
	char *kid = arena_alloc(arena, 64);
	struct problem p = { 0 };

	if (!mint_rotate(dir, now, kid, &p))
		fail_msg("%s", p.detail);
	return kid;
}

/* The kid of a token made now; NULL if none can be made. */
static const char *signer(void)
{
	const struct config config = { .public_url =
					       (char[]){ "https://www.example.com/auth" },
				       .session.keys_dir = (char *)(uintptr_t)dir };
	const struct store_user user = { .id = "1", .email = "alice@example.com" };
	struct mint *mint = mint_new(&config);
	struct problem p = { 0 };
	const struct json *kid;
	struct text token, name = { 0 };
	int64_t expires_at;
	const char *why;
	const bool good =
		mint_token(mint, &user, "7", NOW, arena, &token, &expires_at, &p);

	mint_free(mint);
	if (!good) {
		assert_int_equal(p.kind, PROBLEM_INTERNAL);
		return NULL;
	}
	assert_true(json_member(json_parse(arena,
					   maker_unbase64url(arena,
							     maker_token_part(token, 0)),
					   4, &why),
				"kid", &kid) &&
		    json_string(kid, &name));
	return arena_copy(arena, name).data;
}

static bool is_published(const char *kid)
{
	const struct json *document, *keys, *value;
	struct text name;
	const char *why;

	document = json_parse(arena, scratch_read(arena, MINT_JWKS_FILE), 8, &why);
	assert_true(json_member(document, "keys", &keys));
	for (size_t i = 0; i < json_array_length(keys); i++)
		if (json_member(json_array_at(keys, i), "kid", &value) &&
		    json_string(value, &name) && text_is(name, kid))
			return true;
	return false;
}

static const char *file(const char *kid, const char *suffix)
{
	return arena_printf(arena, "%s%s", kid, suffix).data;
}

static unsigned count_files(void)
{
	DIR *d = opendir(dir);
	unsigned count = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

static void newest_key_signs_and_the_one_before_it_is_honoured(void **state)
{
	const char *first = rotate(NOW), *second;

	(void)state;
	assert_string_equal(signer(), first);
	second = rotate(NOW + 60 * MINUTE);
	assert_string_equal(signer(), second);
	/* It signed until a moment ago. */
	assert_true(is_published(first) && is_published(second));
	rotate(NOW + 75 * MINUTE);
	assert_true(is_published(first));
	rotate(NOW + 75 * MINUTE + 1);
	assert_false(is_published(first));
	assert_false(scratch_exists(file(first, ".pem")));
	assert_false(scratch_exists(file(first, ".jwk")));
	assert_true(is_published(second));
}

static void stray_private_key_never_signs(void **state)
{
	static const char *const names[] = { "zz-copy.pem",
					     "server.pem",
					     "zzzz.pem",
					     "20991231T235959Z-00000000.pem",
					     "20991231T235959Z-0000000.pem",
					     "20991231t235959z-00000000.pem",
					     ".pem" };
	const char *kid = rotate(NOW);
	const struct text pem = scratch_read(arena, file(kid, ".pem"));

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		scratch_write(names[i], pem);
		assert_string_equal(signer(), kid);
	}
	/* Nor is it in the way of a rotation, or removed by one. */
	kid = rotate(NOW + MINUTE);
	assert_string_equal(signer(), kid);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_true(scratch_exists(names[i]));
}

/* A rotation that ends after its first or second file: the key at work goes on as before. */
static void rotation_cut_short_takes_no_key_away(void **state)
{
	(void)state;
	for (int written = 1; written <= 2; written++) {
		const char *working = rotate(NOW), *left, *next;
		const struct text before = scratch_read(arena, MINT_JWKS_FILE);

		/* Without its private half the second is one that was cut short. */
		left = rotate(NOW + MINUTE);
		assert_int_equal(unlink(scratch_path(arena, file(left, ".pem"))), 0);
		if (written == 1)
			scratch_write(MINT_JWKS_FILE, before);
		assert_string_equal(signer(), working);
		/* Much later: what was left behind did not make the one at work old. */
		next = rotate(NOW + 120 * MINUTE);
		assert_true(is_published(working));
		assert_false(is_published(left));
		assert_false(scratch_exists(file(left, ".jwk")));
		assert_string_equal(signer(), next);
		scratch_close();
		dir = scratch_open();
	}
}

static void *rotate_beside(void *context)
{
	struct problem p = { 0 };
	char kid[64];

	return mint_rotate(context, NOW, kid, &p) ? context : NULL;
}

static void rotations_at_once_leave_every_key_whole(void **state)
{
	pthread_t threads[12];
	void *good;

	(void)state;
	rotate(NOW);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, rotate_beside,
						(void *)(uintptr_t)dir),
				 0);
	for (size_t i = 0; i < 12; i++) {
		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_non_null(good);
	}
	/* A pair of files each, the set and the key of the refresh tokens. */
	assert_int_equal(count_files(), 13 * 2 + 2);
	assert_true(is_published(signer()));
}

static void keys_that_others_could_have_written_do_not_sign(void **state)
{
	const char *kid = rotate(NOW);
	const struct {
		const char *name;
		mode_t bad, good;
	} cases[] = {
		{ "", 0770, 0700 },
		{ "", 0707, 0750 },
		{ file(kid, ".pem"), 0640, 0600 },
		{ file(kid, ".pem"), 0604, 0400 },
		{ MINT_REFRESH_FILE, 0640, 0600 },
		{ MINT_JWKS_FILE, 0664, 0644 },
		{ MINT_JWKS_FILE, 0646, 0600 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *path = scratch_path(arena, cases[i].name);

		assert_int_equal(chmod(path, cases[i].bad), 0);
		if (signer())
			fail_msg("%s with mode %o", path, cases[i].bad);
		assert_int_equal(chmod(path, cases[i].good), 0);
		assert_non_null(signer());
	}
	if (geteuid() == 0) {
		assert_int_equal(
			chown(scratch_path(arena, file(kid, ".pem")), 65534, 65534), 0);
		assert_null(signer());
	}
}

static void directory_that_others_can_write_gets_no_key(void **state)
{
	struct problem p = { 0 };
	char kid[64];

	(void)state;
	assert_int_equal(chmod(dir, 0770), 0);
	assert_false(mint_rotate(dir, NOW, kid, &p));
	assert_int_equal(count_files(), 0);
	assert_int_equal(chmod(dir, 0700), 0);
	rotate(NOW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(newest_key_signs_and_the_one_before_it_is_honoured),
		TEST(stray_private_key_never_signs),
		TEST(rotation_cut_short_takes_no_key_away),
		TEST(rotations_at_once_leave_every_key_whole),
		TEST(keys_that_others_could_have_written_do_not_sign),
		TEST(directory_that_others_can_write_gets_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
