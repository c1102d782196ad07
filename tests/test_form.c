/* Tokens as form posts: Google's with its double submit, Apple's, and whatever is like
 * them. */
#include "answer.h"

#include "form.h"
#include "preset_profiles.h"
#include "return_to.h"

#define GOOGLE "https://accounts.google.com"
#define APPLE "https://appleid.apple.com"
#define FORM "application/x-www-form-urlencoded"

static const char configuration[] =
	"public_url = \"https://www.example.com/auth\"\n"
	"state_dir = \"@\"\n"
	"allowed_origins = {\"" GOOGLE "\", \"" APPLE "\"}\n"
	"provider g { preset = google form = yes " PINNED "\n"
	"  audience = \"407-web.apps.googleusercontent.com\" }\n"
	"provider a { preset = apple form = yes " PINNED
	" audience = \"com.example.web\" }\n"
	"provider m { preset = oidc " PINNED "\n"
	"  audience = us issuer = \"https://id.example.com/tenant\" }\n";

static const char formless[] = "public_url = \"https://www.example.com/auth\"\n"
			       "state_dir = \"@\"\n"
			       "provider g { preset = google " PINNED "\n"
			       "  audience = \"407-web.apps.googleusercontent.com\" }\n";

static struct app *app;
static const char *google, *apple, *other; /* a good token of each */

static void open_app(const char *text)
{
	app_free(app);
	app = app_new(scratch_config(text));
}

static int open_two(void **state)
{
	open_one(state);
	open_app(configuration);
	google = token_of(profile_of("google"), NULL).data;
	apple = token_of(profile_of("apple"), NULL).data;
	other = token_of(profile_of("oidc"),
			 (struct member[]){ { "email", "\"bob@example.com\"" },
					    { NULL, NULL } })
			.data;
	return 0;
}

static int close_two(void **state)
{
	app_free(app);
	app = NULL;
	return close_one(state);
}

/* ---- posts; what is not said is as it is in a good one of Google's */

struct post {
	const char *body, *type, *uri, *origin, *cookie, *more;
	size_t body_len; /* of a body with a NUL in it */
};

static ssize_t read_body(void *context, char *out, size_t size)
{
	struct text *rest = context;
	const size_t len = rest->len < size ? rest->len : size;

	memcpy(out, rest->data, len);
	rest->data += len;
	rest->len -= len;
	return (ssize_t)len;
}

static char *variable(const char *name, const char *value)
{
	return (char *)arena_printf(arena, "%s=%s", name, value).data;
}

static const char *send_post(const struct post *post)
{
	struct text body = { post->body,
			     post->body_len ? post->body_len : strlen(post->body) };
	char *variables[12] = {
		variable("REQUEST_METHOD", "POST"),
		variable("SCRIPT_NAME", "/auth"),
		variable("PATH_INFO", "/login"),
		variable("REMOTE_ADDR", "192.0.2.7"),
		variable("REQUEST_URI", post->uri ? post->uri : "/auth/login"),
		variable("CONTENT_TYPE", post->type ? post->type : FORM),
		(char *)arena_printf(arena, "CONTENT_LENGTH=%zu", body.len).data,
	};
	const struct door door = { ROLE_RESPONDER, variables, read_body, &body };
	struct response res;
	struct text out;
	size_t n = 7;

	if (!post->origin || *post->origin)
		variables[n++] =
			variable("HTTP_ORIGIN", post->origin ? post->origin : GOOGLE);
	if (!post->cookie || *post->cookie)
		variables[n++] = variable(
			"HTTP_COOKIE", post->cookie ? post->cookie : "g_csrf_token=c5rf");
	if (post->more)
		variables[n++] = (char *)post->more;
	answer(app, arena, NOW, &door, &res, &out);
	return arena_copy(arena, out).data;
}

/* STATUS and, unless NULL, the error that it says; nothing happened but with a 2xx or
 * 3xx. */
static void expect_answer(const char *what, const struct post *post, int status,
			  const char *error)
{
	const size_t before = fake_store_rows(app->store, FAKE_SESSIONS);
	const char *said = send_post(post);
	const char *start = arena_printf(arena, "Status: %d ", status).data;

	if (strncmp(said, start, strlen(start)) != 0 || (error && !strstr(said, error)))
		fail_msg("%s: not %d %s but\n%s", what, status, error ? error : "", said);
	if (status < 400) {
		assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), before + 1);
		assert_non_null(strstr(said, "\r\nSet-Cookie: __Host-session="));
		return;
	}
	assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), before);
	assert_null(strstr(said, "Location:"));
	assert_null(strstr(said, "Set-Cookie:"));
}

