/* Which handler answers which request: by the exact method and the exact path. */
#include "route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *method, *path;
	handler *handle;
	bool changes;
	const char *allow;
} routes[] = {
	{ "POST", "/login", handle_login, true, "POST, OPTIONS" },
	{ "GET", "/session", handle_session, false, "GET, HEAD, OPTIONS" },
	{ "POST", "/logout", handle_logout, true, "POST, OPTIONS" },
	{ "GET", "/sessions", handle_sessions, false, "GET, HEAD, OPTIONS" },
	{ "DELETE", "/sessions/17", handle_session_end, true, "DELETE, OPTIONS" },
	{ "POST", "/refresh", handle_refresh, true, "POST, OPTIONS" },
	{ "GET", "/jwks", handle_jwks, false, "GET, HEAD, OPTIONS" },
	{ "GET", "/healthz", handle_health, false, "GET, HEAD, OPTIONS" },
	{ "GET", "/readyz", handle_ready, false, "GET, HEAD, OPTIONS" },
	{ "GET", "/metrics", handle_metrics, false, "GET, HEAD, OPTIONS" },
	{ "POST", "/doctor", handle_doctor, false, "POST, OPTIONS" },
};

static struct problem last;
static enum metrics_path counted;

static const struct route *find_as(enum role role, const char *method, const char *path,
				   const char **methods)
{
	const struct request req = { .role = role,
				     .method = text_of(method),
				     .path = text_of(path) };

	struct route_path known;
	const struct route *route;

	last = (struct problem){ 0 };
	route = route_find(&req, &known, &last);
	*methods = known.methods;
	counted = known.counted;
	return route;
}

static const struct route *find(const char *method, const char *path)
{
	const char *methods;

	return find_as(ROLE_RESPONDER, method, path, &methods);
}

static void every_route_is_found_by_method_and_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		const struct route *route = find(routes[i].method, routes[i].path);

		if (!route)
			fail_msg("%s %s: none", routes[i].method, routes[i].path);
		assert_int_equal(last.kind, PROBLEM_NONE);
		assert_true(route->handle == routes[i].handle);
		assert_int_equal(route->changes, routes[i].changes);
	}
}

/* A pattern, whatever stands in a path: nobody can make the list of counts longer. */
static void every_path_is_counted_as_its_pattern(void **state)
{
	const char *methods;

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		const char *pattern = strcmp(routes[i].path, "/sessions/17") == 0
					      ? "/sessions/*"
					      : routes[i].path;

		find(routes[i].method, routes[i].path);
		assert_string_equal(metrics_path_pattern(counted), pattern);
		find("PATCH", routes[i].path);
		assert_string_equal(metrics_path_pattern(counted), pattern);
	}
	find("GET", "/authorize");
	assert_string_equal(metrics_path_pattern(counted), "/authorize");
	find_as(ROLE_AUTHORIZER, "GET", "/login", &methods);
	assert_string_equal(metrics_path_pattern(counted), "authorizer");
	find("GET", "/login/x");
	assert_string_equal(metrics_path_pattern(counted), "other");
	find("GET", "/sessions/1/2");
	assert_string_equal(metrics_path_pattern(counted), "other");
}

static void head_is_answered_where_get_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		const struct route *route = find("HEAD", routes[i].path);
		const bool get = strcmp(routes[i].method, "GET") == 0;

		if (!!route != get)
			fail_msg("HEAD %s", routes[i].path);
		if (get)
			assert_true(route->handle == routes[i].handle);
		else
			assert_int_equal(last.kind, PROBLEM_METHOD_NOT_ALLOWED);
	}
}

