/* Logins counted per address and minute, over processes, and what may happen to the file. */
#include "rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "scratch.h"

#define NOW (1795350000 / 60 * 60)

static struct arena *arena;
static struct config *config;
static struct rate *rate;

static int open_one(void **state)
{
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };

	(void)state;
	log_open(&quiet, "test");
	arena = arena_new();
	scratch_open();
	config = scratch_config(
		"public_url = \"https://www.example.com/auth\"\n"
		"state_dir = \"@\"\n"
		"rate_login = 3\n"
		"provider \"p\" { preset = \"cotter\" audience = \"us\" }\n");
	rate = rate_new(config);
	return 0;
}

static int close_one(void **state)
{
	(void)state;
	rate_free(rate);
	config_free(config);
	scratch_close();
	arena_free(arena);
	return 0;
}

static bool allow_in(struct rate *one, const char *address, int64_t now)
{
	struct problem p = { 0 };

	if (rate_allow(one, text_of(address), now, &p))
		return true;
	assert_int_equal(p.kind, PROBLEM_RATE_LIMITED);
	assert_int_equal(p.retry_after_s, 60 - now % 60);
	return false;
}

/* How many of the next TRIES are allowed. */
static int allowed(const char *address, int tries, int64_t now)
{
	int count = 0;

	for (int i = 0; i < tries; i++)
		count += allow_in(rate, address, now);
	return count;
}

static void fourth_login_of_a_minute_is_refused(void **state)
{
	(void)state;
	assert_int_equal(allowed("192.0.2.1", 3, NOW), 3);
	assert_int_equal(allowed("192.0.2.1", 50, NOW + 59), 0);
	assert_int_equal(allowed("192.0.2.2", 5, NOW + 59), 3);
	assert_int_equal(allowed("192.0.2.1", 5, NOW + 60), 3);
}

static void household_of_ipv6_counts_as_one(void **state)
{
	(void)state;
	assert_int_equal(allowed("2001:db8:1:2::1", 2, NOW), 2);
	assert_int_equal(allowed("2001:db8:1:2:ffff::9", 2, NOW), 1);
	assert_int_equal(allowed("2001:db8:1:3::1", 4, NOW), 3);
	/* An IPv4 address is the same however it is written. */
	assert_int_equal(allowed("192.0.2.9", 2, NOW), 2);
	assert_int_equal(allowed("::ffff:192.0.2.9", 2, NOW), 1);
	assert_int_equal(allowed("no address", 4, NOW), 3);
}

#define PROCESSES 8
#define TRIES 40

static void processes_together_let_three_through(void **state)
{
	int total = 0, status;

	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		const pid_t child = fork();

		assert_true(child >= 0);
		if (!child) {
			/* Each opens the file for itself, and perhaps makes it. */
			rate_free(rate);
			rate = rate_new(config);
			_exit(allowed("192.0.2.1", TRIES, NOW));
		}
	}
	while (wait(&status) > 0) {
		assert_true(WIFEXITED(status));
		total += WEXITSTATUS(status);
	}
	assert_int_equal(total, 3);
}

static void file_that_is_emptied_or_cut_short_kills_nobody(void **state)
{
	static const off_t sizes[] = { 0, 7, 40, 41, 4096, 100000 };
	const char *path = scratch_path(arena, "rate");

	(void)state;
	assert_int_equal(allowed("192.0.2.1", 3, NOW), 3);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(truncate(path, sizes[i]), 0);
		for (int j = 0; j < 100; j++)
			allowed(arena_printf(arena, "192.0.2.%d", j).data, 1, NOW);
	}
	/* And then it counts again. */
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(allowed("192.0.2.1", 5, NOW), 3);
}

static void file_that_is_removed_is_made_anew_for_all(void **state)
{
	struct rate *other = rate_new(config);

	(void)state;
	assert_int_equal(allowed("192.0.2.1", 1, NOW), 1);
	assert_true(allow_in(other, "192.0.2.1", NOW));
	assert_int_equal(unlink(scratch_path(arena, "rate")), 0);
	assert_int_equal(allowed("192.0.2.1", 2, NOW), 2);
	assert_true(allow_in(other, "192.0.2.1", NOW));
	assert_false(allow_in(other, "192.0.2.1", NOW));
	rate_free(other);
}

static void what_is_no_file_is_not_used_and_nobody_is_kept_out(void **state)
{
	const char *path = scratch_path(arena, "rate");

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(allowed("192.0.2.1", 5, NOW), 5);
	assert_int_equal(unlink(path), 0);
	scratch_write("precious", AS_TEXT("precious"));
	assert_int_equal(symlink(scratch_path(arena, "precious"), path), 0);
	assert_int_equal(allowed("192.0.2.1", 5, NOW), 5);
	assert_true(text_is(scratch_read(arena, "precious"), "precious"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(allowed("192.0.2.1", 5, NOW), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fourth_login_of_a_minute_is_refused),
		TEST(household_of_ipv6_counts_as_one),
		TEST(processes_together_let_three_through),
		TEST(file_that_is_emptied_or_cut_short_kills_nobody),
		TEST(file_that_is_removed_is_made_anew_for_all),
		TEST(what_is_no_file_is_not_used_and_nobody_is_kept_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
