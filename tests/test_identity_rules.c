/* doc/identity-rules, every case, over the store in memory. */
#include "identity_rules.h"

#include "fake_contract.h"

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

	return cmocka_run_group_tests(tests, NULL, NULL);
}
