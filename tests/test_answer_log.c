/*
 * The log of whole requests: one line each, and no secret in it, whatever is sent where.
 */
#include "answer_fixture.h"

/* ---- one line each */

static unsigned lines_of(const char *log)
{
	unsigned lines = 0;

	for (; (log = strchr(log, '\n')); log++)
		lines++;
	return lines;
}

static void one_line_for_each_request(void **state)
{
	static const struct call calls[] = {
		{ .method = "GET", .path = "/healthz" },
		{ .method = "GET", .path = "/session" },
		{ .method = "POST", .path = "/login", .body = "{\"token\":\"x\"}" },
		{ .method = "GET", .path = "/nowhere" },
		{ .method = "OPTIONS", .path = "/login" },
		{ .method = "GET", .path = "/page", .role = ROLE_AUTHORIZER },
	};

	(void)state;
	for (int format = CONFIG_LOG_TEXT; format <= CONFIG_LOG_JSON; format++) {
		log_as((enum config_log_format)format, CONFIG_LOG_DEBUG);
		for (size_t i = 0; i < COUNT(calls); i++)
			assert_int_equal(lines_of(ask_call(&calls[i]).log), 1);
	}
}

static void line_says_what_was_asked_and_answered(void **state)
{
	const struct reply r = log_in(sign(CLAIMS("aud", "\"someone else\"")));

	(void)state;
	assert_string_equal(at(r.logged, "level"), "info");
	assert_string_equal(at(r.logged, "method"), "POST");
	assert_string_equal(at(r.logged, "path"), "/login");
	assert_int_equal(number_at(r.logged, "status"), 403);
	assert_string_equal(at(r.logged, "error"), "invalid_token");
	assert_string_equal(at(r.logged, "reason"), "audience");
	assert_string_equal(at(r.logged, "detail"), "aud \"someone else\"");
	assert_string_equal(at(r.logged, "address"), ADDRESS);
	assert_string_equal(at(r.logged, "request"), at(r.json, "request_id"));
	assert_non_null(strstr(at(r.logged, "place"), "token.c:"));
	assert_true(number_at(r.logged, "ms") >= 0);
}

static void our_problems_are_errors_and_the_clients_are_not(void **state)
{
	const char *cookie = new_session("alice@example.com");
	struct reply r = ASK(.method = "GET", .path = "/session", .more = { cookie });

	(void)state;
	assert_string_equal(at(r.logged, "level"), "info");
	assert_non_null(at(r.logged, "user"));
	fake_store_away(app->store, true);
	r = ASK(.method = "GET", .path = "/session", .more = { cookie });
	assert_string_equal(at(r.logged, "level"), "error");
}

/* ---- forged lines */

#define NASTY "\r\ntime=2026 level=info status=200\x1b[2J\"\\\x9b"

static void nothing_that_is_sent_can_begin_a_line(void **state)
{
	const struct call calls[] = {
		{ .method = "GET" NASTY, .path = "/session" },
		{ .method = "GET", .path = "/session" NASTY },
		{ .method = "GET",
		  .path = "/session",
		  .more = { "HTTP_USER_AGENT=" NASTY } },
		{ .method = "POST",
		  .path = "/login",
		  .body = "{}",
		  .more = { "HTTP_ORIGIN=https://evil.example" NASTY } },
		{ .method = "POST",
		  .path = "/login",
		  .body = "{}",
		  .type = "text/plain" NASTY },
		{ .method = "POST",
		  .path = "/login",
		  .more = { "CONTENT_TYPE=application/json", "CONTENT_LENGTH=1" NASTY } },
		{ .method = "POST",
		  .path = "/login",
		  .body = body_with(sign(CLAIMS(
			  "iss", "\"x\\r\\nlevel=info\\u001b[2J\\\"\\\\\\u009b\""))) },
		{ .method = "POST",
		  .path = "/login",
		  .body = body_with(sign(CLAIMS(
			  "aud", "\"x\\r\\nlevel=info\\u001b[2J\\\"\\\\\\u009b\""))) },
		{ .method = "POST",
		  .path = "/login",
		  .body = body_with(maker_token(
			  arena, ec, JWS_ES256,
			  HEADER("alg", "\"x\\r\\nlevel=info\\u001b[2J\""), CLAIMS())) },
	};

	(void)state;
	for (int format = CONFIG_LOG_TEXT; format <= CONFIG_LOG_JSON; format++) {
		log_as((enum config_log_format)format, CONFIG_LOG_DEBUG);
		for (size_t i = 0; i < COUNT(calls); i++) {
			const struct reply r = ask_call(&calls[i]);

			assert_true(r.status >= 400);
			assert_int_equal(lines_of(r.log), 1);
			for (const char *c = r.log; c[1]; c++)
				if (*c < ' ' || *c > '~')
					fail_msg("case %zu: byte %02x: %s", i,
						 (unsigned char)*c, r.log);
			assert_null(strstr(r.log, "\\\"\\\\status=200"));
		}
	}
}