static void expect_location(const char *what, const struct post *post,
			    const char *location)
{
	const char *line = arena_printf(arena, "\r\nLocation: %s\r\n", location).data;
	const char *said = send_post(post);

	if (strncmp(said, "Status: 303 See Other\r\n", 23) != 0 || !strstr(said, line))
		fail_msg("%s: not %s but\n%s", what, location, said);
}

static const char *google_form(const char *more)
{
	return arena_printf(arena, "credential=%s&g_csrf_token=c5rf&select_by=btn%s",
			    google, more)
		.data;
}

static const char *escaped(const char *text)
{
	struct buffer b = buffer_new(arena, 256);

	for (; *text; text++)
		buffer_printf(&b, "%%%02X", (unsigned char)*text);
	return arena_copy(arena, buffer_text(&b)).data;
}

/* ---- the two that it is for */

static void google_posts_its_credential(void **state)
{
	struct post post = { .body = google_form("") };

	(void)state;
	expect_answer("Google", &post, 303, NULL);
	assert_int_equal(fake_store_rows(app->store, FAKE_USERS), 1);
	expect_location("Google", &post, "/");
	assert_int_equal(fake_store_rows(app->store, FAKE_USERS), 1);
	post.uri = "/auth/login?return_to=%2Fmembers%2F%3Fpage%3D2";
	expect_location("with return_to", &post, "/members/?page=2");
	post.type = FORM "; charset=UTF-8";
	expect_answer("with a charset", &post, 303, NULL);
	post.type = "Application/X-WWW-Form-Urlencoded";
	expect_answer("in capitals", &post, 303, NULL);
	post.origin = "https://www.example.com";
	expect_answer("of our own page", &post, 303, NULL);
	post.origin = "";
	expect_answer("of an old browser", &post, 303, NULL);
}

static void apple_posts_its_token(void **state)
{
	static const char user[] =
		"%7B%22name%22%3A%7B%22firstName%22%3A%22Zo%C3%AB%22%2C"
		"%22lastName%22%3A%22E%22%7D%2C%22email%22%3A"
		"%22eve%40example.com%22%7D";
	const struct post post = {
		.body = arena_printf(
				arena,
				"state=%%2Fmembers%%2F&code=c0de.0.x&id_token=%s&user=%s",
				apple, user)
				.data,
		.origin = APPLE,
		.cookie = "",
	};
	char *rows;

	(void)state;
	expect_answer("Apple", &post, 303, NULL);
	expect_location("Apple", &post, "/members/");
	/* What the browser says of the user is decoration. */
	rows = fake_store_dump(app->store);
	assert_non_null(strstr(rows, "k7x2m9q4wd@privaterelay.appleid.com"));
	assert_null(strstr(rows, "eve@example.com"));
	free(rows);
}

static void json_is_as_it_was(void **state)
{
	struct post post = {
		.body = arena_printf(arena, "{\"credential\":\"%s\"}", google).data,
		.type = "application/json",
		.cookie = "",
	};

	(void)state;
	expect_answer("with forms", &post, 200, "\"created\":true");
	post.body = arena_printf(arena, "{\"id_token\":\"%s\"}", other).data;
	expect_answer("of a provider without", &post, 200, "\"created\":true");
	open_app(formless);
	post.body = arena_printf(arena, "{\"credential\":\"%s\"}", google).data;
	post.origin = "https://www.example.com";
	expect_answer("without forms", &post, 200, "\"created\":true");
}

/* ---- who may not */

