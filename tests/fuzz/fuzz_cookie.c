#include "cookie.h"
#include "fuzz.h"

#define HEADERS_MAX 8

/* How often NAME is there, with none but the separators a browser may write. */
static unsigned count(struct text header, const char *name, struct text *last)
{
	unsigned found = 0;

	while (header.len) {
		struct text value;
		const struct text pair = text_before(header, ';', &header);

		if (text_is(text_before(text_trim(pair), '=', &value), name)) {
			*last = value;
			found++;
		}
	}
	return found;
}

/* A line for each Cookie header. */
void fuzz_cookie(struct arena *a, struct text input)
{
	char *variables[HEADERS_MAX + 1] = { 0 };
	struct request req = { .arena = a, .variables = variables };
	struct text found = { 0 }, plain = { 0 }, again, last = { 0 };
	unsigned number = 0;

	for (size_t i = 0; i < HEADERS_MAX && input.len; i++) {
		/* A variable ends at a NUL: what follows is not there for us either. */
		const struct text line = text_before(input, '\n', &input);
		const struct text header = text_of(arena_copy(a, line).data);

		variables[i] =
			(char *)(uintptr_t)arena_printf(a, "HTTP_COOKIE=%s", header.data)
				.data;
		number += count(header, "__Host-session", &last);
	}
	/* One in all, or none: never the first of two, and none made of another's value. */
	if (cookie_find(&req, "__Host-session", &found)) {
		fuzz_through++;
		REQUIRE(number == 1);
		REQUIRE(text_starts(last, "") && found.len <= last.len);
		REQUIRE(memmem(last.data, last.len, found.data, found.len));
		REQUIRE(!memchr(found.data, ';', found.len) &&
			!memchr(found.data, ',', found.len));
		REQUIRE(cookie_find(&req, "__Host-session", &again) &&
			text_equal(found, again));
	} else {
		REQUIRE(number != 1 || memchr(last.data, ',', last.len));
	}
	if (cookie_find(&req, "session", &plain))
		REQUIRE(!memchr(plain.data, ';', plain.len) &&
			!memchr(plain.data, ',', plain.len));
}
