/*
 * An issuer's HTTP server for tests: a thread on a loopback port that answers every
 * request with the bytes it was given, however hostile, and counts.
 */
#ifndef PINTLE_RAW_SERVER_H
#define PINTLE_RAW_SERVER_H

#include "arena.h"

enum raw_then {
	RAW_CLOSE,   /* the connection once the bytes are sent */
	RAW_ENDLESS, /* the bytes after MARK again and again */
	RAW_DRIP,    /* a byte of "x" every 50 ms */
};

/* Port 0: any. Returns the port. */
unsigned short raw_server_start(unsigned short port);

/* Stops listening at once; from then on connections are refused. */
void raw_server_stop(void);

/* What is sent from now on, head and all; the bytes are the caller's. */
void raw_server_answer(struct text bytes, enum raw_then then, size_t mark);

/* "HTTP/1.1 200 OK", the HEADERS (lines ending in CR LF), a length and BODY. */
void raw_server_serve(struct arena *a, const char *headers, const char *body);

/* How many requests came since this was last called. */
unsigned raw_server_requests(void);

/* The head of the last request. */
struct text raw_server_heard(struct arena *a);

#endif
