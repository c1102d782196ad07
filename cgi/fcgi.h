/*
 * FastCGI 1.0, as much of it as a program needs that answers one request on a connection:
 * records in, a request out, and its answer back. Whatever the peer sends, nothing here takes
 * more memory than is said below or waits longer than its time.
 *
 * Not by libfcgi: three names in one FCGI_GET_VALUES overflow its stack, two lengths end its
 * process, it takes 2 GB when told to, and it waits for ever between two bytes.
 */
#ifndef PINTLE_FCGI_H
#define PINTLE_FCGI_H

#include <sys/types.h>
#include <time.h>

#include "arena.h"

#define FCGI_BUFFER_BYTES 8192

/* All parameters of a request; web servers send a quarter of it at most. */
#define FCGI_PARAMS_MAX (256u * 1024)

/* A read or a write may take so long, and so long all that comes before the answer. */
#define FCGI_WAIT_S 10
#define FCGI_REQUEST_S 20

enum fcgi_role { FCGI_RESPONDER = 1, FCGI_AUTHORIZER = 2 };

struct fcgi {
	int fd;
	enum fcgi_role role;
	char **variables; /* "NAME=value", ended by NULL; in the arena */

	unsigned id;	     /* of the request, from its first record on */
	bool body_ended;     /* all of the body was read */
	bool broken;	     /* or there will be no more of it */
	size_t content_left; /* of the record at hand, if it is one of the body */
	size_t padding_left; /* of the record at hand, whatever it is */
	time_t until;	     /* CLOCK_MONOTONIC */
	size_t start, end;   /* what of BUFFER is yet to be used */
	unsigned char buffer[FCGI_BUFFER_BYTES];
};

/*
 * Reads a request up to its parameters from the connection FD, which F owns from now on.
 * False: there is none, or none that can be served; the peer was told where the protocol has
 * a word for it.
 */
bool fcgi_open(struct fcgi *f, int fd, struct arena *arena)
	__attribute__((warn_unused_result));

/* The next bytes of the body: 0 at its end, -1 when the rest of it will not come. */
ssize_t fcgi_read(struct fcgi *f, char *out, size_t size);

/* Sends the whole answer and the end of the request. */
void fcgi_answer(struct fcgi *f, struct text out);

/* After it, or after fcgi_open has failed. Sees to it that the peer can read the answer. */
void fcgi_close(struct fcgi *f);

#endif
