#include "../lib/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fakes/fake_store.h"

#define NOW INT64_C(1795000000)
#define DAY 86400

static struct store *store;
static struct config_session config;
static const struct session_client client = { TEXT("192.0.2.1"), TEXT("Browser/1.0") };
static char user_id[STORE_ID_SIZE];

static bool add_user(struct store_tx *tx, void *context, struct problem *p)
{
	struct store_user user;

	(void)context;
	if (store_user_add(tx, AS_TEXT("alice@example.com"), AS_TEXT(""), NOW, &user,
			   p) != STORE_OK)
		return problem(p, INTERNAL, "setup");
	snprintf(user_id, sizeof(user_id), "%s", user.id);
	return true;
}

static int setup(void **state)
{
	const struct config whole = { 0 };
	struct problem p = { 0 };

	(void)state;
	store_free(store);
	store = store_new(&whole);
	config = (struct config_session){ .lifetime_s = 30 * DAY,
					  .idle_s = 7 * DAY,
					  .touch_every_s = 300 };
	return store_transact(store, add_user, NULL, &p) ? 0 : -1;
}

static struct session prepared_at(int64_t now)
{
	struct session session;

	session_prepare(&config, AS_TEXT("google"), &client, now, &session);
	return session;
}

static bool start_session(struct store_tx *tx, void *context, struct problem *p)
{
	return session_start(tx, &config, user_id, context, p);
}

static struct session started_at(int64_t now)
{
	struct session session = prepared_at(now);
	struct problem p = { 0 };

	assert_true(store_transact(store, start_session, &session, &p));
	return session;
}

/* NO_SESSION, DATABASE_AWAY, or NONE when it was found. */
static enum problem_kind look_up(const char *token, int64_t now, struct session *out)
{
	struct session untouched, found;
	struct problem p = { 0 };
	struct store_user user;

	memset(&found, 0x5a, sizeof(found));
	untouched = found;
	if (!session_find(store, &config, text_of(token), now, &found, &user, &p)) {
		assert_memory_equal(&found, &untouched, sizeof(found));
		assert_int_not_equal(p.kind, PROBLEM_NONE);
		return p.kind;
	}
	assert_int_equal(p.kind, PROBLEM_NONE);
	assert_string_equal(user.id, user_id);
	assert_string_equal(user.email, "alice@example.com");
	*out = found;
	return PROBLEM_NONE;
}

static bool is_live(const struct session *session, int64_t now)
{
	struct session found;
	const enum problem_kind kind = look_up(session->token, now, &found);

	assert_true(kind == PROBLEM_NONE || kind == PROBLEM_NO_SESSION);
	return kind == PROBLEM_NONE;
}

static void touch(const struct session *session, int64_t now)
{
	struct problem p = { 0 };

	assert_int_equal(store_session_touch(store, session->row.id, now, &p), STORE_OK);
}

/* ---- what is made */

static void a_session_has_a_fresh_token_and_its_hash(void **state)
{
	struct session a = prepared_at(NOW), b = prepared_at(NOW);
	unsigned char hash[SHA256_BYTES];

	(void)state;
	assert_true(secret_is_token(text_of(a.token)));
	assert_string_not_equal(a.token, b.token);
	secret_sha256(text_of(a.token), hash);
	assert_memory_equal(a.row.hash, hash, SHA256_BYTES);
	assert_string_equal(a.row.id, "");
	assert_string_equal(a.row.provider, "google");
	assert_string_equal(a.row.address, "192.0.2.1");
	assert_string_equal(a.row.user_agent, "Browser/1.0");
	assert_int_equal(a.row.created_at, NOW);
	assert_int_equal(a.row.last_seen_at, NOW);
	assert_int_equal(a.row.expires_at, NOW + 30 * DAY);
	assert_int_equal(a.valid_until, NOW + 7 * DAY);
}

