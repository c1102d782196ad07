/* The sandbox: privileges, threads, sockets; and what a reload needs of it. */
#include "sandbox_fixture.h"

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
		cmocka_unit_test(test_reload_within_the_sandbox),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
