#include "user_fixture.h"

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
