#include "json.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

/* json-c has a type of the same name as our function; no symbol of its library. */
#define json_type json_c_type
#include <json-c/json.h>
#include <json-c/json_pointer.h>
#undef json_type

#define DEPTH_MAX 64 /* the scanner's stack is the bits of one word */

/* What a byte may do without being looked at twice. */
enum {
	SCANS = 1,  /* stand in a string that is read */
	WRITES = 2, /* stand in a string that is written */
	RAW = 4,    /* be copied from JSON text into an answer */
	PLAIN = SCANS | WRITES | RAW,
};

static const unsigned char classes[256] = {
	[0x00 ... 0x1f] = RAW, [' ' ... '!'] = PLAIN, ['"'] = RAW,
	['#' ... '%'] = PLAIN, ['&'] = SCANS,	      ['\'' ... ';'] = PLAIN,
	['<'] = SCANS,	       ['='] = PLAIN,	      ['>'] = SCANS,
	['?' ... '['] = PLAIN, ['\\'] = RAW,	      [']' ... '~'] = PLAIN,
	[0x7f] = SCANS | RAW,  [0x80 ... 0xe1] = RAW, [0xe2] = 0,
	[0xe3 ... 0xff] = RAW,
};

/* ---- the scanner */

enum expect { VALUE, VALUE_OR_END, NAME, NAME_OR_END, AFTER };

struct scan {
	const unsigned char *at, *end;
	uint64_t objects; /* bit 0: the innermost level is an object; bit 1: the next */
	unsigned level, depth;
	size_t members;
	enum expect expect;
};

