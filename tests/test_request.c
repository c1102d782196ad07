/* What is read from a web server's variables, and what is not. */
#include "request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define DRAIN_MAX (16u * 1024 * 1024)

static struct request request_of(const char *const *variables)
{
	const struct door door = { .role = ROLE_RESPONDER,
				   .variables = (char *const *)variables };
	struct request req;

	request_read(&req, &door, arena, 1795350100);
	return req;
}

#define REQUEST(...) request_of((const char *const[]){ __VA_ARGS__, NULL })

static void expect_text(struct text found, const char *wanted)
{
	if (!text_is(found, wanted))
		fail_msg("\"%.*s\" instead of \"%s\"", TEXT_ARG(found), wanted);
}

/* ---- variables */

static void variables_of_a_request_are_read(void **state)
{
	const struct request req =
		REQUEST("REQUEST_METHOD=POST", "SCRIPT_NAME=/auth", "PATH_INFO=/login",
			"REMOTE_ADDR=192.0.2.10", "CONTENT_TYPE=application/json",
			"CONTENT_LENGTH=12", "HTTP_USER_AGENT=Mozilla/5.0 (x=y)",
			"HTTP_ORIGIN=https://app.example.com",
			"HTTP_SEC_FETCH_SITE=same-site", "HTTP_SEC_FETCH_MODE=cors",
			"HTTP_ACCEPT=application/json", "HTTP_CONTENT_ENCODING=gzip",
			"HTTP_AUTHORIZATION=Bearer x", "REQUEST_URI=/auth/login?a=b");

	(void)state;
	assert_int_equal(req.role, ROLE_RESPONDER);
	assert_int_equal(req.now, 1795350100);
	expect_text(req.method, "POST");
	expect_text(req.path, "/login");
	expect_text(req.address, "192.0.2.10");
	expect_text(req.content_type, "application/json");
	expect_text(req.content_length, "12");
	expect_text(req.content_encoding, "gzip");
	expect_text(req.user_agent, "Mozilla/5.0 (x=y)");
	expect_text(req.origin, "https://app.example.com");
	assert_true(req.has_origin);
	expect_text(req.fetch_site, "same-site");
	expect_text(req.fetch_mode, "cors");
	expect_text(req.accept, "application/json");
	expect_text(req.authorization, "Bearer x");
	expect_text(req.uri, "/auth/login?a=b");
}

static void absent_variables_are_empty(void **state)
{
	const struct request req = REQUEST("REQUEST_METHOD=GET");

	(void)state;
	expect_text(req.path, "");
	expect_text(req.address, "");
	expect_text(req.content_type, "");
	expect_text(req.content_length, "");
	expect_text(req.origin, "");
	assert_false(req.has_origin);
	expect_text(req.authorization, "");
}

