/*
 * Stands between a client and a MySQL server's Unix socket and cuts the connection at the
 * worst moment: around a COMMIT.
 */
#ifndef PINTLE_STORE_PROXY_H
#define PINTLE_STORE_PROXY_H

#include <stdbool.h>

struct store_proxy;

enum store_proxy_cut {
	PROXY_PASS,	  /* no cut */
	PROXY_CUT_BEFORE, /* the COMMIT does not get to the server */
	PROXY_CUT_AFTER,  /* the server does it, and its answer does not come back */
};

/* Listens on the socket PATH, for the server at the socket SERVER. */
struct store_proxy *store_proxy_open(const char *path, const char *server);
void store_proxy_close(struct store_proxy *proxy);

/* What happens to the next COUNT commits. */
void store_proxy_cut(struct store_proxy *proxy, enum store_proxy_cut cut, unsigned count);

/*
 * Answers the next COUNT texts that begin with SQL with this error of the server's.
 * "SET autocommit = 0" goes before the first transaction of a connection.
 */
void store_proxy_refuse(struct store_proxy *proxy, const char *sql, unsigned error,
			unsigned count);

/* While it is true nothing passes, in either direction. */
void store_proxy_stall(struct store_proxy *proxy, bool stall);

#endif