/* ---- canaries */

#define WINDOW 20 /* so many characters of a secret in a row are too many */

static struct {
	const char *secrets[16];
	size_t count;
} canaries;

static void add_canary(const char *secret)
{
	assert_true(strlen(secret) >= WINDOW && canaries.count < COUNT(canaries.secrets));
	canaries.secrets[canaries.count++] = secret;
}

/* Its payload and its signature: the header is the same for all the world. */
static void add_token_canary(struct text token)
{
	add_canary(arena_copy(arena, maker_token_part(token, 1)).data);
	add_canary(arena_copy(arena, maker_token_part(token, 2)).data);
}

static void expect_no_canary(const char *log)
{
	for (size_t i = 0; i < canaries.count; i++)
		for (const char *at_ = canaries.secrets[i]; strlen(at_) >= WINDOW; at_++)
			if (memmem(log, strlen(log), at_, WINDOW))
				fail_msg("%.*s of %s in the log: %s", WINDOW, at_,
					 canaries.secrets[i], log);
}

static const char *bearer(const char *token)
{
	return arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s", token).data;
}

/* One request of each sort, the secrets where they belong and where they do not. */
static void ask_with_secrets(const char *token, const char *cookie)
{
	const char *session = strchr(cookie + strlen("HTTP_COOKIE="), '=') + 1;
	const char *in_path = arena_printf(arena, "/login/%s", token).data;
	const char *body = body_with(text_of(token));
	const struct call calls[] = {
		{ .method = "POST", .path = "/login", .body = body, .more = { cookie } },
		{ .method = "POST",
		  .path = "/login",
		  .body = body,
		  .type = "text/plain" },
		{ .method = "POST", .path = "/login", .body = body, .length = 9999 },
		{ .method = "POST",
		  .path = "/login",
		  .body = arena_printf(arena, "{\"token\":\"%s.%s\"}", token, session)
				  .data },
		{ .method = "POST",
		  .path = "/login",
		  .body = arena_printf(arena, "{\"token\":{\"%s\":\"%s\"}}", token,
				       session)
				  .data },
		{ .method = "POST", .path = "/login", .body = body, .type = token },
		{ .method = "POST",
		  .path = "/login",
		  .body = body,
		  .more = { variable("HTTP_ORIGIN",
				     arena_printf(arena, "https://%s", session).data) } },
		{ .method = "POST",
		  .path = "/login",
		  .body = body,
		  .more = { variable("HTTP_ORIGIN", token) } },
		{ .method = "POST",
		  .path = "/login",
		  .more = { "CONTENT_TYPE=application/json",
			    variable("CONTENT_LENGTH", session) } },
		{ .method = "GET", .path = in_path },
		{ .method = "GET", .path = arena_printf(arena, "/%s/x", session).data },
		{ .method = "DELETE",
		  .path = arena_printf(arena, "/sessions/%s", session).data,
		  .more = { cookie } },
		{ .method = session, .path = "/login" },
		{ .method = token, .path = "/login" },
		{ .method = "GET",
		  .path = "/session",
		  .more = { cookie, variable("QUERY_STRING", token),
			    variable("HTTP_REFERER", token),
			    variable("REQUEST_URI", in_path),
			    variable("HTTP_USER_AGENT", session) } },
		{ .method = "GET", .path = "/session", .more = { bearer(token) } },
		{ .method = "GET", .path = "/authorize", .more = { bearer(token) } },
		{ .method = "GET", .path = "/authorize", .more = { bearer(session) } },
		{ .method = "GET",
		  .path = "/page",
		  .role = ROLE_AUTHORIZER,
		  .more = { cookie, bearer(token) } },
		{ .method = "GET",
		  .path = "/session",
		  .more = { variable("HTTP_COOKIE",
				     arena_printf(arena, COOKIE "=%s", token).data) } },
		{ .method = "POST",
		  .path = "/refresh",
		  .body = arena_printf(arena, "{\"refresh_token\":\"%s\"}", session)
				  .data },
		{ .method = "POST",
		  .path = "/logout",
		  .more = { cookie },
		  .body = arena_printf(arena, "{\"scope\":\"%s\"}", session).data },
	};

	for (size_t i = 0; i < COUNT(calls); i++) {
		const struct reply r = ask_call(&calls[i]);

		assert_true(lines_of(r.log) >= 1);
		expect_no_canary(r.log);
		if (r.status >= 400)
			expect_no_canary(r.body);
	}
}