/* It is shown in the list of one's sessions, in a terminal too. */
static void what_a_browser_says_of_itself_is_made_printable_and_cut(void **state)
{
	const struct session_client strange = {
		TEXT("2001:db8::1%\x1b[2J\r\nX"),
		TEXT("A\x1b[31m\r\nSet-Cookie: a\x7f\xc3\xa9\0z~ "),
	};
	char longer[400];
	struct session s;

	(void)state;
	session_prepare(&config, AS_TEXT("p"), &strange, NOW, &s);
	assert_string_equal(s.row.address, "2001:db8::1%?[2J??X");
	assert_string_equal(s.row.user_agent, "A?[31m??Set-Cookie: a????z~ ");
	memset(longer, 'u', sizeof(longer));
	session_prepare(&config, AS_TEXT("p"),
			&(struct session_client){ { longer, 400 }, { longer, 400 } }, NOW,
			&s);
	assert_int_equal(strlen(s.row.address), 45);
	assert_int_equal(strlen(s.row.user_agent), 255);
	session_prepare(&config, AS_TEXT("p"),
			&(struct session_client){ { NULL, 0 }, { NULL, 0 } }, NOW, &s);
	assert_string_equal(s.row.user_agent, "");
}

static void only_the_hash_is_at_rest(void **state)
{
	const struct session s = started_at(NOW);
	char *dump = fake_store_dump(store);
	char hex[2 * SHA256_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", s.row.hash[i]);
	assert_non_null(strstr(dump, hex));
	assert_null(strstr(dump, s.token));
	/* And no part of it that would be of use. */
	for (size_t i = 0; i + 8 <= SECRET_TEXT_LEN; i++) {
		char part[9];

		snprintf(part, sizeof(part), "%.8s", s.token + i);
		assert_null(strstr(dump, part));
	}
	free(dump);
}

static void a_session_is_bound_to_another_token_until_that_expires(void **state)
{
	unsigned char hash[SHA256_BYTES];
	struct session s = prepared_at(NOW), later = prepared_at(NOW);

	(void)state;
	memset(hash, 7, sizeof(hash));
	session_bind(&s, hash, NOW + 3600);
	assert_string_equal(s.token, "");
	assert_memory_equal(s.row.hash, hash, SHA256_BYTES);
	assert_int_equal(s.row.expires_at, NOW + 3600);
	assert_int_equal(s.valid_until, NOW + 3600);
	/* A token that outlives the session does not lengthen it. */
	session_bind(&later, hash, NOW + 99 * DAY);
	assert_int_equal(later.row.expires_at, NOW + 30 * DAY);
	assert_int_equal(later.valid_until, NOW + 7 * DAY);
}

/* ---- how long it lasts */

static void an_unused_session_ends_when_it_has_been_idle(void **state)
{
	const struct session s = started_at(NOW);

	(void)state;
	assert_true(is_live(&s, NOW));
	assert_true(is_live(&s, NOW + 7 * DAY - 1));
	assert_false(is_live(&s, NOW + 7 * DAY));
	assert_false(is_live(&s, NOW + 300 * DAY));
}

static void a_used_session_lasts_to_the_end_of_its_lifetime(void **state)
{
	const struct session s = started_at(NOW);
	struct session found;

	(void)state;
	for (int day = 6; day < 30; day += 6) {
		assert_true(is_live(&s, NOW + day * DAY));
		touch(&s, NOW + day * DAY);
	}
	assert_int_equal(look_up(s.token, NOW + 25 * DAY, &found), PROBLEM_NONE);
	assert_int_equal(found.valid_until,
			 NOW + 30 * DAY); /* not 31, by the idle time */
	assert_string_equal(found.token, "");
	assert_true(is_live(&s, NOW + 30 * DAY - 1));
	assert_false(is_live(&s, NOW + 30 * DAY));
}

static void without_an_idle_time_only_the_lifetime_counts(void **state)
{
	struct session s;

	(void)state;
	config.idle_s = 0;
	s = started_at(NOW);
	assert_int_equal(s.valid_until, NOW + 30 * DAY);
	assert_true(is_live(&s, NOW + 30 * DAY - 1));
	assert_false(is_live(&s, NOW + 30 * DAY));
}

/* Settings are of now: who shortens the idle time ends the sessions that were idle longer. */
static void a_shorter_idle_time_holds_for_sessions_that_are_there(void **state)
{
	const struct session s = started_at(NOW);

	(void)state;
	assert_true(is_live(&s, NOW + 3600));
	config.idle_s = 3600;
	assert_true(is_live(&s, NOW + 3599));
	assert_false(is_live(&s, NOW + 3600));
}

static void last_seen_is_written_when_it_is_old_enough(void **state)
{
	const struct session s = started_at(NOW);

	(void)state;
	assert_false(session_touch_is_due(&config, &s, NOW));
	assert_false(session_touch_is_due(&config, &s, NOW + 299));
	assert_true(session_touch_is_due(&config, &s, NOW + 300));
	config.touch_every_s = 0;
	assert_true(session_touch_is_due(&config, &s, NOW));
}

/* ---- who is let in by it */

static void a_token_that_was_not_given_out_is_no_session(void **state)
{
	const struct session s = started_at(NOW), never = prepared_at(NOW);
	struct session found;
	char changed[SECRET_TEXT_LEN + 1];

	(void)state;
	assert_int_equal(look_up(s.token, NOW, &found), PROBLEM_NONE);
	assert_string_equal(found.row.id, s.row.id);
	assert_int_equal(look_up(never.token, NOW, &found), PROBLEM_NO_SESSION);
	snprintf(changed, sizeof(changed), "%s", s.token);
	changed[0] = changed[0] == 'A' ? 'B' : 'A';
	assert_int_equal(look_up(changed, NOW, &found), PROBLEM_NO_SESSION);
}

static void what_is_no_token_does_not_reach_the_store(void **state)
{
	const struct session s = started_at(NOW);
	char text[SECRET_TEXT_LEN + 8];
	struct session found;

	(void)state;
	fake_store_count_anew(store);
	assert_int_equal(look_up("", NOW, &found), PROBLEM_NO_SESSION);
	assert_int_equal(look_up("' OR 1=1 -- ", NOW, &found), PROBLEM_NO_SESSION);
	snprintf(text, sizeof(text), "%sA", s.token);
	assert_int_equal(look_up(text, NOW, &found), PROBLEM_NO_SESSION);
	snprintf(text, sizeof(text), "%.42s", s.token);
	assert_int_equal(look_up(text, NOW, &found), PROBLEM_NO_SESSION);
	snprintf(text, sizeof(text), "%.42s=", s.token);
	assert_int_equal(look_up(text, NOW, &found), PROBLEM_NO_SESSION);
	assert_int_equal(fake_store_counts(store).operations, 0);
	assert_int_equal(look_up(s.token, NOW, &found), PROBLEM_NONE);
	assert_int_equal(fake_store_counts(store).operations, 1);
}

static void a_disabled_user_has_no_session_until_enabled_again(void **state)
{
	const struct session s = started_at(NOW);

	(void)state;
	fake_store_set_active(store, user_id, false);
	assert_false(is_live(&s, NOW));
	fake_store_set_active(store, user_id, true);
	assert_true(is_live(&s, NOW));
}

static void an_ended_session_is_ended_at_once(void **state)
{
	const struct session s = started_at(NOW), rest = started_at(NOW);
	struct problem p = { 0 };
	uint64_t ended;

	(void)state;
	assert_int_equal(store_session_end(store, user_id, s.row.id, false, &ended, &p),
			 STORE_OK);
	assert_false(is_live(&s, NOW));
	assert_true(is_live(&rest, NOW));
	fake_store_erase(store, user_id);
	assert_false(is_live(&rest, NOW));
}

/* Never log anyone out by accident: what is not known is not "no session". */
static void a_store_that_is_away_is_not_the_end_of_a_session(void **state)
{
	static const enum fake_fault faults[] = { FAKE_LOST, FAKE_CONFLICT, FAKE_BROKEN };
	const struct session s = started_at(NOW), never = prepared_at(NOW);
	struct session found;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fake_store_fail(store, "session_find", 0, 100, faults[i]);
		assert_int_equal(look_up(s.token, NOW, &found), PROBLEM_DATABASE_AWAY);
		assert_int_equal(look_up(never.token, NOW, &found),
				 PROBLEM_DATABASE_AWAY);
		assert_int_equal(look_up(s.token, NOW + 999 * DAY, &found),
				 PROBLEM_DATABASE_AWAY);
		fake_store_heal(store);
	}
	fake_store_away(store, true);
	assert_int_equal(look_up(s.token, NOW, &found), PROBLEM_DATABASE_AWAY);
	fake_store_away(store, false);
	assert_int_equal(look_up(s.token, NOW, &found), PROBLEM_NONE);
	/* One lost connection is opened again without anybody noticing. */
	fake_store_fail(store, "session_find", 0, 1, FAKE_LOST);
	assert_int_equal(look_up(s.token, NOW, &found), PROBLEM_NONE);
}

