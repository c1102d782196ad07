/* Whole requests: what is answered when all is well. */
#include "answer_fixture.h"

#include <dirent.h>

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
		const struct text fresh = maker_token(
			arena, ec, JWS_ES256,
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
	{ "03-web-email-magic-link.json", 2, PROBLEM_NONE, PROBLEM_NONE, "alice@example.com" },
	{ "04-web-phone-sms-or-whatsapp.json", 2, PROBLEM_EMAIL_MISSING, PROBLEM_NONE, NULL },
	{ "05-web-phone-under-email-key.json", 2, PROBLEM_EMAIL_MISSING, PROBLEM_NONE, NULL },
	{ "06-web-social-login.json", 2, PROBLEM_NONE, PROBLEM_NONE, "alice@example.com" },
	{ "07-web-webauthn-login.json", 2, PROBLEM_NONE, PROBLEM_NONE, "alice@example.com" },
	{ "08-web-webauthn-setup-skipped.json", 2, PROBLEM_NONE, PROBLEM_NONE,
	  "alice@example.com" },
	{ "09-native-get_identity.json", 2, PROBLEM_NONE, PROBLEM_NONE, "alice@example.com" },
	{ "10-trusted-device-event.json", 2, PROBLEM_EMAIL_UNVERIFIED, PROBLEM_EMAIL_UNVERIFIED,
	  NULL },
	{ "11-older-sdk-ed25519-only.json", 0, PROBLEM_NO_TOKEN, PROBLEM_NO_TOKEN, NULL },
	{ "12-refresh-response.json", 2, PROBLEM_NONE, PROBLEM_NONE, "alice@example.com" },
	{ "13-access-token-pre-oct-2020.json", 2, PROBLEM_EMAIL_MISSING, PROBLEM_EMAIL_MISSING,
	  NULL },
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
		const enum problem_kind kind = phones ? d->with_phones : d->without_phones;
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
	assert_non_null(strstr(r.body, arena_printf(arena, "\"claims\":%.*s", TEXT_ARG(payload)).data));
	assert_memory_equal(cookie, COOKIE "=", strlen(COOKIE "="));
	assert_int_equal(strcspn(cookie + strlen(COOKIE "="), ";"), 43);
	assert_string_equal(cookie + strlen(COOKIE "=") + 43,
			    "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
	/* Not in the body, where a script could read it. */
	assert_null(strstr(r.body, arena_printf(arena, "%.43s", cookie + strlen(COOKIE "=")).data));
	assert_string_equal(at(r.logged, "provider"), "cotter");
	assert_string_equal(at(r.logged, "user"), at(r.json, "/user/id"));
}

static void second_login_is_the_same_user_and_another_session(void **state)
{
	const struct reply a = log_in(sign(CLAIMS()));
	const struct reply b = log_in(sign(CLAIMS("identifier", "\"ALICE@EXAMPLE.COM\"")));

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
			     .body = arena_printf(
				     arena,
				     "{\"email\":\"admin@example.com\",\"user\":{\"identifier\":"
				     "\"admin@example.com\",\"ID\":1},\"\":null,\"status\":\"CANCELED\","
				     "\"phone\":false,\"created\":[],\"oauth_token\":{\"id_token\":1,"
				     "\"access_token\":\"%s\"},\"access_token\":\"x\",\"token\":{}}",
				     token.data).data);

	(void)state;
	assert_int_equal(r.status, 200);
	assert_string_equal(at(r.json, "/user/email"), "alice@example.com");
	assert_null(strstr(r.body, "admin"));
}

static void token_is_looked_for_in_the_places_in_order(void **state)
{
	static const char *const places[] = {
		"{\"oauth_token\":{\"access_token\":\"%s\"}}", "{\"oauth_token\":{\"id_token\":\"%s\"}}",
		"{\"access_token\":\"%s\"}", "{\"id_token\":\"%s\"}", "{\"credential\":\"%s\"}",
		"{\"token\":\"%s\"}", "{\"session_jwt\":\"%s\"}",
	};
	static const char *const elsewhere[] = {
		"{\"jwt\":\"%s\"}", "{\"user\":{\"access_token\":\"%s\"}}", "{\"Token\":\"%s\"}",
		"{\"oauth_token\":\"%s\"}", "{\"oauth_token/access_token\":\"%s\"}",
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
				     .body = arena_copy(arena, buffer_text(&b)).data).status, 200);
	}
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		struct reply r;
		struct buffer b = buffer_new(arena, 1024);
		const char *hole = strstr(elsewhere[i], "%s");

		buffer_add(&b, (struct text){ elsewhere[i], (size_t)(hole - elsewhere[i]) });
		buffer_add(&b, token);
		buffer_add(&b, text_of(hole + 2));
		r = ASK(.method = "POST", .path = "/login",
			.body = arena_copy(arena, buffer_text(&b)).data);
		expect_reply(elsewhere[i], &r, 400, PROBLEM_NO_TOKEN);
	}
	/* The first that is there decides, good or bad. */
	{
		struct reply r = ASK(.method = "POST", .path = "/login",
				     .body = arena_printf(arena, "{\"token\":\"%s\",\"access_token\":null}",
							  token.data).data);

		expect_reply("null first", &r, 400, PROBLEM_NO_TOKEN);
		r = ASK(.method = "POST", .path = "/login",
			.body = arena_printf(arena, "{\"token\":\"%s\",\"access_token\":\"x.y.z\"}",
					     token.data).data);
		expect_reply("a bad one first", &r, 403, PROBLEM_TOKEN_MALFORMED);
	}
}

