/*
 * lib/sandbox*.c: a process in the very sandbox of a worker tries what an intruder would,
 * and beside it what a worker does. Each trial is a process of its own.
 */
#include "sandbox_worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "autoconf.h"
#include "fetcher.h"
#include "sandbox_private.h"
#include "scratch.h"

#define KEYS_BY_URL                                                                      \
	"public_url = \"https://www.example.com/auth\"\n"                                \
	"state_dir = \"@/state\"\n"                                                      \
	"provider \"p\" { preset = \"cotter\" audience = {\"a\"} }\n"
#define KEYS_BY_FILE                                                                     \
	"public_url = \"https://www.example.com/auth\"\n"                                \
	"state_dir = \"@/state\"\n"                                                      \
	"provider \"p\" { issuer = {\"i\"} audience = {\"a\"} jwks_file = "              \
	"\"@/keys/k.json\" }\n"
#define LOCAL "database { hosts = {\"localhost\"} }\n"
#define REMOTE "database { hosts = {\"127.0.0.1\"} port = %u }\n"

/* How a trial ended: 0, an errno, or a signal. */
#define SIGNAL 1000

static struct arena *arena;
static const char *outside; /* a file that anybody can read, in no directory of ours */
static unsigned short here, elsewhere; /* ports of listeners */
static int listener;
static bool reloads = true;

static unsigned short open_port(int *fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(*fd, 8), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static int set_up(void **state)
{
	static char name[] = "/tmp/pintle-outside-XXXXXX";
	int other;

	(void)state;
	arena = arena_new();
	scratch_open();
	assert_int_equal(mkdir(scratch_path(arena, "state"), 0700), 0);
	assert_int_equal(mkdir(scratch_path(arena, "keys"), 0700), 0);
	close(mkstemp(name));
	assert_int_equal(chmod(name, 0666), 0);
	outside = name;
	here = open_port(&listener);
	elsewhere = open_port(&other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(outside);
	scratch_close();
	arena_free(arena);
	return 0;
}

static const char *with_port(const char *text)
{
	return arena_printf(arena, "%s" REMOTE, text, here).data;
}

/* What TRIAL returns in a process that has entered the sandbox of this configuration. */
static int in_sandbox(const char *text, int (*trial)(void))
{
	struct config *config = scratch_config(text);
	const pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		const char *file = reloads ? scratch_path(arena, "pintle.conf") : NULL;
		struct sandbox *s = sandbox_worker_new(config, file);

		sandbox_enter(s, CONFIG_LOG_DEBUG);
		sandbox_free(s);
		_exit(trial());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	config_free(config);
	return WIFSIGNALED(status) ? SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* An errno, 0 for none. */
static int result(long returned)
{
	return returned < 0 ? errno : 0;
}

/* Under valgrind, which does not know the system calls, and in some containers. */
static void need_kernel(void)
{
	const unsigned kill = 0x80000000u; /* SECCOMP_RET_KILL_PROCESS */

	if (syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &kill)) {
		print_message("skipped: there is no seccomp here: error %d\n", errno);
		skip();
	}
}

/* Skipped where the kernel, the build or the emulator cannot do it. */
static void need_seccomp(void)
{
#if defined(PINTLE_SANITIZED) || defined(PINTLE_COVERAGE)
#define WITHOUT_SANDBOX
#endif
#if !defined(HAVE_SECCOMP) || defined(WITHOUT_SANDBOX)
	print_message("skipped: built without seccomp, or with a sanitizer\n");
	skip();
#else
	need_kernel();
#endif
}

static void need_landlock(int abi)
{
#ifdef WITHOUT_SANDBOX
	print_message("skipped: built with a sanitizer\n");
	skip();
#endif
	need_kernel();
	if (sandbox_landlock_abi() < abi) {
		print_message("skipped: this kernel's Landlock is version %d, not %d\n",
			      sandbox_landlock_abi(), abi);
		skip();
	}
}

/* ---- the process itself */

static int is_bare(void)
{
	struct rlimit core;

	getrlimit(RLIMIT_CORE, &core);
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && core.rlim_max == 0 &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static void test_no_privileges_no_core(void **state)
{
	(void)state;
	need_landlock(0);
	assert_int_equal(is_bare(), 0);
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, is_bare), 1);
}

static int trace(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int read_parent(void)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { &byte, 1 };

	return result(syscall(SYS_process_vm_readv, getppid(), &to, 1, &from, 1, 0));
}

static int look_around(void)
{
	struct stat st;

	return result(stat("/", &st)) || getppid() <= 0;
}

static void test_ptrace_kills(void **state)
{
	(void)state;
	need_seccomp();
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, trace), SIGNAL + SIGSYS);
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, read_parent), SIGNAL + SIGSYS);
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, look_around), 0);
}

