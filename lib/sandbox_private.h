/* What the files of the sandbox share: sandbox.c, sandbox_landlock.c, sandbox_seccomp.c. */
#ifndef PINTLE_SANDBOX_PRIVATE_H
#define PINTLE_SANDBOX_PRIVATE_H

#include "arena.h"
#include "sandbox.h"

enum { SANDBOX_READ = 1, SANDBOX_WRITE = 2, SANDBOX_EXECUTE = 4 };

struct sandbox_path {
	const char *path, *what; /* as in the file system; for people */
	unsigned access;
	const struct sandbox_path *next;
};

struct sandbox_port {
	unsigned port; /* 0: any */
	const char *what;
	const struct sandbox_port *next;
};

struct sandbox {
	struct arena *arena; /* of all below */
	const struct sandbox_path *paths;
	const struct sandbox_port *ports; /* none: no TCP, and no sockets for it */
	bool resolves;			  /* then UDP as well */
	bool abstract;			  /* may send to abstract Unix sockets */
	bool executes;			  /* else no process can be made */
};

#define SANDBOX_WHY_SIZE 128

/* Landlock's version here; 0: the kernel has none, or it is turned off. */
int sandbox_landlock_abi(void);

/* False when something failed, and WHY says what. */
bool sandbox_landlock_enter(const struct sandbox *sandbox, int abi,
			    char why[SANDBOX_WHY_SIZE])
	__attribute__((warn_unused_result));
bool sandbox_seccomp_enter(const struct sandbox *sandbox, char why[SANDBOX_WHY_SIZE])
	__attribute__((warn_unused_result));

#endif
