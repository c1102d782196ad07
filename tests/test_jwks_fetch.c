/*
 * Key sets from an issuer, by pintle-fetch: who waits for a fetch, how many are made, and
 * what an issuer can answer without doing harm.
 */
#include "jwks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

#include "buffer.h"
#include "fetcher.h"
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

static int open_all(void **state)
{
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };

	(void)state;
	log_open(&quiet, "test");
	key = maker_key_new("P-256");
	other_key = maker_key_new("P-256");
	port = raw_server_start(0);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	raw_server_stop();
	maker_key_free(key);
	maker_key_free(other_key);
	return 0;
}

static int open_one(void **state)
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

static int close_one(void **state)
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

static void end_cool_down(void)
{
	unlink(scratch_path(arena, TRIED));
}

/* As if the last fetch had been begun 90 seconds ago. */
static void end_cool_down_keeping_the_stamp(void)
{
	const struct timespec when[2] = { { .tv_nsec = UTIME_OMIT },
					  { .tv_sec = time(NULL) - 90 } };

	assert_int_equal(utimensat(AT_FDCWD, scratch_path(arena, TRIED), when, 0), 0);
}

/* From now on a fetch takes as long as it may, and that is SECONDS. */
static void make_issuer_slow(int seconds)
{
	config->fetch_timeout_s = seconds;
	jwks_free(jwks);
	jwks = jwks_new(config, &config->providers[0]);
	raw_server_answer(AS_TEXT("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"),
			  RAW_DRIP, 0);
}

static bool fetch_runs(void)
{
	const int fd = open(scratch_path(arena, "jwks/p.lock"), O_RDONLY);
	const bool runs = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;

	if (fd >= 0)
		close(fd);
	return runs;
}

/* That a fetch that lasts still runs shows that nobody has waited for it. */
static void expect_that_it_still_runs(void)
{
	for (int i = 0; i < 900 && !fetch_runs(); i++)
		usleep(10000);
	assert_true(fetch_runs());
	/* The rest of it is of no interest. */
	raw_server_stop();
	while (waitpid(-1, NULL, 0) > 0)
		;
	raw_server_start(port);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum problem_kind find_in(struct jwks *set, const char *kid)
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

static enum problem_kind find(const char *kid)
{
	return find_in(jwks, kid);
}

static bool refresh(void)
{
	struct problem p = { 0 };

	/* The last fetch's second has to be over for a new one to show. */
	return jwks_refresh(jwks, time(NULL), &p);
}

/* A set that was fetched AGE seconds ago. */
static void write_set(const char *set, int age)
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
	double took;
	pthread_t thread;
};

static void *find_beside(void *context)
{
	struct finding *f = context;
	const double begun = seconds();

	f->kind = find_in(f->jwks, f->kid);
	f->took = seconds() - begun;
	return NULL;
}

