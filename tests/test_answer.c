/* Whole requests: what is answered to a login when all is well. */
#include "answer_fixture.h"

/* ---- Cotter's documents, their tokens signed anew with a key of ours */

static const char *payload_directory(void)
{
	const char *given = getenv("PINTLE_PAYLOADS"), *top = getenv("top_srcdir");

	if (given)
		return given;
	return arena_printf(arena, "%s/../shared/cotter-payloads", top ? top : ".").data;
}

static const char *read_document(const char *name)
{
	const char *path = arena_printf(arena, "%s/%s", payload_directory(), name).data;
	char *text = arena_alloc(arena, 16384);
	FILE *f = fopen(path, "re");

	if (!f)
		return NULL;
	assert_true(fread(text, 1, 16383, f) > 0);
	fclose(f);
	return text;
}

/* Header and payload stay what they are. */
static const char *signed_anew(const char *document, unsigned *tokens)
{
	struct buffer b = buffer_new(arena, 16384);
	const char *found;

	*tokens = 0;
	while ((found = strstr(document, "\"eyJ"))) {
		const struct text old = { found + 1, strcspn(found + 1, "\"") };
		const struct text fresh =
			maker_token(arena, ec, JWS_ES256,
				    maker_unbase64url(arena, maker_token_part(old, 0)),
				    maker_unbase64url(arena, maker_token_part(old, 1)));

		buffer_add(&b, (struct text){ document, (size_t)(found + 1 - document) });
		buffer_add(&b, fresh);
		document = old.data + old.len;
		++*tokens;
	}
	buffer_add(&b, text_of(document));
	return arena_copy(arena, buffer_text(&b)).data;
}

static const struct document {
	const char *name;
	unsigned tokens;
	enum problem_kind without_phones, with_phones;
	const char *email; /* who it is, if it gets in; NULL: the number */
} documents[] = {
	{ "01-docs-minimal.json", 2, PROBLEM_NONE, PROBLEM_NONE, "alice@example.com" },
	{ "02-web-email-otp.json", 2, PROBLEM_NONE, PROBLEM_NONE, "alice@example.com" },
	{ "03-web-email-magic-link.json", 2, PROBLEM_NONE, PROBLEM_NONE,
	  "alice@example.com" },
	{ "04-web-phone-sms-or-whatsapp.json", 2, PROBLEM_EMAIL_MISSING, PROBLEM_NONE,
	  NULL },
	{ "05-web-phone-under-email-key.json", 2, PROBLEM_EMAIL_MISSING, PROBLEM_NONE,
	  NULL },
	{ "06-web-social-login.json", 2, PROBLEM_NONE, PROBLEM_NONE,
	  "alice@example.com" },
	{ "07-web-webauthn-login.json", 2, PROBLEM_NONE, PROBLEM_NONE,
	  "alice@example.com" },
	{ "08-web-webauthn-setup-skipped.json", 2, PROBLEM_NONE, PROBLEM_NONE,
	  "alice@example.com" },
	{ "09-native-get_identity.json", 2, PROBLEM_NONE, PROBLEM_NONE,
	  "alice@example.com" },
	{ "10-trusted-device-event.json", 2, PROBLEM_EMAIL_UNVERIFIED,
	  PROBLEM_EMAIL_UNVERIFIED, NULL },
	{ "11-older-sdk-ed25519-only.json", 0, PROBLEM_NO_TOKEN, PROBLEM_NO_TOKEN, NULL },
	{ "12-refresh-response.json", 2, PROBLEM_NONE, PROBLEM_NONE,
	  "alice@example.com" },
	{ "13-access-token-pre-oct-2020.json", 2, PROBLEM_EMAIL_MISSING,
	  PROBLEM_EMAIL_MISSING, NULL },
	{ "14-custom-claims.json", 2, PROBLEM_NONE, PROBLEM_NONE, "alice@example.com" },
};

static void check_login(const struct document *d, const struct reply *r)
{
	assert_true(truth_at(r->json, "created"));
	assert_string_equal(at(r->json, "/claims/iss"), "https://www.cotter.app");
	assert_non_null(header_of(r, "Set-Cookie"));
	if (d->email) {
		assert_string_equal(at(r->json, "/user/email"), d->email);
		assert_null(at(r->json, "/user/phone"));
	} else {
		assert_null(at(r->json, "/user/email"));
		assert_string_equal(at(r->json, "/user/phone"), "+12025550123");
	}
	assert_int_equal(fake_store_rows(app->store, FAKE_USERS), 1);
	assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 1);
}

static void check_documents(const char *blocks, bool phones)
{
	for (size_t i = 0; i < COUNT(documents); i++) {
		const struct document *d = &documents[i];
		const enum problem_kind kind =
			phones ? d->with_phones : d->without_phones;
		const char *text = read_document(d->name), *body;
		struct reply r;
		unsigned tokens;

		if (!text) {
			print_message("skipped: %s (corpus absent)\n", d->name);
			return;
		}
		body = signed_anew(text, &tokens);
		assert_int_equal(tokens, d->tokens);
		use("", blocks);
		r = ASK(.method = "POST", .path = "/login", .body = body);
		expect_reply(d->name, &r, problem_row(kind)->status, kind);
		if (kind == PROBLEM_NONE)
			check_login(d, &r);
		else
			assert_int_equal(fake_store_rows(app->store, FAKE_USERS), 0);
		/* As it is, signed by a key that is not the provider's. */
		if (tokens) {
			r = ASK(.method = "POST", .path = "/login", .body = text);
			expect_reply(d->name, &r, 403, PROBLEM_TOKEN_SIGNATURE);
		}
	}
}

