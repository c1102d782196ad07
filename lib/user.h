/* From a verified identity to a user: found, or created once. */
#ifndef PINTLE_USER_H
#define PINTLE_USER_H

#include "store.h"
#include "token.h"

/* By which rule a user was found or made. */
enum user_rule {
	USER_BY_SUBJECT, /* the sub is linked to the user */
	USER_BY_EMAIL,	 /* the verified email is the user's */
	USER_BY_PHONE,
	USER_LINKED, /* so is it, and with link = yes the sub is now linked to the user */
	USER_CREATED, /* nobody has the sub or the address; signup = open */
	USER_INVITED, /* nobody has; the address was invited */
};

struct user_decision {
	struct store_user user;
	bool created;
	enum user_rule rule;
};

/*
 * Who is it, by the rules of doc/identity-rules? Finds the user, links an identity where the
 * provider allows it, or creates the user where sign-up allows it. Runs inside a
 * transaction; OUT is set anew at each attempt. Problems: EMAIL_*, SIGNUP_CLOSED,
 * ACCOUNT_DISABLED, IDENTITY_CONFLICT, DATABASE_AWAY.
 */
bool user_find_or_create(struct store_tx *tx, const struct config_accounts *accounts,
			 const struct identity *identity, int64_t now,
			 struct user_decision *out, struct problem *p)
	__attribute__((warn_unused_result));

/* The rule in a sentence for people. */
const char *user_rule_text(enum user_rule rule);

/* May people of this address's domain come in at all? EMAIL_REFUSED otherwise. */
bool user_domain_allowed(const struct config_accounts *accounts, struct text email,
			 struct problem *p) __attribute__((warn_unused_result));

#endif