static void ask_with_every_secret(void)
{
	const struct text good = sign(CLAIMS("jti", "\"canary\""));
	const struct text forged = maker_token(arena, stranger, JWS_ES256, HEADER(),
					       CLAIMS("jti", "\"canary-2\""));
	const struct text away = sign(CLAIMS("iss", "\"https://away.example\""));
	const char *cookie = new_session("alice@example.com");
	struct reply r;

	canaries.count = 0;
	add_token_canary(good);
	add_token_canary(forged);
	add_token_canary(away);
	add_canary(strchr(cookie + strlen("HTTP_COOKIE="), '=') + 1);
	add_canary(strstr(maker_jwk(arena, ec, ""), "\"x\":\"") + 5);
	ask_with_secrets(good.data, cookie);
	ask_with_secrets(forged.data, cookie);
	ask_with_secrets(away.data, cookie);
	/* A secret as the name of this and that within a token. */
	r = log_in(sign(
		CLAIMS("aud", arena_printf(arena, "\"%s\"", canaries.secrets[6]).data)));
	expect_no_canary(r.log);
	r = log_in(sign(
		CLAIMS("iss", arena_printf(arena, "\"%s\"", canaries.secrets[6]).data)));
	expect_no_canary(r.log);
	fake_store_away(app->store, true);
	ask_with_secrets(good.data, cookie);
}

static void no_secret_is_logged_in_text(void **state)
{
	(void)state;
	log_as(CONFIG_LOG_TEXT, CONFIG_LOG_DEBUG);
	ask_with_every_secret();
}

static void no_secret_is_logged_in_json(void **state)
{
	(void)state;
	log_as(CONFIG_LOG_JSON, CONFIG_LOG_DEBUG);
	ask_with_every_secret();
}

/* The check above would find one: here it is where it may be. */
static void canary_is_found_where_it_is(void **state)
{
	const struct text token = sign(CLAIMS());
	const char *text =
		arena_printf(arena, "x%.30s", maker_token_part(token, 2).data).data;
	bool found = false;

	(void)state;
	canaries.count = 0;
	add_token_canary(token);
	for (const char *c = canaries.secrets[1]; strlen(c) >= WINDOW; c++)
		found = found || memmem(text, strlen(text), c, WINDOW) != NULL;
	assert_true(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_line_for_each_request),
		TEST(line_says_what_was_asked_and_answered),
		TEST(our_problems_are_errors_and_the_clients_are_not),
		TEST(nothing_that_is_sent_can_begin_a_line),
		TEST(no_secret_is_logged_in_text),
		TEST(no_secret_is_logged_in_json),
		TEST(canary_is_found_where_it_is),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
