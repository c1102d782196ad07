/*
 * Whole requests: what is answered when something is wrong, every row of problems.def;
 * and that nobody is logged out by accident when it is we who have a problem.
 */
#include "answer_fixture.h"

static void expect_login(const char *what, struct text token, int status,
			 enum problem_kind kind)
{
	const struct reply r = log_in(token);

	expect_reply(what, &r, status, kind);
}

static void expect_call(const char *what, const struct call *call, int status,
			enum problem_kind kind)
{
	const struct reply r = ask_call(call);

	expect_reply(what, &r, status, kind);
}

#define EXPECT(what, status, kind, ...)                                                  \
	expect_call(what, &(struct call){ __VA_ARGS__ }, status, PROBLEM_##kind)

/* ---- 400 */

static void bad_bodies_are_bad_requests(void **state)
{
	static const char *const paths[] = { "/login", "/logout" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		const char *path = paths[i];

		EXPECT("short", 400, BODY_SHORT, .method = "POST", .path = path,
		       .body = "{}", .length = 3);
		EXPECT("long", 400, BODY_SHORT, .method = "POST", .path = path,
		       .body = "{} ", .length = 2);
		EXPECT("broken off", 400, BODY_SHORT, .method = "POST", .path = path,
		       .body = "{}", .breaks_off = true);
		EXPECT("no number", 400, BAD_LENGTH, .method = "POST", .path = path,
		       .more = { "CONTENT_TYPE=application/json", "CONTENT_LENGTH=abc" });
		EXPECT("array", 400, BAD_JSON, .method = "POST", .path = path,
		       .body = "[]");
		EXPECT("two objects", 400, BAD_JSON, .method = "POST", .path = path,
		       .body = "{}{}");
		EXPECT("duplicate", 400, BAD_JSON, .method = "POST", .path = path,
		       .body = "{\"token\":1,\"token\":2}");
		EXPECT("UTF-8", 400, BAD_JSON, .method = "POST", .path = path,
		       .body = "{\"a\":\"\xff\"}");
	}
	EXPECT("empty", 400, BAD_JSON, .method = "POST", .path = "/login", .body = "");
	EXPECT("scope", 400, BAD_MEMBER, .method = "POST", .path = "/logout",
	       .body = "{\"scope\":\"everything\"}");
	EXPECT("scope", 400, BAD_MEMBER, .method = "POST", .path = "/logout",
	       .body = "{\"scope\":null}");
	EXPECT("no token", 400, NO_TOKEN, .method = "POST", .path = "/login",
	       .body = "{}");
	EXPECT("no string", 400, NO_TOKEN, .method = "POST", .path = "/login",
	       .body = "{\"token\":{\"x\":1}}");
}

static const char *google_form(const char *csrf)
{
	return arena_printf(arena, "credential=%s%s",
			    sign(OTHER("google", "iss", "\"accounts.google.com\"",
				       "email_verified", "true"))
				    .data,
			    csrf)
		.data;
}

#define FORM                                                                             \
	.method = "POST", .path = "/login", .type = "application/x-www-form-urlencoded"

static void form_post_has_to_come_from_our_own_page(void **state)
{
	const struct reply good = ASK(FORM, .body = google_form("&g_csrf_token=abc"),
				      .more = { "HTTP_COOKIE=g_csrf_token=abc" });

	(void)state;
	assert_int_equal(good.status, 303);
	assert_string_equal(header_of(&good, "Location"), "/");
	EXPECT("no cookie", 400, BAD_FORM, FORM,
	       .body = google_form("&g_csrf_token=abc"));
	EXPECT("another cookie", 400, BAD_FORM, FORM,
	       .body = google_form("&g_csrf_token=abc"),
	       .more = { "HTTP_COOKIE=g_csrf_token=xyz" });
	EXPECT("no field", 400, BAD_FORM, FORM, .body = google_form(""),
	       .more = { "HTTP_COOKIE=g_csrf_token=abc" });
	EXPECT("both empty", 400, BAD_FORM, FORM, .body = google_form("&g_csrf_token="),
	       .more = { "HTTP_COOKIE=g_csrf_token=" });
	EXPECT("no token", 400, NO_TOKEN, FORM, .body = "g_csrf_token=abc",
	       .more = { "HTTP_COOKIE=g_csrf_token=abc" });
	/* Cotter's provider block does not say form = yes. */
	EXPECT("a provider without forms", 415, MEDIA_TYPE, FORM,
	       .body = arena_printf(arena, "id_token=%s", sign(CLAIMS()).data).data);
}

/* ---- 401 */

static void without_a_session_everything_of_it_is_401(void **state)
{
	static const struct call calls[] = {
		{ .method = "GET", .path = "/session" },
		{ .method = "HEAD", .path = "/session" },
		{ .method = "GET", .path = "/sessions" },
		{ .method = "DELETE", .path = "/sessions/1" },
		{ .method = "GET", .path = "/authorize" },
		{ .method = "POST", .path = "/authorize" },
		{ .method = "OPTIONS",
		  .path = "/authorize",
		  .more = { "REQUEST_URI=/members/" } },
		{ .method = "POST", .path = "/logout", .body = "{\"scope\":\"all\"}" },
		{ .method = "POST", .path = "/logout", .body = "{\"scope\":\"others\"}" },
		{ .method = "GET", .path = "/members", .role = ROLE_AUTHORIZER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++)
		expect_call(calls[i].path, &calls[i], 401, PROBLEM_NO_SESSION);
}

/* ---- 403 */

static void refused_tokens_are_told_apart_in_the_log_only(void **state)
{
	const struct {
		const char *what;
		struct text token;
		enum problem_kind kind;
	} cases[] = {
		{ "malformed", AS_TEXT("x.y.z"), PROBLEM_TOKEN_MALFORMED },
		{ "algorithm",
		  maker_token(arena, ec, JWS_ES256, HEADER("alg", "\"none\""), CLAIMS()),
		  PROBLEM_TOKEN_ALGORITHM },
		{ "issuer", sign(CLAIMS("iss", "\"https://evil.example\"")),
		  PROBLEM_TOKEN_ISSUER },
		{ "key",
		  maker_token(arena, ec, JWS_ES256, HEADER("kid", "\"x\""), CLAIMS()),
		  PROBLEM_TOKEN_KEY },
		{ "signature",
		  maker_token(arena, stranger, JWS_ES256, HEADER(), CLAIMS()),
		  PROBLEM_TOKEN_SIGNATURE },
		{ "expired", sign(CLAIMS("exp", "1795350010")), PROBLEM_TOKEN_EXPIRED },
		{ "nbf", sign(CLAIMS("nbf", "1795350200")), PROBLEM_TOKEN_NOT_YET_VALID },
		{ "iat", sign(CLAIMS("iat", "1795350200")),
		  PROBLEM_TOKEN_ISSUED_IN_FUTURE },
		{ "too old", sign(OTHER("once", "iat", "1795349000")),
		  PROBLEM_TOKEN_TOO_OLD },
		{ "life", sign(CLAIMS("exp", "1795999999")),
		  PROBLEM_TOKEN_LIVES_TOO_LONG },
		{ "audience", sign(CLAIMS("aud", "\"x\"")), PROBLEM_TOKEN_AUDIENCE },
		{ "kind", sign(CLAIMS("type", "\"client_id_token\"")),
		  PROBLEM_TOKEN_KIND },
		{ "method", sign(OTHER("methods", "amr", "[\"sms\"]")),
		  PROBLEM_TOKEN_METHOD },
		{ "claims", sign(CLAIMS("exp", "null")), PROBLEM_TOKEN_CLAIMS },
	};

	(void)state;
	use("", "provider \"methods\" { issuer = \"https://methods.example\" audience = "
		"\"us\"\n"
		"  jwks_file = \"@/keys.json\" require = \"amr=email\" }\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct reply r = log_in(cases[i].token);
		const bool again = cases[i].kind == PROBLEM_TOKEN_EXPIRED ||
				   cases[i].kind == PROBLEM_TOKEN_TOO_OLD;

		expect_reply(cases[i].what, &r, 403, cases[i].kind);
		assert_string_equal(at(r.json, "error"), "invalid_token");
		assert_string_equal(at(r.json, "message"), "Invalid access token");
		assert_string_equal(at(r.json, "reason"), again ? "expired" : "refused");
	}
	assert_int_equal(fake_store_counts(app->store).operations, 0);
}

static void good_token_and_no_login(void **state)
{
	const struct text bob =
		sign(CLAIMS("identifier", "\"bob@example.com\"", "sub", "\"s-bob\""));
	struct reply r;

	(void)state;
	expect_login("missing", sign(CLAIMS("identifier", NULL)), 403,
		     PROBLEM_EMAIL_MISSING);
	expect_login("unverified", sign(CLAIMS("authentication_method", "\"PIN\"")), 403,
		     PROBLEM_EMAIL_UNVERIFIED);
	expect_login("no address", sign(CLAIMS("identifier", "\"alice\"")), 403,
		     PROBLEM_EMAIL_REFUSED);

	use("", "accounts { deny_domains = {\"example.com\"} }\n");
	expect_login("denied", sign(CLAIMS()), 403, PROBLEM_EMAIL_REFUSED);
	use("", "accounts { allow_domains = {\"example.org\"} }\n");
	expect_login("not allowed", sign(CLAIMS()), 403, PROBLEM_EMAIL_REFUSED);
	use("", "accounts { allow_domains = {\"example.com\"} }\n");
	expect_login("allowed", sign(CLAIMS()), 200, PROBLEM_NONE);

	use("", "accounts { signup = \"closed\" }\n");
	expect_login("closed", sign(CLAIMS()), 403, PROBLEM_SIGNUP_CLOSED);
	use("", "accounts { signup = \"invited\" }\n");
	expect_login("not invited", bob, 403, PROBLEM_SIGNUP_CLOSED);
	fake_store_invite(app->store, AS_TEXT("bob@example.com"));
	expect_login("invited", bob, 200, PROBLEM_NONE);

	use("", "");
	r = log_in(bob);
	fake_store_set_active(app->store, at(r.json, "/user/id"), false);
	expect_login("disabled", bob, 403, PROBLEM_ACCOUNT_DISABLED);
	assert_int_equal(session_status(cookie_of(&r)), 401);
	fake_store_set_active(app->store, at(r.json, "/user/id"), true);
	expect_login("enabled", bob, 200, PROBLEM_NONE);
}

static void address_of_another_sign_in_is_a_conflict(void **state)
{
	const struct text subject = sign(OTHER("subject", "email_verified", "true"));

	(void)state;
	expect_login("the first", sign(CLAIMS()), 200, PROBLEM_NONE);
	expect_login("match = subject, link = no", subject, 403,
		     PROBLEM_IDENTITY_CONFLICT);
	assert_int_equal(fake_store_rows(app->store, FAKE_USERS), 1);

	use("", "accounts { on_subject_change = \"refuse\" }\n");
	expect_login("the first", sign(CLAIMS()), 200, PROBLEM_NONE);
	expect_login("another sub", sign(CLAIMS("sub", "\"other\"")), 403,
		     PROBLEM_IDENTITY_CONFLICT);
	expect_login("the same sub", sign(CLAIMS()), 200, PROBLEM_NONE);

	use("", "");
	expect_login("alone", subject, 200, PROBLEM_NONE);
	/* Known by now, it needs no address any more. */
	expect_login("without an address", sign(OTHER("subject", "email", NULL)), 200,
		     PROBLEM_NONE);
	expect_login("unknown and without one",
		     sign(OTHER("subject", "email", NULL, "sub", "\"s-2\"")), 403,
		     PROBLEM_EMAIL_MISSING);
}

static void used_token_and_foreign_origin(void **state)
{
	const struct text token = sign(OTHER("once"));

	(void)state;
	expect_login("once", token, 200, PROBLEM_NONE);
	now += 61;
	expect_login("again", token, 403, PROBLEM_TOKEN_REPLAYED);
	EXPECT("origin", 403, ORIGIN_REFUSED, .method = "POST", .path = "/login",
	       .body = body_with(token), .more = { "HTTP_ORIGIN=https://evil.example" });
}

static void numbers_are_for_those_who_may_see_them(void **state)
{
	(void)state;
	EXPECT("metrics", 403, ADDRESS_REFUSED, .method = "GET", .path = "/metrics");
}

/* ---- 404, 405, 413, 415, 429 */

static void unknown_paths_and_wrong_methods(void **state)
{
	static const struct {
		const char *method, *path, *allow;
	} wrong[] = {
		{ "GET", "/login", "POST, OPTIONS" },
		{ "HEAD", "/login", "POST, OPTIONS" },
		{ "PUT", "/login", "POST, OPTIONS" },
		{ "post", "/login", "POST, OPTIONS" },
		{ "POST", "/session", "GET, HEAD, OPTIONS" },
		{ "GET", "/sessions/7", "DELETE, OPTIONS" },
		{ "GET", "/logout", "POST, OPTIONS" },
		{ "TRACE", "/healthz", "GET, HEAD, OPTIONS" },
	};
	static const char *const nowhere[] = {
		"/",	  "",	    "/loginx", "/login/",   "//login",
		"/LOGIN", "/admin", "/.env",   "/login%00",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const struct reply r =
			ASK(.method = wrong[i].method, .path = wrong[i].path);

		expect_reply(wrong[i].path, &r, 405, PROBLEM_METHOD_NOT_ALLOWED);
		assert_string_equal(header_of(&r, "Allow"), wrong[i].allow);
	}
	for (size_t i = 0; i < COUNT(nowhere); i++)
		EXPECT(nowhere[i], 404, NOT_FOUND, .method = "POST", .path = nowhere[i],
		       .body = "{}");
	/* Nor does another header make a method of another. */
	EXPECT("override", 405, METHOD_NOT_ALLOWED, .method = "GET", .path = "/logout",
	       .more = { "HTTP_X_HTTP_METHOD_OVERRIDE=POST" });
	/* What there is in session mode jwt only. */
	EXPECT("refresh", 404, NOT_FOUND, .method = "POST", .path = "/refresh",
	       .body = "{}");
	EXPECT("jwks", 404, NOT_FOUND, .method = "GET", .path = "/jwks");
}

static void large_bodies_and_other_types(void **state)
{
	char *large = arena_alloc(arena, 65536 + 2);
	const char *body = body_with(sign(CLAIMS()));

	(void)state;
	memset(large, ' ', 65537);
	memcpy(large, "{}", 2);
	EXPECT("64 KiB and a byte", 413, BODY_TOO_LARGE, .method = "POST",
	       .path = "/login", .body = large);
	large[65536] = '\0';
	EXPECT("64 KiB", 400, NO_TOKEN, .method = "POST", .path = "/login",
	       .body = large);
	EXPECT("announced", 413, BODY_TOO_LARGE, .method = "POST", .path = "/login",
	       .body = "{}", .length = 65537);
	EXPECT("text/plain", 415, MEDIA_TYPE, .method = "POST", .path = "/login",
	       .body = body, .type = "text/plain");
	EXPECT("no type", 415, MEDIA_TYPE, .method = "POST", .path = "/login",
	       .body = body, .type = "");
	EXPECT("gzip", 415, MEDIA_TYPE, .method = "POST", .path = "/login", .body = body,
	       .more = { "HTTP_CONTENT_ENCODING=gzip" });
	EXPECT("as it should be", 200, NONE, .method = "POST", .path = "/login",
	       .body = body, .type = "application/json; charset=utf-8");
}

static void too_many_logins_from_one_address(void **state)
{
	struct reply r;
	int wait;

	(void)state;
	use("rate_login = 3\n", "");
	for (int i = 0; i < 3; i++)
		expect_login("the first three", sign(CLAIMS()), 200, PROBLEM_NONE);
	r = log_in(sign(CLAIMS()));
	expect_reply("the fourth", &r, 429, PROBLEM_RATE_LIMITED);
	wait = atoi(header_of(&r, "Retry-After"));
	assert_true(wait >= 1 && wait <= 60);
	/* Of another address, however it is said to be forwarded. */
	EXPECT("forwarded", 429, RATE_LIMITED, .method = "POST", .path = "/login",
	       .body = "{}", .more = { "HTTP_X_FORWARDED_FOR=203.0.113.9" });
	now += wait;
	expect_login("when the time is over", sign(CLAIMS()), 200, PROBLEM_NONE);
}

/* ---- 500 */

static void own_fault_is_500(void **state)
{
	(void)state;
	use("",
	    "session { mode = \"jwt\" keys_dir = \"@\" }\n"); /* without any keys in it */
	expect_login("no signing keys", sign(CLAIMS()), 500, PROBLEM_INTERNAL);
}

/* ---- 503, and nobody is logged out by accident */

static void database_away_is_503_on_every_route(void **state)
{
	const char *cookie = new_session("alice@example.com");
	const char *token =
		arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s", sign(CLAIMS()).data)
			.data;
	const struct call calls[] = {
		{ .method = "POST",
		  .path = "/login",
		  .body = body_with(sign(CLAIMS())),
		  .more = { cookie } },
		{ .method = "GET", .path = "/session", .more = { cookie } },
		{ .method = "HEAD", .path = "/session", .more = { cookie } },
		{ .method = "POST", .path = "/logout", .more = { cookie } },
		{ .method = "POST",
		  .path = "/logout",
		  .body = "{\"scope\":\"others\"}",
		  .more = { cookie } },
		{ .method = "POST",
		  .path = "/logout",
		  .body = "{\"scope\":\"all\"}",
		  .more = { cookie } },
		{ .method = "GET", .path = "/sessions", .more = { cookie } },
		{ .method = "DELETE", .path = "/sessions/1", .more = { cookie } },
		{ .method = "GET", .path = "/authorize", .more = { cookie } },
		{ .method = "GET", .path = "/authorize", .more = { token } },
		{ .method = "GET",
		  .path = "/page",
		  .role = ROLE_AUTHORIZER,
		  .more = { cookie } },
		{ .method = "GET",
		  .path = "/page",
		  .role = ROLE_AUTHORIZER,
		  .more = { cookie, "HTTP_SEC_FETCH_MODE=navigate",
			    "HTTP_ACCEPT=text/html" } },
	};
	struct reply r;

	(void)state;
	fake_store_away(app->store, true);
	for (size_t i = 0; i < COUNT(calls); i++) {
		r = ask_call(&calls[i]);
		expect_reply(calls[i].path, &r, 503, PROBLEM_DATABASE_AWAY);
		assert_string_equal(header_of(&r, "Retry-After"), "2");
		assert_null(header_of(&r, "Location"));
		if (r.json)
			assert_string_equal(at(r.json, "reason"), "database");
	}
	r = ASK(.method = "GET", .path = "/readyz");
	assert_int_equal(r.status, 503);
	assert_false(truth_at(r.json, "ready"));
	assert_non_null(header_of(&r, "Retry-After"));
	assert_int_equal(ASK(.method = "GET", .path = "/healthz").status, 200);
	/* What needs no database is answered as ever. */
	EXPECT("no cookie", 401, NO_SESSION, .method = "GET", .path = "/session");
	EXPECT("bad token", 403, TOKEN_MALFORMED, .method = "POST", .path = "/login",
	       .body = "{\"token\":\"x\"}");
	fake_store_away(app->store, false);
	assert_int_equal(session_status(cookie), 200);
}

/* Every route, with every operation of the store failing in turn, in every way. */
static void failure_at_any_moment_is_never_a_401_or_a_lost_cookie(void **state)
{
	static const enum fake_fault faults[] = { FAKE_LOST, FAKE_CONFLICT, FAKE_BROKEN };
	static const char *const bodies[] = { NULL, "{\"scope\":\"others\"}",
					      "{\"scope\":\"all\"}" };
	unsigned failures = 0;

	(void)state;
	for (size_t f = 0; f < COUNT(faults); f++)
		for (int route = 0; route < 8; route++)
			for (unsigned skip = 0; skip < 20; skip++) {
				const char *cookie;
				struct call call = { .method = "GET" };
				struct reply r;

				use("", "");
				cookie = new_session("alice@example.com");
				call.more[0] = cookie;
				switch (route) {
				case 0:
					call.path = "/session";
					break;
				case 1:
					call.path = "/sessions";
					break;
				case 2:
					call.path = "/authorize";
					break;
				case 3:
					call.method = "POST", call.path = "/login";
					call.body =
						body_with(sign(CLAIMS("sub", "\"new\"")));
					break;
				case 4:
					call.method = "DELETE", call.path = "/sessions/1";
					break;
				default:
					call.method = "POST", call.path = "/logout";
					call.body = bodies[route - 5];
					break;
				}
				fake_store_count_anew(app->store);
				fake_store_fail(app->store, NULL, skip, 1000, faults[f]);
				r = ask_call(&call);
				if (!fake_store_counts(app->store).faults)
					break;
				failures++;
				fake_store_heal(app->store);
				/* Only what comes after the answer may fail unnoticed. */
				if (r.status == 200 || r.status == 204)
					continue;
				expect_reply(call.path, &r, 503, PROBLEM_DATABASE_AWAY);
				assert_int_equal(session_status(cookie), 200);
			}
	assert_true(failures > 40);
}

static void one_lost_connection_is_not_even_noticed(void **state)
{
	const char *cookie = new_session("alice@example.com");
	struct reply r;

	(void)state;
	fake_store_fail(app->store, NULL, 0, 1, FAKE_LOST);
	assert_int_equal(session_status(cookie), 200);
	fake_store_fail(app->store, "user_add", 0, 1, FAKE_CONFLICT);
	r = log_in(sign(CLAIMS("identifier", "\"bob@example.com\"", "sub", "\"s-bob\"")));
	assert_int_equal(r.status, 200);
	assert_true(truth_at(r.json, "created"));
	assert_int_equal(session_status(cookie_of(&r)), 200);
}

static void login_done_whose_commit_was_not_heard_of_is_acknowledged(void **state)
{
	struct reply r;

	(void)state;
	fake_store_fail(app->store, "commit", 0, 1, FAKE_LOST_DONE);
	r = log_in(sign(CLAIMS()));
	assert_int_equal(r.status, 200);
	assert_true(truth_at(r.json, "created"));
	assert_int_equal(fake_store_rows(app->store, FAKE_USERS), 1);
	assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 1);
	assert_int_equal(session_status(cookie_of(&r)), 200);
}

static void keys_away_is_503(void **state)
{
	const char *cookie = new_session("alice@example.com");
	const struct text token = sign(CLAIMS("iss", "\"https://away.example\""));
	const char *bearer =
		arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s", token.data).data;
	struct reply r = ASK(.method = "POST", .path = "/login", .body = body_with(token),
			     .more = { cookie });

	(void)state;
	expect_reply("login", &r, 503, PROBLEM_KEYS_AWAY);
	assert_string_equal(at(r.json, "reason"), "keys");
	assert_string_equal(header_of(&r, "Retry-After"), "60"); /* the cool-down */
	assert_int_equal(session_status(cookie), 200);
	EXPECT("guard", 503, KEYS_AWAY, .method = "GET", .path = "/authorize",
	       .more = { bearer });
	/* Known for certain, keys or none. */
	EXPECT("expired", 401, NO_SESSION, .method = "GET", .path = "/authorize",
	       .more = { arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s",
				      sign(CLAIMS("iss", "\"https://away.example\"",
						  "exp", "1795350010"))
					      .data)
				 .data });
}

