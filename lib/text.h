/*
 * Strings that carry their length.
 *
 * Everything that comes from outside is a struct text: it may hold any byte, NUL
 * included, and need not end in NUL. A text never owns its bytes; the arena, the
 * request or the program does.
 */
#ifndef PINTLE_TEXT_H
#define PINTLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *data;
	size_t len;
};

/* A text of a string literal, usable in initialisers. */
#define TEXT(literal)                                                                    \
	{                                                                                \
		(literal), sizeof(literal) - 1                                           \
	}
#define AS_TEXT(literal) ((struct text)TEXT(literal))

/* For printf: "%.*s", TEXT_ARG(t). */
#define TEXT_ARG(t) (int)(t).len, (t).data

/* The bytes of a C string; an empty text for NULL. */
static inline struct text text_of(const char *s)
{
	return (struct text){ s ? s : "", s ? strlen(s) : 0 };
}

/* Equal in length and in every byte. */
static inline bool text_equal(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool text_is(struct text a, const char *s)
{
	return text_equal(a, text_of(s));
}

/* Equal when ASCII letters of different case count as the same. */
bool text_equal_nocase(struct text a, struct text b);

bool text_starts(struct text a, const char *prefix);

/* The part before the first SEPARATOR; *REST gets what follows it (empty if none). */
struct text text_before(struct text a, char separator, struct text *rest);

/* Without blanks and tabs at both ends. */
struct text text_trim(struct text a);

/* A decimal number of 1 to 18 digits, nothing else. False otherwise. */
bool text_to_number(struct text a, int64_t *out);

/*
 * Seconds since 1970 as "YYYY-MM-DD HH:MM:SS" (UTC); SEPARATOR between is ' ' or 'T'. What is
 * before 1970 or after 9999 becomes the nearest that is not: no DATETIME holds more, and what
 * ends after all ages has not ended yet.
 */
#define TEXT_TIME_SIZE 32
void text_print_time(int64_t when, char separator, char out[TEXT_TIME_SIZE]);

#endif
