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

static int setup(void **state)
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

static void match_by_subject(bool link)
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

static bool find_or_create(struct store_tx *tx, void *context, struct problem *p)
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

static struct visit come_at(int64_t now, const struct identity *identity)
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

static struct visit come(const struct identity identity)
{
	return come_at(NOW, &identity);
}

static struct identity with_email(const char *email, const char *subject)
{
	return (struct identity){ .provider = &google,
				  .subject = text_of(subject),
				  .email = text_of(email),
				  .email_written = text_of(email) };
}

static struct identity with_phone(const char *phone, const char *subject)
{
	return (struct identity){ .provider = &google,
				  .subject = text_of(subject),
				  .phone = text_of(phone) };
}

static struct identity without_address(enum problem_kind why, const char *subject)
{
	return (struct identity){ .provider = &google,
				  .subject = text_of(subject),
				  .no_email = why };
}

static struct identity from_other(struct identity identity)
{
	identity.provider = &other;
	return identity;
}

static struct store_user assert_created(struct visit v)
{
	if (!v.good)
		fail_msg("%s", v.p.detail);
	assert_true(v.created);
	assert_true(v.user.active);
	return v.user;
}

static struct store_user assert_found(struct visit v, const struct store_user *user)
{
	if (!v.good)
		fail_msg("%s", v.p.detail);
	assert_false(v.created);
	assert_string_equal(v.user.id, user->id);
	return v.user;
}

static void assert_refused(struct visit v, enum problem_kind kind)
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

static size_t users(void)
{
	return fake_store_rows(store, FAKE_USERS);
}

static size_t identities(void)
{
	return fake_store_rows(store, FAKE_IDENTITIES);
}

static bool dump_has(const char *what)
{
	char *dump = fake_store_dump(store);
	const bool has = strstr(dump, what) != NULL;

	free(dump);
	return has;
}

/* ---- match = "email" */

static void a_first_login_makes_a_user_and_the_next_finds_it(void **state)
{
	const struct identity alice = with_email("alice@example.com", "s-1");
	struct store_user user;

	(void)state;
	user = assert_created(come(alice));
	assert_string_equal(user.email, "alice@example.com");
	assert_string_equal(user.phone, "");
	user = assert_found(come_at(NOW + 9, &alice), &user);
	assert_string_equal(user.email, "alice@example.com");
	assert_int_equal(users(), 1);
	assert_int_equal(identities(), 1);
	assert_created(come(with_email("bob@example.com", "s-2")));
	assert_int_equal(users(), 2);
}

static void what_the_provider_wrote_is_kept_and_what_we_compare_is_not_it(void **state)
{
	struct identity alice = with_email("alice@example.com", "s-1");

	(void)state;
	alice.email_written = AS_TEXT("Alice@Example.COM");
	assert_created(come(alice));
	assert_true(dump_has("email=alice@example.com"));
	assert_true(dump_has("written=Alice@Example.COM"));
}

static void a_login_is_noted_with_its_time(void **state)
{
	const struct identity alice = with_email("alice@example.com", "s-1");

	(void)state;
	assert_true(come_at(1795000001, &alice).good);
	assert_true(dump_has("created=1795000001 seen=1795000001"));
	assert_true(come_at(1795000002, &alice).good);
	assert_true(dump_has("created=1795000001 seen=1795000002"));
}

static void a_token_without_a_subject_goes_by_its_address(void **state)
{
	const struct store_user user =
		assert_created(come(with_email("alice@example.com", "")));

	(void)state;
	assert_found(come(with_email("alice@example.com", "")), &user);
	assert_int_equal(identities(), 0);
	assert_found(come(with_email("alice@example.com", "s-1")), &user);
	assert_int_equal(identities(), 1);
}

static void a_known_address_from_another_provider_is_the_same_user(void **state)
{
	const struct store_user user =
		assert_created(come(with_email("alice@example.com", "s-1")));

	(void)state;
	assert_found(come(from_other(with_email("alice@example.com", "s-1"))), &user);
	assert_int_equal(users(), 1);
	assert_int_equal(identities(), 2);
}

static void a_new_subject_of_a_known_address_is_allowed_by_default(void **state)
{
	const struct store_user user =
		assert_created(come(with_email("alice@example.com", "s-1")));

	(void)state;
	assert_found(come(with_email("alice@example.com", "s-2")), &user);
	assert_found(come(with_email("alice@example.com", "s-1")), &user);
	assert_int_equal(users(), 1);
	assert_int_equal(identities(), 2);
}

