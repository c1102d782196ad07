/*
 * For the tests of whole requests: an app on the store in memory, a request as a web
 * server would hand it over, and its answer taken apart. What holds of every answer is
 * checked of each one: headers, JSON, the error's members, one line in the log.
 */
#ifndef PINTLE_ANSWER_FIXTURE_H
#define PINTLE_ANSWER_FIXTURE_H

#include "answer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakes/fake_store.h"
#include "json.h"
#include "log.h"
#include "scratch.h"
#include "token_maker.h"
#include "token_texts.h"

#define ORIGIN "https://www.example.com"
#define LISTED "https://app.example.com"
#define COOKIE "__Host-session"
#define ADDRESS "192.0.2.10"

static struct maker_key *ec, *stranger;
static struct app *app;
static int64_t now;		     /* of the next request */
static bool provoked[PROBLEM_KINDS]; /* which problems were answered so far */

/* ---- the app */

static inline int open_all(void **state)
{
	(void)state;
	ec = maker_key_new("P-256");
	stranger = maker_key_new("P-256");
	return 0;
}

static inline int close_all(void **state)
{
	(void)state;
	maker_key_free(ec);
	maker_key_free(stranger);
	return 0;
}

static inline void log_as(enum config_log_format format, enum config_log_level level)
{
	const struct config_log settings = { format, level, CONFIG_LOG_STDERR };

	log_open(&settings, "test");
}

/*
 * A new app with an empty store; TOP is for the top of the file, BLOCKS are more of them.
 */
static inline void use(const char *top, const char *blocks)
{
	app_free(app);
	scratch_write(
		"keys.json",
		text_of(maker_jwk_set(arena, maker_jwk(arena, ec, "\"kid\":\"" KID "\""),
				      maker_jwk(arena, ec, "\"kid\":\"ec\""), NULL)));
	app = app_new(scratch_config(
		arena_printf(
			arena,
			"public_url = \"" ORIGIN "/auth\"\n"
			"state_dir = \"@\"\n"
			"allowed_origins = {\"" LISTED "\"}\n"
			"%s"
			"provider \"cotter\" { preset = \"cotter\" audience = \"" AUDIENCE
			"\"\n"
			"  jwks_file = \"@/keys.json\" }\n"
			"provider \"away\" { preset = \"cotter\" audience = \"" AUDIENCE
			"\"\n"
			"  issuer = \"https://away.example\" jwks_url = "
			"\"http://127.0.0.1:1/\" }\n"
			"provider \"subject\" { issuer = \"https://subject.example\"\n"
			"  audience = \"us\" jwks_file = \"@/keys.json\" match = "
			"\"subject\" }\n"
			"provider \"once\" { issuer = \"https://once.example\" audience "
			"= \"us\"\n"
			"  jwks_file = \"@/keys.json\" verified = \"always\"\n"
			"  single_use = \"1m\" max_age = \"10m\" }\n"
			"provider \"google\" { preset = \"google\" audience = \"us\" "
			"form = \"yes\"\n"
			"  jwks_file = \"@/keys.json\" algorithms = \"ES256\" }\n"
			"%s",
			top, blocks)
			.data));
	log_as(CONFIG_LOG_JSON, CONFIG_LOG_DEBUG);
}

/* The same with the store as it is: what an administrator's edit does. */
static inline void use_again(const char *top, const char *blocks)
{
	struct store *store = app->store;

	app->store = NULL;
	use(top, blocks);
	store_free(app->store);
	app->store = store;
}

static inline int open_one(void **state)
{
	(void)state;
	arena = arena_new();
	now = NOW;
	scratch_open();
	use("", "");
	return 0;
}

static inline int close_one(void **state)
{
	(void)state;
	app_free(app);
	app = NULL;
	scratch_close();
	arena_free(arena);
	return 0;
}

/* ---- asking */

#define VARIABLES_MAX 12

struct call {
	enum role role;
	const char *method, *path;
	const char *body; /* NULL: none */
	const char *type; /* NULL: application/json where there is a body */
	size_t length;	  /* 0: that of the body */
	bool breaks_off;
	const char *more[VARIABLES_MAX]; /* "NAME=value" */
};

struct reply {
	int status;
	const char *head; /* with the line end before the first header */
	const char *body;
	const struct json *json;   /* the body; NULL if there is none */
	const char *log;	   /* all lines */
	const struct json *logged; /* the request's line, if that is JSON */
};

struct body_source {
	struct text left;
	bool breaks_off;
};

static inline ssize_t read_from_source(void *context, char *out, size_t size)
{
	struct body_source *source = context;

	if (!source->left.len)
		return source->breaks_off ? -1 : 0;
	if (size > source->left.len)
		size = source->left.len;
	memcpy(out, source->left.data, size);
	source->left.data += size;
	source->left.len -= size;
	return (ssize_t)size;
}

