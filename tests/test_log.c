/* Log lines: whole, one per event, and nothing in them that a client or a secret put
 * there. */
#include "log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "json.h"

/* What a 256-bit token, a JWT's part, a UUID look like. */
#define SESSION_TOKEN "kA7Lw0Zq3xB9cD5eF1gH2iJ4kL6mN8oP0qR2sT4uV6w"
#define UUID "7d1c2b3a-0000-4000-8000-0123456789ab"

static struct arena *arena;
static int real_stderr, capture[2];

static int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(pipe2(capture, O_CLOEXEC | O_NONBLOCK), 0);
	assert_true(dup2(capture[1], STDERR_FILENO) >= 0);
	return 0;
}

/*
 * cmocka's own words go to stderr: what is logged is read, and stderr put right, first.
 */
static void stop_capture(void)
{
	if (real_stderr < 0)
		return;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(capture[1]);
	real_stderr = -1;
}

static int close_one(void **state)
{
	static const struct config_log usual = { CONFIG_LOG_TEXT, CONFIG_LOG_INFO,
						 CONFIG_LOG_STDERR };

	(void)state;
	stop_capture();
	close(capture[0]);
	log_open(&usual, "test");
	arena_free(arena);
	return 0;
}

static void use(enum config_log_format format, enum config_log_level level)
{
	const struct config_log config = { format, level, CONFIG_LOG_STDERR };

	log_open(&config, "test");
}