static void path_is_path_info_or_the_last_segment_of_the_script(void **state)
{
	static const struct {
		const char *script, *info, *path;
	} cases[] = {
		{ "SCRIPT_NAME=/auth", "PATH_INFO=/login", "/login" },
		{ "SCRIPT_NAME=/auth", "PATH_INFO=/sessions/7", "/sessions/7" },
		{ "SCRIPT_NAME=/login", "PATH_INFO=", "/login" },
		{ "SCRIPT_NAME=/auth/login", "PATH_INFO=", "/login" },
		{ "SCRIPT_NAME=/cgi-bin/pintle.fcgi", "PATH_INFO=/login", "/login" },
		{ "SCRIPT_NAME=/auth/", "PATH_INFO=", "/" },
		{ "SCRIPT_NAME=", "PATH_INFO=/login", "/login" },
		{ "SCRIPT_NAME=", "PATH_INFO=", "" },
		{ "SCRIPT_NAME=login", "PATH_INFO=", "" },
		/* As they are: nothing is decoded, folded or made shorter. */
		{ "SCRIPT_NAME=/auth", "PATH_INFO=//login", "//login" },
		{ "SCRIPT_NAME=/auth", "PATH_INFO=/login/", "/login/" },
		{ "SCRIPT_NAME=/auth", "PATH_INFO=/x/../login", "/x/../login" },
		{ "SCRIPT_NAME=/auth", "PATH_INFO=/%6cogin", "/%6cogin" },
		{ "SCRIPT_NAME=/auth", "PATH_INFO=login", "login" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_text(REQUEST(cases[i].script, cases[i].info).path, cases[i].path);
}

static void variable_of_a_longer_or_shorter_name_is_another(void **state)
{
	const struct request req = REQUEST(
		"REQUEST_METHOD_=PUT", "XREQUEST_METHOD=PUT", "REQUEST_METHO=PUT",
		"request_method=PUT", "REQUEST_METHOD", "REQUEST_METHOD=GET",
		"REMOTE_ADDR=", "REMOTE_ADDRESS=192.0.2.1", "HTTP_REMOTE_ADDR=192.0.2.2");

	(void)state;
	expect_text(req.method, "GET");
	expect_text(req.address, "");
}

static void headers_that_clients_forge_are_not_read(void **state)
{
	const struct request plain =
		REQUEST("REQUEST_METHOD=POST", "PATH_INFO=/login",
			"REMOTE_ADDR=192.0.2.10", "CONTENT_LENGTH=2");
	const struct request forged = REQUEST(
		"REQUEST_METHOD=POST", "PATH_INFO=/login", "REMOTE_ADDR=192.0.2.10",
		"CONTENT_LENGTH=2", "HTTP_X_FORWARDED_FOR=203.0.113.1",
		"HTTP_X_REAL_IP=203.0.113.1", "HTTP_FORWARDED=for=203.0.113.1",
		"HTTP_CLIENT_IP=203.0.113.1", "HTTP_X_HTTP_METHOD_OVERRIDE=GET",
		"HTTP_X_METHOD_OVERRIDE=GET", "HTTP_X_ORIGINAL_URL=/healthz",
		"HTTP_X_REWRITE_URL=/healthz", "HTTP_CONTENT_LENGTH=99",
		"HTTP_CONTENT_TYPE=text/plain", "HTTP_REMOTE_USER=root",
		"REMOTE_USER=root", "HTTP_X_FORWARDED_USER=root",
		"HTTP_X_FORWARDED_HOST=evil.example", "HTTP_HOST=evil.example",
		"HTTP_PROXY=http://evil.example", "HTTP_PINTLE_USER_ID=1",
		"PINTLE_USER_ID=1", "HTTP_TRANSFER_ENCODING=chunked",
		"QUERY_STRING=access_token=x");

	(void)state;
	/* All that a handler gets to see is the same. */
#define SAME(field) assert_true(text_equal(plain.field, forged.field))
	SAME(method);
	SAME(path);
	SAME(address);
	SAME(content_type);
	SAME(content_length);
	SAME(content_encoding);
	SAME(authorization);
	SAME(user_agent);
	SAME(uri);
	SAME(origin);
	SAME(fetch_site);
#undef SAME
}

static void repeated_variable_means_nothing_certain(void **state)
{
	const struct request req =
		REQUEST("REQUEST_METHOD=POST", "CONTENT_TYPE=application/json",
			"CONTENT_TYPE=text/plain", "HTTP_ORIGIN=https://www.example.com",
			"HTTP_ORIGIN=https://evil.example", "HTTP_AUTHORIZATION=Bearer a",
			"HTTP_AUTHORIZATION=Bearer b");

	(void)state;
	expect_text(req.content_type, "");
	expect_text(req.authorization, "");
	/* There is an Origin, and it is nobody's. */
	assert_true(req.has_origin);
	expect_text(req.origin, "");
}

static void first_of_what_the_server_sets_counts(void **state)
{
	const struct request req =
		REQUEST("REMOTE_ADDR=192.0.2.10", "REMOTE_ADDR=203.0.113.1",
			"REQUEST_METHOD=POST", "REQUEST_METHOD=GET", "CONTENT_LENGTH=5",
			"CONTENT_LENGTH=500");

	(void)state;
	expect_text(req.address, "192.0.2.10");
	expect_text(req.method, "POST");
	expect_text(req.content_length, "5");
}

static void each_request_gets_an_id_of_its_own(void **state)
{
	const struct request a = REQUEST("REQUEST_METHOD=GET");
	const struct request b =
		REQUEST("REQUEST_METHOD=GET", "HTTP_X_REQUEST_ID=forged");

	(void)state;
	assert_int_equal(strlen(a.id), 16);
	assert_int_equal(strspn(a.id, "0123456789abcdef"), 16);
	assert_int_equal(strlen(b.id), 16);
	assert_string_not_equal(a.id, b.id);
}

static void append(void *context, struct text value)
{
	char *all = context;

	snprintf(all + strlen(all), 64 - strlen(all), "%.*s;", TEXT_ARG(value));
}

static void every_variable_of_a_name_is_told(void **state)
{
	const char *const variables[] = { "HTTP_COOKIE=a=1",	  "HTTP_COOKIE2=b",
					  "X=HTTP_COOKIE=c",	  "HTTP_COOKIE=",
					  "HTTP_COOKIE=d=4; e=5", NULL };
	char all[64] = "";

	(void)state;
	request_each((char *const *)variables, "HTTP_COOKIE", append, all);
	assert_string_equal(all, "a=1;;d=4; e=5;");
	all[0] = '\0';
	request_each((char *const *)variables, "HTTP_COOKI", append, all);
	assert_string_equal(all, "");
}

static void bearer_is_read_by_its_scheme(void **state)
{
	static const struct {
		const char *header, *token;
	} cases[] = {
		{ "HTTP_AUTHORIZATION=Bearer abc.def", "abc.def" },
		{ "HTTP_AUTHORIZATION=bearer abc", "abc" },
		{ "HTTP_AUTHORIZATION=BEARER abc", "abc" },
		{ "HTTP_AUTHORIZATION=Bearer   abc \t", "abc" },
		{ "HTTP_AUTHORIZATION=Bearer", "" },
		{ "HTTP_AUTHORIZATION=Bearer ", "" },
		{ "HTTP_AUTHORIZATION=Bearerabc", "" },
		{ "HTTP_AUTHORIZATION=Basic abc", "" },
		{ "HTTP_AUTHORIZATION= Bearer abc", "" },
		{ "HTTP_AUTHORIZATION=abc", "" },
		{ "HTTP_AUTHORIZATION=", "" },
		{ "HTTP_X_AUTHORIZATION=Bearer abc", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct request req = REQUEST(cases[i].header);

		expect_text(request_bearer(&req), cases[i].token);
	}
}

/* ---- the body */

/* Gives its text in pieces, and then says END: 0, or -1 for a connection that broke. */
struct source {
	struct text left;
	size_t piece;
	ssize_t end;
	unsigned reads_after_end;
};

static ssize_t read_source(void *context, char *out, size_t size)
{
	struct source *s = context;

	if (!s->left.len) {
		s->reads_after_end++;
		return s->end;
	}
	if (size > s->piece)
		size = s->piece;
	if (size > s->left.len)
		size = s->left.len;
	memcpy(out, s->left.data, size);
	s->left.data += size;
	s->left.len -= size;
	return (ssize_t)size;
}

static struct request read_body(struct source *source, const char *length, size_t limit)
{
	const char *const variables[] = { "REQUEST_METHOD=POST", length, NULL };
	const struct door door = { ROLE_RESPONDER, (char *const *)variables, read_source,
				   source };
	struct request req;

	request_read(&req, &door, arena, 0);
	request_read_body(&req, &door, limit);
	return req;
}

#define TEN "0123456789"

static void body_is_read_in_whatever_pieces_it_comes(void **state)
{
	static const char *const lengths[] = { "CONTENT_LENGTH=10",
					       "CONTENT_LENGTH=", "X=" };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++)
		for (size_t piece = 1; piece <= 11; piece++) {
			struct source source = { AS_TEXT(TEN), piece, 0, 0 };
			const struct request req = read_body(&source, lengths[i], 1000);

			expect_text(req.body, TEN);
			assert_int_equal(req.body_size, 10);
			assert_false(req.body_broken);
			assert_int_equal(source.reads_after_end, 1);
		}
}

static void body_is_read_to_its_end_and_kept_to_the_limit(void **state)
{
	static const char *const lengths[] = { "CONTENT_LENGTH=10",
					       "CONTENT_LENGTH=3",
					       "CONTENT_LENGTH=0",
					       "CONTENT_LENGTH=x",
					       "CONTENT_LENGTH=-1",
					       "CONTENT_LENGTH=999999999999999999",
					       "CONTENT_LENGTH=99999999999999999999",
					       "X=" };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct source source = { AS_TEXT(TEN), 3, 0, 0 };
		const struct request req = read_body(&source, lengths[i], 4);

		assert_int_equal(req.body_size, 10);
		assert_true(req.body.len <= 4);
		assert_memory_equal(req.body.data, TEN, req.body.len);
		assert_int_equal(source.left.len, 0);
	}
	{
		struct source source = { AS_TEXT(TEN), 3, 0, 0 };

		expect_text(read_body(&source, "CONTENT_LENGTH=10", 4).body, "0123");
	}
}

static void body_that_breaks_off_is_known_to(void **state)
{
	struct source broken = { AS_TEXT("0123"), 10, -1, 0 },
		      whole = { AS_TEXT("0123"), 10, 0, 0 };
	struct request req = read_body(&broken, "CONTENT_LENGTH=10", 100);

	(void)state;
	assert_true(req.body_broken);
	assert_int_equal(req.body_size, 4);
	req = read_body(&whole, "CONTENT_LENGTH=10", 100);
	assert_false(req.body_broken);
	assert_int_equal(req.body_size, 4);
}

static void body_without_end_is_not_read_for_ever(void **state)
{
	struct source source = { { NULL, 2 * DRAIN_MAX }, 65536, 0, 0 };
	struct request req;

	(void)state;
	source.left.data = calloc(1, source.left.len);
	assert_non_null(source.left.data);
	{
		char *start = (char *)(uintptr_t)source.left.data;

		req = read_body(&source, "CONTENT_LENGTH=", 100);
		free(start);
	}
	assert_true(req.body_broken);
	assert_int_equal(req.body.len, 100);
	assert_true(req.body_size >= DRAIN_MAX && req.body_size < DRAIN_MAX + 65536);
}

static void absent_body_is_empty(void **state)
{
	struct source source = { AS_TEXT(""), 10, 0, 0 };
	const struct request req = read_body(&source, "CONTENT_LENGTH=0", 100);

	(void)state;
	assert_int_equal(req.body.len, 0);
	assert_int_equal(req.body_size, 0);
	assert_false(req.body_broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ARENA(variables_of_a_request_are_read),
		IN_ARENA(absent_variables_are_empty),
		IN_ARENA(path_is_path_info_or_the_last_segment_of_the_script),
		IN_ARENA(variable_of_a_longer_or_shorter_name_is_another),
		IN_ARENA(headers_that_clients_forge_are_not_read),
		IN_ARENA(repeated_variable_means_nothing_certain),
		IN_ARENA(first_of_what_the_server_sets_counts),
		IN_ARENA(each_request_gets_an_id_of_its_own),
		IN_ARENA(every_variable_of_a_name_is_told),
		IN_ARENA(bearer_is_read_by_its_scheme),
		IN_ARENA(body_is_read_in_whatever_pieces_it_comes),
		IN_ARENA(body_is_read_to_its_end_and_kept_to_the_limit),
		IN_ARENA(body_that_breaks_off_is_known_to),
		IN_ARENA(body_without_end_is_not_read_for_ever),
		IN_ARENA(absent_body_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
