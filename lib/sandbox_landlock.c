/*
 * Landlock by its system calls: Debian 12's headers know less of it than its kernel, and
 * glibc has no functions for it. What is asked for is what the running kernel knows.
 */
#include "sandbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on every architecture (include/uapi/asm-generic/unistd.h). */
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

/* include/uapi/linux/landlock.h */
#define FS_EXECUTE (1u << 0)
#define FS_WRITE_FILE (1u << 1)
#define FS_READ_FILE (1u << 2)
#define FS_READ_DIR (1u << 3)
#define FS_REMOVE_DIR (1u << 4)
#define FS_REMOVE_FILE (1u << 5)
#define FS_MAKE_DIR (1u << 7)
#define FS_MAKE_REG (1u << 8)
#define FS_ABI_1 ((1u << 13) - 1)
#define FS_REFER (1u << 13)	/* 2 */
#define FS_TRUNCATE (1u << 14)	/* 3 */
#define FS_IOCTL_DEV (1u << 15) /* 5 */
#define NET_BIND_TCP 1u		/* 4 */
#define NET_CONNECT_TCP 2u
#define SCOPE_ABSTRACT_UNIX 1u /* 6 */
#define SCOPE_SIGNAL 2u

#define ON_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_rule {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t access, port;
};

int sandbox_landlock_abi(void)
{
	const long abi = syscall(CREATE_RULESET, NULL, (size_t)0, CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

/* Everything this kernel can refuse is refused, but for what a rule allows. */
static struct ruleset handled(const struct sandbox *s, int abi)
{
	struct ruleset r = { .fs = FS_ABI_1 };

	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 4)
		r.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	/* No signal to, and no abstract socket of, anybody outside. */
	if (abi >= 6)
		r.scoped =
			s->abstract ? SCOPE_SIGNAL : SCOPE_SIGNAL | SCOPE_ABSTRACT_UNIX;
	for (const struct sandbox_port *p = s->ports; p; p = p->next)
		if (p->port == 0)
			r.net &= ~(uint64_t)NET_CONNECT_TCP;
	return r;
}

static uint64_t rights(unsigned access)
{
	uint64_t r = 0;

	if (access & SANDBOX_READ)
		r |= FS_READ_FILE | FS_READ_DIR;
	if (access & SANDBOX_WRITE)
		r |= FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_MAKE_DIR |
		     FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER;
	if (access & SANDBOX_EXECUTE)
		r |= FS_EXECUTE;
	return r;
}

/* What is not there cannot be allowed, and need not. */
static bool add_path(int ruleset, const struct sandbox_path *path, uint64_t known)
{
	struct path_rule rule = { rights(path->access) & known,
				  open(path->path, O_PATH | O_CLOEXEC) };
	struct stat st;
	bool added;

	if (rule.fd < 0)
		return true;
	if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.access &= ON_FILES;
	added = syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.fd);
	return added;
}

static bool add_rules(int ruleset, const struct sandbox *s, const struct ruleset *known)
{
	for (const struct sandbox_path *p = s->paths; p; p = p->next)
		if (!add_path(ruleset, p, known->fs))
			return false;
	for (const struct sandbox_port *p = s->ports; p; p = p->next) {
		const struct port_rule rule = { NET_CONNECT_TCP, p->port };

		if ((known->net & NET_CONNECT_TCP) &&
		    syscall(ADD_RULE, ruleset, RULE_NET_PORT, &rule, 0))
			return false;
	}
	return true;
}

bool sandbox_landlock_enter(const struct sandbox *s, int abi, char why[SANDBOX_WHY_SIZE])
{
	const struct ruleset known = handled(s, abi);
	/* An older kernel takes the longer struct as long as what it does not know is 0. */
	const int ruleset = (int)syscall(CREATE_RULESET, &known, sizeof(known), 0);
	const bool entered = ruleset >= 0 && add_rules(ruleset, s, &known) &&
			     syscall(RESTRICT_SELF, ruleset, 0) == 0;

	if (!entered)
		snprintf(why, SANDBOX_WHY_SIZE, "error %d", errno);
	if (ruleset >= 0)
		close(ruleset);
	return entered;
}
