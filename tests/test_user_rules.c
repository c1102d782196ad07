/* Who may come in at all: sign-up, domains, disabled accounts, phone numbers. */
#include "user_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	store_free(store);
	return failed;
}
