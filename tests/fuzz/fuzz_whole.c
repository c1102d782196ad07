#include "answer.h"
#include "fixture.h"
#include "fuzz.h"
#include "fakes/fake_store.h"
#include "buffer.h"

#define VARIABLES_MAX 24

static ssize_t read_all(void *context, char *out, size_t size)
{
	struct text *left = context;
	const size_t len = size < left->len ? size : left->len;

	memcpy(out, left->data, len);
	*left = (struct text){ left->data + len, left->len - len };
	return (ssize_t)len;
}

struct reply {
	int status;
	struct text head, body;
	struct response res;
};

static struct text header_of(const struct reply *r, const char *name, unsigned *count)
{
	struct text rest = r->head, value = AS_TEXT(""), line, found = AS_TEXT("");

	*count = 0;
	while (rest.len) {
		line = text_before(rest, '\n', &rest);
		if (text_equal_nocase(text_before(line, ':', &value), text_of(name))) {
			REQUIRE(value.len && value.data[value.len - 1] == '\r');
			found = text_trim((struct text){ value.data, value.len - 1 });
			++*count;
		}
	}
	return found;
}

static struct reply ask(struct arena *a, enum role role, char *const *variables,
			struct text body)
{
	const struct door door = { role, variables, read_all, &body };
	struct reply r = { 0 };
	struct text out;
	const char *end;

	answer(fixture_app(), a, FIXTURE_NOW, &door, &r.res, &out);
	end = memmem(out.data, out.len, "\r\n\r\n", 4);
	REQUIRE(end && text_starts(out, "Status: "));
	r.status = atoi(out.data + 8);
	r.head = (struct text){ out.data, (size_t)(end + 2 - out.data) };
	r.body = (struct text){ end + 4, out.len - r.head.len - 2 };
	REQUIRE(r.status == r.res.status && r.status >= 200 && r.status < 600);
	return r;
}

/* A session's cookie value, of a login through the front door. */
static struct text sign_in(struct arena *a)
{
	char *const variables[] = { (char[]){ "REQUEST_METHOD=POST" },
				    (char[]){ "PATH_INFO=/login" },
				    (char[]){ "CONTENT_TYPE=application/json" }, NULL };
	const struct reply r =
		ask(a, ROLE_RESPONDER, variables,
		    arena_printf(a, "{\"token\":\"%.*s\"}", TEXT_ARG(fixture_token(a))));
	struct text value, rest;
	unsigned count;

	REQUIRE(r.status == 200);
	text_before(header_of(&r, "Set-Cookie", &count), '=', &value);
	REQUIRE(count == 1 && value.len);
	return arena_copy(a, text_before(value, ';', &rest));
}

/* %T: a good token; %S: a good session. */
static struct text fill_in(struct arena *a, struct text in, struct text session)
{
	struct buffer b = buffer_new(a, in.len + 64);

	for (size_t i = 0; i < in.len; i++) {
		const char next =
			i + 1 < in.len && in.data[i] == '%' ? in.data[i + 1] : '\0';

		if (next == 'T')
			buffer_add(&b, fixture_token(a));
		else if (next == 'S')
			buffer_add(&b, session);
		else
			buffer_add_char(&b, in.data[i]);
		i += next == 'T' || next == 'S';
	}
	return arena_copy(a, buffer_text(&b));
}

/* What holds of every answer. */
static void check(const struct reply *r, enum role role, bool head)
{
	unsigned count, cookies;
	struct text length;
	int64_t number = 0;

	for (size_t i = 0; i < r->head.len; i++) {
		const unsigned char c = (unsigned char)r->head.data[i];

		REQUIRE(c >= ' ' || (c == '\r' && r->head.data[i + 1] == '\n') ||
			(c == '\n' && r->head.data[i - 1] == '\r'));
		REQUIRE(c != 0x7f);
	}
	REQUIRE(text_is(header_of(r, "Cache-Control", &count), "no-store") && count == 1);
	REQUIRE(text_is(header_of(r, "X-Content-Type-Options", &count), "nosniff") &&
		count == 1);
	header_of(r, "Set-Cookie", &cookies);
	REQUIRE(cookies <= 2 && (r->status < 400 || r->status == 401 || cookies == 0));
	REQUIRE(!memmem(r->head.data, r->head.len, "Origin: *", 9));
	length = header_of(r, "Content-Length", &count);
	REQUIRE(count <= 1);
	if (count) {
		REQUIRE(text_to_number(length, &number));
		REQUIRE(r->body.len == (head ? 0 : (size_t)number));
	}
	if (r->body.len && text_starts(r->body, "# HELP pintle_"))
		REQUIRE(r->status == 200); /* metrics are text */
	else if (r->body.len)
		REQUIRE(!json_scan(r->body, 40, NULL));
	else
		REQUIRE(head || r->status == 204 || r->status == 302 ||
			r->status == 303 || role == ROLE_AUTHORIZER);
}

/*
 * A line of letters: a authorizer, d the database is away. Then lines "NAME=value", an empty
 * one, and the body.
 */
void fuzz_whole(struct arena *a, struct text input)
{
	struct app *app = fixture_app();
	char *variables[VARIABLES_MAX + 1] = { 0 };
	struct text how = text_before(input, '\n', &input), session, line;
	const enum role role =
		memchr(how.data, 'a', how.len) ? ROLE_AUTHORIZER : ROLE_RESPONDER;
	const bool away = memchr(how.data, 'd', how.len);
	struct reply r;

	/* Each input finds the same: one user, one session. */
	store_free(app->store);
	app->store = store_new(app->config);
	session = sign_in(a);
	for (size_t i = 0; i < VARIABLES_MAX && input.len; i++) {
		line = text_before(input, '\n', &input);
		if (!line.len)
			break;
		variables[i] = (char *)(uintptr_t)fill_in(a, line, session).data;
	}
	fake_store_count_anew(app->store);
	fake_store_away(app->store, away);
	r = ask(a, role, variables, fill_in(a, input, session));
	fuzz_through += r.status < 400;
	check(&r, role, r.res.without_body);
	/* Nothing a client sends is our fault; and a database that is away is no "no". */
	REQUIRE(r.status != 500);
	if (!away)
		REQUIRE(r.status != 503);
	else if (fake_store_counts(app->store).operations)
		REQUIRE(r.status == 503);
	answer_after(app, &r.res, FIXTURE_NOW);
	fake_store_away(app->store, false);
}
