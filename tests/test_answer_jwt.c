/* Whole requests in session mode "jwt": pairs, refreshes, and what may go wrong with them. */
#include "answer_fixture.h"

#include <sys/stat.h>

/* The two cookies of session mode jwt as one header. */
static const char *pair_of(const struct reply *r)
{
	const char *first = strstr(r->head, "Set-Cookie: ") + strlen("Set-Cookie: ");
	const char *second = strstr(first, "Set-Cookie: ") + strlen("Set-Cookie: ");

	return arena_printf(arena, "HTTP_COOKIE=%.*s; %.*s", (int)strcspn(first, ";"),
			    first, (int)strcspn(second, ";"), second)
		.data;
}

static void use_jwt_mode(const char *more)
{
	struct problem p = { 0 };
	char kid[64];

	use("",
	    arena_printf(arena, "session { mode = \"jwt\" keys_dir = \"@\" %s }\n", more)
		    .data);
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
	assert_int_equal(number_at(r.json, "/session/token_expires_at"),
			 NOW + MINT_LIFE_S);
	cookies = pair_of(&r);
	assert_int_equal(session_status(cookies), 200);
	assert_int_equal(
		session_status(arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s",
					    at(r.json, "/session/token"))
				       .data),
		200);
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
		assert_int_equal(
			ASK(.method = "POST", .path = "/refresh", .more = { cookies })
				.status,
			401);
		now = NOW;
	}
}

static void login_in_jwt_mode_ends_the_session_that_came_along(void **state)
{
	static const struct {
		const char *more;
		int later;
	} cases[] = { { "", 10 },
		      { "", MINT_LIFE_S + 60 },
		      { "gate_cache = \"5m\"", 10 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *cookies;
		struct reply r;

		now = NOW;
		use_jwt_mode(cases[i].more);
		r = log_in(sign(CLAIMS()));
		cookies = pair_of(&r);
		now += cases[i].later;
		r = ASK(.method = "POST", .path = "/login",
			.body = body_with(sign(CLAIMS())), .more = { cookies });
		assert_int_equal(r.status, 200);
		assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 1);
		assert_int_equal(
			ASK(.method = "POST", .path = "/refresh", .more = { cookies })
				.status,
			401);
		assert_int_equal(session_status(pair_of(&r)), 200);
	}
}

/* ---- refresh tokens that come again */

static struct reply refresh(const char *cookies)
{
	return ASK(.method = "POST", .path = "/refresh", .more = { cookies });
}

static const char *new_pair(void)
{
	const struct reply r = log_in(sign(CLAIMS()));

	assert_int_equal(r.status, 200);
	return pair_of(&r);
}

static void spent_refresh_token_ends_the_family_after_the_grace(void **state)
{
	const char *first, *second;
	struct reply r;

	(void)state;
	use_jwt_mode("");
	first = new_pair();
	r = refresh(first);
	assert_int_equal(r.status, 200);
	second = pair_of(&r);
	now += 10;
	r = refresh(first);
	assert_int_equal(r.status, 200);
	assert_string_equal(strstr(pair_of(&r), "-refresh="),
			    strstr(second, "-refresh="));
	now += 1;
	assert_int_equal(refresh(first).status, 401);
	assert_int_equal(refresh(second).status, 401);
	assert_int_equal(session_status(second), 401);
	assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 0);
}

/*
 * The database takes the token on, is lost before it says so, and is away for longer than
 * the grace: the browser comes back with what it has, and is no thief.
 */
static void refresh_that_was_not_heard_of_logs_nobody_out(void **state)
{
	const char *first, *second;
	struct reply r;

	(void)state;
	use_jwt_mode("");
	first = new_pair();
	fake_store_fail(app->store, "session_rotate", 0, 1, FAKE_LOST_DONE);
	fake_store_fail(app->store, "session_rotate", 0, 1, FAKE_LOST);
	r = refresh(first);
	assert_int_equal(r.status, 503);
	assert_int_equal(count_headers(&r, "Set-Cookie", NULL), 0);
	assert_non_null(header_of(&r, "Retry-After"));
	now += 3600;
	r = refresh(first);
	assert_int_equal(r.status, 200);
	second = pair_of(&r);
	now += 3600;
	r = refresh(first);
	assert_int_equal(r.status, 200);
	assert_string_equal(strstr(pair_of(&r), "-refresh="),
			    strstr(second, "-refresh="));
	/* Once the successor was used, the old one is what a thief would have. */
	assert_int_equal(refresh(second).status, 200);
	assert_int_equal(refresh(first).status, 401);
	assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 0);
}

/* The second attempt finds it taken on, by the first, and is lost before it has read that. */
static void refresh_that_was_done_and_not_read_logs_nobody_out(void **state)
{
	const char *pair;

	(void)state;
	use_jwt_mode("");
	pair = new_pair();
	fake_store_fail(app->store, "session_rotate", 0, 1, FAKE_LOST_DONE);
	fake_store_fail(app->store, "session_by_id", 1, 2, FAKE_LOST);
	assert_int_equal(refresh(pair).status, 503);
	now += 3600;
	assert_int_equal(refresh(pair).status, 200);
}

