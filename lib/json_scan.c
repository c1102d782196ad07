#include "json_text.h"

const unsigned char json_classes[256] = {
	[0x00 ... 0x1f] = RAW, [' ' ... '!'] = PLAIN, ['"'] = RAW,
	['#' ... '%'] = PLAIN, ['&'] = SCANS,	      ['\'' ... ';'] = PLAIN,
	['<'] = SCANS,	       ['='] = PLAIN,	      ['>'] = SCANS,
	['?' ... '['] = PLAIN, ['\\'] = RAW,	      [']' ... '~'] = PLAIN,
	[0x7f] = SCANS | RAW,  [0x80 ... 0xe1] = RAW, [0xe2] = 0,
	[0xe3 ... 0xff] = RAW,
};

enum expect { VALUE, VALUE_OR_END, NAME, NAME_OR_END, AFTER };

struct scan {
	const unsigned char *at, *end;
	uint64_t objects; /* bit 0: the innermost level is an object; bit 1: the next */
	unsigned level, depth;
	size_t members;
	enum expect expect;
};

size_t json_utf8_len(const unsigned char *at, const unsigned char *end)
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
		while (at < end && (json_classes[*at] & SCANS))
			at++;
		if (at == end)
			return "a string does not end";
		if (*at == '"')
			break;
		if (*at < 0x20)
			return "a control character in a string";
		len = *at == '\\' ? escape_len(at, end) : json_utf8_len(at, end);
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
		.depth = depth < JSON_DEPTH_MAX ? depth : JSON_DEPTH_MAX,
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
