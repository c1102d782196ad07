/*
 * Answers: how a problem is told, what a header may hold, and how all of it is printed.
 */
#include "response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json.h"

static struct arena *arena;
static struct response res;

static int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	/* Whatever was there before must not shine through. */
	memset(&res, 0x5a, sizeof(res));
	response_start(&res, arena);
	return 0;
}

static int close_one(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *printed(void)
{
	return arena_copy(arena, response_print(&res)).data;
}

static struct text member(const struct json *object, const char *name)
{
	const struct json *value;
	struct text text = { 0 };

	if (!json_member(object, name, &value) || !json_string(value, &text))
		fail_msg("no string %s", name);
	return text;
}

#define ALWAYS "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"

/* ---- printing */

static void fresh_answer_is_200_and_empty(void **state)
{
	(void)state;
	assert_string_equal(printed(),
			    "Status: 200 OK\r\n" ALWAYS
			    "Content-Type: application/json\r\nContent-Length: 0\r\n"
			    "\r\n");
}

static void body_comes_with_its_type_and_length(void **state)
{
	(void)state;
	response_header(&res, "X-One", AS_TEXT("1"));
	response_header(&res, "X-Two", AS_TEXT("2"));
	buffer_add(&res.body, AS_TEXT("{\"a\":1}"));
	assert_string_equal(printed(),
			    "Status: 200 OK\r\n" ALWAYS
			    "Content-Type: application/json\r\nContent-Length: 7\r\n"
			    "X-One: 1\r\nX-Two: 2\r\n\r\n{\"a\":1}");
}

static void answer_to_head_has_the_length_and_no_body(void **state)
{
	(void)state;
	buffer_add(&res.body, AS_TEXT("{\"a\":1}"));
	res.without_body = true;
	assert_string_equal(printed(),
			    "Status: 200 OK\r\n" ALWAYS
			    "Content-Type: application/json\r\nContent-Length: 7\r\n"
			    "\r\n");
}

static void answer_without_body_has_neither_type_nor_length(void **state)
{
	(void)state;
	res.status = 204;
	res.bodiless = true;
	buffer_add(&res.body, AS_TEXT("{}"));
	assert_string_equal(printed(), "Status: 204 No Content\r\n" ALWAYS "\r\n");
}

static void body_may_hold_any_byte(void **state)
{
	struct text all;

	(void)state;
	buffer_add(&res.body, AS_TEXT("a\0b"));
	all = response_print(&res);
	assert_memory_equal(all.data + all.len - 5, "\r\n\0", 2);
	assert_memory_equal(all.data + all.len - 3, "a\0b", 3);
}

/* ---- headers */

static void header_value_with_a_control_character_is_left_out(void **state)
{
	static const struct text bad[] = {
		TEXT("a\r\nSet-Cookie: x=y"),
		TEXT("a\nb"),
		TEXT("a\rb"),
		TEXT("a\0b"),
		TEXT("\x1b[0m"),
		TEXT("a\x7f"),
		TEXT("\t"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		response_header(&res, "X-Bad", bad[i]);
	assert_int_equal(res.headers.len, 0);
	response_header(&res, "X-Good", AS_TEXT("a b; c=\"d\", \xc3\xa9 ~"));
	assert_true(text_is(buffer_text(&res.headers),
			    "X-Good: a b; c=\"d\", \xc3\xa9 ~\r\n"));
}

static void header_may_be_empty(void **state)
{
	(void)state;
	response_header(&res, "X-Empty", AS_TEXT(""));
	assert_true(text_is(buffer_text(&res.headers), "X-Empty: \r\n"));
}

/* ---- problems */

static unsigned retry_wanted(enum problem_kind kind)
{
	return kind == PROBLEM_DATABASE_AWAY  ? 2
	       : kind == PROBLEM_KEYS_AWAY    ? 10
	       : kind == PROBLEM_RATE_LIMITED ? 60
					      : 0;
}

static void every_problem_is_told_as_its_row_says(void **state)
{
	(void)state;
	for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KINDS; kind++) {
		const struct problem_row *row = problem_row((enum problem_kind)kind);
		const struct problem p = { .kind = (enum problem_kind)kind,
					   .detail = "only for the log" };
		const unsigned retry = retry_wanted(p.kind);
		const struct json *body, *reason;
		const char *text, *why;

		response_start(&res, arena);
		response_problem(&res, &p, "0123456789abcdef");
		assert_int_equal(res.status, row->status);
		body = json_parse(arena, buffer_text(&res.body), 4, &why);
		assert_non_null(body);
		assert_true(text_is(member(body, "error"), row->error));
		assert_true(text_is(member(body, "message"), row->message));
		assert_true(text_is(member(body, "request_id"), "0123456789abcdef"));
		assert_true(json_member(body, "reason", &reason));
		if (row->reason)
			assert_true(text_is(member(body, "reason"), row->reason));
		else
			assert_null(reason);
		text = printed();
		assert_null(strstr(text, "only for the log"));
		assert_null(strstr(text, row->name));
		if (retry)
			assert_non_null(strstr(
				text,
				arena_printf(arena, "\r\nRetry-After: %u\r\n", retry)
					.data));
		else
			assert_null(strstr(text, "Retry-After"));
		/* A status line that a person can read. */
		assert_memory_equal(
			text, arena_printf(arena, "Status: %d ", row->status).data, 12);
		assert_null(strstr(text, "Unknown"));
	}
}

static void all_of_503_and_429_say_when_to_come_again(void **state)
{
	(void)state;
	for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KINDS; kind++) {
		const int status = problem_row((enum problem_kind)kind)->status;

		assert_int_equal(status == 503 || status == 429,
				 retry_wanted((enum problem_kind)kind) != 0);
	}
}

static void problem_may_know_better_when_to_come_again(void **state)
{
	const struct problem p = { .kind = PROBLEM_RATE_LIMITED, .retry_after_s = 17 };

	(void)state;
	response_problem(&res, &p, "id");
	assert_true(text_is(buffer_text(&res.headers), "Retry-After: 17\r\n"));
}

/* The answer was nearly there, its cookie set, when the database went away. */
static void problem_takes_back_all_that_was_said_before(void **state)
{
	const struct problem p = { .kind = PROBLEM_DATABASE_AWAY };

	(void)state;
	res.status = 204;
	res.bodiless = true;
	response_header(&res, "Set-Cookie", AS_TEXT("session=; Max-Age=0"));
	buffer_add(&res.body, AS_TEXT("{\"sessions\":["));
	response_problem(&res, &p, "id");
	assert_string_equal(
		printed(),
		"Status: 503 Service Unavailable\r\n" ALWAYS
		"Content-Type: application/json\r\nContent-Length: 102\r\n"
		"Retry-After: 2\r\n\r\n"
		"{\"error\":\"unavailable\",\"reason\":\"database\",\"message\":"
		"\"Please try again in a moment\",\"request_id\":\"id\"}");
}

/* ---- a user */

static void user_is_told_with_what_is_there(void **state)
{
	(void)state;
	json_begin(&res.body, NULL, '{');
	response_add_user(
		&res, &(struct store_user){ .id = "42", .email = "a\"b@example.com" });
	json_end(&res.body, '}');
	assert_true(text_is(buffer_text(&res.body),
			    "{\"user\":{\"id\":\"42\",\"email\":\"a\\\"b@example.com\","
			    "\"phone\":null}}"));
	response_start(&res, arena);
	json_begin(&res.body, NULL, '{');
	response_add_user(&res,
			  &(struct store_user){ .id = "7", .phone = "+12025550123" });
	json_end(&res.body, '}');
	assert_true(text_is(buffer_text(&res.body),
			    "{\"user\":{\"id\":\"7\",\"email\":null,"
			    "\"phone\":\"+12025550123\"}}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fresh_answer_is_200_and_empty),
		TEST(body_comes_with_its_type_and_length),
		TEST(answer_to_head_has_the_length_and_no_body),
		TEST(answer_without_body_has_neither_type_nor_length),
		TEST(body_may_hold_any_byte),
		TEST(header_value_with_a_control_character_is_left_out),
		TEST(header_may_be_empty),
		TEST(every_problem_is_told_as_its_row_says),
		TEST(all_of_503_and_429_say_when_to_come_again),
		TEST(problem_may_know_better_when_to_come_again),
		TEST(problem_takes_back_all_that_was_said_before),
		TEST(user_is_told_with_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
