/*
 * What happened, counted over all workers of one state_dir: servers with threads, CGI runs,
 * pintle-fetch. In a file of state_dir that they share in memory.
 *
 * A count is one atomic step, so that a worker that dies leaves nothing half done, and one
 * that starts goes on where the others are. Before metrics_open, and while the file cannot be
 * used, counting does nothing; it never fails, and never costs a request.
 */
#ifndef PINTLE_METRICS_H
#define PINTLE_METRICS_H

#include <stdint.h>

#include "buffer.h"
#include "problem.h"

enum metrics_path {
#define METRICS_PATH(name, pattern) METRICS_PATH_##name,
#include "metrics.def"
	METRICS_PATHS
};

enum metrics_fetch {
#define METRICS_FETCH(name, outcome) METRICS_FETCH_##name,
#include "metrics.def"
	METRICS_FETCHES
};

enum metrics_db {
#define METRICS_DB(name, kind) METRICS_DB_##name,
#include "metrics.def"
	METRICS_DBS
};

/* Whose token was checked: a provider's, or one that we signed ourselves. */
enum metrics_issuer { METRICS_PROVIDER, METRICS_OWN, METRICS_ISSUERS };

/*
 * From here on all is counted in STATE_DIR. Process-wide, as the log is; may be called again.
 * Nothing needs closing.
 */
void metrics_open(const char *state_dir);

/* A request that was answered; also looks, once a second, whether the file is still the one. */
void metrics_request(enum metrics_path path, int status, uint64_t microseconds);

/* A login: KIND says why not; CREATED is for one that was. */
void metrics_login(enum problem_kind kind, bool created);
void metrics_token(enum metrics_issuer issuer, enum problem_kind kind);
void metrics_fetch(enum metrics_fetch outcome, uint64_t microseconds);
void metrics_db(enum metrics_db kind);
void metrics_commit(uint64_t microseconds);

/* CLOCK_MONOTONIC, for the durations above. */
uint64_t metrics_clock(void);

/* The pattern of a path, as it is printed. */
const char *metrics_path_pattern(enum metrics_path path);

/* ---- for who reads them: metrics_print.c */

#define METRICS_BUCKETS 15 /* those of metrics.def, and one for what takes longer */
#define METRICS_STATUSES 15
#define METRICS_LOGINS                                                                   \
	(PROBLEM_KINDS + 1) /* by kind; at NONE: who came back; last: created */

struct metrics_histogram {
	_Atomic uint64_t buckets[METRICS_BUCKETS], sum_us;
};

struct metrics_counts {
	_Atomic uint64_t requests[METRICS_PATHS][METRICS_STATUSES];
	_Atomic uint64_t logins[METRICS_LOGINS];
	_Atomic uint64_t tokens[METRICS_ISSUERS][PROBLEM_KINDS];
	_Atomic uint64_t fetches[METRICS_FETCHES];
	_Atomic uint64_t db[METRICS_DBS];
	struct metrics_histogram request_times[METRICS_PATHS], fetch_times, commit_times;
};

/*
 * The counts as they are; *SINCE gets when they began at 0. NULL, and problem INTERNAL, when
 * the file cannot be used.
 */
const struct metrics_counts *metrics_read(int64_t *since, struct problem *p);

/* All of them in the text format of Prometheus, version 0.0.4. */
bool metrics_print(struct buffer *out, struct problem *p)
	__attribute__((warn_unused_result));

#endif
