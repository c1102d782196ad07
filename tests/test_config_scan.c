#include "config_fixture.h"

static const struct refusal marks[] = {
	{ TOP, "thread = 4", 1, "no such option 'thread'", "threads = 4" },
	{ DATABASE, "\nthreads = 4", 2, "no such option 'threads'", "\npool = 4" },
	{ TOP, "tokens { }", 1, "no such option 'tokens'", "session { }" },
	{ TOP, "threads = 4\n\nthreads = 4", 3,
	  "threads is here a second time, the first is in "
	  "line 3",
	  "threads = 4\n\nrate_login = 4" },
	{ TOP, "allowed_origins = {}\nallowed_origins = {}", 2, "a second time",
	  "allowed_origins = {}\nmetrics_allow = {}" },
	{ TOP, "metrics_allow = {\"::1\"}\nmetrics_allow = {\"::2\"}", 2, "a second time",
	  "metrics_allow = {\"::1\",\n \"::2\"}" },
	{ DATABASE, "pool = 1\npool = 1", 2, "pool is here a second time",
	  "pool = 1\nport = 1" },
	{ PROVIDER, "leeway = 1s\nleeway = 1s", 2, "a second time",
	  "leeway = 1s\nlink = no" },
	{ TOP, "database { pool = 1 }\ndatabase { port = 1 }", 2,
	  "database is here a second time", "database { pool = 1\n port = 1 }" },
	{ TOP, "accounts { }\naccounts { }", 2, "accounts is here a second time",
	  "accounts { }" },
	{ TOP, "session { }\nsession { }", 2, "session is here a second time",
	  "session { }" },
	{ TOP, "log { }\nlog { }", 2, "log is here a second time", "log { }" },
	{ TOP, "\nprovider 'p' { }", 2, "duplicate title 'p'",
	  "\nprovider 'P' { issuer = i audience = a jwks_url = 'https://k.example' }" },
	{ TOP, "metrics_allow += {\"::1\"}", 1, "+= is not used",
	  "metrics_allow = {\"::1\"}" },
	{ TOP, "include(\"/etc/pintle/more.conf\")", 1, "( that is not in quotes", "" },
	{ TOP, "include = \"/etc/pintle/more.conf\"", 1, "no such option 'include'", "" },
	{ TOP, "threads = 4;", 1, "; that is not in quotes", "threads = 4" },
	{ TOP, "state_dir = /srv/${HOME}", 1, "$ that is not in quotes",
	  "state_dir = /srv/home" },
	{ TOP, "\"threads\" = 4", 1, "a name, without quotes", "threads = \"4\"" },
	{ TOP, "\"database|port\" = 4", 1, "a name, without quotes",
	  "database { port = 4 }" },
	{ TOP, "threads 4", 1, "missing equal sign", "threads = 4" },
	{ TOP, "threads = {4}", 1, "unexpected token '{'", "metrics_allow = ::1" },
	{ TOP, "threads =\n", 3, "premature end of file", "threads =\n4" },
	{ TOP, "threads = = 4", 1, "unexpected token '='", "threads = 4" },
	{ TOP, "metrics_allow = {\"::1\" \"::2\"}", 1, "unexpected token '::2'",
	  "metrics_allow = {\"::1\", \"::2\"}" },
	{ TOP, "metrics_allow = {\n\"::1\"\n", 1,
	  "the list that begins here is not closed", "metrics_allow = {\n\"::1\"\n}" },
	{ TOP, "\nlog {\n level = info\n", 2,
	  "the section that begins here is not closed", "\nlog {\n level = info\n}" },
	{ TOP, "}", 1, "a } without its {", "" },
	{ TOP, "log { }\n}", 2, "a } without its {", "log { }" },
	{ TOP, "log {\nlog { } }", 2, "log { } cannot be inside", "log {\n}" },
	{ TOP, "database \"x\" { }", 1, "missing opening brace", "database { }" },
	{ WHOLE, SITE "provider { preset = cotter audience = a }", 2, "missing title",
	  SITE "provider p { preset = cotter audience = a }" },
	{ TOP, "state_dir = \"/srv\n\n", 1, "the string that begins here is not closed",
	  "state_dir = \"/srv\"\n\n" },
	{ TOP, "state_dir = '/srv\n\n", 1, "the string that begins here is not closed",
	  "state_dir = '/srv'\n\n" },
	{ TOP, "\n/* never\n\n", 2, "the comment that begins here is not closed",
	  "\n/* once\n\n */" },
	{ TOP, "state_dir = \"/s\\000rv\"", 1, "a NUL byte",
	  "state_dir = \"/s\\061rv\"" },
	{ TOP, "state_dir = \"/s\\x0rv\"", 1, "a NUL byte", "state_dir = \"/s\\x41rv\"" },
	{ TOP, "state_dir = \"/s\\400rv\"", 1, "octal", "state_dir = \"/s\\101rv\"" },
	{ TOP, "state_dir = \"/s\\1012rv\"", 1, "octal", "state_dir = \"/s\\101A\"" },
	{ TOP, "state_dir = \"/s\\8rv\"", 1, "octal", "state_dir = \"/s\\\\8rv\"" },
};

static void bad_syntax(void **state)
{
	(void)state;
	REFUSALS(marks);
}

