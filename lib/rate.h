/*
 * How often an address may try to log in: counted per minute over all workers, in a file of
 * state_dir. Of fixed size; nothing in it needs repair when a worker dies, or when somebody
 * empties or removes it.
 */
#ifndef PINTLE_RATE_H
#define PINTLE_RATE_H

#include "config.h"
#include "problem.h"

struct rate;

/* NULL when rate_login is 0. Opens nothing yet. */
struct rate *rate_new(const struct config *config);
void rate_free(struct rate *rate);

/*
 * Counts a login from ADDRESS (REMOTE_ADDR: IPv4, or IPv6 of which the first 64 bits count)
 * at NOW. RATE_LIMITED, with the seconds left of the minute, beyond rate_login. Where the
 * file cannot be had everything is let through, and the log says so. RATE may be NULL.
 */
bool rate_allow(struct rate *rate, struct text address, int64_t now, struct problem *p)
	__attribute__((warn_unused_result));

#endif
