#include "store_contract.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW INT64_C(1795000000)
#define THREADS 50
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct store_contract *the;

static int setup(void **state)
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

static bool run_op(struct store_tx *tx, void *context, struct problem *p)
{
	struct op *op = context;

	op->calls++;
	op->outcome = op->run(tx, op, p);
	return op->outcome != STORE_FAILED;
}

/* STORE_FAILED only ever comes with the problem that the database is away. */
static enum store_outcome once(struct op op)
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

static enum store_outcome run_user_add(struct store_tx *tx, struct op *op,
				       struct problem *p)
{
	return store_user_add(tx, op->email, op->phone, NOW, op->user, p);
}

static enum store_outcome run_by_email(struct store_tx *tx, struct op *op,
				       struct problem *p)
{
	return store_user_by_email(tx, op->email, op->provider, op->subject, op->match,
				   p);
}

static enum store_outcome run_by_phone(struct store_tx *tx, struct op *op,
				       struct problem *p)
{
	return store_user_by_phone(tx, op->phone, op->provider, op->subject, op->match,
				   p);
}

static enum store_outcome run_by_subject(struct store_tx *tx, struct op *op,
					 struct problem *p)
{
	return store_user_by_subject(tx, op->provider, op->subject, op->match, p);
}

static enum store_outcome run_seen(struct store_tx *tx, struct op *op, struct problem *p)
{
	return store_user_seen(tx, op->id, op->now, p);
}

static enum store_outcome run_known(struct store_tx *tx, struct op *op, struct problem *p)
{
	return store_user_known(tx, op->email, op->provider, op->subject, NOW + op->now,
				op->user, p);
}

static enum store_outcome run_identity_add(struct store_tx *tx, struct op *op,
					   struct problem *p)
{
	return store_identity_add(tx, op->id, op->provider, op->subject, op->written, NOW,
				  p);
}

static enum store_outcome run_identity_other(struct store_tx *tx, struct op *op,
					     struct problem *p)
{
	return store_identity_other(tx, op->id, op->provider, op->subject, p);
}

static enum store_outcome run_invite_use(struct store_tx *tx, struct op *op,
					 struct problem *p)
{
	return store_invite_use(tx, op->email, NOW + op->now, p);
}

static enum store_outcome run_session_add(struct store_tx *tx, struct op *op,
					  struct problem *p)
{
	return store_session_add(tx, op->id, op->hash, op->session, p);
}

static enum store_outcome run_drop(struct store_tx *tx, struct op *op, struct problem *p)
{
	return store_session_drop(tx, op->hash, p);
}

static enum store_outcome run_trim(struct store_tx *tx, struct op *op, struct problem *p)
{
	return store_session_trim(tx, op->id, op->session->id, op->keep, p);
}

static enum store_outcome add_text(struct text email, struct text phone,
				   struct store_user *user)
{
	return once((struct op){ run_user_add, .email = email, .phone = phone,
				 .user = user });
}

/* A user who is known by EMAIL. */
static struct store_user user_with(const char *email)
{
	struct store_user user = { 0 };

	assert_int_equal(add_text(text_of(email), AS_TEXT(""), &user), STORE_OK);
	return user;
}

static enum store_outcome by_email(struct text email, struct store_match *match)
{
	return once((struct op){ run_by_email, .email = email, .provider = TEXT("p"),
				 .subject = TEXT("none"), .match = match });
}

static enum store_outcome add_identity(const char *user_id, struct text provider,
				       struct text subject)
{
	return once((struct op){ run_identity_add, .id = user_id, .provider = provider,
				 .subject = subject, .written = TEXT("A@Example.com") });
}

static enum store_outcome by_subject(struct text provider, struct text subject,
				     struct store_match *match)
{
	return once((struct op){ run_by_subject, .provider = provider, .subject = subject,
				 .match = match });
}

/* Has the user a subject of provider "p" besides this one? */
static enum store_outcome other_than(const char *user_id, struct text subject)
{
	return once((struct op){ run_identity_other, .id = user_id, .provider = TEXT("p"),
				 .subject = subject });
}

/* A hash that is told from others by its number. */
static const unsigned char *hash_number(unsigned number)
{
	static _Thread_local unsigned char hash[SHA256_BYTES];

	memset(hash, 0xa5, sizeof(hash));
	memcpy(hash, &number, sizeof(number));
	return hash;
}

static struct store_session session_from(int64_t created_at)
{
	return (struct store_session){ .provider = "google",
				       .address = "192.0.2.7",
				       .user_agent = "Browser/1.0",
				       .created_at = created_at,
				       .last_seen_at = created_at,
				       .expires_at = created_at + 1000 };
}

static struct store_session add_session(const char *user_id, unsigned number,
					int64_t created_at)
{
	struct store_session session = session_from(created_at);

	assert_int_equal(
		once((struct op){ run_session_add, .id = user_id,
				  .hash = hash_number(number), .session = &session }),
		STORE_OK);
	return session;
}

