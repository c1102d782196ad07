#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 256

bool listener_is(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

static int fail(const char *where, const char *what)
{
	fprintf(stderr, "pintle: --listen %s: %s\n", where, what);
	return -1;
}

static int listen_unix(const char *where, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask;
	bool bound;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return fail(where, "the path is too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		close(fd);
		return fail(where, "another process listens there");
	}
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(path);
	/* Whoever can connect to a FastCGI socket owns the process: owner and group only. */
	mask = umask(0117);
	bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	umask(mask);
	if (!bound || listen(fd, BACKLOG)) {
		const int error = errno;

		close(fd);
		return fail(where, strerror(error));
	}
	return fd;
}

static int listen_tcp(const char *where)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
						    AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(where, ':');
	const int yes = 1;
	struct addrinfo *address;
	char host[64];
	size_t len;
	int fd;

	if (!colon || colon - where >= (ptrdiff_t)sizeof(host))
		return fail(where, "neither unix:PATH nor ADDRESS:PORT");
	len = (size_t)(colon - where);
	memcpy(host, where, len);
	host[len] = '\0';
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
	}
	if (getaddrinfo(host, colon + 1, &hints, &address))
		return fail(where, "neither unix:PATH nor ADDRESS:PORT");
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd < 0 || bind(fd, address->ai_addr, address->ai_addrlen) ||
	    listen(fd, BACKLOG)) {
		const int error = errno;

		freeaddrinfo(address);
		close(fd);
		return fail(where, strerror(error));
	}
	freeaddrinfo(address);
	return fd;
}

int listener_open(const char *where)
{
	return strncmp(where, "unix:", 5) == 0 ? listen_unix(where, where + 5)
					       : listen_tcp(where);
}
