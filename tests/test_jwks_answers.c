/* Key sets from an issuer: what comes of its answers, and what hostile ones cannot do. */
#include "jwks_fixture.h"

#include "buffer.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(withdrawn_key_is_refused_after_the_refresh),
		TEST(unchanged_set_is_known_by_its_etag),
		TEST(two_keys_under_one_kid_serve_nobody),
		TEST(hostile_answers_leave_the_old_keys_in_use),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