static void a_session_is_found_by_hash_and_by_id_with_the_same_rules(void **state)
{
	const struct session s = started_at(NOW), never = prepared_at(NOW);
	struct problem p = { 0 };
	struct session found;
	struct store_user user;

	(void)state;
	assert_true(
		session_find_by_hash(store, &config, s.row.hash, NOW, &found, &user, &p));
	assert_string_equal(found.row.id, s.row.id);
	assert_true(session_find_by_id(store, &config, s.row.id, NOW, &found, &user, &p));
	assert_memory_equal(found.row.hash, s.row.hash, SHA256_BYTES);
	assert_int_equal(found.valid_until, NOW + 7 * DAY);

	assert_false(session_find_by_hash(store, &config, never.row.hash, NOW, &found,
					  &user, &p));
	assert_int_equal(p.kind, PROBLEM_NO_SESSION);
	problem_clear(&p);
	assert_false(session_find_by_id(store, &config, "4000", NOW, &found, &user, &p));
	assert_int_equal(p.kind, PROBLEM_NO_SESSION);
	problem_clear(&p);
	assert_false(session_find_by_hash(store, &config, s.row.hash, NOW + 7 * DAY,
					  &found, &user, &p));
	assert_int_equal(p.kind, PROBLEM_NO_SESSION);
	problem_clear(&p);
	assert_false(session_find_by_id(store, &config, s.row.id, NOW + 7 * DAY, &found,
					&user, &p));
	assert_int_equal(p.kind, PROBLEM_NO_SESSION);
	problem_clear(&p);
	fake_store_set_active(store, user_id, false);
	assert_false(
		session_find_by_id(store, &config, s.row.id, NOW, &found, &user, &p));
	assert_int_equal(p.kind, PROBLEM_NO_SESSION);
	problem_clear(&p);
	fake_store_away(store, true);
	assert_false(
		session_find_by_id(store, &config, s.row.id, NOW, &found, &user, &p));
	assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
}

