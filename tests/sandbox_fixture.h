/* For the tests of lib/sandbox*.c: a process in the very sandbox of a worker tries what an intruder would, and beside it what a worker does. Each trial is a process of its own. */
#ifndef PINTLE_SANDBOX_FIXTURE_H
#define PINTLE_SANDBOX_FIXTURE_H

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

static inline unsigned short open_port(int *fd)
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

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
	(void)state;
	unlink(outside);
	scratch_close();
	arena_free(arena);
	return 0;
}

static inline const char *with_port(const char *text)
{
	return arena_printf(arena, "%s" REMOTE, text, here).data;
}

/* What TRIAL returns in a process that has entered the sandbox of this configuration. */
static inline int in_sandbox(const char *text, int (*trial)(void))
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
static inline int result(long returned)
{
	return returned < 0 ? errno : 0;
}

/* Under valgrind, which does not know the system calls, and in some containers. */
static inline void need_kernel(void)
{
	const unsigned kill = 0x80000000u; /* SECCOMP_RET_KILL_PROCESS */

	if (syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &kill)) {
		print_message("skipped: there is no seccomp here: error %d\n", errno);
		skip();
	}
}

/* Skipped where the kernel, the build or the emulator cannot do it. */
static inline void need_seccomp(void)
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

static inline void need_landlock(int abi)
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

#endif
