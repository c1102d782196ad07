/* Whole requests: sessions, their end, and how each session mode carries them. */
#include "answer_fixture.h"

/* ---- a session */

static void session_is_told_to_whoever_has_the_cookie(void **state)
{
	const char *cookie = new_session("alice@example.com");
	struct reply r;

	(void)state;
	now += 100;
	r = ASK(.method = "GET", .path = "/session", .more = { cookie });
	assert_int_equal(r.status, 200);
	assert_string_equal(at(r.json, "/user/email"), "alice@example.com");
	assert_int_equal(number_at(r.json, "/session/created_at"), NOW);
	assert_int_equal(number_at(r.json, "/session/expires_at"), NOW + 30 * 86400);
	assert_null(strstr(r.body, strchr(cookie, '_')));
	assert_null(header_of(&r, "Set-Cookie"));
}

static void head_says_what_get_would(void **state)
{
	const char *cookie = new_session("alice@example.com");
	const struct reply get =
		ASK(.method = "GET", .path = "/session", .more = { cookie });
	const struct reply head =
		ASK(.method = "HEAD", .path = "/session", .more = { cookie });

	(void)state;
	assert_int_equal(head.status, 200);
	assert_string_equal(head.body, "");
	assert_string_equal(header_of(&head, "Content-Length"),
			    header_of(&get, "Content-Length"));
	assert_int_equal(ASK(.method = "HEAD", .path = "/session").status, 401);
	assert_int_equal(ASK(.method = "HEAD", .path = "/healthz").status, 200);
	assert_int_equal(ASK(.method = "HEAD", .path = "/nowhere").status, 404);
	assert_int_equal(ASK(.method = "HEAD", .path = "/login").status, 405);
}

static void session_ends_by_age_and_by_idleness(void **state)
{
	const char *cookie;

	(void)state;
	use("", "session { lifetime = \"1h\" idle = \"10m\" touch_every = \"1m\" }\n");
	cookie = new_session("alice@example.com");
	for (int i = 0; i < 7; i++) {
		now += 500;
		assert_int_equal(session_status(cookie), 200);
	}
	now = NOW + 3600;
	assert_int_equal(session_status(cookie), 401);
	now = NOW + 10000;
	use("", "session { lifetime = \"1h\" idle = \"10m\" touch_every = \"1m\" }\n");
	now = NOW;
	cookie = new_session("alice@example.com");
	now += 600;
	assert_int_equal(session_status(cookie), 401);
	now -= 1;
	assert_int_equal(session_status(cookie), 200);
}

static void planted_second_cookie_is_no_session_and_no_logout(void **state)
{
	const char *mine = new_session("alice@example.com"),
		   *evil = new_session("mallory@example.com");
	const char *pair =
		arena_printf(arena, "%s; %s", mine, evil + strlen("HTTP_COOKIE=")).data;
	const char *comma =
		arena_printf(arena, "%s, %s", mine, evil + strlen("HTTP_COOKIE=")).data;

	(void)state;
	assert_int_equal(session_status(pair), 401);
	assert_int_equal(session_status(comma), 401);
	assert_int_equal(
		ASK(.method = "GET", .path = "/session", .more = { mine, evil }).status,
		401);
	/* The victim's own session is not in the attacker's hand. */
	assert_int_equal(session_status(mine), 200);
	assert_int_equal(ASK(.method = "GET", .path = "/session",
			     .more = { "HTTP_COOKIE=a=1", mine })
				 .status,
			 200);
}

static void cookie_that_is_none_of_ours_is_no_session(void **state)
{
	static const char *const cookies[] = {
		"HTTP_COOKIE=" COOKIE "=",
		"HTTP_COOKIE=" COOKIE "=x",
		"HTTP_COOKIE=x=y",
		"HTTP_COOKIE=" COOKIE "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"HTTP_COOKIE=" COOKIE "=' OR 1=1 -- ",
		"HTTP_COOKIE=",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cookies); i++)
		assert_int_equal(session_status(cookies[i]), 401);
	/* Where the shape is wrong the database is not even asked. */
	fake_store_count_anew(app->store);
	assert_int_equal(session_status(cookies[1]), 401);
	assert_int_equal(fake_store_counts(app->store).operations, 0);
}