/* ---- how it is stored */

static void a_session_gets_its_id_when_it_is_stored(void **state)
{
	struct session s = started_at(NOW), t = started_at(NOW);

	(void)state;
	assert_true(*s.row.id && *t.row.id);
	assert_string_not_equal(s.row.id, t.row.id);
	assert_int_equal(fake_store_rows(store, FAKE_SESSIONS), 2);
}

static void a_token_that_is_taken_is_never_given_out_twice(void **state)
{
	struct session s = started_at(NOW), copy = s;
	struct problem p = { 0 };

	(void)state;
	assert_false(store_transact(store, start_session, &copy, &p));
	assert_int_equal(p.kind, PROBLEM_INTERNAL);
	assert_int_equal(fake_store_rows(store, FAKE_SESSIONS), 1);
	assert_true(is_live(&s, NOW));
}

/* The one exception: it is this very session, of an attempt whose COMMIT got no answer. */
static void a_session_of_a_commit_without_an_answer_is_taken_for_stored(void **state)
{
	static const enum fake_fault faults[] = { FAKE_LOST_DONE, FAKE_LOST,
						  FAKE_BROKEN };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct session s = prepared_at(NOW), found;
		struct problem p = { 0 };

		setup(NULL);
		fake_store_fail(store, "commit", 0, 1, faults[i]);
		assert_true(store_transact(store, start_session, &s, &p));
		assert_int_equal(fake_store_rows(store, FAKE_SESSIONS), 1);
		assert_int_equal(look_up(s.token, NOW, &found), PROBLEM_NONE);
		assert_string_equal(found.row.id, s.row.id);
	}
}

