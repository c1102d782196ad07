/* The files of a configuration: who else may read and write them. */
#include "config_fixture.h"

static const char with_password[] = GOOD "database {\n password = x\n}\n";

static struct config *load_mode(const char *text, mode_t mode)
{
	write_file(file, text_of(text), mode);
	return config_load(file, error);
}

static void file_that_others_can_write(void **state)
{
	static const mode_t good[] = { 0600, 0640, 0644, 0444 };
	static const mode_t bad[] = { 0620, 0602, 0622, 0666, 0777 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		config_free(load_mode(minimal, good[i]));
	assert_string_equal(error, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_error(load_mode(minimal, bad[i]), 0, "chmod go-w", "");
}

static void file_with_a_password_that_others_can_read(void **state)
{
	struct config *c = load_mode(with_password, 0640);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->database.password, "x");
	config_free(c);
	check_error(load_mode(with_password, 0644), 4, "chmod o-r", "");
	check_error(load_mode(with_password, 0604), 4, "chmod o-r", "");
	check_error(load_mode(with_password, 0660), 0, "chmod go-w", "");
}

static void password_file(void **state)
{
	static const struct {
		struct text content;
		mode_t mode;
		const char *word; /* NULL: good */
	} cases[] = {
		{ TEXT("x\n"), 0600, NULL },
		{ TEXT("x"), 0440, NULL },
		{ TEXT("x\r\n"), 0640, NULL },
		{ TEXT("x\n"), 0644, "chmod o-r" },
		{ TEXT("x\n"), 0660, "chmod go-w" },
		{ TEXT("x\n"), 0602, "chmod go-w" },
		{ TEXT(""), 0600, "is not one line" },
		{ TEXT("\n"), 0600, "is not one line" },
		{ TEXT("x\ny\n"), 0600, "is not one line" },
		{ TEXT("x\0y\n"), 0600, "is not one line" },
	};
	struct arena *a = arena_new();
	const char *text = config_printf(a,
					 GOOD "database {\n\n"
					      "password_file = '%s' }\n",
					 other);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *c;

		write_file(other, cases[i].content, cases[i].mode);
		c = load_mode(text, 0644);
		if (cases[i].word) {
			check_error(c, 5, cases[i].word, text);
			continue;
		}
		assert_non_null(c);
		assert_string_equal(c->database.password, "x");
		config_free(c);
	}
	unlink(other);
	check_error(load_mode(text, 0644), 5, "cannot be read", text);
	assert_int_equal(mkdir(other, 0700), 0);
	check_error(load_mode(text, 0644), 5, "no regular file", text);
	rmdir(other);
	arena_free(a);
}

static void defaults_file(void **state)
{
	struct arena *a = arena_new();
	const char *text = config_printf(a,
					 GOOD "database {\n"
					      "defaults_file = '%s' }\n",
					 other);
	struct config *c;

	(void)state;
	write_file(other, AS_TEXT("[client]\npassword=x\n"), 0640);
	c = load_mode(text, 0644);
	assert_non_null(c);
	assert_string_equal(c->database.defaults_file, other);
	check_list(&c->database.hosts, 1, "");
	assert_int_equal(c->database.port, 0);
	assert_null(c->database.user);
	assert_string_equal(c->database.name, "pintle");
	config_free(c);
	c = must_load(config_printf(a,
				    GOOD "database { defaults_file = '%s'\n"
					 "socket = /s port = 1 user = u }\n",
				    other));
	check_list(&c->database.hosts, 1, "localhost");
	assert_int_equal(c->database.port, 1);
	assert_string_equal(c->database.user, "u");
	config_free(c);
	c = must_load(config_printf(a,
				    GOOD "database { hosts = h\n"
					 "defaults_file = '%s' }\n",
				    other));
	check_list(&c->database.hosts, 1, "h");
	config_free(c);
	write_file(other, AS_TEXT("[client]\n"), 0644);
	check_error(load_mode(text, 0644), 4, "chmod o-r", text);
	write_file(other, AS_TEXT("[client]\n"), 0660);
	check_error(load_mode(text, 0644), 4, "chmod go-w", text);
	unlink(other);
	check_error(load_mode(text, 0644), 4, "cannot be read", text);
	arena_free(a);
}

static void links_are_followed_and_only_files_read(void **state)
{
	struct config *c;

	(void)state;
	write_file(other, text_of(minimal), 0600);
	unlink(file);
	assert_int_equal(symlink(other, file), 0);
	c = config_load(file, error);
	assert_non_null(c);
	config_free(c);
	assert_int_equal(chmod(other, 0620), 0);
	check_error(config_load(file, error), 0, "chmod go-w", "");
	unlink(other);
	check_error(config_load(file, error), 0, "No such file", "");
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	check_error(config_load(file, error), 0, "no regular file", "");
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	check_error(config_load(file, error), 0, "no regular file", "");
	rmdir(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_that_others_can_write),
		cmocka_unit_test(file_with_a_password_that_others_can_read),
		cmocka_unit_test(password_file),
		cmocka_unit_test(defaults_file),
		cmocka_unit_test(links_are_followed_and_only_files_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
