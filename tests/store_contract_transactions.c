/* The store's contract: transactions, and the schema. */
#include "contract_fixture.h"

/* ---- transactions */

static bool add_and_refuse(struct store_tx *tx, void *context, struct problem *p)
{
	struct store_session session = session_from(NOW);
	struct store_user user;

	(void)context;
	assert_int_equal(store_invite_use(tx, AS_TEXT("a@example.com"), NOW, p),
			 STORE_OK);
	assert_int_equal(
		store_user_add(tx, AS_TEXT("a@example.com"), AS_TEXT(""), NOW, &user, p),
		STORE_OK);
	assert_int_equal(store_identity_add(tx, user.id, AS_TEXT("p"), AS_TEXT("s"),
					    AS_TEXT(""), NOW, p),
			 STORE_OK);
	assert_int_equal(store_session_add(tx, user.id, hash_number(1), &session, p),
			 STORE_OK);
	return problem(p, SIGNUP_CLOSED, "on second thoughts");
}

static void what_is_refused_leaves_nothing(void **state)
{
	struct problem p = { 0 };

	(void)state;
	the->invite(AS_TEXT("a@example.com"));
	assert_false(store_transact(the->store, add_and_refuse, NULL, &p));
	assert_int_equal(p.kind, PROBLEM_SIGNUP_CLOSED);
	assert_int_equal(the->rows(CONTRACT_USERS), 0);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), 0);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 0);
	/* The same can be done after it, and the invitation was not spent. */
	assert_int_equal(
		once((struct op){ run_invite_use, .email = TEXT("a@example.com") }),
		STORE_OK);
	add_session(user_with("a@example.com").id, 1, NOW);
}

static bool look_from_inside_and_outside(struct store_tx *tx, void *context,
					 struct problem *p)
{
	struct store_session session = session_from(NOW), seen;
	struct store_match match;
	struct store_user user, seen_user;

	(void)context;
	assert_int_equal(
		store_user_add(tx, AS_TEXT("a@example.com"), AS_TEXT(""), NOW, &user, p),
		STORE_OK);
	assert_int_equal(store_session_add(tx, user.id, hash_number(1), &session, p),
			 STORE_OK);
	assert_int_equal(store_user_by_email(tx, AS_TEXT("a@example.com"), AS_TEXT("p"),
					     AS_TEXT("s"), &match, p),
			 STORE_OK);
	assert_string_equal(match.user.id, user.id);
	assert_int_equal(find_session(1, &seen, &seen_user), STORE_NOT_FOUND);
	return true;
}

static void nobody_sees_what_is_not_committed(void **state)
{
	struct problem p = { 0 };

	(void)state;
	assert_true(store_transact(the->store, look_from_inside_and_outside, NULL, &p));
	assert_true(has_session(1));
}

static bool end_and_look_outside(struct store_tx *tx, void *context, struct problem *p)
{
	(void)context;
	assert_int_equal(store_session_drop(tx, hash_number(1), p), STORE_OK);
	assert_true(has_session(1));
	return true;
}

static void a_session_lives_until_its_end_is_committed(void **state)
{
	struct problem p = { 0 };

	(void)state;
	add_session(user_with("a@example.com").id, 1, NOW);
	assert_true(store_transact(the->store, end_and_look_outside, NULL, &p));
	assert_false(has_session(1));
}

/* A refused INSERT does not end its transaction. */
static bool go_on_after_a_taken_key(struct store_tx *tx, void *context, struct problem *p)
{
	struct store_user user;

	(void)context;
	assert_int_equal(store_user_add(tx, AS_TEXT("first@example.com"), AS_TEXT(""),
					NOW, &user, p),
			 STORE_OK);
	assert_int_equal(store_user_add(tx, AS_TEXT("taken@example.com"), AS_TEXT(""),
					NOW, &user, p),
			 STORE_ALREADY_THERE);
	assert_int_equal(p->kind, PROBLEM_NONE);
	assert_int_equal(store_user_add(tx, AS_TEXT("last@example.com"), AS_TEXT(""), NOW,
					&user, p),
			 STORE_OK);
	return true;
}

static void a_taken_key_is_an_outcome_and_no_failure(void **state)
{
	struct problem p = { 0 };

	(void)state;
	user_with("taken@example.com");
	assert_true(store_transact(the->store, go_on_after_a_taken_key, NULL, &p));
	assert_int_equal(the->rows(CONTRACT_USERS), 3);
}

struct repeat {
	unsigned calls, wanted;
	bool may_be_done;
};

static bool add_then_again(struct store_tx *tx, void *context, struct problem *p)
{
	struct repeat *r = context;
	struct store_user user;

	r->calls++;
	r->may_be_done |= store_tx_may_be_done(tx);
	if (store_user_add(tx, AS_TEXT("a@example.com"), AS_TEXT(""), NOW, &user, p) !=
	    STORE_OK)
		return problem(p, INTERNAL, "the attempt before was not rolled back");
	return r->calls >= r->wanted || store_tx_again(tx, p);
}

static void a_transaction_is_started_over_when_it_asks_for_it(void **state)
{
	struct repeat r = { .wanted = 3 };
	struct problem p = { 0 };

	(void)state;
	assert_true(store_transact(the->store, add_then_again, &r, &p));
	assert_int_equal(r.calls, 3);
	assert_int_equal(p.kind, PROBLEM_NONE);
	assert_false(r.may_be_done);
	assert_int_equal(the->rows(CONTRACT_USERS), 1);
}

static void a_transaction_is_started_over_a_few_times_at_most(void **state)
{
	struct repeat r = { .wanted = 1000 };
	struct problem p = { 0 };

	(void)state;
	assert_false(store_transact(the->store, add_then_again, &r, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_true(r.calls >= 2 && r.calls <= 10);
	assert_int_equal(the->rows(CONTRACT_USERS), 0);
}

/* ---- the schema */

static void the_store_answers_with_the_schema_that_is_needed(void **state)
{
	struct problem p = { 0 };
	char description[128] = "";
	int version = 0;

	(void)state;
	assert_true(store_ping(the->store, &p));
	assert_true(store_schema_version(the->store, &version, &p));
	assert_int_equal(version, STORE_SCHEMA_VERSION);
	assert_true(store_describe(the->store, description, sizeof(description), &p));
	assert_true(*description);
	assert_int_equal(p.kind, PROBLEM_NONE);
}

int store_contract_transactions(const struct store_contract *contract)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_refused_leaves_nothing),
		TEST(nobody_sees_what_is_not_committed),
		TEST(a_session_lives_until_its_end_is_committed),
		TEST(a_taken_key_is_an_outcome_and_no_failure),
		TEST(a_transaction_is_started_over_when_it_asks_for_it),
		TEST(a_transaction_is_started_over_a_few_times_at_most),
		TEST(the_store_answers_with_the_schema_that_is_needed),
	};

	return RUN(contract, tests);
}
