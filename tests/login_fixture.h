/* For the tests of logins: one on the store in memory, and what is there afterwards. */
#ifndef PINTLE_LOGIN_FIXTURE_H
#define PINTLE_LOGIN_FIXTURE_H

#include "../lib/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fakes/fake_store.h"

#define NOW INT64_C(1795000000)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const enum config_session_mode modes[] = { CONFIG_SESSION_COOKIE,
						  CONFIG_SESSION_BEARER,
						  CONFIG_SESSION_PROVIDER,
						  CONFIG_SESSION_NONE };

static struct store *store;
static struct config config;
static struct config_provider provider_config;
static const struct provider provider = { .config = &provider_config };

static inline int setup(void **state)
{
	static char name[] = "google";

	(void)state;
	config = (struct config){ .session = { .mode = CONFIG_SESSION_COOKIE,
					       .lifetime_s = 2592000,
					       .idle_s = 604800 } };
	provider_config = (struct config_provider){ .name = name };
	store_free(store);
	store = store_new(&config);
	return 0;
}

static inline struct identity identity_of(const char *email, const char *subject)
{
	struct identity identity = { .provider = &provider,
				     .subject = text_of(subject),
				     .email = text_of(email),
				     .email_written = text_of(email),
				     .issued_at = NOW,
				     .expires_at = NOW + 3600 };

	identity.signed_bytes = identity.email;
	return identity;
}

static inline bool log_in_at(int64_t now, const struct identity *identity,
			     const unsigned char *old_hash, struct login *out,
			     struct problem *p)
{
	const struct login_request request = {
		.config = &config,
		.identity = identity,
		.client = { TEXT("192.0.2.1"), TEXT("Browser/1.0") },
		.old_hash = old_hash,
		.now = now,
	};

	return login_record(store, &request, out, p);
}

static inline struct login log_in(const struct identity *identity,
				  const unsigned char *old_hash)
{
	struct problem p = { 0 };
	struct login login;

	if (!log_in_at(NOW, identity, old_hash, &login, &p))
		fail_msg("%s", p.detail);
	assert_int_equal(p.kind, PROBLEM_NONE);
	return login;
}

/* Is this the session that was answered, of the user that was answered? */
static inline bool is_live(const struct login *login)
{
	struct problem p = { 0 };
	struct session session;
	struct store_user user;

	if (!session_find_by_hash(store, &config.session, login->session.row.hash, NOW,
				  &session, &user, &p)) {
		assert_int_equal(p.kind, PROBLEM_NO_SESSION);
		return false;
	}
	assert_string_equal(user.id, login->user.id);
	assert_string_equal(session.row.id, login->session.row.id);
	return true;
}

static inline size_t users(void)
{
	return fake_store_rows(store, FAKE_USERS);
}

static inline size_t sessions(void)
{
	return fake_store_rows(store, FAKE_SESSIONS);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

#endif
