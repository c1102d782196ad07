#include "../lib/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct query must_parse(const char *sql, enum query_kind kind)
{
	struct query q;
	const char *why;

	if (!query_parse(arena, sql, kind, &q, &why))
		fail_msg("%s: %s", why, sql);
	return q;
}

static void must_refuse(const char *sql, enum query_kind kind, const char *word)
{
	struct query q = { .count = 77 };
	const char *why = "";

	if (query_parse(arena, sql, kind, &q, &why))
		fail_msg("taken: %s", sql);
	if (!strstr(why, word))
		fail_msg("\"%s\" does not say \"%s\": %s", why, word, sql);
	assert_int_equal(q.count, 77);
}

/* ---- parameters */

static void a_name_becomes_a_place_and_is_counted(void **state)
{
	const struct query q =
		must_parse("SELECT id FROM t WHERE a = :email OR b=:phone "
			   "OR (c = :provider AND d = :subject) OR id=:user_id "
			   "OR e = :email",
			   QUERY_FINDS);
	static const enum query_name wanted[] = { QUERY_EMAIL,	  QUERY_PHONE,
						  QUERY_PROVIDER, QUERY_SUBJECT,
						  QUERY_USER_ID,  QUERY_EMAIL };

	(void)state;
	assert_int_equal(q.count, 1);
	assert_string_equal(q.statements[0].text,
			    "SELECT id FROM t WHERE a = ? OR b=? "
			    "OR (c = ? AND d = ?) OR id=? OR e = ?");
	assert_int_equal(q.statements[0].place_count, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_int_equal(q.statements[0].places[i], wanted[i]);
	for (int i = 0; i < QUERY_NAMES; i++)
		assert_true(query_uses(&q, (enum query_name)i));
	assert_false(
		query_uses(&(struct query){ .uses = 1u << QUERY_PHONE }, QUERY_EMAIL));
}

static void what_is_no_parameter_stays_as_it_is(void **state)
{
	/* In quotes of each kind, with the quote doubled or escaped; an assignment. */
	static const char *const same[] = {
		"SELECT ':email', 'it''s :email', 'it\\':email', '\\\\' FROM t",
		"SELECT \":email\", \"a\"\":email\", \"\\\":email\" FROM t",
		"SELECT `:email`, `a``:email`, `\\` FROM t",
		"SELECT @a := 5, '?', \"?\", `?` FROM t",
		"SELECT 5--3, 5 - -3, 6/2 FROM t",
		"SELECT 'a' ':email' FROM t WHERE x = ': email'",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		const struct query q = must_parse(same[i], QUERY_FINDS);

		assert_string_equal(q.statements[0].text, same[i]);
		assert_int_equal(q.statements[0].place_count, 0);
	}
}

static void comments_go_and_hide_nothing(void **state)
{
	static const char *const commented[][2] = {
		{ "SELECT a -- :email ? ; 'x\nFROM t", "SELECT a  FROM t" },
		{ "SELECT a # :nobody's\nFROM t", "SELECT a  FROM t" },
		{ "SELECT a /* :email ; \" */FROM t", "SELECT a  FROM t" },
		{ "/* first */ SELECT a FROM t -- last", "SELECT a FROM t" },
		{ "SELECT a FROM t --\n", "SELECT a FROM t" },
		{ "SELECT 5--3, 5-/**/-3 FROM t", "SELECT 5--3, 5- -3 FROM t" },
		{ "\n\tSELECT\n\ta\n\tFROM t ;\n", "SELECT  a  FROM t" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(commented); i++) {
		const struct query q = must_parse(commented[i][0], QUERY_FINDS);

		assert_string_equal(q.statements[0].text, commented[i][1]);
		assert_int_equal(q.statements[0].place_count, 0);
	}
}

static void what_could_mean_two_things_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "SELECT a FROM t WHERE b = :emial", "unknown parameter :emial" },
		{ "SELECT a FROM t WHERE b = :Email", "unknown parameter :Email" },
		{ "SELECT a FROM t WHERE b = :email_", "unknown parameter :email_" },
		{ "SELECT a FROM t WHERE b = ?", "bare" },
		{ "SELECT 'a FROM t", "does not end" },
		{ "SELECT 'a\\' FROM t", "does not end" },
		{ "SELECT \"a FROM t", "does not end" },
		{ "SELECT `a FROM t", "does not end" },
		{ "SELECT a /* FROM t", "does not end" },
		{ "SELECT a /*! , b */ FROM t", "executable" },
		{ "SELECT a /*M! , b */ FROM t", "executable" },
		{ "SELECT 5--/* :email */3 FROM t WHERE a", "behind --" },
		{ "SELECT (a FROM t", "parenthesis" },
		{ "SELECT a) FROM t", "parenthesis" },
		{ "", "empty" },
		{ " -- nothing", "empty" },
		{ ";", "empty" },
		{ "DELETE FROM t", "SELECT" },
		{ "SELECTED", "SELECT" },
		{ "SELECT a FROM t; DROP TABLE t", "SELECT" },
		{ "SELECT a FROM t; SELECT b FROM t", "too many" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		must_refuse(bad[i][0], QUERY_FINDS, bad[i][1]);
	must_parse("WITH m AS (SELECT 1 AS id) SELECT id FROM m", QUERY_FINDS);
}

/* ---- changes */

static void a_change_is_several_statements_at_most_eight(void **state)
{
	static const char uuid[] =
		"SET @id = UUID(); INSERT INTO users (id, note) VALUES "
		"(@id, 'a;b'); insert into emails VALUES (@id, :email);";
	struct query q = must_parse(uuid, QUERY_CHANGES);

	(void)state;
	assert_int_equal(q.count, 3);
	assert_string_equal(q.statements[0].text, "SET @id = UUID()");
	assert_string_equal(q.statements[1].text,
			    "INSERT INTO users (id, note) VALUES (@id, 'a;b')");
	assert_string_equal(q.statements[2].text, "insert into emails VALUES (@id, ?)");
	assert_int_equal(q.statements[1].place_count, 0);
	assert_int_equal(q.statements[2].place_count, 1);
	q = must_parse("SET @a=1;SET @a=2;SET @a=3;SET @a=4;SET @a=5;SET @a=6;SET "
		       "@a=7;SET @a=8;",
		       QUERY_CHANGES);
	assert_int_equal(q.count, 8);
	must_refuse(
		"SET @a=1;SET @a=2;SET @a=3;SET @a=4;SET @a=5;SET @a=6;SET @a=7;SET @a=8;"
		"SET @a=9",
		QUERY_CHANGES, "too many");
}

/* It must not end the transaction that it runs in, nor take another's row over. */
static void a_change_can_not_end_the_transaction(void **state)
{
	static const char *const bad[] = {
		"COMMIT",
		"INSERT INTO t VALUES (:email); COMMIT",
		"START TRANSACTION",
		"SET autocommit = 1",
		"SET @@autocommit = 1",
		"SET SESSION sql_mode = ''",
		"SET @a = 1, autocommit = 0",
		"SET @a = 1, sql_mode = 'ANSI_QUOTES'",
		"SET @a = 1 , @@autocommit = 0",
		"SET @a = ')', GLOBAL x = 1",
		"SET @a = 'it''s', autocommit = 0",
		"SET @a = 1,",
		"REPLACE INTO t VALUES (:email)",
		"ALTER TABLE t ADD a INT",
		"SELECT 1",
		"CALL login(:email)",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		must_refuse(bad[i], QUERY_CHANGES,
			    "other than INSERT, SET @variable, UPDATE");
	must_parse("UPDATE t SET seen = NOW() WHERE id = :user_id", QUERY_CHANGES);
	must_parse("INSERT INTO t VALUES (:email)", QUERY_CHANGES);
	must_parse("SET @a = 1, @b = IF(1, 2, ',autocommit'), @c = ', x'", QUERY_CHANGES);
}

static void sixteen_places_are_enough(void **state)
{
	char sql[512] = "INSERT INTO t VALUES (:email";
	int i;

	(void)state;
	for (i = 1; i < QUERY_PLACES; i++)
		snprintf(sql + strlen(sql), sizeof(sql) - strlen(sql), ", :email");
	snprintf(sql + strlen(sql), sizeof(sql) - strlen(sql), ")");
	assert_int_equal(must_parse(sql, QUERY_CHANGES).statements[0].place_count,
			 QUERY_PLACES);
	sql[strlen(sql) - 1] = '\0';
	snprintf(sql + strlen(sql), sizeof(sql) - strlen(sql), ", :email)");
	must_refuse(sql, QUERY_CHANGES, "more than 16");
}

/* ---- the column that is compared */

static void the_compared_column_is_found_in_a_plain_select(void **state)
{
	static const char *const cases[][2] = {
		{ "SELECT id FROM t WHERE email = :email",
		  "SELECT email AS email FROM t WHERE email = ?" },
		{ "select u.id, (SELECT 1 FROM x) from users u where `u`.`mail`=:email "
		  "and 1",
		  "select `u`.`mail` AS email from users u where `u`.`mail`=? and 1" },
		{ "SELECT id FROM t WHERE (`e-mail` = :email)",
		  "SELECT `e-mail` AS email FROM t WHERE (`e-mail` = ?)" },
		{ "SELECT id FROM t WHERE LOWER(email) = :email", NULL },
		{ "SELECT id FROM t WHERE 'x' + email = :email", NULL },
		{ "SELECT id FROM t WHERE `e``mail` = :email", NULL },
		{ "SELECT id FROM t WHERE :email = email", NULL },
		{ "SELECT id FROM t WHERE phone = :phone", NULL },
		/* Another column, or another collation, would decide unseen. */
		{ "SELECT id FROM t WHERE email = :email OR id IN"
		  " (SELECT user_id FROM aliases WHERE alias = :email)",
		  NULL },
		{ "SELECT id FROM t WHERE email = :email COLLATE utf8mb4_general_ci",
		  NULL },
		{ "SELECT id FROM t WHERE email = :email\n\tcollate utf8mb4_bin", NULL },
		{ "SELECT :provider, id FROM t WHERE email = :email", NULL },
		{ "WITH a AS (SELECT 1) SELECT id FROM t WHERE email = :email", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct query q = must_parse(cases[i][0], QUERY_FINDS);

		if (!cases[i][1])
			assert_null(q.compared.text);
		else
			assert_string_equal(q.compared.text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ARENA(a_name_becomes_a_place_and_is_counted),
		IN_ARENA(what_is_no_parameter_stays_as_it_is),
		IN_ARENA(comments_go_and_hide_nothing),
		IN_ARENA(what_could_mean_two_things_is_refused),
		IN_ARENA(a_change_is_several_statements_at_most_eight),
		IN_ARENA(a_change_can_not_end_the_transaction),
		IN_ARENA(sixteen_places_are_enough),
		IN_ARENA(the_compared_column_is_found_in_a_plain_select),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
