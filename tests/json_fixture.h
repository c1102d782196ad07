/* What the tests of JSON share: the scanner, the parser and an arena of a test. */
#ifndef PINTLE_JSON_FIXTURE_H
#define PINTLE_JSON_FIXTURE_H

#include "../lib/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define DEPTH 64
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline bool scans(struct text t)
{
	return json_scan(t, DEPTH, NULL) == NULL;
}

static inline const struct json *parse(struct arena *a, const char *document)
{
	const char *why = NULL;
	const struct json *value = json_parse(a, text_of(document), DEPTH, &why);

	if (!value)
		print_error("%s: %s\n", document, why);
	assert_non_null(value);
	return value;
}

static inline struct text text_in(const struct json *object, const char *where)
{
	const struct json *value;
	struct text t;

	assert_true(json_find(object, where, &value));
	assert_true(json_string(value, &t));
	return t;
}

/* A fixed sequence, so that a failure comes back. */
static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline struct text nested(char *out, unsigned levels, const char *open,
				 const char *close)
{
	size_t len = 0, open_len = strlen(open);

	for (unsigned i = 0; i < levels; i++, len += open_len)
		memcpy(out + len, open, open_len);
	if (open_len > 1)
		out[len++] = '1';
	for (unsigned i = 0; i < levels; i++)
		out[len++] = *close;
	return (struct text){ out, len };
}

/* A login body as providers' SDKs post it: every kind of value, escapes and UTF-8. */
static const char login_body[] =
	"{\"oauth_token\": {\"access_token\": \"eyJhbGciOiJFUzI1NiJ9.e30.c2ln\",\n"
	"\t\"expires_in\": 3600, \"refresh\": null, \"scale\": -0.5e+2},\r\n"
	" \"user\": {\"name\": \"Andr\u00e9 \\\"\\u00e9\\ud83d\\ude00\\/\\\\\","
	" \"new\": false},\n"
	" \"list\": [1, [], {}, true, \"\xe2\x82\xac\xf0\x9f\x98\x80\"]}";

#endif
