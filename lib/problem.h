/*
 * Why something failed: one record that travels last in every call that can fail.
 *
 * The kinds, with what a client is told about each, are in problems.def.
 */
#ifndef PINTLE_PROBLEM_H
#define PINTLE_PROBLEM_H

#include <stdbool.h>

enum problem_kind {
	PROBLEM_NONE = 0,
#define PROBLEM(kind, status, error, reason, cause, message) PROBLEM_##kind,
#include "problems.def"
#undef PROBLEM
	PROBLEM_KINDS
};

struct problem {
	enum problem_kind kind;
	const char *file; /* where it was noted */
	int line;
	unsigned retry_after_s; /* 0: the default of its kind */
	bool may_be_done; /* a change of unknown fate: the database did not say */
	char detail[160]; /* for the log only; never a secret */
};

/* One row of problems.def. REASON may be NULL; CAUSE (for the log) never is. */
struct problem_row {
	const char *name;
	int status;
	const char *error, *reason, *cause, *message;
};

const struct problem_row *problem_row(enum problem_kind kind);

/*
 * Notes a problem and returns false, so that a function can end with
 * `return problem(p, BAD_EMAIL, "length=%zu", n);`. The first one noted stays.
 */
#define problem(p, kind, ...) problem_as(p, PROBLEM_##kind, __VA_ARGS__)

/* The same of a kind that is known only when it happens. */
#define problem_as(p, kind, ...)                                                         \
	({                                                                               \
		problem_note((p), (kind), __FILE__, __LINE__, __VA_ARGS__);              \
		false; /* here, where compiler and analyzers see it */                   \
	})

void problem_note(struct problem *p, enum problem_kind kind, const char *file, int line,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Forgets it, before something is tried again. */
void problem_clear(struct problem *p);

#endif