static void token_elsewhere_in_the_request_is_not_looked_at(void **state)
{
	const struct text token = sign(CLAIMS());
	struct reply r = ASK(.method = "POST", .path = "/login", .body = "{}",
			     .more = { variable("QUERY_STRING", arena_printf(arena, "token=%s",
									     token.data).data),
				       variable("HTTP_AUTHORIZATION",
						arena_printf(arena, "Bearer %s", token.data).data),
				       variable("HTTP_COOKIE",
						arena_printf(arena, "token=%s", token.data).data) });

	(void)state;
	expect_reply("elsewhere", &r, 400, PROBLEM_NO_TOKEN);
}

static void login_ends_the_session_that_came_along(void **state)
{
	const char *mine = new_session("alice@example.com"), *other = new_session("alice@example.com");
	struct reply r = ASK(.method = "POST", .path = "/login", .body = body_with(sign(CLAIMS())),
			     .more = { mine });

	(void)state;
	assert_int_equal(r.status, 200);
	assert_int_equal(session_status(mine), 401);
	assert_int_equal(session_status(other), 200);
	assert_int_equal(session_status(cookie_of(&r)), 200);
	/* One that fails ends nothing. */
	r = ASK(.method = "POST", .path = "/login", .body = body_with(sign(CLAIMS("aud", "\"x\""))),
		.more = { other });
	assert_int_equal(r.status, 403);
	assert_int_equal(session_status(other), 200);
}

static void single_use_tokens_open_sessions_for_a_while(void **state)
{
	const struct text token = sign(OTHER("once")), twin = maker_token_twin(arena, token);
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
	const struct reply get = ASK(.method = "GET", .path = "/session", .more = { cookie });
	const struct reply head = ASK(.method = "HEAD", .path = "/session", .more = { cookie });

	(void)state;
	assert_int_equal(head.status, 200);
	assert_string_equal(head.body, "");
	assert_string_equal(header_of(&head, "Content-Length"), header_of(&get, "Content-Length"));
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
	const char *mine = new_session("alice@example.com"), *evil = new_session("mallory@example.com");
	const char *pair = arena_printf(arena, "%s; %s", mine, evil + strlen("HTTP_COOKIE=")).data;
	const char *comma = arena_printf(arena, "%s, %s", mine, evil + strlen("HTTP_COOKIE=")).data;

	(void)state;
	assert_int_equal(session_status(pair), 401);
	assert_int_equal(session_status(comma), 401);
	assert_int_equal(ASK(.method = "GET", .path = "/session", .more = { mine, evil }).status, 401);
	/* The victim's own session is not in the attacker's hand. */
	assert_int_equal(session_status(mine), 200);
	assert_int_equal(ASK(.method = "GET", .path = "/session",
			     .more = { "HTTP_COOKIE=a=1", mine }).status, 200);
}

