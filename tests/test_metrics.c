/* The counts that workers share: right whoever dies, and whatever is done to their file. */
#include "metrics.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

#define WORKERS 8
#define EACH 20000

static struct arena *arena;
static const char *scratch_dir;
static char file[512];

/* The one file that metrics_open made in the directory. */
static void find_file(void)
{
	FILE *list;
	const char *command = arena_printf(arena, "echo %s/metrics-*", scratch_dir).data;

	list = popen(command, "r");
	assert_non_null(list);
	assert_non_null(fgets(file, sizeof(file), list));
	pclose(list);
	file[strcspn(file, "\n")] = '\0';
	assert_null(strchr(file, '*'));
	assert_null(strchr(file, ' '));
}

static int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	scratch_dir = scratch_open();
	metrics_open(scratch_dir);
	find_file();
	return 0;
}

static int close_one(void **state)
{
	(void)state;
	scratch_close();
	arena_free(arena);
	return 0;
}

/* What is printed, or NULL when nothing can be. */
static const char *page(void)
{
	struct buffer b = buffer_new(arena, 65536);
	struct problem p = { 0 };

	if (!metrics_print(&b, &p)) {
		assert_int_equal(p.kind, PROBLEM_INTERNAL);
		return NULL;
	}
	buffer_add_char(&b, '\0');
	return b.data;
}

/* The number behind the line that begins with NAME and a blank. */
static long long value(const char *name)
{
	const char *text = page(), *line;
	const size_t len = strlen(name);

	assert_non_null(text);
	for (line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return atoll(line + len + 1);
	fail_msg("no line %s", name);
	return -1;
}

#define LOGINS_200 "pintle_requests_total{path=\"/login\",status=\"200\"}"

static void once(void)
{
	metrics_request(METRICS_PATH_LOGIN, 200, 700);
}

/* ---- what is counted */

static void each_count_has_its_line(void **state)
{
	(void)state;
	once();
	metrics_request(METRICS_PATH_LOGIN, 403, 20);
	metrics_request(METRICS_PATH_OTHER, 418, 20);
	metrics_login(PROBLEM_NONE, true);
	metrics_login(PROBLEM_NONE, false);
	metrics_login(PROBLEM_NONE, false);
	metrics_login(PROBLEM_TOKEN_EXPIRED, false);
	metrics_login(PROBLEM_DATABASE_AWAY, false);
	metrics_token(METRICS_PROVIDER, PROBLEM_TOKEN_AUDIENCE);
	metrics_token(METRICS_OWN, PROBLEM_NONE);
	metrics_fetch(METRICS_FETCH_NOT_MODIFIED, 3000);
	metrics_db(METRICS_DB_AGAIN);
	metrics_commit(60);
	assert_int_equal(value(LOGINS_200), 1);
	assert_int_equal(value("pintle_requests_total{path=\"/login\",status=\"403\"}"),
			 1);
	assert_int_equal(value("pintle_requests_total{path=\"other\",status=\"other\"}"),
			 1);
	assert_int_equal(value("pintle_logins_total{outcome=\"created\",reason=\"\"}"),
			 1);
	assert_int_equal(value("pintle_logins_total{outcome=\"returned\",reason=\"\"}"),
			 2);
	assert_int_equal(
		value("pintle_logins_total{outcome=\"refused\",reason=\"expired\"}"), 1);
	assert_int_equal(
		value("pintle_logins_total{outcome=\"failed\",reason=\"database\"}"), 1);
	assert_int_equal(value("pintle_token_checks_total{issuer=\"provider\",result="
			       "\"audience\"}"),
			 1);
	assert_int_equal(
		value("pintle_token_checks_total{issuer=\"own\",result=\"good\"}"), 1);
	assert_int_equal(
		value("pintle_token_checks_total{issuer=\"provider\",result=\"good\"}"),
		0);
	assert_int_equal(value("pintle_key_fetches_total{outcome=\"not_modified\"}"), 1);
	assert_int_equal(value("pintle_database_errors_total{kind=\"conflict\"}"), 1);
	assert_int_equal(value("pintle_database_commit_seconds_count"), 1);
}

static void buckets_add_up_and_a_bound_is_inside(void **state)
{
	static const unsigned us[] = { 500, 501, 1000, 10000000, 10000001 };

	(void)state;
	for (size_t i = 0; i < sizeof(us) / sizeof(*us); i++)
		metrics_request(METRICS_PATH_SESSION, 200, us[i]);
#define BUCKET(le)                                                                       \
	"pintle_request_duration_seconds_bucket{path=\"/session\",le=\"" le "\"}"
	assert_int_equal(value(BUCKET("0.0005")), 1);
	assert_int_equal(value(BUCKET("0.001")), 3);
	assert_int_equal(value(BUCKET("5")), 3);
	assert_int_equal(value(BUCKET("10")), 4);
	assert_int_equal(value(BUCKET("+Inf")), 5);
	assert_int_equal(
		value("pintle_request_duration_seconds_count{path=\"/session\"}"), 5);
	assert_non_null(strstr(page(),
			       "pintle_request_duration_seconds_sum{path=\"/session\"} "
			       "20.002002\n"));
	assert_int_equal(value("pintle_request_duration_seconds_count{path=\"/login\"}"),
			 0);
}

/* ---- many workers */

static pid_t begin_worker(int end)
{
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child)
		return child;
	metrics_open(scratch_dir);
	for (int i = 0; i < EACH; i++)
		once();
	while (end)
		pause();
	_exit(0);
}