static enum store_outcome find_session(unsigned number, struct store_session *session,
				       struct store_user *user)
{
	struct problem p = { 0 };

	return store_session_find(the->store, hash_number(number), session, user, &p);
}

static enum store_outcome run_token_use(struct store_tx *tx, struct op *op,
					struct problem *p)
{
	return store_token_use(tx, op->hash, op->now, op->now + 1000, op->time, p);
}

/* When was this token used for the first time? */
static int64_t use_token(unsigned number, int64_t now)
{
	int64_t first = -1;

	assert_int_equal(once((struct op){ run_token_use, .hash = hash_number(number),
					   .now = now, .time = &first }),
			 STORE_OK);
	return first;
}

static bool has_session(unsigned number)
{
	struct store_session session;
	struct store_user user;
	const enum store_outcome outcome = find_session(number, &session, &user);

	assert_int_not_equal(outcome, STORE_FAILED);
	return outcome == STORE_OK;
}

/* ---- users */

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

/* ---- transactions */

static bool add_and_refuse(struct store_tx *tx, void *context, struct problem *p)
{
	struct store_session session = session_from(NOW);
	struct store_user user;

	(void)context;
	assert_int_equal(store_invite_use(tx, AS_TEXT("a@example.com"), NOW, p),
			 STORE_OK);
	assert_int_equal(
		store_user_add(tx, AS_TEXT("a@example.com"), AS_TEXT(""), NOW, &user, p),
		STORE_OK);
	assert_int_equal(store_identity_add(tx, user.id, AS_TEXT("p"), AS_TEXT("s"),
					    AS_TEXT(""), NOW, p),
			 STORE_OK);
	assert_int_equal(store_session_add(tx, user.id, hash_number(1), &session, p),
			 STORE_OK);
	return problem(p, SIGNUP_CLOSED, "on second thoughts");
}

static void what_is_refused_leaves_nothing(void **state)
{
	struct problem p = { 0 };

	(void)state;
	the->invite(AS_TEXT("a@example.com"));
	assert_false(store_transact(the->store, add_and_refuse, NULL, &p));
	assert_int_equal(p.kind, PROBLEM_SIGNUP_CLOSED);
	assert_int_equal(the->rows(CONTRACT_USERS), 0);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), 0);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 0);
	/* The same can be done after it, and the invitation was not spent. */
	assert_int_equal(
		once((struct op){ run_invite_use, .email = TEXT("a@example.com") }),
		STORE_OK);
	add_session(user_with("a@example.com").id, 1, NOW);
}

static bool look_from_inside_and_outside(struct store_tx *tx, void *context,
					 struct problem *p)
{
	struct store_session session = session_from(NOW), seen;
	struct store_match match;
	struct store_user user, seen_user;

	(void)context;
	assert_int_equal(
		store_user_add(tx, AS_TEXT("a@example.com"), AS_TEXT(""), NOW, &user, p),
		STORE_OK);
	assert_int_equal(store_session_add(tx, user.id, hash_number(1), &session, p),
			 STORE_OK);
	assert_int_equal(store_user_by_email(tx, AS_TEXT("a@example.com"), AS_TEXT("p"),
					     AS_TEXT("s"), &match, p),
			 STORE_OK);
	assert_string_equal(match.user.id, user.id);
	assert_int_equal(find_session(1, &seen, &seen_user), STORE_NOT_FOUND);
	return true;
}

static void nobody_sees_what_is_not_committed(void **state)
{
	struct problem p = { 0 };

	(void)state;
	assert_true(store_transact(the->store, look_from_inside_and_outside, NULL, &p));
	assert_true(has_session(1));
}

static bool end_and_look_outside(struct store_tx *tx, void *context, struct problem *p)
{
	(void)context;
	assert_int_equal(store_session_drop(tx, hash_number(1), p), STORE_OK);
	assert_true(has_session(1));
	return true;
}

static void a_session_lives_until_its_end_is_committed(void **state)
{
	struct problem p = { 0 };

	(void)state;
	add_session(user_with("a@example.com").id, 1, NOW);
	assert_true(store_transact(the->store, end_and_look_outside, NULL, &p));
	assert_false(has_session(1));
}

/* A refused INSERT does not end its transaction. */
static bool go_on_after_a_taken_key(struct store_tx *tx, void *context, struct problem *p)
{
	struct store_user user;

	(void)context;
	assert_int_equal(store_user_add(tx, AS_TEXT("first@example.com"), AS_TEXT(""),
					NOW, &user, p),
			 STORE_OK);
	assert_int_equal(store_user_add(tx, AS_TEXT("taken@example.com"), AS_TEXT(""),
					NOW, &user, p),
			 STORE_ALREADY_THERE);
	assert_int_equal(p->kind, PROBLEM_NONE);
	assert_int_equal(store_user_add(tx, AS_TEXT("last@example.com"), AS_TEXT(""), NOW,
					&user, p),
			 STORE_OK);
	return true;
}