static void sessions_are_listed_and_ended_one_by_one(void **state)
{
	const char *first = new_session("alice@example.com"), *second, *others, *id;
	struct reply r;

	(void)state;
	now += 10;
	second = new_session("alice@example.com");
	others = new_session("bob@example.com");
	r = ASK(.method = "GET", .path = "/sessions", .more = { second });
	assert_int_equal(r.status, 200);
	assert_null(at(r.json, "/sessions/2/id"));
	assert_true(truth_at(r.json, "/sessions/0/current"));
	assert_false(truth_at(r.json, "/sessions/1/current"));
	assert_string_equal(at(r.json, "/sessions/1/address"), ADDRESS);
	assert_string_equal(at(r.json, "/sessions/1/user_agent"), "Browser/1.0");
	assert_int_equal(number_at(r.json, "/sessions/1/created_at"), NOW);
	id = at(r.json, "/sessions/1/id");
	r = ASK(.method = "DELETE", .path = arena_printf(arena, "/sessions/%s", id).data,
		.more = { others });
	expect_reply("another's", &r, 404, PROBLEM_NOT_FOUND);
	assert_int_equal(session_status(first), 200);
	r = ASK(.method = "DELETE", .path = arena_printf(arena, "/sessions/%s", id).data,
		.more = { second });
	assert_int_equal(r.status, 200);
	assert_int_equal(session_status(first), 401);
	assert_int_equal(session_status(second), 200);
	r = ASK(.method = "DELETE", .path = arena_printf(arena, "/sessions/%s", id).data,
		.more = { second });
	expect_reply("again", &r, 404, PROBLEM_NOT_FOUND);
	r = ASK(.method = "GET", .path = "/sessions", .more = { second });
	r = ASK(.method = "DELETE", .more = { second },
		.path = arena_printf(arena, "/sessions/0%s", at(r.json, "/sessions/0/id"))
				.data);
	expect_reply("another spelling of one's own", &r, 404, PROBLEM_NOT_FOUND);
	assert_int_equal(session_status(second), 200);
	for (const char *const *bad =
		     (const char *const[]){ "0", "01", "x", "-1", "1x", "1%20",
					    "99999999999999999999", NULL };
	     *bad; bad++) {
		r = ASK(.method = "DELETE",
			.path = arena_printf(arena, "/sessions/%s", *bad).data,
			.more = { second });
		expect_reply(*bad, &r, 404, PROBLEM_NOT_FOUND);
	}
}

static void logout_ends_this_the_others_or_all(void **state)
{
	static const struct {
		const char *body;
		int mine, other, ended;
		bool clears;
	} cases[] = {
		{ NULL, 401, 200, 1, true },
		{ "{}", 401, 200, 1, true },
		{ "{\"scope\":\"this\"}", 401, 200, 1, true },
		{ "{\"scope\":\"others\"}", 200, 401, 1, false },
		{ "{\"scope\":\"all\"}", 401, 401, 2, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *mine, *other, *bystander;
		struct reply r;

		use("", "");
		mine = new_session("alice@example.com");
		other = new_session("alice@example.com");
		bystander = new_session("bob@example.com");
		r = ASK(.method = "POST", .path = "/logout", .body = cases[i].body,
			.more = { mine });
		assert_int_equal(r.status, 200);
		assert_int_equal(number_at(r.json, "ended"), cases[i].ended);
		assert_int_equal(session_status(mine), cases[i].mine);
		assert_int_equal(session_status(other), cases[i].other);
		assert_int_equal(session_status(bystander), 200);
		if (cases[i].clears)
			assert_string_equal(
				header_of(&r, "Set-Cookie"),
				COOKIE "=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; "
				       "Secure");
		else
			assert_null(header_of(&r, "Set-Cookie"));
	}
}

static void logging_out_twice_is_no_error(void **state)
{
	const char *cookie = new_session("alice@example.com");

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct reply r =
			ASK(.method = "POST", .path = "/logout", .more = { cookie });

		assert_int_equal(r.status, 200);
		assert_int_equal(number_at(r.json, "ended"), i == 0);
		assert_non_null(header_of(&r, "Set-Cookie"));
	}
}

/* ---- session modes */

static void bearer_mode_gives_the_token_and_no_cookie(void **state)
{
	struct reply r;
	const char *token, *bearer;

	(void)state;
	use("", "session { mode = \"bearer\" }\n");
	r = log_in(sign(CLAIMS()));
	assert_int_equal(r.status, 200);
	assert_null(header_of(&r, "Set-Cookie"));
	token = at(r.json, "/session/token");
	assert_int_equal(strlen(token), 43);
	bearer = arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s", token).data;
	assert_int_equal(session_status(bearer), 200);
	/* A cookie comes with a request whether its page is meant to or not. */
	assert_int_equal(
		session_status(
			arena_printf(arena, "HTTP_COOKIE=" COOKIE "=%s", token).data),
		401);
	r = ASK(.method = "POST", .path = "/logout", .more = { bearer });
	assert_int_equal(r.status, 200);
	assert_null(header_of(&r, "Set-Cookie"));
	assert_int_equal(session_status(bearer), 401);
}

