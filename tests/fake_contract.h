/* The fake store as store_contract.h wants a store, and what is done beside it. */
#ifndef PINTLE_FAKE_CONTRACT_H
#define PINTLE_FAKE_CONTRACT_H

#include "fakes/fake_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_contract.h"

static inline void clear(void);
static inline void invite(struct text email);
static inline void set_active(const char *user_id, bool active);
static inline void erase(const char *user_id);
static inline size_t rows(enum contract_table table);

static struct store_contract contract = {
	.name = "the store in memory",
	.clear = clear,
	.invite = invite,
	.set_active = set_active,
	.erase = erase,
	.rows = rows,
};

static inline void clear(void)
{
	const struct config config = { 0 };

	store_free(contract.store);
	contract.store = store_new(&config);
}

static inline void invite(struct text email)
{
	fake_store_invite(contract.store, email);
}

static inline void set_active(const char *user_id, bool active)
{
	fake_store_set_active(contract.store, user_id, active);
}

static inline void erase(const char *user_id)
{
	fake_store_erase(contract.store, user_id);
}

static inline size_t rows(enum contract_table table)
{
	static const enum fake_table tables[] = { FAKE_USERS, FAKE_IDENTITIES,
						  FAKE_SESSIONS, FAKE_USED_TOKENS };

	return fake_store_rows(contract.store, tables[table]);
}

#endif
