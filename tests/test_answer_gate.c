/* Whole requests to the gate: whom it lets in, and what a login would refuse. */
#include "answer_fixture.h"

static int ask_gate(const char *credential)
{
	return ASK(.method = "GET", .path = "/authorize", .more = { credential }).status;
}

static const char *bearer(struct text token)
{
	return arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %.*s", TEXT_ARG(token))
		.data;
}

/* ---- a provider's token as Bearer: what a login would refuse does not get by */

static struct text once_token(const char *email)
{
	return sign(CLAIMS("iss", "\"https://once.example\"", "aud", "\"us\"",
			   "identifier", NULL, "email",
			   arena_printf(arena, "\"%s\"", email).data));
}

static void bearer_of_a_token_that_opens_no_more_sessions_is_refused(void **state)
{
	const struct text token = once_token("alice@example.com");

	(void)state;
	assert_int_equal(log_in(token).status, 200);
	now += 60;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_gate(bearer(token)), 204);
	assert_int_equal(log_in(token).status, 200);
	now += 1;
	assert_int_equal(ask_gate(bearer(token)), 401);
	assert_int_equal(ask_gate(bearer(maker_token_twin(arena, token))), 401);
	assert_int_equal(log_in(token).status, 403);
	/* Of a provider without single_use it is good for all its life. */
	assert_int_equal(log_in(sign(CLAIMS())).status, 200);
	now += 500;
	assert_int_equal(ask_gate(bearer(sign(CLAIMS()))), 204);
}

static void to_come_as_bearer_is_no_use_of_a_token(void **state)
{
	const struct text first = once_token("alice@example.com");
	const struct text second = sign(CLAIMS("iss", "\"https://once.example\"", "aud",
					       "\"us\"", "identifier", NULL, "email",
					       "\"alice@example.com\"", "jti", "\"2\""));

	(void)state;
	assert_int_equal(log_in(first).status, 200);
	assert_int_equal(ask_gate(bearer(second)), 204);
	assert_int_equal(fake_store_rows(app->store, FAKE_USED_TOKENS), 1);
	now += 90;
	assert_int_equal(ask_gate(bearer(second)), 204);
	assert_int_equal(log_in(second).status, 200);
}

static void
bearer_is_not_known_while_it_is_not_known_whether_the_token_is_spent(void **state)
{
	const struct text token = once_token("alice@example.com");

	(void)state;
	assert_int_equal(log_in(token).status, 200);
	fake_store_fail(app->store, "token_used", 0, 9, FAKE_BROKEN);
	assert_int_equal(ask_gate(bearer(token)), 503);
	fake_store_heal(app->store);
	assert_int_equal(ask_gate(bearer(token)), 204);
}

static void bearer_of_an_unknown_person_makes_no_user(void **state)
{
	static const char *const signups[] = { "open", "invited", "closed" };

	(void)state;
	for (size_t i = 0; i < COUNT(signups); i++) {
		use("", arena_printf(arena, "accounts { signup = \"%s\" }\n", signups[i])
				.data);
		fake_store_invite(app->store, AS_TEXT("alice@example.com"));
		assert_int_equal(ask_gate(bearer(sign(CLAIMS()))), 401);
		assert_int_equal(fake_store_rows(app->store, FAKE_USERS), 0);
		assert_int_equal(log_in(sign(CLAIMS())).status,
				 strcmp(signups[i], "closed") == 0 ? 403 : 200);
	}
}

static void bearer_of_a_denied_domain_is_refused(void **state)
{
	static const char *const rules[] = { "deny_domains = {\"example.com\"}",
					     "allow_domains = {\"example.net\"}" };

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		use("", "");
		assert_int_equal(log_in(sign(CLAIMS())).status, 200);
		assert_int_equal(ask_gate(bearer(sign(CLAIMS()))), 204);
		/* The same people, after the administrator has changed his mind. */
		use_again("", arena_printf(arena, "accounts { %s }\n", rules[i]).data);
		assert_int_equal(ask_gate(bearer(sign(CLAIMS()))), 401);
	}
}

static void bearer_with_another_subject_is_refused_where_a_login_is(void **state)
{
	const struct text moved = sign(CLAIMS("sub", "\"another\""));

	(void)state;
	for (int refuse = 0; refuse <= 1; refuse++) {
		use("", refuse ? "accounts { on_subject_change = \"refuse\" }\n" : "");
		assert_int_equal(log_in(sign(CLAIMS())).status, 200);
		assert_int_equal(ask_gate(bearer(sign(CLAIMS()))), 204);
		assert_int_equal(ask_gate(bearer(moved)), refuse ? 401 : 204);
	}
}