static void documents_of_cotter_are_answered_each_as_it_should(void **state)
{
	(void)state;
	check_documents("", false);
}

static void documents_of_cotter_where_phone_numbers_count(void **state)
{
	(void)state;
	check_documents("accounts { phone = \"yes\" }\n", true);
}

/* ---- a login */

static void login_tells_who_it_is(void **state)
{
	const struct text payload = CLAIMS("role", "\"admin\"", "n", "[1,{\"a\":null}]");
	const struct reply r = log_in(sign(payload));
	const char *cookie = header_of(&r, "Set-Cookie");

	(void)state;
	assert_int_equal(r.status, 200);
	assert_true(truth_at(r.json, "created"));
	assert_int_equal(strspn(at(r.json, "/user/id"), "0123456789"),
			 strlen(at(r.json, "/user/id")));
	assert_string_equal(at(r.json, "/user/email"), "alice@example.com");
	assert_null(at(r.json, "/user/phone"));
	assert_non_null(at(r.json, "/session/id"));
	assert_int_equal(number_at(r.json, "/session/expires_at"), NOW + 30 * 86400);
	assert_null(at(r.json, "/session/token"));
	assert_int_equal(number_at(r.json, "/claims/n/0"), 1);
	assert_non_null(strstr(
		r.body, arena_printf(arena, "\"claims\":%.*s", TEXT_ARG(payload)).data));
	assert_memory_equal(cookie, COOKIE "=", strlen(COOKIE "="));
	assert_int_equal(strcspn(cookie + strlen(COOKIE "="), ";"), 43);
	assert_string_equal(cookie + strlen(COOKIE "=") + 43,
			    "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
	/* Not in the body, where a script could read it. */
	assert_null(strstr(
		r.body, arena_printf(arena, "%.43s", cookie + strlen(COOKIE "=")).data));
	assert_string_equal(at(r.logged, "provider"), "cotter");
	assert_string_equal(at(r.logged, "user"), at(r.json, "/user/id"));
}

static void second_login_is_the_same_user_and_another_session(void **state)
{
	const struct reply a = log_in(sign(CLAIMS()));
	const struct reply b =
		log_in(sign(CLAIMS("identifier", "\"ALICE@EXAMPLE.COM\"")));

	(void)state;
	assert_false(truth_at(b.json, "created"));
	assert_string_equal(at(a.json, "/user/id"), at(b.json, "/user/id"));
	assert_string_equal(at(b.json, "/user/email"), "alice@example.com");
	assert_string_not_equal(at(a.json, "/session/id"), at(b.json, "/session/id"));
	assert_string_not_equal(cookie_of(&a), cookie_of(&b));
	assert_int_equal(session_status(cookie_of(&a)), 200);
}

static void claims_alone_are_the_answer_where_so_configured(void **state)
{
	const struct text payload = CLAIMS("username", "\"alice\"");
	struct reply r;

	(void)state;
	use("login_response = \"claims\"\n", "");
	r = log_in(sign(payload));
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, payload.data);
	assert_int_equal(session_status(cookie_of(&r)), 200);
}

static void everything_beside_the_token_is_decoration(void **state)
{
	const struct text token = sign(CLAIMS());
	struct reply r = ASK(.method = "POST", .path = "/login",
			     .body = arena_printf(arena,
						  "{\"email\":\"admin@example.com\","
						  "\"user\":{\"identifier\":"
						  "\"admin@example.com\",\"ID\":1},\"\":"
						  "null,\"status\":\"CANCELED\","
						  "\"phone\":false,\"created\":[],"
						  "\"oauth_token\":{\"id_token\":1,"
						  "\"access_token\":\"%s\"},\"access_"
						  "token\":\"x\",\"token\":{}}",
						  token.data)
					     .data);

	(void)state;
	assert_int_equal(r.status, 200);
	assert_string_equal(at(r.json, "/user/email"), "alice@example.com");
	assert_null(strstr(r.body, "admin"));
}