static void cookie_mode_does_not_take_its_token_as_bearer(void **state)
{
	const char *cookie = new_session("alice@example.com");

	(void)state;
	assert_int_equal(session_status(cookie), 200);
	assert_int_equal(
		session_status(arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s",
					    strchr(cookie + 13, '=') + 1)
				       .data),
		401);
}

static void mode_none_starts_no_session(void **state)
{
	const struct json *session;
	struct reply r;

	(void)state;
	use("", "session { mode = \"none\" }\n");
	r = log_in(sign(CLAIMS()));
	assert_int_equal(r.status, 200);
	assert_null(header_of(&r, "Set-Cookie"));
	assert_true(json_member(r.json, "session", &session));
	assert_null(session);
	assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 0);
	assert_int_equal(fake_store_rows(app->store, FAKE_USERS), 1);
}

static void provider_mode_keeps_the_providers_token_in_our_cookie(void **state)
{
	const struct text token = sign(CLAIMS());
	struct reply r;
	const char *cookie;

	(void)state;
	use("", "session { mode = \"provider\" }\n");
	r = log_in(token);
	assert_int_equal(r.status, 200);
	cookie = cookie_of(&r);
	assert_string_equal(
		cookie,
		arena_printf(arena, "HTTP_COOKIE=" COOKIE "=%s", token.data).data);
	assert_int_equal(session_status(cookie), 200);
	assert_int_equal(
		ASK(.method = "POST", .path = "/logout", .more = { cookie }).status, 200);
	assert_int_equal(session_status(cookie), 401);
	/* Nor does the token's other spelling bring it back. */
	assert_int_equal(session_status(arena_printf(arena, "HTTP_COOKIE=" COOKIE "=%s",
						     maker_token_twin(arena, token).data)
						.data),
			 401);
}

/* Its header and payload are in many a log; the signature is what others do not have. */
static void cookie_with_a_forged_signature_ends_nobodys_session(void **state)
{
	const struct text token = sign(CLAIMS());
	const struct text mine = sign(
		CLAIMS("sub", "\"mallory\"", "identifier", "\"mallory@example.com\""));
	const char *cookie, *forged;
	struct reply r;

	(void)state;
	use("", "session { mode = \"provider\" }\n");
	r = log_in(token);
	assert_int_equal(r.status, 200);
	cookie = cookie_of(&r);
	forged = arena_printf(arena, "HTTP_COOKIE=" COOKIE "=%.*s%s",
			      (int)((const char *)memrchr(token.data, '.', token.len) +
				    1 - token.data),
			      token.data, strrchr(mine.data, '.') + 1)
			 .data;
	r = ASK(.method = "POST", .path = "/login", .body = body_with(mine),
		.more = { forged });
	assert_int_equal(r.status, 200);
	assert_int_equal(session_status(cookie), 200);
	/* With the true one a login does end it. */
	r = ASK(.method = "POST", .path = "/login", .body = body_with(mine),
		.more = { cookie });
	assert_int_equal(r.status, 200);
	assert_int_equal(session_status(cookie), 401);
}

/* The answer of the database is lost, and the end is done once more: nothing is left of it. */
static void session_whose_end_was_not_heard_of_is_ended_and_no_404(void **state)
{
	const char *mine = new_session("alice@example.com");
	const char *other = new_session("alice@example.com");
	const char *path;
	struct reply r = ASK(.method = "GET", .path = "/session", .more = { other });

	(void)state;
	path = arena_printf(arena, "/sessions/%s", at(r.json, "/session/id")).data;
	fake_store_fail(app->store, "session_end", 0, 1, FAKE_LOST_DONE);
	r = ASK(.method = "DELETE", .path = path, .more = { mine });
	assert_int_equal(r.status, 200);
	assert_int_equal(number_at(r.json, "ended"), 1);
	assert_int_equal(session_status(other), 401);
	/* Once it is known to be gone, it is not there. */
	r = ASK(.method = "DELETE", .path = path, .more = { mine });
	assert_int_equal(r.status, 404);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(session_is_told_to_whoever_has_the_cookie),
		TEST(head_says_what_get_would),
		TEST(session_ends_by_age_and_by_idleness),
		TEST(planted_second_cookie_is_no_session_and_no_logout),
		TEST(cookie_that_is_none_of_ours_is_no_session),
		TEST(sessions_are_listed_and_ended_one_by_one),
		TEST(logout_ends_this_the_others_or_all),
		TEST(logging_out_twice_is_no_error),
		TEST(bearer_mode_gives_the_token_and_no_cookie),
		TEST(cookie_mode_does_not_take_its_token_as_bearer),
		TEST(mode_none_starts_no_session),
		TEST(provider_mode_keeps_the_providers_token_in_our_cookie),
		TEST(cookie_with_a_forged_signature_ends_nobodys_session),
		TEST(session_whose_end_was_not_heard_of_is_ended_and_no_404),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