static void with_a_limit_the_oldest_session_ends_first(void **state)
{
	struct session a, b, c;

	(void)state;
	config.max_per_user = 2;
	a = started_at(NOW);
	b = started_at(NOW + 1);
	assert_true(is_live(&a, NOW + 1) && is_live(&b, NOW + 1));
	c = started_at(NOW + 1);
	assert_false(is_live(&a, NOW + 1));
	assert_true(is_live(&b, NOW + 1) && is_live(&c, NOW + 1));
	config.max_per_user = 1;
	a = started_at(NOW + 2);
	assert_true(is_live(&a, NOW + 2));
	assert_int_equal(fake_store_rows(store, FAKE_SESSIONS), 1);
	/* The clock was set back: what was answered is a session all the same. */
	b = started_at(NOW - 3600);
	assert_true(is_live(&b, NOW - 3600));
	assert_int_equal(fake_store_rows(store, FAKE_SESSIONS), 1);
}

static void without_a_limit_no_session_ends_another(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		started_at(NOW);
	assert_int_equal(fake_store_rows(store, FAKE_SESSIONS), 20);
}

static void a_session_that_cannot_be_stored_is_none(void **state)
{
	static const char *const operations[] = { "begin", "session_add",
						  "session_trim" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct session s = prepared_at(NOW);
		struct problem p = { 0 };

		config.max_per_user = 5;
		fake_store_fail(store, operations[i], 0, 1, FAKE_BROKEN);
		assert_false(store_transact(store, start_session, &s, &p));
		assert_int_equal(p.kind, PROBLEM_DATABASE_AWAY);
		assert_false(is_live(&s, NOW));
	}
	assert_int_equal(fake_store_rows(store, FAKE_SESSIONS), 0);
	started_at(NOW);
	assert_int_equal(fake_store_rows(store, FAKE_SESSIONS), 1);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_has_a_fresh_token_and_its_hash),
		TEST(what_a_browser_says_of_itself_is_made_printable_and_cut),
		TEST(only_the_hash_is_at_rest),
		TEST(a_session_is_bound_to_another_token_until_that_expires),
		TEST(an_unused_session_ends_when_it_has_been_idle),
		TEST(a_used_session_lasts_to_the_end_of_its_lifetime),
		TEST(without_an_idle_time_only_the_lifetime_counts),
		TEST(a_shorter_idle_time_holds_for_sessions_that_are_there),
		TEST(last_seen_is_written_when_it_is_old_enough),
		TEST(a_token_that_was_not_given_out_is_no_session),
		TEST(what_is_no_token_does_not_reach_the_store),
		TEST(a_disabled_user_has_no_session_until_enabled_again),
		TEST(an_ended_session_is_ended_at_once),
		TEST(a_store_that_is_away_is_not_the_end_of_a_session),
		TEST(a_session_is_found_by_hash_and_by_id_with_the_same_rules),
		TEST(a_session_gets_its_id_when_it_is_stored),
		TEST(a_token_that_is_taken_is_never_given_out_twice),
		TEST(a_session_of_a_commit_without_an_answer_is_taken_for_stored),
		TEST(with_a_limit_the_oldest_session_ends_first),
		TEST(without_a_limit_no_session_ends_another),
		TEST(a_session_that_cannot_be_stored_is_none),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	store_free(store);
	return failed;
}
