/* The store's contract: users, identities and invitations. */
#include "contract_fixture.h"

static void a_user_is_found_by_email_with_all_that_is_known(void **state)
{
	struct store_match match;
	struct store_user user = { 0 };

	(void)state;
	assert_int_equal(
		add_text(AS_TEXT("alice@example.com"), AS_TEXT("+12025550123"), &user),
		STORE_OK);
	assert_true(strtoull(user.id, NULL, 10) > 0);
	assert_int_equal(strspn(user.id, "0123456789"), strlen(user.id));
	assert_string_equal(user.email, "alice@example.com");
	assert_string_equal(user.phone, "+12025550123");
	assert_true(user.active);
	memset(&match, 0xff, sizeof(match));
	assert_int_equal(by_email(AS_TEXT("alice@example.com"), &match), STORE_OK);
	assert_string_equal(match.user.id, user.id);
	assert_string_equal(match.user.email, "alice@example.com");
	assert_string_equal(match.user.phone, "+12025550123");
	assert_true(match.user.active);
	assert_false(match.subject_is_theirs);
	assert_false(match.subject_is_anothers);
	assert_int_equal(by_email(AS_TEXT("alicf@example.com"), &match), STORE_NOT_FOUND);
	assert_string_equal(match.user.id,
			    user.id); /* what was not found changes nothing */
}

static void a_user_is_found_by_phone_number(void **state)
{
	struct store_match match = { 0 };
	struct store_user user = { 0 };
	struct op op = { run_by_phone, .phone = TEXT("+12025550123"),
			 .provider = TEXT("p"), .subject = TEXT("s"), .match = &match };

	(void)state;
	assert_int_equal(once(op), STORE_NOT_FOUND);
	assert_int_equal(add_text(AS_TEXT(""), AS_TEXT("+12025550123"), &user), STORE_OK);
	assert_int_equal(once(op), STORE_OK);
	assert_string_equal(match.user.id, user.id);
	assert_string_equal(match.user.email, "");
	assert_string_equal(match.user.phone, "+12025550123");
	op.phone = AS_TEXT("+12025550124");
	assert_int_equal(once(op), STORE_NOT_FOUND);
}

static void an_address_or_number_that_is_not_there_is_nobodys(void **state)
{
	struct store_user a = { 0 }, b = { 0 };
	struct store_match match;

	(void)state;
	assert_int_equal(add_text(AS_TEXT(""), AS_TEXT("+12025550101"), &a), STORE_OK);
	assert_int_equal(add_text(AS_TEXT(""), AS_TEXT("+12025550102"), &b), STORE_OK);
	assert_string_not_equal(a.id, b.id);
	assert_string_equal(a.email, "");
	assert_int_equal(by_email(AS_TEXT(""), &match), STORE_NOT_FOUND);
	a = user_with("a@example.com");
	b = user_with("b@example.com");
	assert_string_equal(a.phone, "");
	assert_int_equal(
		once((struct op){ run_by_phone, .phone = TEXT(""), .provider = TEXT("p"),
				  .subject = TEXT("s"), .match = &match }),
		STORE_NOT_FOUND);
	assert_int_equal(the->rows(CONTRACT_USERS), 4);
}

static void a_taken_address_or_number_makes_no_second_user(void **state)
{
	struct store_user user, untouched = { .id = "untouched" };

	(void)state;
	assert_int_equal(
		add_text(AS_TEXT("a@example.com"), AS_TEXT("+12025550101"), &user),
		STORE_OK);
	assert_int_equal(add_text(AS_TEXT("a@example.com"), AS_TEXT(""), &untouched),
			 STORE_ALREADY_THERE);
	assert_int_equal(
		add_text(AS_TEXT("a@example.com"), AS_TEXT("+12025550102"), &untouched),
		STORE_ALREADY_THERE);
	assert_int_equal(
		add_text(AS_TEXT("b@example.com"), AS_TEXT("+12025550101"), &untouched),
		STORE_ALREADY_THERE);
	assert_string_equal(untouched.id, "untouched");
	assert_int_equal(the->rows(CONTRACT_USERS), 1);
	assert_int_equal(
		add_text(AS_TEXT("b@example.com"), AS_TEXT("+12025550102"), &user),
		STORE_OK);
	assert_int_equal(the->rows(CONTRACT_USERS), 2);
}

