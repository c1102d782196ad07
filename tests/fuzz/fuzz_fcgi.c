#include <sys/socket.h>
#include <unistd.h>

#include "fcgi.h"
#include "fuzz.h"

/* What the peer was sent: whole records of the protocol, and at most one end of a request. */
static void check_records(const unsigned char *bytes, size_t len, const struct fcgi *f,
			  bool answered)
{
	size_t i = 0, ends = 0, out = 0;

	while (i < len) {
		size_t content;
		unsigned id;

		REQUIRE(len - i >= 8 && bytes[i] == 1);
		content = (size_t)(bytes[i + 4] << 8 | bytes[i + 5]);
		REQUIRE(len - i - 8 >= content + bytes[i + 6]);
		id = (unsigned)(bytes[i + 2] << 8 | bytes[i + 3]);
		/* FCGI_END_REQUEST; others are told that they have to wait their turn. */
		ends += bytes[i + 1] == 3 && id == f->id;
		if (bytes[i + 1] == 6) { /* FCGI_STDOUT */
			REQUIRE(id == f->id && !ends);
			out += content;
		}
		i += 8 + content + bytes[i + 6];
	}
	if (answered)
		REQUIRE(ends == 1 && out == strlen("Status: 200 OK\r\n\r\n"));
	else
		REQUIRE(out == 0);
}

static void check_request(struct fcgi *f)
{
	size_t total = 0, body = 0;
	char some[512];
	ssize_t got;

	REQUIRE(f->role == FCGI_RESPONDER || f->role == FCGI_AUTHORIZER);
	for (char **v = f->variables; *v; v++) {
		REQUIRE(strchr(*v, '='));
		total += strlen(*v);
	}
	REQUIRE(total <= FCGI_PARAMS_MAX);
	while ((got = fcgi_read(f, some, sizeof(some))) > 0)
		body += (size_t)got;
	REQUIRE(body <= 1 << 20);
	/* Once over, it stays over. */
	REQUIRE(fcgi_read(f, some, sizeof(some)) == got);
}

/* All that a web server, or who has got at its socket, sends on a connection. */
void fuzz_fcgi(struct arena *a, struct text input)
{
	struct fcgi *f = arena_alloc(a, sizeof(*f));
	unsigned char *heard = arena_alloc(a, 1 << 18);
	ssize_t got = 0;
	size_t len = 0;
	int ends[2];
	bool good;

	if (input.len > 1 << 16)
		return;
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	REQUIRE(send(ends[0], input.data, input.len, MSG_DONTWAIT) == (ssize_t)input.len);
	shutdown(ends[0], SHUT_WR);
	good = fcgi_open(f, ends[1], a);
	fuzz_through += good;
	if (good) {
		check_request(f);
		fcgi_answer(f, AS_TEXT("Status: 200 OK\r\n\r\n"));
	}
	while (len < 1 << 18 &&
	       (got = recv(ends[0], heard + len, (1 << 18) - len, MSG_DONTWAIT)) > 0)
		len += (size_t)got;
	close(ends[0]);
	fcgi_close(f);
	check_records(heard, len, f, good);
}
