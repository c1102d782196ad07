/* The store's contract: sessions, and tokens that were used. */
#include "contract_fixture.h"

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

int store_contract_sessions(const struct store_contract *contract)
{
	const struct CMUnitTest tests[] = {
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
	};

	return RUN(contract, tests);
}