/* ---- the table as a whole */

static void every_row_of_the_table_was_answered(void **state)
{
	(void)state;
	/* This one is never: with a bad configuration nothing starts. */
	provoked[PROBLEM_CONFIG] = true;
	for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KINDS; kind++)
		if (!provoked[kind])
			fail_msg("%s was never answered",
				 problem_row((enum problem_kind)kind)->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bad_bodies_are_bad_requests),
		TEST(form_post_has_to_come_from_our_own_page),
		TEST(without_a_session_everything_of_it_is_401),
		TEST(refused_tokens_are_told_apart_in_the_log_only),
		TEST(good_token_and_no_login),
		TEST(address_of_another_sign_in_is_a_conflict),
		TEST(used_token_and_foreign_origin),
		TEST(numbers_are_for_those_who_may_see_them),
		TEST(unknown_paths_and_wrong_methods),
		TEST(large_bodies_and_other_types),
		TEST(too_many_logins_from_one_address),
		TEST(own_fault_is_500),
		TEST(database_away_is_503_on_every_route),
		TEST(failure_at_any_moment_is_never_a_401_or_a_lost_cookie),
		TEST(one_lost_connection_is_not_even_noticed),
		TEST(login_done_whose_commit_was_not_heard_of_is_acknowledged),
		TEST(keys_away_is_503),
		TEST(every_row_of_the_table_was_answered),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
