#include "json_text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

/* json-c has a type of the same name as our function; no symbol of its library. */
#define json_type json_c_type
#include <json-c/json.h>
#include <json-c/json_pointer.h>
#undef json_type

/* json-c's null is NULL; a document that is only null must not look like a failure. */
static const max_align_t null_document;

static struct json_object *object_of(const struct json *value)
{
	const void *address = value;

	return address == &null_document ? NULL : (struct json_object *)value;
}

static bool is(const struct json *value, enum json_type type)
{
	return json_type(value) == type;
}

static void put(void *object)
{
	json_object_put(object);
}

/* Recursive, but no deeper than the scanner has let through. */
static size_t count_members(struct json_object *value)
{
	size_t count = 0;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			count += 1 + count_members(member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			count += count_members(json_object_array_get_idx(value, i));
	}
	return count;
}

/*
 * Not strict mode: it adds nothing to the scanner but, from json-c 0.17 on, refuses
 * integers beyond 64 bits, which are JSON.
 */
static bool tokenize(struct text text, unsigned depth, struct json_object **out)
{
	struct json_tokener *tokener = json_tokener_new_ex((int)depth + 2);
	bool good;

	if (!tokener)
		return false;
	*out = json_tokener_parse_ex(tokener, text.data, (int)text.len);
	good = json_tokener_get_parse_end(tokener) == text.len;
	/* A number on its own ends only where json-c sees a NUL. */
	if (good && json_tokener_get_error(tokener) == json_tokener_continue)
		*out = json_tokener_parse_ex(tokener, "", 1);
	good = good && json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	return good;
}

static struct text without_blanks(struct text text)
{
	while (text.len && strchr(" \t\r\n", text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len && strchr(" \t\r\n", text.data[text.len - 1]))
		text.len--;
	return text;
}

const struct json *json_parse(struct arena *a, struct text text, unsigned depth,
			      const char **why)
{
	struct json_object *root = NULL;
	size_t members;
	const char *wrong;
	bool parsed;

	if (depth > JSON_DEPTH_MAX)
		depth = JSON_DEPTH_MAX;
	wrong = text.len < INT_MAX ? json_scan(text, depth, &members) : "too long";
	if (wrong) {
		*why = wrong;
		return NULL;
	}
	parsed = tokenize(without_blanks(text), depth, &root);
	if (root)
		arena_defer(a, put, root);
	if (!parsed) {
		*why = "json-c and the scanner disagree";
		return NULL;
	}
	/* json-c keeps the last of equal names: a duplicate makes its tree smaller. */
	if (count_members(root) != members) {
		*why = "a duplicate member";
		return NULL;
	}
	return root ? (const struct json *)root : (const struct json *)&null_document;
}

enum json_type json_type(const struct json *value)
{
	switch (json_object_get_type(object_of(value))) {
	case json_type_boolean:
		return JSON_BOOLEAN;
	case json_type_int:
	case json_type_double:
		return JSON_NUMBER;
	case json_type_string:
		return JSON_STRING;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	default:
		return JSON_NULL;
	}
}

bool json_member(const struct json *object, const char *name, const struct json **out)
{
	struct json_object *member;

	if (!is(object, JSON_OBJECT) ||
	    !json_object_object_get_ex(object_of(object), name, &member))
		return false;
	*out = (const struct json *)member;
	return true;
}

bool json_pointer_is_valid(const char *pointer)
{
	if (pointer[0] != '/')
		return false;
	for (; *pointer; pointer++)
		if (pointer[0] == '~' && pointer[1] != '0' && pointer[1] != '1')
			return false;
	return true;
}

/*
 * One "/token" further. Array indexes are read here: json-c 0.16 takes the empty token
 * and 4294967296 for the first element, and says of a null element that it is absent.
 */
static bool pointer_step(struct json_object **at, const char *step)
{
	struct text token = text_of(step + 1);
	int64_t index;

	if (!json_object_is_type(*at, json_type_array))
		return json_pointer_get(*at, step, at) == 0;
	if (!text_to_number(token, &index) || (token.len > 1 && token.data[0] == '0') ||
	    (uint64_t)index >= json_object_array_length(*at))
		return false;
	*at = json_object_array_get_idx(*at, (size_t)index);
	return true;
}

bool json_find(const struct json *document, const char *where, const struct json **out)
{
	struct json_object *at = object_of(document);
	char *pointer, *next;
	bool found = true;

	if (where[0] != '/')
		return json_member(document, where, out);
	if (!json_pointer_is_valid(where))
		return false;
	pointer = x_copy(text_of(where));
	for (char *step = pointer; step && found; step = next) {
		*step = '/';
		next = strchr(step + 1, '/');
		if (next)
			*next = '\0';
		found = pointer_step(&at, step);
	}
	free(pointer);
	if (found)
		*out = (const struct json *)at;
	return found;
}

bool json_string(const struct json *value, struct text *out)
{
	struct json_object *object = object_of(value);

	if (!is(value, JSON_STRING))
		return false;
	*out = (struct text){ json_object_get_string(object),
			      (size_t)json_object_get_string_len(object) };
	return true;
}

bool json_boolean(const struct json *value, bool *out)
{
	if (!is(value, JSON_BOOLEAN))
		return false;
	*out = json_object_get_boolean(object_of(value));
	return true;
}

bool json_number(const struct json *value, double *out)
{
	if (!is(value, JSON_NUMBER))
		return false;
	*out = json_object_get_double(object_of(value));
	return true;
}

size_t json_array_length(const struct json *value)
{
	return is(value, JSON_ARRAY) ? json_object_array_length(object_of(value)) : 0;
}

const struct json *json_array_at(const struct json *array, size_t index)
{
	return (const struct json *)json_object_array_get_idx(object_of(array), index);
}

bool json_each(const struct json *object,
	       bool (*each)(void *context, struct text name, const struct json *value),
	       void *context)
{
	if (!is(object, JSON_OBJECT))
		return true;
	json_object_object_foreach(object_of(object), name, member)
	{
		if (!each(context, text_of(name), (const struct json *)member))
			return false;
	}
	return true;
}

struct text json_print(struct arena *a, const struct json *value)
{
	struct buffer b;
	struct text printed;

	printed.data = json_object_to_json_string_length(
		object_of(value), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&printed.len);
	b = buffer_new(a, printed.len);
	json_add_raw(&b, NULL, printed);
	return buffer_text(&b);
}
