/* A users table of one's own, and sessions without a table: what goes together. */
#include "config_fixture.h"

#define START                                                                            \
	"public_url = \"https://www.example.com/auth\"\n"                                \
	"provider \"cotter\" { preset = \"cotter\" audience = {\"k\"} }\n"
#define GOOGLE "provider \"google\" { preset = \"google\" audience = {\"g\"} }\n"
#define LOOKUP "query_lookup = \"SELECT id FROM m WHERE email = :email\"\n"
#define CREATE "query_create = \"INSERT INTO m (email) VALUES (:email)\"\n"
#define JWT "session {\n mode = \"jwt\" keys_dir = \"/k\"\n sessions = no\n}\n"

static void refuse(const char *text, int line, const char *word)
{
	check_error(try_load(text), line, word, text);
}

static void queries_go_together(void **state)
{
	(void)state;
	config_free(must_load(START "accounts {\n" LOOKUP CREATE "}\n"));
	config_free(must_load(START "accounts {\n signup = closed\n" LOOKUP "}\n"));
	refuse(START "accounts {\n" LOOKUP "}\n", 4, "query_create");
	refuse(START "accounts {\n" CREATE "}\n", 4, "query_lookup");
	refuse(START "accounts {\n query_seen = \"UPDATE m SET a = 1\"\n}\n", 4,
	       "query_lookup");
	refuse(START "accounts {\n accept_collation = yes\n}\n", 4, "query_lookup");
}

static void an_error_names_the_query_and_its_line(void **state)
{
	(void)state;
	refuse(START "accounts {\n" LOOKUP
		     "query_create = \"INSERT INTO m VALUES (:emial)\"\n}\n",
	       5, "query_create: unknown parameter :emial");
	refuse(START "accounts {\n query_lookup = \"SELECT id FROM m\"\n" CREATE "}\n", 4,
	       "query_lookup: it asks for neither :email nor :phone");
	refuse(START "accounts {\n" LOOKUP
		     "query_create = \"INSERT INTO m VALUES (:user_id)\"\n}\n",
	       5, "query_create: nobody has a :user_id");
	refuse(START "accounts {\n" LOOKUP CREATE "query_seen = \"DELETE FROM m\"\n}\n",
	       6, "query_seen: a statement other than");
}

static void sessions_without_a_table_are_jwts(void **state)
{
	struct config *c = must_load(START JWT);

	(void)state;
	assert_true(c->session.stateless);
	config_free(c);
	c = must_load(START "session { mode = \"jwt\" keys_dir = \"/k\" }\n");
	assert_false(c->session.stateless);
	config_free(c);
	refuse(START "session {\n sessions = no\n}\n", 4, "mode = \"jwt\"");
	refuse(START "session {\n mode = \"bearer\"\n sessions = no\n}\n", 5,
	       "mode = \"jwt\"");
	refuse(START "session {\n mode = \"jwt\" keys_dir = \"/k\" sessions = no\n"
		     " max_per_user = 3\n}\n",
	       5, "needs sessions = yes");
}

/* Whose a sub is, is kept where somebody will ask. */
static void subjects_are_forgotten_where_nobody_asks(void **state)
{
	static const struct {
		const char *text;
		bool forget;
	} cases[] = {
		{ START JWT "accounts {\n" LOOKUP CREATE "}\n", true },
		{ START JWT, false },
		{ START "accounts {\n" LOOKUP CREATE "}\n", false },
		{ START GOOGLE JWT "accounts {\n" LOOKUP CREATE "}\n", false },
		{ START JWT "accounts {\n on_subject_change = refuse\n" LOOKUP CREATE
			    "}\n",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *c = must_load(cases[i].text);

		assert_int_equal(c->accounts.forget_subjects, cases[i].forget);
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_go_together),
		cmocka_unit_test(an_error_names_the_query_and_its_line),
		cmocka_unit_test(sessions_without_a_table_are_jwts),
		cmocka_unit_test(subjects_are_forgotten_where_nobody_asks),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
