#include "fetch_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"
#include "fetcher.h"

#define ANSWER_MAX_BYTES (512 * 1024)
#define ANSWER_DEPTH 40

static struct text print_request(struct arena *a, const struct probe *probe)
{
	struct buffer b = buffer_new(a, 1024);

	json_begin(&b, NULL, '{');
	json_add_string(&b, "url", text_of(probe->url));
	json_add_string(&b, "method", text_of(probe->method ? probe->method : "GET"));
	json_add_number(&b, "plain", probe->plain);
	json_begin(&b, "headers", '[');
	for (size_t i = 0; i < PROBE_HEADERS && probe->headers[i]; i++)
		json_add_string(&b, NULL, text_of(probe->headers[i]));
	json_end(&b, ']');
	if (probe->body) {
		json_add_string(&b, "body", text_of(probe->body));
		json_add_number(&b, "length", (int64_t)probe->length);
	}
	if (probe->ca_file)
		json_add_string(&b, "ca_file", text_of(probe->ca_file));
	json_add_number(&b, "timeout_s", probe->timeout_s);
	json_end(&b, '}');
	return buffer_text(&b);
}

static int spawn(const char *program, int in, int out, pid_t *child)
{
	char *argv[] = { (char *)(uintptr_t)program, (char[]){ "--probe" }, NULL };
	char *environment[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };
	posix_spawn_file_actions_t files;
	int error;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	error = posix_spawn(child, program, &files, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* Writes all, closes, and reads all: the request fits into the pipe, so nobody waits. */
static struct text exchange(struct arena *a, int to, int from, struct text request)
{
	struct buffer b = buffer_new(a, 4096);
	ssize_t got = 1;

	if (write(to, request.data, request.len) != (ssize_t)request.len)
		b.len = 0; /* it ended at once: there will be no answer either */
	close(to);
	while (got > 0 && b.len < ANSWER_MAX_BYTES) {
		char *place = buffer_extend(&b, 4096);

		got = read(from, place, 4096);
		b.len -= 4096 - (size_t)(got > 0 ? got : 0);
	}
	close(from);
	return buffer_text(&b);
}

static const char *string(struct arena *a, const struct json *answer, const char *name)
{
	const struct json *value;
	struct text text;

	return json_member(answer, name, &value) && json_string(value, &text)
		       ? arena_copy(a, text).data
		       : "";
}

static int64_t number(const struct json *answer, const char *name)
{
	const struct json *value;
	double n;

	return json_member(answer, name, &value) && json_number(value, &n) ? (int64_t)n
									   : 0;
}

static bool run(struct arena *a, const struct probe *probe, struct text *out,
		struct problem *p)
{
	char path[PATH_MAX];
	const char *program = fetcher_program(path);
	int to[2], from[2], error, status;
	pid_t child;

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return problem(p, INTERNAL, "no pipe: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	error = spawn(program, to[0], from[1], &child);
	close(to[0]);
	close(from[1]);
	if (error)
		return problem(p, INTERNAL, "%s cannot be started: %s", program,
			       strerror(error));
	*out = exchange(a, to[1], from[0], print_request(a, probe));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0 ||
	       problem(p, INTERNAL, "%s ended with status %d", program, status);
}

bool probe_ask(struct arena *a, const struct probe *probe, struct probed *out,
	       struct problem *p)
{
	const struct json *answer;
	struct text text;
	const char *why;

	out->asked_at = time(NULL);
	if (!run(a, probe, &text, p))
		return false;
	out->answered_at = time(NULL);
	answer = json_parse(a, text, ANSWER_DEPTH, &why);
	if (!answer)
		return problem(p, INTERNAL, "pintle-fetch answered no JSON: %s", why);
	out->fault = string(a, answer, "fault");
	out->detail = string(a, answer, "detail");
	out->status = (int)number(answer, "status");
	out->date = number(answer, "date");
	out->type = string(a, answer, "type");
	out->server = string(a, answer, "server");
	out->location = string(a, answer, "location");
	if (!json_member(answer, "body", &out->body))
		out->body = NULL;
	return true;
}