/* A login would make him a user of his own: his sub is Alice's, and the number decides. */
static void bearer_of_a_number_is_not_whoever_has_the_subject(void **state)
{
	const struct text number = sign(CLAIMS("identifier", "\"+12025550123\""));

	(void)state;
	use("", "accounts { phone = yes on_subject_change = \"refuse\" }\n");
	assert_int_equal(log_in(sign(CLAIMS())).status, 200);
	assert_int_equal(ask_gate(bearer(number)), 401);
	assert_int_equal(ask_gate(bearer(sign(CLAIMS()))), 204);
}

/* ---- asked by nginx about a page */

static struct reply ask_about(const char *method, const char *uri, const char *more)
{
	return ASK(.method = method, .path = "/authorize",
		   .more = { variable("REQUEST_URI", uri), "HTTP_ORIGIN=" LISTED,
			     "HTTP_ACCESS_CONTROL_REQUEST_METHOD=GET", more });
}

/* With a yes to OPTIONS a server that passes the client's method on would open the page. */
static void preflight_of_a_guarded_page_is_not_one_of_ours(void **state)
{
	static const char *const pages[] = {
		"/members/",	  "/members/authorize", "/members/?/auth/authorize",
		"/authorize",	  "/auth/authorize/",	"//auth/authorize",
		"/auth/Authorize"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pages); i++)
		assert_int_equal(ask_about("OPTIONS", pages[i], NULL).status, 401);
	assert_int_equal(ask_about("OPTIONS", "/auth/authorize", NULL).status, 204);
	assert_int_equal(ask_about("OPTIONS", "/auth/authorize?x=/members/", NULL).status,
			 204);
	assert_int_equal(ask_about("GET", "/auth/authorize", NULL).status, 401);
	assert_int_equal(
		ask_about("OPTIONS", "/members/", new_session("alice@example.com"))
			.status,
		204);
}

static void browser_is_told_where_to_sign_in_and_nobody_else(void **state)
{
	static const char page[] = "/members/a?b=1&c=%26#d";
	static const char navigates[] = "HTTP_SEC_FETCH_MODE=navigate";
	struct reply r;

	(void)state;
	use("login_page = \"/login.html?lang=en\"\n", "");
	r = ask_about("GET", page, navigates);
	assert_int_equal(r.status, 401);
	assert_string_equal(
		header_of(&r, "X-Pintle-Sign-In"),
		"/login.html?lang=en&return_to=/members/a%3Fb%3D1%26c%3D%2526%23d");
	r = ask_about("GET", "//evil.example/", navigates);
	assert_string_equal(header_of(&r, "X-Pintle-Sign-In"),
			    "/login.html?lang=en&return_to=/");
	r = ask_about("POST", page, navigates);
	assert_null(header_of(&r, "X-Pintle-Sign-In"));
	r = ask_about("GET", page, "HTTP_SEC_FETCH_MODE=cors");
	assert_null(header_of(&r, "X-Pintle-Sign-In"));
	/* Not known is no reason to sign in anew. */
	fake_store_away(app->store, true);
	r = ASK(.method = "GET", .path = "/authorize",
		.more = { variable("REQUEST_URI", page), navigates,
			  "HTTP_COOKIE=" COOKIE
			  "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
	assert_int_equal(r.status, 503);
	assert_null(header_of(&r, "X-Pintle-Sign-In"));
	use_again("", "");
	fake_store_away(app->store, false);
	r = ask_about("GET", page, navigates);
	assert_int_equal(r.status, 401);
	assert_null(header_of(&r, "X-Pintle-Sign-In"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bearer_of_a_token_that_opens_no_more_sessions_is_refused),
		TEST(to_come_as_bearer_is_no_use_of_a_token),
		TEST(bearer_is_not_known_while_it_is_not_known_whether_the_token_is_spent),
		TEST(bearer_of_an_unknown_person_makes_no_user),
		TEST(bearer_of_a_denied_domain_is_refused),
		TEST(bearer_with_another_subject_is_refused_where_a_login_is),
		TEST(bearer_of_a_number_is_not_whoever_has_the_subject),
		TEST(preflight_of_a_guarded_page_is_not_one_of_ours),
		TEST(browser_is_told_where_to_sign_in_and_nobody_else),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
