#include "probe.h"

#include <stdio.h>
#include <unistd.h>

#include "buffer.h"
#include "get.h"
#include "json.h"
#include "sandbox.h"

#define REQUEST_MAX_BYTES 65536
#define PADDING_MAX_BYTES (16 * 1024 * 1024)
#define ANSWER_MAX_BYTES (256 * 1024)
#define REQUEST_DEPTH 4
#define TIMEOUT_S 5
#define EXIT_USAGE 64

static struct text read_stdin(struct arena *a)
{
	struct buffer b = buffer_new(a, REQUEST_MAX_BYTES);
	ssize_t got = 1;

	while (got > 0 && b.len < REQUEST_MAX_BYTES) {
		char *place = buffer_extend(&b, 4096);

		got = read(STDIN_FILENO, place, 4096);
		b.len -= 4096 - (size_t)(got > 0 ? got : 0);
	}
	return buffer_text(&b);
}

static const char *string(struct arena *a, const struct json *request, const char *name)
{
	const struct json *value;
	struct text text;

	return json_member(request, name, &value) && json_string(value, &text)
		       ? arena_copy(a, text).data
		       : NULL;
}

static double number(const struct json *request, const char *name, double otherwise)
{
	const struct json *value;
	double n;

	return json_member(request, name, &value) && json_number(value, &n) ? n
									    : otherwise;
}

/* BODY, then blanks until it is as long as was asked for: after a JSON object they say nothing. */
static struct text pad(struct arena *a, const char *body, double length)
{
	struct buffer b = buffer_new(a, 1024);
	const size_t wanted =
		length > 0 && length <= PADDING_MAX_BYTES ? (size_t)length : 0;

	buffer_add(&b, text_of(body));
	if (b.len < wanted) {
		const size_t missing = wanted - b.len;

		memset(buffer_extend(&b, missing), ' ', missing);
	}
	return buffer_text(&b);
}

static void read_headers(struct arena *a, const struct json *request,
			 struct get_probe *out)
{
	const struct json *list;
	struct text text;

	if (!json_member(request, "headers", &list))
		return;
	for (size_t i = 0; i < json_array_length(list) && i < GET_PROBE_HEADERS; i++)
		if (json_string(json_array_at(list, i), &text))
			out->headers[out->header_count++] = arena_copy(a, text).data;
}

static void print(struct arena *a, const struct get_probed *answer)
{
	struct buffer b = buffer_new(a, 1024);

	json_begin(&b, NULL, '{');
	json_add_string(&b, "fault", text_of(answer->fault));
	json_add_string(&b, "detail", text_of(answer->detail));
	json_add_number(&b, "status", answer->status);
	json_add_number(&b, "date", answer->date);
	json_add_string(&b, "type", text_of(answer->type));
	json_add_string(&b, "server", text_of(answer->server));
	json_add_string(&b, "location", text_of(answer->location));
	/* What is no JSON is of no use to who asked, and may be no text at all. */
	if (json_scan(answer->body, REQUEST_DEPTH * 8, NULL) == NULL)
		json_add_raw(&b, "body", answer->body);
	else
		json_add_null(&b, "body");
	json_end(&b, '}');
	printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
}

/* Where to is not known before; but nothing is written, and no program started. */
static void confine(const char *ca_file)
{
	struct sandbox *s = sandbox_new();

	sandbox_may_resolve(s);
	sandbox_may_verify(s, ca_file);
	sandbox_may_connect(s, 0);
	sandbox_enter(s, CONFIG_LOG_DEBUG);
	sandbox_free(s);
}

int probe_run(void)
{
	struct arena *a = arena_new();
	const char *why;
	const struct json *request = json_parse(a, read_stdin(a), REQUEST_DEPTH, &why);
	struct get_probe probe = { .method = "GET" };
	struct get_probed answer = { 0 };

	probe.url = string(a, request, "url");
	if (!probe.url) {
		arena_free(a);
		return EXIT_USAGE;
	}
	if (string(a, request, "method"))
		probe.method = string(a, request, "method");
	probe.anywhere = number(request, "plain", 0) != 0;
	probe.options.ca_file = string(a, request, "ca_file");
	probe.options.timeout_s = (int)number(request, "timeout_s", TIMEOUT_S);
	probe.options.max_bytes = ANSWER_MAX_BYTES;
	if (string(a, request, "body"))
		probe.body =
			pad(a, string(a, request, "body"), number(request, "length", 0));
	read_headers(a, request, &probe);
	confine(probe.options.ca_file);
	get_probe(a, &probe, &answer);
	print(a, &answer);
	arena_free(a);
	return 0;
}
