#include "../lib/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_problem_is_noted_with_kind_place_and_detail(void **state)
{
	struct problem p = { 0 };
	int line = __LINE__ + 4;

	(void)state;
	assert_int_equal(p.kind, PROBLEM_NONE);
	assert_false(problem(&p, EMAIL_REFUSED, "rule=%s length=%d", "domain", 7));
	assert_int_equal(p.kind, PROBLEM_EMAIL_REFUSED);
	assert_string_equal(p.detail, "rule=domain length=7");
	assert_int_equal(p.line, line);
	assert_non_null(strstr(p.file, "test_problem.c"));
}

static void the_first_problem_stays(void **state)
{
	struct problem p = { 0 };

	(void)state;
	assert_false(problem(&p, DATABASE_AWAY, "first"));
	p.retry_after_s = 5;
	assert_false(problem(&p, INTERNAL, "second"));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_string_equal(p.detail, "first");
	assert_int_equal(p.retry_after_s, 5);
	problem_clear(&p);
	assert_int_equal(p.kind, PROBLEM_NONE);
	assert_int_equal(p.retry_after_s, 0);
	assert_string_equal(p.detail, "");
	assert_false(problem(&p, INTERNAL, "second"));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
}

static void a_long_detail_is_cut_and_terminated(void **state)
{
	struct {
		struct problem p;
		char guard[8];
	} s = { .guard = "guard" };

	(void)state;
	assert_false(problem(&s.p, INTERNAL, "%0*d", 1000, 0));
	assert_int_equal(strlen(s.p.detail), sizeof(s.p.detail) - 1);
	assert_string_equal(s.guard, "guard");
}

/* The table of the contract: which `error` goes with which status. */
static const struct {
	const char *error;
	int status;
} contract[] = {
	{ "bad_request", 400 },
	{ "no_session", 401 },
	{ "invalid_token", 403 },
	{ "email_missing", 403 },
	{ "email_unverified", 403 },
	{ "email_refused", 403 },
	{ "signup_closed", 403 },
	{ "account_disabled", 403 },
	{ "identity_conflict", 403 },
	{ "token_replayed", 403 },
	{ "origin_refused", 403 },
	{ "not_found", 404 },
	{ "method_not_allowed", 405 },
	{ "body_too_large", 413 },
	{ "unsupported_media_type", 415 },
	{ "rate_limited", 429 },
	{ "internal", 500 },
	{ "unavailable", 503 },
};

#define CONTRACT (sizeof(contract) / sizeof(contract[0]))

static size_t contract_row(const struct problem_row *row)
{
	size_t i = 0;

	while (i < CONTRACT && strcmp(contract[i].error, row->error) != 0)
		i++;
	return i;
}

static void every_kind_answers_as_the_contract_says(void **state)
{
	bool used[CONTRACT] = { false };

	(void)state;
	for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KINDS; kind++) {
		const struct problem_row *row = problem_row(kind);
		size_t i = contract_row(row);

		if (i == CONTRACT || contract[i].status != row->status)
			fail_msg("%s: %d %s", row->name, row->status, row->error);
		assert_true(row->message && *row->message);
		assert_true(row->cause && *row->cause);
		used[i] = true;
	}
	for (size_t i = 0; i < CONTRACT; i++)
		if (!used[i])
			fail_msg("no problem answers %s", contract[i].error);
	assert_string_equal(problem_row(PROBLEM_NONE)->name, "NONE");
	assert_int_equal(problem_row(PROBLEM_NONE)->status, 200);
}

/* What is wrong with a token is told to the log; a client learns one of two reasons. */
static void a_refused_token_tells_its_cause_to_the_log_only(void **state)
{
	static const char *const causes[] = {
		"malformed", "algorithm",      "unknown_issuer",   "unknown_key",
		"signature", "not_yet_valid",  "issued_in_future", "too_old",
		"audience",  "lives_too_long", "token_kind",	   "method",
		"claims",    "expired",
	};
	size_t found = 0;

	(void)state;
	for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KINDS; kind++) {
		const struct problem_row *row = problem_row(kind);

		if (strcmp(row->error, "invalid_token") != 0)
			continue;
		assert_string_equal(row->message, "Invalid access token");
		assert_true(strcmp(row->reason, "refused") == 0 ||
			    strcmp(row->reason, "expired") == 0);
		for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
			found += strcmp(row->cause, causes[i]) == 0;
	}
	assert_int_equal(found, sizeof(causes) / sizeof(causes[0]));
	assert_string_equal(problem_row(PROBLEM_TOKEN_EXPIRED)->reason, "expired");
	assert_string_equal(problem_row(PROBLEM_TOKEN_SIGNATURE)->reason, "refused");
}

static void no_two_kinds_have_one_cause(void **state)
{
	(void)state;
	for (int i = PROBLEM_NONE; i < PROBLEM_KINDS; i++)
		for (int k = PROBLEM_NONE; k < i; k++)
			assert_string_not_equal(problem_row(i)->cause,
						problem_row(k)->cause);
}

/* A 503 says which part is away and is never a 401: nobody is logged out by accident. */
static void what_is_away_is_named_and_is_no_refusal(void **state)
{
	(void)state;
	assert_int_equal(problem_row(PROBLEM_DATABASE_AWAY)->status, 503);
	assert_string_equal(problem_row(PROBLEM_DATABASE_AWAY)->reason, "database");
	assert_int_equal(problem_row(PROBLEM_KEYS_AWAY)->status, 503);
	assert_string_equal(problem_row(PROBLEM_KEYS_AWAY)->reason, "keys");
	for (int kind = PROBLEM_NONE; kind < PROBLEM_KINDS; kind++)
		assert_int_equal(problem_row(kind)->status == 401,
				 kind == PROBLEM_NO_SESSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_problem_is_noted_with_kind_place_and_detail),
		cmocka_unit_test(the_first_problem_stays),
		cmocka_unit_test(a_long_detail_is_cut_and_terminated),
		cmocka_unit_test(every_kind_answers_as_the_contract_says),
		cmocka_unit_test(a_refused_token_tells_its_cause_to_the_log_only),
		cmocka_unit_test(no_two_kinds_have_one_cause),
		cmocka_unit_test(what_is_away_is_named_and_is_no_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