static void provider_without_forms_takes_none(void **state)
{
	const struct post all[] = {
		{ .body = arena_printf(arena, "id_token=%s", other).data },
		{ .body = arena_printf(arena, "credential=%s&g_csrf_token=c5rf", other)
				  .data },
		{ .body = google_form(""), .type = "multipart/form-data; boundary=x" },
		{ .body = google_form(""), .type = "text/plain" },
		{ .body = google_form(""), .type = "" },
		{ .body = google_form(""), .type = FORM "x" },
		{ .body = google_form(""), .more = "HTTP_CONTENT_ENCODING=gzip" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		expect_answer(arena_printf(arena, "post %zu", i).data, &all[i], 415,
			      "unsupported_media_type");
	open_app(formless);
	expect_answer("nobody takes forms",
		      &(struct post){ .body = google_form(""), .origin = "" }, 415,
		      "unsupported_media_type");
}

static void foreign_origin_is_refused(void **state)
{
	static const char *const foreign[] = {
		"https://evil.example", "null",
		GOOGLE ".evil.example", "http://accounts.google.com",
		GOOGLE ":8443",		GOOGLE "/",
		"https://example.com",	"https://www.example.com.evil.example",
	};
	struct post post = { .body = google_form("") };

	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++) {
		post.origin = foreign[i];
		expect_answer(foreign[i], &post, 403, "origin_refused");
	}
	post.origin = "";
	post.more = "HTTP_SEC_FETCH_SITE=cross-site";
	expect_answer("cross-site from nowhere", &post, 403, "origin_refused");
	post.origin = GOOGLE;
	expect_answer("cross-site from a listed origin", &post, 303, NULL);
}

/* Another's page could post a token of its own, and have its owner's account filled in
 * here. */
static void google_without_the_double_submit_is_refused(void **state)
{
	static const struct {
		const char *field, *cookie;
	} cases[] = {
		{ "&g_csrf_token=c5rf", "" },
		{ "&g_csrf_token=c5rf", "g_csrf_token=" },
		{ "&g_csrf_token=c5rf", "g_csrf_token=other" },
		{ "&g_csrf_token=c5rf", "x_g_csrf_token=c5rf" },
		{ "&g_csrf_token=c5rf", "g_csrf_token=c5rf; g_csrf_token=c5rf" },
		{ "&g_csrf_token=c5rf", "G_CSRF_TOKEN=c5rf" },
		{ "&g_csrf_token=c5r", "g_csrf_token=c5rf" },
		{ "&g_csrf_token=", "g_csrf_token=" },
		{ "", "g_csrf_token=c5rf" },
		{ "", "g_csrf_token=" },
		{ "&G_csrf_token=c5rf", "g_csrf_token=c5rf" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct post post = {
			.body = arena_printf(arena, "credential=%s%s", google,
					     cases[i].field)
					.data,
			.cookie = cases[i].cookie,
		};

		expect_answer(
			arena_printf(arena, "%s, %s", cases[i].field, cases[i].cookie)
				.data,
			&post, 400, "bad_request");
	}
	expect_answer("with another cookie",
		      &(struct post){ .body = google_form(""),
				      .cookie = "a=b; g_csrf_token=c5rf" },
		      303, NULL);
}

static void token_of_a_form_is_verified_like_any_other(void **state)
{
	const struct member another[] = { { "aud", "\"another\"" }, { NULL, NULL } };
	const struct member unverified[] = { { "email_verified", "false" },
					     { NULL, NULL } };
	struct post post = {
		.body = arena_printf(arena, "credential=%s&g_csrf_token=c5rf",
				     token_of(profile_of("google"), another).data)
				.data,
	};

	(void)state;
	expect_answer("another client's", &post, 403, "invalid_token");
	post.body = arena_printf(arena, "credential=%s&g_csrf_token=c5rf",
				 token_of(profile_of("google"), unverified).data)
			    .data;
	expect_answer("unverified", &post, 403, "email_unverified");
}

/* ---- what a form must look like */

static void form_that_means_two_things_is_refused(void **state)
{
	static const char *const more[] = {
		"&credential=x",
		"&g_csrf_token=c5rf",
		"&select_by=btn",
		"&%63redential=x",
		"&state=%2Fa&state=%2Fb",
		"&id_token=x",
		"&id_token=",
		"&a=1&%61=2",
		"&x=%",
		"&x=%4",
		"&x=%zz",
		"&%=x",
		"&x=%00",
		"&%00=x",
		"&state=%2Fa%00b",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(more); i++)
		expect_answer(more[i], &(struct post){ .body = google_form(more[i]) },
			      400, "bad_request");
	expect_answer("NUL",
		      &(struct post){ .body = "credential=x\0y&g_csrf_token=c5rf",
				      .body_len = 32 },
		      400, "bad_request");
	/* And what stands beside them. */
	expect_answer(
		"others",
		&(struct post){ .body = google_form("&x=%41&y=&z&&=v&clientId=a+b") },
		303, NULL);
}

static void form_without_a_token_is_refused(void **state)
{
	static const char *const bodies[] = {
		"",	     "&",
		"=",	     "credential",
		"token=x",   "access_token=x&g_csrf_token=c5rf",
		"{}",	     "credential=&g_csrf_token=c5rf",
		"id_token=",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		const char *said = send_post(&(struct post){ .body = bodies[i] });

		if (strncmp(said, "Status: 40", 10) != 0)
			fail_msg("%s:\n%s", bodies[i], said);
	}
	/* Nowhere but in the body. */
	expect_answer(
		"in the query",
		&(struct post){
			.body = "g_csrf_token=c5rf",
			.uri = arena_printf(arena, "/auth/login?credential=%s", google)
				       .data },
		400, "bad_request");
}

static void form_has_no_end_of_fields(void **state)
{
	struct buffer b = buffer_new(arena, 65536);

	(void)state;
	for (int i = 0; i < 29; i++)
		buffer_printf(&b, "&f%d=", i);
	expect_answer("32 fields",
		      &(struct post){ .body = google_form(
					      arena_copy(arena, buffer_text(&b)).data) },
		      303, NULL);
	buffer_printf(&b, "&f=");
	expect_answer("33 fields",
		      &(struct post){ .body = google_form(
					      arena_copy(arena, buffer_text(&b)).data) },
		      400, "bad_request");
	while (b.len < 66000)
		buffer_add(&b, AS_TEXT("&x"));
	expect_answer("more than is read",
		      &(struct post){ .body = arena_copy(arena, buffer_text(&b)).data },
		      413, "body_too_large");
}

/* ---- where it goes from there */

static void nobody_is_sent_to_another_site(void **state)
{
	static const char *const bad[] = {
		"//evil.example",
		"//evil.example/%2f..",
		"/\\evil.example",
		"\\\\evil.example",
		"https://evil.example/",
		"https:evil.example",
		"javascript:alert(1)",
		"evil.example",
		"/\t/evil.example",
		"\t//evil.example",
		"/a\r\nSet-Cookie: a=b",
		"/a\nb",
		" /a",
		"/a b",
		"",
		"/caf\xc3\xa9",
		"/a\x7f",
		"/a\\b",
	};
	static const char *const good[] = {
		"/",
		"/members/",
		"/members/?page=2&x=%2F%2Fevil.example",
		"/a//b",
		"/a#b",
		"/@evil",
		"/a:b",
		"/.//evil.example",
		"/%09/evil.example",
		"/?https://evil.example",
	};
	char far[2100] = "/";

	(void)state;
	for (size_t i = 0; i < COUNT(bad) + COUNT(good); i++) {
		const char *to = i < COUNT(bad) ? bad[i] : good[i - COUNT(bad)];
		const char *location = i < COUNT(bad) ? "/" : to;
		struct post post = { .body = google_form("") };

		post.uri =
			arena_printf(arena, "/auth/login?x=1&return_to=%s", escaped(to))
				.data;
		expect_location(to, &post, location);
		post.uri = NULL;
		post.body =
			google_form(arena_printf(arena, "&state=%s", escaped(to)).data);
		expect_location(to, &post, location);
		assert_true(text_is(return_to_safe(text_of(to)), location));
	}
	memset(far + 1, 'a', 1999);
	assert_true(text_is(return_to_safe(text_of(far)), far));
	far[2000] = 'a';
	assert_true(text_is(return_to_safe(text_of(far)), "/"));
}

static void return_to_of_the_address_goes_before_state(void **state)
{
	struct post post = { .body = google_form("&state=%2Fb"),
			     .uri = "/auth/login?return_to=%2Fa" };

	(void)state;
	expect_location("both", &post, "/a");
	post.uri = "/auth/login?return_to=%2Fa&return_to=%2Fc";
	expect_location("twice", &post, "/b");
	post.uri = "/auth/login?return_to=%zz";
	expect_location("broken", &post, "/b");
	post.uri = "/auth/login?return_to=%2F%2Fevil.example";
	expect_location("evil", &post, "/");
	post.body = google_form("&state=af0ifjsldkj");
	post.uri = NULL;
	expect_location("a state that is no path", &post, "/");
}

#define FORM_TEST(name) cmocka_unit_test_setup_teardown(name, open_two, close_two)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FORM_TEST(google_posts_its_credential),
		FORM_TEST(apple_posts_its_token),
		FORM_TEST(json_is_as_it_was),
		FORM_TEST(provider_without_forms_takes_none),
		FORM_TEST(foreign_origin_is_refused),
		FORM_TEST(google_without_the_double_submit_is_refused),
		FORM_TEST(token_of_a_form_is_verified_like_any_other),
		FORM_TEST(form_that_means_two_things_is_refused),
		FORM_TEST(form_without_a_token_is_refused),
		FORM_TEST(form_has_no_end_of_fields),
		FORM_TEST(nobody_is_sent_to_another_site),
		FORM_TEST(return_to_of_the_address_goes_before_state),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