/* An address that was given to another person at the provider comes with another sub. */
static void a_new_subject_of_a_known_address_is_refused_where_that_is_set(void **state)
{
	const struct store_user user =
		assert_created(come(with_email("alice@example.com", "s-1")));

	(void)state;
	accounts.refuse_subject_change = true;
	assert_changes_nothing(assert_refused(
		come(with_email("alice@example.com", "s-2")), PROBLEM_IDENTITY_CONFLICT));
	assert_found(come(with_email("alice@example.com", "s-1")), &user);
	/* Another provider's first subject is no change, and neither is none. */
	assert_found(come(from_other(with_email("alice@example.com", "o-1"))), &user);
	assert_refused(come(from_other(with_email("alice@example.com", "o-2"))),
		       PROBLEM_IDENTITY_CONFLICT);
	assert_found(come(with_email("alice@example.com", "")), &user);
}

static void a_first_subject_is_no_change_of_subject(void **state)
{
	const struct store_user user =
		assert_created(come(with_email("alice@example.com", "")));

	(void)state;
	accounts.refuse_subject_change = true;
	assert_found(come(with_email("alice@example.com", "s-1")), &user);
	assert_int_equal(identities(), 1);
	assert_refused(come(with_email("alice@example.com", "s-2")),
		       PROBLEM_IDENTITY_CONFLICT);
}

/* With match = "email" a changed address at the provider is another person here. */
static void a_subject_that_comes_with_another_address_stays_where_it_was(void **state)
{
	const struct store_user alice =
		assert_created(come(with_email("alice@example.com", "s-1")));
	const struct store_user bob =
		assert_created(come(with_email("bob@example.com", "s-1")));

	(void)state;
	assert_string_not_equal(alice.id, bob.id);
	assert_int_equal(identities(), 1);
	assert_found(come(with_email("alice@example.com", "s-1")), &alice);
	assert_found(come(with_email("bob@example.com", "s-1")), &bob);
	assert_int_equal(users(), 2);
	assert_int_equal(identities(), 1);
	accounts.refuse_subject_change = true;
	assert_found(come(with_email("bob@example.com", "s-1")), &bob);
}

/* ---- match = "subject" */

static void a_subject_says_who_it_is_whatever_the_address(void **state)
{
	struct store_user alice;

	(void)state;
	match_by_subject(false);
	alice = assert_created(come(with_email("alice@example.com", "s-1")));
	alice = assert_found(come(with_email("new@example.com", "s-1")), &alice);
	assert_string_equal(alice.email, "alice@example.com");
	assert_int_equal(users(), 1);
	assert_int_equal(identities(), 1);
}

/* Two people, and the token of one names the other's address. */
static void a_subject_wins_over_the_address_of_another_user(void **state)
{
	struct store_user alice, bob;

	(void)state;
	match_by_subject(true);
	alice = assert_created(come(with_email("alice@example.com", "s-1")));
	bob = assert_created(come(with_email("bob@example.com", "s-2")));
	assert_found(come(with_email("bob@example.com", "s-1")), &alice);
	assert_found(come(with_email("alice@example.com", "s-2")), &bob);
	assert_int_equal(identities(), 2);
}

static void a_known_subject_gets_in_without_an_address(void **state)
{
	static const enum problem_kind kinds[] = { PROBLEM_EMAIL_MISSING,
						   PROBLEM_EMAIL_UNVERIFIED,
						   PROBLEM_EMAIL_REFUSED };
	struct store_user alice;

	(void)state;
	match_by_subject(true);
	alice = assert_created(come(with_email("alice@example.com", "s-1")));
	for (size_t i = 0; i < COUNT(kinds); i++) {
		assert_found(come(without_address(kinds[i], "s-1")), &alice);
		/* An unverified address never finds, links or creates. */
		assert_changes_nothing(
			assert_refused(come(without_address(kinds[i], "s-2")), kinds[i]));
	}
}

static void subjects_of_two_providers_are_two(void **state)
{
	struct store_user alice, bob;

	(void)state;
	match_by_subject(false);
	other_config.match = CONFIG_MATCH_SUBJECT;
	alice = assert_created(come(with_email("alice@example.com", "s-1")));
	bob = assert_created(come(from_other(with_email("bob@example.com", "s-1"))));
	assert_string_not_equal(alice.id, bob.id);
	assert_found(come(without_address(PROBLEM_EMAIL_MISSING, "s-1")), &alice);
	assert_found(come(from_other(without_address(PROBLEM_EMAIL_MISSING, "s-1"))),
		     &bob);
}