/* The length of the UTF-8 character at AT (RFC 3629, 4), 0 when it is none. */
static size_t utf8_len(const unsigned char *at, const unsigned char *end)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf) {
		len = 2;
	} else if ((at[0] & 0xf0) == 0xe0) {
		len = 3;
		low = at[0] == 0xe0 ? 0xa0 : 0x80;
		high = at[0] == 0xed ? 0x9f : 0xbf;
	} else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
		len = 4;
		low = at[0] == 0xf0 ? 0x90 : 0x80;
		high = at[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if ((size_t)(end - at) < len || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* The four digits of the \uXXXX at AT; -1 when there is none. */
static int unicode_escape(const unsigned char *at, const unsigned char *end)
{
	int value = 0;

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int c = at[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* The length of the escape at AT; 0 when it is none, NUL or half of a surrogate pair. */
static size_t escape_len(const unsigned char *at, const unsigned char *end)
{
	int value, low;

	if (end - at < 2)
		return 0;
	if (at[1] != 'u')
		return at[1] && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
	value = unicode_escape(at, end);
	/* "email\u0000x" would be the member "email" to every reader of C strings. */
	if (value <= 0 || (value >= 0xdc00 && value <= 0xdfff))
		return 0;
	if (value < 0xd800 || value > 0xdbff)
		return 6;
	low = unicode_escape(at + 6, end);
	return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

static const char *scan_string(struct scan *s)
{
	const unsigned char *at = s->at + 1, *end = s->end;
	size_t len;

	for (;;) {
		while (at < end && (classes[*at] & SCANS))
			at++;
		if (at == end)
			return "a string does not end";
		if (*at == '"')
			break;
		if (*at < 0x20)
			return "a control character in a string";
		len = *at == '\\' ? escape_len(at, end) : utf8_len(at, end);
		if (!len)
			return *at == '\\' ? "a bad escape in a string" : "invalid UTF-8";
		at += len;
	}
	s->at = at + 1;
	return NULL;
}

static bool scan_digits(struct scan *s)
{
	const unsigned char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > start;
}

static bool scan_one(struct scan *s, const char *set)
{
	if (s->at == s->end || !*s->at || !strchr(set, *s->at))
		return false;
	s->at++;
	return true;
}

static const char *scan_number(struct scan *s)
{
	scan_one(s, "-");
	if (!scan_one(s, "0") && !scan_digits(s))
		return "a number without digits";
	if (scan_one(s, ".") && !scan_digits(s))
		return "a number without digits";
	if (scan_one(s, "eE")) {
		scan_one(s, "+-");
		if (!scan_digits(s))
			return "a number without digits";
	}
	return NULL;
}

static const char *scan_word(struct scan *s, struct text word)
{
	size_t left = (size_t)(s->end - s->at);

	if (left < word.len || memcmp(s->at, word.data, word.len) != 0)
		return "a value is missing";
	s->at += word.len;
	return NULL;
}

static const char *scan_open(struct scan *s, bool object)
{
	if (s->level == s->depth)
		return "nested too deeply";
	s->at++;
	s->level++;
	s->objects = s->objects << 1 | object;
	s->expect = object ? NAME_OR_END : VALUE_OR_END;
	return NULL;
}

static void scan_close(struct scan *s)
{
	s->at++;
	s->level--;
	s->objects >>= 1;
	s->expect = AFTER;
}

static const char *scan_value(struct scan *s)
{
	s->expect = AFTER;
	switch (*s->at) {
	case '"':
		return scan_string(s);
	case '{':
		return scan_open(s, true);
	case '[':
		return scan_open(s, false);
	case 't':
		return scan_word(s, AS_TEXT("true"));
	case 'f':
		return scan_word(s, AS_TEXT("false"));
	case 'n':
		return scan_word(s, AS_TEXT("null"));
	case '-':
	case '0' ... '9':
		return scan_number(s);
	default:
		return "a value is missing";
	}
}

static void skip_blanks(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

static const char *scan_name(struct scan *s)
{
	const char *why;

	if (*s->at != '"')
		return "a member name is missing";
	why = scan_string(s);
	if (why)
		return why;
	skip_blanks(s);
	if (!scan_one(s, ":"))
		return "a colon is missing";
	s->members++;
	s->expect = VALUE;
	return NULL;
}

static const char *scan_after(struct scan *s)
{
	bool in_object = s->objects & 1;

	if (!s->level)
		return "something follows the value";
	if (*s->at == (in_object ? '}' : ']')) {
		scan_close(s);
		return NULL;
	}
	if (*s->at != ',')
		return "a comma or closing bracket is missing";
	s->at++;
	s->expect = in_object ? NAME : VALUE;
	return NULL;
}

static const char *scan_step(struct scan *s)
{
	if ((s->expect == VALUE_OR_END && *s->at == ']') ||
	    (s->expect == NAME_OR_END && *s->at == '}')) {
		scan_close(s);
		return NULL;
	}
	switch (s->expect) {
	case VALUE:
	case VALUE_OR_END:
		return scan_value(s);
	case NAME:
	case NAME_OR_END:
		return scan_name(s);
	default:
		return scan_after(s);
	}
}

const char *json_scan(struct text text, unsigned depth, size_t *members)
{
	struct scan s = {
		.at = (const unsigned char *)text.data,
		.depth = depth < DEPTH_MAX ? depth : DEPTH_MAX,
		.expect = VALUE,
	};

	if (!text.len)
		return "the text is empty";
	s.end = s.at + text.len;
	for (skip_blanks(&s); s.at < s.end; skip_blanks(&s)) {
		const char *why = scan_step(&s);

		if (why)
			return why;
	}
	if (s.level || s.expect != AFTER)
		return "the text ends early";
	if (members)
		*members = s.members;
	return NULL;
}

/* ---- what json-c holds */

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
		json_object_object_foreach (value, name, member) {
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

	if (depth > DEPTH_MAX)
		depth = DEPTH_MAX;
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
	json_object_object_foreach (object_of(object), name, member) {
		if (!each(context, text_of(name), (const struct json *)member))
			return false;
	}
	return true;
}

/* ---- writing */

static void add_unicode(struct buffer *b, unsigned value)
{
	buffer_printf(b, "\\u%04x", value);
}

/* Writes the character at AT, which is not plain; returns how many bytes it was. */
static size_t add_special(struct buffer *b, const unsigned char *at,
			  const unsigned char *end)
{
	size_t len = utf8_len(at, end);

	if (len == 0) {
		buffer_add(b, AS_TEXT("\xef\xbf\xbd"));
		return 1;
	}
	if (*at == '"' || *at == '\\')
		buffer_printf(b, "\\%c", *at);
	else if (len == 1)
		add_unicode(b, *at);
	else if (at[0] == 0xc2 && at[1] < 0xa0) /* C1 controls steer terminals */
		add_unicode(b, at[1]);
	else if (at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9))
		add_unicode(b, 0x2000u | (at[2] & 0x3fu)); /* a line end to JavaScript */
	else
		buffer_add(b, (struct text){ (const char *)at, len });
	return len;
}

static void add_escaped(struct buffer *b, struct text t, unsigned class)
{
	const unsigned char *at = (const unsigned char *)t.data, *end = at + t.len;

	while (at < end) {
		const unsigned char *run = at;

		while (at < end && (classes[*at] & class))
			at++;
		buffer_add(b, (struct text){ (const char *)run, (size_t)(at - run) });
		if (at < end)
			at += add_special(b, at, end);
	}
}

static void add_quoted(struct buffer *b, struct text t)
{
	buffer_add_char(b, '"');
	if (t.len)
		add_escaped(b, t, WRITES);
	buffer_add_char(b, '"');
}

static void add_place(struct buffer *b, const char *name)
{
	if (b->len && b->data[b->len - 1] != '{' && b->data[b->len - 1] != '[')
		buffer_add_char(b, ',');
	if (name) {
		add_quoted(b, text_of(name));
		buffer_add_char(b, ':');
	}
}

void json_begin(struct buffer *b, const char *name, char bracket)
{
	add_place(b, name);
	buffer_add_char(b, bracket);
}

void json_end(struct buffer *b, char bracket)
{
	buffer_add_char(b, bracket);
}

void json_add_string(struct buffer *b, const char *name, struct text value)
{
	add_place(b, name);
	add_quoted(b, value);
}

void json_add_number(struct buffer *b, const char *name, int64_t value)
{
	add_place(b, name);
	buffer_printf(b, "%" PRId64, value);
}

void json_add_boolean(struct buffer *b, const char *name, bool value)
{
	add_place(b, name);
	buffer_add(b, value ? AS_TEXT("true") : AS_TEXT("false"));
}

void json_add_null(struct buffer *b, const char *name)
{
	add_place(b, name);
	buffer_add(b, AS_TEXT("null"));
}

/* Markup characters stand only in the strings of JSON text; an escape means the same. */
void json_add_raw(struct buffer *b, const char *name, struct text value)
{
	add_place(b, name);
	add_escaped(b, value, RAW);
}

struct text json_print(struct arena *a, const struct json *value)
{
	struct buffer b;
	struct text printed;

	printed.data =
		json_object_to_json_string_length(object_of(value),
						  JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE,
						  &printed.len);
	b = buffer_new(a, printed.len);
	add_escaped(&b, printed, RAW);
	return buffer_text(&b);
}
