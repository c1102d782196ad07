/*
 * pintlectl doctor: what its checks share. A check looks at one thing between here and a
 * login, and notes each finding with its cure.
 */
#ifndef PINTLE_DOCTOR_H
#define PINTLE_DOCTOR_H

#include "command.h"

enum doctor_grade {
	DOCTOR_TODO,  /* nothing is wrong: it belongs to a set-up that goes on */
	DOCTOR_RISK,  /* logins work, but */
	DOCTOR_WRONG, /* they do not, or are not safe */
	DOCTOR_AWAY,  /* somebody does not answer: try again */
};

struct doctor_finding {
	const char *check;
	enum doctor_grade grade;
	const char *code; /* a constant word, one for each kind of finding */
	const char *what, *cure;
	struct doctor_finding *next;
};

struct doctor {
	struct command_context *context;
	struct arena *arena;
	const struct config *config; /* NULL until it could be loaded */
	const char *url, *socket;    /* --url, --socket; or NULL */
	const char *check;	     /* the one at work */
	struct doctor_finding *first, **last;
	size_t count, faults, away; /* what is still to be done is no fault */
	bool hopeless; /* what comes after this check would say nothing new */
};

/* CURE is a text in the arena or a constant; the rest says what is wrong. */
void doctor_note(struct doctor *d, enum doctor_grade grade, const char *code,
		 const char *cure, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* A text in the doctor's arena, for a cure. */
#define DOCTOR_TEXT(d, ...) (arena_printf((d)->arena, __VA_ARGS__).data)

/* ---- the checks, in their order */

void doctor_config(struct doctor *d); /* loads it */
void doctor_advice(struct doctor *d); /* what is allowed in it, and hardly meant */
void doctor_files(struct doctor *d);  /* who else can read and write what */
void doctor_keys(struct doctor *d);   /* keys_dir, jwks_file: our own and pinned keys */
void doctor_database(struct doctor *d);
void doctor_schema(struct doctor *d);
void doctor_provider(struct doctor *d);
void doctor_socket(struct doctor *d);
void doctor_url(struct doctor *d);

#endif
