/*
 * Requests from other origins: which may change something, and which answers may be read.
 */
#include "origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define OURS "https://www.example.com"
#define LISTED "https://app.example.com"
#define OTHER_LISTED "http://localhost:3000"

static char ours[] = OURS, listed[] = LISTED, other_listed[] = OTHER_LISTED;
static char *list[] = { listed, other_listed, NULL };
static const struct config config = {
	.public_origin = ours,
	.allowed_origins = { list, 2 },
};

/* None of these is ours or listed, however near it comes. */
static const char *const foreign[] = {
	"",
	"null",
	"NULL",
	"*",
	"https://evil.example",
	"http://www.example.com",
	"https://www.example.com:443",
	"https://www.example.com:8443",
	"https://www.example.com/",
	"https://WWW.example.com",
	"HTTPS://www.example.com",
	"https://www.example.com.evil.example",
	"https://www.example.comevil.example",
	"https://evil-www.example.com",
	"https://evil.www.example.com",
	"https://example.com",
	"https://www.example.com@evil.example",
	"https://www.example.com https://evil.example",
	"https://www.example.com, https://evil.example",
	" https://www.example.com",
	"https://www.example.com ",
	"https://app.example.co",
	"https://app.example.com.",
	"http://localhost",
	"http://localhost:30000",
	"http://127.0.0.1:3000",
	"file://",
	"https://",
	"www.example.com",
};

static struct request request_from(const char *origin, const char *site)
{
	return (struct request){ .arena = arena,
				 .has_origin = origin != NULL,
				 .origin = text_of(origin),
				 .fetch_site = text_of(site) };
}

static bool may_change(const char *origin, const char *site)
{
	const struct request req = request_from(origin, site);
	struct problem p = { 0 };
	const bool may = origin_check(&config, &req, false, &p);

	assert_int_equal(p.kind, may ? PROBLEM_NONE : PROBLEM_ORIGIN_REFUSED);
	return may;
}

static const char *headers_for(const char *origin, const char *methods)
{
	const struct request req = request_from(origin, NULL);
	struct response res;

	response_start(&res, arena);
	origin_add_headers(&config, &req, methods, &res);
	return arena_copy(arena, buffer_text(&res.headers)).data;
}

static void our_own_and_listed_origins_may_change_something(void **state)
{
	static const char *const good[] = { OURS, LISTED, OTHER_LISTED };
	static const char *const sites[] = { NULL, "same-origin", "same-site",
					     "cross-site", "none" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t k = 0; k < COUNT(sites); k++)
			assert_true(may_change(good[i], sites[k]));
}

static void foreign_origins_may_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++)
		if (may_change(foreign[i], NULL) || may_change(foreign[i], "same-origin"))
			fail_msg("%s may", foreign[i]);
}

static void cross_site_without_an_origin_may_not(void **state)
{
	(void)state;
	assert_false(may_change(NULL, "cross-site"));
	assert_false(may_change(NULL, "Cross-Site"));
	assert_true(may_change(NULL, "same-origin"));
	assert_true(may_change(NULL, "same-site"));
	assert_true(may_change(NULL, "none"));
	/* A program that is no browser sends neither. */
	assert_true(may_change(NULL, NULL));
}

static void listed_origin_may_read_the_answer(void **state)
{
	(void)state;
	assert_string_equal(headers_for(LISTED, NULL),
			    "Vary: Origin\r\n"
			    "Access-Control-Allow-Origin: " LISTED "\r\n"
			    "Access-Control-Allow-Credentials: true\r\n");
	assert_string_equal(headers_for(OTHER_LISTED, NULL),
			    "Vary: Origin\r\n"
			    "Access-Control-Allow-Origin: " OTHER_LISTED "\r\n"
			    "Access-Control-Allow-Credentials: true\r\n");
}

static void preflight_of_a_listed_origin_tells_the_methods(void **state)
{
	(void)state;
	assert_string_equal(
		headers_for(LISTED, "POST, OPTIONS"),
		"Vary: Origin\r\n"
		"Access-Control-Allow-Origin: " LISTED "\r\n"
		"Access-Control-Allow-Credentials: true\r\n"
		"Access-Control-Allow-Methods: POST, OPTIONS\r\n"
		"Access-Control-Allow-Headers: Content-Type, Authorization\r\n"
		"Access-Control-Max-Age: 600\r\n");
}

static void all_others_get_vary_and_nothing_else(void **state)
{
	(void)state;
	assert_string_equal(headers_for(NULL, NULL), "Vary: Origin\r\n");
	assert_string_equal(headers_for(NULL, "POST, OPTIONS"), "Vary: Origin\r\n");
	/* Our own pages need no leave. */
	assert_string_equal(headers_for(OURS, "POST, OPTIONS"), "Vary: Origin\r\n");
	for (size_t i = 0; i < COUNT(foreign); i++)
		assert_string_equal(headers_for(foreign[i], "POST, OPTIONS"),
				    "Vary: Origin\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ARENA(our_own_and_listed_origins_may_change_something),
		IN_ARENA(foreign_origins_may_not),
		IN_ARENA(cross_site_without_an_origin_may_not),
		IN_ARENA(listed_origin_may_read_the_answer),
		IN_ARENA(preflight_of_a_listed_origin_tells_the_methods),
		IN_ARENA(all_others_get_vary_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