static void refresh_in_doubt_helps_no_other_session(void **state)
{
	const char *unheard, *other;
	struct reply r;

	(void)state;
	use_jwt_mode("");
	unheard = new_pair();
	other = new_pair();
	fake_store_fail(app->store, "session_rotate", 0, 1, FAKE_LOST_DONE);
	fake_store_fail(app->store, "session_rotate", 0, 1, FAKE_LOST);
	assert_int_equal(refresh(unheard).status, 503);
	r = refresh(other);
	assert_int_equal(r.status, 200);
	now += 60;
	assert_int_equal(refresh(other).status, 401);
	assert_int_equal(refresh(unheard).status, 200);
}

/* An odd error is no word for it either: a COMMIT, too, can end with one and be done. */
static void refresh_that_an_odd_error_met_logs_nobody_out(void **state)
{
	const char *first;

	(void)state;
	use_jwt_mode("");
	first = new_pair();
	fake_store_fail(app->store, "session_rotate", 0, 1, FAKE_BROKEN_DONE);
	assert_int_equal(refresh(first).status, 503);
	now += 3600;
	assert_int_equal(refresh(first).status, 200);
}

/* What surely was not done leaves nothing in doubt: the spent token is what a thief has. */
static void refresh_that_failed_for_sure_leaves_nothing_in_doubt(void **state)
{
	const char *pair;

	(void)state;
	use_jwt_mode("");
	pair = new_pair();
	fake_store_fail(app->store, "session_rotate", 0, 2, FAKE_CONFLICT);
	assert_int_equal(refresh(pair).status, 503);
	assert_int_equal(fake_store_counts(app->store).faults, 2);
	assert_int_equal(refresh(pair).status, 200);
	now += 60;
	assert_int_equal(refresh(pair).status, 401);
}

static void keys_that_cannot_be_read_spend_no_refresh_token(void **state)
{
	static const char mode[] = "session { mode = \"jwt\" keys_dir = \"@/keys\" }\n";
	const char *pem, *pair;
	struct problem p = { 0 };
	struct text key;
	char kid[64];

	(void)state;
	use("", mode);
	assert_int_equal(mkdir(scratch_path(arena, "keys"), 0700), 0);
	assert_true(mint_rotate(app->config->session.keys_dir, now, kid, &p));
	pair = new_pair();
	pem = arena_printf(arena, "keys/%s.pem", kid).data;
	key = scratch_read(arena, pem);
	scratch_write(pem, AS_TEXT("-----BEGIN PRIVATE KEY-----\nAAAA\n"));
	use_again("", mode);
	now += 60;
	assert_int_equal(refresh(pair).status, 500);
	assert_int_equal(fake_store_counts(app->store).faults, 0);
	/* Nor does a login leave a session behind that nobody has. */
	assert_int_equal(ASK(.method = "POST", .path = "/login",
			     .body = body_with(sign(CLAIMS())), .more = { pair })
				 .status,
			 500);
	assert_int_equal(fake_store_rows(app->store, FAKE_SESSIONS), 1);
	scratch_write(pem, key);
	use_again("", mode);
	now += 60;
	assert_int_equal(refresh(pair).status, 200);
}

/* ---- gate_cache */

static void remembered_session_passes_the_gate_and_nothing_else(void **state)
{
	const char *pair;
	struct reply r;

	(void)state;
	use_jwt_mode("gate_cache = \"5m\"");
	r = log_in(sign(CLAIMS()));
	pair = pair_of(&r);
	assert_int_equal(
		ASK(.method = "POST", .path = "/logout", .more = { pair }).status, 200);
	now += 299;
	assert_int_equal(
		ASK(.method = "GET", .path = "/authorize", .more = { pair }).status, 204);
	assert_int_equal(session_status(pair), 401);
	assert_int_equal(
		ASK(.method = "GET", .path = "/sessions", .more = { pair }).status, 401);
	assert_int_equal(
		ASK(.method = "DELETE", .path = "/sessions/1", .more = { pair }).status,
		401);
	assert_int_equal(ASK(.method = "POST", .path = "/logout",
			     .body = "{\"scope\":\"all\"}", .more = { pair })
				 .status,
			 401);
	now += 1;
	assert_int_equal(
		ASK(.method = "GET", .path = "/authorize", .more = { pair }).status, 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(jwt_mode_gives_a_pair_and_takes_it_on),
		TEST(logout_in_jwt_mode_ends_the_refresh_token_as_well),
		TEST(login_in_jwt_mode_ends_the_session_that_came_along),
		TEST(spent_refresh_token_ends_the_family_after_the_grace),
		TEST(refresh_that_was_not_heard_of_logs_nobody_out),
		TEST(refresh_that_was_done_and_not_read_logs_nobody_out),
		TEST(refresh_in_doubt_helps_no_other_session),
		TEST(refresh_that_an_odd_error_met_logs_nobody_out),
		TEST(refresh_that_failed_for_sure_leaves_nothing_in_doubt),
		TEST(keys_that_cannot_be_read_spend_no_refresh_token),
		TEST(remembered_session_passes_the_gate_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
