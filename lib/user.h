/* From a verified identity to a user: found, or created once. */
#ifndef PINTLE_USER_H
#define PINTLE_USER_H

#include "store.h"
#include "token.h"

/*
 * Who is it, by the rules of SPEC section 5? Finds the user, links an identity where the
 * provider allows it, or creates the user where sign-up allows it. *CREATED tells which.
 * Runs inside a transaction; outputs are set anew at each attempt. Problems: EMAIL_*,
 * SIGNUP_CLOSED, ACCOUNT_DISABLED, IDENTITY_CONFLICT, DATABASE_AWAY.
 */
bool user_find_or_create(struct store_tx *tx, const struct config_accounts *accounts,
			 const struct identity *identity, int64_t now,
			 struct store_user *out, bool *created, struct problem *p)
	__attribute__((warn_unused_result));

/* May people of this address's domain come in at all? EMAIL_REFUSED otherwise. */
bool user_domain_allowed(const struct config_accounts *accounts, struct text email,
			 struct problem *p) __attribute__((warn_unused_result));

#endif
