/* A request as the web server describes it: CGI variables (RFC 3875, 4.1), read warily. Pure. */
#ifndef PINTLE_REQUEST_H
#define PINTLE_REQUEST_H

#include <sys/types.h>

#include "arena.h"

enum role { ROLE_RESPONDER, ROLE_AUTHORIZER };

/* Where a request comes from: the parameter that makes CGI, FastCGI and tests alike. */
struct door {
	enum role role;
	char *const *variables; /* "NAME=value", NULL after the last */
	/*
	 * Up to SIZE bytes of the body; 0 at its end, -1 when it breaks off. Never called for
	 * an authorizer: there is no body, and web servers would keep the read waiting.
	 */
	ssize_t (*read_body)(void *context, char *out, size_t size);
	void *context;
};

#define REQUEST_ID_SIZE 17

struct request {
	struct arena *arena;
	int64_t now; /* seconds since 1970 */
	char id[REQUEST_ID_SIZE];
	enum role role;
	struct text method, path; /* the path inside the mount point */
	struct text address, user_agent;
	struct text content_type, content_encoding, content_length;
	struct text origin, fetch_site, fetch_mode, accept;
	struct text uri; /* as it was asked for: path and query */
	bool is_direct;	 /* that is our own path, not that of a page which is guarded */
	bool has_origin;
	struct text authorization;
	char *const *variables; /* for all Cookie headers: nginx passes each on its own */
	struct text body;
	size_t body_size; /* of the whole body; more than body.len when it was over the limit */
	bool body_broken;
};

void request_read(struct request *req, const struct door *door, struct arena *arena,
		  int64_t now);

/*
 * Reads the body to its end, whatever Content-Length says: behind some servers a rest left
 * unread spoils the answer. At most LIMIT bytes are kept.
 */
void request_read_body(struct request *req, const struct door *door, size_t limit);

/* Calls EACH for every variable of this name. Duplicates happen, and are no accident. */
void request_each(char *const *variables, const char *name,
		  void (*each)(void *context, struct text value), void *context);

/* "Bearer TOKEN" (RFC 6750, 2.1): the token; empty if there is none. */
struct text request_bearer(const struct request *req);

#endif