/*
 * What one collation or another of MySQL and MariaDB calls equal to alice@example.com. Each
 * of these is somebody else.
 */
static const struct text lookalikes[] = {
	TEXT("alice@example.com"),
	TEXT("ALICE@EXAMPLE.COM"),
	TEXT("Alice@example.com"),
	TEXT("alice@example.com "),
	TEXT(" alice@example.com"),
	TEXT("alice@example.com\t"),
	TEXT("alic\xc3\xa9@example.com"),  /* e acute */
	TEXT("alice\xcc\x81@example.com"), /* the same, combining */
	TEXT("al\xc4\xb1"
	     "ce@example.com"), /* dotless i */
	TEXT("al\xc4\xb0"
	     "ce@example.com"),		      /* I with dot */
	TEXT("\xef\xbd\x81lice@example.com"), /* full-width a */
	TEXT("alice\xef\xbc\xa0"
	     "example.com"),		       /* full-width @ */
	TEXT("alice\xe2\x80\x8b@example.com"), /* zero-width space */
	TEXT("\xef\xbb\xbf"
	     "alice@example.com"),	       /* byte order mark */
	TEXT("alice\xe2\x80\xae@example.com"), /* right-to-left override */
	TEXT("alice@example.com\0"),
	TEXT("alice@example.com\0\0"),
	TEXT("alice@example.com\x01"),
	TEXT("alice\xc2\xad@example.com"), /* soft hyphen */
	TEXT("alice@example.com\xc2\xad"),
	TEXT("\xd0\xb0lice@example.com"), /* Cyrillic a */
	TEXT("alice@example\xe3\x80\x82"
	     "com"),		      /* ideographic full stop */
	TEXT("\xff\xfe@example.com"), /* no UTF-8 at all */
	TEXT("\xff\xff@example.com"),
	TEXT("kiss@example.com"),
	TEXT("\xe2\x84\xaaiss@example.com"), /* Kelvin sign */
	TEXT("ki\xc5\xbfs@example.com"),     /* long s */
	TEXT("ki\xc3\x9f@example.com"),	     /* sharp s */
	TEXT("kis@example.com"),
	TEXT("fi@example.com"),
	TEXT("\xef\xac\x81@example.com"), /* ligature fi */
};

static void addresses_are_told_apart_byte_for_byte(void **state)
{
	struct store_user users[COUNT(lookalikes)];
	struct store_match match;

	(void)state;
	for (size_t i = 0; i < COUNT(lookalikes); i++)
		if (add_text(lookalikes[i], AS_TEXT(""), &users[i]) != STORE_OK)
			fail_msg("number %zu is taken for another", i);
	for (size_t i = 0; i < COUNT(lookalikes); i++) {
		assert_int_equal(by_email(lookalikes[i], &match), STORE_OK);
		assert_string_equal(match.user.id, users[i].id);
		assert_memory_equal(match.user.email, lookalikes[i].data,
				    lookalikes[i].len);
		assert_int_equal(add_text(lookalikes[i], AS_TEXT(""), &users[i]),
				 STORE_ALREADY_THERE);
	}
	assert_int_equal(the->rows(CONTRACT_USERS), COUNT(lookalikes));
}

static void subjects_and_providers_are_told_apart_byte_for_byte(void **state)
{
	const struct store_user user = user_with("u@example.com");
	struct store_match match;

	(void)state;
	for (size_t i = 0; i < COUNT(lookalikes); i++) {
		assert_int_equal(add_identity(user.id, AS_TEXT("p"), lookalikes[i]),
				 STORE_OK);
		assert_int_equal(add_identity(user.id, AS_TEXT("p"), lookalikes[i]),
				 STORE_ALREADY_THERE);
	}
	assert_int_equal(by_subject(AS_TEXT("P"), lookalikes[0], &match),
			 STORE_NOT_FOUND);
	assert_int_equal(by_subject(AS_TEXT("p "), lookalikes[0], &match),
			 STORE_NOT_FOUND);
	assert_int_equal(add_identity(user.id, AS_TEXT("P"), lookalikes[0]), STORE_OK);
	assert_int_equal(add_identity(user.id, AS_TEXT("p "), lookalikes[0]), STORE_OK);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), COUNT(lookalikes) + 2);
}

