/*
 * The log: one line per request and per event, on stderr or syslog, as text or JSON.
 *
 * There is no way to print a token, a cookie, a key or a password: nobody hands one to
 * these functions, and what could be one is cut out of what a client sent: runs of 20 and
 * more token characters, outside of a path only those of both cases. Values end after 256
 * bytes.
 */
#ifndef PINTLE_LOG_H
#define PINTLE_LOG_H

#include "config.h"
#include "text.h"

/* Process-wide; before the first line it is text, info, stderr. */
void log_open(const struct config_log *config, const char *program);

/* What one request was and how it ended. Empty texts and NULLs are left out. */
struct log_request {
	const char *request_id;
	struct text method, path, address;
	int status;
	const char *error, *cause, *detail; /* of the problem, if any */
	const char *place; /* file:line where it was noted; at debug level */
	const char *provider, *user_id;
	double milliseconds;
};

void log_request(const struct log_request *r);

/* EVENT is a constant word; the rest is for people. */
void log_event(enum config_log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
