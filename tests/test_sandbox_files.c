/* The sandbox: files, and programs that are started. */
#include "sandbox_fixture.h"

/* ---- files */

static const char *path;
static int flags;

static int open_it(void)
{
	return result(open(path, flags, 0600));
}

static int open_in(const char *text, const char *file, int how)
{
	path = file;
	flags = how;
	return in_sandbox(text, open_it);
}

static void test_reads_what_it_needs(void **state)
{
	const char *text = KEYS_BY_FILE LOCAL;
	const char *new_file = scratch_path(arena, "keys/k.json");

	(void)state;
	need_landlock(1);
	assert_int_equal(open_in(text, outside, O_RDONLY), EACCES);
	if (access("/etc/shadow", F_OK) == 0) /* a bare chroot may have none */
		assert_int_equal(open_in(text, "/etc/shadow", O_RDONLY), EACCES);
	assert_int_equal(open_in(text, "/etc/passwd", O_RDONLY), EACCES);
	assert_int_equal(open_in(text, "/proc/1/environ", O_RDONLY), EACCES);
	assert_int_equal(open_in(text, "/root", O_RDONLY | O_DIRECTORY), EACCES);
	assert_int_equal(open_in(text, "/bin/sh", O_RDONLY), EACCES);
	assert_int_equal(open_in(text, "/dev/null", O_RDWR), 0);
	assert_int_equal(open_in(text, "/lib", O_RDONLY | O_DIRECTORY), 0);
	assert_int_equal(open_in(text, scratch_path(arena, "pintle.conf"), O_RDONLY), 0);
	/* A CGI run reads it once, before. */
	reloads = false;
	assert_int_equal(open_in(text, scratch_path(arena, "pintle.conf"), O_RDONLY),
			 EACCES);
	/* Pinned keys that were not there yet: the directory counts, not the file. */
	assert_int_equal(open_in(text, new_file, O_RDONLY), ENOENT);
	scratch_write("keys/k.json", AS_TEXT("{}"));
	assert_int_equal(open_in(text, new_file, O_RDONLY), 0);
	reloads = true;
}

static void test_writes_in_state_dir_alone(void **state)
{
	const char *text = KEYS_BY_FILE LOCAL;

	(void)state;
	need_landlock(1);
	assert_int_equal(open_in(text, outside, O_WRONLY), EACCES);
	assert_int_equal(open_in(text, "/tmp/pintle-new", O_WRONLY | O_CREAT), EACCES);
	assert_int_equal(open_in(text, scratch_path(arena, "pintle.conf"), O_WRONLY),
			 EACCES);
	assert_int_equal(
		open_in(text, scratch_path(arena, "keys/new"), O_WRONLY | O_CREAT),
		EACCES);
	assert_int_equal(
		open_in(text, scratch_path(arena, "state/new"), O_RDWR | O_CREAT), 0);
}

static int truncate_outside(void)
{
	return result(truncate(outside, 0));
}

static void test_truncates_nothing_outside(void **state)
{
	(void)state;
	need_landlock(3);
	assert_int_equal(in_sandbox(KEYS_BY_FILE LOCAL, truncate_outside), EACCES);
}

/* ---- programs */

static char *arguments[4];

/* The errno of execve, else the exit status of the program. */
static int execute(void)
{
	close(STDERR_FILENO);
	execve(arguments[0], arguments, (char *[]){ NULL });
	return errno;
}

static int execute_in(const char *text, const char *program, const char *argument)
{
	arguments[0] = (char *)(uintptr_t)program;
	arguments[1] = (char *)(uintptr_t)argument;
	arguments[2] = NULL;
	return in_sandbox(text, execute);
}

static void test_executes_pintle_fetch_alone(void **state)
{
	const char *text = KEYS_BY_URL LOCAL;
	char program[PATH_MAX];

	(void)state;
	need_landlock(1);
	assert_int_equal(execute_in(text, "/bin/sh", NULL), EACCES);
	assert_int_equal(execute_in(text, "/usr/bin/env", NULL), EACCES);
	assert_int_equal(execute_in(text, fetcher_program(program), NULL),
			 64); /* its usage */
}

/* The loader may be executed, but what it is to load must be readable. */
static void test_loader_does_not_start_a_shell(void **state)
{
	const char *loader = "/lib64/ld-linux-x86-64.so.2";
	char program[PATH_MAX];

	(void)state;
	need_landlock(1);
	if (access(loader, X_OK))
		skip();
	assert_int_equal(execute_in(KEYS_BY_URL LOCAL, loader, "/bin/sh"), 127);
	assert_int_equal(execute_in(KEYS_BY_URL LOCAL, loader, fetcher_program(program)),
			 64);
}

static int make_process(void)
{
	const pid_t child = fork();

	if (child == 0)
		_exit(0);
	return result(child);
}

static void test_no_process_where_no_keys_are_fetched(void **state)
{
	char program[PATH_MAX];

	(void)state;
	need_seccomp();
	assert_int_equal(execute_in(KEYS_BY_FILE LOCAL, fetcher_program(program), NULL),
			 EACCES);
	assert_int_equal(in_sandbox(KEYS_BY_FILE LOCAL, make_process), EACCES);
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, make_process), 0);
}

static int file_without_name(void)
{
	return result(memfd_create("x", 0));
}

static int execute_descriptor(void)
{
	const int fd = open("/dev/null", O_RDONLY);

	return result(syscall(SYS_execveat, fd, "", arguments, arguments, AT_EMPTY_PATH));
}

/* Landlock lets a memfd be executed, as no directory holds it. */
static void test_nothing_without_a_name_is_executed(void **state)
{
	(void)state;
	need_seccomp();
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, file_without_name), EACCES);
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, execute_descriptor),
			 SIGNAL + SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_it_needs),
		cmocka_unit_test(test_writes_in_state_dir_alone),
		cmocka_unit_test(test_truncates_nothing_outside),
		cmocka_unit_test(test_executes_pintle_fetch_alone),
		cmocka_unit_test(test_loader_does_not_start_a_shell),
		cmocka_unit_test(test_no_process_where_no_keys_are_fetched),
		cmocka_unit_test(test_nothing_without_a_name_is_executed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