/* Whoever can register anybody's address at one provider takes over no user of another's. */
static void an_address_is_not_linked_unless_that_is_set(void **state)
{
	const struct store_user alice =
		assert_created(come(from_other(with_email("alice@example.com", "o-1"))));

	(void)state;
	match_by_subject(false);
	assert_changes_nothing(assert_refused(
		come(with_email("alice@example.com", "s-1")), PROBLEM_IDENTITY_CONFLICT));
	match_by_subject(true);
	assert_found(come(with_email("alice@example.com", "s-1")), &alice);
	assert_int_equal(identities(), 2);
	/* From now on it is the subject that says it. */
	match_by_subject(false);
	assert_found(come(with_email("moved@example.com", "s-1")), &alice);
	assert_found(come(without_address(PROBLEM_EMAIL_UNVERIFIED, "s-1")), &alice);
	assert_int_equal(users(), 1);
}

static void a_second_subject_of_one_provider_is_never_linked(void **state)
{
	struct store_user alice;

	(void)state;
	match_by_subject(true);
	alice = assert_created(come(with_email("alice@example.com", "s-1")));
	assert_changes_nothing(assert_refused(
		come(with_email("alice@example.com", "s-2")), PROBLEM_IDENTITY_CONFLICT));
	other_config.match = CONFIG_MATCH_SUBJECT;
	other_config.link = true;
	assert_found(come(from_other(with_email("alice@example.com", "o-1"))), &alice);
	assert_refused(come(from_other(with_email("alice@example.com", "o-2"))),
		       PROBLEM_IDENTITY_CONFLICT);
}

/* ---- sign-up */

static void with_sign_up_closed_only_the_known_get_in(void **state)
{
	const struct store_user alice =
		assert_created(come(with_email("alice@example.com", "s-1")));

	(void)state;
	accounts.signup = CONFIG_SIGNUP_CLOSED;
	assert_changes_nothing(assert_refused(come(with_email("bob@example.com", "s-2")),
					      PROBLEM_SIGNUP_CLOSED));
	assert_found(come(with_email("alice@example.com", "s-1")), &alice);
	match_by_subject(true);
	assert_found(come(with_email("alice@example.com", "s-1")), &alice);
	assert_changes_nothing(assert_refused(come(with_email("bob@example.com", "s-2")),
					      PROBLEM_SIGNUP_CLOSED));
	/* To link is not to sign up. */
	other_config.match = CONFIG_MATCH_SUBJECT;
	other_config.link = true;
	assert_found(come(from_other(with_email("alice@example.com", "o-1"))), &alice);
}

static void an_invitation_lets_one_address_in(void **state)
{
	struct store_user alice;

	(void)state;
	accounts.signup = CONFIG_SIGNUP_INVITED;
	fake_store_invite(store, AS_TEXT("alice@example.com"));
	assert_changes_nothing(assert_refused(come(with_email("bob@example.com", "s-2")),
					      PROBLEM_SIGNUP_CLOSED));
	alice = assert_created(come(with_email("alice@example.com", "s-1")));
	assert_true(dump_has("email=alice@example.com used"));
	assert_found(come(with_email("alice@example.com", "s-1")), &alice);
	/* Used is used, even when the user is gone. */
	fake_store_erase(store, alice.id);
	assert_changes_nothing(assert_refused(
		come(with_email("alice@example.com", "s-1")), PROBLEM_SIGNUP_CLOSED));
}

static void an_invitation_of_a_known_user_is_left_alone(void **state)
{
	const struct store_user alice =
		assert_created(come(with_email("alice@example.com", "s-1")));

	(void)state;
	accounts.signup = CONFIG_SIGNUP_INVITED;
	fake_store_invite(store, AS_TEXT("alice@example.com"));
	assert_found(come(with_email("alice@example.com", "s-1")), &alice);
	assert_true(dump_has("email=alice@example.com free"));
}

static void invitations_are_by_address_and_not_by_number(void **state)
{
	(void)state;
	accounts.signup = CONFIG_SIGNUP_INVITED;
	assert_changes_nothing(assert_refused(come(with_phone("+12025550123", "s-1")),
					      PROBLEM_SIGNUP_CLOSED));
	accounts.signup = CONFIG_SIGNUP_OPEN;
	assert_created(come(with_phone("+12025550123", "s-1")));
}

/* ---- domains */

