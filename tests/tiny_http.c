#include "tiny_http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX 16384
#define REQUEST_MS 3000

static volatile sig_atomic_t stopping;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the connection is ready for EVENTS; not beyond the deadline. */
static bool ready(int fd, short events, int64_t deadline)
{
	struct pollfd wait = { .fd = fd, .events = events };
	int64_t left = deadline - now_ms();

	return left > 0 && poll(&wait, 1, (int)left) == 1;
}

/* Takes the head apart, a text of whole lines. The status to refuse it with, or 0. */
static int head_parse(const char *head, struct http_request *request)
{
	const char *line_end = strstr(head, "\r\n"), *version = strstr(head, " HTTP/1.");
	const char *origin = strcasestr(head, "\r\nOrigin:");
	const char *length = strcasestr(head, "\r\nContent-Length:");

	if (!line_end || !version || version > line_end ||
	    sscanf(head, "%7[A-Z] %127[^ ?\r\n]", request->method, request->path) != 2)
		return 400;
	if (strcasestr(head, "\r\nTransfer-Encoding:"))
		return 411;
	if (origin)
		sscanf(origin + strlen("\r\nOrigin:"), " %127[^\r\n]", request->origin);
	if (length && sscanf(length + strlen("\r\nContent-Length:"), " %6zu",
			     &request->body_len) != 1)
		return 400;
	return request->body_len > REQUEST_MAX ? 413 : 0;
}

/*
 * Reads a request into BYTES, which has room for REQUEST_MAX and is all NUL. False when
 * nobody waits for an answer.
 */
static bool request_read(int fd, char *bytes, struct http_request *request)
{
	int64_t deadline = now_ms() + REQUEST_MS;
	size_t len = 0;

	while (!request->body ||
	       len < (size_t)(request->body - bytes) + request->body_len) {
		ssize_t n = 0;
		char *end;

		if (len == REQUEST_MAX)
			request->status = 413;
		else if (!ready(fd, POLLIN, deadline))
			request->status = 408;
		else if ((n = recv(fd, bytes + len, REQUEST_MAX - len, 0)) <= 0)
			request->status = 400;
		if (request->status)
			return n >= 0 && len > 0;
		len += (size_t)n;
		end = request->body ? NULL : memmem(bytes, len, "\r\n\r\n", 4);
		if (!end)
			continue;
		end[2] = '\0';
		request->body = end + 4;
		request->status = head_parse(bytes, request);
		if (request->status)
			return true;
	}
	return true;
}

static void send_all(int fd, const char *bytes, int64_t deadline)
{
	size_t len = strlen(bytes);

	while (len > 0 && ready(fd, POLLOUT, deadline)) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void answer_send(int fd, const struct http_answer *answer,
			const char *allow_origin)
{
	int64_t deadline = now_ms() + REQUEST_MS;
	char head[1024], date[64], rest[512];
	time_t now = time(NULL);

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
	snprintf(head, sizeof(head),
		 "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: application/json\r\n"
		 "Content-Length: %zu\r\nCache-Control: %s\r\nVary: Origin\r\n"
		 "X-Content-Type-Options: nosniff\r\nConnection: close\r\n%s%.127s%s\r\n",
		 answer->status, answer->status < 300 ? "OK" : "Refused", date,
		 answer->body ? strlen(answer->body) : 0, answer->caching,
		 allow_origin ? "Access-Control-Allow-Methods: GET, POST\r\n"
				"Access-Control-Allow-Headers: content-type\r\n"
				"Access-Control-Allow-Origin: "
			      : "",
		 allow_origin ? allow_origin : "", allow_origin ? "\r\n" : "");
	send_all(fd, head, deadline);
	if (answer->body)
		send_all(fd, answer->body, deadline);

	/* Bytes left unread would reset the connection, and the answer be lost. */
	shutdown(fd, SHUT_WR);
	while (ready(fd, POLLIN, deadline) && recv(fd, rest, sizeof(rest), 0) > 0)
		;
}

int http_listen(const char *address)
{
	struct sockaddr_in where = { .sin_family = AF_INET };
	socklen_t len = sizeof(where);
	char host[16], rest;
	unsigned int port;
	int fd, yes = 1;

	if (sscanf(address, "%15[0-9.]:%5u%c", host, &port, &rest) != 2 || port > 65535 ||
	    inet_pton(AF_INET, host, &where.sin_addr) != 1 ||
	    ntohl(where.sin_addr.s_addr) >> 24 != 127) {
		fprintf(stderr, "%s: not of the form 127.0.0.1:PORT\n", address);
		exit(2);
	}
	where.sin_port = htons((uint16_t)port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, (struct sockaddr *)&where, sizeof(where)) < 0 ||
	    listen(fd, 64) < 0 || getsockname(fd, (struct sockaddr *)&where, &len) < 0) {
		fprintf(stderr, "%s: %s\n", address, strerror(errno));
		exit(1);
	}
	printf("http://%s:%d\n", host, ntohs(where.sin_port));
	fflush(stdout);
	return fd;
}

static void stop(int number)
{
	(void)number;
	stopping = 1;
}

/* Signals are let in only while nobody is being served: NONE is the mask of that time. */
static void signals_hold(sigset_t *none)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t both;

	sigemptyset(none);
	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	sigprocmask(SIG_BLOCK, &both, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void http_run(int listener, const char *allow_origin, http_handler *handle)
{
	static char bytes[REQUEST_MAX + 1];
	sigset_t none;

	signals_hold(&none);
	while (!stopping) {
		struct pollfd wait = { .fd = listener, .events = POLLIN };
		struct http_request request = { .status = 0 };
		struct http_answer answer = { .caching = "no-store" };
		int fd = -1;

		if (ppoll(&wait, 1, NULL, &none) == 1)
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			continue;
		memset(bytes, 0, sizeof(bytes));
		if (request_read(fd, bytes, &request)) {
			const char *origin = allow_origin ? allow_origin : "";

			if (request.status == 0 && strcmp(request.method, "OPTIONS") == 0)
				answer.status = 204;
			else
				handle(&request, &answer);
			answer_send(fd, &answer,
				    strcmp(request.origin, origin) ? NULL : allow_origin);
			free(answer.body);
		}
		close(fd);
	}
	close(listener);
}
