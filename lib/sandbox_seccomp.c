/*
 * The system calls that are refused from now on, by libseccomp: it knows the numbers and
 * the multiplexers (socketcall) of every architecture, and kills what calls by another one's.
 *
 * A list of what is forbidden, not of what is allowed. An allow list would have to know
 * what the next libc, database client and name service module call, and would end logins
 * after an upgrade; here the kernel's old doors are closed, Landlock keeps the files.
 *
 * Killed is who makes a call that neither we nor a library has any reason for: that is an
 * intruder, and the next call could be the one that gets through. An error is answered
 * where a library may try something and then do without.
 */
#include "sandbox_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "autoconf.h"

#ifdef HAVE_SECCOMP
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define NAMESPACES                                                                       \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |      \
	 CLONE_NEWUTS | CLONE_NEWCGROUP)
#define TYPE_MASK 0xfu /* socket(2)'s type without its flags */

static const char *const killed[] = {
	/* other processes' memory and files */
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"pidfd_getfd",
	"kcmp",
	"process_madvise",
	/* a port that somebody could come in by */
	"listen",
	/*
	 * the kernel's own doors; what needs root anyway and no intruder gains by (the clock,
	 * the host's name, swapping) is not worth the time its rule takes
	 */
	"kexec_load",
	"kexec_file_load",
	"init_module",
	"finit_module",
	"delete_module",
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"iopl",
	"ioperm",
	"modify_ldt",
	"reboot",
	/* another view of the file system */
	"mount",
	"umount2",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsmount",
	"fsconfig",
	"fspick",
	"mount_setattr",
	"pivot_root",
	"chroot",
	"unshare",
	"setns",
	"open_by_handle_at",
	/* keyrings, some of which others can read */
	"add_key",
	"request_key",
	"keyctl",
	/* a program that has no name: see memfd_create */
	"execveat",
};

static const struct {
	const char *name;
	int error;
} refused[] = {
	/* Around seccomp itself; whoever probes for it does without. */
	{ "io_uring_setup", ENOSYS },
	{ "io_uring_enter", ENOSYS },
	{ "io_uring_register", ENOSYS },
	/* Its flags are in memory, where a filter cannot look: glibc then takes clone. */
	{ "clone3", ENOSYS },
	/* A file without a path, which Landlock would let be executed. */
	{ "memfd_create", EACCES },
	{ "memfd_secret", EACCES },
	{ "personality", EPERM },
	{ "pidfd_open", EPERM },
};

static int numbered(const char *name)
{
	return seccomp_syscall_resolve_name(name);
}

/* A call that this architecture does not have cannot be made. */
static int rule(scmp_filter_ctx filter, uint32_t action, const char *name)
{
	const int number = numbered(name);

	return number == __NR_SCMP_ERROR ? 0
					 : seccomp_rule_add(filter, action, number, 0);
}

static int add_lists(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(killed) / sizeof(*killed) && !error; i++)
		error = rule(filter, SCMP_ACT_KILL_PROCESS, killed[i]);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused) && !error; i++)
		error = rule(filter, SCMP_ACT_ERRNO(refused[i].error), refused[i].name);
	return error;
}

static int refuse_family(scmp_filter_ctx filter, struct scmp_arg_cmp which)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				which);
}

/*
 * All families but those for the log, the database, and the C library, which asks the kernel
 * for our addresses: 1, 2, 10 and 16. By bits, as each rule costs every CGI run 4 us.
 */
static int refuse_families(scmp_filter_ctx filter, bool inet)
{
	static const struct {
		uint32_t mask, family;
	} others[] = {
		{ UINT32_MAX, 0 },  { UINT32_MAX, 3 }, { ~3u, 4 },   { ~1u, 8 },
		{ UINT32_MAX, 11 }, { ~3u, 12 },       { ~14u, 17 }, { ~13u, 18 },
		{ ~11u, 20 },	    { ~7u, 24 },
	};
	const size_t count = sizeof(others) / sizeof(*others);
	int error = refuse_family(filter, SCMP_A0_32(SCMP_CMP_GE, 32));

	for (size_t i = 0; i < count && !error; i++)
		error = refuse_family(
			filter,
			SCMP_A0_32(SCMP_CMP_MASKED_EQ, others[i].mask, others[i].family));
	if (!inet && !error)
		error = refuse_family(filter, SCMP_A0_32(SCMP_CMP_EQ, AF_INET));
	if (!inet && !error)
		error = refuse_family(filter, SCMP_A0_32(SCMP_CMP_EQ, AF_INET6));
	return error;
}

static int refuse_type(scmp_filter_ctx filter, int family, int type)
{
	return seccomp_rule_add(
		filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 2,
		SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)family),
		SCMP_A1_32(SCMP_CMP_MASKED_EQ, TYPE_MASK, (uint32_t)type));
}

static int add_sockets(scmp_filter_ctx filter, const struct sandbox *s)
{
	static const int inet[] = { AF_INET, AF_INET6 };
	int error = refuse_families(filter, s->ports != NULL);

	for (int i = 0; i < 2 && s->ports && !error; i++) {
		error = refuse_type(filter, inet[i], SOCK_RAW);
		/* UDP is no business of Landlock's, and for DNS alone. */
		if (!s->resolves && !error)
			error = refuse_type(filter, inet[i], SOCK_DGRAM);
	}
	/* Of netlink the addresses and routes (0), nothing of the many others. */
	return error ? error
		     : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT),
					SCMP_SYS(socket), 2,
					SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
					SCMP_A2_32(SCMP_CMP_NE, 0));
}

/* Threads, always; processes only where there is one to start; namespaces never. */
static int add_processes(scmp_filter_ctx filter, const struct sandbox *s)
{
	static const char *const making[] = { "fork", "vfork", "execve" };
	int error = 0;

	for (unsigned bit = 0; bit < 32 && !error; bit++)
		if (NAMESPACES & (1u << bit))
			error = seccomp_rule_add(
				filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, 1u << bit, 1u << bit));
	if (s->executes || error)
		return error;
	for (size_t i = 0; i < sizeof(making) / sizeof(*making) && !error; i++)
		error = rule(filter, SCMP_ACT_ERRNO(EACCES), making[i]);
	return error ? error
		     : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(clone),
					1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

/* Typing into the terminal that we were started from. */
static int add_terminal(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
				SCMP_A1_32(SCMP_CMP_EQ, TIOCSTI));
}

bool sandbox_seccomp_enter(const struct sandbox *s, char why[SANDBOX_WHY_SIZE])
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = filter ? 0 : -ENOMEM;

	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
					 SCMP_ACT_KILL_PROCESS);
	if (!error)
		error = add_lists(filter);
	if (!error)
		error = add_sockets(filter, s);
	if (!error)
		error = add_processes(filter, s);
	if (!error)
		error = add_terminal(filter);
	if (!error)
		error = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (error)
		snprintf(why, SANDBOX_WHY_SIZE, "error %d", -error);
	return !error;
}
#else
bool sandbox_seccomp_enter(const struct sandbox *s, char why[SANDBOX_WHY_SIZE])
{
	(void)s;
	snprintf(why, SANDBOX_WHY_SIZE, "built without libseccomp");
	return false;
}
#endif
