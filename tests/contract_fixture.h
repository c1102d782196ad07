/*
 * For the parts of the contract: one statement in a transaction of its own, and what they
 * tell. Each part is a function that says how many of its tests failed.
 */
#ifndef PINTLE_CONTRACT_FIXTURE_H
#define PINTLE_CONTRACT_FIXTURE_H

#include "store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW INT64_C(1795000000)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct store_contract *the;

static inline int setup(void **state)
{
	(void)state;
	the->clear();
	return 0;
}

/* ---- one statement in a transaction of its own */

struct op {
	enum store_outcome (*run)(struct store_tx *tx, struct op *op, struct problem *p);
	struct text email, phone, provider, subject, written;
	const char *id;
	const unsigned char *hash;
	int64_t now;
	int keep;
	struct store_user *user;
	struct store_match *match;
	struct store_session *session;
	int64_t *time;
	enum store_outcome outcome;
	unsigned calls;
};

static inline bool run_op(struct store_tx *tx, void *context, struct problem *p)
{
	struct op *op = context;

	op->calls++;
	op->outcome = op->run(tx, op, p);
	return op->outcome != STORE_FAILED;
}

/* STORE_FAILED only ever comes with the problem that the database is away. */
static inline enum store_outcome once(struct op op)
{
	struct problem p = { 0 };

	if (store_transact(the->store, run_op, &op, &p)) {
		assert_int_equal(p.kind, PROBLEM_NONE);
		return op.outcome;
	}
	assert_int_equal(op.outcome, STORE_FAILED);
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	return STORE_FAILED;
}

static inline enum store_outcome run_user_add(struct store_tx *tx, struct op *op,
					      struct problem *p)
{
	return store_user_add(tx, op->email, op->phone, NOW, op->user, p);
}

static inline enum store_outcome run_by_email(struct store_tx *tx, struct op *op,
					      struct problem *p)
{
	return store_user_by_email(tx, op->email, op->provider, op->subject, op->match,
				   p);
}

static inline enum store_outcome run_by_phone(struct store_tx *tx, struct op *op,
					      struct problem *p)
{
	return store_user_by_phone(tx, op->phone, op->provider, op->subject, op->match,
				   p);
}

static inline enum store_outcome run_by_subject(struct store_tx *tx, struct op *op,
						struct problem *p)
{
	return store_user_by_subject(tx, op->provider, op->subject, op->match, p);
}

static inline enum store_outcome run_seen(struct store_tx *tx, struct op *op,
					  struct problem *p)
{
	return store_user_seen(tx, op->id, op->now, p);
}

static inline enum store_outcome run_known(struct store_tx *tx, struct op *op,
					   struct problem *p)
{
	return store_user_known(tx, op->email, op->provider, op->subject, NOW + op->now,
				op->user, p);
}

static inline enum store_outcome run_identity_add(struct store_tx *tx, struct op *op,
						  struct problem *p)
{
	return store_identity_add(tx, op->id, op->provider, op->subject, op->written, NOW,
				  p);
}

static inline enum store_outcome run_identity_other(struct store_tx *tx, struct op *op,
						    struct problem *p)
{
	return store_identity_other(tx, op->id, op->provider, op->subject, p);
}

static inline enum store_outcome run_invite_use(struct store_tx *tx, struct op *op,
						struct problem *p)
{
	return store_invite_use(tx, op->email, NOW + op->now, p);
}

static inline enum store_outcome run_session_add(struct store_tx *tx, struct op *op,
						 struct problem *p)
{
	return store_session_add(tx, op->id, op->hash, op->session, p);
}

static inline enum store_outcome run_drop(struct store_tx *tx, struct op *op,
					  struct problem *p)
{
	return store_session_drop(tx, op->hash, p);
}

static inline enum store_outcome run_trim(struct store_tx *tx, struct op *op,
					  struct problem *p)
{
	return store_session_trim(tx, op->id, op->session->id, op->keep, p);
}

static inline enum store_outcome add_text(struct text email, struct text phone,
					  struct store_user *user)
{
	return once((struct op){ run_user_add, .email = email, .phone = phone,
				 .user = user });
}

/* A user who is known by EMAIL. */
static inline struct store_user user_with(const char *email)
{
	struct store_user user = { 0 };

	assert_int_equal(add_text(text_of(email), AS_TEXT(""), &user), STORE_OK);
	return user;
}

static inline enum store_outcome by_email(struct text email, struct store_match *match)
{
	return once((struct op){ run_by_email, .email = email, .provider = TEXT("p"),
				 .subject = TEXT("none"), .match = match });
}

static inline enum store_outcome add_identity(const char *user_id, struct text provider,
					      struct text subject)
{
	return once((struct op){ run_identity_add, .id = user_id, .provider = provider,
				 .subject = subject, .written = TEXT("A@Example.com") });
}

static inline enum store_outcome by_subject(struct text provider, struct text subject,
					    struct store_match *match)
{
	return once((struct op){ run_by_subject, .provider = provider, .subject = subject,
				 .match = match });
}

/* Has the user a subject of provider "p" besides this one? */
static inline enum store_outcome other_than(const char *user_id, struct text subject)
{
	return once((struct op){ run_identity_other, .id = user_id, .provider = TEXT("p"),
				 .subject = subject });
}

/* A hash that is told from others by its number. */
static inline const unsigned char *hash_number(unsigned number)
{
	static _Thread_local unsigned char hash[SHA256_BYTES];

	memset(hash, 0xa5, sizeof(hash));
	memcpy(hash, &number, sizeof(number));
	return hash;
}

static inline struct store_session session_from(int64_t created_at)
{
	return (struct store_session){ .provider = "google",
				       .address = "192.0.2.7",
				       .user_agent = "Browser/1.0",
				       .created_at = created_at,
				       .last_seen_at = created_at,
				       .expires_at = created_at + 1000 };
}

static inline struct store_session add_session(const char *user_id, unsigned number,
					       int64_t created_at)
{
	struct store_session session = session_from(created_at);

	assert_int_equal(
		once((struct op){ run_session_add, .id = user_id,
				  .hash = hash_number(number), .session = &session }),
		STORE_OK);
	return session;
}

static inline enum store_outcome
find_session(unsigned number, struct store_session *session, struct store_user *user)
{
	struct problem p = { 0 };

	return store_session_find(the->store, hash_number(number), session, user, &p);
}

static inline enum store_outcome run_token_use(struct store_tx *tx, struct op *op,
					       struct problem *p)
{
	return store_token_use(tx, op->hash, op->now, op->now + 1000, op->time, p);
}

/* When was this token used for the first time? */
static inline int64_t use_token(unsigned number, int64_t now)
{
	int64_t first = -1;

	assert_int_equal(once((struct op){ run_token_use, .hash = hash_number(number),
					   .now = now, .time = &first }),
			 STORE_OK);
	return first;
}

static inline bool has_session(unsigned number)
{
	struct store_session session;
	struct store_user user;
	const enum store_outcome outcome = find_session(number, &session, &user);

	assert_int_not_equal(outcome, STORE_FAILED);
	return outcome == STORE_OK;
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

/* Runs TESTS, an array, on CONTRACT. */
#define RUN(contract, tests)                                                             \
	(the = (contract),                                                               \
	 cmocka_run_group_tests_name((contract)->name, tests, NULL, NULL))

int store_contract_users(const struct store_contract *contract);
int store_contract_sessions(const struct store_contract *contract);
int store_contract_transactions(const struct store_contract *contract);
int store_contract_races(const struct store_contract *contract);

#endif