static void a_taken_key_is_an_outcome_and_no_failure(void **state)
{
	struct problem p = { 0 };

	(void)state;
	user_with("taken@example.com");
	assert_true(store_transact(the->store, go_on_after_a_taken_key, NULL, &p));
	assert_int_equal(the->rows(CONTRACT_USERS), 3);
}

struct repeat {
	unsigned calls, wanted;
	bool may_be_done;
};

static bool add_then_again(struct store_tx *tx, void *context, struct problem *p)
{
	struct repeat *r = context;
	struct store_user user;

	r->calls++;
	r->may_be_done |= store_tx_may_be_done(tx);
	if (store_user_add(tx, AS_TEXT("a@example.com"), AS_TEXT(""), NOW, &user, p) !=
	    STORE_OK)
		return problem(p, INTERNAL, "the attempt before was not rolled back");
	return r->calls >= r->wanted || store_tx_again(tx, p);
}

static void a_transaction_is_started_over_when_it_asks_for_it(void **state)
{
	struct repeat r = { .wanted = 3 };
	struct problem p = { 0 };

	(void)state;
	assert_true(store_transact(the->store, add_then_again, &r, &p));
	assert_int_equal(r.calls, 3);
	assert_int_equal(p.kind, PROBLEM_NONE);
	assert_false(r.may_be_done);
	assert_int_equal(the->rows(CONTRACT_USERS), 1);
}

static void a_transaction_is_started_over_a_few_times_at_most(void **state)
{
	struct repeat r = { .wanted = 1000 };
	struct problem p = { 0 };

	(void)state;
	assert_false(store_transact(the->store, add_then_again, &r, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
	assert_true(r.calls >= 2 && r.calls <= 10);
	assert_int_equal(the->rows(CONTRACT_USERS), 0);
}

/* ---- sessions */

static void a_session_is_found_as_it_was_stored(void **state)
{
	const struct store_user a = user_with("a@example.com");
	struct store_session stored = {
		.provider = "cotter",
		.address = "2001:db8::1",
		.created_at = NOW,
		.last_seen_at = NOW + 1,
		.expires_at = INT64_C(4102444800) /* 2100 */
	};
	struct store_session found[2] = { 0 };
	struct store_user user;
	struct problem p = { 0 };

	(void)state;
	memset(stored.user_agent, '~', 255);
	assert_int_equal(once((struct op){ run_session_add, .id = a.id,
					   .hash = hash_number(1), .session = &stored }),
			 STORE_OK);
	assert_int_equal(find_session(1, &found[0], &user), STORE_OK);
	assert_string_equal(user.id, a.id);
	assert_int_equal(store_session_by_id(the->store, stored.id, &found[1], &user, &p),
			 STORE_OK);
	assert_string_equal(user.id, a.id);
	assert_string_equal(user.email, "a@example.com");
	assert_true(user.active);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(found[i].id, stored.id);
		assert_string_equal(found[i].provider, "cotter");
		assert_string_equal(found[i].address, "2001:db8::1");
		assert_string_equal(found[i].user_agent, stored.user_agent);
		assert_int_equal(found[i].created_at, NOW);
		assert_int_equal(found[i].last_seen_at, NOW + 1);
		assert_int_equal(found[i].expires_at, INT64_C(4102444800));
		assert_int_equal(found[i].generation, 0);
		assert_int_equal(found[i].rotated_at, 0);
		assert_memory_equal(found[i].hash, hash_number(1), SHA256_BYTES);
	}
}

/* What 32 bits of seconds cannot say: after 2038, and the last second that a token can name. */
static void times_go_beyond_2038(void **state)
{
	static const int64_t times[] = { 0,	     1,		  2147483647,  2147483648,
					 4294967296, 16725225600, 253402300799 };
	const struct store_user a = user_with("a@example.com");
	struct store_session session;
	struct store_user user;

	(void)state;
	for (unsigned i = 0; i < COUNT(times); i++) {
		struct store_session s = { .created_at = times[i],
					   .last_seen_at = times[i],
					   .expires_at = times[i] };

		assert_int_equal(
			once((struct op){ run_session_add, .id = a.id,
					  .hash = hash_number(i), .session = &s }),
			STORE_OK);
		assert_int_equal(find_session(i, &session, &user), STORE_OK);
		assert_int_equal(session.created_at, times[i]);
		assert_int_equal(session.last_seen_at, times[i]);
		assert_int_equal(session.expires_at, times[i]);
		assert_string_equal(session.user_agent, "");
	}
}

static void hashes_are_told_apart_byte_for_byte(void **state)
{
	static const unsigned char tails[] = { 0x00, 0x20, 0x41, 0x61, 0xc1, 0xff };
	const struct store_user a = user_with("a@example.com");
	unsigned char hash[SHA256_BYTES];
	struct store_session sessions[COUNT(tails)], found;
	struct problem p = { 0 };
	struct store_user user;

	(void)state;
	for (size_t i = 0; i < COUNT(tails); i++) {
		memset(hash, tails[i], sizeof(hash));
		sessions[i] = session_from(NOW);
		assert_int_equal(
			once((struct op){ run_session_add, .id = a.id, .hash = hash,
					  .session = &sessions[i] }),
			STORE_OK);
	}
	for (size_t i = 0; i < COUNT(tails); i++) {
		memset(hash, tails[i], sizeof(hash));
		assert_int_equal(store_session_find(the->store, hash, &found, &user, &p),
				 STORE_OK);
		assert_string_equal(found.id, sessions[i].id);
		hash[31] ^= 1;
		assert_int_equal(store_session_find(the->store, hash, &found, &user, &p),
				 STORE_NOT_FOUND);
	}
}

static void a_taken_hash_makes_no_second_session(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	struct store_session session = session_from(NOW);
	struct op op = { run_session_add, .id = b.id, .hash = hash_number(1),
			 .session = &session };

	(void)state;
	add_session(a.id, 1, NOW);
	assert_int_equal(once(op), STORE_ALREADY_THERE);
	assert_string_equal(session.id, "");
	op.hash = hash_number(2);
	assert_int_equal(once(op), STORE_OK);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 2);
}