/* All that was logged since this was last called. */
static const char *logged(void)
{
	char *text = arena_alloc(arena, 65536 + 1);
	const ssize_t got = read(capture[0], text, 65536);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* The one line, without its end. */
static const char *logged_line(void)
{
	char *text = (char *)(uintptr_t)logged();
	char *end = strchr(text, '\n');

	stop_capture();
	if (!end || end[1])
		fail_msg("not exactly one line: %s", text);
	*end = '\0';
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			fail_msg("byte %02x in the log", (unsigned char)*c);
	return text;
}

static const struct json *logged_json(void)
{
	const char *line = logged_line(), *why;
	const struct json *value = json_parse(arena, text_of(line), 4, &why);

	if (!value || json_type(value) != JSON_OBJECT)
		fail_msg("no JSON object (%s): %s", why, line);
	return value;
}

static struct text string_of(const struct json *object, const char *name)
{
	const struct json *value;
	struct text text = { 0 };

	if (!json_member(object, name, &value) || !json_string(value, &text))
		fail_msg("no %s", name);
	return text;
}

static double number_of(const struct json *object, const char *name)
{
	const struct json *value;
	double number = -1;

	if (!json_member(object, name, &value) || !json_number(value, &number))
		fail_msg("no %s", name);
	return number;
}

static struct log_request refused_login(void)
{
	return (struct log_request){
		.request_id = "0123456789abcdef",
		.method = AS_TEXT("POST"),
		.path = AS_TEXT("/login"),
		.address = AS_TEXT("192.0.2.10"),
		.status = 403,
		.error = "invalid_token",
		.cause = "audience",
		.detail = "aud \"x\"",
		.place = "token.c:12",
		.provider = "cotter",
		.user_id = "42",
		.milliseconds = 1.236,
	};
}

static void expect_has(const char *line, const char *part)
{
	if (!strstr(line, part))
		fail_msg("no %s in: %s", part, line);
}

static void expect_lacks(const char *line, const char *part)
{
	if (strstr(line, part))
		fail_msg("%s in: %s", part, line);
}

/* ---- what a line says */

static void text_line_names_all_of_the_request(void **state)
{
	const struct log_request r = refused_login();
	const char *line;

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
	log_request(&r);
	line = logged_line();
	assert_memory_equal(line, "time=20", 7);
	assert_string_equal(strstr(line, " level="),
			    " level=info request=0123456789abcdef method=POST path=/login"
			    " status=403 error=invalid_token reason=audience"
			    " detail=\"aud \\x22x\\x22\" provider=cotter user=42"
			    " address=192.0.2.10 ms=1.24");
}

static void json_line_names_all_of_the_request(void **state)
{
	const struct log_request r = refused_login();
	const struct json *line;

	(void)state;
	use(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
	log_request(&r);
	line = logged_json();
	assert_int_equal(string_of(line, "time").len, strlen("2026-11-22T12:00:00Z"));
	assert_true(text_is(string_of(line, "level"), "info"));
	assert_true(text_is(string_of(line, "request"), "0123456789abcdef"));
	assert_true(text_is(string_of(line, "method"), "POST"));
	assert_true(text_is(string_of(line, "path"), "/login"));
	assert_int_equal(number_of(line, "status"), 403);
	assert_true(text_is(string_of(line, "error"), "invalid_token"));
	assert_true(text_is(string_of(line, "reason"), "audience"));
	assert_true(text_is(string_of(line, "detail"), "aud \"x\""));
	assert_true(text_is(string_of(line, "provider"), "cotter"));
	assert_true(text_is(string_of(line, "user"), "42"));
	assert_true(text_is(string_of(line, "address"), "192.0.2.10"));
	assert_true(number_of(line, "ms") > 1.23 && number_of(line, "ms") < 1.25);
}

static void what_is_not_known_is_left_out(void **state)
{
	const struct log_request r = { .request_id = "r", .status = 200 };
	const char *line;

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
	log_request(&r);
	line = logged_line();
	assert_string_equal(strstr(line, " level="),
			    " level=info request=r status=200 ms=0.00");
}

static void place_is_told_at_debug_level_only(void **state)
{
	const struct log_request r = refused_login();
	const char *both;

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
	log_request(&r);
	both = logged();
	expect_lacks(both, "token.c");
	use(CONFIG_LOG_TEXT, CONFIG_LOG_DEBUG);
	log_request(&r);
	expect_has(logged_line(), " place=token.c:12 ");
}

static void level_decides_what_is_logged(void **state)
{
	struct log_request r = refused_login();

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_ERROR);
	log_request(&r);
	log_event(CONFIG_LOG_WARNING, "keys", "something");
	assert_string_equal(logged(), "");
	r.status = 503;
	log_request(&r);
	expect_has(logged(), "level=error");
	use(CONFIG_LOG_TEXT, CONFIG_LOG_WARNING);
	log_event(CONFIG_LOG_WARNING, "keys", "%s and %d", "text", 7);
	log_event(CONFIG_LOG_INFO, "keys", "less");
	expect_has(logged_line(), " level=warning event=keys message=\"text and 7\"");
}

/* ---- what a client can put there */

#define NASTY "\r\n\t\x1b[31m\"\\\x7f\x80\xc3\xa9 status=200 \x01%s%n"

static void control_characters_and_quotes_are_escaped(void **state)
{
	struct log_request r = refused_login();
	const char *line;

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
	r.method = AS_TEXT("GET" NASTY);
	r.path = AS_TEXT("/" NASTY);
	r.address = AS_TEXT(NASTY);
	r.detail = NASTY;
	log_request(&r);
	line = logged_line();
	expect_has(line, "path=\"/\\x0d\\x0a\\x09\\x1b[31m\\x22\\x5c\\x7f\\x80\\xc3\\xa9 "
			 "status=200 \\x01%s%n\"");
	expect_has(line, " method=\"GET\\x0d\\x0a");
	expect_has(line, " address=\"\\x0d\\x0a");
	expect_has(line, " detail=\"\\x0d\\x0a");
	expect_has(line, "\" status=403 ");
}

static void json_brings_back_the_same_characters(void **state)
{
	struct log_request r = refused_login();
	const struct json *line;

	(void)state;
	use(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
	r.method = AS_TEXT("GET\r\n\t\x1b[31m\"\\\x7f\x01");
	r.path = AS_TEXT("/\",\"status\":200,\"x\":\"");
	r.detail = "\x80\xff";
	log_request(&r);
	line = logged_json();
	assert_true(text_equal(string_of(line, "method"), r.method));
	assert_true(text_equal(string_of(line, "path"), r.path));
	/*
	 * A byte above 127 as the character of that number, whatever it was meant to be.
	 */
	assert_true(text_is(string_of(line, "detail"), "\xc2\x80\xc3\xbf"));
	assert_int_equal(number_of(line, "status"), 403);
}

static void nul_in_a_path_is_no_end(void **state)
{
	struct log_request r = refused_login();

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
	r.path = AS_TEXT("/login\0/more");
	log_request(&r);
	expect_has(logged_line(), "path=\"/login\\x00/more\"");
}

static void message_of_an_event_is_escaped_as_well(void **state)
{
	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
	log_event(CONFIG_LOG_ERROR, "database", "%s",
		  "Access denied\r\ntime=2026 level=info");
	expect_has(logged_line(),
		   "message=\"Access denied\\x0d\\x0atime=2026 level=info\"");
}

/* A value that takes six bytes a character in JSON, in all places at once. */
static void longest_line_is_whole(void **state)
{
	char *long_text = arena_alloc(arena, 70000);
	struct log_request r = refused_login();
	const struct json *line;
	struct text path;

	(void)state;
	memset(long_text, 0x1b, 69999);
	r.method = r.path = r.address = (struct text){ long_text, 69999 };
	r.detail = r.place = r.provider = r.user_id = long_text;
	use(CONFIG_LOG_JSON, CONFIG_LOG_DEBUG);
	log_request(&r);
	line = logged_json();
	path = string_of(line, "path");
	assert_true(path.len > 30 && path.len < 260);
	assert_memory_equal(path.data + path.len - 3, "...", 3);
	assert_int_equal(number_of(line, "status"), 403);
	assert_true(number_of(line, "ms") > 1);
}

static void value_of_256_bytes_is_not_cut(void **state)
{
	char text[300];
	struct log_request r = refused_login();
	const struct json *line;

	(void)state;
	memset(text, '/', sizeof(text));
	r.path = (struct text){ text, 256 };
	r.method = (struct text){ text, 257 };
	use(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
	log_request(&r);
	line = logged_json();
	assert_true(text_equal(string_of(line, "path"), r.path));
	assert_int_equal(string_of(line, "method").len, 256 + strlen("..."));
}

/* ---- secrets in the wrong place */

static void token_in_a_path_is_cut_out(void **state)
{
	struct log_request r = refused_login();

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_DEBUG);
	r.path = AS_TEXT("/a/"
			 "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovLyJ9."
			 "c2lnbmF0dXJlMTIzNDU2Nzg5/b");
	log_request(&r);
	expect_has(logged_line(), " path=/a/[cut].[cut].[cut]/b ");
}

static void path_of_short_words_is_left_alone(void **state)
{
	struct log_request r = refused_login();

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_DEBUG);
	r.path = AS_TEXT("/0123456789012345678/01234567890123456789/x");
	log_request(&r);
	expect_has(logged_line(), " path=/0123456789012345678/[cut]/x ");
}

static void ids_of_one_case_are_left_alone(void **state)
{
	static const char *const ids[] = {
		UUID,
		("123456789012-abcdefghijklmnopqrstuvwxyz012345.apps.googleusercontent."
		 "com"),
		"0123456789abcdef0123456789abcdef01234567",
		"SPACE_JWT_PUBLIC_8028AAA3-EC2D-4BAA",
		"Aa0123456789012345", /* short enough */
	};

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		log_event(CONFIG_LOG_INFO, "token", "aud \"%s\"", ids[i]);
	{
		const char *all = logged();

		stop_capture();
		for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
			expect_has(all, ids[i]);
	}
}

static void token_in_any_other_value_is_cut_out(void **state)
{
	struct log_request r = refused_login();
	const char *line;

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_DEBUG);
	r.method = AS_TEXT(SESSION_TOKEN);
	r.address = AS_TEXT("x=" SESSION_TOKEN "=y");
	r.detail = "Origin https://" SESSION_TOKEN ", aud " UUID;
	log_request(&r);
	log_event(CONFIG_LOG_ERROR, "database", "error near '%s'", SESSION_TOKEN);
	line = logged();
	stop_capture();
	expect_lacks(line, SESSION_TOKEN);
	expect_lacks(line, "kA7L");
	expect_has(line, " method=[cut] ");
	expect_has(line, "detail=\"Origin https://[cut], aud " UUID "\"");
	expect_has(line, "message=\"error near '[cut]'\"");
}