static inline const char *variable(const char *name, const char *value)
{
	return arena_printf(arena, "%s=%s", name, value).data;
}

static inline void make_variables(const struct call *call, const char **out)
{
	*out++ = "GATEWAY_INTERFACE=CGI/1.1";
	*out++ = "SCRIPT_NAME=/auth";
	*out++ = "REMOTE_ADDR=" ADDRESS;
	*out++ = "HTTP_USER_AGENT=Browser/1.0";
	*out++ = variable("REQUEST_METHOD", call->method);
	*out++ = variable("PATH_INFO", call->path);
	if (call->body) {
		const size_t length = call->length ? call->length : strlen(call->body);

		*out++ = variable("CONTENT_TYPE",
				  call->type ? call->type : "application/json");
		*out++ = variable("CONTENT_LENGTH",
				  arena_printf(arena, "%zu", length).data);
	}
	for (size_t i = 0; i < VARIABLES_MAX && call->more[i]; i++)
		*out++ = call->more[i];
	*out = NULL;
}

/* The answer as CGI has it; *LOG gets what was written to stderr meanwhile. */
static inline struct text answer_call(const struct call *call, const char **log)
{
	const char *variables[VARIABLES_MAX + 10];
	struct body_source source = { text_of(call->body), call->breaks_off };
	const struct door door = { call->role, (char *const *)(uintptr_t)variables,
				   read_from_source, &source };
	const int real = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	struct arena *own = arena_new(); /* as in a server: gone after each request */
	char *lines = arena_alloc(arena, 65536);
	struct response res;
	struct text out;
	ssize_t got;
	int ends[2];

	make_variables(call, variables);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	answer(app, own, now, &door, &res, &out);
	out = arena_copy(arena, out);
	answer_after(app, &res, now);
	dup2(real, STDERR_FILENO);
	close(real);
	close(ends[1]);
	got = read(ends[0], lines, 65535);
	close(ends[0]);
	lines[got > 0 ? got : 0] = '\0';
	*log = lines;
	arena_free(own);
	return out;
}

/* ---- the answer taken apart */

/* How many headers of this name; the value of the last in *VALUE, which may be NULL. */
static inline unsigned count_headers(const struct reply *reply, const char *name,
				     const char **value)
{
	const char *needle = arena_printf(arena, "\r\n%s: ", name).data,
		   *at = reply->head;
	unsigned count = 0;

	while ((at = strstr(at, needle))) {
		const char *start = at + strlen(needle);

		count++;
		if (value)
			*value = arena_copy(arena,
					    (struct text){ start, strcspn(start, "\r") })
					 .data;
		at = start;
	}
	return count;
}

/* The value of the one header of this name; NULL if there is none. */
static inline const char *header_of(const struct reply *reply, const char *name)
{
	const char *value = NULL;

	assert_true(count_headers(reply, name, &value) <= 1);
	return value;
}

/* A string at a JSON Pointer; NULL for null or nothing. */
static inline const char *at(const struct json *json, const char *where)
{
	const struct json *value;
	struct text text;

	if (!json || !json_find(json, where, &value) || !json_string(value, &text))
		return NULL;
	return arena_copy(arena, text).data;
}

static inline double number_at(const struct json *json, const char *where)
{
	const struct json *value;
	double number = 0;

	if (!json || !json_find(json, where, &value) || !json_number(value, &number))
		fail_msg("no number at %s", where);
	return number;
}

static inline bool truth_at(const struct json *json, const char *where)
{
	const struct json *value;
	bool truth = false;

	if (!json || !json_find(json, where, &value) || !json_boolean(value, &truth))
		fail_msg("neither true nor false at %s", where);
	return truth;
}

static inline const struct json *parse(const char *text)
{
	const char *why;
	const struct json *json = json_parse(arena, text_of(text), 40, &why);

	if (!json)
		fail_msg("%s: %s", why, text);
	return json;
}

/* The one line of the request among those of events. */
static inline const struct json *find_request_line(const char *log)
{
	const struct json *found = NULL, *line, *ignored;

	while (*log == '{') {
		const size_t len = strcspn(log, "\n");

		line = parse(arena_copy(arena, (struct text){ log, len }).data);
		log += len + (log[len] == '\n');
		if (!json_member(line, "request", &ignored))
			continue;
		assert_null(found);
		found = line;
	}
	return found;
}

static inline enum problem_kind kind_of(const struct json *logged)
{
	const char *cause = at(logged, "reason");

	for (int kind = PROBLEM_NONE + 1; cause && kind < PROBLEM_KINDS; kind++)
		if (strcmp(problem_row((enum problem_kind)kind)->cause, cause) == 0)
			return (enum problem_kind)kind;
	return PROBLEM_NONE;
}