/* All four threads at once, half of them in the second set. */
static void find_at_once(struct jwks *second, const char *kid, struct finding out[4])
{
	for (int i = 0; i < 4; i++) {
		out[i] = (struct finding){ .jwks = i % 2 ? second : jwks, .kid = kid };
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
	for (int i = 0; i < 4; i++)
		assert_int_equal(findings[i].kind, PROBLEM_NONE);
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
	expect_that_it_still_runs();
	assert_int_equal(raw_server_requests(), 1);
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

/* ---- what comes of an answer */

static void withdrawn_key_is_refused_after_the_refresh(void **state)
{
	(void)state;
	write_set(a_and_b, 120);
	assert_int_equal(find("b"), PROBLEM_NONE);
	assert_true(refresh());
	assert_int_equal(find("b"), PROBLEM_TOKEN_KEY);
	assert_int_equal(find("a"), PROBLEM_NONE);
}

static void unchanged_set_is_known_by_its_etag(void **state)
{
	size_t keys;
	int64_t age;

	(void)state;
	raw_server_serve(arena, "ETag: \"v-1\"\r\n", a_and_b);
	assert_true(refresh());
	assert_null(strstr(raw_server_heard(arena).data, "If-None-Match"));
	raw_server_answer(AS_TEXT("HTTP/1.1 304 Not Modified\r\nETag: \"v-1\"\r\n\r\n"),
			  RAW_CLOSE, 0);
	usleep(1050000); /* so that the age tells */
	assert_true(refresh());
	assert_non_null(
		strstr(raw_server_heard(arena).data, "\r\nIf-None-Match: \"v-1\"\r\n"));
	assert_true(jwks_status(jwks, time(NULL), &keys, &age));
	assert_int_equal(keys, 2);
	assert_true(age >= 0 && age <= 1);
	assert_int_equal(find("b"), PROBLEM_NONE);
}

static void two_keys_under_one_kid_serve_nobody(void **state)
{
	(void)state;
	raw_server_serve(arena, "",
			 maker_jwk_set(arena, maker_jwk(arena, key, "\"kid\":\"a\""),
				       maker_jwk(arena, other_key, "\"kid\":\"a\""),
				       maker_jwk(arena, key, "\"kid\":\"b\""), NULL));
	assert_true(refresh());
	assert_int_equal(find("a"), PROBLEM_TOKEN_KEY);
	assert_int_equal(find("b"), PROBLEM_NONE);
}

/* ---- hostile answers: a set stands behind each that a sloppy client would take */

static struct text answer_of(const char *head, struct text body)
{
	struct buffer b = buffer_new(arena, body.len + 512);

	buffer_add(&b, text_of(head));
	buffer_printf(&b, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.len);
	buffer_add(&b, body);
	return buffer_text(&b);
}

static struct text repeated(const char *start, const char *piece, size_t times,
			    const char *end)
{
	struct buffer b = buffer_new(arena, strlen(piece) * times + 256);

	buffer_add(&b, text_of(start));
	for (size_t i = 0; i < times; i++)
		buffer_add(&b, text_of(piece));
	buffer_add(&b, text_of(end));
	return buffer_text(&b);
}

static void expect_harmless(const char *what, struct text bytes, enum raw_then then,
			    size_t mark)
{
	const struct text before = scratch_read(arena, FILE_NAME);

	raw_server_answer(bytes, then, mark);
	raw_server_requests();
	if (refresh())
		fail_msg("%s: taken for a key set", what);
	if (raw_server_requests() != 1)
		fail_msg("%s: not asked exactly once", what);
	if (!text_equal(before, scratch_read(arena, FILE_NAME)))
		fail_msg("%s: the file changed", what);
	if (find("a") != PROBLEM_NONE)
		fail_msg("%s: the old keys are gone", what);
	if (scratch_exists(FILE_NAME ".new"))
		fail_msg("%s: half a file is left", what);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static void hostile_answers_leave_the_old_keys_in_use(void **state)
{
	const struct text set = text_of(a_and_b);
	const struct text half = { set.data, set.len / 2 };
	static const char chunk[] = "1000\r\n",
			  ok_chunked[] = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n";
	const struct {
		const char *what;
		struct text bytes;
	} answers[] = {
		{ "404 with a set", answer_of("HTTP/1.1 404 Not Found\r\n", set) },
		{ "500 with a set", answer_of("HTTP/1.1 500 Oh\r\n", set) },
		{ "401 with a set", answer_of("HTTP/1.1 401 Who\r\n", set) },
		{ "302 with a set",
		  answer_of(arena_printf(arena,
					 "HTTP/1.1 302 There\r\nLocation: "
					 "http://127.0.0.1:%d/\r\n",
					 port)
				    .data,
			    set) },
		{ "201 with a set", answer_of("HTTP/1.1 201 Made\r\n", set) },
		{ "206 with a set", answer_of("HTTP/1.1 206 Part\r\n", set) },
		{ "304 unasked", AS_TEXT("HTTP/1.1 304 Not Modified\r\n\r\n") },
		{ "204", AS_TEXT("HTTP/1.1 204 Nothing\r\n\r\n") },
		{ "empty body", answer_of(OK_HEAD, AS_TEXT("")) },
		{ "nothing at all", AS_TEXT("") },
		{ "no HTTP", AS_TEXT("SSH-2.0-OpenSSH_9.2\r\n") },
		{ "HTML", answer_of("HTTP/1.1 200 OK\r\n",
				    AS_TEXT("<!DOCTYPE html><title>Sign in</title>")) },
		{ "no set", answer_of(OK_HEAD, AS_TEXT("{\"status\":\"ok\"}")) },
		{ "an array", answer_of(OK_HEAD, AS_TEXT("[]")) },
		{ "keys no array", answer_of(OK_HEAD, AS_TEXT("{\"keys\":{}}")) },
		{ "half a set", answer_of(OK_HEAD, half) },
		{ "cut off", arena_printf(arena, OK_HEAD "Content-Length: 9999\r\n\r\n%s",
					  set.data) },
		{ "something behind",
		  answer_of(OK_HEAD, repeated(set.data, "x", 1, "")) },
		{ "a duplicate member",
		  answer_of(OK_HEAD, repeated("{\"keys\":[],", "", 0, set.data + 1)) },
		{ "deep JSON", answer_of(OK_HEAD, repeated("{\"x\":", "[", 100000, "")) },
		{ "10,000 keys",
		  answer_of(OK_HEAD,
			    repeated("{\"keys\":[{}", ",{\"kty\":\"EC\"}", 9999, "]}")) },
		{ "10 MB",
		  answer_of(OK_HEAD, repeated(set.data, "          ", 1 << 20, "")) },
		{ "257 KiB without a length",
		  repeated(OK_HEAD "\r\n", set.data, 1,
			   repeated("", " ", 257 * 1024, "").data) },
		{ "64 KiB of headers",
		  repeated(repeated("HTTP/1.1 200 OK\r\n",
				    "X-Filler: 0123456789abcdef\r\n", 2400, "")
				   .data,
			   "\r\n", 1, set.data) },
		{ "broken chunks", repeated(ok_chunked, "zz\r\n", 1, set.data) },
	};

	(void)state;
	write_set(only_a, 120);
	assert_int_equal(find("a"), PROBLEM_NONE);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		expect_harmless(answers[i].what, answers[i].bytes, RAW_CLOSE, 0);
	{
		struct buffer b = buffer_new(arena, 8192);

		buffer_add(&b, text_of(ok_chunked));
		buffer_add(&b, text_of(chunk));
		buffer_add(&b, repeated("", " ", 0x1000, "\r\n"));
		expect_harmless("chunks without end", buffer_text(&b), RAW_ENDLESS,
				strlen(ok_chunked));
	}
	expect_harmless("headers without end",
			AS_TEXT("HTTP/1.1 200 OK\r\nX-Filler: 0123456789\r\n"),
			RAW_ENDLESS, strlen("HTTP/1.1 200 OK\r\n"));
	expect_harmless("a body that drips",
			AS_TEXT(OK_HEAD "Content-Length: 9999\r\n\r\n{"), RAW_DRIP, 0);
	expect_harmless("a head that drips", AS_TEXT("HTTP/1.1 200 OK\r\nX: "), RAW_DRIP,
			0);
	/* None of these would have passed if the server were out of order. */
	raw_server_answer(answer_of(OK_HEAD, set), RAW_CLOSE, 0);
	assert_true(refresh());
	assert_int_equal(find("b"), PROBLEM_NONE);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

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
		TEST(withdrawn_key_is_refused_after_the_refresh),
		TEST(unchanged_set_is_known_by_its_etag),
		TEST(two_keys_under_one_kid_serve_nobody),
		TEST(hostile_answers_leave_the_old_keys_in_use),
		TEST(child_inherits_neither_descriptors_nor_environment),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