static void a_session_needs_a_user_who_exists(void **state)
{
	const struct store_user a = user_with("a@example.com");
	struct store_session session = session_from(NOW);
	struct op op = { run_session_add, .id = "4000000000", .hash = hash_number(1),
			 .session = &session };

	(void)state;
	assert_int_equal(once(op), STORE_FAILED);
	op.id = a.id;
	assert_int_equal(once(op), STORE_OK);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 1);
}

static void a_session_is_dropped_by_its_hash(void **state)
{
	const struct store_user a = user_with("a@example.com");

	(void)state;
	add_session(a.id, 1, NOW);
	add_session(a.id, 2, NOW);
	assert_int_equal(once((struct op){ run_drop, .hash = hash_number(3) }), STORE_OK);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 2);
	assert_int_equal(once((struct op){ run_drop, .hash = hash_number(1) }), STORE_OK);
	assert_false(has_session(1));
	assert_true(has_session(2));
}

static void the_oldest_sessions_beyond_the_limit_end(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	struct store_session oldest, newest;
	struct op op = { run_trim, .id = a.id, .session = &newest, .keep = 5 };

	(void)state;
	/* Not stored in the order of their age; 4 and 5 are of one second. */
	add_session(a.id, 3, NOW - 30);
	oldest = add_session(a.id, 1, NOW - 50);
	add_session(a.id, 2, NOW - 40);
	add_session(a.id, 4, NOW);
	newest = add_session(a.id, 5, NOW);
	add_session(b.id, 6, NOW - 99);
	assert_int_equal(once(op), STORE_OK);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 6);
	/* The one that has just begun stands, whatever the clocks of the others said. */
	op.session = &oldest;
	op.keep = 4;
	assert_int_equal(once(op), STORE_OK);
	assert_true(has_session(1) && !has_session(2));
	op.session = &newest;
	op.keep = 3;
	assert_int_equal(once(op), STORE_OK);
	assert_false(has_session(1));
	assert_true(has_session(3) && has_session(4) && has_session(5) && has_session(6));
	op.keep = 1;
	assert_int_equal(once(op), STORE_OK);
	assert_true(has_session(5) && has_session(6));
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 2);
}

static void a_touch_moves_last_seen_and_nothing_else(void **state)
{
	const struct store_user a = user_with("a@example.com");
	const struct store_session s1 = add_session(a.id, 1, NOW);
	struct store_session found;
	struct problem p = { 0 };
	struct store_user user;

	(void)state;
	add_session(a.id, 2, NOW);
	assert_int_equal(store_session_touch(the->store, s1.id, NOW + 77, &p), STORE_OK);
	assert_int_equal(find_session(1, &found, &user), STORE_OK);
	assert_int_equal(found.last_seen_at, NOW + 77);
	assert_int_equal(found.created_at, NOW);
	assert_int_equal(found.expires_at, NOW + 1000);
	assert_int_equal(find_session(2, &found, &user), STORE_OK);
	assert_int_equal(found.last_seen_at, NOW);
	/* One that has ended meanwhile is none of a touch's business. */
	assert_int_equal(store_session_touch(the->store, "4000000000", NOW, &p),
			 STORE_OK);
	assert_int_equal(once((struct op){ run_seen, .id = "4000000000", .now = NOW }),
			 STORE_OK);
}

static uint64_t end_of(const char *user_id, const char *session_id, bool others)
{
	struct problem p = { 0 };
	uint64_t ended = 99;

	assert_int_equal(
		store_session_end(the->store, user_id, session_id, others, &ended, &p),
		STORE_OK);
	return ended;
}

