/* A request's body: is it what the route takes, whole, and one JSON object? */
#include "body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LIMIT 100

static struct request request_with(const char *type, const char *length, struct text body)
{
	return (struct request){
		.arena = arena,
		.content_type = text_of(type),
		.content_length = text_of(length),
		.body = body,
		.body_size = body.len,
	};
}

static enum problem_kind verdict(const struct request *req, bool empty_is_fine)
{
	const struct json *untouched = (const struct json *)(const void *)"",
			  *value = untouched;
	struct problem p = { 0 };

	if (body_parse(req, LIMIT, empty_is_fine, &value, &p)) {
		assert_int_equal(p.kind, PROBLEM_NONE);
		assert_true(value == NULL || json_type(value) == JSON_OBJECT);
		return PROBLEM_NONE;
	}
	assert_ptr_equal(value, untouched);
	return p.kind;
}

static void expect(const char *what, const struct request *req, enum problem_kind kind)
{
	const enum problem_kind found = verdict(req, false);

	if (found != kind)
		fail_msg("%s: %s instead of %s", what, problem_row(found)->name,
			 problem_row(kind)->name);
}

static void expect_type(const char *type, enum problem_kind kind)
{
	const struct request req = request_with(type, "2", AS_TEXT("{}"));

	expect(type, &req, kind);
}

static void expect_length(const char *length, size_t size, enum problem_kind kind)
{
	char *blanks = arena_alloc(arena, size + 2);
	struct request req;

	memset(blanks, ' ', size);
	memcpy(blanks, "{}", 2);
	req = request_with("application/json", length, (struct text){ blanks, size });
	expect(length, &req, kind);
}

static void expect_json(struct text json, enum problem_kind kind)
{
	const struct request req = request_with("application/json", "", json);

	expect(json.data, &req, kind);
}

/* ---- media type */