static struct text repeated(char *out, char c, size_t len, const char *tail)
{
	memset(out, c, len);
	memcpy(out + len - strlen(tail), tail, strlen(tail));
	return (struct text){ out, len };
}

static void what_fits_its_column_is_kept_whole(void **state)
{
	char email[254], provider[32], subject[255];
	struct store_match match;
	struct store_user user;

	(void)state;
	repeated(email, 'a', sizeof(email), "@example.com");
	repeated(provider, 'p', sizeof(provider), "x");
	repeated(subject, 's', sizeof(subject), "x");
	assert_int_equal(
		add_text((struct text){ email, 254 }, AS_TEXT("+123456789012345"), &user),
		STORE_OK);
	assert_int_equal(strlen(user.email), 254);
	assert_int_equal(once((struct op){ run_identity_add, .id = user.id,
					   .provider = { provider, 32 },
					   .subject = { subject, 255 },
					   .written = { email, 254 } }),
			 STORE_OK);
	assert_int_equal(by_subject((struct text){ provider, 32 },
				    (struct text){ subject, 255 }, &match),
			 STORE_OK);
	assert_string_equal(match.user.id, user.id);
	assert_memory_equal(match.user.email, email, 254);
	assert_int_equal(match.user.email[254], '\0');
	assert_string_equal(match.user.phone, "+123456789012345");
}

/* Cut to its column, one person's address could become another's. */
static void what_does_not_fit_is_refused_and_never_cut(void **state)
{
	const struct store_user user = user_with("u@example.com");
	char wide[256];
	struct store_match match;
	struct store_user out;
	struct op op = { run_identity_add, .id = user.id, .provider = TEXT("p"),
			 .subject = TEXT("s"), .written = TEXT("U@example.com") };

	(void)state;
	repeated(wide, 'a', sizeof(wide), "@example.com");
	assert_int_equal(add_text((struct text){ wide, 255 }, AS_TEXT(""), &out),
			 STORE_FAILED);
	assert_int_equal(by_email((struct text){ wide, 254 }, &match), STORE_NOT_FOUND);
	assert_int_equal(by_email((struct text){ wide, 255 }, &match), STORE_NOT_FOUND);
	assert_int_equal(add_text(AS_TEXT(""), AS_TEXT("+1234567890123456"), &out),
			 STORE_FAILED);
	op.subject = (struct text){ wide, 256 };
	assert_int_equal(once(op), STORE_FAILED);
	op.subject = AS_TEXT("s");
	op.provider = (struct text){ wide, 33 };
	assert_int_equal(once(op), STORE_FAILED);
	op.provider = AS_TEXT("p");
	op.written = (struct text){ wide, 255 };
	assert_int_equal(once(op), STORE_FAILED);
	op.written = AS_TEXT("");
	assert_int_equal(once(op), STORE_OK);
	assert_int_equal(the->rows(CONTRACT_USERS), 1);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), 1);
}