static void other_methods_are_told_which_are_allowed(void **state)
{
	static const char *const methods[] = {
		"GET",	   "POST",   "PUT",  "DELETE", "PATCH", "TRACE", "CONNECT",
		"OPTIONS", "get",    "post", "Post",   "POST ", " POST", "POSTX",
		"POS",	   "DELETe", "",     "*",      "GET\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++)
		for (size_t k = 0; k < COUNT(methods); k++) {
			const char *allow = NULL;

			if (strcmp(methods[k], routes[i].method) == 0)
				continue;
			if (find_as(ROLE_RESPONDER, methods[k], routes[i].path, &allow))
				fail_msg("\"%s\" %s: found", methods[k], routes[i].path);
			assert_int_equal(last.kind, PROBLEM_METHOD_NOT_ALLOWED);
			assert_string_equal(allow, routes[i].allow);
		}
}

static void path_that_is_nearly_one_is_none(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/login/",
		"//login",
		"/login/x",
		"/loginx",
		"/LOGIN",
		"/Login",
		"/login;x",
		"/login?x",
		"/login%00",
		"/%6cogin",
		"/./login",
		"/x/../login",
		"login",
		"/logi",
		"/sessions/",
		"/sessions//",
		"/sessions/1/2",
		"/sessions//1",
		"/sessionsx/1",
		"/session/1",
		"/healthz/",
		"/authorize/",
		"/authorizex",
		"/auth/login",
		"/*",
		"/metrics.",
		"/.well-known/openid-configuration",
	};
	static const char *const methods[] = { "GET", "POST", "DELETE", "OPTIONS",
					       "HEAD" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		for (size_t k = 0; k < COUNT(methods); k++) {
			const char *allow = "untouched";

			if (find_as(ROLE_RESPONDER, methods[k], paths[i], &allow))
				fail_msg("%s %s: found", methods[k], paths[i]);
			assert_int_equal(last.kind, PROBLEM_NOT_FOUND);
			assert_null(allow);
		}
}

static void path_with_a_nul_is_none(void **state)
{
	const struct request req = { .method = AS_TEXT("POST"),
				     .path = AS_TEXT("/login\0") };
	struct route_path path;

	(void)state;
	last = (struct problem){ 0 };
	assert_null(route_find(&req, &path, &last));
	assert_int_equal(last.kind, PROBLEM_NOT_FOUND);
}

static void segment_is_what_stands_for_the_star(void **state)
{
	static const struct {
		const char *path, *segment;
	} cases[] = {
		{ "/sessions/17", "17" },
		{ "/sessions/x;y", "x;y" },
		{ "/sessions/%2f", "%2f" },
		{ "/sessions/*", "*" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct request req = { .method = AS_TEXT("DELETE"),
					     .path = text_of(cases[i].path) };

		assert_true(find("DELETE", cases[i].path)->handle == handle_session_end);
		assert_true(text_is(route_segment(&req), cases[i].segment));
	}
}

/* The guarded page's request may have any method, and its path is the page's. */
static void guard_answers_every_method(void **state)
{
	static const char *const methods[] = { "GET", "HEAD",	 "POST",
					       "PUT", "OPTIONS", "PROPFIND" };
	const char *allow;

	(void)state;
	for (size_t i = 0; i < COUNT(methods); i++)
		assert_true(find(methods[i], "/authorize")->handle == handle_authorize);
	for (size_t i = 0; i < COUNT(methods); i++) {
		const struct route *route =
			find_as(ROLE_AUTHORIZER, methods[i], "/members/page", &allow);

		assert_true(route->handle == handle_authorizer);
	}
}

static void roles_do_not_mix(void **state)
{
	static const char *const paths[] = { "/login", "/logout", "/session", "/healthz",
					     "/authorize" };
	const char *allow;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		assert_true(find_as(ROLE_AUTHORIZER, "POST", paths[i], &allow)->handle ==
			    handle_authorizer);
	assert_null(find("GET", "/members/page"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_found_by_method_and_path),
		cmocka_unit_test(head_is_answered_where_get_is),
		cmocka_unit_test(every_path_is_counted_as_its_pattern),
		cmocka_unit_test(other_methods_are_told_which_are_allowed),
		cmocka_unit_test(path_that_is_nearly_one_is_none),
		cmocka_unit_test(path_with_a_nul_is_none),
		cmocka_unit_test(segment_is_what_stands_for_the_star),
		cmocka_unit_test(guard_answers_every_method),
		cmocka_unit_test(roles_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
