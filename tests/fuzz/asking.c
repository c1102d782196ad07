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
	if (r->body.len && text_starts(r->body, "# HELP pintle_"))
		REQUIRE(r->status == 200); /* metrics are text */
	else if (r->body.len)
		REQUIRE(!json_scan(r->body, 40, NULL));
	else
		REQUIRE(head || r->status == 204 || r->status == 302 ||
			r->status == 303 || role == ROLE_AUTHORIZER);
}