/* An error is told as its row of problems.def says, and nothing more. */
static inline void check_error(const struct reply *r)
{
	const enum problem_kind kind = kind_of(r->logged);
	const struct problem_row *row = problem_row(kind);

	assert_int_not_equal(kind, PROBLEM_NONE);
	provoked[kind] = true;
	assert_int_equal(r->status, row->status);
	assert_string_equal(at(r->logged, "error"), row->error);
	assert_int_equal(count_headers(r, "Set-Cookie", NULL), 0);
	assert_int_equal(header_of(r, "Retry-After") != NULL,
			 r->status == 503 || r->status == 429);
	if (!r->json)
		return; /* to a HEAD */
	assert_string_equal(at(r->json, "error"), row->error);
	assert_string_equal(at(r->json, "message"), row->message);
	assert_string_equal(at(r->json, "request_id"), at(r->logged, "request"));
	if (row->reason)
		assert_string_equal(at(r->json, "reason"), row->reason);
	else
		assert_null(at(r->json, "reason"));
}

static inline void check_always(const struct call *call, const struct reply *r)
{
	const char *length = header_of(r, "Content-Length");

	assert_string_equal(header_of(r, "Cache-Control"), "no-store");
	assert_string_equal(header_of(r, "X-Content-Type-Options"), "nosniff");
	if (call->role == ROLE_RESPONDER)
		assert_string_equal(header_of(r, "Vary"), "Origin");
	for (const char *c = r->head; *c; c++)
		if ((*c < ' ' && *c != '\r' && *c != '\n') || *c == 0x7f)
			fail_msg("byte %02x in a header", (unsigned char)*c);
	if (!length) {
		assert_string_equal(r->body, "");
		assert_null(header_of(r, "Content-Type"));
		return;
	}
	assert_string_equal(header_of(r, "Content-Type"), "application/json");
	assert_int_not_equal(atoi(length), 0);
	assert_int_equal(strlen(r->body),
			 strcmp(call->method, "HEAD") == 0 ? 0 : (size_t)atoi(length));
}

static inline struct reply ask_call(const struct call *call)
{
	struct reply r = { 0 };
	const struct text out = answer_call(call, &r.log);
	const char *end = memmem(out.data, out.len, "\r\n\r\n", 4);

	assert_int_equal(strlen(out.data), out.len);
	assert_int_equal(sscanf(out.data, "Status: %3d ", &r.status), 1);
	assert_non_null(end);
	r.head = arena_copy(arena,
			    (struct text){ strstr(out.data, "\r\n"),
					   (size_t)(end + 2 - strstr(out.data, "\r\n")) })
			 .data;
	r.body = end + 4;
	if (*r.body)
		r.json = parse(r.body);
	check_always(call, &r);
	if (*r.log != '{')
		return r; /* the text format, or nothing */
	r.logged = find_request_line(r.log);
	assert_non_null(r.logged);
	assert_int_equal(number_at(r.logged, "status"), r.status);
	if (r.status >= 400 && strcmp(call->path, "/readyz") != 0)
		check_error(&r);
	return r;
}

#define ASK(...) ask_call(&(struct call){ __VA_ARGS__ })

/* The reply's status and what the log calls the cause. */
static inline void expect_reply(const char *what, const struct reply *r, int status,
				enum problem_kind kind)
{
	if (r->status != status || (r->logged && kind_of(r->logged) != kind))
		fail_msg("%s: %d, %s", what, r->status, r->log);
}

/* ---- what tests do all the time */

static inline struct text sign(struct text payload)
{
	return maker_token(arena, ec, JWS_ES256, HEADER(), payload);
}

/* A login's body as Cotter's SDK posts it, less the decoration. */
static inline const char *body_with(struct text token)
{
	return arena_printf(arena, "{\"oauth_token\":{\"access_token\":\"%.*s\"}}",
			    TEXT_ARG(token))
		.data;
}

static inline struct reply log_in(struct text token)
{
	return ASK(.method = "POST", .path = "/login", .body = body_with(token));
}

/* NAME=VALUE of the session cookie that was set, as the browser sends it back. */
static inline const char *cookie_of(const struct reply *r)
{
	const char *value = header_of(r, "Set-Cookie");

	assert_non_null(value);
	return arena_printf(arena, "HTTP_COOKIE=%.*s", (int)strcspn(value, ";"), value)
		.data;
}

static inline const char *new_session(const char *email)
{
	const struct reply r = log_in(sign(
		CLAIMS("identifier", arena_printf(arena, "\"%s\"", email).data, "jti",
		       arena_printf(arena, "\"%lld\"", (long long)random()).data, "sub",
		       arena_printf(arena, "\"s-%s\"", email).data)));

	assert_int_equal(r.status, 200);
	return cookie_of(&r);
}

static inline int session_status(const char *cookie)
{
	return ASK(.method = "GET", .path = "/session", .more = { cookie }).status;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

#endif
