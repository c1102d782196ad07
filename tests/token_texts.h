/*
 * Headers and payloads of tokens, as JSON text: the good members of a token of Cotter's
 * or of another provider, with a few replaced.
 */
#ifndef PINTLE_TOKEN_TEXTS_H
#define PINTLE_TOKEN_TEXTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "buffer.h"

#define NOW 1795350100
#define AUDIENCE "7d1c2b3a-0000-4000-8000-0123456789ab"
#define KID "SPACE_JWT_PUBLIC:8028AAA3-EC2D-4BAA-BE7A-7C8359CCB9F9"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct arena *arena; /* of the test at hand */

struct member {
	const char *name, *json; /* NULL: left out */
};

#define MEMBERS_MAX 24

/* CHANGES: name and JSON text in turn, NULL after the last; a JSON of NULL takes out. */
static inline struct text object(const struct member *base, size_t count, va_list changes)
{
	struct member all[MEMBERS_MAX];
	struct buffer b = buffer_new(arena, 1024);
	const char *name;

	memcpy(all, base, count * sizeof(*base));
	while ((name = va_arg(changes, const char *))) {
		size_t i = 0;

		while (i < count && strcmp(all[i].name, name) != 0)
			i++;
		all[i] = (struct member){ name, va_arg(changes, const char *) };
		count += i == count;
		assert_true(count < MEMBERS_MAX);
	}
	buffer_add_char(&b, '{');
	for (size_t i = 0; i < count; i++)
		if (all[i].json)
			buffer_printf(&b, "%s\"%s\":%s", b.len > 1 ? "," : "",
				      all[i].name, all[i].json);
	buffer_add_char(&b, '}');
	return arena_copy(arena, buffer_text(&b));
}

/* As Cotter writes them. */
static inline struct text __attribute__((sentinel)) claims(const char *dummy, ...)
{
	static const struct member base[] = {
		{ "client_user_id", "\"11111111-1111-4111-8111-111111111111\"" },
		{ "authentication_method", "\"OTP\"" },
		{ "type", "\"client_access_token\"" },
		{ "scope", "\"access\"" },
		{ "identifier", "\"Alice@Example.com\"" },
		{ "aud", "\"" AUDIENCE "\"" },
		{ "exp", "1795353600" },
		{ "jti", "\"22222222-2222-4222-8222-222222222222\"" },
		{ "iat", "1795350000" },
		{ "iss", "\"https://www.cotter.app\"" },
		{ "sub", "\"11111111-1111-4111-8111-111111111111\"" },
	};
	struct text text;
	va_list changes;

	(void)dummy;
	va_start(changes, dummy);
	text = object(base, COUNT(base), changes);
	va_end(changes);
	return text;
}

/* Of one of the other providers. */
static inline struct text __attribute__((sentinel))
other_claims(const char *provider, ...)
{
	const struct member base[] = {
		{ "iss", arena_printf(arena, "\"https://%s.example\"", provider).data },
		{ "aud", "\"us\"" },
		{ "exp", "1795353600" },
		{ "iat", "1795350000" },
		{ "sub", "\"s-1\"" },
		{ "email", "\"alice@example.com\"" },
	};
	struct text text;
	va_list changes;

	va_start(changes, provider);
	text = object(base, COUNT(base), changes);
	va_end(changes);
	return text;
}

static inline struct text __attribute__((sentinel)) header(const char *dummy, ...)
{
	static const struct member base[] = {
		{ "alg", "\"ES256\"" },
		{ "kid", "\"" KID "\"" },
		{ "typ", "\"JWT\"" },
	};
	struct text text;
	va_list changes;

	(void)dummy;
	va_start(changes, dummy);
	text = object(base, COUNT(base), changes);
	va_end(changes);
	return text;
}

#define CLAIMS(...) claims("", ##__VA_ARGS__, NULL)
#define HEADER(...) header("", ##__VA_ARGS__, NULL)
#define OTHER(provider, ...) other_claims(provider, ##__VA_ARGS__, NULL)

static inline struct text joined(struct text a, const char *between, struct text b)
{
	struct buffer buffer = buffer_new(arena, a.len + b.len + 8);

	buffer_add(&buffer, a);
	buffer_add(&buffer, text_of(between));
	buffer_add(&buffer, b);
	return arena_copy(arena, buffer_text(&buffer));
}

#endif
