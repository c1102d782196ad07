/* Whole requests from pages of this site, of listed ones and of others. */
#include "answer_fixture.h"

/* ---- other origins */

#define FROM(origin) "HTTP_ORIGIN=" origin

static void listed_origin_gets_cors_headers_with_every_answer(void **state)
{
	static const struct call calls[] = {
		{ .method = "POST",
		  .path = "/login",
		  .body = "{}",
		  .more = { FROM(LISTED) } },
		{ .method = "POST",
		  .path = "/login",
		  .body = "x",
		  .type = "text/plain",
		  .more = { FROM(LISTED) } },
		{ .method = "GET", .path = "/session", .more = { FROM(LISTED) } },
		{ .method = "POST", .path = "/logout", .more = { FROM(LISTED) } },
		{ .method = "GET", .path = "/nowhere", .more = { FROM(LISTED) } },
		{ .method = "PUT", .path = "/login", .more = { FROM(LISTED) } },
		{ .method = "GET", .path = "/healthz", .more = { FROM(LISTED) } },
		{ .method = "HEAD", .path = "/healthz", .more = { FROM(LISTED) } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++) {
		const struct reply r = ask_call(&calls[i]);

		assert_string_equal(header_of(&r, "Access-Control-Allow-Origin"), LISTED);
		assert_string_equal(header_of(&r, "Access-Control-Allow-Credentials"),
				    "true");
		assert_null(header_of(&r, "Access-Control-Allow-Methods"));
	}
}

static void foreign_origin_changes_nothing_and_reads_nothing(void **state)
{
	static const char *const origins[] = {
		FROM("https://evil.example"),
		FROM("null"),
		FROM(""),
		FROM("http://www.example.com"),
		FROM(ORIGIN ":443"),
		FROM(ORIGIN ".evil.example"),
		FROM(LISTED "/"),
		"HTTP_SEC_FETCH_SITE=cross-site",
	};
	const char *cookie = new_session("alice@example.com");
	const char *before = fake_store_dump(app->store),
		   *body = body_with(sign(CLAIMS()));
	char *after;

	(void)state;
	for (size_t i = 0; i < COUNT(origins); i++) {
		const struct call calls[] = {
			{ .method = "POST",
			  .path = "/login",
			  .body = body,
			  .more = { origins[i], cookie } },
			{ .method = "POST",
			  .path = "/logout",
			  .more = { origins[i], cookie } },
			{ .method = "DELETE",
			  .path = "/sessions/1",
			  .more = { origins[i], cookie } },
			{ .method = "POST",
			  .path = "/refresh",
			  .more = { origins[i], cookie } },
		};

		for (size_t k = 0; k < COUNT(calls); k++) {
			const struct reply r = ask_call(&calls[k]);

			expect_reply(origins[i], &r, 403, PROBLEM_ORIGIN_REFUSED);
			assert_null(strstr(r.head, "Access-Control"));
		}
	}
	after = fake_store_dump(app->store);
	assert_string_equal(before, after);
	free((char *)(uintptr_t)before);
	free(after);
	assert_int_equal(session_status(cookie), 200);
}

static void own_and_listed_origins_may_log_in(void **state)
{
	static const char *const origins[] = { FROM(ORIGIN), FROM(LISTED),
					       "HTTP_SEC_FETCH_SITE=none" };

	(void)state;
	for (size_t i = 0; i < COUNT(origins); i++)
		assert_int_equal(ASK(.method = "POST", .path = "/login",
				     .body = body_with(sign(CLAIMS())),
				     .more = { origins[i] })
					 .status,
				 200);
	assert_int_equal(ASK(.method = "POST", .path = "/login",
			     .body = body_with(sign(CLAIMS())),
			     .more = { FROM(LISTED), "HTTP_SEC_FETCH_SITE=cross-site" })
				 .status,
			 200);
}

static void two_origins_are_nobodys(void **state)
{
	struct reply r =
		ASK(.method = "POST", .path = "/login", .body = body_with(sign(CLAIMS())),
		    .more = { FROM(LISTED), FROM(LISTED) });

	(void)state;
	expect_reply("twice", &r, 403, PROBLEM_ORIGIN_REFUSED);
	assert_null(strstr(r.head, "Access-Control"));
}

static void preflight_is_answered_on_every_route(void **state)
{
	static const struct {
		const char *path, *methods;
	} routes[] = {
		{ "/login", "POST, OPTIONS" },
		{ "/session", "GET, HEAD, OPTIONS" },
		{ "/logout", "POST, OPTIONS" },
		{ "/sessions", "GET, HEAD, OPTIONS" },
		{ "/sessions/7", "DELETE, OPTIONS" },
		{ "/healthz", "GET, HEAD, OPTIONS" },
		{ "/refresh", "POST, OPTIONS" },
		{ "/jwks", "GET, HEAD, OPTIONS" },
		{ "/authorize", "GET, HEAD, OPTIONS" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		struct reply r =
			ASK(.method = "OPTIONS", .path = routes[i].path,
			    .more = {
				    FROM(LISTED),
				    "HTTP_ACCESS_CONTROL_REQUEST_METHOD=POST",
				    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS=content-type" });

		assert_int_equal(r.status, 204);
		assert_string_equal(header_of(&r, "Access-Control-Allow-Methods"),
				    routes[i].methods);
		assert_string_equal(header_of(&r, "Access-Control-Allow-Headers"),
				    "Content-Type, Authorization");
		r = ASK(.method = "OPTIONS", .path = routes[i].path,
			.more = { FROM("https://evil.example") });
		assert_int_equal(r.status, 204);
		assert_null(strstr(r.head, "Access-Control"));
	}
	assert_int_equal(
		ASK(.method = "OPTIONS", .path = "/nowhere", .more = { FROM(LISTED) })
			.status,
		404);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(listed_origin_gets_cors_headers_with_every_answer),
		TEST(foreign_origin_changes_nothing_and_reads_nothing),
		TEST(own_and_listed_origins_may_log_in),
		TEST(two_origins_are_nobodys),
		TEST(preflight_is_answered_on_every_route),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
