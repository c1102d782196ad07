/* Whole requests: tokens that a provider's page posts as a form, and another's page does. */
#include "answer_fixture.h"

#define GOOGLE "https://accounts.google.com"
#define APPLE "https://appleid.apple.com"
#define FROM_APPLE "HTTP_ORIGIN=" APPLE
#define CSRF "&g_csrf_token=abc"
#define CSRF_COOKIE "HTTP_COOKIE=g_csrf_token=abc"
#define FORM                                                                             \
	.method = "POST", .path = "/login", .type = "application/x-www-form-urlencoded"

static const char *form(const char *field, const char *issuer, const char *more)
{
	const struct text token =
		sign(CLAIMS("iss", arena_printf(arena, "\"%s\"", issuer).data, "aud",
			    "\"us\"", "identifier", NULL, "email",
			    "\"alice@example.com\"", "email_verified", "\"true\""));

	return arena_printf(arena, "%s=%.*s%s", field, TEXT_ARG(token), more).data;
}

static struct reply post(const char *body, const char *origin, const char *cookie)
{
	return ASK(FORM, .body = body,
		   .more = { "HTTP_SEC_FETCH_SITE=cross-site",
			     origin ? variable("HTTP_ORIGIN", origin) : cookie,
			     origin ? cookie : NULL });
}

static void use_apple(void)
{
	use("", "provider \"apple\" { preset = \"apple\" audience = \"us\" form = yes\n"
		"  jwks_file = \"@/keys.json\" algorithms = \"ES256\" link = yes }\n"
		"provider \"staff\" { issuer = \"https://id.example/realms/r\" audience "
		"= \"us\"\n"
		"  form = yes jwks_file = \"@/keys.json\" }\n"
		"provider \"formless\" { issuer = \"https://formless.example\" audience "
		"= \"us\"\n"
		"  jwks_file = \"@/keys.json\" }\n");
}

static void providers_own_page_may_post_and_is_told_nothing(void **state)
{
	static const struct {
		const char *field, *issuer, *origin, *more, *cookie;
	} cases[] = {
		{ "credential", GOOGLE, GOOGLE, CSRF, CSRF_COOKIE },
		{ "credential", "accounts.google.com", GOOGLE, CSRF, CSRF_COOKIE },
		{ "id_token", APPLE, APPLE, "&code=c&state=%2Fmembers%2F", NULL },
		{ "id_token", "https://id.example/realms/r", "https://id.example", "",
		  NULL },
		{ "id_token", APPLE, ORIGIN, "", NULL },
		{ "id_token", APPLE, LISTED, "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reply r;

		use_apple();
		r = post(form(cases[i].field, cases[i].issuer, cases[i].more),
			 cases[i].origin, cases[i].cookie);
		expect_reply(cases[i].origin, &r, 303, PROBLEM_NONE);
		assert_string_equal(header_of(&r, "Location"),
				    strstr(cases[i].more, "state") ? "/members/" : "/");
		assert_non_null(header_of(&r, "Set-Cookie"));
		if (strcmp(cases[i].origin, LISTED) != 0)
			assert_null(strstr(r.head, "Access-Control"));
	}
}

/* Who gets his own token into another's browser has that person work in his account. */
static void page_of_another_origin_signs_nobody_in(void **state)
{
	static const char *const origins[] = {
		"https://evil.example",
		"null",
		"",
		"https:",
		"https:/",
		"https://",
		"http",
		APPLE "/",
		APPLE ":8443",
		"http://appleid.apple.com",
		APPLE ".evil.example",
		"https://appleid.apple.co",
		"https://APPLEID.apple.com",
		"appleid.apple.com",
		"https://formless.example",
		/* Those of other providers: each for its own tokens. */
		GOOGLE,
		"https://id.example",
		"https://id.example/realms/r",
	};

	(void)state;
	use_apple();
	for (size_t i = 0; i < COUNT(origins); i++) {
		const struct reply r =
			post(form("id_token", APPLE, ""), origins[i], NULL);

		expect_reply(origins[i], &r, 403, PROBLEM_ORIGIN_REFUSED);
	}
	assert_int_equal(post(form("id_token", APPLE, ""), NULL, NULL).status, 403);
	assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 0);
	assert_int_equal(post(form("id_token", APPLE, ""), APPLE, NULL).status, 303);
}