static int new_namespace(void)
{
	return result(syscall(SYS_unshare, CLONE_NEWUSER));
}

static int clone_namespace(void)
{
	return result(
		syscall(SYS_clone, (unsigned long)(CLONE_NEWUSER | SIGCHLD), 0, 0, 0, 0));
}

static void *nothing(void *context)
{
	return context;
}

static int make_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL);
}

static void test_namespaces_kill_but_threads_work(void **state)
{
	(void)state;
	need_seccomp();
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, new_namespace), SIGNAL + SIGSYS);
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, clone_namespace), SIGNAL + SIGSYS);
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, make_thread), 0);
	assert_int_equal(in_sandbox(KEYS_BY_FILE LOCAL, make_thread), 0);
}

static int io_uring(void)
{
	return result(syscall(SYS_io_uring_setup, 1, NULL));
}

static void test_io_uring_is_not_there(void **state)
{
	(void)state;
	need_seccomp();
	assert_int_equal(in_sandbox(KEYS_BY_URL LOCAL, io_uring), ENOSYS);
}

/* ---- sockets */

static int listen_again(void)
{
	return result(listen(listener, 1));
}

static int accept_one(void)
{
	const int fl = fcntl(listener, F_GETFL);

	fcntl(listener, F_SETFL, fl | O_NONBLOCK);
	return result(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

static void test_listen_kills_but_accept_works(void **state)
{
	(void)state;
	need_seccomp();
	assert_int_equal(in_sandbox(with_port(KEYS_BY_URL), listen_again),
			 SIGNAL + SIGSYS);
	assert_int_equal(in_sandbox(with_port(KEYS_BY_URL), accept_one), EAGAIN);
}

static int family, type, protocol;

static int open_socket(void)
{
	return result(socket(family, type, protocol));
}

static int socket_in(const char *text, int f, int t, int p)
{
	family = f;
	type = t;
	protocol = p;
	return in_sandbox(text, open_socket);
}

static void test_new_kinds_of_sockets(void **state)
{
	static const int strange[] = { AF_PACKET, AF_ALG,  AF_VSOCK, AF_BLUETOOTH,
				       AF_CAN,	  AF_TIPC, AF_XDP,   45,
				       63,	  64,	   1000 };
	const char *text = KEYS_BY_URL LOCAL;

	(void)state;
	need_seccomp();
	for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++)
		assert_int_equal(socket_in(text, strange[i], SOCK_DGRAM, 0),
				 EAFNOSUPPORT);
	assert_int_equal(socket_in(text, AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	assert_int_equal(socket_in(text, AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 58), EPERM);
	assert_int_equal(socket_in(text, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER),
			 EPROTONOSUPPORT);
	assert_int_equal(socket_in(text, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), 0);
	assert_int_equal(socket_in(text, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 0);
	assert_int_equal(socket_in(text, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(socket_in(text, AF_INET, SOCK_DGRAM, 0), 0); /* DNS */
}

static void test_no_network_where_nothing_is_on_it(void **state)
{
	const char *pinned = arena_printf(arena, KEYS_BY_FILE REMOTE, here).data;

	(void)state;
	need_seccomp();
	assert_int_equal(socket_in(KEYS_BY_FILE LOCAL, AF_INET, SOCK_STREAM, 0),
			 EAFNOSUPPORT);
	assert_int_equal(socket_in(KEYS_BY_FILE LOCAL, AF_INET6, SOCK_DGRAM, 0),
			 EAFNOSUPPORT);
	assert_int_equal(socket_in(KEYS_BY_FILE LOCAL, AF_UNIX, SOCK_STREAM, 0), 0);
	/* An address is no name: the database, and no DNS. */
	assert_int_equal(socket_in(pinned, AF_INET, SOCK_STREAM, 0), 0);
	assert_int_equal(socket_in(pinned, AF_INET, SOCK_DGRAM, 0), EPERM);
}

static unsigned short port;

static int connect_there(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return result(connect(socket(AF_INET, SOCK_STREAM, 0), (const void *)&address,
			      sizeof(address)));
}

static int connect_in(const char *text, unsigned short to)
{
	port = to;
	return in_sandbox(text, connect_there);
}

static int bind_somewhere(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET };

	return result(bind(socket(AF_INET, SOCK_STREAM, 0), (const void *)&address,
			   sizeof(address)));
}

static void test_connects_to_the_database_alone(void **state)
{
	(void)state;
	need_landlock(4);
	assert_int_equal(connect_in(with_port(KEYS_BY_FILE), here), 0);
	assert_int_equal(connect_in(with_port(KEYS_BY_FILE), elsewhere), EACCES);
	assert_int_equal(connect_in(with_port(KEYS_BY_FILE), 443), EACCES);
	assert_int_equal(in_sandbox(with_port(KEYS_BY_FILE), bind_somewhere), EACCES);
}

static const char *keys_at(const char *url)
{
	return arena_printf(arena,
			    "public_url = \"https://www.example.com/auth\"\n"
			    "state_dir = \"@/state\"\n"
			    "provider \"p\" { issuer = {\"i\"} audience = {\"a\"} "
			    "jwks_url = \"%s\" }\n" LOCAL,
			    url)
		.data;
}

static void test_connects_to_the_key_sets_port(void **state)
{
	const char *url = arena_printf(arena, "http://127.0.0.1:%u/keys", here).data;

	(void)state;
	need_landlock(4);
	assert_int_equal(connect_in(keys_at(url), here), 0);
	assert_int_equal(connect_in(keys_at(url), elsewhere), EACCES);
	/* Nobody is there, but it was tried. */
	assert_int_equal(connect_in(keys_at("https://127.0.0.1/a:77"), 443),
			 ECONNREFUSED);
	assert_int_equal(connect_in(keys_at("https://127.0.0.1/a:77"), 77), EACCES);
	assert_int_equal(connect_in(keys_at("https://[::1]/"), here), EACCES);
}

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

/* ---- a configuration that is read again */

static const char *missing(const char *before, const char *after)
{
	struct config *old = scratch_config(before), *new = scratch_config(after);
	const char *file = scratch_path(arena, "pintle.conf"), *what = NULL;
	struct sandbox *have = sandbox_worker_new(old, file);
	struct sandbox *wanted = sandbox_worker_new(new, file);

	if (!sandbox_covers(have, wanted, &what))
		what = arena_copy(arena, text_of(what)).data;
	sandbox_free(have);
	sandbox_free(wanted);
	config_free(old);
	config_free(new);
	return what;
}

static void test_reload_within_the_sandbox(void **state)
{
	const char *at_3306 = KEYS_BY_URL "database { hosts = {\"10.0.0.1\"} }\n";
	const char *at_3307 =
		KEYS_BY_URL "database { hosts = {\"10.0.0.1\"} port = 3307 }\n";

	(void)state;
	assert_null(missing(at_3306, at_3306));
	assert_null(missing(at_3306, KEYS_BY_URL LOCAL));
	assert_null(
		missing(at_3306, KEYS_BY_URL "database { hosts = {\"10.9.9.9\"} }\n"));
	assert_string_equal(missing(at_3306, at_3307), "port 3307");
	assert_string_equal(missing(KEYS_BY_URL LOCAL, at_3306), "port 3306");
	assert_non_null(strstr(missing(KEYS_BY_FILE LOCAL, KEYS_BY_URL LOCAL), "/"));
	assert_non_null(strstr(missing(KEYS_BY_URL LOCAL,
				       KEYS_BY_URL LOCAL "ca_file = \"/opt/x/ca.pem\"\n"),
			       "/opt/x/ca.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_privileges_no_core),
		cmocka_unit_test(test_ptrace_kills),
		cmocka_unit_test(test_namespaces_kill_but_threads_work),
		cmocka_unit_test(test_io_uring_is_not_there),
		cmocka_unit_test(test_listen_kills_but_accept_works),
		cmocka_unit_test(test_new_kinds_of_sockets),
		cmocka_unit_test(test_no_network_where_nothing_is_on_it),
		cmocka_unit_test(test_connects_to_the_database_alone),
		cmocka_unit_test(test_connects_to_the_key_sets_port),
		cmocka_unit_test(test_reads_what_it_needs),
		cmocka_unit_test(test_writes_in_state_dir_alone),
		cmocka_unit_test(test_truncates_nothing_outside),
		cmocka_unit_test(test_executes_pintle_fetch_alone),
		cmocka_unit_test(test_loader_does_not_start_a_shell),
		cmocka_unit_test(test_no_process_where_no_keys_are_fetched),
		cmocka_unit_test(test_nothing_without_a_name_is_executed),
		cmocka_unit_test(test_reload_within_the_sandbox),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