static void a_match_tells_whose_the_subject_is(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	struct store_match match;
	struct op op = { run_by_email, .email = TEXT("a@example.com"),
			 .provider = TEXT("p"), .subject = TEXT("s"), .match = &match };

	(void)state;
	/* Another provider's subjects do not count, whosever they are. */
	assert_int_equal(add_identity(a.id, AS_TEXT("q"), AS_TEXT("other")), STORE_OK);
	assert_int_equal(add_identity(b.id, AS_TEXT("q"), AS_TEXT("s")), STORE_OK);
	assert_int_equal(once(op), STORE_OK);
	assert_false(match.subject_is_theirs || match.subject_is_anothers);
	assert_int_equal(other_than(a.id, op.subject), STORE_NOT_FOUND);

	assert_int_equal(add_identity(b.id, AS_TEXT("p"), AS_TEXT("s")), STORE_OK);
	assert_int_equal(once(op), STORE_OK);
	assert_false(match.subject_is_theirs);
	assert_true(match.subject_is_anothers);
	assert_int_equal(other_than(a.id, op.subject), STORE_NOT_FOUND);
	assert_int_equal(other_than(b.id, op.subject), STORE_NOT_FOUND);

	assert_int_equal(add_identity(a.id, AS_TEXT("p"), AS_TEXT("mine")), STORE_OK);
	assert_int_equal(once(op), STORE_OK);
	assert_false(match.subject_is_theirs);
	assert_true(match.subject_is_anothers);
	assert_int_equal(other_than(a.id, op.subject), STORE_OK);

	op.subject = AS_TEXT("mine");
	assert_int_equal(once(op), STORE_OK);
	assert_true(match.subject_is_theirs);
	assert_false(match.subject_is_anothers);
	assert_int_equal(other_than(a.id, op.subject), STORE_NOT_FOUND);

	assert_int_equal(add_identity(a.id, AS_TEXT("p"), AS_TEXT("second")), STORE_OK);
	assert_int_equal(once(op), STORE_OK);
	assert_true(match.subject_is_theirs);
	assert_false(match.subject_is_anothers);
	assert_int_equal(other_than(a.id, op.subject), STORE_OK);
	/* Byte for byte: another case is another subject. */
	assert_int_equal(other_than(b.id, AS_TEXT("S")), STORE_OK);
}

static void a_subject_leads_to_its_user_alone(void **state)
{
	const struct store_user a = user_with("a@example.com");
	struct store_match match;

	(void)state;
	user_with("b@example.com");
	assert_int_equal(by_subject(AS_TEXT("p"), AS_TEXT("s"), &match), STORE_NOT_FOUND);
	assert_int_equal(add_identity(a.id, AS_TEXT("p"), AS_TEXT("s")), STORE_OK);
	assert_int_equal(by_subject(AS_TEXT("p"), AS_TEXT("s"), &match), STORE_OK);
	assert_string_equal(match.user.id, a.id);
	assert_string_equal(match.user.email, "a@example.com");
	assert_true(match.subject_is_theirs);
	assert_false(match.subject_is_anothers);
	assert_int_equal(by_subject(AS_TEXT("q"), AS_TEXT("s"), &match), STORE_NOT_FOUND);
	assert_int_equal(by_subject(AS_TEXT("p"), AS_TEXT("t"), &match), STORE_NOT_FOUND);
}

static void an_identity_belongs_to_one_user_who_exists(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");

	(void)state;
	assert_int_equal(add_identity(a.id, AS_TEXT("p"), AS_TEXT("s")), STORE_OK);
	assert_int_equal(add_identity(b.id, AS_TEXT("p"), AS_TEXT("s")),
			 STORE_ALREADY_THERE);
	assert_int_equal(add_identity("4000000000", AS_TEXT("p"), AS_TEXT("t")),
			 STORE_FAILED);
	assert_int_equal(add_identity(b.id, AS_TEXT("p"), AS_TEXT("t")), STORE_OK);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), 2);
}

static enum store_outcome user_find(bool subject_decides, struct text email,
				    struct text phone, struct text subject,
				    struct store_user *out)
{
	struct problem p = { 0 };

	return store_user_find(the->store, subject_decides, email, phone, AS_TEXT("p"),
			       subject, out, &p);
}