static void all_workers_count_in_one_place(void **state)
{
	pid_t children[WORKERS];
	int status;

	(void)state;
	for (size_t i = 0; i < WORKERS; i++)
		children[i] = begin_worker(0);
	for (size_t i = 0; i < WORKERS; i++) {
		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(value(LOGINS_200), WORKERS * EACH);
	metrics_open(scratch_dir);
	assert_int_equal(value(LOGINS_200), WORKERS * EACH);
}

static void killed_worker_takes_nothing_along(void **state)
{
	pid_t child;
	int status;

	(void)state;
	child = begin_worker(1);
	while (value(LOGINS_200) < EACH)
		usleep(1000);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	once();
	assert_int_equal(value(LOGINS_200), EACH + 1);
}

/* ---- what can be done to the file */

/* The looks are a second apart; here they are asked for. */
static void nothing_is_lost_for_good_by(void (*deed)(void))
{
	long long before;

	metrics_open(scratch_dir); /* cmocka has put its own handler before each test */
	before = value(LOGINS_200);
	deed();
	for (int i = 0; i < 5; i++)
		once(); /* no SIGBUS; what was counted here may be lost */
	assert_true(value(LOGINS_200) >= 0 && value(LOGINS_200) <= before + 5);
	before = value(LOGINS_200);
	once();
	assert_int_equal(value(LOGINS_200), before + 1);
	metrics_open(scratch_dir); /* another worker */
	assert_int_equal(value(LOGINS_200), before + 1);
}

static void cut_to_nothing(void)
{
	assert_int_equal(truncate(file, 0), 0);
}

static void cut_in_the_middle(void)
{
	assert_int_equal(truncate(file, 4096), 0);
}

static void removed(void)
{
	assert_int_equal(unlink(file), 0);
}

static void written_over(void)
{
	const int fd = open(file, O_WRONLY | O_TRUNC);

	for (int i = 0; i < 20000; i++)
		assert_int_equal(write(fd, "abcdefgh", 8), 8);
	close(fd);
}

static void file_that_is_cut_or_lost_begins_again(void **state)
{
	(void)state;
	nothing_is_lost_for_good_by(cut_to_nothing);
	nothing_is_lost_for_good_by(cut_in_the_middle);
	nothing_is_lost_for_good_by(removed);
	nothing_is_lost_for_good_by(written_over);
}

static void file_of_others_is_not_used(void **state)
{
	(void)state;
	once();
	assert_int_equal(chmod(file, 0666), 0);
	metrics_open(scratch_dir);
	once();
	assert_null(page());
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(value(LOGINS_200), 1);

	assert_int_equal(rename(file, arena_printf(arena, "%s/x", scratch_dir).data), 0);
	assert_int_equal(symlink("x", file), 0);
	metrics_open(scratch_dir);
	assert_null(page());
	assert_int_equal(unlink(file), 0);

	assert_int_equal(link(arena_printf(arena, "%s/x", scratch_dir).data, file), 0);
	metrics_open(scratch_dir);
	assert_null(page());
	assert_int_equal(unlink(file), 0);

	assert_int_equal(mkfifo(file, 0600), 0);
	metrics_open(scratch_dir);
	assert_null(page());
	assert_int_equal(unlink(file), 0);
	assert_int_equal(value(LOGINS_200), 0);
}

static void without_a_directory_requests_go_on(void **state)
{
	(void)state;
	metrics_open("/nonexistent/pintle");
	once();
	assert_null(page());
	metrics_open(scratch_dir);
	once();
	assert_int_equal(value(LOGINS_200), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_one, close_one)
	const struct CMUnitTest tests[] = {
		TEST(each_count_has_its_line),
		TEST(buckets_add_up_and_a_bound_is_inside),
		TEST(all_workers_count_in_one_place),
		TEST(killed_worker_takes_nothing_along),
		TEST(file_that_is_cut_or_lost_begins_again),
		TEST(file_of_others_is_not_used),
		TEST(without_a_directory_requests_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
