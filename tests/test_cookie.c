/* The session cookie, in and out. */
#include "cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define NAME "__Host-session"

/* VALUE NULL: none, or none that counts. */
static void expect_found(const char *first, const char *second, const char *value)
{
	const char *const variables[] = { "REQUEST_METHOD=GET", first, second, NULL };
	const struct request req = { .variables = (char *const *)variables };
	const struct text untouched = AS_TEXT("untouched");
	struct text found = untouched;

	if (cookie_find(&req, NAME, &found) != !!value)
		fail_msg("%s %s: %s", first, second ? second : "",
			 value ? "not found" : "found");
	if (value ? !text_is(found, value) : !text_equal(found, untouched))
		fail_msg("%s: \"%.*s\"", first, TEXT_ARG(found));
}

static void cookie_is_found_among_others(void **state)
{
	static const struct {
		const char *header, *value;
	} cases[] = {
		{ "HTTP_COOKIE=" NAME "=abc", "abc" },
		{ "HTTP_COOKIE=a=1; " NAME "=abc; b=2", "abc" },
		{ "HTTP_COOKIE=a=1;" NAME "=abc;b=2", "abc" },
		{ "HTTP_COOKIE=" NAME "=abc, a=1", "abc" },
		{ "HTTP_COOKIE=a=1, b=2; " NAME "=abc", "abc" },
		{ "HTTP_COOKIE= \t" NAME "=abc ", "abc" },
		{ "HTTP_COOKIE=;;;" NAME "=abc;;", "abc" },
		{ "HTTP_COOKIE=" NAME "=a=b", "a=b" },
		{ "HTTP_COOKIE=" NAME "=", "" },
		{ "HTTP_COOKIE=" NAME, "" },
		{ "HTTP_COOKIE=a=" NAME "; " NAME "=abc", "abc" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_found(cases[i].header, NULL, cases[i].value);
}

static void cookie_of_nearly_the_name_is_another(void **state)
{
	static const char *const headers[] = {
		"HTTP_COOKIE=",
		"HTTP_COOKIE=session=abc",
		"HTTP_COOKIE=__host-session=abc",
		"HTTP_COOKIE=__HOST-SESSION=abc",
		"HTTP_COOKIE=x" NAME "=abc",
		"HTTP_COOKIE=" NAME "x=abc",
		"HTTP_COOKIE=" NAME " =abc",
		"HTTP_COOKIE=a=\"" NAME "=abc\"",
		"HTTP_COOKIE=planted=1, " NAME "=abc",
		"HTTP_COOKIE=$" NAME "=abc",
		"HTTP_COOKIE2=" NAME "=abc",
		"HTTP_X_COOKIE=" NAME "=abc",
		"COOKIE=" NAME "=abc",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		expect_found(headers[i], NULL, NULL);
}

/*
 * A sibling host can set a cookie of its own with a comma in the value; where a server joins
 * two headers by one, the same text is a cookie of ours. Better to find none.
 */
static void cookie_within_the_value_of_another_is_none(void **state)
{
	static const char *const headers[] = {
		"HTTP_COOKIE=a=1, " NAME "=evil",
		"HTTP_COOKIE=a=1," NAME "=evil",
		"HTTP_COOKIE=a=1, " NAME "=evil; b=2",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		expect_found(headers[i], NULL, NULL);
	expect_found("HTTP_COOKIE=a=1, " NAME "=evil; " NAME "=abc", NULL, "abc");
	expect_found("HTTP_COOKIE=" NAME "=abc; a=1, " NAME "=evil", NULL, "abc");
}

/* A sibling host or another path can plant a second one: which is ours cannot be told. */
static void planted_second_cookie_makes_both_worth_nothing(void **state)
{
	static const char *const headers[] = {
		"HTTP_COOKIE=" NAME "=abc; " NAME "=evil",
		"HTTP_COOKIE=" NAME "=evil; " NAME "=abc",
		"HTTP_COOKIE=" NAME "=abc; a=1; " NAME "=abc",
		"HTTP_COOKIE=" NAME "; " NAME "=abc",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		expect_found(headers[i], NULL, NULL);
	expect_found("HTTP_COOKIE=" NAME "=abc", NULL, "abc");
}

static void headers_passed_one_by_one_count_together(void **state)
{
	(void)state;
	expect_found("HTTP_COOKIE=a=1", "HTTP_COOKIE=" NAME "=abc", "abc");
	expect_found("HTTP_COOKIE=" NAME "=abc", "HTTP_COOKIE=a=1", "abc");
	expect_found("HTTP_COOKIE=" NAME "=abc", "HTTP_COOKIE=" NAME "=evil", NULL);
	expect_found("HTTP_COOKIE=" NAME "=abc", "HTTP_COOKIE=" NAME "=abc", NULL);
}

/* Some servers join two headers by ","; without a prefix the name promises nothing anyway. */
static void headers_joined_by_a_comma_are_two_for_a_name_without_prefix(void **state)
{
	const char *const joined[] = { "HTTP_COOKIE=a=1, session=abc", NULL };
	const char *const twice[] = { "HTTP_COOKIE=session=abc, session=evil", NULL };
	struct request req = { .variables = (char *const *)joined };
	struct text found;

	(void)state;
	assert_true(cookie_find(&req, "session", &found));
	assert_true(text_is(found, "abc"));
	req.variables = (char *const *)twice;
	assert_false(cookie_find(&req, "session", &found));
}

/* ---- Set-Cookie */

static void expect_printed(const struct config *config, const char *value,
			   const char *line)
{
	const struct text printed = cookie_print(arena, config, config->session.cookie,
						 text_of(value), 2592000);

	if (!text_is(printed, line))
		fail_msg("%.*s", TEXT_ARG(printed));
}

static struct config https_config(void)
{
	static char name[] = NAME, lax[] = "Lax";

	return (struct config){
		.https = true,
		.session = { .cookie = name, .same_site = lax },
	};
}

static void cookie_is_http_only_secure_and_of_the_whole_site(void **state)
{
	const struct config config = https_config();

	(void)state;
	expect_printed(&config, "abc",
		       NAME
		       "=abc; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
}

static void cookie_without_value_is_dropped_by_the_browser(void **state)
{
	const struct config config = https_config();

	(void)state;
	/*
	 * With the same attributes: under a __Host- name it would be ignored otherwise.
	 */
	expect_printed(&config, "",
		       NAME "=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
}

static void cookie_attributes_follow_the_configuration(void **state)
{
	static char name[] = "session", strict[] = "Strict", none[] = "None",
		    domain[] = "example.com";
	struct config config = https_config();

	(void)state;
	config.session.same_site = none;
	config.session.partitioned = true;
	expect_printed(&config, "abc",
		       NAME
		       "=abc; Path=/; Max-Age=2592000; HttpOnly; SameSite=None; Secure; "
		       "Partitioned");
	config = (struct config){
		.session = { .cookie = name,
			     .same_site = strict,
			     .cookie_domain = domain },
	};
	expect_printed(
		&config, "abc",
		"session=abc; Path=/; Max-Age=2592000; Domain=example.com; HttpOnly; "
		"SameSite=Strict");
}

static void cookie_may_have_another_name(void **state)
{
	const struct config config = https_config();

	(void)state;
	assert_true(text_is(
		cookie_print(arena, &config, NAME "-refresh", AS_TEXT("x"), 5),
		NAME "-refresh=x; Path=/; Max-Age=5; HttpOnly; SameSite=Lax; Secure"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ARENA(cookie_is_found_among_others),
		IN_ARENA(cookie_of_nearly_the_name_is_another),
		IN_ARENA(cookie_within_the_value_of_another_is_none),
		IN_ARENA(planted_second_cookie_makes_both_worth_nothing),
		IN_ARENA(headers_passed_one_by_one_count_together),
		IN_ARENA(headers_joined_by_a_comma_are_two_for_a_name_without_prefix),
		IN_ARENA(cookie_is_http_only_secure_and_of_the_whole_site),
		IN_ARENA(cookie_without_value_is_dropped_by_the_browser),
		IN_ARENA(cookie_attributes_follow_the_configuration),
		IN_ARENA(cookie_may_have_another_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
