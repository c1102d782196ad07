/* One request from its variables to its answer: the whole program, without a transport. */
#ifndef PINTLE_ANSWER_H
#define PINTLE_ANSWER_H

#include "app.h"
#include "request.h"
#include "response.h"

/*
 * Answers the request at DOOR and writes its log line. OUT is the whole answer as CGI wants
 * it; RES says what is left to be done. Both live until the arena is reset.
 */
void answer(const struct app *app, struct arena *arena, int64_t now,
	    const struct door *door, struct response *res, struct text *out);

/* What can wait until the client has its answer. Failing does no harm, and is not told. */
void answer_after(const struct app *app, const struct response *res, int64_t now);

#endif
