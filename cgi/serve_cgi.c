#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"

#define BODY_TIMEOUT_MS 10000

struct input {
	bool has_length;
	uint64_t left; /* of the announced length */
};

static ssize_t read_some(void *context, char *out, size_t size)
{
	struct input *in = context;
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t got;

	if (in->has_length && size > in->left)
		size = in->left;
	if (!size)
		return 0;
	do {
		if (poll(&ready, 1, BODY_TIMEOUT_MS) == 0)
			return -1;
		got = read(STDIN_FILENO, out, size);
	} while (got < 0 && errno == EINTR);
	in->left -= in->has_length && got > 0 ? (uint64_t)got : 0;
	return got;
}

static void note_value(void *context, struct text value)
{
	*(struct text *)context = value;
}

/*
 * With a length, that many bytes and not one more (RFC 3875, 4.2). Without one there is a
 * body only if the method has one: a chunked one, or a file given by hand.
 */
static struct input open_input(char *const *variables)
{
	struct text length = { 0 }, method = { 0 };
	int64_t number = 0;

	request_each(variables, "CONTENT_LENGTH", note_value, &length);
	request_each(variables, "REQUEST_METHOD", note_value, &method);
	if (length.len && text_to_number(length, &number))
		return (struct input){ true, (uint64_t)number };
	return (struct input){ !text_is(method, "POST"), 0 };
}

static bool write_all(struct text out)
{
	while (out.len) {
		const ssize_t n = write(STDOUT_FILENO, out.data, out.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		out.data += n;
		out.len -= (size_t)n;
	}
	return true;
}

int serve_cgi(struct app *app, char *const *environ_)
{
	struct input input = open_input(environ_);
	const struct door door = { ROLE_RESPONDER, environ_, read_some, &input };
	struct arena *arena = arena_new();
	const int64_t now = time(NULL);
	struct response res;
	struct text out;
	bool written;

	answer(app, arena, now, &door, &res, &out);
	written = write_all(out);
	/* The server has its answer when the pipe is closed, not when we exit. */
	close(STDOUT_FILENO);
	answer_after(app, &res, now);
	arena_free(arena);
	app_free(app);
	return written ? 0 : 1;
}
