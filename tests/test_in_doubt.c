#include "in_doubt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

static struct arena *arena;

static int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	scratch_open();
	return 0;
}

static int close_one(void **state)
{
	(void)state;
	scratch_close();
	arena_free(arena);
	return 0;
}

static void what_was_noted_is_found_and_nothing_like_it(void **state)
{
	const char *dir = scratch_path(arena, "");

	(void)state;
	assert_false(in_doubt_find(dir, "7", 3));
	in_doubt_note(dir, "7", 3);
	in_doubt_note(dir, "18446744073709551615", UINT64_MAX);
	assert_true(in_doubt_find(dir, "7", 3));
	assert_true(in_doubt_find(dir, "18446744073709551615", UINT64_MAX));
	assert_false(in_doubt_find(dir, "7", 33));
	assert_false(in_doubt_find(dir, "77", 3));
	assert_false(in_doubt_find(dir, "", 3));
}

static void the_file_is_for_us_alone_and_stays_small(void **state)
{
	const char *dir = scratch_path(arena, "");
	struct stat st;

	(void)state;
	for (unsigned i = 0; i < 9000; i++)
		in_doubt_note(dir, "1000000", i);
	assert_int_equal(stat(scratch_path(arena, "in-doubt"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(st.st_size <= 65536);
	assert_true(in_doubt_find(dir, "1000000", 8999));
	assert_false(in_doubt_find(dir, "1000000", 0));
}

static void a_link_in_its_place_is_not_followed(void **state)
{
	const char *dir = scratch_path(arena, "");

	(void)state;
	scratch_write("precious", AS_TEXT("7.3\n"));
	assert_int_equal(
		symlink(scratch_path(arena, "precious"), scratch_path(arena, "in-doubt")),
		0);
	assert_false(in_doubt_find(dir, "7", 3));
	in_doubt_note(dir, "8", 1); /* only the log says that it could not be done */
	assert_int_equal(unlink(scratch_path(arena, "in-doubt")), 0);
	in_doubt_note(dir, "8", 1);
	assert_true(in_doubt_find(dir, "8", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_noted_is_found_and_nothing_like_it, open_one, close_one),
		cmocka_unit_test_setup_teardown(the_file_is_for_us_alone_and_stays_small,
						open_one, close_one),
		cmocka_unit_test_setup_teardown(a_link_in_its_place_is_not_followed,
						open_one, close_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