static void json_in_utf8_is_taken(void **state)
{
	static const char *const types[] = {
		"application/json",
		"Application/JSON",
		"application/json;charset=utf-8",
		"application/json; charset=UTF-8",
		"application/json ; charset = utf-8",
		"application/json; Charset=\"utf-8\"",
		"application/json;",
		"application/json; ;",
		"\tapplication/json ",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		expect_type(types[i], PROBLEM_NONE);
}

/* Above all what a page of any origin may post without a preflight. */
static void other_media_types_are_refused(void **state)
{
	static const char *const types[] = {
		"",
		"text/plain",
		"application/x-www-form-urlencoded",
		"multipart/form-data",
		"multipart/form-data; boundary=application/json",
		"text/json",
		"application/jsonp",
		"application/json+x",
		"application/ld+json",
		"xapplication/json",
		"application",
		"application/json, text/plain",
		"text/plain, application/json",
		"text/plain; application/json",
		"application/json; charset=utf-16",
		"application/json; charset=iso-8859-1",
		"application/json; charset=",
		"application/json; charset=utf-8; charset=utf-16",
		"application/json; boundary=x",
		"application/json; charset=\"utf-8",
		"application/json; charset",
		"\"application/json\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		expect_type(types[i], PROBLEM_MEDIA_TYPE);
}

static void compressed_body_is_refused(void **state)
{
	static const char *const encodings[] = { "gzip", "identity", "br", "x" };
	struct request req = request_with("application/json", "2", AS_TEXT("{}"));

	(void)state;
	expect("not compressed", &req, PROBLEM_NONE);
	for (size_t i = 0; i < COUNT(encodings); i++) {
		req.content_encoding = text_of(encodings[i]);
		expect(encodings[i], &req, PROBLEM_MEDIA_TYPE);
	}
}

/* ---- length */

static void length_is_a_number_and_that_of_the_body(void **state)
{
	(void)state;
	expect_length("10", 10, PROBLEM_NONE);
	expect_length("", 10, PROBLEM_NONE); /* chunked */
	expect_length("010", 10, PROBLEM_NONE);
	expect_length("11", 10, PROBLEM_BODY_SHORT);
	expect_length("9", 10, PROBLEM_BODY_SHORT);
	expect_length("0", 10, PROBLEM_BODY_SHORT);
	expect_length("-10", 10, PROBLEM_BAD_LENGTH);
	expect_length("+10", 10, PROBLEM_BAD_LENGTH);
	expect_length("10 ", 10, PROBLEM_BAD_LENGTH);
	expect_length("10, 10", 10, PROBLEM_BAD_LENGTH);
	expect_length("0xa", 10, PROBLEM_BAD_LENGTH);
	expect_length("1e1", 10, PROBLEM_BAD_LENGTH);
	expect_length("ten", 10, PROBLEM_BAD_LENGTH);
	expect_length("18446744073709551626x", 10, PROBLEM_BAD_LENGTH);
	expect_length("00000000000000000000010", 10, PROBLEM_BAD_LENGTH);
}

static void body_over_the_limit_is_refused(void **state)
{
	(void)state;
	expect_length("100", 100, PROBLEM_NONE);
	expect_length("", 100, PROBLEM_NONE);
	expect_length("101", 101, PROBLEM_BODY_TOO_LARGE);
	expect_length("", 101, PROBLEM_BODY_TOO_LARGE);
	expect_length("100", 101, PROBLEM_BODY_TOO_LARGE);
	/* On the word alone, whatever came. */
	expect_length("101", 2, PROBLEM_BODY_TOO_LARGE);
	expect_length("999999999999999999", 2, PROBLEM_BODY_TOO_LARGE);
	/* 2^64 and 10, which is 10 to who counts in 64 bits; and 23 digits. */
	expect_length("18446744073709551626", 10, PROBLEM_BODY_TOO_LARGE);
	expect_length("10000000000000000000000", 10, PROBLEM_BODY_TOO_LARGE);
}

static void body_that_broke_off_is_refused(void **state)
{
	struct request req = request_with("application/json", "", AS_TEXT("{}"));

	(void)state;
	expect("whole", &req, PROBLEM_NONE);
	req.body_broken = true;
	expect("broken", &req, PROBLEM_BODY_SHORT);
	req.content_length = AS_TEXT("2");
	expect("broken at its length", &req, PROBLEM_BODY_SHORT);
}

/* ---- JSON */

static void body_is_exactly_one_object(void **state)
{
	static const char *const good[] = { "{}", " {\"a\":1}\r\n", "{\"a\":{\"a\":[]}}",
					    "{\"\":\"\xc3\xa9\"}" };
	static const char *const bad[] = {
		"",
		" ",
		"null",
		"[]",
		"[{}]",
		"\"x\"",
		"1",
		"{}{}",
		"{},",
		"{}x",
		"{",
		"{\"a\":1,}",
		"{'a':1}",
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"\\u0061\":2}",
		"{\"a\":{\"b\":1,\"b\":1}}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\\u0000\":1}",
		"{\"a\":NaN}",
		"\xef\xbb\xbf{}",
		"{\"a\":01}",
		"// {}\n{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		expect_json(text_of(good[i]), PROBLEM_NONE);
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_json(text_of(bad[i]), PROBLEM_BAD_JSON);
	expect_json(AS_TEXT("{}\0"), PROBLEM_BAD_JSON);
	expect_json(AS_TEXT("{\"a\":\"\0\"}"), PROBLEM_BAD_JSON);
}

static void body_is_at_most_32_levels_deep(void **state)
{
	char deep[LIMIT] = "{\"a\":";

	(void)state;
	memset(deep + 5, '[', 31);
	memset(deep + 5 + 31, ']', 31);
	strcpy(deep + 5 + 62, "}");
	expect_json(text_of(deep), PROBLEM_NONE);
	memset(deep + 5, '[', 32);
	memset(deep + 5 + 32, ']', 32);
	strcpy(deep + 5 + 64, "}");
	expect_json(text_of(deep), PROBLEM_BAD_JSON);
}

/* ---- no body at all */

static void no_body_is_fine_only_where_it_is_said_to_be(void **state)
{
	static const char *const lengths[] = { "", "0" };
	static const char *const types[] = { "", "application/json", "text/plain" };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++)
		for (size_t k = 0; k < COUNT(types); k++) {
			const struct request req =
				request_with(types[k], lengths[i], AS_TEXT(""));

			assert_int_equal(verdict(&req, true), PROBLEM_NONE);
			assert_int_equal(verdict(&req, false),
					 k == 1 ? PROBLEM_BAD_JSON : PROBLEM_MEDIA_TYPE);
		}
}

static void absent_body_that_was_announced_is_not_fine(void **state)
{
	struct request req = request_with("application/json", "5", AS_TEXT(""));

	(void)state;
	assert_int_equal(verdict(&req, true), PROBLEM_BODY_SHORT);
	req.content_length = AS_TEXT("");
	req.body_broken = true;
	assert_int_equal(verdict(&req, true), PROBLEM_BODY_SHORT);
	req.body_broken = false;
	assert_int_equal(verdict(&req, true), PROBLEM_NONE);
}

static void body_where_none_is_needed_has_to_be_good(void **state)
{
	struct request req =
		request_with("application/json", "", AS_TEXT("{\"scope\":\"all\"}"));

	(void)state;
	assert_int_equal(verdict(&req, true), PROBLEM_NONE);
	req.body = AS_TEXT("[]");
	req.body_size = 2;
	assert_int_equal(verdict(&req, true), PROBLEM_BAD_JSON);
	req.content_type = AS_TEXT("text/plain");
	assert_int_equal(verdict(&req, true), PROBLEM_MEDIA_TYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ARENA(json_in_utf8_is_taken),
		IN_ARENA(other_media_types_are_refused),
		IN_ARENA(compressed_body_is_refused),
		IN_ARENA(length_is_a_number_and_that_of_the_body),
		IN_ARENA(body_over_the_limit_is_refused),
		IN_ARENA(body_that_broke_off_is_refused),
		IN_ARENA(body_is_exactly_one_object),
		IN_ARENA(body_is_at_most_32_levels_deep),
		IN_ARENA(no_body_is_fine_only_where_it_is_said_to_be),
		IN_ARENA(absent_body_that_was_announced_is_not_fine),
		IN_ARENA(body_where_none_is_needed_has_to_be_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
