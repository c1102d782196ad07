/* Key sets from an issuer: who waits for a fetch, and how many are made. */
#include "jwks_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>

#include "fetcher.h"

/* ---- who waits, and how often is asked */

static void first_login_waits_for_the_fetch(void **state)
{
	(void)state;
	assert_int_equal(find("a"), PROBLEM_NONE);
	assert_int_equal(raw_server_requests(), 1);
	assert_int_equal(find("a"), PROBLEM_NONE);
	assert_int_equal(raw_server_requests(), 0);
}

static void issuer_down_at_the_start_and_up_later(void **state)
{
	struct stat first, last;

	(void)state;
	raw_server_stop();
	assert_int_equal(find("a"), PROBLEM_KEYS_AWAY);
	assert_int_equal(stat(scratch_path(arena, TRIED), &first), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(find("a"), PROBLEM_KEYS_AWAY);
	assert_int_equal(stat(scratch_path(arena, TRIED), &last), 0);
	assert_memory_equal(&first.st_mtim, &last.st_mtim, sizeof(first.st_mtim));
	raw_server_start(port);
	assert_int_equal(find("a"), PROBLEM_KEYS_AWAY);
	assert_int_equal(raw_server_requests(), 0);
	end_cool_down();
	assert_int_equal(find("a"), PROBLEM_NONE);
	assert_int_equal(raw_server_requests(), 1);
}

static void login_with_a_new_kid_waits_and_gets_in(void **state)
{
	(void)state;
	write_set(only_a, 120);
	assert_int_equal(find("a"), PROBLEM_NONE);
	assert_int_equal(raw_server_requests(), 0);
	raw_server_serve(arena, "", a_and_b);
	assert_int_equal(find("b"), PROBLEM_NONE);
	assert_int_equal(raw_server_requests(), 1);
}

static void fetch_of_another_worker_is_seen_at_once(void **state)
{
	struct jwks *other = jwks_new(config, &config->providers[0]);

	(void)state;
	write_set(only_a, 120);
	raw_server_serve(arena, "", a_and_b);
	/* Both have looked at the file in this second. */
	assert_int_equal(find_in(other, "a"), PROBLEM_NONE);
	assert_int_equal(find("a"), PROBLEM_NONE);
	assert_int_equal(find("b"), PROBLEM_NONE);
	assert_int_equal(find_in(other, "b"), PROBLEM_NONE);
	assert_int_equal(raw_server_requests(), 1);
	jwks_free(other);
}

#define PROCESSES 4
#define KIDS 200

static void invent_kids(int process)
{
	struct jwks *own = jwks_new(config, &config->providers[0]);
	int wrong = 0;

	for (int i = 0; i < KIDS; i++) {
		char kid[64];
		enum problem_kind kind;

		snprintf(kid, sizeof(kid), "invented-%d-%d", process, i);
		kind = find_in(own, kid);
		wrong += kind != PROBLEM_TOKEN_KEY && kind != PROBLEM_KEYS_AWAY;
		wrong += i % 20 == 0 && find_in(own, "a") != PROBLEM_NONE;
	}
	jwks_free(own);
	_exit(wrong ? 1 : 0);
}

static void eight_hundred_invented_kids_lead_to_one_fetch(void **state)
{
	pid_t children[PROCESSES];
	int status;

	(void)state;
	write_set(only_a, 120);
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (!children[i])
			invent_kids(i);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(raw_server_requests(), 1);
	/* And one more when the cool-down is over. */
	end_cool_down();
	assert_int_equal(find("invented"), PROBLEM_TOKEN_KEY);
	assert_int_equal(find("invented too"), PROBLEM_TOKEN_KEY);
	assert_int_equal(raw_server_requests(), 1);
}

struct finding {
	struct jwks *jwks;
	const char *kid;
	enum problem_kind kind;
	double begun, took; /* all of them together */
	pthread_t thread;
};

static void *find_beside(void *context)
{
	struct finding *f = context;

	f->kind = find_in(f->jwks, f->kid);
	f->took = seconds() - f->begun;
	return NULL;
}

/* All four threads at once, half of them in the second set. */
static void find_at_once(struct jwks *second, const char *kid, struct finding out[4])
{
	const double begun = seconds();

	for (int i = 0; i < 4; i++) {
		out[i] = (struct finding){ .jwks = i % 2 ? second : jwks,
					   .kid = kid,
					   .begun = begun };
		assert_int_equal(
			pthread_create(&out[i].thread, NULL, find_beside, &out[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(out[i].thread, NULL);
}

#define SLOW_S 6

static int count_patient(const struct finding findings[4])
{
	int count = 0;

	for (int i = 0; i < 4; i++)
		count += findings[i].took > SLOW_S - 1;
	return count;
}

static void slow_issuer_holds_half_of_the_threads_at_most(void **state)
{
	struct finding findings[4];

	(void)state;
	write_set(only_a, 120);
	make_issuer_slow(SLOW_S);
	find_at_once(jwks, "unknown", findings);
	assert_int_equal(count_patient(findings), 2);
	assert_int_equal(raw_server_requests(), 1);
	assert_int_equal(find("a"), PROBLEM_NONE);
}

static void two_slow_issuers_hold_no_more_than_one(void **state)
{
	struct finding findings[4];
	struct jwks *second;

	(void)state;
	make_issuer_slow(SLOW_S);
	second = jwks_new(config, &config->providers[1]);
	find_at_once(second, "unknown", findings);
	assert_int_equal(count_patient(findings), 2);
	jwks_free(second);
	/* It speaks with one at a time: the other may only now get its turn. */
	raw_server_stop();
	raw_server_start(port);
}

static void rotation_under_load_turns_nobody_away(void **state)
{
	struct finding findings[4];

	(void)state;
	write_set(only_a, 120);
	assert_int_equal(find("a"), PROBLEM_NONE);
	raw_server_serve(arena, "", a_and_b);
	find_at_once(jwks, "b", findings);
	/* On a machine so busy that a second is not enough for it, two may be. */
	for (int i = 0; i < 4; i++)
		if (findings[i].kind != PROBLEM_NONE)
			assert_true(findings[i].kind == PROBLEM_KEYS_AWAY &&
				    findings[i].took > 0.9);
	assert_int_equal(raw_server_requests(), 1);
}

/* A reload ends the fetcher while its fetch runs; the process goes on for months. */
static void fetch_that_outlives_its_fetcher_leaves_no_zombie(void **state)
{
	siginfo_t info;

	(void)state;
	write_set(only_a, 3000);
	make_issuer_slow(1);
	assert_int_equal(find("a"), PROBLEM_NONE);
	jwks_free(jwks);
	jwks = NULL;
	/* There it is, running or over; and what SIGCHLD leads to takes it away. */
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	fetcher_reap();
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), -1);
	assert_int_equal(errno, ECHILD);
}

static void set_that_is_due_is_fetched_while_logins_go_on(void **state)
{
	const double begun = seconds();
	bool fetched = false;

	(void)state;
	write_set(only_a, 3000);
	raw_server_serve(arena, "", a_and_b);
	assert_int_equal(find("a"), PROBLEM_NONE);
	while (!fetched && seconds() - begun < 60) {
		usleep(50000);
		fetched = find("b") == PROBLEM_NONE;
	}
	assert_true(fetched);
	assert_int_equal(raw_server_requests(), 1);
}

static void nobody_waits_for_a_set_that_is_only_due(void **state)
{
	(void)state;
	write_set(only_a, 3000);
	make_issuer_slow(10);
	for (int i = 0; i < 100; i++)
		assert_int_equal(find("a"), PROBLEM_NONE);
	assert_int_equal(expect_that_it_still_runs(), 1);
	assert_int_equal(find("a"), PROBLEM_NONE);
}

/* After a night without logins, say: a key may have been withdrawn in it. */
static void set_that_expired_unnoticed_is_fetched_first(void **state)
{
	(void)state;
	write_set(a_and_b, 3700);
	assert_int_equal(find("b"), PROBLEM_TOKEN_KEY);
	assert_int_equal(find("a"), PROBLEM_NONE);
	assert_int_equal(raw_server_requests(), 1);
}

static void with_the_issuer_away_one_login_waits_and_the_rest_go_on(void **state)
{
	double begun;

	(void)state;
	write_set(a_and_b, 3700);
	make_issuer_slow(1);
	begun = seconds();
	assert_int_equal(find("b"), PROBLEM_NONE);
	assert_true(seconds() - begun > 0.5);
	for (int i = 0; i < 100; i++)
		assert_int_equal(find("b"), PROBLEM_NONE);
	assert_int_equal(raw_server_requests(), 1);
	end_cool_down_keeping_the_stamp();
	make_issuer_slow(10);
	for (int i = 0; i < 100; i++)
		assert_int_equal(find("b"), PROBLEM_NONE);
	expect_that_it_still_runs();
}

/* ---- what the child gets to see */

/* The first child of this process; 0 when there is none within a second. */
static pid_t find_child(void)
{
	for (int i = 0; i < 50; i++) {
		FILE *f = fopen("/proc/thread-self/children", "re");
		int pid = 0;

		if (f && fscanf(f, "%d", &pid) != 1)
			pid = 0;
		if (f)
			fclose(f);
		if (pid)
			return pid;
		usleep(20000);
	}
	return 0;
}

static bool has_open(pid_t pid, const char *target)
{
	const char *path = arena_printf(arena, "/proc/%d/fd", pid).data;
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char link[256] = "";

		if (readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1) > 0)
			found = found || strcmp(link, target) == 0;
	}
	closedir(dir);
	return found;
}

static void child_inherits_neither_descriptors_nor_environment(void **state)
{
	char environment[256] = "", name[64];
	int pair[2], fd;
	pid_t child;

	(void)state;
	if (access("/proc/thread-self/children", R_OK)) {
		print_message("skipped: what a child inherits (no "
			      "/proc/thread-self/children)\n");
		return;
	}
	/* As a connection that somebody forgot to mark close-on-exec. */
	assert_int_equal(pipe(pair), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", pair[1]);
	environment[readlink(name, environment, sizeof(environment) - 1)] = '\0';
	setenv("PINTLE_TEST_CANARY", "secret", 1);
	write_set(only_a, 3000);
	raw_server_answer(AS_TEXT("HTTP/1.1 200 OK\r\nX: "), RAW_DRIP, 0);
	assert_int_equal(find("a"), PROBLEM_NONE);
	child = find_child();
	assert_true(child > 0);
	usleep(200000); /* past its exec */
	assert_true(has_open(getpid(), environment));
	assert_false(has_open(child, environment));
	assert_true(has_open(child, "/dev/null"));
	fd = open(arena_printf(arena, "/proc/%d/environ", child).data,
		  O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	memset(environment, 0, sizeof(environment));
	assert_true(read(fd, environment, sizeof(environment) - 1) > 0);
	close(fd);
	assert_string_equal(environment, "PATH=/usr/bin:/bin");
	unsetenv("PINTLE_TEST_CANARY");
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_login_waits_for_the_fetch),
		TEST(issuer_down_at_the_start_and_up_later),
		TEST(login_with_a_new_kid_waits_and_gets_in),
		TEST(fetch_of_another_worker_is_seen_at_once),
		TEST(eight_hundred_invented_kids_lead_to_one_fetch),
		TEST(slow_issuer_holds_half_of_the_threads_at_most),
		TEST(two_slow_issuers_hold_no_more_than_one),
		TEST(rotation_under_load_turns_nobody_away),
		TEST(fetch_that_outlives_its_fetcher_leaves_no_zombie),
		TEST(set_that_is_due_is_fetched_while_logins_go_on),
		TEST(nobody_waits_for_a_set_that_is_only_due),
		TEST(set_that_expired_unnoticed_is_fetched_first),
		TEST(with_the_issuer_away_one_login_waits_and_the_rest_go_on),
		TEST(child_inherits_neither_descriptors_nor_environment),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
