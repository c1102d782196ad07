/*
 * JSON, read strictly and written safely. The only file that knows json-c.
 *
 * json-c 0.16 alone accepts duplicate members, NUL in names, broken UTF-8 and NaN even in
 * its strict mode, so a scanner of our own (RFC 8259 grammar, UTF-8, no NUL, no lone
 * surrogate, depth) looks at the text first and json-c only ever sees what passed.
 */
#ifndef PINTLE_JSON_H
#define PINTLE_JSON_H

#include "arena.h"
#include "buffer.h"

/*
 * jansson, which libjwt brings along, exports functions of the same names: without this the
 * dynamic linker would give it ours.
 */
#pragma GCC visibility push(hidden)

/* A value of a parsed document. Owned by the arena it was parsed into. */
struct json;

/*
 * Checks TEXT against the RFC 8259 grammar: exactly one value, valid UTF-8, no NUL (raw or
 * \u0000), no lone surrogate escape, at most DEPTH levels of arrays and objects.
 * Returns NULL when it holds, else a constant phrase for the log. *MEMBERS, if not NULL,
 * gets the number of object members in the document. Iterative; allocates nothing.
 */
const char *json_scan(struct text text, unsigned depth, size_t *members);

/*
 * Scans and parses. Duplicate member names, at any level and however escaped, are
 * refused. On failure NULL, and *WHY gets a constant phrase for the log.
 */
const struct json *json_parse(struct arena *a, struct text text, unsigned depth,
			      const char **why);

enum json_type {
	JSON_NULL,
	JSON_BOOLEAN,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* JSON_NULL also for a NULL argument. */
enum json_type json_type(const struct json *value);

/* False when OBJECT is no object or has no such member; *OUT may be NULL for JSON null. */
bool json_member(const struct json *object, const char *name, const struct json **out);

/*
 * WHERE is a member name or, when it starts with "/", a JSON Pointer (RFC 6901) into
 * DOCUMENT. False when nothing is there.
 */
bool json_find(const struct json *document, const char *where, const struct json **out);

/* Is POINTER well formed: "/" first, "~" only before 0 or 1? */
bool json_pointer_is_valid(const char *pointer);

/* False, OUT untouched, when VALUE is of another type. */
bool json_string(const struct json *value, struct text *out);
bool json_boolean(const struct json *value, bool *out);
/* Any JSON number; integers above 2^53 lose precision, above the range of double are inf. */
bool json_number(const struct json *value, double *out);

/* 0 when VALUE is no array. */
size_t json_array_length(const struct json *value);
/* NULL for JSON null; INDEX must be below the length. */
const struct json *json_array_at(const struct json *array, size_t index);

/*
 * Calls EACH for every member of OBJECT until it returns false. Returns false if it did.
 */
bool json_each(const struct json *object,
	       bool (*each)(void *context, struct text name, const struct json *value),
	       void *context);

/* The value as compact JSON text in the arena. */
struct text json_print(struct arena *a, const struct json *value);

/*
 * Writing, straight into a buffer. Commas are the writer's affair: each call below puts
 * one where the place needs it. NAME is NULL inside arrays and for the outermost value.
 */
void json_begin(struct buffer *b, const char *name, char bracket); /* '{' or '[' */
void json_end(struct buffer *b, char bracket);			   /* '}' or ']' */
void json_add_string(struct buffer *b, const char *name, struct text value);
void json_add_number(struct buffer *b, const char *name, int64_t value);
void json_add_boolean(struct buffer *b, const char *name, bool value);
void json_add_null(struct buffer *b, const char *name);
/* VALUE is JSON text that has passed json_scan. */
void json_add_raw(struct buffer *b, const char *name, struct text value);

#pragma GCC visibility pop

#endif
