#include "raw_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 8192
#define PATIENCE_MS 3000
#define DRIP_NS (50 * 1000 * 1000)
#define ENDLESS_MAX (64u * 1024 * 1024)

static struct {
	pthread_t thread;
	int listener;
	atomic_bool stop;

	pthread_mutex_t mutex; /* for all below */
	struct text bytes;
	enum raw_then then;
	size_t mark;
	unsigned requests;
	char heard[HEAD_MAX + 1];
} server = { .listener = -1, .mutex = PTHREAD_MUTEX_INITIALIZER };

static bool ready(int fd, short events, int ms)
{
	struct pollfd wait = { .fd = fd, .events = events };

	return poll(&wait, 1, ms) == 1;
}

static bool send_all(int fd, struct text bytes)
{
	while (bytes.len && ready(fd, POLLOUT, PATIENCE_MS)) {
		const ssize_t n =
			send(fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return false;
		bytes.data += n;
		bytes.len -= (size_t)n;
	}
	return !bytes.len;
}

/* The head of a request; false when the client does not come out with one. */
static bool hear(int fd, char head[HEAD_MAX + 1])
{
	size_t len = 0;
	ssize_t n;

	head[0] = '\0';
	while (!strstr(head, "\r\n\r\n")) {
		if (len == HEAD_MAX || !ready(fd, POLLIN, PATIENCE_MS))
			return false;
		n = recv(fd, head + len, HEAD_MAX - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		head[len] = '\0';
	}
	return true;
}

static void answer(int fd, struct text bytes, enum raw_then then, size_t mark)
{
	const struct timespec pause = { 0, DRIP_NS };
	const struct text again = { bytes.data + mark, bytes.len - mark };
	char rest[512];

	if (!send_all(fd, bytes))
		return;
	for (size_t sent = 0; then == RAW_ENDLESS && sent < ENDLESS_MAX;
	     sent += again.len)
		if (!send_all(fd, again))
			return;
	while (then == RAW_DRIP && !server.stop && send_all(fd, AS_TEXT("x")))
		nanosleep(&pause, NULL);
	/* Bytes left unread would reset the connection, and the answer be lost. */
	shutdown(fd, SHUT_WR);
	while (ready(fd, POLLIN, PATIENCE_MS) && recv(fd, rest, sizeof(rest), 0) > 0)
		;
}

static void *serve(void *context)
{
	char head[HEAD_MAX + 1];

	(void)context;
	while (!server.stop) {
		struct text bytes;
		enum raw_then then;
		size_t mark;
		int fd;

		if (!ready(server.listener, POLLIN, 20))
			continue;
		fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		if (hear(fd, head)) {
			pthread_mutex_lock(&server.mutex);
			server.requests++;
			memcpy(server.heard, head, sizeof(head));
			bytes = server.bytes;
			then = server.then;
			mark = server.mark;
			pthread_mutex_unlock(&server.mutex);
			answer(fd, bytes, then, mark);
		}
		close(fd);
	}
	return NULL;
}

static void need(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	abort();
}

unsigned short raw_server_start(unsigned short port)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t len = sizeof(where);
	const int yes = 1;

	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.stop = false;
	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	need(bind(server.listener, (struct sockaddr *)&where, sizeof(where)) == 0,
	     "bind");
	need(listen(server.listener, 64) == 0, "listen");
	need(getsockname(server.listener, (struct sockaddr *)&where, &len) == 0, "port");
	need(pthread_create(&server.thread, NULL, serve, NULL) == 0, "thread");
	return ntohs(where.sin_port);
}

void raw_server_stop(void)
{
	if (server.listener < 0)
		return;
	server.stop = true;
	pthread_join(server.thread, NULL);
	close(server.listener);
	server.listener = -1;
}

void raw_server_answer(struct text bytes, enum raw_then then, size_t mark)
{
	pthread_mutex_lock(&server.mutex);
	server.bytes = bytes;
	server.then = then;
	server.mark = mark;
	pthread_mutex_unlock(&server.mutex);
}

void raw_server_serve(struct arena *a, const char *headers, const char *body)
{
	raw_server_answer(
		arena_printf(a,
			     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			     "%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
			     headers, strlen(body), body),
		RAW_CLOSE, 0);
}

unsigned raw_server_requests(void)
{
	unsigned count;

	pthread_mutex_lock(&server.mutex);
	count = server.requests;
	server.requests = 0;
	pthread_mutex_unlock(&server.mutex);
	return count;
}

struct text raw_server_heard(struct arena *a)
{
	struct text heard;

	pthread_mutex_lock(&server.mutex);
	heard = arena_copy(a, text_of(server.heard));
	pthread_mutex_unlock(&server.mutex);
	return heard;
}