static void a_session_is_ended_by_its_owner_only(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	const struct store_session s1 = add_session(a.id, 1, NOW);

	(void)state;
	add_session(a.id, 2, NOW);
	assert_int_equal(end_of(b.id, s1.id, false), 0);
	assert_true(has_session(1));
	assert_int_equal(end_of(a.id, s1.id, false), 1);
	assert_false(has_session(1));
	assert_true(has_session(2));
	assert_int_equal(end_of(a.id, s1.id, false), 0);
}

static void the_others_or_all_of_ones_sessions_end(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	struct store_session this;

	(void)state;
	add_session(a.id, 1, NOW);
	this = add_session(a.id, 2, NOW);
	add_session(a.id, 3, NOW);
	add_session(b.id, 4, NOW);
	assert_int_equal(end_of(a.id, this.id, true), 2);
	assert_true(has_session(2) && has_session(4));
	assert_false(has_session(1) || has_session(3));
	add_session(a.id, 5, NOW);
	assert_int_equal(end_of(a.id, NULL, false), 2);
	assert_true(has_session(4));
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 1);
	assert_int_equal(end_of(a.id, NULL, true), 0);
}

/* "12x" is not 12: an id that is no number is nobody's. */
static void an_id_that_is_no_number_is_nobodys(void **state)
{
	static const struct {
		const char *before, *after;
	} forms[] = { { "", "x" },  { " ", "" },  { "+", "" }, { "-", "" },
		      { "", ".0" }, { "0x", "" }, { "", " " } };
	const struct store_user a = user_with("a@example.com");
	const struct store_session s = add_session(a.id, 1, NOW);
	struct store_session found;
	struct problem p = { 0 };
	struct store_user user;

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		char id[STORE_ID_SIZE + 8];

		snprintf(id, sizeof(id), "%s%s%s", forms[i].before, s.id, forms[i].after);
		assert_int_equal(end_of(a.id, id, false), 0);
		assert_int_equal(store_session_by_id(the->store, id, &found, &user, &p),
				 STORE_NOT_FOUND);
	}
	assert_int_equal(end_of(a.id, "", false), 0);
	assert_true(has_session(1));
	assert_int_equal(store_session_by_id(the->store, s.id, &found, &user, &p),
			 STORE_OK);
}

struct listed {
	size_t count;
	char ids[8][STORE_ID_SIZE];
	struct store_session last;
};

static void note_session(void *context, const struct store_session *session)
{
	struct listed *l = context;

	assert_true(l->count < COUNT(l->ids));
	snprintf(l->ids[l->count++], STORE_ID_SIZE, "%s", session->id);
	l->last = *session;
}

static void ones_live_sessions_are_listed_newest_first(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	struct store_session middle = add_session(a.id, 1, NOW - 5);
	struct store_session oldest = add_session(a.id, 2, NOW - 999);
	struct store_session first = add_session(a.id, 3, NOW);
	struct store_session second = add_session(a.id, 4, NOW);
	struct problem p = { 0 };
	struct listed l = { 0 };

	(void)state;
	add_session(a.id, 5, NOW - 1000); /* expires now */
	add_session(a.id, 6, NOW - 1001);
	add_session(b.id, 7, NOW);
	assert_int_equal(store_session_each(the->store, a.id, NOW, note_session, &l, &p),
			 STORE_OK);
	assert_int_equal(l.count, 4);
	assert_string_equal(l.ids[0], second.id);
	assert_string_equal(l.ids[1], first.id);
	assert_string_equal(l.ids[2], middle.id);
	assert_string_equal(l.ids[3], oldest.id);
	assert_string_equal(l.last.provider, "google");
	assert_string_equal(l.last.address, "192.0.2.7");
	assert_string_equal(l.last.user_agent, "Browser/1.0");
	assert_int_equal(l.last.created_at, NOW - 999);
	assert_int_equal(l.last.last_seen_at, NOW - 999);
	assert_int_equal(l.last.expires_at, NOW + 1);
	l.count = 0;
	assert_int_equal(
		store_session_each(the->store, "4000000000", NOW, note_session, &l, &p),
		STORE_OK);
	assert_int_equal(l.count, 0);
}

static uint64_t purge(int64_t now, unsigned limit)
{
	struct problem p = { 0 };
	uint64_t removed = 99;

	assert_int_equal(store_session_purge(the->store, now, limit, &removed, &p),
			 STORE_OK);
	return removed;
}

static void expired_sessions_go_in_batches_the_oldest_first(void **state)
{
	const struct store_user a = user_with("a@example.com");

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		add_session(a.id, i, NOW - 1001 - i);
	add_session(a.id, 10, NOW - 1000); /* expires at NOW */
	add_session(a.id, 11, NOW);
	assert_int_equal(purge(NOW, 2), 2);
	assert_false(has_session(4) || has_session(3));
	assert_true(has_session(2));
	assert_int_equal(purge(NOW, 2), 2);
	assert_int_equal(purge(NOW, 2), 1);
	assert_int_equal(purge(NOW, 2), 0);
	assert_true(has_session(10) && has_session(11));
	assert_int_equal(purge(NOW + 1, 100), 1);
	assert_true(has_session(11));
}