/* ---- many at once */

#define THREADS 4
#define LINES 50

static void *log_lines(void *context)
{
	const struct log_request r = refused_login();

	(void)context;
	for (int i = 0; i < LINES; i++)
		log_request(&r);
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	pthread_t threads[THREADS];
	const char *all, *end;
	int lines = 0;

	(void)state;
	use(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_lines, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	all = logged();
	stop_capture();
	for (; (end = strchr(all, '\n')); all = end + 1, lines++) {
		assert_memory_equal(all, "time=20", 7);
		assert_memory_equal(end - strlen("ms=1.24"), "ms=1.24", 7);
	}
	assert_string_equal(all, "");
	assert_int_equal(lines, THREADS * LINES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_line_names_all_of_the_request),
		TEST(json_line_names_all_of_the_request),
		TEST(what_is_not_known_is_left_out),
		TEST(place_is_told_at_debug_level_only),
		TEST(level_decides_what_is_logged),
		TEST(control_characters_and_quotes_are_escaped),
		TEST(json_brings_back_the_same_characters),
		TEST(nul_in_a_path_is_no_end),
		TEST(message_of_an_event_is_escaped_as_well),
		TEST(longest_line_is_whole),
		TEST(value_of_256_bytes_is_not_cut),
		TEST(token_in_a_path_is_cut_out),
		TEST(path_of_short_words_is_left_alone),
		TEST(ids_of_one_case_are_left_alone),
		TEST(token_in_any_other_value_is_cut_out),
		TEST(lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