/* The other page chooses the field; the token is Google's all the same. */
static void google_needs_its_double_submit_in_whichever_field(void **state)
{
	static const char *const fields[] = { "credential", "id_token" };
	static const char *const issuers[] = { GOOGLE, "accounts.google.com" };

	(void)state;
	use_apple();
	for (size_t i = 0; i < 4; i++) {
		const char *field = fields[i % 2], *issuer = issuers[i / 2];
		const struct {
			const char *more, *cookie;
		} bad[] = {
			{ "", NULL },
			{ CSRF, NULL },
			{ "", CSRF_COOKIE },
			{ CSRF, "HTTP_COOKIE=g_csrf_token=xyz" },
			{ "&g_csrf_token=", "HTTP_COOKIE=g_csrf_token=" },
			{ CSRF, "HTTP_COOKIE=g_csrf_token=abc; g_csrf_token=abc" },
		};

		for (size_t k = 0; k < COUNT(bad); k++) {
			const struct reply r = post(form(field, issuer, bad[k].more),
						    GOOGLE, bad[k].cookie);

			expect_reply(field, &r, 400, PROBLEM_BAD_FORM);
		}
		assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), i);
		assert_int_equal(
			post(form(field, issuer, CSRF), GOOGLE, CSRF_COOKIE).status, 303);
	}
}

static void origin_of_a_provider_may_do_nothing_else(void **state)
{
	const char *cookie = new_session("alice@example.com");
	const char *token = strchr(form("id_token", APPLE, ""), '=') + 1;
	const struct call calls[] = {
		{ .method = "POST", .path = "/logout", .more = { FROM_APPLE, cookie } },
		{ .method = "POST",
		  .path = "/logout",
		  .body = "",
		  .length = 0,
		  .type = "application/x-www-form-urlencoded",
		  .more = { FROM_APPLE, cookie } },
		{ .method = "DELETE",
		  .path = "/sessions/1",
		  .more = { FROM_APPLE, cookie } },
		{ .method = "POST", .path = "/refresh", .more = { FROM_APPLE, cookie } },
		{ .method = "POST",
		  .path = "/login",
		  .body = body_with(text_of(token)),
		  .more = { FROM_APPLE } },
	};
	struct reply r;

	(void)state;
	use_apple();
	for (size_t i = 0; i < COUNT(calls); i++) {
		r = ask_call(&calls[i]);
		expect_reply(calls[i].path, &r, 403, PROBLEM_ORIGIN_REFUSED);
	}
	r = ASK(.method = "OPTIONS", .path = "/login", .more = { FROM_APPLE });
	assert_null(strstr(r.head, "Access-Control"));
	r = ASK(.method = "GET", .path = "/session", .more = { FROM_APPLE, cookie });
	assert_null(strstr(r.head, "Access-Control"));
}

static void form_of_a_provider_without_forms_is_refused(void **state)
{
	struct reply r;

	(void)state;
	use_apple();
	r = ASK(FORM, .body = form("id_token", "https://formless.example", ""));
	expect_reply("formless", &r, 415, PROBLEM_MEDIA_TYPE);
	r = ASK(FORM, .body = form("id_token", APPLE, ""));
	assert_int_equal(r.status, 303);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(providers_own_page_may_post_and_is_told_nothing),
		TEST(page_of_another_origin_signs_nobody_in),
		TEST(google_needs_its_double_submit_in_whichever_field),
		TEST(origin_of_a_provider_may_do_nothing_else),
		TEST(form_of_a_provider_without_forms_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
