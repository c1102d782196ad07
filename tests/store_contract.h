/*
 * What store.h promises, as tests that run against any store: test_fake_store.c gives them
 * the fake, test_store_mysql.c the real one. Its parts are store_contract_*.c.
 */
#ifndef PINTLE_STORE_CONTRACT_H
#define PINTLE_STORE_CONTRACT_H

#include "store.h"

enum contract_table {
	CONTRACT_USERS,
	CONTRACT_IDENTITIES,
	CONTRACT_SESSIONS,
	CONTRACT_USED_TOKENS
};

/* A store, and what is done beside it: by an administrator, in another connection. */
struct store_contract {
	const char *name;
	struct store *store;
	void (*clear)(void); /* every row goes; called before each test */
	void (*invite)(struct text email);
	void (*set_active)(const char *user_id, bool active);
	void (*erase)(const char *user_id);
	size_t (*rows)(enum contract_table table);
};

/* How many tests failed. */
int store_contract_run(const struct store_contract *contract);

#endif
