/*
 * What a process gives up for good once it has started: new privileges, core dumps, the
 * system calls that only an intruder makes, the files, programs and ports it has no use for.
 *
 * A sandbox is a list of what stays allowed, entered once, before there are threads. What
 * the process starts later is in it as well: that is how Landlock and seccomp are.
 */
#ifndef PINTLE_SANDBOX_H
#define PINTLE_SANDBOX_H

#include "config.h"

struct sandbox;

/* One in which only the libraries at hand and the like can be read. */
struct sandbox *sandbox_new(void);
void sandbox_free(struct sandbox *sandbox);

/* A file, or a directory with all that is below it. What is not there is passed over. */
void sandbox_may_read(struct sandbox *sandbox, const char *path);
void sandbox_may_write(struct sandbox *sandbox, const char *path);

/*
 * A file that somebody may replace by another one of that name: its whole directory, unless
 * that is one of the first level, such as /etc.
 */
void sandbox_may_reread(struct sandbox *sandbox, const char *path);

/* The program, and the dynamic loader that starts it. Without any, no process is made. */
void sandbox_may_execute(struct sandbox *sandbox, const char *program);

/* By TCP to this port, on whatever machine; 0: to any. Without any, there is no TCP. */
void sandbox_may_connect(struct sandbox *sandbox, unsigned port);

/* To the port of a URL. */
void sandbox_may_connect_url(struct sandbox *sandbox, const char *url);

/* The names of other machines: /etc/resolv.conf and the like, DNS by UDP and TCP. */
void sandbox_may_resolve(struct sandbox *sandbox);

/* The certificates that are trusted: of this file, or, when it is NULL, the system's. */
void sandbox_may_verify(struct sandbox *sandbox, const char *ca_file);

/*
 * Is all that WANTED allows allowed by HAVE? When not, *WHAT names one thing, in words; it
 * lives as long as WANTED.
 */
bool sandbox_covers(const struct sandbox *have, const struct sandbox *wanted,
		    const char **what);

/*
 * Gives up everything else. What this kernel, or this build, cannot do is logged as a
 * warning, and the rest done; LEVEL is that of the line which says what was done.
 */
void sandbox_enter(const struct sandbox *sandbox, enum config_log_level level);

#endif