static struct config_list one_domain(char *domain)
{
	static char *items[2][2];
	static size_t next;
	char **list = items[next++ % 2];

	list[0] = domain;
	return (struct config_list){ list, 1 };
}

static void a_denied_domain_keeps_out_the_known_too(void **state)
{
	char denied[] = "evil.example";

	(void)state;
	assert_created(come(with_email("old@evil.example", "s-0")));
	accounts.deny_domains = one_domain(denied);
	assert_changes_nothing(assert_refused(come(with_email("new@evil.example", "s-1")),
					      PROBLEM_EMAIL_REFUSED));
	assert_changes_nothing(assert_refused(come(with_email("old@evil.example", "s-0")),
					      PROBLEM_EMAIL_REFUSED));
	assert_created(come(with_email("a@good.example", "s-2")));
	/* Neither a part of the name nor a name below it is that domain. */
	assert_created(come(with_email("a@sub.evil.example", "s-3")));
	assert_created(come(with_email("a@notevil.example", "s-4")));
	assert_created(come(with_email("evil.example@good.example", "s-5")));
}

static void only_allowed_domains_get_in(void **state)
{
	char allowed[] = "good.example", denied[] = "good.example";

	(void)state;
	accounts.allow_domains = one_domain(allowed);
	assert_created(come(with_email("a@good.example", "s-1")));
	assert_refused(come(with_email("a@evil.example", "s-2")), PROBLEM_EMAIL_REFUSED);
	assert_refused(come(with_email("a@good.example.evil.example", "s-3")),
		       PROBLEM_EMAIL_REFUSED);
	assert_refused(come(with_email("good.example@evil.example", "s-4")),
		       PROBLEM_EMAIL_REFUSED);
	assert_int_equal(users(), 1);
	accounts.deny_domains = one_domain(denied); /* of the two, no counts */
	assert_refused(come(with_email("a@good.example", "s-1")), PROBLEM_EMAIL_REFUSED);
}

static void domains_are_of_addresses_and_not_of_numbers(void **state)
{
	char allowed[] = "good.example";

	(void)state;
	accounts.allow_domains = one_domain(allowed);
	assert_created(come(with_phone("+12025550123", "s-1")));
}

static void a_domain_is_asked_without_the_store(void **state)
{
	char allowed[] = "good.example";
	struct problem p = { 0 };

	(void)state;
	assert_true(user_domain_allowed(&accounts, AS_TEXT("a@evil.example"), &p));
	accounts.allow_domains = one_domain(allowed);
	assert_true(user_domain_allowed(&accounts, AS_TEXT("a@good.example"), &p));
	assert_int_equal(p.kind, PROBLEM_NONE);
	assert_false(user_domain_allowed(&accounts, AS_TEXT("a@evil.example"), &p));
	assert_int_equal(p.kind, PROBLEM_EMAIL_REFUSED);
}

/* ---- disabled accounts */

static void a_disabled_account_stays_out_by_every_way(void **state)
{
	const struct store_user alice =
		assert_created(come(with_email("alice@example.com", "s-1")));

	(void)state;
	fake_store_set_active(store, alice.id, false);
	assert_changes_nothing(assert_refused(
		come(with_email("alice@example.com", "s-1")), PROBLEM_ACCOUNT_DISABLED));
	assert_changes_nothing(assert_refused(
		come(with_email("alice@example.com", "s-2")), PROBLEM_ACCOUNT_DISABLED));
	assert_changes_nothing(
		assert_refused(come(from_other(with_email("alice@example.com", "o-1"))),
			       PROBLEM_ACCOUNT_DISABLED));
	match_by_subject(true);
	assert_changes_nothing(assert_refused(
		come(with_email("alice@example.com", "s-1")), PROBLEM_ACCOUNT_DISABLED));
	assert_changes_nothing(
		assert_refused(come(without_address(PROBLEM_EMAIL_MISSING, "s-1")),
			       PROBLEM_ACCOUNT_DISABLED));
	other_config.match = CONFIG_MATCH_SUBJECT;
	for (int link = 0; link <= 1; link++) {
		other_config.link = link;
		assert_changes_nothing(assert_refused(
			come(from_other(with_email("alice@example.com", "o-1"))),
			PROBLEM_ACCOUNT_DISABLED));
	}
	fake_store_set_active(store, alice.id, true);
	assert_found(come(with_email("alice@example.com", "s-1")), &alice);
}

