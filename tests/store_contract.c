#include "contract_fixture.h"

int store_contract_run(const struct store_contract *contract)
{
	return store_contract_users(contract) + store_contract_transactions(contract) +
	       store_contract_sessions(contract) + store_contract_races(contract);
}