static enum store_outcome rotate(const char *session_id, uint64_t from, int64_t now)
{
	struct problem p = { 0 };

	return store_session_rotate(the->store, session_id, from, now, &p);
}

static void a_refresh_token_is_taken_on_from_where_it_is(void **state)
{
	const struct store_user a = user_with("a@example.com");
	const struct store_session s = add_session(a.id, 1, NOW);
	struct store_session found;
	struct store_user user;

	(void)state;
	add_session(a.id, 2, NOW);
	assert_int_equal(rotate(s.id, 1, NOW + 10), STORE_NOT_FOUND);
	assert_int_equal(rotate("4000000000", 0, NOW + 10), STORE_NOT_FOUND);
	assert_int_equal(rotate(s.id, 0, NOW + 10), STORE_OK);
	assert_int_equal(rotate(s.id, 0, NOW + 20), STORE_NOT_FOUND);
	assert_int_equal(find_session(1, &found, &user), STORE_OK);
	assert_int_equal(found.generation, 1);
	assert_int_equal(found.rotated_at, NOW + 10);
	assert_int_equal(found.last_seen_at, NOW + 10);
	assert_int_equal(rotate(s.id, 1, NOW + 20), STORE_OK);
	assert_int_equal(find_session(1, &found, &user), STORE_OK);
	assert_int_equal(found.generation, 2);
	assert_int_equal(find_session(2, &found, &user), STORE_OK);
	assert_int_equal(found.generation, 0);
}

static void a_used_token_is_known_by_its_first_use(void **state)
{
	(void)state;
	assert_int_equal(use_token(1, NOW), NOW);
	assert_int_equal(use_token(1, NOW + 50), NOW);
	assert_int_equal(use_token(2, NOW + 60), NOW + 60);
	assert_int_equal(use_token(1, NOW + 70), NOW);
	assert_int_equal(the->rows(CONTRACT_USED_TOKENS), 2);
}

static void to_ask_whether_a_token_was_used_is_no_use_of_it(void **state)
{
	struct problem p = { 0 };
	int64_t first = -1;

	(void)state;
	assert_int_equal(store_token_used(the->store, hash_number(1), &first, &p),
			 STORE_NOT_FOUND);
	assert_int_equal(first, -1);
	assert_int_equal(the->rows(CONTRACT_USED_TOKENS), 0);
	assert_int_equal(use_token(1, NOW), NOW);
	assert_int_equal(use_token(2, NOW + 9), NOW + 9);
	assert_int_equal(store_token_used(the->store, hash_number(1), &first, &p),
			 STORE_OK);
	assert_int_equal(first, NOW);
}

static bool use_and_refuse(struct store_tx *tx, void *context, struct problem *p)
{
	int64_t first;

	(void)context;
	assert_int_equal(store_token_use(tx, hash_number(1), NOW, NOW + 9, &first, p),
			 STORE_OK);
	return problem(p, ACCOUNT_DISABLED, "not today");
}

static void a_token_of_a_refused_login_is_not_used_up(void **state)
{
	struct problem p = { 0 };

	(void)state;
	assert_false(store_transact(the->store, use_and_refuse, NULL, &p));
	assert_int_equal(use_token(1, NOW + 50), NOW + 50);
}

static void used_tokens_are_forgotten_when_they_have_expired(void **state)
{
	const struct store_user a = user_with("a@example.com");

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		use_token(i, NOW + i); /* expire 1000 later */
	add_session(a.id, 1, NOW - 1000);
	assert_int_equal(purge(NOW + 1000, 9), 1);
	assert_int_equal(the->rows(CONTRACT_USED_TOKENS), 3);
	assert_int_equal(purge(NOW + 1001, 9), 0); /* only sessions are counted */
	assert_int_equal(the->rows(CONTRACT_USED_TOKENS), 2);
	assert_int_equal(purge(NOW + 9999, 1), 0);
	assert_int_equal(the->rows(CONTRACT_USED_TOKENS), 1);
	assert_int_equal(use_token(2, NOW + 5000), NOW + 2);
}

/* ---- races; threads only note what they saw, and it is judged afterwards */

struct racer {
	pthread_barrier_t *start;
	unsigned number;
	void (*run)(struct racer *r);
	const char *id;
	bool good, won;
	char user_id[STORE_ID_SIZE];
};

static void *race_thread(void *context)
{
	struct racer *r = context;

	store_thread_start();
	pthread_barrier_wait(r->start);
	r->run(r);
	store_thread_end();
	return NULL;
}