static void a_user_is_found_without_a_login(void **state)
{
	const struct store_user a = user_with("a@example.com");
	const struct text none = TEXT(""), mail = TEXT("a@example.com");
	struct store_user b, out;

	(void)state;
	assert_int_equal(add_text(none, AS_TEXT("+12025550101"), &b), STORE_OK);
	assert_int_equal(add_identity(b.id, AS_TEXT("p"), AS_TEXT("s")), STORE_OK);
	assert_int_equal(user_find(false, mail, none, AS_TEXT("s"), &out), STORE_OK);
	assert_string_equal(out.id, a.id);
	assert_true(out.active);
	assert_int_equal(user_find(true, mail, none, AS_TEXT("s"), &out), STORE_OK);
	assert_string_equal(out.id, b.id);
	assert_int_equal(user_find(false, none, AS_TEXT("+12025550101"), none, &out),
			 STORE_OK);
	assert_string_equal(out.id, b.id);
	assert_int_equal(user_find(true, mail, none, AS_TEXT("t"), &out),
			 STORE_NOT_FOUND);
	assert_int_equal(
		user_find(false, AS_TEXT("c@example.com"), none, AS_TEXT("s"), &out),
		STORE_NOT_FOUND);
	assert_int_equal(user_find(false, none, AS_TEXT("+12025550102"), none, &out),
			 STORE_NOT_FOUND);
}

static void a_disabled_user_is_found_as_such(void **state)
{
	const struct store_user a = user_with("a@example.com");
	struct store_session session;
	struct store_match match;
	struct store_user user;

	(void)state;
	add_session(a.id, 1, NOW);
	assert_int_equal(add_identity(a.id, AS_TEXT("p"), AS_TEXT("s")), STORE_OK);
	the->set_active(a.id, false);
	assert_int_equal(by_email(AS_TEXT("a@example.com"), &match), STORE_OK);
	assert_false(match.user.active);
	assert_int_equal(by_subject(AS_TEXT("p"), AS_TEXT("s"), &match), STORE_OK);
	assert_false(match.user.active);
	assert_int_equal(find_session(1, &session, &user), STORE_OK);
	assert_false(user.active);
	assert_int_equal(user_find(true, AS_TEXT(""), AS_TEXT(""), AS_TEXT("s"), &user),
			 STORE_OK);
	assert_false(user.active);
	the->set_active(a.id, true);
	assert_int_equal(find_session(1, &session, &user), STORE_OK);
	assert_true(user.active);
}

static void a_user_who_is_gone_takes_all_along(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	struct store_match match;

	(void)state;
	add_session(a.id, 1, NOW);
	add_session(b.id, 2, NOW);
	assert_int_equal(add_identity(a.id, AS_TEXT("p"), AS_TEXT("a")), STORE_OK);
	assert_int_equal(add_identity(b.id, AS_TEXT("p"), AS_TEXT("b")), STORE_OK);
	the->erase(a.id);
	assert_false(has_session(1));
	assert_true(has_session(2));
	assert_int_equal(by_email(AS_TEXT("a@example.com"), &match), STORE_NOT_FOUND);
	assert_int_equal(by_subject(AS_TEXT("p"), AS_TEXT("a"), &match), STORE_NOT_FOUND);
	assert_int_equal(by_subject(AS_TEXT("p"), AS_TEXT("b"), &match), STORE_OK);
	assert_int_equal(the->rows(CONTRACT_USERS), 1);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), 1);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 1);
	/* An id is not given out again. */
	assert_string_not_equal(user_with("a@example.com").id, a.id);
}

static void assert_known(struct text email, struct text provider, struct text subject,
			 const struct store_user *wanted)
{
	struct store_user user = { .id = "untouched" };
	struct op op = { run_known, .email = email, .provider = provider,
			 .subject = subject, .user = &user };

	/* The second finds the row as the first has left it, a third changes it again. */
	for (op.now = 0; op.now < 3; op.now += 1 + op.now) {
		assert_int_equal(once(op), wanted ? STORE_OK : STORE_NOT_FOUND);
		assert_string_equal(user.id, wanted ? wanted->id : "untouched");
		if (!wanted)
			continue;
		assert_string_equal(user.email, wanted->email);
		assert_string_equal(user.phone, "");
		assert_true(user.active);
		assert_int_equal(once(op), STORE_OK);
	}
}

