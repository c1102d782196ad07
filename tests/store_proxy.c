#include "store_proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64
#define TICK_MS 20

struct connection {
	struct store_proxy *proxy;
	pthread_t thread;
	int client, server;
};

struct store_proxy {
	pthread_mutex_t mutex; /* for all below */
	enum store_proxy_cut cut;
	unsigned cuts, refusals, error;
	const char *refused;
	bool stall, closing;
	int listener;
	struct sockaddr_un server;
	pthread_t thread;
	struct connection connections[MAX_CONNECTIONS];
	size_t count;
};

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static bool is_stalled(struct store_proxy *proxy, bool *closing)
{
	bool stall;

	pthread_mutex_lock(&proxy->mutex);
	stall = proxy->stall;
	*closing = proxy->closing;
	pthread_mutex_unlock(&proxy->mutex);
	return stall;
}

static enum store_proxy_cut next_cut(struct store_proxy *proxy)
{
	enum store_proxy_cut cut = PROXY_PASS;

	pthread_mutex_lock(&proxy->mutex);
	if (proxy->cuts) {
		proxy->cuts--;
		cut = proxy->cut;
	}
	pthread_mutex_unlock(&proxy->mutex);
	return cut;
}

static bool receive(int from, char *bytes, size_t size, ssize_t *got)
{
	*got = read(from, bytes, size);
	return *got > 0;
}

/*
 * Is it this statement? COM_QUERY is 3, after the four bytes of the packet; libmysqlclient puts
 * between it and the text how many attributes follow, and writes "commit".
 */
static bool is_query(const char *bytes, ssize_t len, const char *sql)
{
	const size_t sql_len = strlen(sql);
	const char *text = bytes + 5;
	size_t left = len > 5 ? (size_t)len - 5 : 0;

	if (!left || bytes[4] != 3)
		return false;
	if (left > 2 && memcmp(text, "\0\1", 2) == 0) {
		text += 2;
		left -= 2;
	}
	return left >= sql_len && strncasecmp(text, sql, sql_len) == 0;
}

/* Instead of the server; the packet is the protocol's ERR_Packet. */
static bool refuse(struct connection *c, const char *bytes, ssize_t len, bool *refused)
{
	unsigned char packet[] = "\11\0\0\1\377..#HY000";
	unsigned error;

	pthread_mutex_lock(&c->proxy->mutex);
	error = c->proxy->error;
	*refused = c->proxy->refusals && is_query(bytes, len, c->proxy->refused);
	if (*refused)
		c->proxy->refusals--;
	pthread_mutex_unlock(&c->proxy->mutex);
	packet[5] = error & 0xff;
	packet[6] = (error >> 8) & 0xff;
	return !*refused || write(c->client, packet, 13) == 13;
}

/* False: the connection is over. */
static bool from_client(struct connection *c)
{
	char bytes[65536];
	ssize_t got;
	bool refused;

	if (!receive(c->client, bytes, sizeof(bytes), &got))
		return false;
	if (!refuse(c, bytes, got, &refused))
		return false;
	if (refused)
		return true;
	if (is_query(bytes, got, "COMMIT")) {
		switch (next_cut(c->proxy)) {
		case PROXY_PASS:
			break;
		case PROXY_CUT_BEFORE:
			return false;
		case PROXY_CUT_AFTER:
			if (write(c->server, bytes, (size_t)got) == got)
				/* Its answer says that it is done; then it is thrown away. */
				receive(c->server, bytes, sizeof(bytes), &got);
			return false;
		}
	}
	return write(c->server, bytes, (size_t)got) == got;
}

static bool from_server(struct connection *c)
{
	char bytes[65536];
	ssize_t got;

	return receive(c->server, bytes, sizeof(bytes), &got) &&
	       write(c->client, bytes, (size_t)got) == got;
}

static void *run_connection(void *context)
{
	struct connection *c = context;
	bool closing = false;

	while (!closing) {
		struct pollfd fds[] = { { .fd = c->client, .events = POLLIN },
					{ .fd = c->server, .events = POLLIN } };

		if (is_stalled(c->proxy, &closing)) {
			usleep(TICK_MS * 1000);
			continue;
		}
		if (poll(fds, 2, TICK_MS) <= 0)
			continue;
		if ((fds[0].revents && !from_client(c)) ||
		    (fds[1].revents && !from_server(c)))
			break;
	}
	close(c->client);
	close(c->server);
	return NULL;
}

static void *run_listener(void *context)
{
	struct store_proxy *proxy = context;
	bool closing = false;

	while (!closing) {
		struct pollfd fd = { .fd = proxy->listener, .events = POLLIN };
		struct connection *c;

		is_stalled(proxy, &closing);
		if (poll(&fd, 1, TICK_MS) <= 0)
			continue;
		if (proxy->count == MAX_CONNECTIONS)
			abort();
		c = &proxy->connections[proxy->count++];
		c->proxy = proxy;
		c->client = accept(proxy->listener, NULL, NULL);
		c->server = socket(AF_UNIX, SOCK_STREAM, 0);
		/* With no server behind it the first read tells. */
		if (connect(c->server, (struct sockaddr *)&proxy->server,
			    sizeof(proxy->server)) != 0)
			perror("store_proxy");
		if (pthread_create(&c->thread, NULL, run_connection, c) != 0)
			abort();
	}
	return NULL;
}

struct store_proxy *store_proxy_open(const char *path, const char *server)
{
	struct store_proxy *proxy = calloc(1, sizeof(*proxy));
	struct sockaddr_un here = address_of(path);

	if (!proxy)
		abort();
	pthread_mutex_init(&proxy->mutex, NULL);
	proxy->server = address_of(server);
	proxy->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	unlink(path);
	if (bind(proxy->listener, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    listen(proxy->listener, 16) != 0 ||
	    pthread_create(&proxy->thread, NULL, run_listener, proxy) != 0) {
		perror(path);
		abort();
	}
	return proxy;
}

void store_proxy_close(struct store_proxy *proxy)
{
	pthread_mutex_lock(&proxy->mutex);
	proxy->closing = true;
	pthread_mutex_unlock(&proxy->mutex);
	pthread_join(proxy->thread, NULL);
	for (size_t i = 0; i < proxy->count; i++)
		pthread_join(proxy->connections[i].thread, NULL);
	close(proxy->listener);
	pthread_mutex_destroy(&proxy->mutex);
	free(proxy);
}

void store_proxy_cut(struct store_proxy *proxy, enum store_proxy_cut cut, unsigned count)
{
	pthread_mutex_lock(&proxy->mutex);
	proxy->cut = cut;
	proxy->cuts = count;
	pthread_mutex_unlock(&proxy->mutex);
}

void store_proxy_stall(struct store_proxy *proxy, bool stall)
{
	pthread_mutex_lock(&proxy->mutex);
	proxy->stall = stall;
	pthread_mutex_unlock(&proxy->mutex);
}

void store_proxy_refuse(struct store_proxy *proxy, const char *sql, unsigned error,
			unsigned count)
{
	pthread_mutex_lock(&proxy->mutex);
	proxy->refused = sql;
	proxy->error = error;
	proxy->refusals = count;
	pthread_mutex_unlock(&proxy->mutex);
}
