/*
 * The smallest HTTP/1.1 server that a test can do with: loopback only, one connection at a
 * time, one request a connection, 16 KiB and three seconds for it.
 */
#ifndef PINTLE_TINY_HTTP_H
#define PINTLE_TINY_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct http_request {
	int status; /* 0, or what it must be refused with; then the rest may be empty */
	char method[8], path[128], origin[128];
	char *body;
	size_t body_len;
};

struct http_answer {
	int status;
	const char *caching; /* the value of Cache-Control */
	char *body;	     /* JSON; freed once it is sent */
};

typedef void http_handler(const struct http_request *request, struct http_answer *answer);

/*
 * Listens on "127.0.0.1:PORT", port 0 for any, and prints the URL on standard output. Ends
 * the program, with a message, when that cannot be.
 */
int http_listen(const char *address);

/*
 * Answers until SIGTERM or SIGINT; then closes the listener. Pages of ALLOW_ORIGIN, which
 * may be NULL, may read the answers (CORS).
 */
void http_run(int listener, const char *allow_origin, http_handler *handle);

#endif