/* Nobody else than the rules would find, and none of those about whom they have to say more. */
static void who_is_known_is_found_by_address_and_subject_together(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	const struct text mail = TEXT("a@example.com"), p = TEXT("p"), s = TEXT("s");
	struct store_user caller;
	struct op add = { run_user_add, .phone = TEXT("+4915112345678"),
			  .user = &caller };

	(void)state;
	assert_known(mail, p, s, NULL); /* linked to nobody */
	assert_int_equal(add_identity(b.id, p, s), STORE_OK);
	assert_known(mail, p, s, NULL); /* another's */
	assert_known(AS_TEXT("b@example.com"), p, s, &b);
	assert_int_equal(add_identity(a.id, p, AS_TEXT("s2")), STORE_OK);
	assert_int_equal(add_identity(a.id, AS_TEXT("q"), s), STORE_OK);
	assert_known(mail, p, s, NULL);
	assert_known(mail, p, AS_TEXT("s2"), &a);
	assert_known(mail, AS_TEXT("q"), s, &a);
	assert_known(mail, AS_TEXT("q"), AS_TEXT("s2"), NULL);
	assert_known(mail, AS_TEXT("q"), AS_TEXT("S"), NULL);
	assert_known(mail, AS_TEXT("Q"), s, NULL);
	assert_known(mail, AS_TEXT("q"), AS_TEXT("s "), NULL);
	assert_known(AS_TEXT("A@example.com"), AS_TEXT("q"), s, NULL);
	assert_known(AS_TEXT("a@example.com "), AS_TEXT("q"), s, NULL);
	assert_known(AS_TEXT("a@example.co"), AS_TEXT("q"), s, NULL);
	assert_known(AS_TEXT(""), AS_TEXT("q"), s, NULL);
	the->set_active(a.id, false);
	assert_known(mail, AS_TEXT("q"), s, NULL);
	the->set_active(a.id, true);
	assert_known(mail, AS_TEXT("q"), s, &a);
	/* Without an address: the rules find that one by the number or the subject. */
	assert_int_equal(once(add), STORE_OK);
	assert_int_equal(add_identity(caller.id, AS_TEXT("r"), s), STORE_OK);
	assert_known(AS_TEXT(""), AS_TEXT("r"), s, NULL);
	assert_int_equal(the->rows(CONTRACT_USERS), 3);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), 4);
}

static void an_invitation_is_used_once(void **state)
{
	struct op op = { run_invite_use, .email = TEXT("a@example.com") };

	(void)state;
	assert_int_equal(once(op), STORE_NOT_FOUND);
	the->invite(AS_TEXT("a@example.com"));
	the->invite(AS_TEXT("b@example.com"));
	op.email = AS_TEXT("A@example.com");
	assert_int_equal(once(op), STORE_NOT_FOUND);
	op.email = AS_TEXT("a@example.com ");
	assert_int_equal(once(op), STORE_NOT_FOUND);
	op.email = AS_TEXT("a@example.com");
	assert_int_equal(once(op), STORE_OK);
	assert_int_equal(once(op), STORE_NOT_FOUND);
	op.now = 60; /* nor a minute later */
	assert_int_equal(once(op), STORE_NOT_FOUND);
	op.email = AS_TEXT("b@example.com");
	assert_int_equal(once(op), STORE_OK);
}

int store_contract_users(const struct store_contract *contract)
{
	const struct CMUnitTest tests[] = {
		TEST(a_user_is_found_by_email_with_all_that_is_known),
		TEST(a_user_is_found_by_phone_number),
		TEST(an_address_or_number_that_is_not_there_is_nobodys),
		TEST(a_taken_address_or_number_makes_no_second_user),
		TEST(addresses_are_told_apart_byte_for_byte),
		TEST(subjects_and_providers_are_told_apart_byte_for_byte),
		TEST(what_fits_its_column_is_kept_whole),
		TEST(what_does_not_fit_is_refused_and_never_cut),
		TEST(a_match_tells_whose_the_subject_is),
		TEST(a_subject_leads_to_its_user_alone),
		TEST(an_identity_belongs_to_one_user_who_exists),
		TEST(a_user_is_found_without_a_login),
		TEST(a_disabled_user_is_found_as_such),
		TEST(a_user_who_is_gone_takes_all_along),
		TEST(who_is_known_is_found_by_address_and_subject_together),
		TEST(an_invitation_is_used_once),
	};

	return RUN(contract, tests);
}
