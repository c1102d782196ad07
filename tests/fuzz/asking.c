#include "asking.h"

#include <stdlib.h>

#include "fuzz.h"
#include "json.h"

static ssize_t read_all(void *context, char *out, size_t size)
{
	struct text *left = context;
	const size_t len = size < left->len ? size : left->len;

	memcpy(out, left->data, len);
	*left = (struct text){ left->data + len, left->len - len };
	return (ssize_t)len;
}

struct text asking_header(const struct reply *r, const char *name, unsigned *count)
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

struct reply asking(const struct app *app, struct arena *a, int64_t now, enum role role,
		    char *const *variables, struct text body)
{
	const struct door door = { role, variables, read_all, &body };
	struct reply r = { 0 };
	struct text out;
	const char *end;

	answer(app, a, now, &door, &r.res, &out);
	end = memmem(out.data, out.len, "\r\n\r\n", 4);
	REQUIRE(end && text_starts(out, "Status: "));
	r.status = atoi(out.data + 8);
	r.head = (struct text){ out.data, (size_t)(end + 2 - out.data) };
	r.body = (struct text){ end + 4, out.len - r.head.len - 2 };
	REQUIRE(r.status == r.res.status && r.status >= 200 && r.status < 600);
	return r;
}

/* An error is told in the words of problems.def, and nothing of the request is in it. */
static void check_error(const struct reply *r, struct arena *a)
{
	static const char *const members[] = { "error", "reason", "message",
					       "request_id" };
	const char *why;
	const struct json *body = json_parse(a, r->body, 2, &why), *value;
	struct text text = AS_TEXT(""), error;
	bool known = false;

	if (json_member(body, "ready", &value))
		return; /* of /readyz, which is no error */
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		REQUIRE(json_member(body, members[i], &value) &&
			(json_string(value, &text) || i == 1));
	REQUIRE(text.len == REQUEST_ID_SIZE - 1);
	json_member(body, "error", &value);
	json_string(value, &error);
	json_member(body, "message", &value);
	json_string(value, &text);
	for (int kind = 0; kind < PROBLEM_KINDS; kind++) {
		const struct problem_row *row = problem_row((enum problem_kind)kind);

		known = known ||
			(row->status == r->status && text_is(error, row->error) &&
			 text_is(text, row->message));
	}
	REQUIRE(known);
}

static void check_status(const struct reply *r, enum role role)
{
	unsigned count;
	struct text value;

	asking_header(r, "Allow", &count);
	REQUIRE(count == (r->status == 405));
	value = asking_header(r, "Retry-After", &count);
	REQUIRE(count == (r->status == 503 || r->status == 429));
	REQUIRE(!count || atoi(value.data) >= 1);
	/* Back to a page of this site, and to no other. */
	value = asking_header(r, "Location", &count);
	REQUIRE(count == (r->status == 302 || r->status == 303));
	REQUIRE(!count || (value.len && value.data[0] == '/' &&
			   (value.len == 1 || value.data[1] != '/')));
	value = asking_header(r, "Set-Cookie", &count);
	if (count)
		REQUIRE(text_starts(value, "__Host-session") &&
			memmem(value.data, value.len, "; Path=/;", 9) &&
			memmem(value.data, value.len, "; HttpOnly;", 11) &&
			memmem(value.data, value.len, "; Secure", 8) &&
			!memmem(value.data, value.len, "Domain", 6));
	REQUIRE(!count || role == ROLE_RESPONDER);
}

void asking_check(const struct reply *r, enum role role, bool head)
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
	REQUIRE(text_is(asking_header(r, "Cache-Control", &count), "no-store") &&
		count == 1);
	REQUIRE(text_is(asking_header(r, "X-Content-Type-Options", &count), "nosniff") &&
		count == 1);
	asking_header(r, "Set-Cookie", &cookies);
	REQUIRE(cookies <= 2 && (r->status < 400 || r->status == 401 || cookies == 0));
	REQUIRE(!memmem(r->head.data, r->head.len, "Origin: *", 9));
	length = asking_header(r, "Content-Length", &count);
	REQUIRE(count <= 1);
	if (count) {
		REQUIRE(text_to_number(length, &number));
		REQUIRE(r->body.len == (head ? 0 : (size_t)number));
	}
	check_status(r, role);
	if (r->status >= 400 && r->body.len)
		check_error(r, r->res.arena);
	if (r->body.len && text_starts(r->body, "# HELP pintle_"))
		REQUIRE(r->status == 200); /* metrics are text */
	else if (r->body.len)
		REQUIRE(!json_scan(r->body, 40, NULL));
	else
		REQUIRE(head || r->status == 204 || r->status == 302 ||
			r->status == 303 || role == ROLE_AUTHORIZER);
}
