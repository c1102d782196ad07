/* doc/identity-rules, every case, over the store in memory. */
#include "identity_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fakes/fake_store.h"

static struct store_contract contract = { .name = "the store in memory" };

static void clear(void)
{
	const struct config config = { 0 };

	store_free(contract.store);
	contract.store = store_new(&config);
}

static void invite(struct text email)
{
	fake_store_invite(contract.store, email);
}

static void set_active(const char *user_id, bool active)
{
	fake_store_set_active(contract.store, user_id, active);
}

static size_t rows(enum contract_table table)
{
	static const enum fake_table tables[] = { FAKE_USERS, FAKE_IDENTITIES,
						  FAKE_SESSIONS, FAKE_USED_TOKENS };

	return fake_store_rows(contract.store, tables[table]);
}

static void every_case_is_as_the_table_says(void **state)
{
	(void)state;
	clear();
	assert_int_equal(identity_rules_run(&contract, 1), 0);
	store_free(contract.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_as_the_table_says),
	};

	contract.clear = clear;
	contract.invite = invite;
	contract.set_active = set_active;
	contract.rows = rows;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
