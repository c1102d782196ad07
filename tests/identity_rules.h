/* doc/identity-rules as a test of any store: every combination of its columns. */
#ifndef PINTLE_IDENTITY_RULES_H
#define PINTLE_IDENTITY_RULES_H

#include "store_contract.h"

/*
 * Runs one combination in STEP of them all; 1 is every one. Prints "ok" or "not ok" with what
 * was found, and gives how many differ from the table. With STEP 1 every row must decide.
 */
int identity_rules_run(const struct store_contract *contract, unsigned step);

#endif
