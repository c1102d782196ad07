/* For the tests of users: somebody comes with an identity, and what became of it. */
#ifndef PINTLE_USER_FIXTURE_H
#define PINTLE_USER_FIXTURE_H

#include "../lib/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fakes/fake_store.h"

#define NOW INT64_C(1795000000)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct store *store;
static struct config_accounts accounts;
static struct config_provider google_config, other_config;
static const struct provider google = { .config = &google_config };
static const struct provider other = { .config = &other_config };

static inline int setup(void **state)
{
	static char name[] = "google", other_name[] = "other";
	const struct config config = { 0 };

	(void)state;
	store_free(store);
	store = store_new(&config);
	accounts = (struct config_accounts){ .signup = CONFIG_SIGNUP_OPEN };
	google_config =
		(struct config_provider){ .name = name, .match = CONFIG_MATCH_EMAIL };
	other_config = (struct config_provider){ .name = other_name,
						 .match = CONFIG_MATCH_EMAIL };
	return 0;
}

static inline void match_by_subject(bool link)
{
	google_config.match = CONFIG_MATCH_SUBJECT;
	google_config.link = link;
}

/* ---- somebody comes with an identity */

struct visit {
	const struct identity *identity;
	int64_t now;
	struct store_user user;
	bool good, created;
	unsigned calls;
	struct problem p;
};

static inline bool find_or_create(struct store_tx *tx, void *context, struct problem *p)
{
	struct visit *v = context;

	struct user_decision d;

	v->calls++;
	if (!user_find_or_create(tx, &accounts, v->identity, v->now, &d, p))
		return false;
	v->user = d.user;
	v->created = d.created;
	return true;
}

static inline struct visit come_at(int64_t now, const struct identity *identity)
{
	struct visit v = { .identity = identity,
			   .now = now,
			   .user = { .id = "untouched" } };

	v.good = store_transact(store, find_or_create, &v, &v.p);
	if (!v.good) { /* outputs are untouched by a failure */
		assert_string_equal(v.user.id, "untouched");
		assert_false(v.created);
	}
	return v;
}

static inline struct visit come(const struct identity identity)
{
	return come_at(NOW, &identity);
}

static inline struct identity with_email(const char *email, const char *subject)
{
	return (struct identity){ .provider = &google,
				  .subject = text_of(subject),
				  .email = text_of(email),
				  .email_written = text_of(email) };
}

static inline struct identity with_phone(const char *phone, const char *subject)
{
	return (struct identity){ .provider = &google,
				  .subject = text_of(subject),
				  .phone = text_of(phone) };
}

static inline struct identity without_address(enum problem_kind why, const char *subject)
{
	return (struct identity){ .provider = &google,
				  .subject = text_of(subject),
				  .no_email = why };
}

static inline struct identity from_other(struct identity identity)
{
	identity.provider = &other;
	return identity;
}

static inline struct store_user assert_created(struct visit v)
{
	if (!v.good)
		fail_msg("%s", v.p.detail);
	assert_true(v.created);
	assert_true(v.user.active);
	return v.user;
}

static inline struct store_user assert_found(struct visit v,
					     const struct store_user *user)
{
	if (!v.good)
		fail_msg("%s", v.p.detail);
	assert_false(v.created);
	assert_string_equal(v.user.id, user->id);
	return v.user;
}

static inline void assert_refused(struct visit v, enum problem_kind kind)
{
	assert_false(v.good);
	assert_int_equal(v.p.kind, kind);
}

/* Runs STATEMENT, of which nothing may be left behind. */
#define assert_changes_nothing(statement)                                                \
	do {                                                                             \
		char *before = fake_store_dump(store), *after;                           \
		statement;                                                               \
		after = fake_store_dump(store);                                          \
		assert_string_equal(before, after);                                      \
		free(before);                                                            \
		free(after);                                                             \
	} while (0)

static inline size_t users(void)
{
	return fake_store_rows(store, FAKE_USERS);
}

static inline size_t identities(void)
{
	return fake_store_rows(store, FAKE_IDENTITIES);
}

static inline bool dump_has(const char *what)
{
	char *dump = fake_store_dump(store);
	const bool has = strstr(dump, what) != NULL;

	free(dump);
	return has;
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

#endif