static void race(struct racer racers[THREADS], void (*run)(struct racer *r),
		 const char *id)
{
	pthread_t threads[THREADS];
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){
			.start = &start, .number = i, .run = run, .id = id
		};
		assert_int_equal(
			pthread_create(&threads[i], NULL, race_thread, &racers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
}

static unsigned winners(const struct racer racers[THREADS])
{
	unsigned count = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		if (!racers[i].good)
			fail_msg("thread %u got no answer", i);
		count += racers[i].won;
	}
	return count;
}

/* As a login does it: looked for, added, and where somebody was faster started over. */
static bool find_or_add(struct store_tx *tx, void *context, struct problem *p)
{
	const struct text email = TEXT("new@example.com"), provider = TEXT("p"),
			  subject = TEXT("s");
	struct racer *r = context;
	struct store_match match;
	enum store_outcome outcome;

	r->won = false;
	outcome = store_user_by_email(tx, email, provider, subject, &match, p);
	if (outcome == STORE_NOT_FOUND) {
		r->won = true;
		outcome = store_user_add(tx, email, AS_TEXT(""), NOW, &match.user, p);
		if (outcome == STORE_OK)
			outcome = store_identity_add(tx, match.user.id, provider, subject,
						     email, NOW, p);
		if (outcome == STORE_ALREADY_THERE)
			return store_tx_again(tx, p);
	} else if (outcome == STORE_OK) {
		outcome = store_user_seen(tx, match.user.id, NOW, p);
	}
	if (outcome == STORE_OK) {
		struct store_session session = session_from(NOW);

		outcome = store_session_add(tx, match.user.id, hash_number(r->number),
					    &session, p);
	}
	if (outcome != STORE_OK)
		return false;
	snprintf(r->user_id, sizeof(r->user_id), "%s", match.user.id);
	return true;
}

static void race_to_add(struct racer *r)
{
	struct problem p = { 0 };

	r->good = store_transact(the->store, find_or_add, r, &p);
}

static void fifty_first_logins_at_once_make_one_user(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	race(racers, race_to_add, NULL);
	assert_int_equal(winners(racers), 1);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_string_equal(racers[i].user_id, racers[0].user_id);
		assert_true(has_session(i));
	}
	assert_int_equal(the->rows(CONTRACT_USERS), 1);
	assert_int_equal(the->rows(CONTRACT_IDENTITIES), 1);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), THREADS);
}

static void race_to_use_an_invite(struct racer *r)
{
	struct op op = { run_invite_use, .email = TEXT("a@example.com"),
			 .now = r->number };
	struct problem p = { 0 };

	r->good = store_transact(the->store, run_op, &op, &p);
	r->won = op.outcome == STORE_OK;
}

static void fifty_at_once_use_an_invitation_once(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	the->invite(AS_TEXT("a@example.com"));
	race(racers, race_to_use_an_invite, NULL);
	assert_int_equal(winners(racers), 1);
}

static void race_to_rotate(struct racer *r)
{
	struct problem p = { 0 };
	const enum store_outcome outcome =
		store_session_rotate(the->store, r->id, 0, NOW, &p);

	r->good = outcome != STORE_FAILED;
	r->won = outcome == STORE_OK;
}

static bool use_or_again(struct store_tx *tx, void *context, struct problem *p)
{
	struct racer *r = context;
	int64_t first;

	/* Only the one that was first is told its own time. */
	switch (store_token_use(tx, hash_number(1), NOW + r->number, NOW + 999, &first,
				p)) {
	case STORE_OK:
		r->won = first == NOW + r->number;
		return true;
	case STORE_ALREADY_THERE:
		return store_tx_again(tx, p);
	default:
		return false;
	}
}

static void race_to_use_a_token(struct racer *r)
{
	struct problem p = { 0 };

	r->good = store_transact(the->store, use_or_again, r, &p);
}

static void fifty_at_once_use_a_token_first_once(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	race(racers, race_to_use_a_token, NULL);
	assert_int_equal(winners(racers), 1);
	assert_int_equal(the->rows(CONTRACT_USED_TOKENS), 1);
}

static void fifty_at_once_take_a_refresh_token_on_once(void **state)
{
	struct racer racers[THREADS];
	struct store_session s;

	(void)state;
	s = add_session(user_with("a@example.com").id, 1, NOW);
	race(racers, race_to_rotate, s.id);
	assert_int_equal(winners(racers), 1);
}

static bool add_and_trim(struct store_tx *tx, void *context, struct problem *p)
{
	struct racer *r = context;
	struct store_session session = session_from(NOW);

	return store_user_seen(tx, r->id, NOW, p) == STORE_OK &&
	       store_session_add(tx, r->id, hash_number(r->number), &session, p) ==
		       STORE_OK &&
	       store_session_trim(tx, r->id, session.id, 3, p) == STORE_OK;
}

static void race_to_trim(struct racer *r)
{
	struct problem p = { 0 };

	r->good = store_transact(the->store, add_and_trim, r, &p);
}

