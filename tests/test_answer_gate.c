/* Whole requests to the gate: whom it lets in, and what a login would refuse. */
#include "answer_fixture.h"

static int ask_gate(const char *credential)
{
	return ASK(.method = "GET", .path = "/authorize", .more = { credential }).status;
}

static const char *bearer(struct text token)
{
	return arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %.*s", TEXT_ARG(token)).data;
}

/* ---- a provider's token as Bearer: what a login would refuse does not get by */

static struct text once_token(const char *email)
{
	return sign(CLAIMS("iss", "\"https://once.example\"", "aud", "\"us\"", "identifier",
			   NULL, "email", arena_printf(arena, "\"%s\"", email).data));
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
	const struct text second =
		sign(CLAIMS("iss", "\"https://once.example\"", "aud", "\"us\"", "identifier",
			    NULL, "email", "\"alice@example.com\"", "jti", "\"2\""));

	(void)state;
	assert_int_equal(log_in(first).status, 200);
	assert_int_equal(ask_gate(bearer(second)), 204);
	assert_int_equal(fake_store_rows(app->store, FAKE_USED_TOKENS), 1);
	now += 90;
	assert_int_equal(ask_gate(bearer(second)), 204);
	assert_int_equal(log_in(second).status, 200);
}

static void bearer_is_not_known_while_it_is_not_known_whether_the_token_is_spent(void **state)
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
		use("", arena_printf(arena, "accounts { signup = \"%s\" }\n", signups[i]).data);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bearer_of_a_token_that_opens_no_more_sessions_is_refused),
		TEST(to_come_as_bearer_is_no_use_of_a_token),
		TEST(bearer_is_not_known_while_it_is_not_known_whether_the_token_is_spent),
		TEST(bearer_of_an_unknown_person_makes_no_user),
		TEST(bearer_of_a_denied_domain_is_refused),
		TEST(bearer_with_another_subject_is_refused_where_a_login_is),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