static void token_is_looked_for_in_the_places_in_order(void **state)
{
	static const char *const places[] = {
		"{\"oauth_token\":{\"access_token\":\"%s\"}}",
		"{\"oauth_token\":{\"id_token\":\"%s\"}}",
		"{\"access_token\":\"%s\"}",
		"{\"id_token\":\"%s\"}",
		"{\"credential\":\"%s\"}",
		"{\"token\":\"%s\"}",
		"{\"session_jwt\":\"%s\"}",
	};
	static const char *const elsewhere[] = {
		"{\"jwt\":\"%s\"}",
		"{\"user\":{\"access_token\":\"%s\"}}",
		"{\"Token\":\"%s\"}",
		"{\"oauth_token\":\"%s\"}",
		"{\"oauth_token/access_token\":\"%s\"}",
	};
	const struct text token = sign(CLAIMS());

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		struct buffer b = buffer_new(arena, 1024);
		const char *hole = strstr(places[i], "%s");

		buffer_add(&b, (struct text){ places[i], (size_t)(hole - places[i]) });
		buffer_add(&b, token);
		buffer_add(&b, text_of(hole + 2));
		assert_int_equal(ASK(.method = "POST", .path = "/login",
				     .body = arena_copy(arena, buffer_text(&b)).data)
					 .status,
				 200);
	}
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		struct reply r;
		struct buffer b = buffer_new(arena, 1024);
		const char *hole = strstr(elsewhere[i], "%s");

		buffer_add(&b,
			   (struct text){ elsewhere[i], (size_t)(hole - elsewhere[i]) });
		buffer_add(&b, token);
		buffer_add(&b, text_of(hole + 2));
		r = ASK(.method = "POST", .path = "/login",
			.body = arena_copy(arena, buffer_text(&b)).data);
		expect_reply(elsewhere[i], &r, 400, PROBLEM_NO_TOKEN);
	}
	/* The first that is there decides, good or bad. */
	{
		struct reply r =
			ASK(.method = "POST", .path = "/login",
			    .body = arena_printf(
					    arena,
					    "{\"token\":\"%s\",\"access_token\":null}",
					    token.data)
					    .data);

		expect_reply("null first", &r, 400, PROBLEM_NO_TOKEN);
		r = ASK(.method = "POST", .path = "/login",
			.body = arena_printf(
					arena,
					"{\"token\":\"%s\",\"access_token\":\"x.y.z\"}",
					token.data)
					.data);
		expect_reply("a bad one first", &r, 403, PROBLEM_TOKEN_MALFORMED);
	}
}

static void token_elsewhere_in_the_request_is_not_looked_at(void **state)
{
	const struct text token = sign(CLAIMS());
	struct reply r =
		ASK(.method = "POST", .path = "/login", .body = "{}",
		    .more = {
			    variable("QUERY_STRING",
				     arena_printf(arena, "token=%s", token.data).data),
			    variable("HTTP_AUTHORIZATION",
				     arena_printf(arena, "Bearer %s", token.data).data),
			    variable("HTTP_COOKIE",
				     arena_printf(arena, "token=%s", token.data).data) });

	(void)state;
	expect_reply("elsewhere", &r, 400, PROBLEM_NO_TOKEN);
}

static void login_ends_the_session_that_came_along(void **state)
{
	const char *mine = new_session("alice@example.com"),
		   *other = new_session("alice@example.com");
	struct reply r = ASK(.method = "POST", .path = "/login",
			     .body = body_with(sign(CLAIMS())), .more = { mine });

	(void)state;
	assert_int_equal(r.status, 200);
	assert_int_equal(session_status(mine), 401);
	assert_int_equal(session_status(other), 200);
	assert_int_equal(session_status(cookie_of(&r)), 200);
	/* One that fails ends nothing. */
	r = ASK(.method = "POST", .path = "/login",
		.body = body_with(sign(CLAIMS("aud", "\"x\""))), .more = { other });
	assert_int_equal(r.status, 403);
	assert_int_equal(session_status(other), 200);
}

static void single_use_tokens_open_sessions_for_a_while(void **state)
{
	const struct text token = sign(OTHER("once")),
			  twin = maker_token_twin(arena, token);
	struct reply r;

	(void)state;
	assert_int_equal(log_in(token).status, 200);
	now += 60;
	assert_int_equal(log_in(token).status, 200);
	now += 1;
	r = log_in(token);
	expect_reply("a minute later", &r, 403, PROBLEM_TOKEN_REPLAYED);
	r = log_in(twin);
	expect_reply("its other spelling", &r, 403, PROBLEM_TOKEN_REPLAYED);
	assert_int_equal(log_in(sign(OTHER("once", "jti", "\"another\""))).status, 200);
}

/* ---- the rest */

static void health_is_told_without_the_database(void **state)
{
	struct reply r = ASK(.method = "GET", .path = "/healthz");

	(void)state;
	assert_int_equal(r.status, 200);
	assert_string_equal(at(r.json, "status"), "ok");
	r = ASK(.method = "GET", .path = "/readyz");
	assert_int_equal(r.status, 200);
	assert_true(truth_at(r.json, "ready"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(documents_of_cotter_are_answered_each_as_it_should),
		TEST(documents_of_cotter_where_phone_numbers_count),
		TEST(login_tells_who_it_is),
		TEST(second_login_is_the_same_user_and_another_session),
		TEST(claims_alone_are_the_answer_where_so_configured),
		TEST(everything_beside_the_token_is_decoration),
		TEST(token_is_looked_for_in_the_places_in_order),
		TEST(token_elsewhere_in_the_request_is_not_looked_at),
		TEST(login_ends_the_session_that_came_along),
		TEST(single_use_tokens_open_sessions_for_a_while),
		TEST(health_is_told_without_the_database),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