static void cookie_that_is_none_of_ours_is_no_session(void **state)
{
	static const char *const cookies[] = {
		"HTTP_COOKIE=" COOKIE "=", "HTTP_COOKIE=" COOKIE "=x", "HTTP_COOKIE=x=y",
		"HTTP_COOKIE=" COOKIE "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"HTTP_COOKIE=" COOKIE "=' OR 1=1 -- ", "HTTP_COOKIE=",
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
		.path = arena_printf(arena, "/sessions/0%s", at(r.json, "/sessions/0/id")).data);
	expect_reply("another spelling of one's own", &r, 404, PROBLEM_NOT_FOUND);
	assert_int_equal(session_status(second), 200);
	for (const char *const *bad = (const char *const[]){ "0", "01", "x", "-1", "1x", "1%20",
							     "99999999999999999999", NULL };
	     *bad; bad++) {
		r = ASK(.method = "DELETE", .path = arena_printf(arena, "/sessions/%s", *bad).data,
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
		r = ASK(.method = "POST", .path = "/logout", .body = cases[i].body, .more = { mine });
		assert_int_equal(r.status, 200);
		assert_int_equal(number_at(r.json, "ended"), cases[i].ended);
		assert_int_equal(session_status(mine), cases[i].mine);
		assert_int_equal(session_status(other), cases[i].other);
		assert_int_equal(session_status(bystander), 200);
		if (cases[i].clears)
			assert_string_equal(header_of(&r, "Set-Cookie"),
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
		const struct reply r = ASK(.method = "POST", .path = "/logout", .more = { cookie });

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
	assert_int_equal(session_status(arena_printf(arena, "HTTP_COOKIE=" COOKIE "=%s", token).data),
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
	assert_int_equal(session_status(arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s",
						     strchr(cookie + 13, '=') + 1).data), 401);
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
	assert_string_equal(cookie, arena_printf(arena, "HTTP_COOKIE=" COOKIE "=%s", token.data).data);
	assert_int_equal(session_status(cookie), 200);
	assert_int_equal(ASK(.method = "POST", .path = "/logout", .more = { cookie }).status, 200);
	assert_int_equal(session_status(cookie), 401);
	/* Nor does the token's other spelling bring it back. */
	assert_int_equal(session_status(arena_printf(arena, "HTTP_COOKIE=" COOKIE "=%s",
						     maker_token_twin(arena, token).data).data), 401);
}

/* The two cookies of session mode jwt as one header. */
static const char *pair_of(const struct reply *r)
{
	const char *first = strstr(r->head, "Set-Cookie: ") + strlen("Set-Cookie: ");
	const char *second = strstr(first, "Set-Cookie: ") + strlen("Set-Cookie: ");

	return arena_printf(arena, "HTTP_COOKIE=%.*s; %.*s", (int)strcspn(first, ";"), first,
			    (int)strcspn(second, ";"), second)
		.data;
}

static void use_jwt_mode(const char *more)
{
	struct problem p = { 0 };
	char kid[64];

	use("", arena_printf(arena, "session { mode = \"jwt\" keys_dir = \"@\" %s }\n", more).data);
	assert_true(mint_rotate(app->config->session.keys_dir, now, kid, &p));
}

static void jwt_mode_gives_a_pair_and_takes_it_on(void **state)
{
	struct reply r;
	const char *cookies;

	(void)state;
	use_jwt_mode("");
	r = log_in(sign(CLAIMS()));
	assert_int_equal(r.status, 200);
	assert_int_equal(count_headers(&r, "Set-Cookie", NULL), 2);
	assert_int_equal(number_at(r.json, "/session/token_expires_at"), NOW + MINT_LIFE_S);
	cookies = pair_of(&r);
	assert_int_equal(session_status(cookies), 200);
	assert_int_equal(session_status(arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s",
						     at(r.json, "/session/token")).data), 200);
	now += MINT_LIFE_S + 60;
	assert_int_equal(session_status(cookies), 401);
	r = ASK(.method = "POST", .path = "/refresh", .more = { cookies });
	assert_int_equal(r.status, 200);
	assert_int_equal(session_status(pair_of(&r)), 200);
	r = ASK(.method = "GET", .path = "/jwks");
	assert_int_equal(r.status, 200);
	assert_non_null(at(r.json, "/keys/0/kid"));
	assert_null(at(r.json, "/keys/0/d"));
}

static void logout_in_jwt_mode_ends_the_refresh_token_as_well(void **state)
{
	struct reply r;
	const char *cookies;

	(void)state;
	for (int late = 0; late <= 1; late++) {
		use_jwt_mode("");
		r = log_in(sign(CLAIMS()));
		cookies = pair_of(&r);
		/* Late: the JWT has expired by itself, the session behind it has not. */
		now += late ? MINT_LIFE_S + 60 : 10;
		r = ASK(.method = "POST", .path = "/logout", .more = { cookies });
		assert_int_equal(r.status, 200);
		assert_int_equal(number_at(r.json, "ended"), 1);
		assert_int_equal(count_headers(&r, "Set-Cookie", NULL), 2);
		assert_int_equal(ASK(.method = "POST", .path = "/refresh", .more = { cookies }).status,
				 401);
		now = NOW;
	}
}

static void login_in_jwt_mode_ends_the_session_that_came_along(void **state)
{
	static const struct {
		const char *more;
		int later;
	} cases[] = { { "", 10 }, { "", MINT_LIFE_S + 60 }, { "gate_cache = \"5m\"", 10 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *cookies;
		struct reply r;

		now = NOW;
		use_jwt_mode(cases[i].more);
		r = log_in(sign(CLAIMS()));
		cookies = pair_of(&r);
		now += cases[i].later;
		r = ASK(.method = "POST", .path = "/login", .body = body_with(sign(CLAIMS())),
			.more = { cookies });
		assert_int_equal(r.status, 200);
		assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 1);
		assert_int_equal(ASK(.method = "POST", .path = "/refresh", .more = { cookies }).status,
				 401);
		assert_int_equal(session_status(pair_of(&r)), 200);
	}
}

/* ---- other origins */

#define FROM(origin) "HTTP_ORIGIN=" origin

static void listed_origin_gets_cors_headers_with_every_answer(void **state)
{
	static const struct call calls[] = {
		{ .method = "POST", .path = "/login", .body = "{}", .more = { FROM(LISTED) } },
		{ .method = "POST", .path = "/login", .body = "x", .type = "text/plain",
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
		assert_string_equal(header_of(&r, "Access-Control-Allow-Credentials"), "true");
		assert_null(header_of(&r, "Access-Control-Allow-Methods"));
	}
}

static void foreign_origin_changes_nothing_and_reads_nothing(void **state)
{
	static const char *const origins[] = {
		FROM("https://evil.example"), FROM("null"), FROM(""), FROM("http://www.example.com"),
		FROM(ORIGIN ":443"), FROM(ORIGIN ".evil.example"), FROM(LISTED "/"),
		"HTTP_SEC_FETCH_SITE=cross-site",
	};
	const char *cookie = new_session("alice@example.com");
	const char *before = fake_store_dump(app->store), *body = body_with(sign(CLAIMS()));
	char *after;

	(void)state;
	for (size_t i = 0; i < COUNT(origins); i++) {
		const struct call calls[] = {
			{ .method = "POST", .path = "/login", .body = body,
			  .more = { origins[i], cookie } },
			{ .method = "POST", .path = "/logout", .more = { origins[i], cookie } },
			{ .method = "DELETE", .path = "/sessions/1", .more = { origins[i], cookie } },
			{ .method = "POST", .path = "/refresh", .more = { origins[i], cookie } },
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
	static const char *const origins[] = { FROM(ORIGIN), FROM(LISTED), "HTTP_SEC_FETCH_SITE=none" };

	(void)state;
	for (size_t i = 0; i < COUNT(origins); i++)
		assert_int_equal(ASK(.method = "POST", .path = "/login",
				     .body = body_with(sign(CLAIMS())), .more = { origins[i] }).status,
				 200);
	assert_int_equal(ASK(.method = "POST", .path = "/login", .body = body_with(sign(CLAIMS())),
			     .more = { FROM(LISTED), "HTTP_SEC_FETCH_SITE=cross-site" }).status, 200);
}

static void two_origins_are_nobodys(void **state)
{
	struct reply r = ASK(.method = "POST", .path = "/login", .body = body_with(sign(CLAIMS())),
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
		{ "/login", "POST, OPTIONS" }, { "/session", "GET, HEAD, OPTIONS" },
		{ "/logout", "POST, OPTIONS" }, { "/sessions", "GET, HEAD, OPTIONS" },
		{ "/sessions/7", "DELETE, OPTIONS" }, { "/healthz", "GET, HEAD, OPTIONS" },
		{ "/refresh", "POST, OPTIONS" }, { "/jwks", "GET, HEAD, OPTIONS" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		struct reply r = ASK(.method = "OPTIONS", .path = routes[i].path,
				     .more = { FROM(LISTED),
					       "HTTP_ACCESS_CONTROL_REQUEST_METHOD=POST",
					       "HTTP_ACCESS_CONTROL_REQUEST_HEADERS=content-type" });

		assert_int_equal(r.status, 204);
		assert_string_equal(header_of(&r, "Access-Control-Allow-Methods"), routes[i].methods);
		assert_string_equal(header_of(&r, "Access-Control-Allow-Headers"),
				    "Content-Type, Authorization");
		r = ASK(.method = "OPTIONS", .path = routes[i].path,
			.more = { FROM("https://evil.example") });
		assert_int_equal(r.status, 204);
		assert_null(strstr(r.head, "Access-Control"));
	}
	assert_int_equal(ASK(.method = "OPTIONS", .path = "/nowhere", .more = { FROM(LISTED) }).status,
			 404);
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
		TEST(jwt_mode_gives_a_pair_and_takes_it_on),
		TEST(logout_in_jwt_mode_ends_the_refresh_token_as_well),
		TEST(login_in_jwt_mode_ends_the_session_that_came_along),
		TEST(listed_origin_gets_cors_headers_with_every_answer),
		TEST(foreign_origin_changes_nothing_and_reads_nothing),
		TEST(own_and_listed_origins_may_log_in),
		TEST(two_origins_are_nobodys),
		TEST(preflight_is_answered_on_every_route),
		TEST(health_is_told_without_the_database),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
