/*
 * The server of scripts/with-mariadb, for tests: SQL as its administrator, its counters, its
 * end and its next start. Whatever goes wrong here ends the process.
 */
#ifndef PINTLE_MARIADB_H
#define PINTLE_MARIADB_H

#include "text.h"

/* From the environment that scripts/with-mariadb makes. */
struct mariadb {
	const char *socket, *user, *name, *admin, *dir, *start;
};

/* Connects as administrator. Ends the process with status 2 where there is no server. */
const struct mariadb *mariadb_open(void);
void mariadb_close(void);

/* Runs one statement; the last column of its first row as a number, 0 if there is none. */
uint64_t mariadb_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, where it does not matter whether it fails. */
void mariadb_try(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A literal of any bytes: X'6162'. One of four buffers, in turn. */
const char *mariadb_literal(struct text bytes);

/* A counter of SHOW GLOBAL STATUS. */
uint64_t mariadb_status(const char *name);

/* KILL CONNECTION for all but the administrator's; how many there were. */
unsigned mariadb_kill_connections(void);

/* Ends the server with this signal and waits until it is gone. */
void mariadb_stop(int signal);

/* Starts it again with further options (NULL after the last) and waits until it answers. */
void mariadb_start(const char *const *options);

#endif