static void others_get_in_beside_a_disabled_account(void **state)
{
	const struct store_user alice =
		assert_created(come(with_email("alice@example.com", "s-1")));
	const struct store_user bob =
		assert_created(come(with_email("bob@example.com", "s-2")));

	(void)state;
	fake_store_set_active(store, alice.id, false);
	assert_found(come(with_email("bob@example.com", "s-2")), &bob);
	/* The subject of a disabled user is not free to be another's. */
	assert_created(come(with_email("carol@example.com", "s-1")));
	assert_int_equal(identities(), 2);
}

/* ---- phone numbers */

static void a_phone_number_makes_a_user_and_finds_it(void **state)
{
	struct store_user user = assert_created(come(with_phone("+12025550123", "s-1")));

	(void)state;
	assert_string_equal(user.phone, "+12025550123");
	assert_string_equal(user.email, "");
	user = assert_found(come(with_phone("+12025550123", "s-1")), &user);
	assert_string_equal(user.phone, "+12025550123");
	assert_created(come(with_phone("+12025550124", "s-2")));
	assert_created(come(with_email("alice@example.com", "s-3")));
	assert_int_equal(users(), 3);
}

static void the_rules_of_subjects_hold_for_phone_numbers_too(void **state)
{
	const struct store_user user =
		assert_created(come(with_phone("+12025550123", "s-1")));

	(void)state;
	accounts.refuse_subject_change = true;
	assert_refused(come(with_phone("+12025550123", "s-2")),
		       PROBLEM_IDENTITY_CONFLICT);
	assert_found(come(with_phone("+12025550123", "s-1")), &user);
	other_config.match = CONFIG_MATCH_SUBJECT;
	assert_refused(come(from_other(with_phone("+12025550123", "o-1"))),
		       PROBLEM_IDENTITY_CONFLICT);
	other_config.link = true;
	assert_found(come(from_other(with_phone("+12025550123", "o-1"))), &user);
}

/* ---- others, in between */

struct beside {
	const char *operation; /* before the first one of these */
	struct identity identity;
	bool done;
};

static void come_beside(void *context, const char *operation)
{
	struct beside *b = context;

	if (b->done || strcmp(operation, b->operation) != 0)
		return;
	b->done = true;
	assert_true(come(b->identity).good);
}

static struct visit come_with(struct beside *beside, const struct identity identity)
{
	struct visit v;

	fake_store_between(store, come_beside, beside);
	v = come(identity);
	fake_store_between(store, NULL, NULL);
	assert_true(beside->done);
	return v;
}

static void a_login_that_another_overtook_finds_the_same_user(void **state)
{
	static const char *const operations[] = { "user_known", "user_by_email",
						  "user_by_subject", "user_add" };

	(void)state;
	for (size_t i = 0; i < COUNT(operations); i++) {
		const struct identity alice = with_email("alice@example.com", "s-1");
		struct beside beside = { .operation = operations[i], .identity = alice };
		struct visit v;

		setup(NULL);
		v = come_with(&beside, alice);
		assert_true(v.good);
		assert_false(v.created);
		assert_int_equal(users(), 1);
		assert_int_equal(identities(), 1);
	}
}

/* Two tabs of somebody invited: the second finds the invitation used, and the user there. */
static void an_invitation_used_by_two_logins_at_once_lets_both_in(void **state)
{
	static const char *const operations[] = { "user_known", "user_by_email",
						  "user_by_subject", "invite_use" };

	(void)state;
	for (size_t i = 0; i < COUNT(operations); i++) {
		const struct identity alice = with_email("alice@example.com", "s-1");
		struct beside beside = { .operation = operations[i], .identity = alice };
		struct visit v;

		setup(NULL);
		accounts.signup = CONFIG_SIGNUP_INVITED;
		fake_store_invite(store, AS_TEXT("alice@example.com"));
		v = come_with(&beside, alice);
		assert_true(v.good);
		assert_false(v.created);
		assert_int_equal(users(), 1);
		assert_changes_nothing(
			assert_refused(come(with_email("bob@example.com", "s-2")),
				       PROBLEM_SIGNUP_CLOSED));
	}
}

static void a_subject_that_another_login_links_meanwhile_is_linked_once(void **state)
{
	const struct identity alice = with_email("alice@example.com", "s-1");
	const struct store_user user =
		assert_created(come(with_email("alice@example.com", "")));
	struct beside beside = { .operation = "identity_add", .identity = alice };

	(void)state;
	assert_found(come_with(&beside, alice), &user);
	assert_int_equal(identities(), 1);
}

/*
 * Two tokens of one new subject with the addresses of two users, at once: whichever is first
 * decides whose the subject is, and the other comes in as that user.
 */