/* Each sees the sessions of those before, since user_seen holds the user. */
static void fifty_logins_at_once_keep_to_the_limit_of_sessions(void **state)
{
	const struct store_user a = user_with("a@example.com");
	struct racer racers[THREADS];

	(void)state;
	race(racers, race_to_trim, a.id);
	assert_int_equal(winners(racers), 0);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 3);
}

static void race_to_end(struct racer *r)
{
	struct problem p = { 0 };
	uint64_t ended = 0;

	r->good =
		store_session_end(the->store, r->id, NULL, false, &ended, &p) == STORE_OK;
	r->won = ended != 0;
}

static void fifty_logouts_at_once_are_all_answered(void **state)
{
	const struct store_user a = user_with("a@example.com");
	struct racer racers[THREADS];

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		add_session(a.id, i, NOW);
	race(racers, race_to_end, a.id);
	assert_true(winners(racers) >= 1);
	assert_int_equal(the->rows(CONTRACT_SESSIONS), 0);
}

/* ---- a deadlock */

struct crossing {
	pthread_barrier_t *met;
	const char *first, *second;
	unsigned calls;
	bool good;
};

static bool see_both(struct store_tx *tx, void *context, struct problem *p)
{
	struct crossing *c = context;

	if (store_user_seen(tx, c->first, NOW, p) != STORE_OK)
		return false;
	if (c->calls++ == 0)
		pthread_barrier_wait(
			c->met); /* both hold their first and want the other */
	return store_user_seen(tx, c->second, NOW, p) == STORE_OK;
}

static void *cross(void *context)
{
	struct crossing *c = context;
	struct problem p = { 0 };

	store_thread_start();
	c->good = store_transact(the->store, see_both, c, &p);
	store_thread_end();
	return NULL;
}

static void a_deadlock_is_started_over_and_both_get_through(void **state)
{
	const struct store_user a = user_with("a@example.com"),
				b = user_with("b@example.com");
	pthread_barrier_t met;
	struct crossing one = { &met, a.id, b.id, 0, false };
	struct crossing other = { &met, b.id, a.id, 0, false };
	pthread_t thread;

	(void)state;
	pthread_barrier_init(&met, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, cross, &other), 0);
	cross(&one);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&met);
	assert_true(one.good && other.good);
	assert_true(one.calls + other.calls >= 3); /* one of them was the victim */
}

/* ---- the schema */

static void the_store_answers_with_the_schema_that_is_needed(void **state)
{
	struct problem p = { 0 };
	char description[128] = "";
	int version = 0;

	(void)state;
	assert_true(store_ping(the->store, &p));
	assert_true(store_schema_version(the->store, &version, &p));
	assert_int_equal(version, STORE_SCHEMA_VERSION);
	assert_true(store_describe(the->store, description, sizeof(description), &p));
	assert_true(*description);
	assert_int_equal(p.kind, PROBLEM_NONE);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int store_contract_run(const struct store_contract *contract)
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
		TEST(what_is_refused_leaves_nothing),
		TEST(nobody_sees_what_is_not_committed),
		TEST(a_session_lives_until_its_end_is_committed),
		TEST(a_taken_key_is_an_outcome_and_no_failure),
		TEST(a_transaction_is_started_over_when_it_asks_for_it),
		TEST(a_transaction_is_started_over_a_few_times_at_most),
		TEST(a_session_is_found_as_it_was_stored),
		TEST(times_go_beyond_2038),
		TEST(hashes_are_told_apart_byte_for_byte),
		TEST(a_taken_hash_makes_no_second_session),
		TEST(a_session_needs_a_user_who_exists),
		TEST(a_session_is_dropped_by_its_hash),
		TEST(the_oldest_sessions_beyond_the_limit_end),
		TEST(a_touch_moves_last_seen_and_nothing_else),
		TEST(a_session_is_ended_by_its_owner_only),
		TEST(the_others_or_all_of_ones_sessions_end),
		TEST(an_id_that_is_no_number_is_nobodys),
		TEST(ones_live_sessions_are_listed_newest_first),
		TEST(expired_sessions_go_in_batches_the_oldest_first),
		TEST(a_refresh_token_is_taken_on_from_where_it_is),
		TEST(a_used_token_is_known_by_its_first_use),
		TEST(to_ask_whether_a_token_was_used_is_no_use_of_it),
		TEST(a_token_of_a_refused_login_is_not_used_up),
		TEST(used_tokens_are_forgotten_when_they_have_expired),
		TEST(fifty_first_logins_at_once_make_one_user),
		TEST(fifty_at_once_use_an_invitation_once),
		TEST(fifty_at_once_use_a_token_first_once),
		TEST(fifty_at_once_take_a_refresh_token_on_once),
		TEST(fifty_logins_at_once_keep_to_the_limit_of_sessions),
		TEST(fifty_logouts_at_once_are_all_answered),
		TEST(a_deadlock_is_started_over_and_both_get_through),
		TEST(the_store_answers_with_the_schema_that_is_needed),
	};

	the = contract;
	return cmocka_run_group_tests_name(contract->name, tests, NULL, NULL);
}
