/* A request to the whole program and its answer taken apart: for the targets. */
#ifndef PINTLE_FUZZ_ASKING_H
#define PINTLE_FUZZ_ASKING_H

#include "answer.h"

struct reply {
	int status;
	struct text head, body;
	struct response res;
};

/* VARIABLES end with NULL. What belongs after the answer (answer_after) is left to do. */
struct reply asking(const struct app *app, struct arena *a, int64_t now, enum role role,
		    char *const *variables, struct text body);

/* The last header of this name, "" if there is none; *COUNT gets how many there are. */
struct text asking_header(const struct reply *r, const char *name, unsigned *count);

/* What holds of every answer. HEAD: it is one to HEAD. */
void asking_check(const struct reply *r, enum role role, bool head);

#endif
