#include "fake_contract.h"

/* ---- what only a fake can do; other tests rely on it */

static int setup(void **state)
{
	(void)state;
	clear();
	return 0;
}

static bool add_user(struct store_tx *tx, void *context, struct problem *p)
{
	struct store_user user;
	unsigned *calls = context;

	++*calls;
	switch (store_user_add(tx, AS_TEXT("a@example.com"), AS_TEXT(""), 1, &user, p)) {
	case STORE_OK:
		return true;
	case STORE_ALREADY_THERE:
		return store_tx_may_be_done(tx) || problem(p, INTERNAL, "already there");
	default:
		return false;
	}
}

static void a_fault_comes_when_it_was_planned_and_is_over_then(void **state)
{
	struct store *store = contract.store;
	struct problem p = { 0 };
	unsigned calls = 0;

	(void)state;
	fake_store_fail(store, "session_purge", 1, 2, FAKE_BROKEN);
	for (int i = 0; i < 4; i++) {
		uint64_t removed = 99;
		const bool away = i == 1 || i == 2;

		problem_clear(&p);
		assert_int_equal(store_session_purge(store, 1, 1, &removed, &p),
				 away ? STORE_FAILED : STORE_OK);
		assert_int_equal(p.kind, away ? PROBLEM_DATABASE_AWAY : PROBLEM_NONE);
		assert_int_equal(removed, away ? 99 : 0);
	}
	assert_int_equal(fake_store_counts(store).faults, 2);
	fake_store_fail(store, NULL, 0, 100, FAKE_BROKEN);
	assert_false(store_transact(store, add_user, &calls, &p));
	assert_int_equal(calls, 0);
	fake_store_heal(store);
	problem_clear(&p);
	assert_true(store_transact(store, add_user, &calls, &p));
}

static void a_lost_statement_starts_its_transaction_over(void **state)
{
	struct store *store = contract.store;
	struct problem p = { 0 };
	unsigned calls = 0;

	(void)state;
	fake_store_fail(store, "user_add", 0, 2, FAKE_LOST);
	assert_true(store_transact(store, add_user, &calls, &p));
	assert_int_equal(calls, 3);
	assert_int_equal(fake_store_counts(store).rollbacks, 2);
	assert_int_equal(fake_store_counts(store).commits, 1);
	assert_int_equal(fake_store_rows(store, FAKE_USERS), 1);
}

static void a_fault_of_another_kind_is_not_tried_again(void **state)
{
	struct store *store = contract.store;
	struct problem p = { 0 };
	unsigned calls = 0;

	(void)state;
	fake_store_fail(store, "user_add", 0, 1, FAKE_BROKEN);
	assert_false(store_transact(store, add_user, &calls, &p));
	assert_int_equal(calls, 1);
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_int_equal(fake_store_rows(store, FAKE_USERS), 0);
}

static void three_conflicts_are_too_many(void **state)
{
	struct store *store = contract.store;
	struct problem p = { 0 };
	unsigned calls = 0;

	(void)state;
	fake_store_fail(store, "commit", 0, 3, FAKE_CONFLICT);
	assert_false(store_transact(store, add_user, &calls, &p));
	assert_int_equal(calls, 3);
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_int_equal(fake_store_rows(store, FAKE_USERS), 0);
	problem_clear(&p);
	assert_true(store_transact(store, add_user, &calls, &p));
}

static void a_commit_whose_answer_is_lost_may_be_done_or_not(void **state)
{
	static const enum fake_fault faults[] = { FAKE_LOST, FAKE_LOST_DONE,
						  FAKE_BROKEN };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct problem p = { 0 };
		unsigned calls = 0;

		clear();
		fake_store_fail(contract.store, "commit", 0, 1, faults[i]);
		assert_true(store_transact(contract.store, add_user, &calls, &p));
		assert_int_equal(calls, 2);
		assert_int_equal(fake_store_rows(contract.store, FAKE_USERS), 1);
	}
}

/* The second time the row is gone already: what the real store counts then, too. */
static void a_single_statement_is_repeated_once(void **state)
{
	struct store *store = contract.store;
	struct problem p = { 0 };
	uint64_t ended = 99;

	(void)state;
	fake_store_fail(store, "session_end", 0, 1, FAKE_LOST_DONE);
	assert_int_equal(store_session_end(store, "1", NULL, false, &ended, &p),
			 STORE_OK);
	assert_int_equal(ended, 0);
	assert_int_equal(fake_store_counts(store).operations, 2);
	fake_store_fail(store, "session_end", 0, 2, FAKE_LOST);
	assert_int_equal(store_session_end(store, "1", NULL, false, &ended, &p),
			 STORE_FAILED);
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
}

static void nobody_answers_while_it_is_away(void **state)
{
	struct store *store = contract.store;
	struct problem p = { 0 };
	struct store_user user;
	unsigned calls = 0;

	(void)state;
	fake_store_away(store, true);
	assert_false(store_ping(store, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_false(store_transact(store, add_user, &calls, &p));
	assert_int_equal(calls, 0);
	assert_int_equal(store_user_find(store, false, AS_TEXT("a@example.com"),
					 AS_TEXT(""), AS_TEXT("p"), AS_TEXT("s"), &user,
					 &p),
			 STORE_FAILED);
	fake_store_away(store, false);
	problem_clear(&p);
	assert_true(store_ping(store, &p));
	assert_true(store_transact(store, add_user, &calls, &p));
}

static void a_schema_of_another_version_is_not_good(void **state)
{
	struct store *store = contract.store;
	struct problem p = { 0 };

	(void)state;
	fake_store_set_schema(store, STORE_SCHEMA_VERSION + 1);
	assert_false(store_ping(store, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	fake_store_set_schema(store, STORE_SCHEMA_VERSION);
	problem_clear(&p);
	assert_true(store_ping(store, &p));
}

static void count_call(void *context, const char *operation)
{
	unsigned *count = context;

	*count += strcmp(operation, "user_add") == 0;
}

static void what_is_committed_is_dumped_and_hooks_are_called(void **state)
{
	struct store *store = contract.store;
	unsigned calls = 0, hooked = 0;
	struct problem p = { 0 };
	char *dump;

	(void)state;
	fake_store_between(store, count_call, &hooked);
	assert_true(store_transact(store, add_user, &calls, &p));
	assert_int_equal(hooked, 1);
	fake_store_between(store, NULL, NULL);
	dump = fake_store_dump(store);
	assert_non_null(strstr(dump, "email=a@example.com"));
	free(dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_fault_comes_when_it_was_planned_and_is_over_then,
				       setup),
		cmocka_unit_test_setup(a_lost_statement_starts_its_transaction_over,
				       setup),
		cmocka_unit_test_setup(a_fault_of_another_kind_is_not_tried_again, setup),
		cmocka_unit_test_setup(three_conflicts_are_too_many, setup),
		cmocka_unit_test_setup(a_commit_whose_answer_is_lost_may_be_done_or_not,
				       setup),
		cmocka_unit_test_setup(a_single_statement_is_repeated_once, setup),
		cmocka_unit_test_setup(nobody_answers_while_it_is_away, setup),
		cmocka_unit_test_setup(a_schema_of_another_version_is_not_good, setup),
		cmocka_unit_test_setup(what_is_committed_is_dumped_and_hooks_are_called,
				       setup),
	};
	int failed;

	failed = store_contract_run(&contract);
	failed += cmocka_run_group_tests_name("the fake", tests, NULL, NULL);
	store_free(contract.store);
	return failed;
}