static void lines_are_right_after_comments_and_long_strings(void **state)
{
	(void)state;
	must_refuse("# one\n// two\n/* three\n four */ # five\n#\n\n" GOOD
		    "\n# nine\nthreads = x\n",
		    11, "threads");
	must_refuse(GOOD "accounts {\n query_seen = \"a\nb\\\nc\" # x\n"
			 " query_create = 'a\nb\\\nc'\n # x\n phone = x\n}\n",
		    11, "phone");
	must_refuse(GOOD "log {\r\n # x\r\n level = info\r\n\r\n nope = 1\r\n}", 7,
		    "no such option 'nope'");
}

static void comments_end_and_strings_hold_their_marks(void **state)
{
	struct config *c = must_load(
		"// user = 'x'\n/* # // */" GOOD "/**/state_dir = \"/a//b#c/*d*/\"/***/ "
		"ca_file = /x//y\n"
		"database { user = '//#' name = a#b\n }// threads = 9\n");

	(void)state;
	assert_string_equal(c->state_dir, "/a//b#c/*d*/");
	assert_string_equal(c->ca_file, "/x//y");
	assert_string_equal(c->database.user, "//#");
	assert_string_equal(c->database.name, "a");
	assert_int_equal(c->threads, 4);
	config_free(c);
}

/* A password is what it says, whatever the environment holds. */
static void nothing_is_taken_from_the_environment(void **state)
{
	struct config *c;

	(void)state;
	setenv("PINTLE_TEST", "secret", 1);
	c = must_load(
		GOOD "database { name = jörg "
		     "password = \"a${PINTLE_TEST}$\\${x:-y}\\\\$\" user = 'u${HOME}' }");
	assert_string_equal(c->database.password, "a${PINTLE_TEST}$${x:-y}\\$");
	assert_string_equal(c->database.user, "u${HOME}");
	assert_string_equal(c->database.name, "jörg");
	config_free(c);
	config_free(NULL);
	unsetenv("PINTLE_TEST");
}

static void strings_are_unescaped(void **state)
{
	struct config *c = must_load(
		GOOD "database { user = \"\\\"\\x41\\102\\q'\" name = 'a\\'\"\\n' }");

	(void)state;
	assert_string_equal(c->database.user, "\"ABq'");
	assert_string_equal(c->database.name, "a'\"\\n");
	config_free(c);
}

/* SIGHUP reads again: nothing of a bad file may be left in the library's lexer. */
static void good_file_loads_after_every_bad_one(void **state)
{
	static const char *const bad[] = {
		"a = \"x", "a = 'x", "/* x",  "a = \"\\400\"", "log {",
		"a",	   "a =",    "a = {", "provider x {",  "}"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_null(try_load(bad[i]));
		config_free(must_load(minimal));
	}
}

static void control_bytes_do_not_reach_the_terminal(void **state)
{
	char text[] = GOOD "threads = \"\033[2J\177\"\n";

	(void)state;
	must_refuse(text, 3, "?[2J?");
	must_refuse(GOOD "\033", 3, "a ? that is not in quotes");
}

static void nul_and_length_of_the_file(void **state)
{
	struct arena *a = arena_new();
	char *big = arena_alloc(a, 256 * 1024 + 2);

	(void)state;
	memset(big, '#', 256 * 1024 + 1);
	memcpy(big, minimal, sizeof(minimal) - 1);
	write_file(file, (struct text){ big, 256 * 1024 }, 0600);
	config_free(config_load(file, error));
	assert_string_equal(error, "");
	write_file(file, (struct text){ big, 256 * 1024 + 1 }, 0600);
	check_error(config_load(file, error), 0, "longer than 256 KiB", "");
	big[sizeof(minimal) + 4] = '\0';
	big[sizeof(minimal) + 8] = '\n';
	write_file(file, (struct text){ big, 256 * 1024 }, 0600);
	check_error(config_load(file, error), 3, "a NUL byte", "");
	write_file(file, AS_TEXT(""), 0600);
	check_error(config_load(file, error), 0, "public_url", "");
	arena_free(a);
}

/* A long value in an error is cut, not written past its end. */
static void long_values_in_errors(void **state)
{
	struct arena *a = arena_new();
	char *x = arena_alloc(a, 3000);

	(void)state;
	memset(x, 'x', 2999);
	must_refuse(config_printf(a, "%sthreads = %s\n", minimal, x), 3,
		    "threads: \"xxx");
	must_refuse(config_printf(a, "%s%s = 1\n", minimal, x), 3, "no such option 'xxx");
	arena_free(a);
}

static void passwords_are_not_in_errors(void **state)
{
	(void)state;
	must_refuse(GOOD "database { password = \"hunter\\033z\" }", 3,
		    "password: has a control character");
	assert_null(strstr(error, "hunter"));
	must_refuse(GOOD "database { password = \"a\" \"hunter\" }", 3,
		    "a name, without quotes");
	assert_null(strstr(error, "hunter"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_syntax),
		cmocka_unit_test(lines_are_right_after_comments_and_long_strings),
		cmocka_unit_test(comments_end_and_strings_hold_their_marks),
		cmocka_unit_test(nothing_is_taken_from_the_environment),
		cmocka_unit_test(strings_are_unescaped),
		cmocka_unit_test(good_file_loads_after_every_bad_one),
		cmocka_unit_test(control_bytes_do_not_reach_the_terminal),
		cmocka_unit_test(nul_and_length_of_the_file),
		cmocka_unit_test(long_values_in_errors),
		cmocka_unit_test(passwords_are_not_in_errors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