static void a_subject_that_goes_to_another_meanwhile_is_that_others(void **state)
{
	static const char *const operations[] = { "user_known", "user_by_email",
						  "identity_add" };

	(void)state;
	for (size_t i = 0; i < COUNT(operations); i++) {
		struct beside beside = { .operation = operations[i] };
		struct store_user alice;

		setup(NULL);
		alice = assert_created(come(with_email("alice@example.com", "")));
		assert_created(come(with_email("bob@example.com", "")));
		match_by_subject(true);
		beside.identity = with_email("alice@example.com", "s-1");
		assert_found(come_with(&beside, with_email("bob@example.com", "s-1")),
			     &alice);
		assert_int_equal(identities(), 1);
	}
}

static void a_disabled_account_stays_out_however_often_it_is_tried(void **state)
{
	const struct identity alice = with_email("alice@example.com", "s-1");
	struct visit v;

	(void)state;
	fake_store_fail(store, "user_add", 0, 1, FAKE_CONFLICT);
	v = come(alice);
	assert_true(v.good && v.created);
	assert_int_equal(v.calls, 2);
	fake_store_set_active(store, v.user.id, false);
	fake_store_fail(store, "user_by_email", 0, 2, FAKE_LOST);
	v = come(alice);
	assert_refused(v, PROBLEM_ACCOUNT_DISABLED);
	assert_int_equal(v.calls, 3);
}

/* Where "refuse" is set, not knowing is no leave; who needs no answer does not ask. */
static void another_subject_is_asked_for_only_where_it_matters(void **state)
{
	const struct identity known = with_email("alice@example.com", "s-1"),
			      new = with_email("alice@example.com", "s-2");
	const struct store_user alice = assert_created(come(known));

	(void)state;
	fake_store_fail(store, "identity_other", 0, 99, FAKE_BROKEN);
	accounts.refuse_subject_change = true;
	assert_found(come(known), &alice);
	assert_found(come(with_email("alice@example.com", "")), &alice);
	assert_changes_nothing(assert_refused(come(new), PROBLEM_DATABASE_AWAY));
	accounts.refuse_subject_change = false;
	assert_found(come(new), &alice);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_first_login_makes_a_user_and_the_next_finds_it),
		TEST(what_the_provider_wrote_is_kept_and_what_we_compare_is_not_it),
		TEST(a_login_is_noted_with_its_time),
		TEST(a_token_without_a_subject_goes_by_its_address),
		TEST(a_known_address_from_another_provider_is_the_same_user),
		TEST(a_new_subject_of_a_known_address_is_allowed_by_default),
		TEST(a_new_subject_of_a_known_address_is_refused_where_that_is_set),
		TEST(a_first_subject_is_no_change_of_subject),
		TEST(another_subject_is_asked_for_only_where_it_matters),
		TEST(a_subject_that_comes_with_another_address_stays_where_it_was),
		TEST(a_subject_says_who_it_is_whatever_the_address),
		TEST(a_subject_wins_over_the_address_of_another_user),
		TEST(a_known_subject_gets_in_without_an_address),
		TEST(subjects_of_two_providers_are_two),
		TEST(an_address_is_not_linked_unless_that_is_set),
		TEST(a_second_subject_of_one_provider_is_never_linked),
		TEST(with_sign_up_closed_only_the_known_get_in),
		TEST(an_invitation_lets_one_address_in),
		TEST(an_invitation_of_a_known_user_is_left_alone),
		TEST(invitations_are_by_address_and_not_by_number),
		TEST(a_denied_domain_keeps_out_the_known_too),
		TEST(only_allowed_domains_get_in),
		TEST(domains_are_of_addresses_and_not_of_numbers),
		TEST(a_domain_is_asked_without_the_store),
		TEST(a_disabled_account_stays_out_by_every_way),
		TEST(others_get_in_beside_a_disabled_account),
		TEST(a_phone_number_makes_a_user_and_finds_it),
		TEST(the_rules_of_subjects_hold_for_phone_numbers_too),
		TEST(a_login_that_another_overtook_finds_the_same_user),
		TEST(an_invitation_used_by_two_logins_at_once_lets_both_in),
		TEST(a_subject_that_another_login_links_meanwhile_is_linked_once),
		TEST(a_subject_that_goes_to_another_meanwhile_is_that_others),
		TEST(a_disabled_account_stays_out_however_often_it_is_tried),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	store_free(store);
	return failed;
}
